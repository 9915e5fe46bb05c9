/* machdeck create: a new container, from one of many sources. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/create.h"
#include "engine/hostlint.h"
#include "engine/settle.h"
#include "verbs/confoptions.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

struct wish {
	struct create create;
	struct draft options;
	struct buf config; /* what takes --config-file in */
	const char *config_file;
	int sources;
	bool dry, plain, start;
};

static void wish_done(struct wish *w)
{
	draft_done(&w->options);
	buf_done(&w->config);
	strs_done(&w->create.build.bootstrap.packages);
}

static void choose(struct wish *w, enum build_source source, const char *from)
{
	w->create.build.source = source;
	w->create.build.from = from;
	w->sources++;
}

static const struct option own_options[] = {
	{ "tree", required_argument, NULL, 't' },
	{ "image", required_argument, NULL, 'i' },
	{ "tarball", required_argument, NULL, 'z' },
	{ "bootstrap", required_argument, NULL, 'b' },
	{ "adopt", no_argument, NULL, 'a' },
	{ "suite", required_argument, NULL, 's' },
	{ "mirror", required_argument, NULL, 'm' },
	{ "packages", required_argument, NULL, 'P' },
	{ "config", required_argument, NULL, 'c' },
	{ "config-file", required_argument, NULL, 'f' },
	{ "nixos-path", required_argument, NULL, 'n' },
	{ "ensure-unique-name", no_argument, NULL, 'u' },
	{ "dry-run", no_argument, NULL, 'q' },
	{ "start", no_argument, NULL, 'S' },
	{ "progress", no_argument, NULL, 'p' },
	{ 0 },
};

/* Returns whether the option's value is good. */
static bool take_option(struct wish *w, int option)
{
	struct build *b = &w->create.build;

	switch (option) {
	case 't':
		choose(w, BUILD_TREE, optarg);
		break;
	case 'i':
		choose(w, BUILD_IMAGE, optarg);
		break;
	case 'z':
		choose(w, BUILD_TARBALL, optarg);
		break;
	case 'a':
		choose(w, BUILD_ADOPT, NULL);
		break;
	case 'b':
		choose(w, BUILD_BOOTSTRAP, NULL);
		return distribution_parse(optarg, &b->bootstrap.distribution) == 0;
	case 's':
		b->bootstrap.suite = optarg;
		break;
	case 'm':
		b->bootstrap.mirror = optarg;
		break;
	case 'P':
		strs_split(&b->bootstrap.packages, optarg, ", ");
		break;
	case 'c':
		b->nix_config = optarg;
		break;
	case 'f':
		w->config_file = optarg;
		break;
	case 'n':
		b->nix.nixos_path = optarg;
		break;
	case 'u':
		w->create.unique_name = true;
		break;
	case 'q':
		w->dry = true;
		break;
	case 'S':
		w->start = true;
		break;
	case 'p':
		w->plain = true;
		break;
	default:
		confoptions_take(option, optarg, &w->options);
		break;
	}
	return true;
}

/* What the options say of the source without naming one. */
static int find_source(struct wish *w, struct err *e)
{
	struct build *b = &w->create.build;
	bool nix = b->nix_config || w->config_file;

	b->nix.flake = draft_get(&w->options, "FLAKE");
	if (b->nix_config && w->config_file)
		return err_set(e, STATUS_USAGE, EINVAL, "--config and --config-file: one of them");
	if (nix || b->nix.flake)
		choose(w, BUILD_NIX, NULL);
	else if (draft_get(&w->options, "SYSTEM_PATH"))
		choose(w, BUILD_EMPTY, draft_get(&w->options, "SYSTEM_PATH"));
	if (w->sources == 0)
		return err_set(e, STATUS_USAGE, EINVAL,
		               "what is its root made of? --tree, --image, --tarball, --bootstrap, "
		               "--system-path, --flake, "
		               "--config, or --adopt for one that is there (create in the dashboard, or with "
		               "--linear, asks for "
		               "it all)");
	if (w->sources > 1)
		return err_set(e, STATUS_USAGE, EINVAL, "its root can come from one source only");
	return 0;
}

static int take_config(struct wish *w, struct err *e)
{
	int r = w->config_file ? build_nix_module(w->config_file, &w->config, e) : 0;

	if (w->config_file)
		w->create.build.nix_config = buf_text(&w->config);
	return r;
}

static int show(const struct wish *w, const struct created *made)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(strs_done) struct strs commands = { 0 };
	struct err e = { 0 };

	if (build_commands(&w->create.build, &made->places, &commands, &e) < 0)
		return verb_fail(&e);
	buf_addf(&text, "# %s\n%s# %s\n", made->places.conf, buf_text(&made->conf), made->places.root);
	for (size_t i = 0; i < commands.n; i++)
		buf_addf(&text, "%s\n", commands.v[i]);
	return verb_print_buf(&text);
}

static void tell(const struct wish *w, const struct created *made)
{
	const struct addr *a = made->container.addr;
	char host[ADDR_TEXT_SIZE], local[ADDR_TEXT_SIZE];

	if (addr_is_set(&a[HOST4]) && addr_is_set(&a[LOCAL4]) && !draft_get(&w->options, "HOST_ADDRESS")) {
		addr_print(&a[HOST4], false, host);
		addr_print(&a[LOCAL4], false, local);
		fprintf(stderr, "host IP is %s, container IP is %s\n", host, local);
	}
	if (w->create.unique_name)
		printf("%s\n", made->places.name);
	else
		printf("%s: created\n", made->places.name);
	fflush(stdout);
}

/* What of it does not fit this host as it is now. */
static void warn_of_host(const struct created *made)
{
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };

	if (hostlint_read(&h, NULL) == 0)
		hostlint_judge(&h, &made->container, NULL, &warnings);
	hostlint_paths(&made->container, &warnings);
	verb_warn(&warnings);
}

static int run(struct wish *w)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	const struct progress *progress;
	struct err e = { 0 };
	int r;

	if (w->dry) {
		r = create_decide(&w->create, &made, &warnings, &e);
		verb_warn(&warnings);
		if (r < 0)
			return verb_fail(&e);
		warn_of_host(&made);
		return show(w, &made);
	}
	progress = working_progress(w->plain);
	r = create_container(&w->create, progress, &made, &warnings, &e);
	working_done();
	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	warn_of_host(&made);
	tell(w, &made);
	if (!w->start)
		return STATUS_DONE;
	r = settle_control(CONTROL_START, made.places.name, progress, &e);
	working_done();
	return r < 0 ? verb_fail(&e) : STATUS_DONE;
}

int verb_create(const struct verb *v, int argc, char **argv)
{
	CLEANUP(free_p) struct option *options = confoptions_make(own_options);
	CLEANUP(wish_done) struct wish w = { 0 };
	struct err e = { 0 };
	int option, r;

	if (!options) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		if (!take_option(&w, option))
			return verb_usage(v, "--bootstrap is one of debian, ubuntu, fedora, arch");
	}
	r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	w.create.name = argv[optind];
	w.create.options = &w.options;
	if (find_source(&w, &e) < 0 || take_config(&w, &e) < 0)
		return verb_fail(&e);
	return run(&w);
}

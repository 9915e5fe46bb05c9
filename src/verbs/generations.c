/* machdeck update, generations, rollback: the systems that Nix builds for a container. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "engine/build.h"
#include "engine/rollback.h"
#include "engine/update.h"
#include "verbs/show.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

/* What runs goes on as it was started: that is said, with what helps. */
static int tell(const char *name, const char *what)
{
	struct err e = { 0 };
	bool up = false;

	printf("%s: %s\n", name, what);
	if (verb_is_up(name, &up, &e) < 0)
		return verb_fail(&e);
	if (up)
		printf("%s runs as it was started until: machdeck reload %s\n", name, name);
	return STATUS_DONE;
}

static int tell_built(const char *name)
{
	CLEANUP(profile_done) struct profile p = { 0 };
	const struct generation *g;
	char what[64] = "updated";
	struct err e = { 0 };

	if (rollback_list(name, &p, &e) < 0)
		return verb_fail(&e);
	g = profile_current(&p);
	if (g)
		(void)snprintf(what, sizeof(what), "updated, generation %u", g->number);
	return tell(name, what);
}

/* ---- update */

static int show_commands(const char *name, const struct update *u)
{
	CLEANUP(strs_done) struct strs commands = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	if (update_commands(name, u, &commands, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < commands.n; i++) {
		show_text(&text, commands.v[i]);
		buf_puts(&text, "\n");
	}
	return verb_print_buf(&text);
}

static int update(const char *name, struct update *u, const char *config_file, bool dry, bool plain,
                  bool keeps)
{
	CLEANUP(buf_done) struct buf module = { 0 };
	struct err e = { 0 };
	int r = config_file ? build_nix_module(config_file, &module, &e) : 0;

	if (r < 0)
		return verb_fail(&e);
	if (config_file)
		u->config = buf_text(&module);
	if (dry)
		return show_commands(name, u);
	r = keeps ? working_keep(name, "update") : STATUS_DONE;
	if (r != STATUS_DONE)
		return r;
	r = update_container(name, u, working_progress(plain), &e);
	working_done();
	return r < 0 ? verb_fail(&e) : tell_built(name);
}

int verb_update(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "config-file", required_argument, NULL, 'f' },
		{ "flake", required_argument, NULL, 'F' },  { "nixos-path", required_argument, NULL, 'n' },
		{ "dry-run", no_argument, NULL, 'q' },      { "progress", no_argument, NULL, 'p' },
		{ "snapshot", no_argument, NULL, 's' },     { 0 },
	};
	const char *config_file = NULL;
	struct update u = { 0 };
	bool dry = false, plain = false, keeps = false;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		u.config = option == 'c' ? optarg : u.config;
		u.nix.flake = option == 'F' ? optarg : u.nix.flake;
		u.nix.nixos_path = option == 'n' ? optarg : u.nix.nixos_path;
		config_file = option == 'f' ? optarg : config_file;
		dry |= option == 'q';
		plain |= option == 'p';
		keeps |= option == 's';
	}
	r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (!!u.config + !!config_file + !!u.nix.flake > 1)
		return verb_usage(v, "--config, --config-file and --flake: one of them");
	return update(argv[optind], &u, config_file, dry, plain, keeps);
}

/* ---- generations */

static int print_list(const struct profile *p)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		char when[32];

		show_local_time(p->v[i].made_usec, when);
		buf_addf(&text, "%6u %s %c ", p->v[i].number, when, p->v[i].current ? '*' : ' ');
		show_text(&text, p->v[i].system);
		buf_puts(&text, "\n");
	}
	return verb_print_buf(&text);
}

static int print_json(const char *name, const struct profile *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->n; i++) {
		char when[32];

		show_time(p->v[i].made_usec, when);
		(void)json_array_append_new(all, json_pack("{s:I, s:s, s:b, s:o}", "generation",
		                                           (json_int_t)p->v[i].number, "made", when,
		                                           "current", p->v[i].current, "system",
		                                           show_json_text(p->v[i].system)));
	}
	return show_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "machine", name, "generations", all));
}

int verb_generations(const struct verb *v, int argc, char **argv)
{
	CLEANUP(profile_done) struct profile p = { 0 };
	struct err e = { 0 };
	const char *name;
	bool json;
	int r = verb_one_name(v, argc, argv, &json, &name);

	if (r != STATUS_DONE)
		return r;
	if (rollback_list(name, &p, &e) < 0)
		return verb_fail(&e);
	return json ? print_json(name, &p) : print_list(&p);
}

/* ---- rollback */

static int roll_back(const char *name, unsigned number, bool dry, bool plain)
{
	char what[64];
	struct err e = { 0 };
	unsigned chosen;
	int r;

	if (dry) {
		if (rollback_choose(name, number, &chosen, &e) < 0)
			return verb_fail(&e);
		printf("%s would go back to generation %u\n", name, chosen);
		return STATUS_DONE;
	}
	r = rollback_container(name, number, working_progress(plain), &chosen, &e);
	working_done();
	if (r < 0)
		return verb_fail(&e);
	(void)snprintf(what, sizeof(what), "generation %u", chosen);
	return tell(name, what);
}

int verb_rollback(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'q' },
		                                 { "progress", no_argument, NULL, 'p' },
		                                 { 0 } };
	bool dry = false, plain = false;
	uint64_t number = 0;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		dry |= option == 'q';
		plain |= option == 'p';
	}
	r = verb_first_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (argc - optind > 2)
		return verb_usage(v, "a name, and at most one generation");
	if (argc - optind == 2 && num_parse(argv[optind + 1], 1, UINT_MAX, &number) < 0)
		return verb_usage(v, "a generation is a number (machdeck generations NAME)");
	return roll_back(argv[optind], (unsigned)number, dry, plain);
}

/* machdeck destroy: remove a container and what belongs to it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/destroy.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

static void add_path(struct buf *to, const char *before, const char *path)
{
	char shown[ERR_TEXT_MAX];

	text_printable(shown, sizeof(shown), path, strlen(path));
	buf_addf(to, "%s%s\n", before, shown);
}

static void describe(const char *name, const struct destroy_options *o, const struct destroy_look *l,
                     struct buf *to)
{
	if (l->running)
		buf_addf(to, "%s runs: %s\n", name,
		         !o->running ? "that is refused"
		         : o->now    ? "its processes are killed"
		                     : "it is stopped");
	for (size_t i = 0; i < l->mounts.n; i++)
		add_path(to, o->detach ? "unmount " : "still mounted: ", l->mounts.v[i]);
	for (size_t i = 0; i < l->removed.n; i++)
		add_path(to, "delete  ", l->removed.v[i]);
}

static int run(const char *name, const struct destroy_options *o, bool plain)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e = { 0 };
	int r = destroy_container(name, o, working_progress(plain), &warnings, &e);

	working_done();
	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	printf("%s: destroyed\n", name);
	return STATUS_DONE;
}

int verb_destroy(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "yes", no_argument, NULL, 'y' },      { "name", required_argument, NULL, 'n' },
		{ "detach", no_argument, NULL, 'd' },   { "no-stop", no_argument, NULL, 's' },
		{ "now", no_argument, NULL, 'k' },      { "dry-run", no_argument, NULL, 'q' },
		{ "progress", no_argument, NULL, 'p' }, { 0 },
	};
	CLEANUP(destroy_look_done) struct destroy_look look = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct destroy_options o = { .running = true };
	bool yes = false, dry = false, plain = false;
	const char *name, *typed = NULL;
	struct err e = { 0 };
	int option, r;

	while ((option = getopt_long(argc, argv, "y", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		yes |= option == 'y';
		typed = option == 'n' ? optarg : typed;
		o.detach |= option == 'd';
		o.running &= option != 's';
		o.now |= option == 'k';
		dry |= option == 'q';
		plain |= option == 'p';
	}
	r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	name = argv[optind];
	if (typed && strcmp(typed, name) != 0)
		return verb_usage(v, "--name is another name than the container's");
	if (destroy_look(name, &look, &e) < 0)
		return verb_fail(&e);
	describe(name, &o, &look, &text);
	if (dry)
		return verb_print_buf(&text);
	if (!yes && !typed && !working_confirm(name, buf_text(&text)))
		return STATUS_USAGE;
	return run(name, &o, plain);
}

/* machdeck clone, rename: a second container like one that is there; another name for one. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/clone.h"
#include "engine/settle.h"
#include "verbs/confoptions.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

/* Whether two names follow; returns a status. */
static int two_names(const struct verb *v, int argc, char **argv)
{
	int r = verb_names(v, argc, argv, optind);

	if (r != STATUS_DONE)
		return r;
	return argc - optind == 2 ? STATUS_DONE
	                          : verb_usage(v, "two names: the one that is there, and the new one");
}

static int show_clone(const struct clone *c)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(strs_done) struct strs says = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };
	int r = clone_decide(c, &made, &says, &warnings, &e);

	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < says.n; i++)
		buf_addf(&text, "# %s\n", says.v[i]);
	buf_addf(&text, "# %s\n%s# %s\n", made.places.conf, buf_text(&made.conf), made.places.root);
	return verb_print_buf(&text);
}

static int run_clone(const struct clone *c, bool plain, bool start)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	const struct progress *progress = working_progress(plain);
	struct err e = { 0 };
	int r = clone_container(c, progress, &made, &warnings, &e);

	working_done();
	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	if (c->unique_name)
		printf("%s\n", made.places.name);
	else
		printf("%s: cloned (%s%s%s)\n", made.places.name, built_word(made.how),
		       c->overlay ? " over " : "", c->overlay ? c->from : "");
	fflush(stdout);
	r = start ? settle_control(CONTROL_START, made.places.name, progress, &e) : 0;
	working_done();
	return r < 0 ? verb_fail(&e) : STATUS_DONE;
}

int verb_clone(const struct verb *v, int argc, char **argv)
{
	static const struct option own[] = {
		{ "live", no_argument, NULL, 'l' },
		{ "ensure-unique-name", no_argument, NULL, 'u' },
		{ "dry-run", no_argument, NULL, 'q' },
		{ "start", no_argument, NULL, 'S' },
		{ "progress", no_argument, NULL, 'p' },
		{ "overlay", no_argument, NULL, 'o' },
		{ 0 },
	};
	CLEANUP(free_p) struct option *options = confoptions_make(own);
	CLEANUP(draft_done) struct draft draft = { 0 };
	struct clone c = { .options = &draft };
	bool dry = false, plain = false, start = false;
	struct err e = { 0 };
	int option, r;

	if (!options) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		if (option >= CONFOPTIONS_FIRST)
			confoptions_take(option, optarg, &draft);
		c.live |= option == 'l';
		c.overlay |= option == 'o';
		c.unique_name |= option == 'u';
		dry |= option == 'q';
		start |= option == 'S';
		plain |= option == 'p';
	}
	r = two_names(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	c.from = argv[optind];
	c.to = argv[optind + 1];
	return dry ? show_clone(&c) : run_clone(&c, plain, start);
}

static int show_rename(const char *from, const char *to)
{
	CLEANUP(strs_done) struct strs steps = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	if (rename_look(from, to, &steps, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < steps.n; i++)
		buf_addf(&text, "%s\n", steps.v[i]);
	return verb_print_buf(&text);
}

int verb_rename(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'q' },
		                                 { "progress", no_argument, NULL, 'p' }, /* there is none */
		                                 { 0 } };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	bool dry = false;
	struct err e = { 0 };
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		dry |= option == 'q';
	}
	r = two_names(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (dry)
		return show_rename(argv[optind], argv[optind + 1]);
	r = rename_container(argv[optind], argv[optind + 1], &warnings, &e);
	verb_warn(&warnings);
	if (r < 0)
		return verb_fail(&e);
	printf("%s: renamed to %s\n", argv[optind], argv[optind + 1]);
	return STATUS_DONE;
}

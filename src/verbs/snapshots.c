/* machdeck snapshot, snapshots, restore, reset: states of a container's root. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/beginning.h"
#include "engine/overlay.h"
#include "engine/snapshots.h"
#include "verbs/show.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

#define QUESTION_SIZE 384

struct wish {
	bool copy, json, dry, plain, yes;
	const char *typed, *removed;
};

static const struct option options[] = {
	{ "copy", no_argument, NULL, 'c' },         { "json", no_argument, NULL, 'j' },
	{ "dry-run", no_argument, NULL, 'q' },      { "progress", no_argument, NULL, 'p' },
	{ "yes", no_argument, NULL, 'y' },          { "name", required_argument, NULL, 'n' },
	{ "delete", required_argument, NULL, 'd' }, { 0 },
};

/* The options that this verb has, as letters; then between min and max arguments, the first a machine's name. */
static int take(const struct verb *v, int argc, char **argv, const char *has, int max, struct wish *ret)
{
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?' || !strchr(has, option))
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		ret->copy |= option == 'c';
		ret->json |= option == 'j';
		ret->dry |= option == 'q';
		ret->plain |= option == 'p';
		ret->yes |= option == 'y';
		ret->typed = option == 'n' ? optarg : ret->typed;
		ret->removed = option == 'd' ? optarg : ret->removed;
	}
	r = verb_first_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	return argc - optind <= max ? STATUS_DONE : verb_usage(v, "more names than it takes");
}

int verb_snapshot(const struct verb *v, int argc, char **argv)
{
	char made[NAME_MACHINE_MAX + 1];
	struct wish w = { 0 };
	enum built how;
	struct err e = { 0 };
	int r = take(v, argc, argv, "cqp", 2, &w);

	if (r != STATUS_DONE)
		return r;
	if (w.dry) {
		printf("keep the root of %s as it is now\n", argv[optind]);
		return STATUS_DONE;
	}
	r = snapshots_take(argv[optind], optind + 1 < argc ? argv[optind + 1] : "", w.copy,
	                   working_progress(w.plain), made, &how, &e);
	working_done();
	if (r < 0)
		return verb_fail(&e);
	printf("%s: snapshot %s (%s)\n", argv[optind], made, built_word(how));
	return STATUS_DONE;
}

static int print_list(const struct root_snapshots *s)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		char when[32] = "-";

		if (s->v[i].made_usec)
			show_local_time(s->v[i].made_usec, when);
		buf_addf(&text, "%-32s %s\n", s->v[i].name, when);
	}
	return verb_print_buf(&text);
}

static int print_json(const char *name, const struct root_snapshots *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->n; i++) {
		char when[32];

		show_time(s->v[i].made_usec, when);
		(void)json_array_append_new(all, json_pack("{s:s, s:s?}", "name", s->v[i].name, "made",
		                                           s->v[i].made_usec ? when : NULL));
	}
	return show_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "machine", name, "snapshots", all));
}

static int show_delete(const char *name, const char *snapshot)
{
	CLEANUP(root_snapshots_done) struct root_snapshots all = { 0 };
	struct err e = { 0 };

	if (snapshots_list(name, &all, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.v[i].name, snapshot) != 0)
			continue;
		printf("delete %s of the root of %s\n", snapshot, name);
		return STATUS_DONE;
	}
	(void)err_set(&e, STATUS_NO_CONTAINER, ENOENT, "%s has no snapshot '%s'", name, snapshot);
	return verb_fail(&e);
}

int verb_snapshots(const struct verb *v, int argc, char **argv)
{
	CLEANUP(root_snapshots_done) struct root_snapshots all = { 0 };
	struct wish w = { 0 };
	struct err e = { 0 };
	int r = take(v, argc, argv, "jdpq", 1, &w);

	if (r != STATUS_DONE)
		return r;
	if (w.removed && w.dry)
		return show_delete(argv[optind], w.removed);
	if (w.removed) {
		r = snapshots_delete(argv[optind], w.removed, working_progress(w.plain), &e);
		working_done();
		if (r < 0)
			return verb_fail(&e);
		printf("%s: snapshot %s is deleted\n", argv[optind], w.removed);
		return STATUS_DONE;
	}
	if (snapshots_list(argv[optind], &all, &e) < 0)
		return verb_fail(&e);
	return w.json ? print_json(argv[optind], &all) : print_list(&all);
}

/* Asks where that is due; returns a status. */
static int confirm(const struct verb *v, const char *name, const struct wish *w, const char *question)
{
	if (w->typed && strcmp(w->typed, name) != 0)
		return verb_usage(v, "--name is another name than the container's");
	return w->yes || w->typed || working_confirm(name, question) ? STATUS_DONE : STATUS_USAGE;
}

static void ask(const char *name, const char *snapshot, char ret[static QUESTION_SIZE])
{
	char of[NAME_MACHINE_MAX + 1], more[NAME_MACHINE_MAX + 64] = "";
	CLEANUP(buf_done) struct buf told = { 0 };
	CLEANUP(buf_done) struct buf what = { 0 };
	bool found;
	struct places p;

	found = places_find(name, &p, NULL) >= 0;
	if (found && snapshot && overlay_of(&p, of))
		(void)snprintf(more, sizeof(more), " It is no overlay over that of %s any more.", of);
	if (found && !snapshot && beginning_told(&p, &told)) {
		show_text(&what, buf_text(&told));
		buf_puts(&what, ", of which it was made");
	} else {
		buf_puts(&what, snapshot ? snapshot : "what it began as");
	}
	(void)snprintf(ret, QUESTION_SIZE,
	               "The root of %s becomes %s; what it is now is kept as a snapshot.%s", name,
	               buf_text(&what), more);
}

static int go_back(const struct verb *v, const char *name, const char *snapshot, const struct wish *w)
{
	char kept[NAME_MACHINE_MAX + 1], question[QUESTION_SIZE];
	const struct progress *progress;
	struct err e = { 0 };
	int r = snapshots_check(name, snapshot, &e);

	if (r < 0)
		return verb_fail(&e);
	ask(name, snapshot, question);
	if (w->dry) {
		printf("%s\n", question);
		return STATUS_DONE;
	}
	r = confirm(v, name, w, question);
	if (r != STATUS_DONE)
		return r;
	progress = working_progress(w->plain);
	r = snapshot ? snapshots_restore(name, snapshot, progress, kept, &e)
	             : snapshots_reset(name, progress, kept, &e);
	working_done();
	if (r < 0)
		return verb_fail(&e);
	printf("%s: %s; it was kept as %s\n", name, snapshot ? "restored" : "reset", kept);
	return STATUS_DONE;
}

int verb_restore(const struct verb *v, int argc, char **argv)
{
	struct wish w = { 0 };
	int r = take(v, argc, argv, "qpyn", 2, &w);

	if (r != STATUS_DONE)
		return r;
	if (argc - optind != 2)
		return verb_usage(v, "a container and one of its snapshots (machdeck snapshots NAME)");
	return go_back(v, argv[optind], argv[optind + 1], &w);
}

int verb_reset(const struct verb *v, int argc, char **argv)
{
	struct wish w = { 0 };
	int r = take(v, argc, argv, "qpyn", 1, &w);

	return r != STATUS_DONE ? r : go_back(v, argv[optind], NULL, &w);
}

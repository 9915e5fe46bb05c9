/* machdeck mend: what is missing of a running machine's network comes back; what dead machines left goes. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/mend.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

struct asked {
	const char *name; /* NULL: what dead machines left */
	bool orphans, dry_run, json;
};

static int parse(const struct verb *v, int argc, char **argv, struct asked *ret)
{
	static const struct option options[] = { { "orphans", no_argument, NULL, 'o' },
		                                 { "dry-run", no_argument, NULL, 'n' },
		                                 { "json", no_argument, NULL, 'j' },
		                                 { 0 } };
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		ret->orphans |= option == 'o';
		ret->dry_run |= option == 'n';
		ret->json |= option == 'j';
	}
	if (ret->orphans && optind < argc)
		return verb_usage(v, "--orphans is of no machine that runs: leave the name out");
	if (ret->orphans)
		return STATUS_DONE;
	r = verb_name(v, argc, argv);
	ret->name = r == STATUS_DONE ? argv[optind] : NULL;
	return r;
}

static json_t *document(const struct asked *a, const struct mending *m, bool done)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < m->commands.n; i++)
		(void)json_array_append_new(steps, json_pack("{s:o, s:o}", "command",
		                                             show_json_text(m->commands.v[i]), "why",
		                                             show_json_text(m->reasons.v[i])));
	return json_pack("{s:i, s:o, s:b, s:o, s:o}", "schema", 1, "name", show_json_text(a->name), "done",
	                 done, "steps", steps, "cannot", show_json_texts(&m->cannot));
}

static void describe(const struct asked *a, const struct mending *m, struct buf *to)
{
	mend_describe(m, to);
	if (mend_is_well(m) && a->name)
		buf_addf(to, "# %s: nothing is missing\n", a->name);
	else if (mend_is_well(m))
		buf_puts(to, "# nothing is left of machines that do not run\n");
	else if (!a->dry_run && m->commands.n > 0)
		buf_addf(to, "# %s\n", a->name ? "mended" : "removed");
}

int verb_mend(const struct verb *v, int argc, char **argv)
{
	CLEANUP(mending_done) struct mending m = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct asked a = { 0 };
	struct err e = { 0 };
	int status = parse(v, argc, argv, &a);

	if (status != STATUS_DONE)
		return status;
	if (!a.dry_run && mend_may(a.name, &e) < 0)
		return verb_fail(&e);
	if (mend_look(a.name, &m, &e) < 0)
		return verb_fail(&e);
	if (!a.dry_run && mend_do(a.name, &m, &e) < 0)
		return verb_fail(&e);
	if (a.json) {
		status = show_json(document(&a, &m, !a.dry_run));
	} else {
		describe(&a, &m, &text);
		status = verb_print_buf(&text);
	}
	return status == STATUS_DONE && m.cannot.n > 0 ? STATUS_FAILED : status;
}

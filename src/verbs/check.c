/* machdeck check: look for mistakes in confs. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/lint.h"
#include "decide/lint_host.h"
#include "drivers/confs.h"
#include "engine/hostlint.h"
#include "engine/load.h"
#include "engine/observe.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

/* All confs: those that were asked for, and those that could be in their way. */
struct checked {
	struct strs names;
	struct loaded *v;
	bool *asked, *good, *rival; /* by the index in names */
	const struct container **containers;
	size_t n; /* loaded */
};

/* What was found goes to stderr at once, or into a document. */
struct report {
	json_t *findings; /* NULL: text */
	int status;
};

static void checked_done(struct checked *all)
{
	for (size_t i = 0; i < all->n; i++)
		loaded_done(&all->v[i]);
	strs_done(&all->names);
	free(all->v);
	free(all->asked);
	free(all->good);
	free(all->rival);
	free(all->containers);
}

static void add_finding(struct report *report, const char *name, bool fatal, const char *text)
{
	(void)json_array_append_new(report->findings, json_pack("{s:s, s:b, s:o}", "name", name, "fatal",
	                                                        fatal, "text", show_json_text(text)));
}

/* 65 is what matters when anything is bad; another reason only counts alone. */
static void report_bad(struct report *report, const char *name, const struct err *e)
{
	if (report->status != STATUS_DATA)
		report->status = (int)e->status;
	if (report->findings)
		add_finding(report, name, true, e->text);
	else
		(void)verb_fail(e);
}

/* A conf that can not be used: all that is wrong in it, at once. */
static void report_conf(struct report *report, const char *root, const char *name, const struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(strs_done) struct strs mistakes = { 0 };

	if (e->status == STATUS_DATA && confs_load(root, name, &file, NULL) == 0)
		conf_mistakes(file.path, name, buf_text(&file.text), file.text.len, &mistakes);
	if (mistakes.n == 0)
		report_bad(report, name, e);
	for (size_t i = 0; i < mistakes.n; i++) {
		struct err each;

		(void)err_set(&each, STATUS_DATA, EINVAL, "%s", mistakes.v[i]);
		report_bad(report, name, &each);
	}
}

static void report_warnings(struct report *report, const char *name, const struct strs *warnings)
{
	if (!report->findings)
		verb_warn(warnings);
	for (size_t i = 0; report->findings && i < warnings->n; i++)
		add_finding(report, name, false, warnings->v[i]);
}

static int load_all(const char *root, int n_asked, char **asked, struct checked *all, struct report *report,
                    struct err *e)
{
	CLEANUP(strs_done) struct strs confs = { 0 };
	int r = confs_list(root, &confs, e);

	if (r < 0)
		return r;
	for (int i = 0; i < n_asked; i++)
		if (!strs_has(&all->names, asked[i]))
			strs_add(&all->names, asked[i]);
	n_asked = n_asked > 0 ? (int)all->names.n : (int)confs.n;
	for (size_t i = 0; i < confs.n; i++)
		if (!strs_has(&all->names, confs.v[i]))
			strs_add(&all->names, confs.v[i]);
	all->v = calloc(all->names.n + 1, sizeof(*all->v));
	all->asked = calloc(all->names.n + 1, sizeof(*all->asked));
	all->good = calloc(all->names.n + 1, sizeof(*all->good));
	all->rival = calloc(all->names.n + 1, sizeof(*all->rival));
	all->containers = calloc(all->names.n + 1, sizeof(*all->containers));
	if (all->names.bad || !all->v || !all->asked || !all->good || !all->rival || !all->containers)
		return err_no_memory(e);
	for (all->n = 0; all->n < all->names.n; all->n++) {
		size_t i = all->n;
		struct err why = { 0 };

		all->asked[i] = (int)i < n_asked;
		all->good[i] = load_plan(root, all->names.v[i], &all->v[i], &why) == 0;
		all->containers[i] = &all->v[i].container;
		if (all->asked[i] && !all->good[i])
			report_conf(report, root, all->names.v[i], &why);
		else if (all->asked[i])
			report_warnings(report, all->names.v[i], &all->v[i].warnings);
	}
	return 0;
}

static void look_at_pair(const struct container *a, const struct container *b, struct report *report)
{
	struct finding f;

	for (size_t i = 0; lint_pair(a, b, i, &f); i++) {
		struct err e = { 0 };

		(void)err_set(&e, STATUS_DATA, EINVAL, "%s: %s%s%s: %s", a->name, f.key, f.veth ? " " : "",
		              f.veth ? f.veth : "", f.text);
		report_bad(report, a->name, &e);
	}
}

/* Two that were read well can still be in each other's way; each pair is said once, of one that was asked
 * for. */
static int look_at_pairs(const struct checked *all, struct report *report, struct err *e)
{
	if (lint_rivals(all->containers, all->n, all->rival) < 0)
		return err_no_memory(e);
	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < i && all->rival[i]; j++)
			if (all->rival[j] && all->good[i] && all->good[j] && all->asked[j])
				look_at_pair(all->containers[all->asked[i] ? i : j],
				             all->containers[all->asked[i] ? j : i], report);
	return 0;
}

static void look_at_overlaps(const struct checked *all, struct report *report)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < i; j++) {
			size_t one = all->asked[i] ? i : j, other = one == i ? j : i;
			CLEANUP(strs_done) struct strs found = { 0 };

			if (!all->good[i] || !all->good[j] || !all->asked[one])
				continue;
			lint_overlap(all->containers[one], all->containers[other], &found);
			report_warnings(report, all->names.v[one], &found);
		}
}

static int ask_names(const struct checked *all, enum resolve_sources sources, struct hostlint *h,
                     struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(strs_done) struct strs unanswered = { 0 };
	int r;

	for (size_t i = 0; i < all->n; i++)
		if (all->asked[i] && all->good[i])
			lint_names(all->containers[i], &names);
	r = names.bad ? err_no_memory(e) : hostlint_ask(h, &names, sources, e);
	if (r == 0 || r == -ENOMEM)
		return r;
	strs_addf(&unanswered, "where all names lead is not known: %s", e->text);
	verb_warn(&unanswered);
	return 0;
}

/* What does not fit this host today is no mistake of the conf. */
static int look_at_host(const struct checked *all, enum resolve_sources sources, struct report *report,
                        struct err *e)
{
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	int r = observe_glance(&s, e);

	if (r >= 0)
		r = hostlint_read(&h, e);
	if (r >= 0)
		r = ask_names(all, sources, &h, e);
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		const struct machine *m = snapshot_find(&s, all->names.v[i]);
		CLEANUP(strs_done) struct strs found = { 0 };

		if (!all->asked[i] || !all->good[i])
			continue;
		hostlint_judge(&h, all->containers[i], m, &found);
		hostlint_paths(all->containers[i], &found);
		report_warnings(report, all->names.v[i], &found);
	}
	return r;
}

int verb_check(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "resolve", no_argument, NULL, 'n' },
		{ 0 },
	};
	CLEANUP(checked_done) struct checked all = { 0 };
	struct report report = { 0 };
	const char *root = "";
	enum resolve_sources sources = RESOLVE_HERE;
	bool json = false;
	size_t n = 0;
	struct err e = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have, or one that lacks its value");
		json |= option == 'j';
		sources = option == 'n' ? RESOLVE_ALL : sources;
		root = option == 'r' ? optarg : root;
	}
	if (optind < argc && (status = verb_names(v, argc, argv, optind)) != STATUS_DONE)
		return status;
	report.findings = json ? json_array() : NULL;
	if (load_all(root, argc - optind, argv + optind, &all, &report, &e) < 0 ||
	    look_at_pairs(&all, &report, &e) < 0 ||
	    (!root[0] && look_at_host(&all, sources, &report, &e) < 0)) {
		json_decref(report.findings);
		return verb_fail(&e);
	}
	for (size_t i = 0; i < all.n; i++)
		n += all.asked[i];
	look_at_overlaps(&all, &report);
	if (json) {
		status = show_json(json_pack("{s:i, s:I, s:o}", "schema", 1, "checked", (json_int_t)n,
		                             "findings", report.findings));
		return status != STATUS_DONE ? status : report.status;
	}
	if (report.status == STATUS_DONE)
		printf("%zu %s: no mistakes found\n", n, n == 1 ? "container" : "containers");
	return report.status;
}

/* machdeck diff: what of running containers differs from their confs and from how they were started. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "engine/drift.h"
#include "engine/netwatch.h"
#include "engine/observe.h"
#include "engine/unitlive.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

static const char *advice(enum drift_cure c)
{
	static const char *const words[] = {
		[DRIFT_NONE] = "nothing to do",
		[DRIFT_LIVE] =
			"somebody set something live: nothing is wrong, and systemctl revert takes it back",
		[DRIFT_MEND] = "something was taken away since the start: machdeck mend puts it back",
		[DRIFT_REREAD] = "systemd is to read its unit anew: systemctl daemon-reload",
		[DRIFT_RELOAD] = "a reload is enough",
		[DRIFT_RESTART] = "restart needed",
	};

	return words[c];
}

static void values(struct buf *to, const struct drift_item *item)
{
	const struct {
		const char *label, *value;
	} all[] = { { "configured", item->configured },
		    { "started with", item->started },
		    { "seen", item->live } };

	for (size_t i = 0; i < COUNT(all); i++)
		if (all[i].value)
			buf_addf(to, "      %-12s  %s\n", all[i].label, all[i].value);
}

static void print(struct buf *to, const char *name, const struct drift *d)
{
	buf_addf(to, "%s: %s\n", name, advice(drift_verdict(d)));
	for (size_t i = 0; i < d->n; i++) {
		buf_addf(to, "  %-7s  %s\n", drift_cure_word(d->v[i].cure), d->v[i].text);
		values(to, &d->v[i]);
	}
	for (size_t i = 0; i < d->unseen.n; i++) {
		buf_puts(to, "  not compared: ");
		show_text(to, d->unseen.v[i]);
		buf_puts(to, "\n");
	}
}

static json_t *document(const char *name, const struct drift *d)
{
	json_t *items = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(
			items,
			json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "cure", drift_cure_word(d->v[i].cure),
		                  "what", d->v[i].what, "text", show_json_text(d->v[i].text), "configured",
		                  show_json_text(d->v[i].configured), "started",
		                  show_json_text(d->v[i].started), "seen", show_json_text(d->v[i].live)));
	return json_pack("{s:s, s:s, s:o, s:o}", "name", name, "verdict", drift_cure_word(drift_verdict(d)),
	                 "differences", items, "unseen", show_json_texts(&d->unseen));
}

struct report {
	json_t *machines; /* NULL: text */
	struct buf text;
	int status;
};

static void report_one(struct report *report, const struct snapshot *s, const char *name,
                       const struct netmap *m)
{
	CLEANUP(drift_done) struct drift d = { 0 };
	CLEANUP(unit_live_done) struct unit_live live = { 0 };
	const struct machine *machine = snapshot_find(s, name);
	struct err e, untold;
	bool asks = machine && machine->registered && machine->kind == MACHINE_CONTAINER;
	int told = asks ? unit_live_read(name, &live, &untold) : -1;
	int r = drift_read(s, name, m, told == 0 ? &live : NULL, &d, &e);

	if (r < 0) {
		report->status = verb_fail(&e);
		return;
	}
	if (asks && told < 0)
		strs_addf(&d.unseen, "the directives of its unit: %s", untold.text);
	if (drift_verdict(&d) != DRIFT_NONE && report->status == STATUS_DONE)
		report->status = STATUS_FAILED;
	if (report->machines)
		(void)json_array_append_new(report->machines, document(name, &d));
	else
		print(&report->text, name, &d);
}

int verb_diff(const struct verb *v, int argc, char **argv)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(netmap_done) struct netmap m = { 0 };
	struct report report = { 0 };
	bool json;
	struct err e;
	int status = verb_json(v, argc, argv, &json);

	if (status == STATUS_DONE)
		status = verb_names(v, argc, argv, optind);
	if (status != STATUS_DONE)
		return status;
	if (observe_once(&s, &e) < 0 || netmap_read(&s, NETWATCH_MAP, &m, &e) < 0)
		return verb_fail(&e);
	report.machines = json ? json_array() : NULL;
	for (int i = optind; i < argc; i++)
		report_one(&report, &s, argv[i], &m);
	status = json ? show_json(json_pack("{s:i, s:o}", "schema", 1, "machines", report.machines))
	              : verb_print_buf(&report.text);
	buf_done(&report.text);
	return status != STATUS_DONE ? status : report.status;
}

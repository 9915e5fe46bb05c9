/* The evidence: why a machine is not well, and what that was concluded from. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "ui/units.h"
#include "ui/view_tab.h"

#define LINES_SHOWN 200

static const struct {
	const char *cause, *advice;
} advices[] = {
	{ "bad-conf", "6 shows the line; correct it, and s starts it" },
	{ "oom-kill", "give it more with MemoryMax= (systemctl edit), or find what grew (2: logs)" },
	{ "start-limit", "F forgets that it failed, then s starts it; 2 shows what it said" },
	{ "masked", "systemctl unmask, when that was not meant" },
	{ "missing-source", "make what is to be bound into it, or take the line out (6: config)" },
	{ "missing-tree", "its tree has to be there before it starts (7: plan)" },
	{ "missing-bridge", "create the bridge, or change HOST_BRIDGE (e); then s starts it" },
	{ "missing-link", "the host has no such link now: e changes what it takes" },
	{ "bad-payload", "its init is looked for in its tree (7: plan)" },
	{ "port-clash", "4 shows who has the port: stop that one, or take another port" },
	{ "address-clash", "give one of the two another address (6: config)" },
	{ "name-taken", "end the other machine of that name first" },
	{ "ghost", "R restarts systemd's view of it; or: systemctl restart systemd-machined" },
	{ "guest-timeout", "2 shows where its boot hangs; TIMEOUT_START_SEC= gives it more time" },
	{ "guest-waits", "it still starts: 2 follows it" },
	{ "guest-unit", "! is a shell in it: systemctl --failed" },
	{ "machined-hung", "systemctl restart systemd-machined" },
	{ "machined-masked", "systemctl unmask systemd-machined" },
	{ "disk-full", "free some room, and s starts it" },
};

static void ending(const struct tab_source *t, const char *label, int code, int status)
{
	const char *name = code == CLD_EXITED ? NULL : sigabbrev_np(status);

	if (code == CLD_EXITED)
		doc_fact(t->d, label, status ? STYLE_BAD : STYLE_TEXT, "exit status %d", status);
	else if (code != 0)
		doc_fact(t->d, label, STYLE_BAD, "killed by signal %d (%s)%s", status, name ? name : "?",
		         code == CLD_DUMPED ? ", dumped core" : "");
}

static void limit(const struct tab_source *t, const char *label, uint64_t usec)
{
	char text[UNITS_SIZE];

	if (usec == 0 || usec == UINT64_MAX)
		return;
	units_span_long(usec, text);
	doc_fact(t->d, label, STYLE_TEXT, "%s", text);
}

static void text_fact(const struct tab_source *t, const char *label, const char *text)
{
	if (text && *text)
		doc_fact(t->d, label, STYLE_TEXT, "%s", text);
}

static void properties(const struct tab_source *t, const struct why_facts *f)
{
	doc_head(t->d, "%s", f->unit ? f->unit : "its unit");
	doc_fact(t->d, "result", f->result && strcmp(f->result, "success") != 0 ? STYLE_BAD : STYLE_TEXT,
	         "%s", f->result ? f->result : "not known");
	if (f->result)
		doc_add(t->d, STYLE_TEXT, "  restarts %u", f->n_restarts);
	if (f->load && strcmp(f->load, "loaded") != 0)
		doc_fact(t->d, "load", STYLE_BAD, "%s", f->load);
	if (f->failed_phase) {
		doc_fact(t->d, "step", STYLE_BAD, "%s failed", f->failed_phase);
		ending(t, "it ended", f->failed_code, f->failed_status);
	}
	ending(t, "main ended", f->main_code, f->main_status);
	if (f->main_pid)
		doc_fact(t->d, "main pid", STYLE_TEXT, "%d", (int)f->main_pid);
	text_fact(t, "needs", f->failed_dependency);
	text_fact(t, "it says", f->status_text);
	if (f->state_usec)
		doc_fact(t->d, "since", STYLE_TEXT, "%s", tab_time(t, f->state_usec));
	limit(t, "start max", f->start_timeout_usec);
	limit(t, "stop max", f->stop_timeout_usec);
	if (f->memory_max != 0 && f->memory_max != UINT64_MAX)
		doc_fact(t->d, "memory max", STYLE_TEXT, "%s", tab_bytes(t, f->memory_max));
	text_fact(t, "invocation", f->invocation);
}

static void journal(const struct tab_source *t, const struct look_unit *u)
{
	doc_head(t->d, "its journal then");
	tab_log(t, &u->lines, LINES_SHOWN);
	if (u->no_log)
		doc_line(t->d, STYLE_DIM, "%s", u->no_log);
	else if (u->lines.n == 0)
		doc_line(t->d, STYLE_DIM, "its last run did not fail: 2 shows its logs");
}

static void advice(const struct tab_source *t, const char *cause, const struct why_facts *f)
{
	doc_head(t->d, "what to do");
	for (size_t i = 0; cause && i < COUNT(advices); i++)
		if (strcmp(advices[i].cause, cause) == 0)
			doc_line(t->d, STYLE_STRONG, "%s", advices[i].advice);
	if (f && f->invocation && *f->invocation)
		doc_line(t->d, STYLE_TEXT, "journalctl _SYSTEMD_INVOCATION_ID=%s + INVOCATION_ID=%s",
		         f->invocation, f->invocation);
	if (t->m->unit)
		doc_line(t->d, STYLE_TEXT, "systemctl status %s", t->m->unit);
	if (t->m->configured)
		doc_line(t->d, STYLE_TEXT, "machdeck status %s", t->m->name);
}

void view_why(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d)
{
	const struct look_unit *u = NULL;
	struct tab_source t;

	if (!tab_fill(a, w, now_usec, v, d, &t)) {
		doc_line(d, STYLE_DIM, "there is no machine here");
		return;
	}
	if (t.look && t.look->known & LOOK_UNIT)
		u = &t.look->unit;
	tab_state(&t);
	if (t.m->reason)
		doc_fact(d, "because", STYLE_BAD, "%s", t.m->reason);
	else if (u && u->sentence[0])
		doc_fact(d, "because", STYLE_BAD, "%s", u->sentence);
	else
		doc_fact(d, "because", STYLE_DIM, "nothing is wrong with it that is known");
	if (t.m->cause || (u && u->cause))
		doc_add(d, STYLE_DIM, "  [%s]", t.m->cause ? t.m->cause : u->cause);
	if (w->s->closed && t.m->state == MACHINE_RUNNING)
		doc_fact(d, "not seen", STYLE_DIM, "failed units inside: that takes root");
	for (size_t i = 0; i < t.m->guest_failed.n; i++)
		doc_fact(d, i == 0 ? "failed" : "", STYLE_BAD, "%s", t.m->guest_failed.v[i]);
	if (u && u->problem)
		doc_line(d, STYLE_BAD, "%s", u->problem);
	else if (!tab_waits(&t, LOOK_UNIT) && u) {
		properties(&t, &u->facts);
		journal(&t, u);
	}
	advice(&t, t.m->cause ? t.m->cause : u ? u->cause : NULL, u && !u->problem ? &u->facts : NULL);
}

#include "engine/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "drivers/journal.h"

#define LINES 30

struct why {
	sd_event *loop;
	char *name, *unit;
	why_done_fn *done;
	void *arg;
	sd_bus_slot *asked;
	struct journal_tail *tail;
	struct why_answer answer;
	struct strs texts; /* what the facts point to */
};

void why_cancel(struct why *w)
{
	if (!w)
		return;
	sd_bus_slot_unref(w->asked);
	journal_tail_cancel(w->tail);
	strs_done(&w->texts);
	free(w->name);
	free(w->unit);
	free(w);
}

static void finish(struct why *w, int r, const struct err *e)
{
	w->done(r, &w->answer, e, w->arg);
	why_cancel(w);
}

static void on_lines(int r, const struct loglines *lines, const struct err *e, void *arg)
{
	struct why *w = arg;

	w->tail = NULL;
	w->answer.facts.lines = lines;
	w->answer.no_log = r < 0 ? e : NULL;
	finish(w, 0, NULL);
}

static const char *keep(struct why *w, const char *text)
{
	if (!text)
		return NULL;
	strs_add(&w->texts, text);
	return w->texts.bad ? NULL : w->texts.v[w->texts.n - 1];
}

static void take_unit(struct why *w, const struct unit *u)
{
	struct why_facts *f = &w->answer.facts;

	if (u->has_state) {
		f->state = machine_state_of_unit(u->active ? u->active : "", u->sub ? u->sub : "");
		f->load = keep(w, u->load);
		f->state_usec = u->state_usec;
		f->active_usec = u->active_usec;
	}
	if (u->has_service) {
		f->result = keep(w, u->result);
		f->status_text = keep(w, u->status_text);
		f->failed_phase = keep(w, u->failed_phase);
		f->main_code = u->main_code;
		f->main_status = u->main_status;
		f->failed_code = u->failed_code;
		f->failed_status = u->failed_status;
		f->n_restarts = u->n_restarts;
		f->start_timeout_usec = u->start_timeout_usec;
		f->stop_timeout_usec = u->stop_timeout_usec;
		f->main_pid = u->main_pid;
		f->memory_max = u->memory_max;
	}
}

static void on_unit(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct why *w = arg;
	struct err no_log;

	w->asked = sd_bus_slot_unref(w->asked);
	if (r < 0) {
		finish(w, r, e);
		return;
	}
	take_unit(w, u);
	/* A phase that failed while it runs is its last reload. */
	if (!w->loop || !u->has_service || !u->result ||
	    (!u->failed_phase &&
	     (strcmp(u->result, "success") == 0 || w->answer.facts.state == MACHINE_RUNNING))) {
		finish(w, 0, NULL);
		return;
	}
	if (journal_tail(w->loop, w->unit, u->invocation, LINES, on_lines, w, &w->tail, &no_log) < 0) {
		w->answer.no_log = &no_log;
		finish(w, 0, NULL);
	}
}

int why_ask(sd_event *loop, struct units *u, const char *name, const char *unit, why_done_fn *done, void *arg,
            struct why **ret, struct err *e)
{
	struct why *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_no_memory(e);
	w->loop = loop;
	w->name = strdup(name);
	w->unit = strdup(unit);
	w->done = done;
	w->arg = arg;
	w->answer.facts.name = w->name;
	w->answer.facts.unit = w->unit;
	r = w->name && w->unit ? units_get(u, unit, on_unit, w, &w->asked, e) : err_no_memory(e);
	if (r < 0) {
		why_cancel(w);
		return r;
	}
	*ret = w;
	return 0;
}

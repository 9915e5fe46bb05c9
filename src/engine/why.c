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
	struct units *units;
	char *name, *unit;
	why_done_fn *done;
	void *arg;
	sd_bus_slot *asked;
	struct journal_tail *tail;
	struct why_answer answer;
	bool stopped;      /* and nothing failed: then it may be that it never got to start */
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
	w->answer.no_log = r < 0 && !w->stopped ? e : NULL;
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
		f->invocation = keep(w, u->invocation);
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

static void ask_log(struct why *w, const char *invocation)
{
	struct err no_log;

	if (journal_tail(w->loop, w->unit, invocation, LINES, on_lines, w, &w->tail, &no_log) >= 0)
		return;
	w->answer.no_log = &no_log;
	finish(w, 0, NULL);
}

static bool is_word(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

static void on_requires(int r, const struct unit *v, size_t n, const struct err *e, void *arg)
{
	struct why *w = arg;
	const char **failed = &w->answer.facts.failed_dependency;

	(void)e;
	w->asked = sd_bus_slot_unref(w->asked);
	for (size_t i = 0; r >= 0 && i < n && !*failed; i++)
		if (is_word(v[i].active, "failed") || is_word(v[i].load, "not-found") ||
		    is_word(v[i].load, "masked"))
			*failed = keep(w, v[i].name);
	ask_log(w, NULL);
}

static void ask_requires(struct why *w, const struct unit *u)
{
	CLEANUP(strs_done) struct strs names = { 0 };

	for (size_t i = 0; i < u->n_requires; i++)
		strs_add(&names, u->requires[i]);
	if (names.bad || units_named(w->units, names.v, names.n, on_requires, w, &w->asked, NULL) < 0)
		ask_log(w, NULL);
}

static void on_unit(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct why *w = arg;

	w->asked = sd_bus_slot_unref(w->asked);
	if (r < 0) {
		finish(w, r, e);
		return;
	}
	take_unit(w, u);
	w->stopped = w->loop && w->answer.facts.state == MACHINE_STOPPED && is_word(u->result, "success") &&
	             !u->failed_phase;
	if (w->stopped) {
		ask_requires(w, u);
		return;
	}
	/* A phase that failed while it runs is its last reload. */
	if (!w->loop || !u->has_service || !u->result ||
	    (!u->failed_phase &&
	     (strcmp(u->result, "success") == 0 || w->answer.facts.state == MACHINE_RUNNING))) {
		finish(w, 0, NULL);
		return;
	}
	ask_log(w, u->invocation);
}

int why_ask(sd_event *loop, struct units *u, const char *name, const char *unit, why_done_fn *done, void *arg,
            struct why **ret, struct err *e)
{
	struct why *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_no_memory(e);
	w->loop = loop;
	w->units = u;
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

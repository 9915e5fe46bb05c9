/* A job from the answer that took it on to its end, over lost connections too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "decide/ending.h"
#include "drivers/machined.h"
#include "engine/control_private.h"
#include "engine/start.h"

#define SLACK (30 * CONTROL_SECOND)

static bool is(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

static bool is_kill(const struct control *c)
{
	return *c->step == STEP_KILL || *c->step == STEP_KILL_ALL;
}

/* ---- what is killed */

static void on_killed(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)job;
	c->kill_slot = sd_bus_slot_unref(c->kill_slot);
	if (r < 0 && r != -ECONNRESET)
		control_finish(c, r, e);
}

static void kill_now(struct control *c)
{
	struct err e;
	int r;

	c->kill_slot = sd_bus_slot_unref(c->kill_slot);
	r = units_kill(control_units(), c->unit, on_killed, c, &c->kill_slot, &e);
	if (r < 0 && r != -ENOTCONN)
		control_finish(c, r, &e);
}

void control_free_export(const struct control *c)
{
	struct registration m = { 0 };
	int r = machined_find("", c->name, &m, NULL);

	if (r == -ENOENT || (r == 0 && m.unit && strcmp(m.unit, c->unit) == 0))
		(void)start_free_export(c->name, NULL);
	registration_done(&m);
}

void control_learn(struct control *c, const struct unit *u)
{
	if (u->start_timeout_usec || u->stop_timeout_usec) {
		c->start_limit_usec = u->start_timeout_usec;
		c->stop_limit_usec = u->stop_timeout_usec;
	}
	if (!u->has_state || !u->sub)
		return;
	if (strcmp(u->sub, c->sub) != 0) {
		(void)snprintf(c->sub, sizeof(c->sub), "%s", u->sub);
		c->since_usec = clock_usec(CLOCK_MONOTONIC);
	}
	/* In the same phase too: its next command may be what hangs. */
	if (c->job && *c->step == STEP_KILL_ALL && is(u->active, "deactivating"))
		kill_now(c);
}

/* ---- its end */

static void on_why(int r, struct why_answer *answer, const struct err *e, void *arg)
{
	const struct why_facts *f = r < 0 ? NULL : &answer->facts;
	struct control *c = arg;
	struct err why;

	(void)e;
	c->why = NULL;
	/* A unit that had failed long before is merely still stopped. */
	if (is(c->result, "done") && (!f || f->state != MACHINE_FAILED || f->state_usec < c->began_usec)) {
		control_finish(c, 0, NULL);
		return;
	}
	r = ending_explain(control_word(c->verb), c->name, c->result, f, &why);
	for (size_t i = 0; f && f->lines && i < f->lines->n; i++)
		if (c->verb == CONTROL_START || f->lines->v[i].usec >= c->began_usec)
			loglines_add(&c->lines, f->lines->v[i].usec, f->lines->v[i].from_systemd,
			             f->lines->v[i].text);
	control_finish(c, r, &why);
}

static void ask_why(struct control *c)
{
	struct err e;
	int r;

	r = why_ask(sd_event_source_get_event(c->end), control_units(), c->name, c->unit, on_why, c, &c->why,
	            &e);
	if (r < 0)
		on_why(r, NULL, &e, c);
}

static bool is_stop(const struct control *c)
{
	return *c->step == STEP_STOP || is_kill(c);
}

static void stop(struct control *c)
{
	struct err e;
	int r = units_job(control_units(), UNITS_STOP, c->unit, control_on_job, c, &c->slot, &e);

	if (r < 0)
		control_finish(c, r, &e);
}

/* What became of a job that was to be taken back. */
static void cancelled(struct control *c, const char *result)
{
	bool was_start = *c->step == STEP_START;
	struct err e;
	int r;

	if (is(result, "done") && c->step[1] == STEP_END && !c->undone) {
		control_finish(c, 0, NULL); /* it was quicker */
		return;
	}
	/* Without its job a unit goes on starting. */
	if (was_start) {
		static const enum step stopping[] = { STEP_STOP, STEP_END };

		c->undone = true;
		c->step = stopping;
		stop(c);
		return;
	}
	if (c->undone || (c->verb == CONTROL_RESTART && is(result, "done")))
		r = err_set(&e, STATUS_FAILED, ECANCELED, "%s: the %s was cancelled; it is stopped", c->name,
		            control_word(c->verb));
	else
		r = err_set(&e, STATUS_FAILED, ECANCELED,
		            "%s: the %s was cancelled; what it had begun goes on by itself", c->name,
		            control_word(c->verb));
	control_finish(c, r, &e);
}

static void on_thawed(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)job;
	control_forget_question(c);
	if (c->cancelled)
		cancelled(c, "canceled");
	else if (r < 0)
		control_finish(c, r, e);
	else
		stop(c);
}

static void thaw(struct control *c)
{
	struct err e;
	int r = units_freeze(control_units(), c->unit, false, on_thawed, c, &c->slot, &e);

	c->thawed = true;
	if (r < 0)
		control_finish(c, r, &e);
}

void control_job_ended(struct control *c, const char *result)
{
	struct err e;

	free(take_p(&c->job));
	(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF); /* what comes next has limits of its own */
	control_forget_question(c);
	if (c->cancelled) {
		cancelled(c, result);
		return;
	}
	if (is(result, "done") && c->verb != CONTROL_STOP) {
		control_next_step(c);
		return;
	}
	/* Up to 255 systemd thawed what it stopped. */
	if (is(result, "frozen") && is_stop(c) && !c->thawed) {
		thaw(c);
		return;
	}
	c->result = strdup(result);
	if (c->result)
		ask_why(c);
	else
		control_finish(c, err_no_memory(&e), &e);
}

/* ---- how long */

/* A question about a job that goes on. When the connection is lost, on_down comes next. */
static void unanswered(struct control *c, int r, const struct err *e)
{
	if (r != -ECONNRESET)
		control_finish(c, r, e);
}

/* How long we follow a job. systemd allows each of its phases its time-out; there are at most three on each
 * way. */
static void await_job(struct control *c)
{
	if (!c->stop_limit_usec)
		control_wait_at_most(c, CONTROL_SECOND); /* then they are asked for */
	else if (c->start_limit_usec == UINT64_MAX || c->stop_limit_usec == UINT64_MAX)
		(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	else
		control_wait_at_most(c, 3 * (c->start_limit_usec + c->stop_limit_usec) + SLACK);
}

static void on_recheck(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct control *c = arg;
	bool as_wished;

	if (r < 0) {
		unanswered(c, r, e);
		return;
	}
	control_learn(c, u);
	if (u->job) {
		free(c->job);
		c->job = strdup(u->job);
		control_forget_question(c);
		await_job(c);
		return;
	}
	if (is_stop(c))
		as_wished = is(u->active, "inactive") || is(u->active, "failed");
	else
		as_wished = is(u->active, "active");
	control_job_ended(c, as_wished ? "done" : "failed");
}

void control_recheck(struct control *c)
{
	struct err e;
	int r;

	control_forget_question(c);
	r = units_get(control_units(), c->unit, on_recheck, c, &c->slot, &e);
	if (r < 0)
		control_finish(c, r, &e);
}

static void on_limits(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct control *c = arg;

	if (r >= 0) {
		control_forget_question(c);
		control_learn(c, u);
		c->stop_limit_usec = c->stop_limit_usec ? c->stop_limit_usec : UINT64_MAX;
		await_job(c);
	} else {
		unanswered(c, r, e);
	}
}

/* A job that takes longer than a second: learn how long systemd waits for it, for people and for our own
 * deadline. */
void control_too_long(struct control *c)
{
	struct err e;
	int r;

	if (!c->stop_limit_usec) {
		control_forget_question(c);
		r = units_get(control_units(), c->unit, on_limits, c, &c->slot, &e);
		if (r < 0)
			control_finish(c, r, &e);
		return;
	}
	(void)err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "%s: systemd does not tell how its job ended; it is %s",
	              c->name, c->sub[0] ? c->sub : "in no state that is known");
	control_finish(c, -ETIMEDOUT, &e);
}

/* ---- its beginning */

static void on_taken_back(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)job, (void)e;
	c->cancel_slot = sd_bus_slot_unref(c->cancel_slot);
	if (r < 0)
		c->cancelled = false; /* it goes on, and its end is told as ever */
}

static void take_back(struct control *c)
{
	struct err e;

	if (units_cancel_job(control_units(), c->job, on_taken_back, c, &c->cancel_slot, &e) < 0)
		c->cancelled = false;
}

void control_on_job(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;
	struct err own;

	control_forget_question(c);
	if (r >= 0 && !(c->job = strdup(job ? job : "")))
		r = err_no_memory(&own), e = &own;
	if (r < 0) {
		control_finish(c, r, e);
		return;
	}
	await_job(c);
	/* The stop comes first: a unit that is being stopped is not restarted when it dies. */
	if (is_kill(c))
		kill_now(c);
	else if (c->cancelled && *c->step == STEP_START)
		take_back(c);
}

void control_cancel_job(struct control *c)
{
	struct err e;

	if (c->cancelled)
		return;
	c->cancelled = true;
	if (c->job) {
		take_back(c);
	} else if (!c->begun || c->watch || c->machined || c->aside) {
		control_finish(
			c,
			err_set(&e, STATUS_FAILED, ECANCELED,
		                c->begun ? "%s: the %s was cancelled; what it had begun goes on by itself"
		                         : "%s: the %s was cancelled before it began",
		                c->name, control_word(c->verb)),
			&e);
	} /* else systemd was asked just now: its answer comes first */
}

/* Each control walks through the steps of its verb. One connection to systemd serves them all, since systemd
 * tells every root connection about every unit; it lives as long as there is one. A call-back is made from a
 * defer source of its own, so that nothing is freed while an event of the connection is handed around. */
#include "engine/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "decide/ending.h"
#include "drivers/folder.h"
#include "drivers/machined.h"
#include "drivers/units.h"
#include "engine/target.h"
#include "engine/why.h"
#include "words/name.h"

#define SECOND       1000000ULL
#define BUS_LIMIT    (10 * SECOND) /* for a lost connection to come back */
#define FORGET_LIMIT (3 * SECOND)  /* for systemd-machined to forget a machine */
#define SLACK        (30 * SECOND)

enum step { STEP_END, STEP_START, STEP_STOP, STEP_RELOAD, STEP_KILL, STEP_FORGOTTEN, STEP_FORGIVE };

/* Who asks for a start wants it tried, however often systemd has tried by itself before. */
static const enum step steps[][5] = {
	[CONTROL_START] = { STEP_FORGIVE, STEP_START },
	[CONTROL_STOP] = { STEP_STOP },
	[CONTROL_RESTART] = { STEP_STOP, STEP_FORGOTTEN, STEP_FORGIVE, STEP_START },
	[CONTROL_RELOAD] = { STEP_RELOAD },
	[CONTROL_TERMINATE] = { STEP_KILL, STEP_FORGIVE },
};

static const char *const verb_words[] = {
	[CONTROL_START] = "start",   [CONTROL_STOP] = "stop",           [CONTROL_RESTART] = "restart",
	[CONTROL_RELOAD] = "reload", [CONTROL_TERMINATE] = "terminate",
};

struct control {
	struct control *next;
	enum control_verb verb;
	char name[NAME_MACHINE_MAX + 1];
	char *unit;
	control_done_fn *done;
	void *arg;
	const enum step *step;
	bool begun;   /* its first step was taken */
	char *job;    /* whose end is waited for; NULL: none */
	char *result; /* the ended job's, while the unit is asked why */
	char sub[32];
	uint64_t began_usec; /* CLOCK_REALTIME */
	uint64_t since_usec, start_limit_usec, stop_limit_usec;
	sd_bus_slot *slot; /* the one question that is open */
	struct why *why;
	struct loglines lines; /* of the run that failed; but for a start, only since it was asked for */
	struct folder_watch *watch;
	sd_event_source *timer, *end;
	int r;
	struct err e;
};

static struct {
	struct units *units;
	bool up;
	struct control *first;
} hub;

static void step_now(struct control *c);

static uint64_t now_usec(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec / 1000;
}

static void forget_question(struct control *c)
{
	c->slot = sd_bus_slot_unref(c->slot);
}

static void control_free(struct control *c)
{
	for (struct control **p = &hub.first; *p; p = &(*p)->next) {
		if (*p != c)
			continue;
		*p = c->next;
		break;
	}
	forget_question(c);
	why_cancel(c->why);
	loglines_done(&c->lines);
	folder_watch_free(c->watch);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->end);
	free(c->unit);
	free(c->job);
	free(c->result);
	free(c);
	if (hub.first)
		return;
	units_free(hub.units);
	hub.units = NULL;
	hub.up = false;
}

/* finish - the outcome is known; done is called in the loop's next turn. */
static void finish(struct control *c, int r, const struct err *e)
{
	forget_question(c);
	free(take_p(&c->job));
	c->r = r;
	if (r < 0)
		c->e = *e;
	(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(c->end, SD_EVENT_ONESHOT);
}

static bool is_finished(const struct control *c)
{
	int enabled;

	return sd_event_source_get_enabled(c->end, &enabled) >= 0 && enabled != SD_EVENT_OFF;
}

static int on_end(sd_event_source *s, void *arg)
{
	struct control *c = arg;

	(void)s;
	c->done(c->r, c->r < 0 ? &c->e : NULL, c->arg);
	control_free(c);
	return 0;
}

static void wait_at_most(struct control *c, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(c->timer, usec);
	(void)sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

static void learn(struct control *c, const struct unit *u)
{
	if (u->has_state && u->sub && strcmp(u->sub, c->sub) != 0) {
		(void)snprintf(c->sub, sizeof(c->sub), "%s", u->sub);
		c->since_usec = now_usec(CLOCK_MONOTONIC);
	}
	if (u->start_timeout_usec || u->stop_timeout_usec) {
		c->start_limit_usec = u->start_timeout_usec;
		c->stop_limit_usec = u->stop_timeout_usec;
	}
}

static void next_step(struct control *c)
{
	forget_question(c);
	c->step++;
	step_now(c);
}

/* ---- the end of a job */

static void on_why(int r, struct why_answer *answer, const struct err *e, void *arg)
{
	const struct why_facts *f = r < 0 ? NULL : &answer->facts;
	struct control *c = arg;
	struct err why;

	(void)e;
	c->why = NULL;
	/* A unit that had failed long before is merely still stopped. */
	if (strcmp(c->result, "done") == 0 &&
	    (!f || f->state != MACHINE_FAILED || f->state_usec < c->began_usec)) {
		finish(c, 0, NULL);
		return;
	}
	r = ending_explain(verb_words[c->verb], c->name, c->result, f, &why);
	for (size_t i = 0; f && f->lines && i < f->lines->n; i++)
		if (c->verb == CONTROL_START || f->lines->v[i].usec >= c->began_usec)
			loglines_add(&c->lines, f->lines->v[i].usec, f->lines->v[i].from_systemd,
			             f->lines->v[i].text);
	finish(c, r, &why);
}

static void ask_why(struct control *c)
{
	struct err e;
	int r;

	r = why_ask(sd_event_source_get_event(c->end), hub.units, c->name, c->unit, on_why, c, &c->why, &e);
	if (r < 0)
		on_why(r, NULL, &e, c);
}

static void job_ended(struct control *c, const char *result)
{
	struct err e;

	free(take_p(&c->job));
	forget_question(c);
	if (strcmp(result, "done") == 0 && c->verb != CONTROL_STOP) {
		next_step(c);
		return;
	}
	c->result = strdup(result);
	if (c->result)
		ask_why(c);
	else
		finish(c, err_no_memory(&e), &e);
}

/* A question about a job that goes on. When the connection is lost, on_down comes next. */
static void unanswered(struct control *c, int r, const struct err *e)
{
	if (r != -ECONNRESET)
		finish(c, r, e);
}

static bool is(const char *word, const char *value)
{
	return word && strcmp(word, value) == 0;
}

/* How long we follow a job. systemd allows each of its phases its time-out; there are at most three on each
 * way. */
static void await_job(struct control *c)
{
	if (!c->stop_limit_usec)
		wait_at_most(c, SECOND); /* then they are asked for */
	else if (c->start_limit_usec == UINT64_MAX || c->stop_limit_usec == UINT64_MAX)
		(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	else
		wait_at_most(c, 3 * (c->start_limit_usec + c->stop_limit_usec) + SLACK);
}

/* The connection was lost meanwhile and the job's end may have passed unheard. */
static void on_recheck(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct control *c = arg;
	bool as_wished;

	if (r < 0) {
		unanswered(c, r, e);
		return;
	}
	learn(c, u);
	if (u->job) {
		free(c->job);
		c->job = strdup(u->job);
		forget_question(c);
		await_job(c);
		return;
	}
	if (*c->step == STEP_STOP || *c->step == STEP_KILL)
		as_wished = is(u->active, "inactive") || is(u->active, "failed");
	else
		as_wished = is(u->active, "active");
	job_ended(c, as_wished ? "done" : "failed");
}

static void on_limits(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct control *c = arg;

	if (r >= 0) {
		forget_question(c);
		learn(c, u);
		c->stop_limit_usec = c->stop_limit_usec ? c->stop_limit_usec : UINT64_MAX;
		await_job(c);
	} else {
		unanswered(c, r, e);
	}
}

/* A job that takes longer than a second: learn how long systemd waits for it, for people and for our own
 * deadline. */
static void too_long(struct control *c)
{
	struct err e;
	int r;

	if (!c->stop_limit_usec) {
		forget_question(c);
		r = units_get(hub.units, c->unit, on_limits, c, &c->slot, &e);
		if (r < 0)
			finish(c, r, &e);
		return;
	}
	(void)err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "%s: systemd does not tell how its job ended; it is %s",
	              c->name, c->sub[0] ? c->sub : "in no state that is known");
	finish(c, -ETIMEDOUT, &e);
}

static int on_timer(sd_event_source *s, uint64_t now, void *arg)
{
	struct control *c = arg;
	struct err e;

	(void)s, (void)now;
	if (c->watch) {
		/* A systemd-machined that hangs must not keep anything from starting. */
		folder_watch_free(take_p(&c->watch));
		next_step(c);
	} else if (c->job && hub.up) {
		too_long(c);
	} else {
		finish(c, err_set(&e, STATUS_UNAVAILABLE, ETIMEDOUT, "%s: systemd is out of reach", c->name),
		       &e);
	}
	return 0;
}

/* ---- the steps */

static void on_killed(int r, const char *job, const struct err *e, void *arg)
{
	(void)job;
	if (r < 0)
		finish(arg, r, e);
}

static void on_job(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;
	struct err own;

	forget_question(c);
	if (r >= 0 && !(c->job = strdup(job ? job : "")))
		r = err_no_memory(&own), e = &own;
	/* The stop comes first: a unit that is being stopped is not restarted when it dies. */
	if (r >= 0 && *c->step == STEP_KILL) {
		r = units_kill(hub.units, c->unit, on_killed, c, &c->slot, &own);
		e = &own;
	}
	if (r < 0)
		finish(c, r, e);
	else
		await_job(c);
}

static void on_forgiven(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)job;
	forget_question(c);
	if (r < 0 && c->verb == CONTROL_TERMINATE)
		finish(c, r, e);
	else
		next_step(c); /* what is wrong with systemd the start says better */
}

static bool is_forgotten(const char *name)
{
	struct registration m = { 0 };
	int r = machined_find("", name, &m, NULL);

	registration_done(&m);
	return r == -ENOENT;
}

static void on_machines(void *arg)
{
	struct control *c = arg;

	if (!c->watch || !is_forgotten(c->name))
		return;
	folder_watch_free(take_p(&c->watch));
	next_step(c);
}

static int wait_forgotten(struct control *c, struct err *e)
{
	int r;

	if (is_forgotten(c->name)) { /* as on a host where no machine ever ran: there is no folder to watch */
		next_step(c);
		return 0;
	}
	r = folder_watch_new(sd_event_source_get_event(c->end), MACHINED_FOLDER, on_machines, c, &c->watch,
	                     e);
	if (r < 0)
		return r;
	wait_at_most(c, FORGET_LIMIT);
	on_machines(c);
	return 0;
}

static void step_now(struct control *c)
{
	struct err e;
	int r = 0;

	c->begun = true;
	switch (*c->step) {
	case STEP_END:
		finish(c, 0, NULL);
		break;
	case STEP_START:
		r = units_job(hub.units, UNITS_START, c->unit, on_job, c, &c->slot, &e);
		break;
	case STEP_STOP:
	case STEP_KILL:
		r = units_job(hub.units, UNITS_STOP, c->unit, on_job, c, &c->slot, &e);
		break;
	case STEP_RELOAD:
		r = units_job(hub.units, UNITS_RELOAD, c->unit, on_job, c, &c->slot, &e);
		break;
	case STEP_FORGOTTEN:
		r = wait_forgotten(c, &e);
		break;
	case STEP_FORGIVE:
		r = units_forgive(hub.units, c->unit, on_forgiven, c, &c->slot, &e);
		break;
	}
	if (r < 0)
		finish(c, r, &e);
}

/* ---- the connection */

static void on_up(struct control *c)
{
	struct err e;
	int r;

	if (!c->begun) {
		(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
		step_now(c);
	} else if (c->job) {
		forget_question(c);
		r = units_get(hub.units, c->unit, on_recheck, c, &c->slot, &e);
		if (r < 0)
			finish(c, r, &e);
	}
}

static void on_down(struct control *c, const struct err *e)
{
	if (!c->begun)
		finish(c, -ENOTCONN, e);
	else if (c->job)
		wait_at_most(c, BUS_LIMIT);
}

static void on_units(const struct units_event *event, void *arg)
{
	(void)arg;
	if (event->change == UNITS_UP || event->change == UNITS_DOWN)
		hub.up = event->change == UNITS_UP;
	for (struct control *c = hub.first; c; c = c->next) {
		if (is_finished(c))
			continue;
		if (event->change == UNITS_UP)
			on_up(c);
		else if (event->change == UNITS_DOWN)
			on_down(c, event->e);
		else if (event->change == UNITS_STATE && strcmp(event->unit->name, c->unit) == 0)
			learn(c, event->unit);
		else if (event->change == UNITS_JOB_REMOVED && c->job &&
		         strcmp(event->unit->job, c->job) == 0)
			job_ended(c, event->result);
	}
}

/* ---- the face */

int control_begin(sd_event *loop, enum control_verb verb, const char *name, control_done_fn *done, void *arg,
                  struct control **ret, struct err *e)
{
	CLEANUP(free_p) char *unit = NULL;
	struct control *c;
	int r = target_find(name, verb == CONTROL_START, &unit, e);

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_no_memory(e);
	*c = (struct control){
		.verb = verb, .done = done, .arg = arg, .step = steps[verb], .next = hub.first
	};
	hub.first = c;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	c->unit = take_p(&unit);
	c->began_usec = now_usec(CLOCK_REALTIME);
	c->since_usec = now_usec(CLOCK_MONOTONIC);
	r = sd_event_add_defer(loop, &c->end, on_end, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->end, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &c->timer, CLOCK_MONOTONIC, BUS_LIMIT, 1000, on_timer,
		                               c);
	if (r < 0)
		(void)err_sys(e, -r, "%s: cannot wait for systemd", name);
	if (r >= 0 && !hub.units)
		r = units_new(loop, on_units, NULL, &hub.units, e);
	if (r < 0) {
		control_free(c);
		return r;
	}
	if (hub.up)
		on_up(c);
	*ret = c;
	return 0;
}

void control_cancel(struct control *c)
{
	if (c)
		control_free(c);
}

static const char *waits_for(const struct control *c)
{
	static const struct {
		const char *sub, *what;
	} subs[] = {
		{ "start-pre", "it is prepared" },
		{ "start", "its guest boots" },
		{ "start-post", "its network is checked" },
		{ "reload", "the changes are applied" },
		{ "stop", "its guest shuts down" },
		{ "stop-sigterm", "its guest shuts down" },
		{ "stop-sigkill", "its processes are killed" },
		{ "final-sigterm", "its last processes end" },
		{ "final-sigkill", "its last processes are killed" },
		{ "stop-post", "it is tidied up" },
		{ "auto-restart", "its automatic restart" },
	};

	if (!c->begun || !hub.up)
		return "systemd";
	if (c->watch)
		return "systemd-machined to forget it";
	for (size_t i = 0; i < COUNT(subs); i++)
		if (strcmp(c->sub, subs[i].sub) == 0)
			return subs[i].what;
	return c->job ? "what comes before it" : "systemd";
}

void control_look(const struct control *c, struct control_look *ret)
{
	bool stops = strncmp(c->sub, "stop", 4) == 0 || strncmp(c->sub, "final", 5) == 0;
	uint64_t limit = stops ? c->stop_limit_usec : c->start_limit_usec;

	*ret = (struct control_look){
		.waits_for = waits_for(c),
		.since_usec = c->since_usec,
		.limit_usec = limit == UINT64_MAX ? 0 : limit,
		.unit = c->unit,
		.lines = &c->lines,
	};
}

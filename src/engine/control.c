/* Each control walks through the steps of its verb. One connection to systemd serves them all, since systemd
 * tells every root connection about every unit; it lives as long as there is one. A call-back is made from a
 * defer source of its own, so that nothing is freed while an event of the connection is handed around. */
#include "engine/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gate.h"
#include "drivers/machined.h"
#include "engine/autostart.h"
#include "engine/control_private.h"
#include "engine/mend.h"

#define BUS_LIMIT    (10 * CONTROL_SECOND) /* for a lost connection to come back */
#define FORGET_LIMIT (3 * CONTROL_SECOND)  /* for systemd-machined to forget a machine */
#define VANISH_LIMIT (90 * CONTROL_SECOND) /* ... whose unit it was asked to end */
#define MEND_LIMIT   (20 * CONTROL_SECOND)
#define SAVE_LIMIT   (20 * CONTROL_SECOND) /* for a conf to be on the disk */

/* Who asks for a start wants it tried, however often systemd has tried by itself before. */
static const enum step unit_steps[CONTROL_VERBS][5] = {
	[CONTROL_START] = { STEP_FORGIVE, STEP_START },
	[CONTROL_STOP] = { STEP_STOP },
	[CONTROL_RESTART] = { STEP_STOP, STEP_FORGOTTEN, STEP_FORGIVE, STEP_START },
	[CONTROL_RELOAD] = { STEP_RELOAD },
	[CONTROL_TERMINATE] = { STEP_KILL, STEP_FORGIVE },
	[CONTROL_KILL] = { STEP_KILL_ALL, STEP_FORGOTTEN, STEP_UNREGISTER, STEP_FORGIVE },
	[CONTROL_FREEZE] = { STEP_FREEZE },
	[CONTROL_THAW] = { STEP_THAW },
	[CONTROL_ENABLE] = { STEP_LINKS, STEP_REREAD },
	[CONTROL_DISABLE] = { STEP_LINKS, STEP_REREAD },
	[CONTROL_FORGIVE] = { STEP_FORGIVE },
	[CONTROL_DROP] = { STEP_UNREGISTER },
	[CONTROL_MEND] = { STEP_MEND },
};

static const enum step conf_steps[] = { STEP_CONF, STEP_REREAD, STEP_END };
static const enum step machined_steps[] = { STEP_MACHINED, STEP_VANISH, STEP_END };

static struct {
	struct units *units;
	bool up;
	struct control *first;
} hub;

static void step_now(struct control *c);

struct units *control_units(void)
{
	return hub.units;
}

void control_forget_question(struct control *c)
{
	c->slot = sd_bus_slot_unref(c->slot);
	c->kill_slot = sd_bus_slot_unref(c->kill_slot);
}

static void control_free(struct control *c)
{
	for (struct control **p = &hub.first; *p; p = &(*p)->next) {
		if (*p != c)
			continue;
		*p = c->next;
		break;
	}
	control_forget_question(c);
	sd_bus_slot_unref(c->cancel_slot);
	why_cancel(c->why);
	machined_ask_cancel(c->machined);
	aside_forget(c->aside);
	loglines_done(&c->lines);
	folder_watch_free(c->watch);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->end);
	target_done(&c->target);
	free(c->job);
	free(c->result);
	free(c);
	if (hub.first)
		return;
	units_free(hub.units);
	hub.units = NULL;
	hub.up = false;
}

void control_finish(struct control *c, int r, const struct err *e)
{
	control_forget_question(c);
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
	c->done(c->r, c->r < 0 || c->warned ? &c->e : NULL, c->arg);
	control_free(c);
	return 0;
}

void control_wait_at_most(struct control *c, uint64_t usec)
{
	(void)sd_event_source_set_time_relative(c->timer, usec);
	(void)sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

void control_next_step(struct control *c)
{
	struct err e;

	control_forget_question(c);
	c->step++;
	c->own_limit_usec = 0;
	c->since_usec = clock_usec(CLOCK_MONOTONIC);
	if (c->cancelled && *c->step != STEP_END)
		control_finish(c,
		               err_set(&e, STATUS_FAILED, ECANCELED,
		                       "%s: the %s was cancelled; what it had begun goes on by itself",
		                       c->name, control_word(c->verb)),
		               &e);
	else
		step_now(c);
}

static int on_timer(sd_event_source *s, uint64_t now, void *arg)
{
	struct control *c = arg;
	struct err e;

	(void)s, (void)now;
	if (c->watch) {
		folder_watch_free(take_p(&c->watch));
		/* A systemd-machined that hangs must not keep anything from starting. */
		if (*c->step == STEP_FORGOTTEN)
			control_next_step(c);
		else
			control_finish(c,
			               err_set(&e, STATUS_DEADLINE, ETIMEDOUT,
			                       "%s was asked to end, but still runs; kill it", c->name),
			               &e);
	} else if (c->job && hub.up) {
		control_too_long(c);
	} else {
		control_finish(
			c, err_set(&e, STATUS_UNAVAILABLE, ETIMEDOUT, "%s: systemd is out of reach", c->name),
			&e);
	}
	return 0;
}

/* ---- the steps that are no jobs */

static void on_forgiven(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)job;
	control_forget_question(c);
	if (r < 0 && c->verb != CONTROL_START && c->verb != CONTROL_RESTART)
		control_finish(c, r, e);
	else
		control_next_step(c); /* what is wrong with systemd the start says better */
}

static void on_changed(int r, const char *job, const struct err *e, void *arg)
{
	struct control *c = arg;
	struct err own;

	(void)job;
	if (r >= 0) {
		control_next_step(c);
		return;
	}
	own = *e;
	if (*c->step == STEP_REREAD)
		(void)err_wrap(&own, r, "%s: it is written down, but not yet known to systemd", c->name);
	control_finish(c, r, &own);
}

static void on_machined(int r, int pty, const struct err *e, void *arg)
{
	struct control *c = arg;

	(void)pty; /* of none of what we ask */
	c->machined = NULL;
	if (r < 0 && c->verb != CONTROL_KILL)
		control_finish(c, r, e);
	else if (r < 0 && *c->step == STEP_MACHINED)
		control_finish(c, r, e);
	else
		control_next_step(c);
}

static int ask_machined(struct control *c, enum machined_verb verb, struct err *e)
{
	c->own_limit_usec = FORGET_LIMIT;
	return machined_ask(sd_event_source_get_event(c->end), verb, c->name, NULL, on_machined, c,
	                    &c->machined, e);
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
	control_next_step(c);
}

static int wait_forgotten(struct control *c, uint64_t limit, struct err *e)
{
	int r;

	if (is_forgotten(c->name)) { /* as on a host where no machine ever ran: there is no folder to watch */
		control_next_step(c);
		return 0;
	}
	r = folder_watch_new(sd_event_source_get_event(c->end), MACHINED_FOLDER, on_machines, c, &c->watch,
	                     e);
	if (r < 0)
		return r;
	c->own_limit_usec = limit;
	control_wait_at_most(c, limit);
	on_machines(c);
	return 0;
}

static int save_conf(void *arg, struct err *e)
{
	const struct control *c = arg;

	return autostart_set(c->name, c->verb == CONTROL_ENABLE, e);
}

static void on_saved(int r, const struct err *e, void *arg)
{
	struct control *c = arg;
	struct err own;

	c->aside = NULL;
	if (r >= 0) {
		c->warned = e;
		if (e)
			c->e = *e;
		control_next_step(c);
		return;
	}
	own = *e;
	control_finish(c, err_wrap(&own, r, "cannot %s %s", control_word(c->verb), c->name), &own);
}

static int ask_conf(struct control *c, struct err *e)
{
	int r = gate_ask(e, "cannot %s %s", control_word(c->verb), c->name);

	c->own_limit_usec = SAVE_LIMIT;
	return r < 0 ? r
	             : aside_begin(sd_event_source_get_event(c->end), save_conf, c, SAVE_LIMIT, on_saved, c,
	                           &c->aside, e);
}

static int mend(void *arg, struct err *e)
{
	CLEANUP(strs_done) struct strs left = { 0 };
	const struct control *c = arg;
	int r = mend_run(c->name, &left, e);

	if (r >= 0 && left.n > 0)
		r = err_set(e, STATUS_FAILED, EOPNOTSUPP, "%s: not mended: %s", c->name, left.v[0]);
	return r;
}

static void on_mended(int r, const struct err *e, void *arg)
{
	struct control *c = arg;

	c->aside = NULL;
	if (r < 0)
		control_finish(c, r, e);
	else
		control_next_step(c);
}

static int ask_mend(struct control *c, struct err *e)
{
	c->own_limit_usec = MEND_LIMIT;
	return aside_begin(sd_event_source_get_event(c->end), mend, c, MEND_LIMIT, on_mended, c, &c->aside,
	                   e);
}

/* ---- the steps */

static int unregister(struct control *c, struct err *e)
{
	if (is_forgotten(c->name)) {
		control_next_step(c);
		return 0;
	}
	return ask_machined(c, MACHINED_UNREGISTER, e);
}

static enum machined_verb machined_verb_of(const struct control *c)
{
	if (c->verb == CONTROL_TERMINATE)
		return MACHINED_TERMINATE;
	return c->target.unit ? MACHINED_KILL_ALL : MACHINED_KILL_LEADER;
}

static void step_now(struct control *c)
{
	struct units *u = hub.units;
	struct err e;
	int r = 0;

	c->begun = true;
	switch (*c->step) {
	case STEP_END:
		control_finish(c, 0, NULL);
		break;
	case STEP_START:
		r = units_job(u, UNITS_START, c->unit, control_on_job, c, &c->slot, &e);
		break;
	case STEP_STOP:
	case STEP_KILL:
	case STEP_KILL_ALL:
		r = units_job(u, UNITS_STOP, c->unit, control_on_job, c, &c->slot, &e);
		break;
	case STEP_RELOAD:
		r = units_job(u, UNITS_RELOAD, c->unit, control_on_job, c, &c->slot, &e);
		break;
	case STEP_FORGOTTEN:
		r = wait_forgotten(c, FORGET_LIMIT, &e);
		break;
	case STEP_VANISH:
		r = wait_forgotten(c, VANISH_LIMIT, &e);
		break;
	case STEP_UNREGISTER:
		r = unregister(c, &e);
		break;
	case STEP_MACHINED:
		r = ask_machined(c, machined_verb_of(c), &e);
		break;
	case STEP_FORGIVE:
		if (c->verb == CONTROL_TERMINATE || c->verb == CONTROL_KILL)
			control_free_export(c);
		r = units_forgive(u, c->unit, on_forgiven, c, &c->slot, &e);
		break;
	case STEP_FREEZE:
	case STEP_THAW:
		r = units_freeze(u, c->unit, *c->step == STEP_FREEZE, on_changed, c, &c->slot, &e);
		break;
	case STEP_CONF:
		r = ask_conf(c, &e);
		break;
	case STEP_MEND:
		r = ask_mend(c, &e);
		break;
	case STEP_LINKS:
		r = units_enable(u, c->unit, c->verb == CONTROL_ENABLE, on_changed, c, &c->slot, &e);
		break;
	case STEP_REREAD:
		r = units_reload_manager(u, on_changed, c, &c->slot, &e);
		break;
	}
	if (r < 0)
		control_finish(c, r, &e);
}

/* ---- the connection */

static void on_up(struct control *c)
{
	if (!c->begun) {
		(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
		step_now(c);
	} else if (c->job) {
		control_recheck(c);
	}
}

static void on_down(struct control *c, const struct err *e)
{
	if (!c->begun)
		control_finish(c, -ENOTCONN, e);
	else if (c->job)
		control_wait_at_most(c, BUS_LIMIT);
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
			control_learn(c, event->unit);
		else if (event->change == UNITS_JOB_REMOVED && c->job &&
		         strcmp(event->unit->job, c->job) == 0)
			control_job_ended(c, event->result);
	}
}

/* ---- the face */

/* What the target's kind rules out; its state is systemd's to know. */
static int look_at(const char *name, enum control_verb verb, const struct target *t, struct err *e)
{
	char *unit = t->unit;
	const struct machine m = { .kind = t->kind, .unit = unit, .state = MACHINE_UNKNOWN };
	const char *why = control_refuses(&m, verb);

	if (!why && verb == CONTROL_DROP && !t->registered)
		why = "is not registered with systemd-machined: there is nothing to drop";
	if (!why && verb == CONTROL_DROP && !t->ghost)
		why = "is not a ghost: its first process runs, so its registration is needed";
	if (!why)
		return 0;
	return err_set(e, unit ? STATUS_FAILED : STATUS_BUSY, unit ? EOPNOTSUPP : EBUSY,
	               "cannot %s %s: it %s", control_word(verb), name, why);
}

static const enum step *steps_of(enum control_verb verb, const struct target *t)
{
	if (verb == CONTROL_DROP)
		return unit_steps[verb];
	if (t->kind == MACHINE_VM || !t->unit)
		return machined_steps;
	if (t->kind == MACHINE_CONTAINER && (verb == CONTROL_ENABLE || verb == CONTROL_DISABLE))
		return conf_steps;
	return unit_steps[verb];
}

int control_try(enum control_verb verb, const char *name, struct target *ret, struct err *e)
{
	CLEANUP(target_done) struct target target = { 0 };
	int r = target_find(name, verb == CONTROL_START, &target, e);

	if (r >= 0 && verb == CONTROL_RESTART) /* it must not end what could not be started again */
		r = target_look_at_conf(name, e);
	if (r >= 0)
		r = look_at(name, verb, &target, e);
	if (r < 0)
		return r;
	*ret = target;
	target = (struct target){ 0 };
	return 0;
}

int control_begin(sd_event *loop, enum control_verb verb, const char *name, control_done_fn *done, void *arg,
                  struct control **ret, struct err *e)
{
	CLEANUP(target_done) struct target target = { 0 };
	struct control *c;
	int r = gate_ask(e, "cannot %s %s", control_word(verb), name);

	if (r >= 0)
		r = control_try(verb, name, &target, e);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_no_memory(e);
	*c = (struct control){
		.verb = verb, .done = done, .arg = arg, .step = steps_of(verb, &target), .next = hub.first
	};
	hub.first = c;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	c->target = target;
	target = (struct target){ 0 };
	c->unit = c->target.unit ? c->target.unit : "";
	c->began_usec = clock_usec(CLOCK_REALTIME);
	c->since_usec = clock_usec(CLOCK_MONOTONIC);
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

static const char *job_waits_for(const struct control *c)
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

	for (size_t i = 0; i < COUNT(subs); i++)
		if (strcmp(c->sub, subs[i].sub) == 0)
			return subs[i].what;
	return "what comes before it";
}

static const char *waits_for(const struct control *c)
{
	if (c->watch)
		return "systemd-machined to forget it";
	if (c->machined)
		return "systemd-machined";
	if (c->aside)
		return *c->step == STEP_MEND ? "its network to be whole" : "its conf to be on the disk";
	if (!c->begun || !hub.up || !c->job)
		return *c->step == STEP_REREAD && hub.up ? "systemd to read all units anew" : "systemd";
	return job_waits_for(c);
}

/* systemd's time-out for what the unit does now; a job that waits for others, and a restart to come, have
 * none. */
static uint64_t limit_of(const struct control *c)
{
	uint64_t limit = 0;

	if (!c->job)
		return c->own_limit_usec;
	if (strncmp(c->sub, "stop", 4) == 0 || strncmp(c->sub, "final", 5) == 0)
		limit = c->stop_limit_usec;
	else if (strncmp(c->sub, "start", 5) == 0 || strcmp(c->sub, "reload") == 0)
		limit = c->start_limit_usec;
	return limit == UINT64_MAX ? 0 : limit;
}

void control_look(const struct control *c, struct control_look *ret)
{
	*ret = (struct control_look){
		.waits_for = waits_for(c),
		.since_usec = c->since_usec,
		.limit_usec = limit_of(c),
		.unit = c->unit,
		.lines = &c->lines,
	};
}

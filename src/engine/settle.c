#include "engine/settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/machined.h"
#include "drivers/units.h"
#include "words/name.h"

#define TICK_USEC   100000
#define LIMIT_USEC  90000000ULL
#define UNIT_FOLDER "/sys/fs/cgroup/machine.slice/"

static bool is_booted(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

bool settle_is_up(const char *name)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	char unit[NAME_UNIT_SIZE], path[sizeof(UNIT_FOLDER) + NAME_UNIT_SIZE];

	if (machined_find("", name, &m, NULL) >= 0 && machined_leader_lives(&m))
		return true;
	name_unit(name, unit);
	(void)snprintf(path, sizeof(path), UNIT_FOLDER "%s", unit);
	return access(path, F_OK) == 0;
}

struct waiting {
	sd_event *loop;
	const struct progress *progress;
	struct control *control; /* NULL: it has ended */
	const char *name, *said;
	int result;
	struct err *e;
};

static void on_controlled(int r, const struct err *e, void *arg)
{
	struct waiting *w = arg;

	w->control = NULL;
	w->result = r;
	if (r < 0 && w->e)
		*w->e = *e;
	(void)sd_event_exit(w->loop, 0);
}

static int on_tick(sd_event_source *s, uint64_t now, void *arg)
{
	struct waiting *w = arg;
	struct control_look look;

	(void)now;
	if (w->control) {
		control_look(w->control, &look);
		if (w->said != look.waits_for)
			progress_say(w->progress, "%s waits: %s", w->name, look.waits_for);
		w->said = look.waits_for;
	}
	if (w->control && progress_stopped(w->progress)) {
		control_cancel(w->control);
		w->control = NULL;
		w->result = err_set(w->e, STATUS_FAILED, ECANCELED, "%s: it was cancelled", w->name);
		return sd_event_exit(w->loop, 0);
	}
	(void)sd_event_source_set_time_relative(s, TICK_USEC);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int settle_control(enum control_verb verb, const char *name, const struct progress *p, struct err *e)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	CLEANUP(sd_event_source_unrefp) sd_event_source *tick = NULL;
	struct waiting w = { .progress = p, .name = name, .e = e };
	int r;

	if (!is_booted())
		return 0;
	r = sd_event_new(&loop);
	if (r < 0)
		return err_sys(e, -r, "cannot wait for systemd");
	w.loop = loop;
	r = control_begin(loop, verb, name, on_controlled, &w, &w.control, e);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(loop, &tick, CLOCK_MONOTONIC, TICK_USEC, 0, on_tick, &w);
	if (r >= 0)
		r = sd_event_loop(loop);
	return r < 0 ? err_sys(e, -r, "cannot wait for systemd") : w.result;
}

struct rereading {
	sd_event *loop;
	struct units *units;
	const char *forget;
	const char *unit; /* NULL: nothing is limited */
	const struct limit_value *limits;
	size_t n_limits;
	bool runtime, asked;
	int result;
	struct err *e;
};

static void finish(struct rereading *x, int r, const struct err *e)
{
	x->result = r;
	if (r < 0 && x->e && e && x->e != e)
		*x->e = *e;
	(void)sd_event_exit(x->loop, 0);
}

static void on_reread(int r, const char *job, const struct err *e, void *arg)
{
	(void)job;
	finish(arg, r, e);
}

static void on_forgotten(int r, const char *job, const struct err *e, void *arg)
{
	struct rereading *x = arg;

	(void)r, (void)job, (void)e; /* what never failed is not known to systemd */
	r = units_reload_manager(x->units, on_reread, x, NULL, x->e);
	if (r < 0)
		finish(x, r, x->e);
}

static void on_units(const struct units_event *event, void *arg)
{
	struct rereading *x = arg;
	int r = 0;

	if (event->change == UNITS_DOWN) {
		finish(x, -ENOTCONN, event->e);
	} else if (event->change == UNITS_UP && !x->asked) {
		x->asked = true;
		if (x->unit)
			r = units_limit(x->units, x->unit, x->limits, x->n_limits, x->runtime, on_reread, x,
			                NULL, x->e);
		else
			r = x->forget ? units_forgive(x->units, x->forget, on_forgotten, x, NULL, x->e)
			              : units_reload_manager(x->units, on_reread, x, NULL, x->e);
	}
	if (r < 0)
		finish(x, r, x->e);
}

static int on_limit(sd_event_source *s, uint64_t now, void *arg)
{
	struct rereading *x = arg;

	(void)s, (void)now;
	finish(x, err_set(x->e, STATUS_DEADLINE, ETIMEDOUT, "systemd did not answer in time"), x->e);
	return 0;
}

static int ask(struct rereading *x, struct err *e)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	CLEANUP(sd_event_source_unrefp) sd_event_source *limit = NULL;
	int r = sd_event_new(&loop);

	x->e = e;
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &limit, CLOCK_MONOTONIC, LIMIT_USEC, 0, on_limit, x);
	if (r < 0)
		return err_sys(e, -r, "cannot wait for systemd");
	x->loop = loop;
	r = units_new(loop, on_units, x, &x->units, e);
	if (r < 0)
		return r;
	r = sd_event_loop(loop);
	units_free(x->units);
	return r < 0 ? err_sys(e, -r, "cannot wait for systemd") : x->result;
}

int settle_reread(const char *forget, struct err *e)
{
	return is_booted() ? ask(&(struct rereading){ .forget = forget }, e) : 0;
}

int settle_limits(const char *unit, const struct limit_value *v, size_t n, bool runtime, struct err *e)
{
	return ask(&(struct rereading){ .unit = unit, .limits = v, .n_limits = n, .runtime = runtime }, e);
}

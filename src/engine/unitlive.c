#include "engine/unitlive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "words/name.h"

#define ASK_USEC 1000000

void unit_live_done(struct unit_live *l)
{
	strs_done(&l->devices);
	*l = (struct unit_live){ 0 };
}

bool unit_live_take(const struct unit *u, struct unit_live *ret)
{
	struct unit_live l = {
		.needs_reload = u->needs_reload,
		.live_limits = u->live_limits,
		.kept_limits = u->kept_limits,
		.kill_signal = u->kill_signal,
		.limits = { [LIMIT_MEMORY] = u->memory_max,
		            [LIMIT_CPU] = u->cpu_quota_usec,
		            [LIMIT_TASKS] = u->tasks_max,
		            [LIMIT_IO] = u->io_weight },
		.start_timeout_usec = u->start_timeout_usec,
	};

	if (!u->has_state || !u->has_service)
		return false;
	for (size_t i = 0; i < u->n_devices; i++)
		strs_addf(&l.devices, "%s %s", u->devices[i].node, u->devices[i].modifier);
	if (l.devices.bad) {
		unit_live_done(&l);
		return false;
	}
	*ret = l;
	return true;
}

/* ---- once */

struct asking {
	sd_event *loop;
	struct units *units;
	sd_bus_slot *slot;
	char unit[NAME_UNIT_SIZE];
	struct unit_live *ret;
	struct err *e;
	int r;
};

static void on_unit(int r, const struct unit *unit, const struct err *e, void *arg)
{
	struct asking *a = arg;

	if (r < 0 && a->e)
		*a->e = *e;
	a->r = r < 0 ? r
	       : unit_live_take(unit, a->ret)
	               ? 0
	               : err_set(a->e, STATUS_UNAVAILABLE, ENODATA, "%s: systemd does not tell", a->unit);
	(void)sd_event_exit(a->loop, 0);
}

static void on_units(const struct units_event *event, void *arg)
{
	struct asking *a = arg;

	if (event->change == UNITS_DOWN)
		a->r = err_set(a->e, STATUS_UNAVAILABLE, ENOTCONN, "systemd can not be asked: %s",
		               event->e->text);
	else if (event->change == UNITS_UP && !a->slot)
		a->r = units_get(a->units, a->unit, on_unit, a, &a->slot, a->e);
	else
		return;
	if (event->change == UNITS_DOWN || a->r < 0)
		(void)sd_event_exit(a->loop, 0);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct asking *a = arg;

	(void)s, (void)usec;
	a->r = err_set(a->e, STATUS_DEADLINE, ETIMEDOUT, "systemd did not answer in time");
	return sd_event_exit(a->loop, 0);
}

int unit_live_read(const char *name, struct unit_live *ret, struct err *e)
{
	struct asking a = { .ret = ret, .e = e };
	int r = sd_event_new(&a.loop);

	name_unit(name, a.unit);
	if (r >= 0)
		r = sd_event_add_time_relative(a.loop, NULL, CLOCK_MONOTONIC, ASK_USEC, 10000, on_deadline,
		                               &a);
	r = r < 0 ? err_sys(e, -r, "cannot make an event loop")
	          : units_new(a.loop, on_units, &a, &a.units, e);
	if (r >= 0)
		r = sd_event_loop(a.loop);
	sd_bus_slot_unref(a.slot);
	units_free(a.units);
	sd_event_unref(a.loop);
	return r < 0 ? r : a.r;
}

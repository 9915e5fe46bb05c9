#include <systemd/sd-event.h>
#include <time.h>

#include "base/cleanup.h"
#include "drivers/units.h"
#include "engine/startlimit.h"
#include "words/name.h"

#define SECOND 1000000ULL

struct request {
	sd_event *loop;
	struct units *units;
	char unit[NAME_UNIT_SIZE];
	bool forgiven;
};

static void on_forgiven(int r, const char *job, const struct err *e, void *arg)
{
	struct request *q = arg;

	(void)job, (void)e;
	q->forgiven = r >= 0;
	(void)sd_event_exit(q->loop, 0);
}

static void on_units(const struct units_event *event, void *arg)
{
	struct request *q = arg;

	if (event->change == UNITS_DOWN ||
	    (event->change == UNITS_UP && units_forgive(q->units, q->unit, on_forgiven, q, NULL, NULL) < 0))
		(void)sd_event_exit(q->loop, 0);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)usec, (void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

bool startlimit_forgive(const char *name)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct request q = { 0 };

	name_unit(name, q.unit);
	if (sd_event_new(&loop) < 0 ||
	    sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, SECOND, 1000, on_deadline, NULL) < 0)
		return false;
	q.loop = loop;
	if (units_new(loop, on_units, &q, &q.units, NULL) >= 0)
		(void)sd_event_loop(loop);
	units_free(q.units);
	return q.forgiven;
}

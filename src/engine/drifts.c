#include "engine/drifts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/unitlive.h"

#define PERIOD_USEC 500000 /* between two readings */
#define TURN_USEC   5000   /* of one, between two keys */

/* What systemd has of a unit, asked when it said something of it. */
struct asked {
	struct drifts *d;
	struct asked *next;
	char *name;
	uint64_t told; /* what it is as of */
	sd_bus_slot *slot;
	bool known;
	struct unit_live live;
};

struct drifts {
	sd_event *loop; /* borrowed */
	struct observer *observer;
	drifts_changed_fn *changed;
	void *arg;
	struct strs names;
	struct netwatch *netwatch;
	struct drift_list found, making;
	size_t at; /* of the names: the next one to read */
	struct asked *asked;
	bool stale;
	sd_event_source *later, *turn;
};

/* ---- what systemd has of the units */

static void asked_free(struct asked *a)
{
	sd_bus_slot_unref(a->slot);
	unit_live_done(&a->live);
	free(a->name);
	free(a);
}

static void forget_unwanted(struct drifts *d)
{
	for (struct asked **at = &d->asked; *at;) {
		struct asked *a = *at;

		if (strs_has(&d->names, a->name)) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		asked_free(a);
	}
}

static void on_unit(int r, const struct unit *unit, const struct err *e, void *arg)
{
	struct asked *a = arg;

	(void)e; /* then it is not compared, until systemd says something again */
	a->slot = sd_bus_slot_unref(a->slot);
	unit_live_done(&a->live);
	a->known = r >= 0 && unit_live_take(unit, &a->live);
	drifts_stale(a->d);
}

/* NULL: it is being asked, or does not tell. */
static const struct unit_live *live_of(struct drifts *d, const struct machine *m)
{
	struct units *units = observer_units(d->observer);
	struct asked *a = d->asked;

	while (a && strcmp(a->name, m->name) != 0)
		a = a->next;
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return NULL;
		*a = (struct asked){ .d = d, .next = d->asked, .name = strdup(m->name), .told = UINT64_MAX };
		if (!a->name) {
			free(a);
			return NULL;
		}
		d->asked = a;
	}
	if (a->told != m->unit_told && !a->slot && units && m->unit &&
	    units_get(units, m->unit, on_unit, a, &a->slot, NULL) >= 0)
		a->told = m->unit_told;
	return a->known ? &a->live : NULL;
}

static void list_done(struct drift_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		drift_done(&l->v[i].drift);
	}
	free(l->v);
	*l = (struct drift_list){ 0 };
}

const struct drifted *drift_list_find(const struct drift_list *l, const char *name)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

/* ---- reading */

static void read_one(struct drifts *d, const struct netmap *map, const struct machine *m,
                     struct drift_list *l)
{
	struct drifted *one = &l->v[l->n];

	one->name = strdup(m->name);
	if (!one->name)
		return;
	one->known = drift_read(observer_snapshot(d->observer), m->name, map, live_of(d, m), &one->drift,
	                        NULL) == 0 &&
	             one->drift.unseen.n == 0;
	if (drift_verdict(&one->drift) != DRIFT_NONE)
		one->known = true;
	l->n++;
}

/* Of those that are wanted, for a few milliseconds; whether that was all. */
static bool read_more(struct drifts *d)
{
	const struct snapshot *s = observer_snapshot(d->observer);
	const struct netmap *map = netwatch_is_settled(d->netwatch) ? netwatch_now(d->netwatch) : NULL;
	uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + TURN_USEC;

	while (d->making.v && d->at < d->names.n) {
		const struct machine *m = snapshot_find(s, d->names.v[d->at++]);

		if (m && m->kind == MACHINE_CONTAINER && m->state == MACHINE_RUNNING && m->registered)
			read_one(d, map && netmap_host(map) ? map : NULL, m, &d->making);
		if (clock_usec(CLOCK_MONOTONIC) >= deadline)
			return d->at == d->names.n;
	}
	return true;
}

static void begin(struct drifts *d)
{
	d->stale = false;
	d->at = 0;
	d->making.v = calloc(d->names.n + 1, sizeof(*d->making.v));
}

static void publish(struct drifts *d)
{
	list_done(&d->found);
	d->found = d->making;
	d->making = (struct drift_list){ 0 };
	d->changed(d->arg);
}

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	struct drifts *d = arg;

	(void)s, (void)usec;
	sd_event_source_disable_unref(d->later);
	d->later = NULL;
	if (d->stale)
		(void)sd_event_source_set_enabled(d->turn, SD_EVENT_ONESHOT);
	return 0;
}

/* In a turn of its own: who tells of a change is in the middle of something. */
static int on_turn(sd_event_source *s, void *arg)
{
	struct drifts *d = arg;

	if (!d->making.v)
		begin(d);
	if (!read_more(d))
		return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	publish(d);
	if (!d->later &&
	    sd_event_add_time_relative(d->loop, &d->later, CLOCK_MONOTONIC, PERIOD_USEC, 0, on_later, d) < 0)
		d->later = NULL;
	return 0;
}

void drifts_stale(struct drifts *d)
{
	if (d->names.n == 0)
		return;
	d->stale = true;
	if (!d->later)
		(void)sd_event_source_set_enabled(d->turn, SD_EVENT_ONESHOT);
}

/* ---- making and wanting */

int drifts_new(sd_event *loop, struct observer *o, struct netwatch *w, drifts_changed_fn *changed, void *arg,
               struct drifts **ret, struct err *e)
{
	struct drifts *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_no_memory(e);
	*d = (struct drifts){ .loop = loop, .observer = o, .netwatch = w, .changed = changed, .arg = arg };
	r = sd_event_add_defer(loop, &d->turn, on_turn, d);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->turn, SD_EVENT_OFF);
	if (r < 0) {
		drifts_free(d);
		return err_sys(e, -r, "cannot watch for what differs");
	}
	*ret = d;
	return 0;
}

void drifts_free(struct drifts *d)
{
	if (!d)
		return;
	sd_event_source_disable_unref(d->turn);
	sd_event_source_disable_unref(d->later);
	strs_done(&d->names);
	forget_unwanted(d);
	list_done(&d->found);
	list_done(&d->making);
	free(d);
}

void drifts_want(struct drifts *d, const struct strs *names)
{
	if (strs_same(&d->names, names))
		return;
	strs_done(&d->names);
	strs_add_all(&d->names, names);
	if (d->names.bad)
		strs_done(&d->names);
	list_done(&d->making);
	forget_unwanted(d);
	drifts_stale(d);
}

const struct drift_list *drifts_now(const struct drifts *d)
{
	return &d->found;
}

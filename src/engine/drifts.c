#include "engine/drifts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define PERIOD_USEC 500000 /* between two readings */
#define TURN_USEC   5000   /* of one, between two keys */

struct drifts {
	sd_event *loop; /* borrowed */
	struct observer *observer;
	drifts_changed_fn *changed;
	void *arg;
	struct strs names;
	struct netwatch *netwatch;
	struct drift_list found, making;
	size_t at; /* of the names: the next one to read */
	bool stale;
	sd_event_source *later, *turn;
};

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

static void read_one(const struct snapshot *s, const struct netmap *map, const struct machine *m,
                     struct drift_list *l)
{
	struct drifted *one = &l->v[l->n];

	one->name = strdup(m->name);
	if (!one->name)
		return;
	one->known = drift_read(s, m->name, map, &one->drift, NULL) == 0 && one->drift.unseen.n == 0;
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
			read_one(s, map && netmap_host(map) ? map : NULL, m, &d->making);
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
	if (!d->later && sd_event_add_time_relative(d->loop, &d->later, CLOCK_MONOTONIC, PERIOD_USEC, 0, on_later, d) < 0)
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
	drifts_stale(d);
}

const struct drift_list *drifts_now(const struct drifts *d)
{
	return &d->found;
}

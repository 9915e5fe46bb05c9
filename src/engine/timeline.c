#include "engine/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "decide/diff.h"
#include "drivers/journal_events.h"

struct timeline {
	timeline_fresh_fn *fresh;
	void *arg;
	struct events all;
	struct snapshot known; /* the last look, and what was known before where it knew nothing */
	struct stats_table stats;
	bool has_known, has_stats;
	struct journal_events *past;
	char note[ERR_TEXT_MAX]; /* empty: none */
};

/* A quarter goes at a time, so that one more is cheap. */
static void make_room(struct events *all, size_t wanted)
{
	size_t gone;

	if (all->n + wanted <= TIMELINE_MAX)
		return;
	gone = all->n + wanted - TIMELINE_MAX + TIMELINE_MAX / 4;
	gone = gone < all->n ? gone : all->n;
	for (size_t i = 0; i < gone; i++)
		free(all->v[i].text);
	all->n -= gone;
	memmove(all->v, all->v + gone, all->n * sizeof(*all->v));
}

/* Nearly always it is the newest. */
static void insert(struct events *all, const struct event *e)
{
	struct event made;
	size_t at;

	all->bad = false; /* what could not be kept is lost, not all that follows */
	events_add(all, e->usec, e->name, e->kind, e->bad, "%s", e->text);
	if (all->bad)
		return;
	made = all->v[all->n - 1];
	for (at = all->n - 1; at > 0 && all->v[at - 1].usec > made.usec; at--)
		all->v[at] = all->v[at - 1];
	all->v[at] = made;
}

void timeline_add(struct timeline *t, const struct events *events)
{
	size_t skip = events->n > TIMELINE_MAX ? events->n - TIMELINE_MAX : 0;

	if (events->n == 0)
		return;
	make_room(&t->all, events->n - skip);
	for (size_t i = skip; i < events->n; i++)
		insert(&t->all, &events->v[i]);
	if (t->fresh)
		t->fresh(events, t->arg);
}

void timeline_snapshot(struct timeline *t, const struct snapshot *now)
{
	CLEANUP(events_done) struct events made = { 0 };
	struct snapshot known;

	if (!diff_known(&t->known, now, &known))
		return;
	if (t->has_known)
		diff_snapshots(&t->known, &known, &made);
	snapshot_done(&t->known);
	t->known = known;
	t->has_known = true;
	timeline_add(t, &made);
}

void timeline_stats(struct timeline *t, const struct stats_table *now, uint64_t usec)
{
	CLEANUP(events_done) struct events made = { 0 };
	struct stats_table copy = { .v = calloc(now->n + 1, sizeof(*now->v)), .n = now->n };

	if (!copy.v)
		return;
	if (now->n > 0)
		memcpy(copy.v, now->v, now->n * sizeof(*now->v));
	if (t->has_stats)
		diff_stats(&t->stats, &copy, usec, &made);
	stats_table_done(&t->stats);
	t->stats = copy;
	t->has_stats = true;
	timeline_add(t, &made);
}

const struct events *timeline_events(const struct timeline *t)
{
	return &t->all;
}

const char *timeline_note(const struct timeline *t)
{
	return t->note[0] ? t->note : NULL;
}

static void on_past(int r, const struct events *events, const struct err *e, void *arg)
{
	static const struct events none = { 0 };
	struct timeline *t = arg;

	t->past = NULL;
	t->note[0] = '\0';
	if (r >= 0 && events->n > 0) {
		timeline_add(t, events);
		return;
	}
	if (r < 0)
		(void)snprintf(t->note, sizeof(t->note), "what happened before is not known: %.400s",
		               e->text);
	if (t->fresh)
		t->fresh(&none, t->arg);
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	journal_events_cancel(t->past);
	events_done(&t->all);
	snapshot_done(&t->known);
	stats_table_done(&t->stats);
	free(t);
}

/* Not a failure of ours: without the journal it begins now. */
static void ask_journal(struct timeline *t, sd_event *loop)
{
	struct err e;

	if (journal_events(loop, clock_usec(CLOCK_REALTIME), on_past, t, &t->past, &e) < 0)
		on_past(-1, NULL, &e, t);
	else
		(void)snprintf(t->note, sizeof(t->note), "the journal is being read");
}

int timeline_new(sd_event *loop, timeline_fresh_fn *fresh, void *arg, struct timeline **ret, struct err *e)
{
	struct timeline *t = calloc(1, sizeof(*t));

	if (!t)
		return err_no_memory(e);
	t->fresh = fresh;
	t->arg = arg;
	if (loop)
		ask_journal(t, loop);
	*ret = t;
	return 0;
}

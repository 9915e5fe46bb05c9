#include "decide/scene.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void scene_done(struct scene *s)
{
	snapshot_done(&s->now);
	stats_table_done(&s->stats);
	events_done(&s->events);
}

static int too_many(struct err *e)
{
	return err_set(e, STATUS_DATA, E2BIG, "the tape has more than %d machines", SCENE_MACHINES_MAX);
}

static int set_machine(struct snapshot *s, struct tape_record *r, struct err *e)
{
	struct machine *grown;
	size_t at = 0;

	while (at < s->n && strcmp(s->v[at].name, r->machine.name) < 0)
		at++;
	if (at < s->n && strcmp(s->v[at].name, r->machine.name) == 0) {
		machine_done(&s->v[at]);
	} else {
		if (s->n >= SCENE_MACHINES_MAX)
			return too_many(e);
		grown = reallocarray(s->v, s->n + 1, sizeof(*grown));
		if (!grown)
			return err_no_memory(e);
		s->v = grown;
		for (size_t i = s->n++; i > at; i--)
			grown[i] = grown[i - 1];
	}
	s->v[at] = r->machine;
	r->machine = (struct machine){ 0 };
	return 0;
}

static void drop_machine(struct snapshot *s, const char *name)
{
	const struct machine *m = snapshot_find(s, name);
	size_t at = m ? (size_t)(m - s->v) : 0;

	if (!m)
		return;
	machine_done(&s->v[at]);
	memmove(&s->v[at], &s->v[at + 1], (--s->n - at) * sizeof(*s->v));
}

/* The sample is the next one of the history. */
static void continue_history(float now[static STATS_HISTORY], const float *before, float sample)
{
	memcpy(now, before + 1, (STATS_HISTORY - 1) * sizeof(*now));
	now[STATS_HISTORY - 1] = sample;
}

static int set_stats(struct stats_table *t, struct tape_record *r, struct err *e)
{
	struct stats *grown;
	size_t at = 0;

	while (at < t->n && strcmp(t->v[at].name, r->stats.name) < 0)
		at++;
	if (at < t->n && strcmp(t->v[at].name, r->stats.name) == 0) {
		if (!r->has_history) {
			continue_history(r->stats.cpu_history, t->v[at].cpu_history, r->stats.cpu);
			continue_history(r->stats.memory_history, t->v[at].memory_history,
			                 r->stats.memory == STATS_UNKNOWN ? (float)NAN
			                                                  : (float)r->stats.memory);
		}
	} else {
		if (t->n >= SCENE_MACHINES_MAX)
			return too_many(e);
		grown = reallocarray(t->v, t->n + 1, sizeof(*grown));
		if (!grown)
			return err_no_memory(e);
		t->v = grown;
		for (size_t i = t->n++; i > at; i--)
			grown[i] = grown[i - 1];
	}
	t->v[at] = r->stats;
	return 0;
}

static void drop_stats(struct stats_table *t, const char *name)
{
	const struct stats *s = stats_find(t, name);
	size_t at = s ? (size_t)(s - t->v) : 0;

	if (s)
		memmove(&t->v[at], &t->v[at + 1], (--t->n - at) * sizeof(*t->v));
}

static int add_event(struct events *all, const struct event *one, struct err *e)
{
	events_add(all, one->usec, one->name, one->kind, one->bad, "%s", one->text);
	return all->bad ? err_no_memory(e) : 0;
}

int scene_apply(struct scene *s, struct tape_record *r, struct err *e)
{
	s->now.taken_usec = r->at_usec;
	switch (r->kind) {
	case TAPE_HEAD:
		free(s->now.host);
		s->now.host = take_p(&r->text);
		return 0;
	case TAPE_MACHINE:
		return set_machine(&s->now, r, e);
	case TAPE_GONE:
		drop_machine(&s->now, r->text);
		return 0;
	case TAPE_STALE:
		free(s->now.stale);
		s->now.stale = take_p(&r->text);
		return 0;
	case TAPE_STATS:
		return set_stats(&s->stats, r, e);
	case TAPE_UNMEASURED:
		drop_stats(&s->stats, r->text);
		return 0;
	case TAPE_HAPPENED:
		return add_event(&s->events, &r->event, e);
	}
	return 0;
}

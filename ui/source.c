#include "ui/source.h"

#include <stdlib.h>

#include "engine/observe.h"
#include "engine/sampler.h"
#include "engine/timeline.h"

struct source {
	sd_event *loop;
	source_changed_fn *changed;
	void *arg;
	struct observer *observer;
	struct sampler *sampler;
	struct timeline *timeline; /* from the first source_want() on: the first frame does not wait for it */
	struct world world;
};

static const struct snapshot no_snapshot;
static const struct stats_table no_stats;
static const struct host_stats no_host;
static const struct events no_events;

const struct world world_nothing = {
	.s = &no_snapshot, .stats = &no_stats, .host = &no_host, .events = &no_events
};

static void on_snapshot(const struct snapshot *now, void *arg)
{
	struct source *s = arg;

	if (s->timeline)
		timeline_snapshot(s->timeline, now);
	s->changed(s->arg);
}

static void on_sampled(void *arg)
{
	struct source *s = arg;

	if (s->timeline)
		timeline_stats(s->timeline, sampler_now(s->sampler), sampler_host(s->sampler)->at_usec);
	s->changed(s->arg);
}

static void on_events(const struct events *fresh, void *arg)
{
	struct source *s = arg;

	(void)fresh; /* asked for when a frame is drawn */
	s->changed(s->arg);
}

int source_new(sd_event *loop, source_changed_fn *changed, void *arg, struct source **ret, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_no_memory(e);
	s->loop = loop;
	s->changed = changed;
	s->arg = arg;
	r = observer_new(loop, on_snapshot, s, &s->observer, e);
	if (r >= 0)
		r = sampler_new(loop, on_sampled, s, &s->sampler, e);
	if (r < 0) {
		source_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	timeline_free(s->timeline);
	sampler_free(s->sampler);
	observer_free(s->observer);
	free(s);
}

const struct world *source_world(struct source *s)
{
	if (!s)
		return &world_nothing;
	s->world = world_nothing;
	s->world.s = observer_snapshot(s->observer);
	s->world.stats = sampler_now(s->sampler);
	s->world.host = sampler_host(s->sampler);
	if (s->timeline) {
		s->world.events = timeline_events(s->timeline);
		s->world.events_note = timeline_note(s->timeline);
	}
	return &s->world;
}

void source_want(struct source *s, const struct machine *const *v, size_t n, uint64_t period_usec)
{
	if (!s->timeline && timeline_new(s->loop, on_events, s, &s->timeline, NULL) >= 0)
		timeline_snapshot(s->timeline, observer_snapshot(s->observer));
	(void)sampler_want(s->sampler, v, n, period_usec); /* out of memory: the next frame tries again */
}

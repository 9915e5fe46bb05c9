#include "engine/sample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* ---- rates */

/* What was counted between, per second; unknown when one is, or when it was counted anew. */
static uint64_t rate(uint64_t before, uint64_t now, uint64_t elapsed)
{
	if (before == STATS_UNKNOWN || now == STATS_UNKNOWN || now < before || elapsed == 0)
		return STATS_UNKNOWN;
	return (uint64_t)((double)(now - before) * 1e6 / (double)elapsed);
}

float sample_share(uint64_t before, uint64_t now, uint64_t all)
{
	if (before == STATS_UNKNOWN || now == STATS_UNKNOWN || now < before || all == 0)
		return NAN;
	return 100 * (float)(now - before) / (float)all;
}

static void add(uint64_t *sum, uint64_t value)
{
	if (value != STATS_UNKNOWN)
		*sum = *sum == STATS_UNKNOWN ? value : *sum + value;
}

/* ---- one machine */

static void find_cgroup(struct cgroupfs *fs, struct watched *w)
{
	CLEANUP(free_p) char *path = NULL;

	if (w->cgroup || w->leader <= 0 || !fs)
		return;
	if (!w->told && cgroup_of_leader(fs, w->leader, &path) < 0)
		return;
	(void)cgroup_open(fs, w->told ? w->told : path, &w->cgroup);
}

static void lose_cgroup(struct watched *w)
{
	cgroup_close(w->cgroup);
	w->cgroup = NULL;
	w->at = 0;
}

/* All that a cgroup tells becomes unknown; what came before stays in the histories. */
static void set_unknown(struct stats *st)
{
	struct stats none;

	stats_unknown(&none, st->name);
	none.at_usec = st->at_usec;
	memcpy(none.cpu_history, st->cpu_history, sizeof(none.cpu_history));
	memcpy(none.memory_history, st->memory_history, sizeof(none.memory_history));
	*st = none;
}

/* What is estimated stays as it was last. */
static void set_levels(struct stats *st, const struct cgroup_now *now)
{
	st->cpu_limit = now->cpu_limit;
	if (now->memory != STATS_UNKNOWN || !st->memory_is_estimate) {
		st->memory = now->memory;
		st->memory_is_estimate = false;
	}
	if (now->tasks != STATS_UNKNOWN || !st->tasks_is_estimate) {
		st->tasks = now->tasks;
		st->tasks_is_estimate = false;
	}
	st->memory_limit = now->memory_limit;
	st->swap = now->swap;
	st->tasks_limit = now->tasks_limit;
	st->oom_kills = now->oom_kills;
	st->frozen = now->frozen;
	st->cpu_pressure = now->cpu_pressure;
	st->memory_pressure = now->memory_pressure;
	st->io_pressure = now->io_pressure;
}

static void set_rates(struct stats *st, const struct cgroup_now *before, const struct cgroup_now *now,
                      uint64_t elapsed)
{
	st->cpu = sample_share(before->cpu_usec, now->cpu_usec, elapsed);
	st->throttled = sample_share(before->throttled_usec, now->throttled_usec, elapsed);
	st->io_read = rate(before->io_read, now->io_read, elapsed);
	st->io_write = rate(before->io_write, now->io_write, elapsed);
}

static const struct traffic *counted_before(const struct watched *w, int index)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (w->links[i].index == index)
			return &w->links[i];
	return NULL;
}

/* The container's rx is what this end sent. */
static void sample_traffic(const struct meter *meter, struct watched *w, struct stats *st, uint64_t elapsed)
{
	struct metered links[STATS_LINKS];
	size_t n = meter ? meter_of(meter, w->netnsid, links) : 0;

	st->rx = st->tx = STATS_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		const struct traffic *now = &links[i].counted, *before = counted_before(w, now->index);
		struct stats_link *to = &st->links[i];

		memcpy(to->name, links[i].name, sizeof(to->name));
		to->rx = before ? rate(before->tx, now->tx, elapsed) : STATS_UNKNOWN;
		to->tx = before ? rate(before->rx, now->rx, elapsed) : STATS_UNKNOWN;
		to->drops = now->drops;
		to->errors = now->errors;
		add(&st->rx, to->rx);
		add(&st->tx, to->tx);
	}
	st->n_links = n;
	for (size_t i = 0; i < n; i++)
		w->links[i] = links[i].counted;
	w->n_links = n;
}

size_t sample_estimate(struct watched *w, struct stats *st)
{
	struct cgroup_now now = { .memory = STATS_UNKNOWN, .tasks = STATS_UNKNOWN };
	size_t looked = w->cgroup ? cgroup_estimate(w->cgroup, &now) : 0;

	if (now.memory_is_estimate) {
		st->memory = now.memory;
		st->memory_is_estimate = true;
	}
	if (now.tasks_is_estimate) {
		st->tasks = now.tasks;
		st->tasks_is_estimate = true;
	}
	return looked;
}

void sample_machine(struct cgroupfs *fs, const struct meter *meter, struct watched *w, struct stats *st,
                    uint64_t mono)
{
	uint64_t elapsed = w->at ? mono - w->at : 0;
	struct cgroup_now now;

	if (w->at && elapsed < SHORTEST_USEC)
		return;
	find_cgroup(fs, w);
	if (w->cgroup && cgroup_read(w->cgroup, &now) < 0)
		lose_cgroup(w);
	if (!w->cgroup) {
		cgroup_unknown(&now);
		set_unknown(st);
	}
	st->at_usec = clock_usec(CLOCK_REALTIME);
	set_levels(st, &now);
	set_rates(st, &w->before, &now, elapsed);
	sample_traffic(meter, w, st, elapsed);
	w->young = w->at == 0 && (w->cgroup || w->n_links > 0);
	w->before = now;
	w->at = mono;
}

/* ---- which machine */

void watched_done(struct watched *w)
{
	cgroup_close(w->cgroup);
	free(w->told);
	*w = (struct watched){ 0 };
}

static bool same_cgroup(const struct watched *w, const struct machine *m)
{
	return w->leader == m->leader && !w->told == !m->cgroup &&
	       (!w->told || strcmp(w->told, m->cgroup) == 0);
}

bool watched_is(const struct watched *w, const struct machine *m)
{
	return same_cgroup(w, m) && w->netnsid == m->netnsid;
}

int watched_follow(struct watched *w, const struct machine *m)
{
	if (w->netnsid != m->netnsid)
		w->n_links = 0;
	w->netnsid = m->netnsid;
	if (same_cgroup(w, m))
		return 0;
	lose_cgroup(w);
	w->leader = m->leader;
	free(w->told);
	w->told = m->cgroup ? strdup(m->cgroup) : NULL;
	return m->cgroup && !w->told ? -ENOMEM : 0;
}

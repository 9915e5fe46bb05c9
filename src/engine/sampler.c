#include "engine/sampler.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/hoststat.h"
#include "engine/meter.h"
#include "engine/sample.h"

#define SOON_USEC      250000 /* from a first sample to the second */
#define GONE_MAX       64     /* histories of machines that left the screen */
#define ESTIMATE_TICK  8      /* cgroups and processes looked at, a tick */
#define ESTIMATE_FIRST 1024   /* the same in one sampler_want */

struct gone {
	struct stats stats;
	uint64_t at; /* when it left; 0: unused */
};

struct sampler {
	char *host_root;
	sd_event *loop;
	sd_event_source *timer;
	sampled_fn *sampled;
	void *arg;

	uint64_t period, due, soon; /* CLOCK_MONOTONIC; soon 0: nobody is young */
	bool open;
	struct cgroupfs *fs; /* NULL: can not be had */
	struct meter meter;
	bool metered; /* the meter could be opened */
	struct hoststat files;
	struct err trouble; /* of opening; text "": none */

	struct watched *v;
	struct stats_table table;
	struct gone gone[GONE_MAX];
	size_t turn; /* whose memory is estimated next */
	long credit; /* how much may still be looked at for estimates */

	struct host_stats host;
	struct host_now host_before;
	uint64_t host_at;
};

/* ---- the host */

static void sample_host(struct sampler *s, uint64_t mono)
{
	struct host_stats *h = &s->host;
	struct host_now now;

	if (s->files.proc < 0 || (s->host_at && mono - s->host_at < SHORTEST_USEC))
		return;
	hoststat_read(&s->files, &now);
	/* Of ticks of all cores, so it is a share of all first. */
	h->cpu = s->host_at && now.all > s->host_before.all
	                 ? sample_share(s->host_before.busy, now.busy, now.all - s->host_before.all) *
	                           (float)h->cores
	                 : NAN;
	h->at_usec = clock_usec(CLOCK_REALTIME);
	h->memory = now.memory;
	h->memory_total = now.memory_total;
	h->swap = now.swap;
	h->swap_total = now.swap_total;
	h->cpu_pressure = now.cpu_pressure;
	h->memory_pressure = now.memory_pressure;
	h->io_pressure = now.io_pressure;
	s->host_before = now;
	s->host_at = mono;
}

/* ---- the timer */

static void estimate_some(struct sampler *s)
{
	s->credit += ESTIMATE_TICK;
	for (size_t i = 0; i < s->table.n && s->credit > 0; i++) {
		s->turn = (s->turn + 1) % s->table.n;
		s->credit -= (long)sample_estimate(&s->v[s->turn], &s->table.v[s->turn]);
	}
	if (s->credit > 0)
		s->credit = 0;
}

static void push_histories(struct sampler *s)
{
	for (size_t i = 0; i < s->table.n; i++) {
		struct stats *st = &s->table.v[i];

		stats_push(st->cpu_history, st->cpu);
		stats_push(st->memory_history, st->memory == STATS_UNKNOWN ? NAN : (float)st->memory);
	}
	stats_push(s->host.cpu_history, s->host.cpu);
}

/* What can not be counted this time is unknown, and counted the next. */
static void count_traffic(struct sampler *s)
{
	if (s->metered)
		(void)meter_read(&s->meter, NULL);
}

/* The next whole multiple of wall time; one that is very near is this one, when clocks differ. */
static uint64_t next_due(uint64_t period, uint64_t mono)
{
	uint64_t left = period - clock_usec(CLOCK_REALTIME) % period;

	return mono + left + (left < period / 4 ? period : 0);
}

static int arm(struct sampler *s)
{
	bool first = s->soon && s->soon < s->due;
	uint64_t at = first ? s->soon : s->due;
	uint64_t late = first ? 20000 : s->period / 8;
	int r = sd_event_source_set_time(s->timer, at);

	if (r >= 0)
		r = sd_event_source_set_time_accuracy(s->timer, late ? late : 1);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	return r < 0 ? r : 0;
}

/* Those who are young are asked soon; all, when it is time. */
static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct sampler *s = arg;
	uint64_t mono = clock_usec(CLOCK_MONOTONIC);
	bool all = mono >= s->due, still = false;

	(void)source, (void)usec;
	count_traffic(s);
	for (size_t i = 0; i < s->table.n; i++) {
		if (all || s->v[i].young)
			sample_machine(s->fs, s->metered ? &s->meter : NULL, &s->v[i], &s->table.v[i], mono);
		still = still || s->v[i].young;
	}
	if (all || isnan(s->host.cpu))
		sample_host(s, mono);
	if (all) {
		estimate_some(s);
		push_histories(s);
		s->due = next_due(s->period, mono);
	}
	s->soon = still ? mono + SOON_USEC : 0;
	(void)arm(s);
	s->sampled(s->arg);
	return 0;
}

/* ---- who is wanted */

static void open_sources(struct sampler *s)
{
	if (s->open)
		return;
	s->open = true;
	s->trouble.text[0] = '\0';
	s->metered = meter_open(&s->meter, &s->trouble) == 0;
	if (hoststat_open(s->host_root, &s->files, &s->trouble) < 0)
		s->files.proc = -1;
	if (cgroupfs_open(s->host_root, &s->fs, &s->trouble) < 0)
		s->fs = NULL;
	s->host_at = 0;
	s->host.cpu = NAN;
}

static void close_sources(struct sampler *s)
{
	meter_close(&s->meter);
	hoststat_close(&s->files);
	cgroupfs_close(s->fs);
	s->fs = NULL;
	s->metered = s->open = false;
}

static void remember(struct sampler *s, const struct stats *st)
{
	struct gone *to = &s->gone[0];

	for (size_t i = 0; i < GONE_MAX; i++)
		if (s->gone[i].at < to->at)
			to = &s->gone[i];
	to->stats = *st;
	to->at = clock_usec(CLOCK_MONOTONIC);
}

/* The histories of one that comes back, with a gap where it was not looked at. */
static void recall(struct sampler *s, struct stats *st)
{
	uint64_t mono = clock_usec(CLOCK_MONOTONIC);

	for (size_t i = 0; i < GONE_MAX; i++) {
		struct gone *g = &s->gone[i];

		if (!g->at || strcmp(g->stats.name, st->name) != 0)
			continue;
		memcpy(st->cpu_history, g->stats.cpu_history, sizeof(st->cpu_history));
		memcpy(st->memory_history, g->stats.memory_history, sizeof(st->memory_history));
		for (uint64_t k = 0; k < STATS_HISTORY && k < (mono - g->at) / s->period; k++) {
			stats_push(st->cpu_history, NAN);
			stats_push(st->memory_history, NAN);
		}
		g->at = 0;
		return;
	}
}

static void retire(struct sampler *s, size_t i)
{
	remember(s, &s->table.v[i]);
	watched_done(&s->v[i]);
}

static void retire_all(struct sampler *s)
{
	for (size_t i = 0; i < s->table.n; i++)
		retire(s, i);
	free(s->v);
	s->v = NULL;
	stats_table_done(&s->table);
}

static int by_name(const void *a, const void *b)
{
	const struct machine *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Both are sorted: who is in both moves, who is only in the table leaves, who is only wanted is new. */
static int merge(struct sampler *s, const struct machine *const *v, size_t n, struct watched *w,
                 struct stats *st)
{
	size_t old = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int order = 1;

		for (; old < s->table.n && (order = strcmp(s->table.v[old].name, v[i]->name)) < 0; old++)
			retire(s, old);
		if (order == 0) {
			st[i] = s->table.v[old];
			w[i] = s->v[old++];
		} else {
			stats_unknown(&st[i], v[i]->name);
			recall(s, &st[i]);
			w[i].netnsid = -1;
		}
		r = watched_follow(&w[i], v[i]) < 0 ? -ENOMEM : r;
	}
	for (; old < s->table.n; old++)
		retire(s, old);
	return r;
}

static int replace(struct sampler *s, const struct machine *const *v, size_t n)
{
	struct watched *w = calloc(n, sizeof(*w));
	struct stats *st = calloc(n, sizeof(*st));
	int r;

	if (!w || !st) {
		free(w);
		free(st);
		return -ENOMEM;
	}
	r = merge(s, v, n, w, st);
	free(s->v);
	free(s->table.v);
	s->v = w;
	s->table = (struct stats_table){ st, n };
	return r;
}

static bool same(const struct sampler *s, const struct machine *const *v, size_t n)
{
	bool is = n == s->table.n;

	for (size_t i = 0; is && i < n; i++)
		is = strcmp(s->table.v[i].name, v[i]->name) == 0 && watched_is(&s->v[i], v[i]);
	return is;
}

/* Those without a first sample. */
static void sample_new(struct sampler *s)
{
	uint64_t mono = clock_usec(CLOCK_MONOTONIC);
	size_t looked = 0;

	count_traffic(s);
	for (size_t i = 0; i < s->table.n; i++) {
		if (s->v[i].at)
			continue;
		sample_machine(s->fs, s->metered ? &s->meter : NULL, &s->v[i], &s->table.v[i], mono);
		if (looked < ESTIMATE_FIRST)
			looked += sample_estimate(&s->v[i], &s->table.v[i]);
		if (s->v[i].young)
			s->soon = mono + SOON_USEC;
	}
	if (!s->host_at) {
		sample_host(s, mono);
		s->soon = mono + SOON_USEC;
	}
}

static void stop(struct sampler *s)
{
	(void)sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	retire_all(s);
	close_sources(s);
	s->period = s->soon = 0;
}

static int want_sorted(struct sampler *s, const struct machine *const *v, size_t n, uint64_t period)
{
	int r = 0;

	if (s->open && s->period == period && same(s, v, n))
		return 0;
	open_sources(s);
	if (s->period != period)
		s->due = next_due(period, clock_usec(CLOCK_MONOTONIC));
	s->period = period;
	if (!same(s, v, n))
		r = replace(s, v, n);
	sample_new(s);
	return r < 0 ? r : arm(s);
}

int sampler_want(struct sampler *s, const struct machine *const *v, size_t n, uint64_t period_usec)
{
	CLEANUP(free_p) const struct machine **sorted = NULL;

	if (n == 0 || period_usec == 0) {
		stop(s);
		return 0;
	}
	sorted = calloc(n, sizeof(const struct machine *));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*sorted), by_name);
	return want_sorted(s, sorted, n < SAMPLER_MACHINES ? n : SAMPLER_MACHINES, period_usec);
}

/* ---- life */

int sampler_new_at(const char *host_root, sd_event *loop, sampled_fn *sampled, void *arg,
                   struct sampler **ret, struct err *e)
{
	struct sampler *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_no_memory(e);
	*s = (struct sampler){
		.sampled = sampled, .arg = arg, .meter = METER_CLOSED, .files = { .proc = -1 }
	};
	s->loop = sd_event_ref(loop);
	s->host_root = strdup(host_root);
	host_stats_unknown(&s->host);
	s->host.cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	r = s->host_root ? sd_event_add_time(loop, &s->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, s)
	                 : -ENOMEM;
	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (r < 0) {
		sampler_free(s);
		return err_sys(e, -r, "cannot prepare to read what machines use");
	}
	*ret = s;
	return 0;
}

int sampler_new(sd_event *loop, sampled_fn *sampled, void *arg, struct sampler **ret, struct err *e)
{
	return sampler_new_at("", loop, sampled, arg, ret, e);
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	retire_all(s);
	close_sources(s);
	sd_event_source_disable_unref(s->timer);
	sd_event_unref(s->loop);
	free(s->host_root);
	free(s);
}

const struct stats_table *sampler_now(const struct sampler *s)
{
	return &s->table;
}

const struct host_stats *sampler_host(const struct sampler *s)
{
	return &s->host;
}

const char *sampler_trouble(const struct sampler *s)
{
	return s->trouble.text[0] ? s->trouble.text : NULL;
}

#include "ui/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "engine/checkups.h"
#include "engine/drifts.h"
#include "engine/lints.h"
#include "engine/logs.h"
#include "engine/look.h"
#include "engine/netwatch.h"
#include "engine/observe.h"
#include "engine/player.h"
#include "engine/recorder.h"
#include "engine/sampler.h"
#include "engine/timeline.h"

#define BACKLOG        1000 /* records of each journal that are read at once */
#define LINTS_RECORDED 20   /* sentences of one machine, on a tape */

struct source {
	sd_event *loop;
	source_changed_fn *changed;
	void *arg;

	struct player *player; /* instead of what follows, up to the recorder */
	struct observer *observer;
	struct sampler *sampler;
	struct timeline *timeline; /* from the first source_want() on: the first frame does not wait for it */
	bool settled;              /* what changes from now on is a change of the system */
	struct looker *looker;
	struct checkups *checkups;
	struct netwatch *netwatch;
	struct drifts *drifts;
	struct lints *lints;
	bool shows_ports;
	struct netwanted netwanted;
	unsigned network_parts; /* enum netwatch_part; 0: nobody looks at the network */
	bool shows_map;
	char *net_problem;
	struct recorder *recorder;

	struct logs *logs;
	struct logview logview;
	struct strs logged; /* whose logs these are */
	char *logs_problem;
	struct world world;
};

static const struct snapshot no_snapshot;
static const struct stats_table no_stats;
static const struct host_stats no_host;
static const struct events no_events;
static const struct looked no_look;

const struct world world_nothing = {
	.s = &no_snapshot, .stats = &no_stats, .host = &no_host, .events = &no_events, .look = &no_look
};

/* ---- what happens */

/* After machines or their confs changed: whose links there are, and which they are to be. */
static void look_at_network(struct source *s)
{
	const struct snapshot *now = observer_snapshot(s->observer);
	struct err e;
	int r;

	netwanted_done(&s->netwanted);
	free(s->net_problem);
	s->net_problem = NULL;
	r = netwatch_want(s->netwatch, now, s->network_parts, &e);
	if (r >= 0 && s->shows_map)
		r = netwanted_read(now, &s->netwanted, &e);
	if (r < 0)
		s->net_problem = strdup(e.text);
}

static void on_network(const struct netmap *now, void *arg)
{
	struct source *s = arg;

	(void)now;
	checkups_stale(s->checkups);
	drifts_stale(s->drifts);
	lints_stale(s->lints);
	s->changed(s->arg);
}

static void add_lints(const struct linted *lint, struct machine *to)
{
	to->linted = true;
	to->lint_fatal = lint->fatal;
	for (size_t i = 0; i < lint->texts.n && i < LINTS_RECORDED; i++)
		strs_add(&to->lints, lint->texts.v[i]);
}

/* With what differs, and is likely a mistake, of those that are looked at. */
static void record_machines(struct source *s)
{
	CLEANUP(snapshot_done) struct snapshot now = { 0 };

	if (!s->recorder || !s->observer || !snapshot_copy(observer_snapshot(s->observer), &now))
		return;
	for (size_t i = 0; s->drifts && s->lints && i < now.n; i++) {
		const struct drifted *one = drift_list_find(drifts_now(s->drifts), now.v[i].name);
		const struct linted *lint = lint_list_find(lints_now(s->lints), now.v[i].name);

		if (one && one->known)
			now.v[i].drift = drift_cure_word(drift_verdict(&one->drift));
		if (lint)
			add_lints(lint, &now.v[i]);
	}
	recorder_snapshot(s->recorder, &now);
}

static void on_judged(void *arg)
{
	struct source *s = arg;

	record_machines(s);
	s->changed(s->arg);
}

static void on_snapshot(const struct snapshot *now, void *arg)
{
	struct source *s = arg;

	s->settled |= s->observer && observer_is_settled(s->observer);
	if (s->timeline && s->settled)
		timeline_snapshot(s->timeline, now);
	record_machines(s);
	if (s->checkups)
		checkups_stale(s->checkups);
	if (s->network_parts)
		look_at_network(s);
	if (s->drifts)
		drifts_stale(s->drifts);
	if (s->lints)
		lints_stale(s->lints);
	s->changed(s->arg);
}

static void on_sampled(void *arg)
{
	struct source *s = arg;
	uint64_t at_usec = sampler_host(s->sampler)->at_usec;

	if (s->timeline)
		timeline_stats(s->timeline, sampler_now(s->sampler), at_usec);
	looker_tick(s->looker);
	observer_look(s->observer);
	if (s->shows_map)
		netwatch_tick(s->netwatch);
	if (s->recorder)
		recorder_stats(s->recorder, sampler_now(s->sampler), at_usec);
	s->changed(s->arg);
}

static void on_events(const struct events *fresh, void *arg)
{
	struct source *s = arg;

	if (s->recorder)
		recorder_events(s->recorder, fresh);
	s->changed(s->arg);
}

static void on_logs(void *arg)
{
	struct source *s = arg;

	logview_update(&s->logview);
	s->changed(s->arg);
}

static void on_news(void *arg)
{
	struct source *s = arg;

	s->changed(s->arg);
}

static void on_tape(void *arg)
{
	struct source *s = arg;

	s->changed(s->arg);
}

/* ---- making and freeing */

/* The world may be asked for anew, then the files are needed once more. */
static int dup_cloexec(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int source_open_files(struct source_options *o, struct err *e)
{
	if (o->replay) {
		o->replay_fd = open(o->replay, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (o->replay_fd < 0)
			return err_sys(e, errno, "cannot open the tape '%s'", o->replay);
	}
	return o->record ? recorder_create(o->record, &o->record_fd, e) : 0;
}

static int open_tape(struct source *s, const struct source_options *o, struct err *e)
{
	return player_new(s->loop, dup_cloexec(o->replay_fd), o->replay, o->speed, on_tape, s, &s->player, e);
}

static int open_host(struct source *s, struct err *e)
{
	int r = observer_new(s->loop, on_snapshot, s, &s->observer, e);

	if (r >= 0)
		r = sampler_new(s->loop, on_sampled, s, &s->sampler, e);
	if (r >= 0)
		r = looker_new(s->loop, s->observer, on_news, s, &s->looker, e);
	if (r >= 0)
		r = netwatch_new(s->loop, on_network, s, &s->netwatch, e);
	if (r >= 0)
		r = drifts_new(s->loop, s->observer, s->netwatch, on_judged, s, &s->drifts, e);
	if (r >= 0)
		r = lints_new(s->loop, s->observer, s->netwatch, on_judged, s, &s->lints, e);
	return r < 0 ? r : checkups_new(s->loop, s->observer, on_news, s, &s->checkups, e);
}

static int begin_recording(struct source *s, int record_fd, struct err *e)
{
	const struct snapshot *now = source_world(s)->s;
	int r = recorder_new(s->loop, dup_cloexec(record_fd), now->host, &s->recorder, e);

	if (r >= 0)
		recorder_snapshot(s->recorder, now);
	return r;
}

int source_new(sd_event *loop, const struct source_options *o, source_changed_fn *changed, void *arg,
               struct source **ret, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_no_memory(e);
	s->loop = loop;
	s->changed = changed;
	s->arg = arg;
	r = o->replay ? open_tape(s, o, e) : open_host(s, e);
	if (r >= 0 && o->record)
		r = begin_recording(s, o->record_fd, e);
	if (r < 0) {
		source_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void close_logs(struct source *s)
{
	if (s->logs)
		logview_done(&s->logview);
	logs_free(s->logs);
	s->logs = NULL;
	strs_done(&s->logged);
	free(s->logs_problem);
	s->logs_problem = NULL;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	close_logs(s);
	recorder_free(s->recorder);
	timeline_free(s->timeline);
	checkups_free(s->checkups);
	lints_free(s->lints);
	drifts_free(s->drifts);
	netwatch_free(s->netwatch);
	netwanted_done(&s->netwanted);
	free(s->net_problem);
	looker_free(s->looker);
	sampler_free(s->sampler);
	observer_free(s->observer);
	player_free(s->player);
	free(s);
}

/* ---- what is shown */

static void show_host(struct source *s)
{
	s->world.s = observer_snapshot(s->observer);
	s->world.stats = sampler_now(s->sampler);
	s->world.host = sampler_host(s->sampler);
	s->world.look = looker_now(s->looker);
	s->world.drifts = drifts_now(s->drifts);
	s->world.lints = lints_now(s->lints);
	if (s->shows_map) {
		s->world.net = netwatch_now(s->netwatch);
		s->world.netwanted = &s->netwanted;
		s->world.net_problem = s->net_problem;
	}
	s->world.ports = checkups_now(s->checkups);
	s->world.reach = checkups_reach(s->checkups);
	s->world.ports_problem = checkups_problem(s->checkups);
	if (s->timeline) {
		s->world.events = timeline_events(s->timeline);
		s->world.events_note = timeline_note(s->timeline);
	}
}

static void show_tape(struct source *s)
{
	s->world.s = player_now(s->player);
	s->world.stats = player_stats(s->player);
	s->world.events = player_events(s->player);
	s->world.events_note = player_note(s->player);
	s->world.is_tape = true;
}

const struct world *source_world(struct source *s)
{
	if (!s)
		return &world_nothing;
	s->world = world_nothing;
	if (s->player)
		show_tape(s);
	else
		show_host(s);
	if (s->logs) { /* records may have come, and older ones fallen out, since on_logs() was called */
		logview_update(&s->logview);
		s->logview.note = logs_note(s->logs);
		s->world.logs = &s->logview;
	}
	s->world.logs_problem = s->logs_problem;
	s->world.trouble = s->recorder ? recorder_note(s->recorder) : NULL;
	if (!s->world.trouble && s->sampler)
		s->world.trouble = sampler_trouble(s->sampler);
	return &s->world;
}

uint64_t source_clock(const struct source *s)
{
	struct timespec t;

	if (s && s->player)
		return player_clock_usec(s->player);
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool source_is_settled(const struct source *s)
{
	return s->player || observer_is_settled(s->observer);
}

bool source_is_tape(const struct source *s)
{
	return s && s->player;
}

bool source_step(struct source *s)
{
	return s->player && player_step(s->player);
}

/* ---- what is wanted */

static int open_logs(struct source *s, const struct strs *names, struct err *e)
{
	struct logs_target targets[LOGS_TARGETS_MAX] = { { 0 } };
	size_t n = names->n < COUNT(targets) ? names->n : COUNT(targets);
	const struct snapshot *now = observer_snapshot(s->observer);
	int r;

	for (size_t i = 0; i < n; i++) {
		const struct machine *m = snapshot_find(now, names->v[i]);

		targets[i].name = names->v[i];
		targets[i].unit = m ? m->unit : NULL;
	}
	r = logs_open(s->loop, targets, n, BACKLOG, on_logs, s, &s->logs, e);
	if (r < 0)
		return r;
	r = logview_init(&s->logview, logs_ring(s->logs), &s->logged);
	if (r >= 0)
		return 0;
	logs_free(s->logs);
	s->logs = NULL;
	return err_no_memory(e);
}

static void want_logs(struct source *s, const struct strs *names)
{
	static const struct strs nobody;
	struct err e;

	if (strs_same(&s->logged, names ? names : &nobody))
		return;
	close_logs(s);
	if (!names)
		return;
	strs_add_all(&s->logged, names);
	if (s->player)
		s->logs_problem = strdup("a tape holds no logs");
	else if (open_logs(s, names, &e) < 0)
		s->logs_problem = strdup(e.text);
}

static void want_network(struct source *s, const struct source_wanted *w)
{
	unsigned parts = w->network              ? NETWATCH_MAP | NETWATCH_TRAFFIC
	                 : w->ports || w->drifts ? NETWATCH_MAP
	                                         : 0;

	if (s->network_parts == parts && s->shows_map == w->network)
		return;
	s->network_parts = parts;
	s->shows_map = w->network;
	look_at_network(s);
}

static void want_drifts(struct source *s, const struct source_wanted *w)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	const struct snapshot *now = observer_snapshot(s->observer);

	for (size_t i = 0; w->drifts && !w->all_drifts && i < w->n_seen; i++)
		strs_add(&names, w->seen[i]->name);
	for (size_t i = 0; w->all_drifts && i < now->n; i++)
		strs_add(&names, now->v[i].name);
	if (!names.bad)
		drifts_want(s->drifts, &names);
}

/* Out of memory: the next frame tries again. */
static void want_figures(struct source *s, const struct source_wanted *w)
{
	const struct snapshot *now = observer_snapshot(s->observer);
	CLEANUP(free_p) const struct machine **all = w->all_figures ? calloc(now->n + 1, sizeof(*all)) : NULL;
	size_t n = 0;

	for (size_t i = 0; all && i < now->n; i++)
		if (now->v[i].leader > 0)
			all[n++] = &now->v[i];
	(void)sampler_want(s->sampler, all ? all : w->seen, all ? n : w->n_seen, w->period_usec);
}

void source_want(struct source *s, const struct source_wanted *w)
{
	want_logs(s, w->logs);
	if (s->player)
		return;
	if (!s->timeline && timeline_new(s->loop, on_events, s, &s->timeline, NULL) >= 0 && s->settled)
		timeline_snapshot(s->timeline, observer_snapshot(s->observer));
	looker_want(s->looker, w->looked, w->look);
	checkups_want(s->checkups, w->ports);
	if (w->ports && !s->shows_ports)
		lints_stale(s->lints);
	s->shows_ports = w->ports;
	want_network(s, w);
	want_drifts(s, w);
	lints_want(s->lints, w->drifts);
	want_figures(s, w);
}

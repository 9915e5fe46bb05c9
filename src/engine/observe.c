#include "engine/observe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/cgroup.h"
#include "drivers/folder.h"
#include "drivers/rtnl.h"
#include "drivers/stopped.h"
#include "engine/gather.h"
#include "engine/guests.h"
#include "engine/trees.h"
#include "engine/unitwatch.h"

#define ONCE_USEC   1000000
#define GLANCE_USEC 100000
/* The least time between two refreshes: short, so that a change is seen at once, until a flood of events
 * lasts. */
#define GAP_USEC       20000
#define FLOOD_GAP_USEC 100000
#define FLOOD          20 /* refreshes without a pause of two flood gaps */
#define TREES_A_TURN   16 /* that are looked into between two keys */

enum stale { CONFS, MACHINES, NET, UNITS, TREES, GUESTS, DAEMONS, SOURCES };

struct observer {
	sd_event *loop;
	observer_changed_fn *changed;
	void *arg;

	struct sources seen;
	struct snapshot now;
	bool stale[SOURCES];
	struct err problems[SOURCES]; /* an empty text: none */

	struct err blind; /* changes that are not heard of; an empty text: none */
	struct unitwatch units;
	struct guests guests;
	struct nl nl, monitor;
	bool has_nl, has_monitor;
	bool brief; /* no child is made, and no tree is looked into */
	struct folder_watch *folders[4];
	sd_event_source *heard, *post, *later, *reading;
	uint64_t refreshed_usec; /* CLOCK_MONOTONIC */
	unsigned in_a_row;
};

static void on_units(void *arg)
{
	struct observer *o = arg;

	o->stale[UNITS] = true;
}

static void on_guests(void *arg)
{
	struct observer *o = arg;

	o->stale[GUESTS] = true;
}

/* ---- one refresh */

static void set_problem(struct observer *o, enum stale source, int r, const struct err *e)
{
	if (r < 0)
		o->problems[source] = *e;
	else
		o->problems[source].text[0] = '\0';
}

/* Not a failure of ours: sources that fail leave what they gave before, and the snapshot says so. */
static void gather(struct observer *o)
{
	struct err e;
	uint64_t now;

	if (o->stale[CONFS])
		set_problem(o, CONFS, gather_confs(&o->seen, &e), &e);
	if (o->stale[MACHINES])
		set_problem(o, MACHINES, gather_machines(&o->seen, &e), &e);
	if (o->stale[CONFS] || o->stale[MACHINES])
		set_problem(o, TREES, trees_gather(&o->seen, &e), &e);
	if (o->units.reloaded)
		o->units.reloaded = gather_masks(&o->seen, &e) < 0;
	gather_leaders(&o->seen);
	if ((o->stale[MACHINES] || o->stale[NET]) && o->has_nl)
		set_problem(o, NET, gather_net(&o->seen, &o->nl, &e), &e);
	if ((o->stale[MACHINES] || o->stale[UNITS]) && !o->brief)
		guests_update(&o->guests);
	o->problems[UNITS] = o->units.problem;
	memset(o->stale, 0, sizeof(o->stale));
	now = clock_usec(CLOCK_MONOTONIC);
	o->in_a_row = now - o->refreshed_usec > 2 * FLOOD_GAP_USEC ? 0 : o->in_a_row + 1;
	o->refreshed_usec = now;
}

static char *stale_sentence(const struct observer *o)
{
	static const char *const what[SOURCES] = {
		[CONFS] = "confs are old",      [MACHINES] = "running machines are old",
		[NET] = "addresses are old",    [UNITS] = "states are old, but for who runs",
		[TREES] = "systems are old",    [GUESTS] = "what failed inside is old",
		[DAEMONS] = "not all is heard",
	};
	char *text = NULL;

	for (size_t i = SOURCES; i > 0; i--)
		if (o->problems[i - 1].text[0])
			return asprintf(&text, "%s: %s", what[i - 1], o->problems[i - 1].text) < 0 ? NULL
			                                                                           : text;
	if (o->blind.text[0])
		return asprintf(&text, "changes are not seen by themselves: %s", o->blind.text) < 0 ? NULL
		                                                                                    : text;
	if (o->seen.machines.cut)
		return asprintf(&text, "only the first %d running machines are shown", MACHINED_MAX) < 0
		               ? NULL
		               : text;
	return NULL;
}

/* What somebody else would see here, and which right he has: short enough for one line of 120 columns. */
static char *limits_sentence(const struct observer *o)
{
	CLEANUP(strs_done) struct strs limits = { 0 };

	if (o->seen.net_denied)
		strs_add(&limits, "guest addresses: CAP_NET_ADMIN");
	if (o->units.log_denied)
		strs_add(&limits, "logs: group systemd-journal");
	if (geteuid() != 0)
		strs_add(&limits, "systems, images, failed units inside: root");
	return limits.n > 0 ? strs_join(&limits, "; ") : NULL;
}

static char *host_name(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	return gethostname(name, sizeof(name) - 1) < 0 ? NULL : strdup(name);
}

static int refresh(struct observer *o, struct err *e)
{
	struct snapshot made = { 0 };
	int r;

	gather(o);
	r = merge(&o->seen, &made, e);
	if (r < 0)
		return r;
	made.host = host_name();
	made.taken_usec = clock_usec(CLOCK_REALTIME);
	made.stale = stale_sentence(o);
	made.limits = limits_sentence(o);
	made.closed = geteuid() != 0;
	snapshot_done(&o->now);
	o->now = made;
	if (o->reading)
		(void)sd_event_source_set_enabled(o->reading, SD_EVENT_ONESHOT);
	return 0;
}

/* ---- events */

static bool is_stale(const struct observer *o)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (o->stale[i])
			return true;
	return false;
}

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	(void)arg;
	return 0; /* its turn of the loop ends in on_post() */
}

static int on_post(sd_event_source *s, void *arg)
{
	struct observer *o = arg;
	uint64_t next = o->refreshed_usec + (o->in_a_row < FLOOD ? GAP_USEC : FLOOD_GAP_USEC);

	(void)s;
	if (!is_stale(o))
		return 0;
	if (clock_usec(CLOCK_MONOTONIC) < next) {
		(void)sd_event_source_set_time(o->later, next);
		(void)sd_event_source_set_enabled(o->later, SD_EVENT_ONESHOT);
		return 0;
	}
	if (refresh(o, NULL) >= 0) /* out of memory: the old one stays */
		o->changed(&o->now, o->arg);
	return 0;
}

/* After what people wait for, a few at a time. */
static int on_reading(sd_event_source *s, void *arg)
{
	struct observer *o = arg;
	bool more;

	o->stale[TREES] |= trees_read(&o->seen, TREES_A_TURN, &more);
	return more ? sd_event_source_set_enabled(s, SD_EVENT_ONESHOT) : 0;
}

static void on_confs(void *arg)
{
	struct observer *o = arg;

	o->stale[CONFS] = true;
}

static void on_machines(void *arg)
{
	struct observer *o = arg;

	o->stale[MACHINES] = true;
}

/* What happens on the host's own side changes nothing that is shown. */
static void on_net(const struct rtnl_event *event, void *arg)
{
	struct observer *o = arg;

	if (!event->address || event->netnsid < 0)
		return;
	gather_net_stale(&o->seen, event->netnsid);
	o->stale[NET] = true;
}

static int on_heard(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct observer *o = arg;

	(void)s;
	(void)fd;
	(void)events;
	if (rtnl_events(&o->monitor, on_net, o, NULL) < 0) { /* some were lost */
		gather_net_stale(&o->seen, -1);
		o->stale[NET] = true;
	}
	return 0;
}

/* A watch that can not be had is told in the snapshot; what a user may not read he does not miss. */
static void note_blindness(struct observer *o, int r, const struct err *e)
{
	if (r < 0 && r != -ENOENT && r != -EACCES)
		o->blind = *e;
}

static void watch_folders(struct observer *o)
{
	static const struct {
		const char *path;
		folder_changed_fn *changed;
	} watched[COUNT(o->folders)] = {
		{ MACHINED_FOLDER, on_machines },
		{ "/var/lib/machines", on_machines },
		{ "/etc/containers", on_confs },
		{ "/etc/nixos-containers", on_confs },
	};
	struct err e;

	for (size_t i = 0; i < COUNT(watched); i++)
		note_blindness(
			o,
			folder_watch_new(o->loop, watched[i].path, watched[i].changed, o, &o->folders[i], &e),
			&e);
}

static int watch_net(struct observer *o, struct err *e)
{
	int r = rtnl_monitor(true, &o->monitor, e);

	if (r < 0)
		return r;
	o->has_monitor = true;
	r = sd_event_add_io(o->loop, &o->heard, o->monitor.fd, EPOLLIN, on_heard, o);
	return r < 0 ? err_sys(e, -r, "cannot listen to the kernel") : 0;
}

static int watch(struct observer *o, struct err *e)
{
	struct err net;
	int r;

	watch_folders(o);
	note_blindness(o, watch_net(o, &net), &net);
	r = sd_event_add_defer(o->loop, &o->reading, on_reading, o);
	if (r >= 0)
		r = sd_event_source_set_priority(o->reading, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_time(o->loop, &o->later, CLOCK_MONOTONIC, 0, 1000, on_later, o);
	if (r >= 0)
		r = sd_event_source_set_enabled(o->later, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_post(o->loop, &o->post, on_post, o);
	return r < 0 ? err_sys(e, -r, "cannot wait for events") : 0;
}

void observer_look(struct observer *o)
{
	CLEANUP(free_p) char *said = stopped_daemon("");
	struct err *problem = &o->problems[DAEMONS];

	if (strcmp(said ? said : "", problem->text) == 0)
		return;
	(void)err_set(problem, STATUS_UNAVAILABLE, ETIMEDOUT, "%s", said ? said : "");
	o->stale[DAEMONS] = true;
}

/* ---- making and freeing */

struct units *observer_units(struct observer *o)
{
	return o->units.units;
}

void observer_free(struct observer *o)
{
	if (!o)
		return;
	unitwatch_done(&o->units);
	guests_done(&o->guests);
	for (size_t i = 0; i < COUNT(o->folders); i++)
		folder_watch_free(o->folders[i]);
	sd_event_source_disable_unref(o->heard);
	sd_event_source_disable_unref(o->post);
	sd_event_source_disable_unref(o->later);
	sd_event_source_disable_unref(o->reading);
	if (o->has_nl)
		nl_close(&o->nl);
	if (o->has_monitor)
		nl_close(&o->monitor);
	sources_done(&o->seen);
	snapshot_done(&o->now);
	free(o);
}

/* Asks systemd, and the sources that answer at once. */
static int start(struct observer *o, sd_event *loop, struct err *e)
{
	struct err problem;
	int r;

	o->loop = loop;
	r = nl_open(NETLINK_ROUTE, &o->nl, &problem);
	set_problem(o, NET, r, &problem);
	o->has_nl = r >= 0;
	o->stale[CONFS] = o->stale[MACHINES] = o->stale[NET] = true;
	guests_start(&o->guests, loop, &o->seen, on_guests, o);
	return unitwatch_start(&o->units, loop, &o->seen, on_units, o, e);
}

int observer_new(sd_event *loop, observer_changed_fn *changed, void *arg, struct observer **ret,
                 struct err *e)
{
	struct observer *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return err_no_memory(e);
	o->changed = changed;
	o->arg = arg;
	r = start(o, loop, e);
	if (r >= 0)
		r = watch(o, e); /* before the first look, so that nothing falls between */
	if (r >= 0)
		r = refresh(o, e);
	if (r < 0) {
		observer_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

bool observer_is_settled(const struct observer *o)
{
	return unitwatch_is_settled(&o->units) && !is_stale(o);
}

const struct snapshot *observer_snapshot(const struct observer *o)
{
	return &o->now;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)usec;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

/* Until all have answered, or the deadline. */
static int await(struct observer *o, struct err *e)
{
	bool more;
	int r;

	gather(o);
	if (!o->brief)
		(void)trees_read(&o->seen, SIZE_MAX, &more);
	while (!unitwatch_is_settled(&o->units) || !guests_are_settled(&o->guests)) {
		r = sd_event_run(o->loop, UINT64_MAX);
		if (r < 0)
			return err_sys(e, -r, "cannot run an event loop");
		if (sd_event_get_state(o->loop) == SD_EVENT_FINISHED)
			break;
		if (o->stale[UNITS] && !o->brief)
			guests_update(&o->guests);
	}
	o->stale[MACHINES] = true; /* one that ended meanwhile is no ghost */
	return 0;
}

/* Systemd has no event for it, so who watches has it from the samples. */
static void find_frozen(struct snapshot *s)
{
	struct cgroupfs *fs;

	if (cgroupfs_open("", &fs, NULL) < 0)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].frozen = s->v[i].cgroup && cgroup_is_frozen(fs, s->v[i].cgroup);
	cgroupfs_close(fs);
}

static int observe_within(uint64_t usec, bool brief, struct snapshot *ret, struct err *e)
{
	struct observer *o = calloc(1, sizeof(*o));
	sd_event *loop = NULL;
	int r;

	if (!o)
		return err_no_memory(e);
	r = sd_event_new(&loop);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, NULL, CLOCK_MONOTONIC, usec, 1000, on_deadline, NULL);
	r = r < 0 ? err_sys(e, -r, "cannot make an event loop") : start(o, loop, e);
	o->units.brief = o->brief = brief;
	if (r >= 0)
		r = await(o, e);
	if (r >= 0)
		r = refresh(o, e);
	if (r >= 0) {
		*ret = o->now;
		o->now = (struct snapshot){ 0 };
		find_frozen(ret);
	}
	observer_free(o);
	sd_event_unref(loop);
	return r < 0 ? r : 0;
}

int observe_once(struct snapshot *ret, struct err *e)
{
	return observe_within(ONCE_USEC, false, ret, e);
}

int observe_glance(struct snapshot *ret, struct err *e)
{
	return observe_within(GLANCE_USEC, true, ret, e);
}

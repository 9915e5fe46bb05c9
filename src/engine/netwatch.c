#include "engine/netwatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "drivers/folder.h"
#include "drivers/hostnet.h"
#include "drivers/nft.h"
#include "drivers/rtnl_map.h"
#include "engine/look_read.h"
#include "engine/netspace.h"
#include "words/netmap_change.h"

#define TURN_USEC   5000   /* reading, in one turn of the loop */
#define GAP_USEC    250000 /* from one reading of everything to the next */
#define RETRY_USEC  250000 /* after what kept changing while it was read */
#define LINKS_ASKED 64     /* changed links of one namespace; more, and all of its links are read */

/* What is to be done for the space of the same place in the map. */
struct task {
	unsigned due; /* enum netspace_due */
	pid_t leader;
	char *cgroup;
	int links[LINKS_ASKED]; /* to be read by their index */
	size_t n_links;
};

struct netwatch {
	sd_event *loop;
	netwatch_changed_fn *changed;
	void *arg;
	unsigned parts;

	struct netmap now;
	struct task *tasks;
	bool forwards_due, managers_due, changes, has_asker, has_monitor, has_rules;

	struct netspace_asker by;
	struct nl monitor, rules;
	sd_event_source *heard, *heard_rules, *work, *later;
	struct folder_watch *folders[3];
	uint64_t resync_usec, traffic_usec;
};

/* ---- spaces */

static void task_done(struct task *t)
{
	free(t->cgroup);
	*t = (struct task){ 0 };
}

static void forget_map(struct netwatch *w)
{
	for (size_t i = 0; i < w->now.n; i++)
		task_done(&w->tasks[i]);
	free(w->tasks);
	w->tasks = NULL;
	netmap_done(&w->now);
}

static unsigned all_due(const struct netwatch *w)
{
	return w->parts & NETWATCH_LISTENERS ? NETSPACE_ALL : NETSPACE_ALL & ~(unsigned)NETSPACE_LISTENERS;
}

/* The id is not known to who may not ask for it. */
static bool is_of(const struct netmap_space *s, const struct task *t, const struct machine *m)
{
	return strcmp(s->machine, m->name) == 0 && t->leader == m->leader &&
	       (m->netnsid < 0 || s->netnsid == m->netnsid) && text_same(t->cgroup, m->cgroup);
}

static bool fill_space(struct netwatch *w, const struct machine *m, struct netmap_space *s, struct task *t)
{
	*s = (struct netmap_space){ .netnsid = m ? m->netnsid : NETMAP_HOST, .sysctls.rp_filter = -1 };
	*t = (struct task){ .due = all_due(w) };
	if (!(w->parts & NETWATCH_LISTENERS))
		s->no_listeners = strdup("not asked");
	if (!m)
		return true;
	(void)strncat(s->machine, m->name, sizeof(s->machine) - 1);
	s->shares_host = m->netnsid < 0 && m->leader > 0 && hostnet_shares(m->leader);
	t->leader = m->leader;
	t->cgroup = m->cgroup ? strdup(m->cgroup) : NULL;
	return !m->cgroup || t->cgroup;
}

struct spaces {
	struct netmap_space *v;
	struct task *tasks;
	size_t n;
};

/* The next space: as it was, when it is still that. */
static bool take_or_make(struct netwatch *w, const struct machine *m, size_t *at, struct spaces *to)
{
	struct netmap *now = &w->now;
	size_t i = *at;

	while (m && i < now->n && strcmp(now->v[i].machine, m->name) < 0)
		i++;
	*at = i;
	if (i < now->n && (!m || is_of(&now->v[i], &w->tasks[i], m))) {
		to->v[to->n] = now->v[i];
		to->tasks[to->n++] = w->tasks[i];
		now->v[i] = (struct netmap_space){ 0 };
		w->tasks[i] = (struct task){ 0 };
		++*at;
		return true;
	}
	w->changes = true;
	return fill_space(w, m, &to->v[to->n], &to->tasks[to->n]) && ++to->n;
}

/* The host's space first, then that of each machine that may run. */
static bool set_spaces(struct netwatch *w, const struct snapshot *machines)
{
	struct spaces made = { .v = calloc(machines->n + 1, sizeof(*made.v)),
		               .tasks = calloc(machines->n + 1, sizeof(*made.tasks)) };
	size_t at = 0, before = w->now.n;
	bool well = made.v && made.tasks && take_or_make(w, NULL, &at, &made);

	for (size_t i = 0; well && i < machines->n; i++)
		if (look_can_run(&machines->v[i]))
			well = take_or_make(w, &machines->v[i], &at, &made);
	for (size_t i = 0; i < w->now.n; i++) {
		netmap_space_done(&w->now.v[i]);
		task_done(&w->tasks[i]);
	}
	w->changes |= before != made.n;
	free(w->now.v);
	free(w->tasks);
	w->now.v = made.v;
	w->tasks = made.tasks;
	w->now.n = made.n;
	return well;
}

/* ---- reading what is due */

static void ask_links(struct netwatch *w, struct netmap_space *s, struct task *t)
{
	for (size_t i = 0; i < t->n_links && !(t->due & NETSPACE_LINKS); i++)
		if (rtnl_map_link(&w->by.nl, w->by.self, s, t->links[i], NULL) < 0)
			t->due |= NETSPACE_LINKS;
	t->n_links = 0;
}

/* Whether it was read whole. */
static bool do_task(struct netwatch *w, size_t i)
{
	struct netmap_space *s = &w->now.v[i];
	struct task *t = &w->tasks[i];
	unsigned due;

	if (i > 0 && s->netnsid < 0 && !s->shares_host && t->due & NETSPACE_LINKS)
		s->netnsid = netspace_find(&w->now.v[0], s->machine);
	ask_links(w, s, t);
	due = t->due;
	t->due = 0;
	w->changes = true;
	if (!due || netspace_read(&w->by, s, t->cgroup, due))
		return true;
	t->due = due;
	return false;
}

static bool is_due(const struct task *t)
{
	return t->due || t->n_links > 0;
}

static bool is_past(uint64_t deadline)
{
	return clock_usec(CLOCK_MONOTONIC) >= deadline;
}

/* Returns whether all that is due was done before the deadline; the host goes first, since guests are found by its
 * links. */
static bool do_tasks(struct netwatch *w, uint64_t deadline)
{
	w->now.approximate = false;
	for (size_t i = 0; i < w->now.n; i++) {
		if (!is_due(&w->tasks[i]))
			continue;
		if (is_past(deadline))
			return false;
		if (!do_task(w, i))
			w->now.approximate = true;
	}
	if (w->forwards_due) {
		netspace_forwards(&w->now);
		w->changes = true;
	}
	if (w->managers_due && w->now.n > 0)
		hostnet_managers("", &w->now.v[0]);
	w->forwards_due = w->managers_due = false;
	return true;
}

static void read_traffic(struct netwatch *w)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (!(w->parts & NETWATCH_TRAFFIC) || w->now.n == 0)
		return;
	if (rtnl_map_traffic(&w->by.nl, &w->now.v[0], w->traffic_usec, now, NULL) == 0)
		w->traffic_usec = now;
	w->changes = true;
}

static void work_soon(struct netwatch *w)
{
	(void)sd_event_source_set_enabled(w->work, SD_EVENT_ONESHOT);
}

static void work_later(struct netwatch *w, uint64_t usec)
{
	(void)sd_event_source_set_time(w->later, usec);
	(void)sd_event_source_set_enabled(w->later, SD_EVENT_ONESHOT);
}

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s, (void)usec;
	work_soon(arg);
	return 0;
}

static int on_work(sd_event_source *s, void *arg)
{
	struct netwatch *w = arg;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	(void)s;
	if (!do_tasks(w, now + TURN_USEC))
		work_soon(w);
	else if (w->now.approximate)
		work_later(w, now + RETRY_USEC);
	if (w->changes) {
		w->changes = false;
		w->now.at_usec = now;
		w->changed(&w->now, w->arg);
	}
	return 0;
}

/* ---- events */

static void ask_later(struct task *t, int link)
{
	for (size_t i = 0; i < t->n_links; i++)
		if (t->links[i] == link)
			return;
	if (t->n_links == LINKS_ASKED)
		t->due |= NETSPACE_LINKS;
	else
		t->links[t->n_links++] = link;
}

/* It went away, or to another namespace. */
static void ask_peers(struct netwatch *w, size_t of, int link)
{
	for (size_t i = 0; i < w->now.n; i++) {
		const struct netmap_space *s = &w->now.v[i];

		for (size_t k = 0; k < s->n_links; k++) {
			const struct netmap_link *l = &s->links[k];

			if (l->peer == link &&
			    (l->peer_is_here ? i == of : l->netnsid == w->now.v[of].netnsid))
				ask_later(&w->tasks[i], l->index);
		}
	}
}

static void look_at_manager(struct netmap_space *host, int link)
{
	const struct netmap_link *l = netmap_link(host, link);

	if (l)
		hostnet_manager("", &host->links[l - host->links]);
}

static void apply(struct netwatch *w, size_t i, const struct nlmsghdr *m)
{
	struct task *t = &w->tasks[i];
	int link = 0;

	if (w->now.v[i].no_links) /* what is not known can not be changed by a piece */
		return;
	switch (rtnl_map_apply(m, i == 0, &w->now.v[i], &link)) {
	case RTNL_MAP_NOTHING:
		return;
	case RTNL_MAP_CHANGED:
		break;
	case RTNL_MAP_GONE:
		ask_peers(w, i, link);
		break;
	case RTNL_MAP_ASK_LINK:
		ask_later(t, link);
		break;
	case RTNL_MAP_ASK_ROUTES:
		t->due |= NETSPACE_ROUTES;
		break;
	case RTNL_MAP_NO_MEMORY:
		t->due |= all_due(w);
		break;
	}
	if (i == 0 && link)
		look_at_manager(&w->now.v[0], link);
	w->changes = true;
}

/* A namespace that is its own peer is told with its id, or without. */
static void on_event(const struct nlmsghdr *m, int netnsid, void *arg)
{
	struct netwatch *w = arg;

	if (netnsid < 0 || netnsid == w->by.self) {
		apply(w, 0, m);
		return;
	}
	for (size_t i = 1; i < w->now.n; i++)
		if (w->now.v[i].netnsid == netnsid && !w->now.v[i].shares_host)
			apply(w, i, m);
}

static void on_lost_event(const struct nlmsghdr *m, int netnsid, void *arg)
{
	(void)m, (void)netnsid, (void)arg;
}

/* What came before the loss must not be applied to what is read after it. */
static void resync(struct netwatch *w)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC), next = w->resync_usec + GAP_USEC;

	for (int i = 0; i < 16 && nl_events(&w->monitor, on_lost_event, w, NULL) < 0; i++)
		;
	for (size_t i = 0; i < w->now.n; i++)
		w->tasks[i].due |= NETSPACE_LINKS | NETSPACE_ROUTES;
	w->now.resyncs++;
	w->changes = true;
	if (w->resync_usec > now) /* it is to be done then */
		return;
	w->resync_usec = next > now ? next : now;
	if (next > now)
		work_later(w, next);
	else
		work_soon(w);
}

static int on_heard(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct netwatch *w = arg;

	(void)s, (void)fd, (void)events;
	if (nl_events(&w->monitor, on_event, w, NULL) < 0)
		resync(w);
	else if (w->changes)
		work_soon(w);
	return 0;
}

static int on_rules(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct netwatch *w = arg;

	(void)s, (void)fd, (void)events;
	if (!nft_changed(&w->rules))
		return 0;
	w->forwards_due = true;
	work_soon(w);
	return 0;
}

static void on_managers(void *arg)
{
	struct netwatch *w = arg;

	w->managers_due = w->changes = true;
	work_soon(w);
}

/* ---- opening and closing */

static void close_all(struct netwatch *w)
{
	for (size_t i = 0; i < COUNT(w->folders); i++) {
		folder_watch_free(w->folders[i]);
		w->folders[i] = NULL;
	}
	w->heard = sd_event_source_disable_unref(w->heard);
	w->heard_rules = sd_event_source_disable_unref(w->heard_rules);
	w->work = sd_event_source_disable_unref(w->work);
	w->later = sd_event_source_disable_unref(w->later);
	if (w->has_asker)
		nl_close(&w->by.nl);
	if (w->has_monitor)
		nl_close(&w->monitor);
	if (w->has_rules)
		nl_close(&w->rules);
	cgroupfs_close(w->by.fs);
	w->by = (struct netspace_asker){ .self = NETMAP_HOST };
	w->has_asker = w->has_monitor = w->has_rules = false;
	forget_map(w);
	w->parts = 0;
	w->traffic_usec = 0;
}

static int open_asker(struct netwatch *w, struct err *e)
{
	int r = nl_open(NETLINK_ROUTE, &w->by.nl, e);

	if (r < 0)
		return r;
	w->has_asker = true;
	w->by.self = rtnl_map_self(&w->by.nl);
	return 0;
}

/* Who may not hear of rules sees none either. */
static int open_monitors(struct netwatch *w, struct err *e)
{
	int r = rtnl_map_monitor(&w->monitor, e);

	if (r < 0)
		return r;
	w->has_monitor = true;
	w->has_rules = nft_monitor(&w->rules, NULL) == 0;
	r = sd_event_add_io(w->loop, &w->heard, w->monitor.fd, EPOLLIN, on_heard, w);
	if (r >= 0 && w->has_rules)
		r = sd_event_add_io(w->loop, &w->heard_rules, w->rules.fd, EPOLLIN, on_rules, w);
	if (r >= 0)
		r = sd_event_add_defer(w->loop, &w->work, on_work, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->work, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(w->loop, &w->later, CLOCK_MONOTONIC, 0, 1000, on_later, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->later, SD_EVENT_OFF);
	return r < 0 ? err_sys(e, -r, "cannot listen to the kernel") : 0;
}

/* Only those that are there: who comes later is seen with the next change of a link. */
static void watch_managers(struct netwatch *w)
{
	static const char *const paths[] = { HOSTNET_NETWORKD, HOSTNET_MANAGER, HOSTNET_DHCPCD };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (access(paths[i], X_OK) == 0)
			(void)folder_watch_new(w->loop, paths[i], on_managers, w, &w->folders[i], NULL);
}

/* The monitors stand before the first look, so that nothing falls between. */
static int open_all(struct netwatch *w, struct err *e)
{
	int r = open_monitors(w, e);

	if (r == 0)
		r = open_asker(w, e);
	if (r == 0)
		watch_managers(w);
	w->forwards_due = true;
	return r;
}

/* ---- the face */

static void want_more(struct netwatch *w, unsigned parts)
{
	if (parts & NETWATCH_LISTENERS & ~w->parts)
		for (size_t i = 0; i < w->now.n; i++)
			w->tasks[i].due |= NETSPACE_LISTENERS;
	w->parts = parts | NETWATCH_MAP;
}

int netwatch_want(struct netwatch *w, const struct snapshot *machines, unsigned parts, struct err *e)
{
	int r = 0;

	if (!machines || parts == 0) {
		close_all(w);
		return 0;
	}
	if (!w->has_asker)
		r = open_all(w, e);
	if (r == 0) {
		want_more(w, parts);
		if (!set_spaces(w, machines))
			r = err_no_memory(e);
	}
	if (r < 0) {
		close_all(w);
		return r;
	}
	if (!netwatch_is_settled(w) || w->changes)
		work_soon(w);
	return 0;
}

void netwatch_tick(struct netwatch *w)
{
	for (size_t i = 0; w->parts & NETWATCH_LISTENERS && i < w->now.n; i++)
		w->tasks[i].due |= NETSPACE_LISTENERS | NETSPACE_NAMES;
	read_traffic(w);
	if (w->work)
		work_soon(w);
}

const struct netmap *netwatch_now(const struct netwatch *w)
{
	return &w->now;
}

bool netwatch_is_settled(const struct netwatch *w)
{
	for (size_t i = 0; i < w->now.n; i++)
		if (is_due(&w->tasks[i]))
			return false;
	return w->now.n > 0 && !w->forwards_due;
}

int netwatch_new(sd_event *loop, netwatch_changed_fn *changed, void *arg, struct netwatch **ret,
                 struct err *e)
{
	struct netwatch *w = calloc(1, sizeof(*w));

	if (!w)
		return err_no_memory(e);
	*w = (struct netwatch){ .loop = loop, .changed = changed, .arg = arg, .by.self = NETMAP_HOST };
	*ret = w;
	return 0;
}

void netwatch_free(struct netwatch *w)
{
	if (!w)
		return;
	close_all(w);
	free(w);
}

int netmap_read(const struct snapshot *machines, unsigned parts, struct netmap *ret, struct err *e)
{
	struct netwatch w = { .parts = parts | NETWATCH_MAP, .by.self = NETMAP_HOST, .forwards_due = true };
	int r = open_asker(&w, e);

	if (r == 0 && !set_spaces(&w, machines))
		r = err_no_memory(e);
	if (r == 0) {
		(void)do_tasks(&w, UINT64_MAX);
		read_traffic(&w);
		w.now.at_usec = clock_usec(CLOCK_MONOTONIC);
		if (w.now.v[0].no_links)
			r = err_set(e, STATUS_SYSTEM, EIO, "%s", w.now.v[0].no_links);
	}
	if (r == 0) {
		*ret = w.now;
		for (size_t i = 0; i < w.now.n; i++)
			task_done(&w.tasks[i]);
		free(w.tasks);
		w.tasks = NULL;
		w.now = (struct netmap){ 0 };
	}
	close_all(&w);
	return r;
}

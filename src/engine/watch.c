#include "engine/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/plan.h"
#include "engine/claims.h"
#include "engine/earlystop.h"
#include "engine/network.h"
#include "words/name.h"

struct watch {
	struct nl events, requests;
	int *known; /* indexes of the veths and bridges that were seen */
	size_t n_known;
	bool new_veth, new_bridge; /* since the last look */
};

static void watch_done(struct watch *w)
{
	nl_close(&w->events);
	nl_close(&w->requests);
	free(w->known);
}

static void say(const struct err *e)
{
	(void)fprintf(stderr, "<4>machdeck: %s\n", e->text);
}

/* ---- what was seen */

static size_t find_known(const struct watch *w, int index)
{
	size_t i = 0;

	while (i < w->n_known && w->known[i] != index)
		i++;
	return i;
}

/* Only a new veth or bridge can call for work; a link that goes up or down, as all do during a start, can
 * not. */
static void on_event(const struct rtnl_event *event, void *arg)
{
	struct watch *w = arg;
	const struct link *l = event->link;
	bool bridge = l && strcmp(l->kind, "bridge") == 0, veth = l && strcmp(l->kind, "veth") == 0;
	size_t i = l ? find_known(w, l->index) : 0;
	int *grown;

	if (!bridge && !veth)
		return;
	if (i < w->n_known) {
		if (event->gone)
			w->known[i] = w->known[--w->n_known];
		return;
	}
	if (event->gone)
		return;
	w->new_bridge = w->new_bridge || bridge;
	w->new_veth = w->new_veth || veth;
	grown = reallocarray(w->known, w->n_known + 1, sizeof(*grown));
	if (!grown) /* then its next event is taken for a new link once more */
		return;
	w->known = grown;
	w->known[w->n_known++] = l->index;
}

static int see_all(struct watch *w, struct err *e)
{
	CLEANUP(links_done) struct links all = { 0 };
	int r = rtnl_links(&w->requests, &all, e);

	w->n_known = 0;
	for (size_t i = 0; r == 0 && i < all.n; i++)
		on_event(&(struct rtnl_event){ .link = &all.v[i], .netnsid = -1 }, w);
	w->new_veth = w->new_bridge = true;
	return r;
}

/* ---- what is to be done for one container */

static bool all_there(struct watch *w, const struct netops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->v[i].dev[0] && rtnl_index(&w->requests, ops->v[i].dev) == 0)
			return false;
	return true;
}

static void bring_up(struct watch *w, const struct claims *c)
{
	const char *name = c->machine.name;
	struct err e;
	int r;

	if (c->host.n == 0 || !all_there(w, &c->host) || network_is_done("", &w->requests, name, &c->host))
		return;
	r = rtnl_apply(name, &c->host, &e);
	network_mark_done("", &w->requests, name, &c->host, r < 0 ? &e : NULL);
	if (r < 0)
		say(&e);
}

/* Attach dev to its bridge if both are there and it hangs on none: a bridge that goes lets go of its
 * links. */
static void reattach(struct watch *w, struct netops *to, const char *dev, const char *bridge)
{
	CLEANUP(link_done) struct link l = { 0 };
	int index = rtnl_index(&w->requests, dev);

	if (index == 0 || rtnl_index(&w->requests, bridge) == 0)
		return;
	if (rtnl_link(&w->requests, index, &l, NULL) < 0 || strcmp(l.kind, "veth") != 0 || l.master)
		return;
	netops_add_port(to, dev, bridge);
}

static void reattach_all(struct watch *w, const struct claims *c)
{
	CLEANUP(netops_done) struct netops ops = { 0 };
	char main_link[NETOP_NAME_SIZE];
	size_t at = 0;
	const char *bridge = claims_value(c, "network-bridge", &at);
	struct err e;

	(void)snprintf(main_link, sizeof(main_link), "vb-%s", c->machine.name);
	if (bridge)
		reattach(w, &ops, main_link, bridge);
	for (size_t i = 0; i < c->host.n; i++)
		if (c->host.v[i].kind == NETOP_MASTER)
			reattach(w, &ops, c->host.v[i].dev, c->host.v[i].to);
	if (rtnl_apply(c->machine.name, &ops, &e) < 0)
		say(&e);
}

static void tend(struct watch *w, const char *name)
{
	CLEANUP(claims_done) struct claims c = { 0 };
	struct err e;

	if (claims_read("", name, &c, &e) < 0) {
		say(&e);
		return;
	}
	bring_up(w, &c);
	if (w->new_bridge)
		reattach_all(w, &c);
}

/* With no new bridge, only those that wait for their links: they have no host.done yet. */
static bool is_waiting(int folder, const char *name)
{
	char host[NAME_MAX + 16], done[NAME_MAX + 16];

	(void)snprintf(host, sizeof(host), "%s/host", name);
	(void)snprintf(done, sizeof(done), "%s/host.done", name);
	return faccessat(folder, host, F_OK, 0) == 0 && faccessat(folder, done, F_OK, 0) < 0;
}

static int tend_all(struct watch *w, struct err *e)
{
	DIR *folder = opendir(PLAN_RUN_DIR);
	struct dirent *entry;
	int r;

	if (!folder)
		return errno == ENOENT ? 0 : err_sys(e, errno, "cannot read " PLAN_RUN_DIR);
	while ((errno = 0, entry = readdir(folder)))
		if (name_is_machine(entry->d_name) &&
		    (w->new_bridge || is_waiting(dirfd(folder), entry->d_name)))
			tend(w, entry->d_name);
	r = errno ? err_sys(e, errno, "cannot read " PLAN_RUN_DIR) : 0;
	closedir(folder);
	if (r == 0)
		w->new_veth = w->new_bridge = false;
	return r;
}

/* ---- the loop */

static int on_readable(sd_event_source *s, int fd, uint32_t mask, void *arg)
{
	struct watch *w = arg;
	struct err e;
	int r = rtnl_events(&w->events, on_event, w, &e);

	(void)fd;
	(void)mask;
	if (r == -ENOBUFS)
		r = see_all(w, &e);
	if (r == 0 && (w->new_veth || w->new_bridge))
		r = tend_all(w, &e);
	if (r == 0)
		return 0;
	say(&e);
	return sd_event_exit(sd_event_source_get_event(s), r); /* systemd starts us anew */
}

static int run_loop(struct watch *w, struct err *e)
{
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct earlystop *earlystop = NULL;
	int r = sd_event_new(&loop);

	if (r >= 0)
		r = sd_event_add_io(loop, NULL, w->events.fd, EPOLLIN, on_readable, w);
	if (r >= 0 && earlystop_new(loop, &earlystop, e) < 0)
		say(e);
	if (r >= 0)
		r = sd_notify(0, "READY=1\nSTATUS=Waiting for links of containers");
	if (r >= 0)
		r = sd_event_loop(loop);
	earlystop_free(earlystop);
	return r < 0 ? err_sys(e, -r, "cannot watch the network") : 0;
}

int watch_run(struct err *e)
{
	CLEANUP(watch_done) struct watch w = { .events.fd = -1, .requests.fd = -1 };
	int r = rtnl_monitor(false, &w.events, e);

	if (r == 0)
		r = nl_open(NETLINK_ROUTE, &w.requests, e);
	if (r == 0)
		r = see_all(&w, e);
	if (r == 0)
		r = tend_all(&w, e);
	return r < 0 ? r : run_loop(&w, e);
}

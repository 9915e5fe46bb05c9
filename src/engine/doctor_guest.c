/* What the doctor reads inside a machine: by the id of its network namespace, and by sockets that are opened in it and
 * closed at once (an open one would keep a dead namespace, and its link, alive). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/enter.h"
#include "drivers/nft_rules.h"
#include "engine/doctor_read.h"

static const uint8_t families[DOCTOR_FAMILIES] = { [DOCTOR_V4] = AF_INET, [DOCTOR_V6] = AF_INET6 };

void doctor_guest_done(struct doctor_guest *g)
{
	links_done(&g->links);
	free(g->addresses.v);
	for (size_t i = 0; i < DOCTOR_FAMILIES; i++) {
		free(g->routes[i].v);
		free(g->confs[i].v);
	}
	free(g->listening.v);
	firewall_done(&g->filters);
	free(g->listeners);
	free(g->holders);
	*g = (struct doctor_guest){ .netnsid = -1 };
}

struct doctor_listener doctor_listener_from(const struct listening *l, const struct holder *holder)
{
	return (struct doctor_listener){
		.udp = l->udp,
		.v6_only = l->v6_only,
		.at = l->at,
		.port = l->port,
		.pid = holder ? holder->pid : 0,
		.process = holder && *holder->process ? holder->process : NULL,
		.unit = holder && *holder->unit ? holder->unit : NULL,
	};
}

static int read_links(struct doctor_host *h, struct doctor_guest *g, struct err *e)
{
	int r = rtnl_links_in(&h->nl, g->netnsid, &g->links, e);

	if (r == 0)
		r = rtnl_addresses(&h->nl, g->netnsid, &g->addresses, e);
	g->addresses_known = r == 0;
	return r;
}

static int read_way(int netns, struct doctor_guest *g, struct err *e)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	int r = nl_open_in(netns, NETLINK_ROUTE, &nl, e);

	if (r == 0 &&
	    !g->addresses_known) { /* it has no id here: no link of it has its other end on the host */
		r = rtnl_links(&nl, &g->links, e);
		if (r == 0)
			r = rtnl_addresses(&nl, -1, &g->addresses, e);
		g->addresses_known = r == 0;
	}
	for (size_t f = 0; r == 0 && f < DOCTOR_FAMILIES; f++) {
		r = rtnl_routes(&nl, families[f], &g->routes[f], e);
		if (r == 0)
			(void)rtnl_confs(&nl, families[f], &g->confs[f], NULL);
	}
	return r;
}

static int read_listening(int netns, struct doctor_guest *g, struct err *e)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	int r = nl_open_in(netns, NETLINK_SOCK_DIAG, &nl, e);

	return r < 0 ? r : diag_listening(&nl, &g->listening, e);
}

static int read_inside(const struct machine *m, struct doctor_guest *g, struct err *e)
{
	CLEANUP(close_p) int netns = -1;
	int r = geteuid() == 0 ? enter_netns(m->name, &netns, e) : -EPERM;

	if (r == 0)
		r = read_way(netns, g, e);
	if (r == 0)
		r = read_listening(netns, g, e);
	if (r < 0)
		return r;
	g->inside_known = true;
	r = nft_rules(netns, &g->filters, e);
	g->filters_known = r == 0 || r == -EOPNOTSUPP;
	return 0;
}

static int name_listeners(struct doctor_host *h, const struct machine *m, struct doctor_guest *g)
{
	size_t n = g->listening.n;

	if (n == 0)
		return 0;
	g->holders = calloc(n, sizeof(*g->holders));
	g->listeners = calloc(n, sizeof(*g->listeners));
	if (!g->holders || !g->listeners)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		g->holders[i].inode = g->listening.v[i].inode;
	if (h->fs && m->cgroup)
		holders_find(h->fs, m->cgroup, g->holders, n);
	for (size_t i = 0; i < n; i++)
		g->listeners[i] = doctor_listener_from(&g->listening.v[i], &g->holders[i]);
	return 0;
}

static const char *blind(int r)
{
	return r == -EPERM || r == -EACCES ? "what is inside takes root to see"
	                                   : "what is inside could not be read";
}

int doctor_guest_read(struct doctor_host *h, const struct machine *m, struct doctor_guest *ret)
{
	CLEANUP(doctor_guest_done) struct doctor_guest g = { .netnsid = m->netnsid };
	struct err e;
	int r = g.netnsid >= 0 ? read_links(h, &g, &e) : -EPERM, inside = read_inside(m, &g, &e);

	if (inside < 0)
		g.no_listeners = blind(inside);
	if (!g.addresses_known)
		g.no_guest = blind(r < 0 ? r : inside);
	for (size_t i = 0; g.netnsid >= 0 && i < h->links.n && !g.host_link; i++)
		if (h->links.v[i].netnsid == g.netnsid && strcmp(h->links.v[i].kind, "veth") == 0)
			g.host_link = &h->links.v[i];
	if (name_listeners(h, m, &g) < 0)
		return -ENOMEM;
	*ret = g;
	g = (struct doctor_guest){ .netnsid = -1 };
	return 0;
}

/* The links of a machine, from both ends. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/enter.h"
#include "engine/load.h"
#include "engine/look_read.h"

/* What one namespace has. */
struct side {
	struct links links;
	struct netaddrs addresses;
};

static void side_done(struct side *s)
{
	links_done(&s->links);
	free(s->addresses.v);
}

static int read_side(struct nl *nl, int netnsid, struct side *ret, struct err *e)
{
	int r = rtnl_links_in(nl, netnsid, &ret->links, e);

	return r < 0 ? r : rtnl_addresses(nl, netnsid, &ret->addresses, e);
}

static void fill_end(const struct side *s, const struct link *l, struct look_end *ret)
{
	const struct link *master = l->master ? links_at(&s->links, l->master) : NULL;
	char text[ADDR_TEXT_SIZE];

	ret->index = l->index;
	memcpy(ret->name, l->name, sizeof(ret->name));
	strs_add_all(&ret->altnames, &l->altnames);
	memcpy(ret->kind, l->kind, sizeof(ret->kind));
	ret->master_index = l->master;
	if (master)
		memcpy(ret->master, master->name, sizeof(ret->master));
	ret->up = l->up;
	ret->carrier = l->carrier;
	ret->mtu = l->mtu;
	memcpy(ret->mac, l->mac, sizeof(ret->mac));
	for (size_t i = 0; i < s->addresses.n; i++) {
		if (s->addresses.v[i].link != l->index)
			continue;
		addr_print(&s->addresses.v[i].addr, true, text);
		strs_add(&ret->addresses, text);
	}
}

/* ---- which links are its */

/* By the id of its network; who may not ask for that id finds it at the link that bears its name. */
static int netnsid_of(const struct machine *m, const struct links *links)
{
	static const char *const prefixes[] = { "ve-", "vb-" };
	char name[NETOP_NAME_SIZE];

	if (m->netnsid >= 0 || !look_can_run(m))
		return m->netnsid;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		const struct link *l;

		(void)snprintf(name, sizeof(name), "%s%s", prefixes[i], m->name);
		l = links_find_host(links, name);
		if (l && strcmp(l->kind, "veth") == 0)
			return l->netnsid;
	}
	return -1;
}

static struct look_link *add_link(struct look_network *n)
{
	struct look_link *grown = reallocarray(n->v, n->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	n->v = grown;
	grown[n->n] = (struct look_link){ 0 };
	return &grown[n->n++];
}

static bool add_host_ends(const struct side *host, const struct side *guest, int netnsid,
                          struct look_network *ret)
{
	for (size_t i = 0; netnsid >= 0 && i < host->links.n; i++) {
		const struct link *l = &host->links.v[i], *peer = links_at(&guest->links, l->peer);
		struct look_link *new;

		if (l->netnsid != netnsid || strcmp(l->kind, "veth") != 0)
			continue;
		new = add_link(ret);
		if (!new)
			return false;
		fill_end(host, l, &new->host);
		if (peer)
			fill_end(guest, peer, &new->guest);
	}
	return true;
}

static bool is_paired(const struct look_network *n, int guest_index)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].guest.index == guest_index)
			return true;
	return false;
}

/* A macvlan, a link that was moved into it. Where both ends are in namespaces, ids of links mean the other's
 * view, so only a macvlan's parent is looked for here. */
static bool add_guest_links(const struct side *host, const struct side *guest, struct look_network *ret)
{
	for (size_t i = 0; i < guest->links.n; i++) {
		const struct link *l = &guest->links.v[i], *parent;
		struct look_link *new;

		if (strcmp(l->name, "lo") == 0 || is_paired(ret, l->index))
			continue;
		new = add_link(ret);
		if (!new)
			return false;
		fill_end(guest, l, &new->guest);
		parent = strcmp(l->kind, "macvlan") == 0 || strcmp(l->kind, "ipvlan") == 0
		                 ? links_at(&host->links, l->peer)
		                 : NULL;
		if (parent)
			fill_end(host, parent, &new->host);
	}
	return true;
}

/* ---- routes */

static void add_route(const struct netroute *r, const struct links *links, struct strs *ret)
{
	char to[ADDR_TEXT_SIZE], via[ADDR_TEXT_SIZE];
	const struct link *l = links_at(links, r->link);

	addr_print(&r->to, r->to.prefix < addr_bits(&r->to), to);
	addr_print(&r->gateway, false, via);
	strs_addf(ret, "%s%s%s dev %s", r->to.prefix == 0 ? "default" : to, *via ? " via " : "", via,
	          l ? l->name : "?");
}

/* only: links whose routes count; NULL: all. */
static int add_routes(struct nl *nl, const struct links *links, const struct look_network *only,
                      struct strs *ret, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (size_t f = 0; f < COUNT(families); f++) {
		struct netroutes routes = { 0 };
		int r = rtnl_routes(nl, families[f], &routes, e);

		if (r < 0)
			return r;
		for (size_t i = 0; i < routes.n; i++) {
			bool counts = !only;

			for (size_t k = 0; only && k < only->n; k++)
				counts |= only->v[k].host.index == routes.v[i].link &&
				          strcmp(only->v[k].host.kind, "veth") == 0;
			if (counts)
				add_route(&routes.v[i], links, ret);
		}
		free(routes.v);
	}
	return 0;
}

static char *note(int r, const struct err *e, const char *right)
{
	return r == -EPERM || r == -EACCES ? strdup(right) : strdup(e->text);
}

static void read_guest_routes(const struct machine *m, const struct side *guest, struct look_network *ret)
{
	CLEANUP(close_p) int netns = -1;
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct err e;
	int r = geteuid() == 0 ? enter_netns(m->name, &netns, &e) : -EPERM;

	if (r == 0)
		r = nl_open_in(netns, NETLINK_ROUTE, &nl, &e);
	if (r == 0)
		r = add_routes(&nl, &guest->links, NULL, &ret->guest_routes, &e);
	if (r < 0)
		ret->no_routes = note(r, &e, "its routes can be seen by root alone");
}

/* ---- all of it */

static void read_guest(struct nl *nl, const struct machine *m, int netnsid, struct side *guest,
                       struct look_network *ret)
{
	struct err e;
	int r = read_side(nl, netnsid, guest, &e);

	if (r < 0) {
		side_done(guest);
		*guest = (struct side){ 0 };
		ret->no_guest = note(r, &e, "what is inside takes root (CAP_NET_ADMIN) to see");
		return;
	}
	read_guest_routes(m, guest, ret);
}

static bool read_running(struct nl *nl, const struct machine *m, struct look_network *ret)
{
	CLEANUP(side_done) struct side host = { 0 }, guest = { 0 };
	struct err e;
	int netnsid, r = read_side(nl, -1, &host, &e);

	if (r < 0) {
		ret->problem = strdup(e.text);
		return ret->problem;
	}
	netnsid = netnsid_of(m, &host.links);
	if (netnsid >= 0)
		read_guest(nl, m, netnsid, &guest, ret);
	else if (m->leader && geteuid() == 0)
		ret->shares_host = true;
	else
		ret->no_guest = strdup("its network is not known: finding it takes root (CAP_NET_ADMIN)");
	if (!add_host_ends(&host, &guest, netnsid, ret) || !add_guest_links(&host, &guest, ret))
		return false;
	r = add_routes(nl, &host.links, ret, &ret->host_routes, &e);
	if (r < 0)
		ret->problem = strdup(e.text);
	return !ret->host_routes.bad && !ret->guest_routes.bad;
}

static void plan_ops(const char *where, const struct netops *ops, struct strs *ret)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };
		CLEANUP(free_p) char *joined = NULL;

		netop_words(&ops->v[i], &words);
		joined = strs_join(&words, " ");
		strs_addf(ret, "%s%s", where, joined ? joined : "");
	}
}

static bool is_of_network(const char *word)
{
	return strncmp(word, "--network-", 10) == 0 || strcmp(word, "--private-network") == 0 ||
	       strncmp(word, "--port", 6) == 0;
}

static bool read_planned(const struct machine *m, struct look_network *ret)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	struct err e;

	if (!m->configured)
		return true;
	if (load_plan("", m->name, &l, &e) < 0) {
		ret->problem = strdup(e.text);
		return ret->problem;
	}
	for (size_t i = 0; i < l.plan.argv.n; i++)
		if (is_of_network(l.plan.argv.v[i]))
			strs_addf(&ret->planned, "systemd-nspawn %s", l.plan.argv.v[i]);
	plan_ops("inside: ", &l.plan.init, &ret->planned);
	plan_ops("host: ", &l.plan.poststart, &ret->planned);
	ret->shares_host = !container_has_private_net(&l.container);
	return !ret->planned.bad;
}

bool look_read_network(const struct machine *m, struct look_network *ret)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct err e;

	if (!look_can_run(m))
		return read_planned(m, ret);
	if (nl_open(NETLINK_ROUTE, &nl, &e) < 0) {
		ret->problem = strdup(e.text);
		return ret->problem;
	}
	return read_running(&nl, m, ret);
}

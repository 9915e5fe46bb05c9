#include "engine/netspace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/diag.h"
#include "drivers/enter.h"
#include "drivers/holders.h"
#include "drivers/hostnet.h"
#include "drivers/machined.h"
#include "drivers/nft.h"
#include "drivers/rootfs.h"
#include "drivers/rtnl_map.h"
#include "words/netmap_change.h"

static bool is_host(const struct netmap_space *s)
{
	return !s->machine[0];
}

static void note(char **text, int r, const struct err *e, const char *right)
{
	free(*text);
	*text = strdup(r == -EPERM || r == -EACCES ? right : e->text);
}

/* ---- links and addresses */

/* While the guest's links are asked for, the kernel may give our own namespace the id that their peers are told by: then
 * they are read once more. */
static int read_guest_links(struct netspace_asker *by, struct netmap_space *s, struct err *e)
{
	int r = rtnl_map_links(&by->nl, by->self, s, e);

	if (r == 0 && by->self == NETMAP_HOST) {
		by->self = rtnl_map_self(&by->nl);
		if (by->self != NETMAP_HOST)
			r = rtnl_map_links(&by->nl, by->self, s, e);
	}
	return r;
}

static bool read_links(struct netspace_asker *by, struct netmap_space *s)
{
	struct err e = { 0 };
	int r;

	if (!is_host(s) && s->netnsid < 0) {
		netmap_forget_links(s);
		s->no_links = strdup(
			geteuid() == 0 ? "its network is not known yet"
				       : "its network is not known: finding it takes root (CAP_NET_ADMIN)");
		return true;
	}
	r = is_host(s) ? rtnl_map_links(&by->nl, by->self, s, &e) : read_guest_links(by, s, &e);
	if (r == 0 && is_host(s))
		hostnet_managers("", s);
	if (r < 0 && r != -EAGAIN) {
		netmap_forget_links(s);
		note(&s->no_links, r, &e, "its links and addresses take root (CAP_NET_ADMIN) to see");
	}
	return r != -EAGAIN;
}

/* ---- routes, and how packets are treated */

static int read_routes(struct nl *nl, struct netmap_space *s, struct err *e)
{
	int r = rtnl_map_routes(nl, s, e);

	rtnl_map_sysctls(nl, s);
	if (is_host(s))
		s->sysctls.disable6 = hostnet_disable6("");
	return r;
}

/* ---- listeners */

static int by_port(const void *x, const void *y)
{
	const struct netmap_listener *a = x, *b = y;
	int r = (a->udp > b->udp) - (a->udp < b->udp);

	if (r == 0)
		r = (a->port > b->port) - (a->port < b->port);
	if (r == 0)
		r = (a->at.family > b->at.family) - (a->at.family < b->at.family);
	return r != 0 ? r : memcmp(a->at.bytes, b->at.bytes, sizeof(a->at.bytes));
}

/* Whose sockets they are. */
static bool name_listeners(struct netspace_asker *by, struct netmap_space *s, const char *cgroup)
{
	CLEANUP(free_p) struct holder *holders = calloc(s->n_listeners + 1, sizeof(*holders));

	if (!holders)
		return false;
	if (!by->fs)
		(void)cgroupfs_open("", &by->fs, NULL);
	if (!by->fs || (!is_host(s) && !cgroup))
		return true;
	for (size_t i = 0; i < s->n_listeners; i++)
		holders[i].inode = s->listeners[i].inode;
	holders_find(by->fs, is_host(s) ? NULL : cgroup, holders, s->n_listeners);
	for (size_t i = 0; i < s->n_listeners; i++) {
		struct netmap_listener *l = &s->listeners[i];

		l->pid = holders[i].pid;
		_Static_assert(sizeof(l->process) == sizeof(holders[i].process), "all of it");
		memcpy(l->process, holders[i].process, sizeof(l->process));
		memcpy(l->unit, holders[i].unit, sizeof(l->unit));
	}
	return true;
}

static int read_listeners(struct netspace_asker *by, struct nl *nl, struct netmap_space *s,
                          const char *cgroup, struct err *e)
{
	struct listenings found = { 0 };
	int r = diag_listening(nl, &found, e);

	if (r < 0)
		return r;
	netmap_forget_listeners(s);
	s->listeners = calloc(found.n + 1, sizeof(*s->listeners));
	for (size_t i = 0; s->listeners && i < found.n; i++) {
		const struct listening *l = &found.v[i];

		s->listeners[s->n_listeners++] = (struct netmap_listener){ .udp = l->udp,
			                                                   .v6_only = l->v6_only,
			                                                   .at = l->at,
			                                                   .port = l->port,
			                                                   .link = l->link,
			                                                   .inode = l->inode };
	}
	free(found.v);
	if (!s->listeners || !name_listeners(by, s, cgroup))
		return err_no_memory(e);
	if (s->n_listeners > 0)
		qsort(s->listeners, s->n_listeners, sizeof(*s->listeners), by_port);
	return 0;
}

/* ---- name servers */

/* From its tree, not from its own file system: what a guest has mounted there may let us wait for ever. */
static void read_names(struct netmap_space *s)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	CLEANUP(rootfs_done) struct rootfs tree = { .fd = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };
	int r;

	if (is_host(s)) {
		hostnet_own_names("", s);
		return;
	}
	strs_done(&s->name_servers);
	free(s->no_name_servers);
	s->no_name_servers = NULL;
	s->no_names_file = false;
	r = machined_find("", s->machine, &m, &e);
	if (r == 0 && (!m.root || m.root[0] != '/' || !m.root[1]))
		r = err_set(&e, STATUS_FAILED, ENOENT, "its tree is not known");
	if (r == 0)
		r = rootfs_open(m.root, ROOTFS_REFUSE, 0, &tree, &e);
	if (r == 0)
		r = rootfs_read(&tree, "etc/resolv.conf", HOSTNET_RESOLV_MAX, &text, &e);
	if (r == -ENOENT && tree.fd >= 0 && !rootfs_has(&tree, "etc/resolv.conf"))
		s->no_names_file = true;
	else if (r < 0)
		note(&s->no_name_servers, r, &e, "its tree takes root to look into");
	else if (text.len == 0)
		s->no_name_servers =
			strdup("the /etc/resolv.conf in its tree is empty, or another is mounted over it");
	else
		hostnet_names(buf_text(&text), &s->name_servers);
}

/* ---- what takes a socket in its namespace */

/* Closed again before this returns. */
static int ask_inside(struct netspace_asker *by, struct netmap_space *s, const char *cgroup, int bus,
                      struct err *e)
{
	CLEANUP(close_p) int netns = -1;
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	int r;

	if (is_host(s) && bus == NETLINK_ROUTE)
		return read_routes(&by->nl, s, e);
	if (is_host(s))
		r = nl_open(bus, &nl, e);
	else {
		r = geteuid() == 0 ? enter_netns(s->machine, &netns, e) : -EPERM;
		if (r == 0)
			r = nl_open_in(netns, bus, &nl, e);
	}
	if (r < 0)
		return r;
	return bus == NETLINK_ROUTE ? read_routes(&nl, s, e) : read_listeners(by, &nl, s, cgroup, e);
}

/* Said in the space when it is for good. Returns whether it was not in vain. */
static bool was_read(int r, char **no, const struct err *e, const char *right)
{
	if (r < 0 && r != -EAGAIN)
		note(no, r, e, right);
	return r != -EAGAIN;
}

bool netspace_read(struct netspace_asker *by, struct netmap_space *s, const char *cgroup, unsigned due)
{
	struct err e = { 0 };
	bool whole = true;
	int r;

	if (due & NETSPACE_NAMES)
		read_names(s);
	if (s->shares_host)
		return true;
	if (due & NETSPACE_LINKS)
		whole = read_links(by, s);
	if (due & NETSPACE_ROUTES) {
		r = ask_inside(by, s, cgroup, NETLINK_ROUTE, &e);
		if (r < 0 && r != -EAGAIN)
			netmap_forget_routes(s);
		whole &= was_read(r, &s->no_routes, &e, "its routes can be seen by root alone");
	}
	if (due & NETSPACE_LISTENERS) {
		r = ask_inside(by, s, cgroup, NETLINK_SOCK_DIAG, &e);
		if (r < 0 && r != -EAGAIN)
			netmap_forget_listeners(s);
		whole &= was_read(r, &s->no_listeners, &e, "who listens in it can be seen by root alone");
	}
	return whole;
}

int netspace_find(const struct netmap_space *host, const char *machine)
{
	static const char *const prefixes[] = { "ve-", "vb-" };
	char name[3 + NAME_MACHINE_MAX + 1];

	for (size_t i = 0; i < COUNT(prefixes); i++) {
		const struct netmap_link *l;

		(void)snprintf(name, sizeof(name), "%s%s", prefixes[i], machine);
		l = netmap_link_called(host, name);
		if (l && strcmp(l->kind, "veth") == 0 && !l->peer_is_here && l->netnsid >= 0)
			return l->netnsid;
	}
	return NETMAP_HOST;
}

/* ---- forwards */

static int by_host_port(const void *x, const void *y)
{
	const struct netmap_forward *a = x, *b = y;
	int r = (a->port.udp > b->port.udp) - (a->port.udp < b->port.udp);

	if (r == 0)
		r = (a->port.host > b->port.host) - (a->port.host < b->port.host);
	return r != 0 ? r : (a->to.family > b->to.family) - (a->to.family < b->to.family);
}

void netspace_forwards(struct netmap *m)
{
	struct forwards found = { 0 };
	struct err e = { 0 };
	int r = nft_forwards(&found, &e);

	free(m->forwards);
	free(m->no_forwards);
	m->no_forwards = NULL;
	m->n_forwards = 0;
	m->forwards = calloc(found.n + 1, sizeof(*m->forwards));
	for (size_t i = 0; m->forwards && i < found.n; i++)
		m->forwards[m->n_forwards++] = (struct netmap_forward){ found.v[i].port, found.v[i].to };
	free(found.v);
	if (m->n_forwards > 0)
		qsort(m->forwards, m->n_forwards, sizeof(*m->forwards), by_host_port);
	if (r < 0)
		note(&m->no_forwards, r, &e, "the kernel's rules take root (CAP_NET_ADMIN) to see");
	else if (!m->forwards)
		m->no_forwards = strdup("out of memory");
	m->legacy_tables = hostnet_legacy_nat("");
}

#include "words/netmap.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "words/netmap_change.h"

void netmap_link_done(struct netmap_link *l)
{
	strs_done(&l->altnames);
	*l = (struct netmap_link){ 0 };
}

void netmap_space_done(struct netmap_space *s)
{
	netmap_forget_links(s);
	netmap_forget_routes(s);
	netmap_forget_listeners(s);
	strs_done(&s->name_servers);
	free(s->no_name_servers);
	*s = (struct netmap_space){ 0 };
}

void netmap_done(struct netmap *m)
{
	for (size_t i = 0; i < m->n; i++)
		netmap_space_done(&m->v[i]);
	free(m->v);
	free(m->forwards);
	free(m->no_forwards);
	*m = (struct netmap){ 0 };
}

/* ---- spaces */

const struct netmap_space *netmap_host(const struct netmap *m)
{
	return m->n > 0 ? &m->v[0] : NULL;
}

static int by_machine(const void *key, const void *item)
{
	return strcmp(key, ((const struct netmap_space *)item)->machine);
}

const struct netmap_space *netmap_space(const struct netmap *m, const char *machine)
{
	return m->n > 1 ? bsearch(machine, m->v + 1, m->n - 1, sizeof(*m->v), by_machine) : NULL;
}

/* The one that has that id there; of several machines that share it, the first. */
static const struct netmap_space *space_at(const struct netmap *m, int netnsid)
{
	if (netnsid == NETMAP_HOST)
		return netmap_host(m);
	for (size_t i = 1; netnsid >= 0 && i < m->n; i++)
		if (m->v[i].netnsid == netnsid)
			return &m->v[i];
	return NULL;
}

/* ---- links */

static int by_index(const void *key, const void *item)
{
	int index = *(const int *)key, other = ((const struct netmap_link *)item)->index;

	return (index > other) - (index < other);
}

const struct netmap_link *netmap_link(const struct netmap_space *s, int index)
{
	return s->n_links > 0 ? bsearch(&index, s->links, s->n_links, sizeof(*s->links), by_index) : NULL;
}

static bool is_called(const struct netmap_link *l, const char *name)
{
	return strcmp(l->name, name) == 0 || strs_has(&l->altnames, name);
}

static const struct netmap_link *find_called(const struct netmap_space *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (is_called(&s->links[i], name))
			return &s->links[i];
	return NULL;
}

/* The kernel's name of what systemd-nspawn calls that; false: it calls nothing so. */
static bool cut_name(const char *name, char ret[static NAME_LINK_SIZE])
{
	char prefix[4] = "";
	size_t len = strlen(name);

	if (len < NAME_LINK_SIZE || len > 3 + NAME_MACHINE_MAX)
		return false;
	memcpy(prefix, name, 3);
	name_host_link(prefix, name + 3, ret);
	return true;
}

const struct netmap_link *netmap_link_called(const struct netmap_space *s, const char *name)
{
	const struct netmap_link *found = find_called(s, name);
	char cut[NAME_LINK_SIZE];

	return found || !cut_name(name, cut) ? found : find_called(s, cut);
}

const char *netmap_link_title(const struct netmap_link *l)
{
	for (size_t i = 0; i < l->altnames.n; i++)
		if (strncmp(l->altnames.v[i], l->name, 11) == 0 && /* what systemd-nspawn leaves of it */
		    strlen(l->altnames.v[i]) >= NAME_LINK_SIZE)
			return l->altnames.v[i];
	return l->name;
}

static struct netmap_place peer_place(const struct netmap *m, const struct netmap_space *s,
                                      const struct netmap_link *l)
{
	struct netmap_place p = { 0 };

	p.space = l->peer == 0 ? NULL : l->peer_is_here ? s : space_at(m, l->netnsid);
	p.link = p.space ? netmap_link(p.space, l->peer) : NULL;
	if (!p.link)
		p.space = NULL;
	return p;
}

struct netmap_place netmap_pair(const struct netmap *m, const struct netmap_space *s,
                                const struct netmap_link *l)
{
	struct netmap_place p = { 0 };

	if (strcmp(l->kind, "veth") == 0)
		p = peer_place(m, s, l);
	if (p.link && (strcmp(p.link->kind, "veth") != 0 || p.link->peer != l->index))
		p = (struct netmap_place){ 0 }; /* one of them is older than the other */
	return p;
}

struct netmap_place netmap_parent(const struct netmap *m, const struct netmap_space *s,
                                  const struct netmap_link *l)
{
	return strcmp(l->kind, "veth") == 0 ? (struct netmap_place){ 0 } : peer_place(m, s, l);
}

const char *netmap_machine_of(const struct netmap *m, const struct netmap_link *l)
{
	const struct netmap_space *s = NULL;

	if (strcmp(l->kind, "veth") == 0 && l->peer != 0 && !l->peer_is_here && l->netnsid >= 0)
		s = space_at(m, l->netnsid);
	return s ? s->machine : NULL;
}

const struct netmap_link *netmap_next_port(const struct netmap_space *s, int bridge,
                                           const struct netmap_link *before)
{
	for (size_t i = before ? (size_t)(before - s->links) + 1 : 0; i < s->n_links; i++)
		if (s->links[i].master == bridge)
			return &s->links[i];
	return NULL;
}

/* ---- addresses */

const struct netmap_address *netmap_next_address(const struct netmap_space *s, int link,
                                                 const struct netmap_address *before)
{
	size_t low = 0, high = s->n_addresses;

	if (before)
		low = (size_t)(before - s->addresses) + 1;
	while (!before && low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->addresses[middle].link < link)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_addresses && s->addresses[low].link == link ? &s->addresses[low] : NULL;
}

bool netmap_has_address(const struct netmap_space *s, const struct addr *a)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (addr_same(&s->addresses[i].addr, a))
			return true;
	return false;
}

const struct netmap_space *netmap_owner(const struct netmap *m, const struct addr *a)
{
	for (size_t i = m->n; i > 0; i--)
		if (netmap_has_address(&m->v[i - 1], a))
			return &m->v[i - 1];
	return NULL;
}

/* ---- routes */

const struct netmap_route *netmap_route_to(const struct netmap_space *s, const struct addr *to)
{
	const struct netmap_route *best = NULL;

	for (size_t i = 0; i < s->n_routes; i++) {
		const struct netmap_route *r = &s->routes[i];

		if (r->tos != 0 || !addr_covers(&r->to, to))
			continue;
		if (!best || r->to.prefix > best->to.prefix ||
		    (r->to.prefix == best->to.prefix && r->metric < best->metric))
			best = r;
	}
	return best;
}

const struct netmap_route *netmap_default_route(const struct netmap_space *s, uint8_t family)
{
	const struct netmap_route *best = NULL;

	for (size_t i = 0; i < s->n_routes; i++) {
		const struct netmap_route *r = &s->routes[i];

		if (r->to.family == family && r->to.prefix == 0 && r->tos == 0 && r->type == RTN_UNICAST &&
		    (!best || r->metric < best->metric))
			best = r;
	}
	return best;
}

/* ---- listeners and forwards */

static bool is_any(const struct addr *a)
{
	static const uint8_t none[16];

	return memcmp(a->bytes, none, addr_size(a)) == 0;
}

static bool takes(const struct netmap_listener *l, const struct addr *at)
{
	if (!addr_is_set(at) || addr_same(&l->at, at))
		return true;
	return is_any(&l->at) && (l->at.family == at->family || (l->at.family == AF_INET6 && !l->v6_only));
}

const struct netmap_listener *netmap_next_listener(const struct netmap_space *s, bool udp,
                                                   const struct addr *at, uint16_t port,
                                                   const struct netmap_listener *before)
{
	for (size_t i = before ? (size_t)(before - s->listeners) + 1 : 0; i < s->n_listeners; i++)
		if (s->listeners[i].udp == udp && s->listeners[i].port == port && takes(&s->listeners[i], at))
			return &s->listeners[i];
	return NULL;
}

const struct netmap_forward *netmap_next_forward(const struct netmap *m, bool udp, uint16_t port,
                                                 const struct netmap_forward *before)
{
	for (size_t i = before ? (size_t)(before - m->forwards) + 1 : 0; i < m->n_forwards; i++)
		if (m->forwards[i].port.udp == udp && m->forwards[i].port.host == port)
			return &m->forwards[i];
	return NULL;
}

/* ---- flaws */

const char *netmap_flaw_word(enum netmap_flaw f)
{
	static const char *const words[] = {
		[NETMAP_WELL] = "",
		[NETMAP_ORPHAN] = "orphan",
		[NETMAP_SQUATTER] = "squatter",
		[NETMAP_LOST_BRIDGE] = "lost-bridge",
		[NETMAP_FLAW_UNKNOWN] = "unknown",
	};

	return words[f];
}

/* Whether it bears the name that the machine's main link has, whichever of the two: a conf may have changed. */
static bool bears_name_of(const struct netmap_link *l, const char *machine)
{
	static const char *const prefixes[] = { "ve-", "vb-" };
	char full[3 + NAME_MACHINE_MAX + 1], cut[NAME_LINK_SIZE];
	size_t len = strlen(machine);

	for (size_t i = 0; len <= NAME_MACHINE_MAX && i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		memcpy(full, prefixes[i], 3);
		memcpy(full + 3, machine, len + 1);
		if (is_called(l, full) || (cut_name(full, cut) && strcmp(l->name, cut) == 0))
			return true;
	}
	return false;
}

static bool is_of_a_machine_by_name(const struct netmap_link *l)
{
	return strncmp(l->name, "ve-", 3) == 0 || strncmp(l->name, "vb-", 3) == 0;
}

static const struct netmap_wanted *named(const struct netmap_link *l, const struct netmap_wanted *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bears_name_of(l, v[i].machine))
			return &v[i];
	return NULL;
}

const struct netmap_wanted *netmap_wanted_of(const char *machine, const struct netmap_wanted *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].machine, machine) == 0)
			return &v[i];
	return NULL;
}

/* Whether a machine runs of which it is not known where its network is: the link could be its. */
static bool some_are_hidden(const struct netmap *m)
{
	for (size_t i = 1; i < m->n; i++)
		if (m->v[i].netnsid < 0 && !m->v[i].shares_host)
			return true;
	return false;
}

static bool lost_its_bridge(const struct netmap_space *host, const struct netmap_link *l,
                            const struct netmap_wanted *w)
{
	const struct netmap_link *master = l->master ? netmap_link(host, l->master) : NULL;

	return w && w->bridge && w->link && is_called(l, w->link) &&
	       (!master || !is_called(master, w->bridge));
}

enum netmap_flaw netmap_judge(const struct netmap *m, const struct netmap_link *l,
                              const struct netmap_wanted *wanted, size_t n_wanted,
                              const struct netmap_wanted **ret_wanted)
{
	const char *machine = netmap_machine_of(m, l);
	const struct netmap_wanted *bears = is_of_a_machine_by_name(l) ? named(l, wanted, n_wanted) : NULL;

	if (ret_wanted)
		*ret_wanted = bears;
	if (machine) {
		if (bears && strcmp(bears->machine, machine) != 0)
			return NETMAP_SQUATTER;
		return lost_its_bridge(netmap_host(m), l, netmap_wanted_of(machine, wanted, n_wanted))
		               ? NETMAP_LOST_BRIDGE
		               : NETMAP_WELL;
	}
	if (!is_of_a_machine_by_name(l))
		return NETMAP_WELL;
	if (strcmp(l->kind, "veth") != 0)
		return bears ? NETMAP_SQUATTER : NETMAP_WELL;
	return some_are_hidden(m) ? NETMAP_FLAW_UNKNOWN : NETMAP_ORPHAN;
}

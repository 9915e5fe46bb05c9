#include "decide/lint_host.h"

#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/firewall.h"

#define TEXT_SIZE 400

struct search {
	const struct container *c;
	int netnsid;
	const struct lint_facts *f;
	const struct netmap_space *host, *listening;
	struct strs *ret;
};

static void find(const struct search *s, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void find(const struct search *s, const char *key, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	strs_addf(s->ret, "%s: %s: %s", s->c->name, key, text);
}

/* ---- links */

static void look_at_bridge(const struct search *s, const char *key, const char *bridge)
{
	const struct netmap_link *l = bridge ? netmap_link_called(s->host, bridge) : NULL;

	if (bridge && !l)
		find(s, key, "there is no bridge %s on this host", bridge);
	else if (bridge && strcmp(l->kind, "bridge") != 0)
		find(s, key, "%s is no bridge%s%s", bridge, l->kind[0] ? ", but of the kind " : "", l->kind);
}

static bool is_its_own(const struct search *s, const struct netmap_link *l)
{
	return strcmp(l->kind, "veth") == 0 && (s->netnsid == NETMAP_HOST || l->netnsid == s->netnsid);
}

/* A start takes away what an earlier one left, which is a veth. */
static void look_at_own_link(const struct search *s, const char *key, const char *name)
{
	const struct netmap_link *l = netmap_link_called(s->host, name);

	if (l && !is_its_own(s, l))
		find(s, key, "the host has a link %s already, which is not this container's", name);
}

/* While it runs they are in it. */
static void look_at_given_links(const struct search *s, const char *key, const struct strs *links)
{
	for (size_t i = 0; i < links->n && s->netnsid == NETMAP_HOST; i++)
		if (!netmap_link_called(s->host, links->v[i]))
			find(s, key, "there is no link %s on this host", links->v[i]);
}

/* One handler a link: a bridge's port has one. */
static void look_at_parents(const struct search *s)
{
	for (size_t i = 0; i < s->c->macvlans.n; i++) {
		const struct netmap_link *l = netmap_link_called(s->host, s->c->macvlans.v[i]);
		const struct netmap_link *master = l && l->master ? netmap_link(s->host, l->master) : NULL;

		if (master)
			find(s, "MACVLANS",
			     "%s is a port of %s, so it can carry no macvlan (Device or resource busy): "
			     "HOST_BRIDGE=%s?",
			     s->c->macvlans.v[i], netmap_link_title(master), netmap_link_title(master));
	}
}

static void look_at_links(const struct search *s)
{
	const char *prefix = container_main_link(s->c);
	char link[NAME_MACHINE_MAX + 8];

	look_at_bridge(s, "HOST_BRIDGE", s->c->host_bridge);
	(void)snprintf(link, sizeof(link), "%s%s", prefix ? prefix : "", s->c->name);
	if (prefix)
		look_at_own_link(s, "its link", link);
	for (size_t i = 0; i < s->c->n_veths; i++) {
		look_at_bridge(s, "EXTRA_VETHS", s->c->veths[i].bridge);
		look_at_own_link(s, "EXTRA_VETHS", s->c->veths[i].name);
	}
	look_at_given_links(s, "INTERFACES", &s->c->interfaces);
	look_at_given_links(s, "MACVLANS", &s->c->macvlans);
	look_at_parents(s);
}

/* ---- addresses */

static const char *const key_names[LINK_KEYS] = {
	[HOST4] = "HOST_ADDRESS",
	[HOST6] = "HOST_ADDRESS6",
	[LOCAL4] = "LOCAL_ADDRESS",
	[LOCAL6] = "LOCAL_ADDRESS6",
};

/* The network of the host that a container's address lies in, over a link that does not lead to the container. */
static const struct netmap_route *foreign_network(const struct search *s, const struct addr *a)
{
	const struct netmap_link *bridge =
		s->c->host_bridge ? netmap_link_called(s->host, s->c->host_bridge) : NULL;

	for (size_t i = 0; i < s->host->n_routes; i++) {
		const struct netmap_route *r = &s->host->routes[i];
		const struct netmap_link *l = netmap_link(s->host, r->link);

		if (r->to.family != a->family || r->to.prefix == 0 || r->to.prefix == addr_bits(a) || !l ||
		    l == bridge || !addr_covers(&r->to, a))
			continue;
		if (s->netnsid == NETMAP_HOST || l->netnsid != s->netnsid)
			return r;
	}
	return NULL;
}

static void look_at_address(const struct search *s, enum link_key key)
{
	const struct addr *a = &s->c->addr[key];
	const struct netmap_route *r;
	char text[ADDR_TEXT_SIZE], network[ADDR_TEXT_SIZE];

	if (!addr_is_set(a))
		return;
	addr_print(a, false, text);
	if (netmap_has_address(s->host, a)) {
		find(s, key_names[key], "%s is an address of the host itself", text);
		return;
	}
	r = s->host->no_routes ? NULL : foreign_network(s, a);
	if (!r)
		return;
	addr_print(&r->to, true, network);
	find(s, key_names[key],
	     "%s lies in %s, which this host reaches over %s: who is there can not answer it", text, network,
	     netmap_link_title(netmap_link(s->host, r->link)));
}

/* ---- forwards and the way to it */

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

/* One that others reach; who only listens to this host loses nothing. */
static const struct netmap_listener *listener(const struct search *s, const struct port *p)
{
	static const struct addr whatever;
	const struct netmap_listener *l = NULL;

	while ((l = netmap_next_listener(s->listening, p->udp, &whatever, p->host, l)))
		if (!is_loopback(&l->at))
			return l;
	return NULL;
}

static void look_at_ports(const struct search *s)
{
	for (size_t i = 0; i < s->c->n_ports && !s->listening->no_listeners; i++) {
		const struct port *p = &s->c->ports[i];
		const struct netmap_listener *l = listener(s, p);
		char who[NETMAP_PROCESS + 24] = "something";

		if (l && l->pid)
			(void)snprintf(who, sizeof(who), "%s (pid %d)", l->process, (int)l->pid);
		if (l)
			find(s, "HOST_PORT",
			     "%s listens on host port %s/%u: what comes from outside goes to the container",
			     who, p->udp ? "udp" : "tcp", p->host);
	}
}

static bool has_way(const struct container *c)
{
	return c->n_ports > 0 || c->masquerade;
}

static void look_at_forwarding(const struct search *s)
{
	const struct netmap_sysctls *now = &s->host->sysctls;

	if (s->c->n_ports == 0 || s->c->masquerade) /* that switches it on */
		return;
	if (addr_is_set(&s->c->addr[LOCAL4]) && now->forward4 == NETMAP_OFF)
		find(s, "HOST_PORT", "net.ipv4.ip_forward is 0: this host passes nothing on");
	if (addr_is_set(&s->c->addr[LOCAL6]) && now->forward6 == NETMAP_OFF)
		find(s, "HOST_PORT", "net.ipv6.conf.all.forwarding is 0: this host passes nothing on");
}

/* The link by which the host reaches it: its bridge, or its own. */
static void name_near_link(const struct container *c, char ret[static NAME_LINK_SIZE])
{
	const char *prefix = container_main_link(c);

	if (c->host_bridge)
		(void)snprintf(ret, NAME_LINK_SIZE, "%s", c->host_bridge);
	else
		name_host_link(prefix ? prefix : "ve-", c->name, ret);
}

static void look_at_filters(const struct search *s, enum link_key key, const struct netmap_route *out)
{
	const struct netmap_link *uplink = out ? netmap_link(s->host, out->link) : NULL, *near;
	char name[NAME_LINK_SIZE];
	struct firewall_packet p = { .hook = FW_FORWARD,
		                     .family = s->c->addr[key].family,
		                     .to = s->c->addr[key] };
	struct firewall_verdict v;

	if (!uplink || !addr_is_set(&s->c->addr[key]))
		return;
	name_near_link(s->c, name);
	near = netmap_link_called(s->host, name);
	p.iif = uplink->index;
	p.iif_name = uplink->name;
	p.oif = near ? near->index : 0;
	p.oif_name = name;
	if (s->c->n_ports > 0) {
		p.is_translated = true;
		p.udp = s->c->ports[0].udp;
		p.to_port = s->c->ports[0].guest;
	} else { /* on its way out */
		p = (struct firewall_packet){ .hook = FW_FORWARD,
			                      .family = p.family,
			                      .from = p.to,
			                      .iif = p.oif,
			                      .iif_name = name,
			                      .oif = uplink->index,
			                      .oif_name = uplink->name };
	}
	firewall_judge(s->f->filters, &p, &v);
	if (v.answer == FIREWALL_DROPS)
		find(s, s->c->n_ports > 0 ? "HOST_PORT" : "MASQUERADE", "what is passed on is dropped by %s",
		     v.where);
}

/* ---- names */

static bool has_address(const struct container *c)
{
	return addr_is_set(&c->addr[LOCAL4]) || addr_is_set(&c->addr[LOCAL6]);
}

void lint_names(const struct container *c, struct strs *ret)
{
	if (!has_address(c))
		return;
	strs_add(ret, c->name);
	strs_addf(ret, "%s.containers", c->name);
}

/* What is of one link alone is nowhere else. */
static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET ? a->bytes[0] == 169 && a->bytes[1] == 254
	                            : a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static bool is_its_address(const struct search *s, const struct addr *a)
{
	struct addr seen;

	if (addr_same(a, &s->c->addr[LOCAL4]) || addr_same(a, &s->c->addr[LOCAL6]) || is_link_local(a))
		return true;
	for (size_t i = 0; i < s->c->n_veths; i++)
		if (addr_same(a, &s->c->veths[i].addr[LOCAL4]) || addr_same(a, &s->c->veths[i].addr[LOCAL6]))
			return true;
	for (size_t i = 0; s->f->seen && i < s->f->seen->n; i++)
		if (addr_parse(s->f->seen->v[i], &seen, NULL) == 0 && addr_same(a, &seen))
			return true;
	return false;
}

static bool is_its_name(const struct search *s, const char *name)
{
	size_t own = strlen(s->c->name);

	return strncasecmp(name, s->c->name, own) == 0 &&
	       (!name[own] || strcasecmp(name + own, ".containers") == 0);
}

/* "ADDRESS NAME NAME..." of one line; what is behind "#" is none. said: "NAME ADDRESS" of what was found. */
static void look_at_line(const struct search *s, const char *line, size_t len, struct strs *said)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(free_p) char *text = strndup(line, len);
	char shown[ADDR_TEXT_SIZE];
	struct addr a;

	if (!text)
		return;
	text[strcspn(text, "#")] = '\0';
	strs_split(&words, text, " \t\r");
	if (words.n < 2 || addr_parse(words.v[0], &a, NULL) < 0 || is_its_address(s, &a))
		return;
	addr_print(&a, false, shown);
	for (size_t i = 1; i < words.n; i++) {
		if (!is_its_name(s, words.v[i]))
			continue;
		find(s, "its name", "/etc/hosts says that %s is %s", words.v[i], words.v[0]);
		strs_addf(said, "%s %s", words.v[i], shown);
	}
}

static void look_at_hosts(const struct search *s, struct strs *said)
{
	for (const char *at = s->f->hosts; at && *at;) {
		size_t len = strcspn(at, "\n");

		look_at_line(s, at, len, said);
		at += len + (at[len] == '\n');
	}
}

/* Who said so is not told: a file, a server, a daemon. What /etc/hosts says is said once. */
static void look_at_answers(const struct search *s, struct strs *said)
{
	for (size_t i = 0; s->f->names && i < s->f->names->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };
		char shown[ADDR_TEXT_SIZE];
		CLEANUP(free_p) char *pair = NULL;
		struct addr a;

		strs_split(&words, s->f->names->v[i], " ");
		if (words.n != 2 || !is_its_name(s, words.v[0]) || addr_parse(words.v[1], &a, NULL) < 0 ||
		    is_its_address(s, &a))
			continue;
		addr_print(&a, false, shown);
		if (asprintf(&pair, "%s %s", words.v[0], shown) < 0) {
			pair = NULL;
			s->ret->bad = true;
			return;
		}
		if (strs_has(said, pair))
			continue;
		find(s, "its name", "who looks for %s on this host is sent to %s, which is not its address",
		     words.v[0], shown);
		strs_add(said, pair);
	}
}

static void look_at_names(const struct search *s)
{
	CLEANUP(strs_done) struct strs said = { 0 };

	if (!has_address(s->c))
		return;
	look_at_hosts(s, &said);
	look_at_answers(s, &said);
	s->ret->bad |= said.bad;
}

/* ---- users */

/* Its root has no right over the host's network, which is not its user namespace's. */
static void look_at_users(const struct search *s)
{
	const char *users = s->c->private_users;

	if (users && strcmp(users, "no") != 0 && !container_has_private_net(s->c))
		find(s, "PRIVATE_USERS",
		     "on the host's network users of its own may not listen below "
		     "net.ipv4.ip_unprivileged_port_start (1024), not "
		     "even its root: Permission denied; give it a private network");
}

void lint_host(const struct container *c, int netnsid, const struct lint_facts *f, struct strs *ret)
{
	const struct netmap_space *host = f->map ? netmap_host(f->map) : NULL;
	const struct search s = { c, netnsid, f, host, f->listening ? f->listening : host, ret };

	look_at_names(&s);
	look_at_users(&s);
	if (!s.host || s.host->no_links)
		return;
	look_at_links(&s);
	look_at_address(&s, LOCAL4);
	look_at_address(&s, LOCAL6);
	look_at_ports(&s);
	look_at_forwarding(&s);
	if (f->filters && has_way(c)) {
		look_at_filters(&s, LOCAL4, netmap_default_route(s.host, AF_INET));
		look_at_filters(&s, LOCAL6, netmap_default_route(s.host, AF_INET6));
	}
}

/* ---- two of them */

static bool share_bridge(const struct container *a, const struct container *b)
{
	return a->host_bridge && b->host_bridge && strcmp(a->host_bridge, b->host_bridge) == 0;
}

void lint_overlap(const struct container *a, const struct container *b, struct strs *ret)
{
	static const enum link_key ends[] = { LOCAL4, LOCAL6 };

	for (size_t i = 0; i < COUNT(ends); i++)
		for (size_t j = 0; j < COUNT(ends); j++) {
			const struct addr *x = &a->addr[ends[i]], *y = &b->addr[ends[j]];
			char one[ADDR_TEXT_SIZE], other[ADDR_TEXT_SIZE];

			if (!addr_is_set(x) || !addr_is_set(y) || x->family != y->family || addr_same(x, y) ||
			    (!addr_covers(x, y) && !addr_covers(y, x)) ||
			    (share_bridge(a, b) && x->prefix == y->prefix))
				continue;
			addr_print(x, true, one);
			addr_print(y, true, other);
			strs_addf(ret, "%s: %s: %s and container %s's %s are networks that overlap, on %s",
			          a->name, key_names[ends[i]], one, b->name, other,
			          share_bridge(a, b) ? "one bridge" : "different links");
		}
}

#include "decide/reach.h"

#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

/* One look at one machine. */
struct looking {
	const struct reach_facts *f;
	const struct netmap_space *host, *s;
	const struct netmap_address *own;  /* its first that others can answer */
	const struct netmap_link *link;    /* that has it */
	const struct netmap_link *outside; /* the host's end of that; NULL: none here */
	int bridge;                        /* of the host, whose port that is; 0: none */
	struct reach *to;
};

/* The causes, in the order of the manual. */
#define CAUSES(X)                                                                                            \
	X(NO_ADDRESS, "no-address")                                                                          \
	X(GUEST_LINK_DOWN, "guest-link-down")                                                                \
	X(HOST_LINK_DOWN, "host-link-down")                                                                  \
	X(MACVLAN, "macvlan")                                                                                \
	X(NO_HOST_ADDRESS, "no-host-address")                                                                \
	X(NO_ROUTE, "no-route")                                                                              \
	X(NO_ROUTE_BACK, "no-route-back")                                                                    \
	X(HOST_FIREWALL, "host-firewall")                                                                    \
	X(OTHER_NETWORK, "other-network")                                                                    \
	X(NO_DEFAULT_ROUTE, "no-default-route")                                                              \
	X(NO_GATEWAY, "no-gateway")                                                                          \
	X(NO_NAME_SERVER, "no-name-server")                                                                  \
	X(LOOPBACK_NAME_SERVER, "loopback-name-server")                                                      \
	X(NO_LISTENER, "no-listener")                                                                        \
	X(NO_FORWARDING, "no-forwarding")                                                                    \
	X(HOST_NO_DEFAULT_ROUTE, "host-no-default-route")                                                    \
	X(NO_MASQUERADE, "no-masquerade")                                                                    \
	X(NO_ANSWER, "no-answer")

enum cause {
#define X(name, word) name,
	CAUSES(X)
#undef X
		NONE,
};

static const char *const words[] = {
#define X(name, word) [name] = (word),
	CAUSES(X)
#undef X
};

const char *reach_word(enum reach_target t)
{
	static const char *const names[REACH_TARGETS] = { "host", "neighbours", "gateway", "names" };

	return names[t];
}

const char *reach_cause(size_t i)
{
	return i < COUNT(words) ? words[i] : NULL;
}

__attribute__((format(printf, 5, 6))) static void say(struct looking *l, enum reach_target t,
                                                      enum doctor_state state, enum cause cause,
                                                      const char *format, ...)
{
	char raw[REACH_TEXT];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	l->to->to[t].state = state;
	l->to->to[t].cause = cause == NONE ? NULL : words[cause];
	(void)text_printable(l->to->to[t].text, sizeof(l->to->to[t].text), raw, strlen(raw));
}

static void say_of_all(struct looking *l, enum doctor_state state, enum cause cause, const char *text)
{
	for (enum reach_target t = 0; t < REACH_TARGETS; t++)
		say(l, t, state, cause, "%s", text);
}

static const char *shown(const struct addr *a, char text[static ADDR_TEXT_SIZE])
{
	addr_print(a, false, text);
	return text;
}

/* ---- its own side */

static const struct netmap_address *first_address(const struct netmap_space *s)
{
	const struct netmap_address *first = NULL;

	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct netmap_address *a = &s->addresses[i];
		const struct netmap_link *link = netmap_link(s, a->link);

		if (a->scope >= RT_SCOPE_LINK || !link || link->loopback)
			continue;
		if (!first || (first->addr.family == AF_INET6 && a->addr.family == AF_INET))
			first = a;
	}
	return first;
}

/* Whether its own side is such that the rest can be asked; says what is wrong. */
static bool own_side(struct looking *l)
{
	const char *name = l->f->machine;
	char text[REACH_TEXT];

	if (!l->own || !l->link) {
		(void)snprintf(
			text, sizeof(text),
			"%s has no address: machdeck mend %s puts back that of LOCAL_ADDRESS=; else set one, "
			"or run a DHCP client in it",
			name, name);
		say_of_all(l, DOCTOR_BROKEN, NO_ADDRESS, text);
	} else if (!l->link->up) {
		(void)snprintf(text, sizeof(text), "%s is down in %s (machdeck run %s -- ip link set %s up)",
		               l->link->name, name, name, l->link->name);
		say_of_all(l, DOCTOR_BROKEN, GUEST_LINK_DOWN, text);
	} else if (l->outside && !l->outside->up) {
		(void)snprintf(text, sizeof(text),
		               "the host's end of its link, %s, is down (ip link set %s up)",
		               l->outside->name, l->outside->name);
		say_of_all(l, DOCTOR_BROKEN, HOST_LINK_DOWN, text);
	} else {
		return true;
	}
	return false;
}

static const struct netmap_route *way_to(const struct looking *l, const struct addr *to)
{
	const struct netmap_route *r = netmap_route_to(l->s, to);

	return r && r->link ? r : NULL;
}

/* ---- the host */

/* One of the host's on its link or bridge, if may be one to which it has a way. */
static const struct netmap_address *host_address(const struct looking *l)
{
	const struct netmap_address *found = NULL;

	for (size_t i = 0; l->outside && i < l->host->n_addresses; i++) {
		const struct netmap_address *a = &l->host->addresses[i];

		if (a->addr.family != l->own->addr.family || a->scope >= RT_SCOPE_LINK ||
		    (a->link != l->outside->index && (l->bridge == 0 || a->link != l->bridge)))
			continue;
		if (!found || way_to(l, &a->addr))
			found = a;
	}
	return found;
}

static void judge_host(struct looking *l)
{
	const struct netmap_address *a = host_address(l);
	const struct netmap_link *bridge = l->bridge ? netmap_link(l->host, l->bridge) : NULL;
	const struct netmap_route *back = netmap_route_to(l->host, &l->own->addr);
	char to[ADDR_TEXT_SIZE], own[ADDR_TEXT_SIZE];
	const char *name = l->f->machine;

	if (!l->outside && strcmp(l->link->kind, "macvlan") == 0) {
		say(l, REACH_HOST, DOCTOR_BROKEN, MACVLAN,
		    "%s is a macvlan, which never talks to its own host: give it a veth or a bridge beside "
		    "it",
		    l->link->name);
	} else if (!l->outside) {
		say(l, REACH_HOST, DOCTOR_UNKNOWN, NONE, "its link does not end on the host");
	} else if (!a) {
		say(l, REACH_HOST, DOCTOR_BROKEN, NO_HOST_ADDRESS,
		    "the host has no address on %s, so there is nobody to reach",
		    bridge ? bridge->name : l->outside->name);
	} else if (!way_to(l, &a->addr)) {
		say(l, REACH_HOST, DOCTOR_BROKEN, NO_ROUTE,
		    "%s has no route to %s (machdeck run %s -- ip route add %s dev %s)", name,
		    shown(&a->addr, to), name, to, l->link->name);
	} else if (!back ||
	           (back->link != l->outside->index && (l->bridge == 0 || back->link != l->bridge))) {
		say(l, REACH_HOST, DOCTOR_BROKEN, NO_ROUTE_BACK,
		    "the host has no route back to %s over %s (ip route replace %s dev %s)",
		    shown(&l->own->addr, own), l->outside->name, own,
		    bridge ? bridge->name : l->outside->name);
	} else if (l->f->in.answer == FIREWALL_DROPS) {
		say(l, REACH_HOST, DOCTOR_BROKEN, HOST_FIREWALL,
		    "the host's firewall drops what comes from it: %.160s", l->f->in.where);
	} else {
		say(l, REACH_HOST, DOCTOR_GOOD, NONE, "%s", shown(&a->addr, to));
	}
	if (a)
		l->to->to[REACH_HOST].at = a->addr;
}

/* ---- who else is on its bridge */

/* The first address of the machine behind that port to which there is a way without a gateway. */
static const struct netmap_address *near_address(const struct looking *l, const char *machine)
{
	const struct netmap_space *s = machine ? netmap_space(l->f->map, machine) : NULL;

	for (size_t i = 0; s && i < s->n_addresses; i++) {
		const struct netmap_address *a = &s->addresses[i];
		const struct netmap_route *way =
			a->scope < RT_SCOPE_LINK && a->addr.family == l->own->addr.family
				? way_to(l, &a->addr)
				: NULL;

		if (way && !addr_is_set(&way->gateway))
			return a;
	}
	return NULL;
}

static void judge_neighbours(struct looking *l)
{
	const struct netmap_link *bridge = l->bridge ? netmap_link(l->host, l->bridge) : NULL, *port = NULL;
	char names[160] = "", own[ADDR_TEXT_SIZE];
	size_t all = 0, near = 0, foreign = 0;

	if (!bridge) {
		say(l, REACH_NEIGHBOURS, DOCTOR_IDLE, NONE, "it is on no bridge");
		return;
	}
	while ((port = netmap_next_port(l->host, l->bridge, port))) {
		const char *machine = netmap_machine_of(l->f->map, port);
		const struct netmap_address *a;
		size_t len = strlen(names);

		if (port == l->outside)
			continue;
		all++;
		if (len < sizeof(names) / 2)
			(void)snprintf(names + len, sizeof(names) - len, "%s%.32s", len > 0 ? ", " : "",
			               machine ? machine : port->name);
		a = near_address(l, machine);
		near += a != NULL;
		foreign += !machine;
		if (a && !addr_is_set(&l->to->to[REACH_NEIGHBOURS].at))
			l->to->to[REACH_NEIGHBOURS].at = a->addr;
	}
	if (all == 0)
		say(l, REACH_NEIGHBOURS, DOCTOR_IDLE, NONE, "nobody else is on %s", bridge->name);
	else if (near == 0 && foreign == 0)
		say(l, REACH_NEIGHBOURS, DOCTOR_BROKEN, OTHER_NETWORK,
		    "nobody of %s on %s is in the network of its %s: look at the prefixes of LOCAL_ADDRESS=",
		    names, bridge->name, shown(&l->own->addr, own));
	else
		say(l, REACH_NEIGHBOURS, near == 0 ? DOCTOR_UNKNOWN : DOCTOR_GOOD, NONE, "%s on %s", names,
		    bridge->name);
}

/* ---- the way out */

static void judge_gateway(struct looking *l)
{
	const struct netmap_route *out = netmap_default_route(l->s, l->own->addr.family);
	const struct netmap_space *owner = out ? netmap_owner(l->f->map, &out->gateway) : NULL;
	char to[ADDR_TEXT_SIZE];

	if (!out || out->link == 0) {
		say(l, REACH_GATEWAY, DOCTOR_BROKEN, NO_DEFAULT_ROUTE,
		    "no default route in the guest: HOST_ADDRESS= gives it one, or a route of its own");
		return;
	}
	if (!addr_is_set(&out->gateway)) {
		say(l, REACH_GATEWAY, DOCTOR_UNKNOWN, NONE, "its default route has no gateway");
		return;
	}
	(void)shown(&out->gateway, to);
	l->to->to[REACH_GATEWAY].at = out->gateway;
	if (!way_to(l, &out->gateway))
		say(l, REACH_GATEWAY, DOCTOR_BROKEN, NO_ROUTE, "its gateway %s is not on a network of its",
		    to);
	else if (!owner && l->outside && l->bridge == 0)
		say(l, REACH_GATEWAY, DOCTOR_BROKEN, NO_GATEWAY,
		    "nobody has its gateway %s: the host's end of its link lost the address (ip addr add %s "
		    "dev %s)",
		    to, to, l->outside->name);
	else if (owner == l->host && l->f->in.answer == FIREWALL_DROPS)
		say(l, REACH_GATEWAY, DOCTOR_BROKEN, HOST_FIREWALL,
		    "the host's firewall drops what comes from it: %.160s", l->f->in.where);
	else
		say(l, REACH_GATEWAY, DOCTOR_GOOD, NONE, "%s%s%s", to, owner ? ", " : "",
		    !owner             ? ""
		    : owner == l->host ? "the host"
		                       : owner->machine);
}

/* RFC 1918 and RFC 4193: nobody outside answers to these. */
static bool is_private(const struct addr *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == AF_INET6)
		return (b[0] & 0xfe) == 0xfc;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168);
}

/* Whether the host's uplink is in the same network, so that answers come back by themselves. */
static bool is_of_uplink(const struct looking *l, const struct netmap_route *out)
{
	for (size_t i = 0; i < l->host->n_addresses; i++)
		if (l->host->addresses[i].link == out->link &&
		    addr_covers(&l->host->addresses[i].addr, &l->own->addr))
			return true;
	return false;
}

/* Beyond the host; says what is in the way. */
static void judge_beyond(struct looking *l, const char *server)
{
	const struct netmap_route *out = netmap_default_route(l->host, l->own->addr.family);
	bool v6 = l->own->addr.family == AF_INET6;
	enum netmap_switch forward = v6 ? l->host->sysctls.forward6 : l->host->sysctls.forward4;
	char own[ADDR_TEXT_SIZE];

	(void)shown(&l->own->addr, own);
	if (forward == NETMAP_OFF)
		say(l, REACH_NAMES, DOCTOR_BROKEN, NO_FORWARDING, "%s is beyond the host, where %s is 0",
		    server, v6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward");
	else if (!out || out->link == 0)
		say(l, REACH_NAMES, DOCTOR_BROKEN, HOST_NO_DEFAULT_ROUTE,
		    "%s: the host itself has no default route", server);
	else if (l->f->out.answer == FIREWALL_DROPS)
		say(l, REACH_NAMES, DOCTOR_BROKEN, HOST_FIREWALL,
		    "%s: the host's firewall drops what it sends out: %.160s", server, l->f->out.where);
	else if (l->f->masqueraded == DOCTOR_NO && is_private(&l->own->addr) && !is_of_uplink(l, out))
		say(l, REACH_NAMES, DOCTOR_UNKNOWN, NO_MASQUERADE,
		    "%s: its address %s is private and not masqueraded, so answers come back only if the "
		    "network "
		    "routes it to this host (MASQUERADE=1 hides it behind the host)",
		    server, own);
	else if (forward == NETMAP_UNTOLD || l->f->masqueraded == DOCTOR_UNTOLD)
		say(l, REACH_NAMES, DOCTOR_UNKNOWN, NONE, "%s: not all of the way can be seen", server);
	else
		say(l, REACH_NAMES, DOCTOR_GOOD, NONE, "%s", server);
}

static void judge_loopback_server(struct looking *l, const struct addr *a, const char *server)
{
	if (l->s->no_listeners)
		say(l, REACH_NAMES, DOCTOR_UNKNOWN, NONE, "%s, inside: %s", server, l->s->no_listeners);
	else if (netmap_next_listener(l->s, true, a, 53, NULL))
		say(l, REACH_NAMES, DOCTOR_GOOD, NONE, "%s, inside", server);
	else
		say(l, REACH_NAMES, DOCTOR_BROKEN, LOOPBACK_NAME_SERVER,
		    "its resolv.conf names %s, and nobody listens there in %s: it was copied from the host "
		    "(COPY_RESOLV_CONF=0, and a server that it can reach)",
		    server, l->f->machine);
}

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

static void judge_names(struct looking *l)
{
	const struct netmap_space *owner;
	const struct netmap_route *way;
	struct addr a;
	const char *server;

	if (l->s->no_name_servers) {
		say(l, REACH_NAMES, DOCTOR_UNKNOWN, NONE, "%s", l->s->no_name_servers);
		return;
	}
	if (l->s->no_names_file) {
		say(l, REACH_NAMES, DOCTOR_BROKEN, NO_NAME_SERVER,
		    "no DNS file in the guest: it has no /etc/resolv.conf (its next start copies the host's, "
		    "unless "
		    "COPY_RESOLV_CONF=0: then something inside is to make it)");
		return;
	}
	if (l->s->name_servers.n == 0 || addr_parse(l->s->name_servers.v[0], &a, NULL) < 0) {
		say(l, REACH_NAMES, DOCTOR_BROKEN, NO_NAME_SERVER,
		    "there is no name server in its /etc/resolv.conf");
		return;
	}
	server = l->s->name_servers.v[0];
	if (is_loopback(&a)) {
		judge_loopback_server(l, &a, server);
		return;
	}
	l->to->to[REACH_NAMES].at = a;
	owner = netmap_owner(l->f->map, &a);
	way = way_to(l, &a);
	if (!way)
		say(l, REACH_NAMES, DOCTOR_BROKEN, NO_ROUTE, "%s has no route to its name server %s",
		    l->f->machine, server);
	else if (owner == l->host && !l->host->no_listeners &&
	         !netmap_next_listener(l->host, true, &a, 53, NULL))
		say(l, REACH_NAMES, DOCTOR_BROKEN, NO_LISTENER,
		    "nobody listens on port 53 of its name server %s, the host", server);
	else if (!owner && addr_is_set(&way->gateway) && netmap_owner(l->f->map, &way->gateway) == l->host)
		judge_beyond(l, server);
	else
		say(l, REACH_NAMES, DOCTOR_GOOD, NONE, "%s", server);
}

/* ---- all of it */

/* What was tried counts more than what was read; what was read is the reason then. */
static void take_probe(struct looking *l, enum reach_target t)
{
	char before[REACH_TEXT], at[ADDR_TEXT_SIZE];

	if (l->f->probes[t] == REACH_NOT_TRIED || l->to->to[t].state == DOCTOR_IDLE)
		return;
	(void)shown(&l->to->to[t].at, at);
	memcpy(before, l->to->to[t].text, sizeof(before));
	if (l->f->probes[t] == REACH_ANSWERED)
		say(l, t, DOCTOR_GOOD, NONE, "%s answered in %u ms", at, l->f->probe_ms[t]);
	else if (l->to->to[t].state == DOCTOR_GOOD)
		say(l, t, DOCTOR_BROKEN, NO_ANSWER,
		    "%s does not answer, and nothing that is seen from here says why", at);
	else if (l->to->to[t].state == DOCTOR_UNKNOWN)
		say(l, t, DOCTOR_BROKEN, NO_ANSWER, "no answer; %.280s", before);
}

void reach_judge(const struct reach_facts *f, struct reach *ret)
{
	struct looking l = {
		.f = f, .host = netmap_host(f->map), .s = netmap_space(f->map, f->machine), .to = ret
	};
	struct netmap_place pair = { 0 };

	*ret = (struct reach){ 0 };
	if (!l.s || !l.host) {
		say_of_all(&l, DOCTOR_IDLE, NONE, "it does not run");
		return;
	}
	if (l.s->shares_host || l.s->no_links) {
		say_of_all(&l, l.s->shares_host ? DOCTOR_GOOD : DOCTOR_UNKNOWN, NONE,
		           l.s->shares_host ? "it shares the host's network" : l.s->no_links);
		return;
	}
	l.own = first_address(l.s);
	l.link = l.own ? netmap_link(l.s, l.own->link) : NULL;
	if (l.link)
		pair = netmap_pair(f->map, l.s, l.link);
	if (pair.space == l.host)
		l.outside = pair.link;
	l.bridge = l.outside ? l.outside->master : 0;
	if (!own_side(&l))
		return;
	judge_host(&l);
	judge_neighbours(&l);
	judge_gateway(&l);
	judge_names(&l);
	for (enum reach_target t = 0; t < REACH_TARGETS; t++)
		take_probe(&l, t);
}

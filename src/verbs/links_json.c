/* The map of the network as JSON. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "verbs/links.h"
#include "verbs/show.h"

static json_t *number(uint64_t n)
{
	return n == STATS_UNKNOWN ? json_null() : json_integer((json_int_t)n);
}

static json_t *positive(long long n)
{
	return n > 0 ? json_integer(n) : json_null();
}

static json_t *address(const struct addr *a, bool with_prefix)
{
	char text[ADDR_TEXT_SIZE];

	if (!addr_is_set(a))
		return json_null();
	addr_print(a, with_prefix, text);
	return json_string(text);
}

static json_t *named(const char *text)
{
	return show_json_text(*text ? text : NULL);
}

static json_t *scope(uint8_t s)
{
	switch (s) {
	case RT_SCOPE_UNIVERSE:
		return json_string("global");
	case RT_SCOPE_SITE:
		return json_string("site");
	case RT_SCOPE_LINK:
		return json_string("link");
	case RT_SCOPE_HOST:
		return json_string("host");
	default:
		return json_integer(s);
	}
}

static json_t *addresses(const struct netmap_space *s, int link)
{
	const struct netmap_address *a = NULL;
	json_t *all = json_array();

	while ((a = netmap_next_address(s, link, a)))
		(void)json_array_append_new(
			all, json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:b}", "address",
		                       address(&a->addr, true), "peer", address(&a->peer, true), "scope",
		                       scope(a->scope), "tentative", a->tentative, "dadfailed", a->dadfailed,
		                       "deprecated", a->deprecated, "permanent", a->permanent));
	return all;
}

static json_t *place(struct netmap_place p)
{
	if (!p.link)
		return json_null();
	return json_pack("{s:o, s:i, s:o}", "machine", named(p.space->machine), "index", p.link->index,
	                 "name", show_json_text(p.link->name));
}

static json_t *flaw(const struct links_view *v, const struct netmap_space *s, const struct netmap_link *l)
{
	return s == netmap_host(v->map)
	               ? named(netmap_flaw_word(netmap_judge(v->map, l, v->wanted->v, v->wanted->n, NULL)))
	               : json_null();
}

static json_t *link(const struct links_view *v, const struct netmap_space *s, const struct netmap_link *l)
{
	const char *machine = s == netmap_host(v->map) ? netmap_machine_of(v->map, l) : NULL;
	char mac[18];
	json_t *made, *counted;

	(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2],
	               l->mac[3], l->mac[4], l->mac[5]);
	made = json_pack(
		"{s:i, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o}",
		"index", l->index, "name", show_json_text(l->name), "altnames", show_json_texts(&l->altnames),
		"kind", named(l->kind), "up", l->up, "carrier", l->carrier, "loopback", l->loopback, "master",
		positive(l->master), "machine", show_json_text(machine), "otherEnd",
		place(netmap_pair(v->map, s, l)), "parent", place(netmap_parent(v->map, s, l)), "mtu",
		positive(l->mtu), "mac", mac, "flaps", (json_int_t)l->flaps, "speed", positive(l->speed),
		"manager", show_json_text(links_manager(l->manager)), "addresses", addresses(s, l->index),
		"flaw", flaw(v, s, l));
	counted = json_pack("{s:o, s:o, s:o, s:o}", "rx", number(l->rx), "tx", number(l->tx), "drops",
	                    number(l->drops), "errors", number(l->errors));
	(void)json_object_update(made, counted);
	json_decref(counted);
	return made;
}

static const char *protocol_word(uint8_t protocol)
{
	switch (protocol) {
	case RTPROT_KERNEL:
		return "kernel";
	case RTPROT_BOOT:
		return "boot";
	case RTPROT_STATIC:
		return "static";
	case RTPROT_RA:
		return "ra";
	case RTPROT_DHCP:
		return "dhcp";
	default:
		return "other";
	}
}

static const char *type_word(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return "unicast";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_PROHIBIT:
		return "prohibit";
	default:
		return "throw";
	}
}

static json_t *route(const struct netmap_route *r)
{
	return json_pack("{s:o, s:o, s:o, s:I, s:o, s:s, s:s}", "to", address(&r->to, true), "via",
	                 address(&r->gateway, false), "link", positive(r->link), "metric",
	                 (json_int_t)r->metric, "source", address(&r->source, false), "protocol",
	                 protocol_word(r->protocol), "type", type_word(r->type));
}

static json_t *truth(enum netmap_switch s)
{
	return s == NETMAP_UNTOLD ? json_null() : json_boolean(s == NETMAP_ON);
}

static json_t *space(const struct links_view *v, const struct netmap_space *s)
{
	const struct netmap_wanted *w = netmap_wanted_of(s->machine, v->wanted->v, v->wanted->n);
	json_t *links = json_array(), *routes = json_array();

	for (size_t i = 0; i < s->n_links; i++)
		(void)json_array_append_new(links, link(v, s, &s->links[i]));
	for (size_t i = 0; i < s->n_routes; i++)
		(void)json_array_append_new(routes, route(&s->routes[i]));
	return json_pack("{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "machine",
	                 named(s->machine), "sharesHost", s->shares_host, "masquerade", w && w->way_out,
	                 "links", links, "noLinks", show_json_text(s->no_links), "routes", routes, "noRoutes",
	                 show_json_text(s->no_routes), "nameServers", show_json_texts(&s->name_servers),
	                 "noNameServers", show_json_text(s->no_name_servers), "forward4",
	                 truth(s->sysctls.forward4), "forward6", truth(s->sysctls.forward6), "disable6",
	                 truth(s->sysctls.disable6), "rpFilter",
	                 s->sysctls.rp_filter < 0 ? json_null() : json_integer(s->sysctls.rp_filter));
}

static json_t *forward(const struct netmap *m, const struct netmap_forward *f)
{
	const struct netmap_space *owner = netmap_owner(m, &f->to);

	return json_pack("{s:s, s:i, s:o, s:i, s:o}", "protocol", f->port.udp ? "udp" : "tcp", "port",
	                 (int)f->port.host, "to", address(&f->to, false), "toPort", (int)f->port.guest,
	                 "machine", owner ? named(owner->machine) : json_null());
}

json_t *links_json(const struct links_view *v)
{
	const struct netmap *m = v->map;
	json_t *spaces = json_array(), *forwards = json_array();

	for (size_t i = 0; i < m->n; i++)
		(void)json_array_append_new(spaces, space(v, &m->v[i]));
	for (size_t i = 0; i < m->n_forwards; i++)
		(void)json_array_append_new(forwards, forward(m, &m->forwards[i]));
	return json_pack("{s:i, s:o, s:o, s:o, s:b, s:b, s:o}", "schema", 1, "spaces", spaces, "forwards",
	                 forwards, "noForwards", show_json_text(m->no_forwards), "legacyTables",
	                 m->legacy_tables, "approximate", m->approximate, "limits",
	                 show_json_texts(&v->limits));
}

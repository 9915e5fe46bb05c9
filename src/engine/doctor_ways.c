/* The way of a forward in one family: the kernel's rule, the guest's address, routes and filters. */
#include <linux/if_addr.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "engine/doctor_read.h"
#include "engine/look_read.h"

bool doctor_same_port(const struct port *a, const struct port *b)
{
	return a->udp == b->udp && a->host == b->host;
}

static struct addr configured(const struct doctor_patient *p, const enum link_key keys[2], uint8_t family)
{
	for (size_t i = 0; p->has_conf && i < 2; i++)
		if (p->conf.container.addr[keys[i]].family == family)
			return p->conf.container.addr[keys[i]];
	return (struct addr){ 0 };
}

/* ---- addresses */

bool doctor_has_address(const struct netaddrs *l, const struct addr *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (addr_same(&l->v[i].addr, a))
			return true;
	return false;
}

/* Better is: what works, then what systemd-nspawn takes (scope, link, bytes). */
static bool is_better(const struct netaddr *a, const struct netaddr *b)
{
	bool a_waits = a->flags & IFA_F_TENTATIVE, b_waits = b->flags & IFA_F_TENTATIVE;

	if (a_waits != b_waits)
		return b_waits;
	if (a->scope != b->scope)
		return a->scope < b->scope;
	if (a->link != b->link)
		return a->link < b->link;
	return memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) < 0;
}

static const struct netaddr *guest_address(const struct doctor_patient *p, uint8_t family,
                                           const struct addr *preferred)
{
	const struct netaddr *best = NULL;

	for (size_t i = 0; i < p->guest.addresses.n; i++) {
		const struct netaddr *a = &p->guest.addresses.v[i];

		if (a->addr.family != family || a->scope >= RT_SCOPE_LINK)
			continue;
		if (addr_same(&a->addr, preferred))
			return a;
		if (!best || is_better(a, best))
			best = a;
	}
	return best;
}

static enum doctor_address state_of(const struct netaddr *a)
{
	if (!a)
		return DOCTOR_ADDRESS_NONE;
	if (a->flags & IFA_F_DADFAILED)
		return DOCTOR_ADDRESS_DUPLICATE;
	return a->flags & IFA_F_TENTATIVE ? DOCTOR_ADDRESS_WAITS : DOCTOR_ADDRESS_THERE;
}

/* ---- rules */

static const struct forward *rule_of(const struct doctor_host *h, const struct port *port, uint8_t family)
{
	for (size_t i = 0; i < h->rules.n; i++)
		if (h->rules.v[i].to.family == family && doctor_same_port(&h->rules.v[i].port, port))
			return &h->rules.v[i];
	return NULL;
}

const struct machine *doctor_owner_of(const struct snapshot *s, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, false, text);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].addresses_seen && strs_has(&s->v[i].addresses, text))
			return &s->v[i];
	return NULL;
}

static enum doctor_owner judge_owner(const struct doctor_patient *p, const struct addr *a,
                                     const char **ret_other)
{
	const struct machine *owner = doctor_owner_of(p->r->s, a);

	if (doctor_has_address(&p->guest.addresses, a))
		return DOCTOR_OWNER_ITSELF;
	if (owner && strcmp(owner->name, p->m->name) != 0) {
		*ret_other = owner->name;
		return DOCTOR_OWNER_OTHER;
	}
	if (look_can_run(p->m) && !p->guest.addresses_known)
		return owner ? DOCTOR_OWNER_ITSELF : DOCTOR_OWNER_UNTOLD;
	return DOCTOR_OWNER_NOBODY;
}

static enum doctor_table table_of(const struct doctor_host *h, uint8_t family)
{
	enum doctor_table found = DOCTOR_TABLE_GONE;

	if (h->is_without_nf_tables)
		return DOCTOR_TABLE_IMPOSSIBLE;
	if (!h->rules_known || !h->filters_known || h->filters.cut)
		return DOCTOR_TABLE_UNTOLD;
	for (size_t i = 0; i < h->filters.n; i++) {
		const struct fw_chain *c = &h->filters.v[i];

		if (c->family != (family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4) ||
		    strcmp(c->table, "io.systemd.nat") != 0)
			continue;
		if (strcmp(c->name, "prerouting") == 0 && c->n > 0)
			return DOCTOR_TABLE_THERE;
		found = DOCTOR_TABLE_HOLLOW;
	}
	return found;
}

/* ---- the way to it */

static bool is_its_link(const struct doctor_patient *p, int index)
{
	for (size_t i = 0; i < p->r->host.links.n; i++) {
		const struct link *l = &p->r->host.links.v[i];

		if (p->guest.netnsid >= 0 && l->netnsid == p->guest.netnsid && strcmp(l->kind, "veth") == 0 &&
		    (l->index == index || l->master == index))
			return true;
	}
	return false;
}

static void fill_route(struct doctor_patient *p, struct doctor_way *w, int *ret_link)
{
	const struct link *l;
	bool local;

	if (!p->guest.host_link || rtnl_route_to(&p->r->host.nl, &w->to, ret_link, &local, NULL) < 0 || local)
		return;
	l = links_at(&p->r->host.links, *ret_link);
	w->routed_by = l && l->index != p->r->host.uplink ? l->name
	                                                  : NULL; /* the default route is none of its own */
	w->routed = *ret_link && is_its_link(p, *ret_link) ? DOCTOR_YES : DOCTOR_NO;
}

static const char *link_name(const struct links *links, int index)
{
	const struct link *l = index ? links_at(links, index) : NULL;

	return l ? l->name : NULL;
}

static void worse(struct firewall_verdict *so_far, const struct firewall_verdict *other)
{
	if (other->answer > so_far->answer)
		*so_far = *other;
}

/* A client's packet on its way in, and the answer on its way out. */
static void fill_drops(const struct firewall *f, const struct links *links, int outside, int inside,
                       const struct addr *client, const struct doctor_way *w, bool udp,
                       const enum fw_hook hooks[2], struct firewall_verdict *ret)
{
	struct firewall_packet in = {
		.hook = hooks[0],
		.family = w->to.family,
		.udp = udp,
		.is_translated = hooks[0] == FW_FORWARD,
		.iif = outside,
		.iif_name = link_name(links, outside),
		.oif = inside,
		.oif_name = link_name(links, inside),
		.from = *client,
		.to = w->to,
		.to_port = w->to_port,
	};
	struct firewall_packet out = {
		.hook = hooks[1],
		.family = w->to.family,
		.udp = udp,
		.is_translated = in.is_translated,
		.is_reply = true,
		.iif = inside,
		.iif_name = in.oif_name,
		.oif = outside,
		.oif_name = in.iif_name,
		.from = w->to,
		.from_port = w->to_port,
		.to = *client,
	};
	struct firewall_verdict back;

	firewall_judge(f, &in, ret);
	firewall_judge(f, &out, &back);
	worse(ret, &back);
}

static bool has_default_route(const struct netroutes *routes, int *ret_link)
{
	for (size_t i = 0; i < routes->n; i++)
		if (routes->v[i].to.prefix == 0) {
			*ret_link = routes->v[i].link;
			return true;
		}
	return false;
}

static const char *macvlan_name(const struct links *links, int index)
{
	const struct link *l = index ? links_at(links, index) : NULL;

	return l && strcmp(l->kind, "macvlan") == 0 ? l->name : NULL;
}

/* Inside: whether an answer finds its way, and what its own filter does. */
static void fill_inside(const struct doctor_patient *p, enum doctor_way_index index, bool udp,
                        struct doctor_way *w)
{
	static const enum fw_hook hooks[] = { FW_INPUT, FW_OUTPUT };
	const struct doctor_guest *g = &p->guest;
	int back = 0, link = 0;

	for (size_t i = 0; i < g->addresses.n; i++)
		if (addr_same(&g->addresses.v[i].addr, &w->to))
			link = g->addresses.v[i].link;
	w->macvlan = macvlan_name(&g->links, link);
	if (!g->inside_known)
		return;
	w->default_route = has_default_route(&g->routes[index], &back) ? DOCTOR_YES : DOCTOR_NO;
	if (w->default_route == DOCTOR_YES && back && back != link &&
	    netconfs_rp_filter(&g->confs[index], link) == 1)
		w->strict_link = link_name(&g->links, link);
	if (g->filters_known)
		fill_drops(&g->filters, &g->links, link, 0, &p->r->host.gateway[index], w, udp, hooks,
		           &w->guest_drops);
}

/* Beside a bridge the host's address only is the guest's gateway. */
static void fill_host_end(const struct doctor_patient *p, uint8_t family, struct doctor_way *w)
{
	static const enum link_key host[] = { HOST4, HOST6 };
	const struct netaddrs *l = &p->r->host.addresses;

	if (!p->has_conf || p->conf.container.host_bridge || !p->guest.host_link)
		return;
	w->host_end = configured(p, host, family);
	w->host_end_there = addr_is_set(&w->host_end) ? DOCTOR_NO : DOCTOR_UNTOLD;
	for (size_t i = 0; i < l->n && addr_is_set(&w->host_end); i++)
		if (addr_same(&l->v[i].addr, &w->host_end))
			w->host_end_there = DOCTOR_YES;
}

void doctor_fill_way(struct doctor_patient *p, const struct port *port, enum doctor_way_index index,
                     struct doctor_way *w)
{
	static const enum fw_hook hooks[] = { FW_FORWARD, FW_FORWARD };
	static const enum link_key local[] = { LOCAL4, LOCAL6 };
	const uint8_t family = index == DOCTOR_V6 ? AF_INET6 : AF_INET;
	const struct doctor_host *h = &p->r->host;
	const struct forward *rule = rule_of(h, port, family);
	const struct netconf *all = netconfs_at(&h->confs[index], NETCONF_ALL);
	const struct netaddr *a;
	int link = 0;

	w->configured = configured(p, local, family);
	w->table = table_of(h, family);
	if (rule) {
		w->has_rule = true;
		w->to = rule->to;
		w->to_port = rule->port.guest;
		w->owner = judge_owner(p, &rule->to, &w->other);
	}
	a = guest_address(p, family, rule ? &rule->to : &w->configured);
	w->address = state_of(a);
	if (a)
		w->guest = a->addr;
	if (!rule || w->owner != DOCTOR_OWNER_ITSELF)
		return;
	w->forwarding = !all ? DOCTOR_UNTOLD : all->forwarding ? DOCTOR_YES : DOCTOR_NO;
	fill_route(p, w, &link);
	if (h->filters_known)
		fill_drops(&h->filters, &h->links, h->uplink, link, &h->gateway[index], w, port->udp, hooks,
		           &w->host_drops);
	fill_host_end(p, family, w);
	fill_inside(p, index, port->udp, w);
}

#include "drivers/rtnl_map.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/rtnl.h"
#include "drivers/rtnl_private.h"
#include "words/netmap_change.h"

/* ---- one message */

static void set_peer(const struct nlattr *link, const struct nlattr *netnsid, int self, struct netmap_link *l)
{
	int id = (int)nl_get_u32(netnsid, UINT32_MAX);

	l->peer = (int)nl_get_u32(link, 0);
	if (l->peer == l->index && !netnsid) /* a link without one says itself (linux dev_get_iflink) */
		l->peer = 0;
	l->peer_is_here = l->peer && !netnsid;
	l->netnsid = !netnsid || (id >= 0 && id == self) ? NETMAP_HOST : id < 0 ? NETMAP_NSID_OTHER : id;
}

/* -EBADMSG: it tells of no link; -ENOMEM */
static int parse_link(const struct nlmsghdr *m, int self, struct netmap_link *ret)
{
	const struct ifinfomsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[IFLA_PROP_LIST + 1], *info[IFLA_INFO_KIND + 1];
	struct netmap_link l = { .rx = STATS_UNKNOWN,
		                 .tx = STATS_UNKNOWN,
		                 .drops = STATS_UNKNOWN,
		                 .errors = STATS_UNKNOWN,
		                 .rx_rate = STATS_UNKNOWN,
		                 .tx_rate = STATS_UNKNOWN };
	const void *mac;

	/* of a family: a bridge telling of its port, which is not new, nor gone */
	if (!head || (m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK) ||
	    head->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	nl_attrs(m, sizeof(*head), a, IFLA_PROP_LIST);
	nl_nested(a[IFLA_LINKINFO], info, IFLA_INFO_KIND);
	l.index = head->ifi_index;
	l.up = head->ifi_flags & IFF_UP;
	l.carrier = head->ifi_flags & IFF_LOWER_UP;
	l.loopback = head->ifi_flags & IFF_LOOPBACK;
	l.master = (int)nl_get_u32(a[IFLA_MASTER], 0);
	set_peer(a[IFLA_LINK], a[IFLA_LINK_NETNSID], self, &l);
	l.mtu = nl_get_u32(a[IFLA_MTU], 0);
	l.flaps = nl_get_u32(a[IFLA_CARRIER_DOWN_COUNT], 0);
	nl_text(a[IFLA_IFNAME], l.name, sizeof(l.name));
	nl_text(info[IFLA_INFO_KIND], l.kind, sizeof(l.kind));
	mac = nl_bytes(a[IFLA_ADDRESS], sizeof(l.mac));
	if (mac)
		memcpy(l.mac, mac, sizeof(l.mac));
	rtnl_altnames(a[IFLA_PROP_LIST], &l.altnames);
	if (l.altnames.bad) {
		netmap_link_done(&l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

static bool parse_address(const struct nlmsghdr *m, struct netmap_address *ret)
{
	const struct ifaddrmsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[IFA_FLAGS + 1];
	struct netmap_address n = { 0 };
	uint32_t flags;

	if (!head || (m->nlmsg_type != RTM_NEWADDR && m->nlmsg_type != RTM_DELADDR))
		return false;
	nl_attrs(m, sizeof(*head), a, IFA_FLAGS);
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	if (!rtnl_addr(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], head->ifa_family, head->ifa_prefixlen,
	               &n.addr))
		return false;
	if (a[IFA_LOCAL] && rtnl_addr(a[IFA_ADDRESS], head->ifa_family, head->ifa_prefixlen, &n.peer) &&
	    addr_same(&n.peer, &n.addr))
		n.peer = (struct addr){ 0 };
	flags = nl_get_u32(a[IFA_FLAGS], head->ifa_flags);
	n.link = (int)head->ifa_index;
	n.scope = head->ifa_scope;
	n.tentative = flags & IFA_F_TENTATIVE;
	n.dadfailed = flags & IFA_F_DADFAILED;
	n.deprecated = flags & IFA_F_DEPRECATED;
	n.permanent = flags & IFA_F_PERMANENT;
	*ret = n;
	return true;
}

/* Called for each next hop of a route of the main table. */
typedef int route_fn(const struct netmap_route *r, void *arg);

static bool is_shown(uint8_t type)
{
	return type == RTN_UNICAST || type == RTN_UNREACHABLE || type == RTN_BLACKHOLE ||
	       type == RTN_PROHIBIT || type == RTN_THROW;
}

/* Next hops, each with its own attributes behind a struct rtnexthop. */
static int each_hop(const struct nlattr *hops, const struct netmap_route *whole, route_fn *each, void *arg)
{
	const char *bytes = nl_bytes(hops, sizeof(struct rtnexthop));
	size_t left = nl_len(hops);
	int r = 0;

	while (r == 0 && bytes && left >= sizeof(struct rtnexthop)) {
		const struct nlattr *a[RTA_GATEWAY + 1];
		struct netmap_route hop = *whole;
		struct rtnexthop head;
		size_t len;

		memcpy(&head, bytes, sizeof(head));
		len = head.rtnh_len;
		if (len < sizeof(head) || len > left)
			break;
		nl_attrs_of(bytes + sizeof(head), len - sizeof(head), a, RTA_GATEWAY);
		hop.link = head.rtnh_ifindex;
		if (!rtnl_addr(a[RTA_GATEWAY], whole->to.family, 0, &hop.gateway))
			hop.gateway = (struct addr){ 0 };
		r = each(&hop, arg);
		len = (len + 3) & ~(size_t)3;
		bytes += len;
		left = len < left ? left - len : 0;
	}
	return r;
}

static int parse_route(const struct nlmsghdr *m, route_fn *each, void *arg)
{
	const struct rtmsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[RTA_TABLE + 1];
	struct netmap_route route = { 0 };

	if (!head || (m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE) ||
	    head->rtm_flags & RTM_F_CLONED || (head->rtm_family != AF_INET && head->rtm_family != AF_INET6) ||
	    !is_shown(head->rtm_type))
		return 0;
	nl_attrs(m, sizeof(*head), a, RTA_TABLE);
	if (nl_get_u32(a[RTA_TABLE], head->rtm_table) != RT_TABLE_MAIN)
		return 0;
	route.type = head->rtm_type;
	route.protocol = head->rtm_protocol;
	route.tos = head->rtm_family == AF_INET ? head->rtm_tos : 0;
	route.metric = nl_get_u32(a[RTA_PRIORITY], 0);
	/* IPv6 ones that refuse are told to be over the loopback link */
	route.link = head->rtm_type == RTN_UNICAST ? (int)nl_get_u32(a[RTA_OIF], 0) : 0;
	if (!rtnl_addr(a[RTA_DST], head->rtm_family, head->rtm_dst_len, &route.to))
		route.to = (struct addr){ .family = head->rtm_family, .has_prefix = true };
	(void)rtnl_addr(a[RTA_PREFSRC], head->rtm_family, addr_bits(&route.to), &route.source);
	if (a[RTA_MULTIPATH])
		return each_hop(a[RTA_MULTIPATH], &route, each, arg);
	(void)rtnl_addr(a[RTA_GATEWAY], head->rtm_family, 0, &route.gateway);
	return each(&route, arg);
}

/* ---- whole namespaces */

struct reading {
	struct netmap_space *to;
	int self;
};

static int on_link(const struct nlmsghdr *m, void *arg)
{
	const struct reading *reading = arg;
	struct netmap_link l;
	int r;

	if (!m) {
		netmap_forget_links(reading->to);
		return 0;
	}
	r = parse_link(m, reading->self, &l);
	if (r == 0 && !netmap_add_link(reading->to, &l)) {
		netmap_link_done(&l);
		r = -ENOMEM;
	}
	return r == -ENOMEM ? r : 0;
}

static int on_address(const struct nlmsghdr *m, void *arg)
{
	const struct reading *reading = arg;
	struct netmap_address a;

	if (!m) {
		reading->to->n_addresses = 0;
		return 0;
	}
	return parse_address(m, &a) && !netmap_add_address(reading->to, &a) ? -ENOMEM : 0;
}

static int dump_links(struct nl *nl, int netnsid, struct reading *reading, struct err *e)
{
	struct ifinfomsg links = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg addresses = { .ifa_family = AF_UNSPEC };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	bool changed;
	int r;

	NL_MSG(b, RTM_GETLINK, NLM_F_DUMP, links) {
		nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		if (netnsid >= 0)
			nl_u32(b, IFLA_TARGET_NETNSID, (uint32_t)netnsid);
	}
	r = nl_dump(nl, b, on_link, reading, e);
	if (r < 0 && r != -EAGAIN)
		return err_wrap(e, r, "cannot list the links");
	changed = r < 0;
	b = rtnl_request(&q);
	NL_MSG(b, RTM_GETADDR, NLM_F_DUMP, addresses)
		if (netnsid >= 0)
			nl_u32(b, IFA_TARGET_NETNSID, (uint32_t)netnsid);
	r = nl_dump(nl, b, on_address, reading, e);
	return r < 0 ? err_wrap(e, r, "cannot list the addresses") : changed ? -EAGAIN : 0;
}

int rtnl_map_links(struct nl *nl, int self, struct netmap_space *s, struct err *e)
{
	CLEANUP(netmap_space_done) struct netmap_space made = { 0 };
	struct reading reading = { &made, self };
	int r = dump_links(nl, s->netnsid, &reading, e);

	if (r < 0 && r != -EAGAIN)
		return r;
	netmap_sort(&made);
	netmap_forget_links(s);
	s->links = take_p(&made.links), s->n_links = made.n_links;
	s->addresses = take_p(&made.addresses), s->n_addresses = made.n_addresses;
	made.n_links = made.n_addresses = 0;
	return r;
}

static int add_route(const struct netmap_route *r, void *arg)
{
	return netmap_add_route(arg, r) ? 0 : -ENOMEM;
}

struct routes_reading {
	struct netmap_space *to;
	size_t before; /* of the other family */
};

static int on_route(const struct nlmsghdr *m, void *arg)
{
	const struct routes_reading *reading = arg;

	if (!m) {
		reading->to->n_routes = reading->before;
		return 0;
	}
	return parse_route(m, add_route, reading->to);
}

int rtnl_map_routes(struct nl *nl, struct netmap_space *s, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	CLEANUP(netmap_space_done) struct netmap_space made = { 0 };
	bool changed = false;

	for (size_t i = 0; i < COUNT(families); i++) {
		struct rtmsg head = { .rtm_family = families[i], .rtm_table = RT_TABLE_MAIN };
		struct routes_reading reading = { &made, made.n_routes };
		struct rtnl_request q;
		struct nl_batch *b = rtnl_request(&q);
		int r;

		NL_MSG(b, RTM_GETROUTE, NLM_F_DUMP, head) {
		}
		r = nl_dump(nl, b, on_route, &reading, e);
		if (r < 0 && r != -EAGAIN)
			return err_wrap(e, r, "cannot list the routes");
		changed |= r < 0;
	}
	netmap_sort(&made);
	netmap_forget_routes(s);
	s->routes = take_p(&made.routes), s->n_routes = made.n_routes;
	made.n_routes = 0;
	return changed ? -EAGAIN : 0;
}

/* ---- one thing */

struct one {
	int self;
	struct netmap_link link;
	bool here;
};

static int on_one(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	struct one *one = arg;
	int r;

	(void)i;
	if (one->here)
		return 0;
	r = parse_link(m, one->self, &one->link);
	one->here = r == 0;
	return r == -ENOMEM ? r : 0;
}

int rtnl_map_link(struct nl *nl, int self, struct netmap_space *s, int index, struct err *e)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct one one = { .self = self };
	struct nl_answer answer;
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETLINK, NLM_F_ACK, head) {
		nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		if (s->netnsid >= 0)
			nl_u32(b, IFLA_TARGET_NETNSID, (uint32_t)s->netnsid);
	}
	r = nl_commit(nl, b, &answer, on_one, &one, e);
	if (r < 0 || (!one.here && answer.error != ENODEV)) {
		netmap_link_done(&one.link);
		return r < 0 ? r
		             : err_set(e, err_status_of(answer.error), answer.error ? answer.error : EBADMSG,
		                       "cannot read a link: %s", answer.text);
	}
	if (!one.here)
		netmap_drop_link(s, index);
	else if (!netmap_put_link(s, &one.link)) {
		netmap_link_done(&one.link);
		return err_no_memory(e);
	}
	return 0;
}

static int on_self(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	const struct nlattr *a[NETNSA_NSID + 1];

	(void)i;
	if (m->nlmsg_type != RTM_NEWNSID)
		return 0;
	nl_attrs(m, sizeof(struct rtgenmsg), a, NETNSA_NSID);
	*(int *)arg = (int)nl_get_u32(a[NETNSA_NSID], UINT32_MAX);
	return 0;
}

int rtnl_map_self(struct nl *nl)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	struct nl_answer answer;
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int id = NETMAP_HOST;

	NL_MSG(b, RTM_GETNSID, NLM_F_ACK, head)
		nl_u32(b, NETNSA_PID, (uint32_t)getpid());
	return nl_commit(nl, b, &answer, on_self, &id, NULL) < 0 || id < 0 ? NETMAP_HOST : id;
}

/* ---- events */

int rtnl_map_monitor(struct nl *ret, struct err *e)
{
	static const unsigned groups[] = { RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		                           RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_NETCONF,
		                           RTNLGRP_IPV6_NETCONF };

	return nl_monitor(NETLINK_ROUTE, groups, COUNT(groups), true, ret, e);
}

static enum rtnl_map_change apply_link(const struct nlmsghdr *m, bool of_host, struct netmap_space *s,
                                       int *ret_link)
{
	const struct ifinfomsg *head = nl_head(m, sizeof(*head));
	const struct netmap_link *before;
	struct netmap_link l;
	bool half;
	int r;

	if (!head || head->ifi_family != AF_UNSPEC)
		return RTNL_MAP_NOTHING;
	*ret_link = head->ifi_index;
	if (m->nlmsg_type == RTM_DELLINK) {
		netmap_drop_link(s, head->ifi_index);
		return RTNL_MAP_GONE;
	}
	before = netmap_link(s, head->ifi_index);
	if (!(head->ifi_flags & IFF_UP) && (!before || before->up))
		netmap_drop_routes_of(s, head->ifi_index);
	if (!of_host)
		return RTNL_MAP_ASK_LINK;
	r = parse_link(m, NETMAP_HOST, &l);
	if (r < 0)
		return r == -ENOMEM ? RTNL_MAP_NO_MEMORY : RTNL_MAP_NOTHING;
	half = strcmp(l.kind, "veth") == 0 && l.peer == 0; /* told before its other end was made */
	if (netmap_put_link(s, &l))
		return half ? RTNL_MAP_ASK_LINK : RTNL_MAP_CHANGED;
	netmap_link_done(&l);
	return RTNL_MAP_NO_MEMORY;
}

static enum rtnl_map_change apply_address(const struct nlmsghdr *m, struct netmap_space *s)
{
	struct netmap_address a;

	if (!parse_address(m, &a))
		return RTNL_MAP_NOTHING;
	if (m->nlmsg_type == RTM_DELADDR)
		netmap_drop_address(s, &a);
	else if (!netmap_put_address(s, &a))
		return RTNL_MAP_NO_MEMORY;
	return RTNL_MAP_CHANGED;
}

struct routing {
	struct netmap_space *s;
	bool gone, replaces, asks;
	size_t hops;
};

static int apply_hop(const struct netmap_route *r, void *arg)
{
	struct routing *to = arg;

	if (to->gone) {
		netmap_drop_route(to->s, r);
	} else {
		/* The kernel replaces the first of several IPv4 routes, or all hops of an IPv6 one. */
		if (to->replaces && to->hops == 0)
			to->asks = netmap_drop_rivals(to->s, r) > 1;
		if (!netmap_put_route(to->s, r))
			return -ENOMEM;
	}
	to->hops++;
	return 0;
}

static enum rtnl_map_change apply_route(const struct nlmsghdr *m, struct netmap_space *s)
{
	bool gone = m->nlmsg_type == RTM_DELROUTE;
	struct routing to = { .s = s, .gone = gone, .replaces = m->nlmsg_flags & NLM_F_REPLACE };

	if (s->no_routes) /* what is not known can not be changed by a piece */
		return RTNL_MAP_NOTHING;
	if (parse_route(m, apply_hop, &to) < 0)
		return RTNL_MAP_NO_MEMORY;
	return to.asks ? RTNL_MAP_ASK_ROUTES : to.hops > 0 ? RTNL_MAP_CHANGED : RTNL_MAP_NOTHING;
}

static enum rtnl_map_change apply_conf(const struct nlmsghdr *m, struct netmap_space *s)
{
	const struct netconfmsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[NETCONFA_MAX + 1];
	uint32_t forwarding, rp_filter;

	if (!head)
		return RTNL_MAP_NOTHING;
	nl_attrs(m, sizeof(*head), a, NETCONFA_MAX);
	if ((int)nl_get_u32(a[NETCONFA_IFINDEX], 0) != NETCONFA_IFINDEX_ALL)
		return RTNL_MAP_NOTHING;
	forwarding = nl_get_u32(a[NETCONFA_FORWARDING], UINT32_MAX);
	rp_filter = nl_get_u32(a[NETCONFA_RP_FILTER], UINT32_MAX);
	if (forwarding != UINT32_MAX)
		*(head->ncm_family == AF_INET6 ? &s->sysctls.forward6 : &s->sysctls.forward4) =
			forwarding ? NETMAP_ON : NETMAP_OFF;
	if (head->ncm_family == AF_INET && rp_filter != UINT32_MAX)
		s->sysctls.rp_filter = (int)rp_filter;
	return RTNL_MAP_CHANGED;
}

enum rtnl_map_change rtnl_map_apply(const struct nlmsghdr *m, bool of_host, struct netmap_space *s,
                                    int *ret_link)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return apply_link(m, of_host, s, ret_link);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return apply_address(m, s);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return apply_route(m, s);
	case RTM_NEWNETCONF:
		return apply_conf(m, s);
	}
	return RTNL_MAP_NOTHING;
}

/* ---- how packets are treated */

static int on_conf(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	(void)i;
	if (m->nlmsg_type == RTM_NEWNETCONF)
		(void)apply_conf(m, arg);
	return 0;
}

void rtnl_map_sysctls(struct nl *nl, struct netmap_space *s)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	s->sysctls = (struct netmap_sysctls){ .rp_filter = -1 };
	for (size_t i = 0; i < COUNT(families); i++) {
		struct netconfmsg head = { .ncm_family = families[i] };
		struct nl_answer answer;
		struct rtnl_request q;
		struct nl_batch *b = rtnl_request(&q);

		NL_MSG(b, RTM_GETNETCONF, NLM_F_ACK, head)
			nl_u32(b, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
		(void)nl_commit(nl, b, &answer, on_conf, s, NULL);
	}
}

/* ---- traffic */

static uint64_t rate(uint64_t before, uint64_t now, uint64_t usec)
{
	if (before == STATS_UNKNOWN || now < before || usec == 0)
		return STATS_UNKNOWN;
	return (uint64_t)((double)(now - before) * 1e6 / (double)usec);
}

int rtnl_map_traffic(struct nl *nl, struct netmap_space *host, uint64_t before_usec, uint64_t now_usec,
                     struct err *e)
{
	struct traffics all = { 0 };
	uint64_t usec = before_usec ? now_usec - before_usec : 0;
	int r = rtnl_traffic(nl, &all, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < host->n_links; i++) {
		struct netmap_link *l = &host->links[i];
		const struct traffic *t = traffics_at(&all, l->index);

		if (!t)
			continue;
		l->rx_rate = rate(l->rx, t->rx, usec);
		l->tx_rate = rate(l->tx, t->tx, usec);
		l->rx = t->rx, l->tx = t->tx, l->drops = t->drops, l->errors = t->errors;
	}
	free(all.v);
	return 0;
}

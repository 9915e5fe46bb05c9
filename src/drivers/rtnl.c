#include "drivers/rtnl.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/rtnl_private.h"

/* One request and its answer. Returns 0 or the kernel's negative errno, whose words are in the sentence. */
static int ask(struct nl *nl, struct nl_batch *b, nl_data_fn *data, void *arg, const char *what,
               struct err *e)
{
	struct nl_answer answer;
	int r = nl_commit(nl, b, &answer, data, arg, e);

	if (r < 0)
		return err_wrap(e, r, "cannot %s", what);
	if (answer.error)
		return err_set(e, err_status_of(answer.error), answer.error, "cannot %s: %s", what,
		               answer.text);
	return 0;
}

/* Room for one more of n items: an array is full at every power of two. NULL when out of memory. */
static void *room(void *v, size_t n, size_t item)
{
	return n & (n - 1) ? v : reallocarray(v, n ? 2 * n : 1, item);
}

/* ---- links */

void link_done(struct link *l)
{
	strs_done(&l->altnames);
	*l = (struct link){ 0 };
}

void links_done(struct links *l)
{
	for (size_t i = 0; i < l->n; i++)
		link_done(&l->v[i]);
	free(l->v);
	*l = (struct links){ 0 };
}

static int on_altname(const struct nlattr *a, uint16_t type, void *arg)
{
	char name[NETOP_NAME_SIZE];

	if (type != IFLA_ALT_IFNAME)
		return 0;
	nl_text(a, name, sizeof(name));
	strs_add(arg, name);
	return 0;
}

void rtnl_altnames(const struct nlattr *list, struct strs *ret)
{
	(void)nl_each(list, on_altname, ret);
}

static bool is_without_ipv6(const struct nlattr *families)
{
	const struct nlattr *of[AF_INET6 + 1], *inet6[IFLA_INET6_CONF + 1];
	const int32_t *conf;

	nl_nested(families, of, AF_INET6);
	nl_nested(of[AF_INET6], inet6, IFLA_INET6_CONF);
	conf = nl_bytes(inet6[IFLA_INET6_CONF], (DEVCONF_DISABLE_IPV6 + 1) * sizeof(*conf));
	return conf && conf[DEVCONF_DISABLE_IPV6] == 1;
}

int link_parse(const struct nlmsghdr *m, struct link *ret)
{
	const struct ifinfomsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[IFLA_PROP_LIST + 1], *info[IFLA_INFO_KIND + 1];
	CLEANUP(link_done) struct link l = { 0 };
	const void *mac;

	if (!head || (m->nlmsg_type != RTM_NEWLINK && m->nlmsg_type != RTM_DELLINK))
		return -EBADMSG;
	if (head->ifi_family != AF_UNSPEC) /* a bridge telling of its port: the port is not new, nor gone */
		return -EBADMSG;
	nl_attrs(m, sizeof(*head), a, IFLA_PROP_LIST);
	nl_nested(a[IFLA_LINKINFO], info, IFLA_INFO_KIND);
	rtnl_altnames(a[IFLA_PROP_LIST], &l.altnames);
	if (l.altnames.bad)
		return -ENOMEM;
	l.index = head->ifi_index;
	l.up = head->ifi_flags & IFF_UP;
	l.carrier = head->ifi_flags & IFF_LOWER_UP;
	l.no_ipv6 = is_without_ipv6(a[IFLA_AF_SPEC]);
	l.master = (int)nl_get_u32(a[IFLA_MASTER], 0);
	l.netnsid = (int)nl_get_u32(a[IFLA_LINK_NETNSID], UINT32_MAX);
	l.peer = (int)nl_get_u32(a[IFLA_LINK], 0);
	l.mtu = nl_get_u32(a[IFLA_MTU], 0);
	nl_text(a[IFLA_IFNAME], l.name, sizeof(l.name));
	nl_text(info[IFLA_INFO_KIND], l.kind, sizeof(l.kind));
	mac = nl_bytes(a[IFLA_ADDRESS], sizeof(l.mac));
	if (mac)
		memcpy(l.mac, mac, sizeof(l.mac));
	*ret = l;
	l = (struct link){ 0 };
	return 0;
}

static bool is_called(const struct link *l, const char *name)
{
	return strcmp(l->name, name) == 0 || strs_has(&l->altnames, name);
}

const char *link_full_name(const struct link *l)
{
	for (size_t i = 0; i < l->altnames.n; i++)
		if (strncmp(l->altnames.v[i], l->name, 11) == 0) /* what systemd-nspawn leaves of it */
			return l->altnames.v[i];
	return l->name;
}

const struct link *links_find(const struct links *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_called(&l->v[i], name))
			return &l->v[i];
	return NULL;
}

const struct link *links_at(const struct links *l, int index)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].index == index)
			return &l->v[i];
	return NULL;
}

/* The kernel's name of what systemd-nspawn calls that: the first three bytes are "ve-" or "vb-". */
static void kernel_name(const char *name, char ret[static NAME_LINK_SIZE])
{
	char prefix[4];

	(void)snprintf(prefix, sizeof(prefix), "%s", name);
	if (strlen(name) < NAME_LINK_SIZE || strlen(name) > 3 + NAME_MACHINE_MAX)
		(void)snprintf(ret, NAME_LINK_SIZE, "%s", name);
	else
		name_host_link(prefix, name + 3, ret);
}

const struct link *links_find_host(const struct links *l, const char *name)
{
	const struct link *found = links_find(l, name);
	char cut[NAME_LINK_SIZE];

	kernel_name(name, cut);
	return found ? found : links_find(l, cut);
}

static int on_link(const struct nlmsghdr *m, void *arg)
{
	struct links *l = arg;
	struct link *grown;
	int r;

	if (!m) {
		links_done(l);
		return 0;
	}
	grown = room(l->v, l->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	r = link_parse(m, &l->v[l->n]);
	if (r == 0)
		l->n++;
	return r == -ENOMEM ? r : 0;
}

int rtnl_links_in(struct nl *nl, int netnsid, struct links *ret, struct err *e)
{
	CLEANUP(links_done) struct links l = { 0 };
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETLINK, NLM_F_DUMP, head) {
		nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		if (netnsid >= 0)
			nl_u32(b, IFLA_TARGET_NETNSID, (uint32_t)netnsid);
	}
	r = nl_dump(nl, b, on_link, &l, e);
	if (r < 0)
		return err_wrap(e, r, "cannot list the links");
	*ret = l;
	l = (struct links){ 0 };
	return 0;
}

int rtnl_links(struct nl *nl, struct links *ret, struct err *e)
{
	return rtnl_links_in(nl, -1, ret, e);
}

static int on_one_link(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	struct link *l = arg;

	(void)i;
	link_done(l);
	return link_parse(m, l);
}

int rtnl_link(struct nl *nl, int index, struct link *ret, struct err *e)
{
	CLEANUP(link_done) struct link l = { 0 };
	struct ifinfomsg head = { .ifi_index = index };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETLINK, NLM_F_ACK, head)
		nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = ask(nl, b, on_one_link, &l, "read a link", e);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct link){ 0 };
	return 0;
}

static int index_by_altname(struct nl *nl, const char *name)
{
	CLEANUP(link_done) struct link l = { 0 };
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);

	NL_MSG(b, RTM_GETLINK, NLM_F_ACK, head) {
		nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
		nl_str(b, IFLA_ALT_IFNAME, name);
	}
	return ask(nl, b, on_one_link, &l, "find a link", NULL) < 0 ? 0 : l.index;
}

int rtnl_index(struct nl *nl, const char *name)
{
	struct ifreq q = { 0 };
	char cut[NAME_LINK_SIZE];

	kernel_name(name, cut);
	memcpy(q.ifr_name, cut, sizeof(cut));
	if (ioctl(nl->fd, SIOCGIFINDEX, &q) == 0)
		return q.ifr_ifindex;
	return index_by_altname(nl, name);
}

int rtnl_delete(struct nl *nl, int index, struct err *e)
{
	struct ifinfomsg head = { .ifi_index = index };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r = gate_ask(e, "cannot delete a link");

	if (r < 0)
		return r;
	NL_MSG(b, RTM_DELLINK, NLM_F_ACK, head) {
	}
	r = ask(nl, b, NULL, NULL, "delete a link", e);
	return r == -ENODEV ? 0 : r;
}

/* ---- traffic */

static int on_traffic(const struct nlmsghdr *m, void *arg)
{
	const struct if_stats_msg *head = m ? nl_head(m, sizeof(*head)) : NULL;
	const size_t size = offsetof(struct rtnl_link_stats64, multicast); /* newer kernels tell more */
	const struct nlattr *a[IFLA_STATS_LINK_64 + 1];
	struct rtnl_link_stats64 counted = { 0 };
	struct traffics *t = arg;
	struct traffic *grown;

	if (!m) {
		t->n = 0;
		return 0;
	}
	if (!head || m->nlmsg_type != RTM_NEWSTATS)
		return 0;
	nl_attrs(m, sizeof(*head), a, IFLA_STATS_LINK_64);
	if (!nl_bytes(a[IFLA_STATS_LINK_64], size))
		return 0;
	memcpy(&counted, nl_bytes(a[IFLA_STATS_LINK_64], size), size);
	grown = room(t->v, t->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->v = grown;
	t->v[t->n++] = (struct traffic){ .index = (int)head->ifindex,
		                         .rx = counted.rx_bytes,
		                         .tx = counted.tx_bytes,
		                         .drops = counted.rx_dropped + counted.tx_dropped,
		                         .errors = counted.rx_errors + counted.tx_errors };
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct traffic *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

int rtnl_traffic(struct nl *nl, struct traffics *ret, struct err *e)
{
	struct if_stats_msg head = { .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) };
	struct traffics t = { 0 };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETSTATS, NLM_F_DUMP, head) {
	}
	r = nl_dump(nl, b, on_traffic, &t, e);
	if (r < 0) {
		free(t.v);
		return err_wrap(e, r, "cannot read the links' traffic");
	}
	if (t.n > 0)
		qsort(t.v, t.n, sizeof(*t.v), by_index);
	*ret = t;
	return 0;
}

const struct traffic *traffics_at(const struct traffics *t, int index)
{
	const struct traffic key = { .index = index };

	return t->n > 0 ? bsearch(&key, t->v, t->n, sizeof(*t->v), by_index) : NULL;
}

/* ---- addresses */

bool rtnl_addr(const struct nlattr *a, uint8_t family, uint8_t prefix, struct addr *ret)
{
	struct addr made = { .family = family, .prefix = prefix, .has_prefix = true };

	if ((family != AF_INET && family != AF_INET6) || prefix > addr_bits(&made) ||
	    !nl_bytes(a, addr_size(&made)))
		return false;
	memcpy(made.bytes, nl_bytes(a, addr_size(&made)), addr_size(&made));
	*ret = made;
	return true;
}

int netaddr_parse(const struct nlmsghdr *m, struct netaddr *ret)
{
	const struct ifaddrmsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[IFA_MAX + 1];
	struct netaddr n = { 0 };

	if (!head || (m->nlmsg_type != RTM_NEWADDR && m->nlmsg_type != RTM_DELADDR))
		return -EBADMSG;
	nl_attrs(m, sizeof(*head), a, IFA_MAX);
	n.link = (int)head->ifa_index;
	n.scope = head->ifa_scope;
	n.flags = nl_get_u32(a[IFA_FLAGS], head->ifa_flags);
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	if (!rtnl_addr(a[IFA_LOCAL] ? a[IFA_LOCAL] : a[IFA_ADDRESS], head->ifa_family, head->ifa_prefixlen,
	               &n.addr))
		return -EBADMSG;
	*ret = n;
	return 0;
}

static int on_address(const struct nlmsghdr *m, void *arg)
{
	struct netaddrs *l = arg;
	struct netaddr *grown;

	if (!m) {
		l->n = 0;
		return 0;
	}
	grown = room(l->v, l->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	if (netaddr_parse(m, &l->v[l->n]) == 0)
		l->n++;
	return 0;
}

int rtnl_addresses(struct nl *nl, int netnsid, struct netaddrs *ret, struct err *e)
{
	struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct netaddrs l = { 0 };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETADDR, NLM_F_DUMP, head)
		if (netnsid >= 0)
			nl_u32(b, IFA_TARGET_NETNSID, (uint32_t)netnsid);
	r = nl_dump(nl, b, on_address, &l, e);
	if (r < 0) {
		free(l.v);
		return err_wrap(e, r, "cannot list the addresses");
	}
	*ret = l;
	return 0;
}

static int on_netnsid(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	const struct nlattr *a[NETNSA_MAX + 1];
	int *id = arg;

	(void)i;
	if (m->nlmsg_type != RTM_NEWNSID)
		return -EBADMSG;
	nl_attrs(m, sizeof(struct rtgenmsg), a, NETNSA_MAX);
	*id = (int)nl_get_u32(a[NETNSA_NSID], UINT32_MAX);
	return 0;
}

static int ask_netnsid(struct nl *nl, uint16_t type, pid_t pid, int *id, struct err *e)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);

	NL_MSG(b, type, NLM_F_ACK, head) {
		nl_u32(b, NETNSA_PID, (uint32_t)pid);
		if (type == RTM_NEWNSID)
			nl_u32(b, NETNSA_NSID, UINT32_MAX); /* the kernel chooses */
	}
	return ask(nl, b, on_netnsid, id, "find a process's network", e);
}

int rtnl_netnsid(struct nl *nl, pid_t pid, int *ret, struct err *e)
{
	int id = -1, r = ask_netnsid(nl, RTM_GETNSID, pid, &id, e);

	if (r == 0 && id < 0)
		r = gate_ask(e, "cannot give a network an id");
	if (r == 0 && id < 0) {
		r = ask_netnsid(nl, RTM_NEWNSID, pid, &id, e);
		if (r == 0 || r == -EEXIST)
			r = ask_netnsid(nl, RTM_GETNSID, pid, &id, e);
	}
	if (r == 0)
		*ret = id;
	return r;
}

/* ---- routes */

static int on_route(const struct nlmsghdr *m, void *arg)
{
	const struct rtmsg *head = m ? nl_head(m, sizeof(*head)) : NULL;
	const struct nlattr *a[RTA_MAX + 1];
	struct netroutes *l = arg;
	struct netroute route = { 0 }, *grown;

	if (!m) {
		l->n = 0;
		return 0;
	}
	if (!head || m->nlmsg_type != RTM_NEWROUTE)
		return 0;
	nl_attrs(m, sizeof(*head), a, RTA_MAX);
	if (nl_get_u32(a[RTA_TABLE], head->rtm_table) != RT_TABLE_MAIN || head->rtm_type != RTN_UNICAST)
		return 0;
	route.link = (int)nl_get_u32(a[RTA_OIF], 0);
	route.metric = nl_get_u32(a[RTA_PRIORITY], 0);
	if (!rtnl_addr(a[RTA_DST], head->rtm_family, head->rtm_dst_len, &route.to))
		route.to = (struct addr){ .family = head->rtm_family, .has_prefix = true };
	(void)rtnl_addr(a[RTA_GATEWAY], head->rtm_family, 0, &route.gateway);
	grown = room(l->v, l->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	l->v[l->n++] = route;
	return 0;
}

int rtnl_routes(struct nl *nl, uint8_t family, struct netroutes *ret, struct err *e)
{
	struct rtmsg head = { .rtm_family = family, .rtm_table = RT_TABLE_MAIN };
	struct netroutes l = { 0 };
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	int r;

	NL_MSG(b, RTM_GETROUTE, NLM_F_DUMP, head) {
	}
	r = nl_dump(nl, b, on_route, &l, e);
	if (r < 0) {
		free(l.v);
		return err_wrap(e, r, "cannot list the routes");
	}
	*ret = l;
	return 0;
}

/* ---- events */

int rtnl_monitor(bool everywhere, struct nl *ret, struct err *e)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };

	return nl_monitor(NETLINK_ROUTE, groups, COUNT(groups), everywhere, ret, e);
}

int rtnl_route_monitor(struct nl *ret, struct err *e)
{
	static const unsigned groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };

	return nl_monitor(NETLINK_ROUTE, groups, COUNT(groups), true, ret, e);
}

/* The link that a route goes over; 0: it is none. */
static int route_link(const struct nlmsghdr *m)
{
	const struct nlattr *a[RTA_OIF + 1];

	if (m->nlmsg_type != RTM_NEWROUTE && m->nlmsg_type != RTM_DELROUTE)
		return 0;
	nl_attrs(m, sizeof(struct rtmsg), a, RTA_OIF);
	return (int)nl_get_u32(a[RTA_OIF], 0);
}

struct listener {
	rtnl_event_fn *each;
	void *arg;
};

static void on_event(const struct nlmsghdr *m, int netnsid, void *arg)
{
	const struct listener *to = arg;
	CLEANUP(link_done) struct link link = { 0 };
	struct netaddr address;
	struct rtnl_event event = { .netnsid = netnsid };

	event.gone =
		m->nlmsg_type == RTM_DELLINK || m->nlmsg_type == RTM_DELADDR || m->nlmsg_type == RTM_DELROUTE;
	if (link_parse(m, &link) == 0)
		event.link = &link;
	else if (netaddr_parse(m, &address) == 0)
		event.address = &address;
	else if ((event.route = route_link(m)) == 0)
		return;
	to->each(&event, to->arg);
}

int rtnl_events(struct nl *monitor, rtnl_event_fn *each, void *arg, struct err *e)
{
	struct listener to = { each, arg };

	return nl_events(monitor, on_event, &to, e);
}

int rtnl_link_monitor(struct nl *ret, struct err *e)
{
	static const unsigned groups[] = { RTNLGRP_LINK };

	return nl_monitor(NETLINK_ROUTE, groups, COUNT(groups), false, ret, e);
}

static void on_change(const struct nlmsghdr *m, int netnsid, void *arg)
{
	(void)m, (void)netnsid;
	*(bool *)arg = true;
}

bool rtnl_links_changed(struct nl *monitor)
{
	bool changed = false;

	return nl_events(monitor, on_change, &changed, NULL) < 0 || changed;
}

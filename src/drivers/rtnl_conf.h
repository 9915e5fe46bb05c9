/* rtnl_conf - how a network namespace treats packets that are not its own (net.ipv4.conf, net.ipv6.conf), and which
 * way they go; asked by rtnetlink, so that it can be asked of a guest's namespace, too. */
#pragma once

#include "drivers/nl.h"
#include "words/addr.h"

#define NETCONF_ALL (-1) /* the link of what holds for all: net.ipv4.conf.all */

struct netconf {
	int link;
	bool forwarding;
	int rp_filter; /* 0 none, 1 strict, 2 loose; of IPv6 always 0 */
};

struct netconfs {
	struct netconf *v; /* free() it */
	size_t n;
};

/* rtnl_confs - of all links, for one family. nl is a socket of nl_open(NETLINK_ROUTE). No right is needed. */
int rtnl_confs(struct nl *nl, uint8_t family, struct netconfs *ret, struct err *e);
const struct netconf *netconfs_at(const struct netconfs *c, int link);
/* netconfs_rp_filter - what counts for a link: the stricter of its own and that of all (linux ip-sysctl). */
int netconfs_rp_filter(const struct netconfs *c, int link);

/* rtnl_route_to - the link by which the kernel would send to that address; 0: it has no route, or the address is its
 * own (ret_local). */
int rtnl_route_to(struct nl *nl, const struct addr *to, int *ret_link, bool *ret_local, struct err *e);

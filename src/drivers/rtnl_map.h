/* rtnl_map - links, addresses and routes as a netmap has them: whole namespaces, and one message at a time. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "drivers/nl.h"
#include "words/netmap.h"

/* rtnl_map_links - the links and addresses of s, by its netnsid without entering it (another's needs CAP_NET_ADMIN);
 * those that were there are forgotten. rtnl_map_routes - the main table of the namespace where nl was opened, of both
 * families.
 *
 * self     the id that this namespace has for itself, rtnl_map_self(); NETMAP_HOST: none
 * errors   s is as it was; -EAGAIN STATUS_BUSY: it kept changing, s has what was seen last */
int rtnl_map_links(struct nl *nl, int self, struct netmap_space *s, struct err *e);
int rtnl_map_routes(struct nl *nl, struct netmap_space *s, struct err *e);

/* rtnl_map_link - one link of s is read anew by its index; gone is gone. For what an event tells of another namespace,
 * since ids in it are as that one counts. */
int rtnl_map_link(struct nl *nl, int self, struct netmap_space *s, int index, struct err *e);

/* rtnl_map_self - the id that this namespace has for itself, which the kernel gives when links of another one are asked
 * for that have their peers here; NETMAP_HOST while it has none. */
int rtnl_map_self(struct nl *nl);

/* rtnl_map_apply - what an event says, applied to that namespace.
 *
 * of_host   s is our own: else a link that is new or changed is only named, for rtnl_map_link()
 * ret_link  the link that it was about, for those that say so
 * returns   what is to be done */
enum rtnl_map_change {
	RTNL_MAP_NOTHING, /* of no interest */
	RTNL_MAP_CHANGED,
	RTNL_MAP_GONE, /* that link: what had its other end there is to be asked for, which no event tells */
	RTNL_MAP_ASK_LINK,   /* that link, by rtnl_map_link() */
	RTNL_MAP_ASK_ROUTES, /* it can not be told what routes remain: read them anew */
	RTNL_MAP_NO_MEMORY,
};
enum rtnl_map_change rtnl_map_apply(const struct nlmsghdr *m, bool of_host, struct netmap_space *s,
                                    int *ret_link);

/* rtnl_map_sysctls - of the namespace where nl was opened; disable6 is not told by the kernel. */
void rtnl_map_sysctls(struct nl *nl, struct netmap_space *s);

/* rtnl_map_monitor - hear of changes to links, addresses, routes and how packets are treated, everywhere where rights suffice;
 * for nl_events(). */
int rtnl_map_monitor(struct nl *ret, struct err *e);

/* rtnl_map_traffic - fill in the traffic of all links of the host; now_usec: CLOCK_MONOTONIC, before_usec: of the reading
 * before (0: none), for rates. */
int rtnl_map_traffic(struct nl *nl, struct netmap_space *host, uint64_t before_usec, uint64_t now_usec,
                     struct err *e);

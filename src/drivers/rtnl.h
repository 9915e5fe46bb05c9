/* rtnl - the kernel's links, addresses and routes: what is there, what changes, and carrying out network
 * operations. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strs.h"
#include "drivers/nl.h"
#include "words/addr.h"
#include "words/netop.h"

/* rtnl_apply - carry out the operations in order: one batch, one send; more is asked only when something is
 * not as expected.
 *
 * What is already exactly so is success. A link is found by its name, by the hashed name of a long one, or by
 * its alternative name. IPv4 routes lose their host bits as IPv6 ones do in the kernel. An address of a full
 * prefix (/128) does without duplicate address detection: it shares its link with nobody, so it is good at
 * once.
 *
 * who     starts the sentence of an error: "web"
 * errors  the sentence names the step, the object, the kernel's words, who has it instead, and what helps;
 *         what this call had changed is undone, and the sentence says so
 *         -EEXIST  STATUS_BUSY: taken by another link
 *         -ENODEV  STATUS_NO_CONTAINER: a link or bridge is not there; nothing was sent */
int rtnl_apply(const char *who, const struct netops *ops, struct err *e);

struct link {
	int index;
	char name[NAME_LINK_SIZE]; /* foreign bytes: a container may have named it */
	struct strs altnames;
	char kind[16]; /* "veth", "bridge", ...; "" for hardware */
	bool up, carrier;
	bool no_ipv6; /* net.ipv6.conf.NAME.disable_ipv6 is 1 */
	int master;   /* 0: none */
	int peer;     /* index of its peer or parent, in the namespace of netnsid; 0: none */
	unsigned mtu;
	int netnsid; /* of the namespace that holds its peer or parent; -1: this one, or there is none */
	uint8_t mac[6];
};

struct links {
	struct link *v;
	size_t n;
};

void link_done(struct link *l);
void links_done(struct links *l);
/* link_parse - from an RTM_NEWLINK or RTM_DELLINK message. -EBADMSG: it is neither, or broken; -ENOMEM */
int link_parse(const struct nlmsghdr *m, struct link *ret);
/* link_full_name - the name to show: the alternative name that was cut to make its name, or that. */
const char *link_full_name(const struct link *l);
const struct link *links_find(const struct links *l, const char *name);
const struct link *links_at(const struct links *l, int index);
/* links_find_host - like links_find, and by the hashed form of a long name. */
const struct link *links_find_host(const struct links *l, const char *name);

/* rtnl_links - all of this namespace. rtnl_link - one, by index; -ENODEV when it is gone.
 * nl is a socket of nl_open(NETLINK_ROUTE). */
int rtnl_links(struct nl *nl, struct links *ret, struct err *e);
/* rtnl_links_in - of the namespace with that id, without entering it; needs CAP_NET_ADMIN. */
int rtnl_links_in(struct nl *nl, int netnsid, struct links *ret, struct err *e);
int rtnl_link(struct nl *nl, int index, struct link *ret, struct err *e);

/* rtnl_index - the index of the link of that name: its name (also the hashed form of a long one) by ioctl,
 * else its alternative name by a request. 0: there is none. */
int rtnl_index(struct nl *nl, const char *name);

struct traffic { /* of one link since it was made, as this end counts */
	int index;
	uint64_t rx, tx;        /* bytes */
	uint64_t drops, errors; /* both directions */
};

struct traffics {
	struct traffic *v;
	size_t n;
};

/* rtnl_traffic - of all links here; 0.4 ms for 1000. Sorted by index; free() v. */
int rtnl_traffic(struct nl *nl, struct traffics *ret, struct err *e);
const struct traffic *traffics_at(const struct traffics *t, int index);

/* rtnl_delete - remove a link by its index; gone already is success. */
int rtnl_delete(struct nl *nl, int index, struct err *e);

struct netaddr {
	int link;
	struct addr addr;
	uint8_t scope;  /* RT_SCOPE_UNIVERSE, _LINK, ... */
	uint32_t flags; /* IFA_F_TENTATIVE, _DADFAILED, ... */
};

struct netaddrs {
	struct netaddr *v;
	size_t n;
};

/* rtnl_addresses - of the namespace with that id (link.netnsid, rtnl_netnsid), without entering it; -1: of
 * our own. Needs CAP_NET_ADMIN for another one. free() v. */
int rtnl_addresses(struct nl *nl, int netnsid, struct netaddrs *ret, struct err *e);
/* netaddr_parse - from RTM_NEWADDR or RTM_DELADDR; -EBADMSG */
int netaddr_parse(const struct nlmsghdr *m, struct netaddr *ret);

/* rtnl_netnsid - the id by which this namespace knows the one of a process, given to it now if it had none;
 * its own, too (hostnet_shares() tells that it is). errors: -ESRCH the process is gone; -EPERM */
int rtnl_netnsid(struct nl *nl, pid_t pid, int *ret, struct err *e);

struct netroute {
	int link;
	struct addr to, gateway; /* to has the prefix; a default route's is 0; gateway may be unset */
	uint32_t metric;
};

struct netroutes {
	struct netroute *v;
	size_t n;
};

/* rtnl_routes - the main table of this namespace, that family's. free() v. */
int rtnl_routes(struct nl *nl, uint8_t family, struct netroutes *ret, struct err *e);

struct rtnl_event {
	bool gone;               /* else it is new, or changed */
	const struct link *link; /* one of these; borrowed for the call */
	const struct netaddr *address;
	int route;   /* neither: a route over that link */
	int netnsid; /* where; -1: here */
};
typedef void rtnl_event_fn(const struct rtnl_event *event, void *arg);

/* rtnl_monitor - hear of changes to links and addresses, everywhere as in nl_monitor(); ret->fd is for a
 * loop.
 * rtnl_events - read what is there. -ENOBUFS: some were lost, ask for everything anew. */
int rtnl_monitor(bool everywhere, struct nl *ret, struct err *e);
/* rtnl_route_monitor - the same, and of changes to routes. */
int rtnl_route_monitor(struct nl *ret, struct err *e);
int rtnl_events(struct nl *monitor, rtnl_event_fn *each, void *arg, struct err *e);

/* rtnl_link_monitor - hear of changes to links alone, for who asks now and then whether there were any.
 * rtnl_links_changed - whether there were since it was asked last; what was lost counts as one. */
int rtnl_link_monitor(struct nl *ret, struct err *e);
bool rtnl_links_changed(struct nl *monitor);

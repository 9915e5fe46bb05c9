/* netspace - one namespace read into a netmap; the part of netwatch that asks. What can not be read is said in the space's
 * no_ texts. */
#pragma once

#include "drivers/cgroup.h"
#include "drivers/nl.h"
#include "words/machine.h"
#include "words/netmap.h"

enum netspace_due { /* bits: what is to be read */
	            NETSPACE_LINKS = 1,
	            NETSPACE_ROUTES = 2,
	            NETSPACE_LISTENERS = 4,
	            NETSPACE_NAMES = 8,
	            NETSPACE_ALL = 15,
};

struct netspace_asker {      /* what is kept open to ask with */
	struct nl nl;        /* NETLINK_ROUTE, our own namespace */
	int self;            /* our namespace's id for itself, rtnl_map_self() */
	struct cgroupfs *fs; /* NULL: not opened yet, or there is none */
};

/* netspace_read - what is due of s. cgroup: of its machine; NULL: not known.
 * returns  whether it was read whole; false: it kept changing meanwhile */
bool netspace_read(struct netspace_asker *by, struct netmap_space *s, const char *cgroup, unsigned due);

/* netspace_find - when the machine's namespace is not known by its process: by the link of the host that bears its
 * name. */
int netspace_find(const struct netmap_space *host, const char *machine);

/* netspace_forwards - the rules that the kernel has, into m. */
void netspace_forwards(struct netmap *m);

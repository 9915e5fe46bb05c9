/* lint_host - what of a container does not fit the host that it is on: bridges, links, addresses, ports, filters, names.
 * Warnings all of them, for a host changes. Pure. */
#pragma once

#include "base/strs.h"
#include "words/container.h"
#include "words/firewall.h"
#include "words/netmap.h"

struct lint_facts {                           /* all borrowed; NULL: not known, and nothing is said of it */
	const struct netmap_space *listening; /* who listens on the host; NULL: the map tells that, too */
	const struct netmap *map;             /* of the host's own namespace at least, with listeners */
	const struct firewall *filters;       /* of the host */
	const char *hosts;                    /* the text of /etc/hosts */
	const struct strs *names; /* "web 10.0.0.2": what the host's name service says of lint_names() */
	const struct strs *seen;  /* the addresses that the container is seen to have */
};

/* lint_names - append the names by which c is looked for, when it has an address that they could lead to. */
void lint_names(const struct container *c, struct strs *ret);

/* lint_host - append what does not fit, each "web: HOST_BRIDGE: there is no bridge br0". netnsid: where c runs, as the
 * host counts; NETMAP_HOST: it does not run, or has no network of its own. Foreign texts in there are as they are. */
void lint_host(const struct container *c, int netnsid, const struct lint_facts *f, struct strs *ret);

/* lint_overlap - append, of a, where networks of two containers overlap that are not the same network: who is in one of
 * them looks for the other on its own link. */
void lint_overlap(const struct container *a, const struct container *b, struct strs *ret);

/* create - make a container: its name, addresses and ports, its root, its conf. For processes that may wait
 * (engine/errand runs it for the dashboard). */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "decide/draft.h"
#include "engine/build.h"
#include "engine/places.h"

struct create {
	const char *name;
	bool unique_name;            /* taken: NAME-0, NAME-1, ... instead */
	bool pair;                   /* a pair of addresses is chosen, whatever else the network has */
	const struct draft *options; /* keys of the conf, as given */
	const char *base;            /* the text of a conf whose other keys hold; NULL: of none */
	const struct container
		*like; /* what base says: its addresses, ports and MAC are changed to free ones; NULL */
	struct build build;
};

struct created {
	struct places places; /* places.name is its name */
	struct container container;
	struct buf conf; /* its text */
	enum built how;
};
void created_done(struct created *c);

/* create_decide - what create_container() would make, without making anything.
 *
 * Not given: PRIVATE_USERS=pick and PRIVATE_NETWORK=1 (threat model A.3); and for a private network without addresses,
 * bridge, namespace or links of its own, a pair that is free (decide/allocate). "auto" as a host port is a free one.
 * errors  -EEXIST STATUS_BUSY: the name is taken; -EINVAL STATUS_DATA, STATUS_USAGE: contradictions and conflicts with
 *         other containers; as build_check() */
int create_decide(const struct create *c, struct created *ret, struct strs *warnings, struct err *e);

/* create_container - do it. While it is made, the name, addresses and ports count as taken for others, until this process ends;
 * the root gets its name last, the conf just before: after a failure, or cancelled, nothing is left. */
int create_container(const struct create *c, const struct progress *p, struct created *ret,
                     struct strs *warnings, struct err *e);

/* clone - a second container like one that is there, and another name for one. For processes that may wait. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "engine/create.h"

struct clone {
	const char *from, *to;
	bool unique_name; /* as of struct create */
	bool live;        /* one that runs stands still while it is copied, and runs on whatever ends
	                              * us; else it is refused */
	bool overlay;     /* its root is an overlay over the original's, which must be down, and stay so */
	const struct draft *options; /* what is to be different */
};

/* clone_container - as create_container(), of a container's root and conf: addresses, ports and MAC become free ones, the host name and the
 * machine ID its own; a profile of Nix points to the same system. made.how says how the root was copied. Comments of the
 * conf are not carried over.
 * errors  as create_container(); -EBUSY STATUS_BUSY: it runs and is not a btrfs subvolume (live), or is to be below an overlay
 *         -EOPNOTSUPP STATUS_USAGE: overlay of one that is an overlay or has no root */
int clone_container(const struct clone *c, const struct progress *p, struct created *ret,
                    struct strs *warnings, struct err *e);
/* clone_decide - what it would be; ret->how as far as that can be known before. says: a line for how its root is copied, and
 * one for each key of the conf that becomes another than the original's. */
int clone_decide(const struct clone *c, struct created *ret, struct strs *says, struct strs *warnings,
                 struct err *e);

/* rename_container - a container that is down gets another name: conf, root, snapshots, profile, gcroots, host name,
 * /etc/hosts. What was done is undone after a failure; killed in between, the same call goes on.
 * errors  -EBUSY STATUS_BUSY: it runs, something is mounted on its root, the new name is taken; declared elsewhere, ... */
int rename_container(const char *from, const char *to, struct strs *warnings, struct err *e);
/* rename_look - what would be done, a line each: "rename  PATH", "write   PATH: CONTENT". */
int rename_look(const char *from, const char *to, struct strs *ret, struct err *e);

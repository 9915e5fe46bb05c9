/* inspect - all there is to know of one machine: its row, its conf, its unit's last result with the log, and
 * whether the host's side of its network is as it should be. */
#pragma once

#include "base/err.h"
#include "drivers/nft.h"
#include "drivers/rtnl.h"
#include "engine/load.h"
#include "engine/observe.h"
#include "words/logline.h"

struct host_step {     /* one operation of the host's side */
	char *command; /* the `ip` command that does it */
	bool holds;    /* it is so now */
};

struct inspection {
	struct snapshot seen;
	struct machine *m; /* in it */

	bool has_plan; /* l is filled; else no_plan says why, or there is nothing to plan: it is no container
	                  of ours */
	struct loaded l;
	struct err no_plan;             /* an empty text: nothing to say */
	bool was_started, conf_changed; /* since it was started; only when it was, by us */

	pid_t main_pid;
	uint32_t n_restarts;
	char *guest_says; /* of itself, hostile; NULL: nothing */
	struct loglines lines;
	char *no_log; /* why there are none; NULL */

	struct forwards forwards; /* the kernel's, of all machines; v free()d */
	bool forwards_known;      /* else the caller may not see them */

	struct links links;      /* the host's */
	struct host_step *steps; /* while it runs */
	size_t n_steps;
};

/* inspect - errors: -ENOENT STATUS_NO_CONTAINER: neither configured, nor a tree, nor running. What else can
 * not be asked is left out. Takes 4 s at most. ret owned, inspection_done(). */
int inspect(const char *name, struct inspection *ret, struct err *e);
void inspection_done(struct inspection *i);

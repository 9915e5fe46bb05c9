/* destroy - remove a container: its root, its conf, and what else there is of it on the host. For processes that may
 * wait (engine/errand runs it for the dashboard). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"

struct destroy_options {
	bool running; /* one that runs is stopped first; else it is refused */
	bool detach;  /* what is mounted on its root or below is unmounted; else it is refused */
	bool now;     /* stop by killing its processes, as `terminate` */
};

/* What would be done; all texts printable only after base/text. */
struct destroy_look {
	bool running;
	struct strs removed; /* paths */
	struct strs mounts;  /* places in the root, or the root, where something is mounted */
};
void destroy_look_done(struct destroy_look *l);

/* destroy_look - what NAME consists of. errors: those of destroy_container() that can be known before: it is none of ours, it is
 * declared elsewhere. */
int destroy_look(const char *name, struct destroy_look *ret, struct err *e);

/* destroy_container - stop it, take its root out of sight by a new name (".trash-NAME-SALT" beside it), delete that confined, then
 * its snapshots, profile, gcroots, its link among the host's journals, and last its conf; then /etc/hosts and systemd
 * follow. Killed or cancelled in between, the same call goes on where it ended; until then the conf says that the
 * container is there.
 *
 * warnings  what could not be tidied up besides
 * errors    -EBUSY STATUS_BUSY: it runs, something is mounted, something works in its root, another process changes it
 *           -ELOOP STATUS_UNSAFE_HOST, -EROFS STATUS_CANNOT_CREATE: declared elsewhere
 *           -EINVAL STATUS_USAGE: podman's, or no machine's name; -ENOENT STATUS_NO_CONTAINER; -ECANCELED */
int destroy_container(const char *name, const struct destroy_options *o, const struct progress *p,
                      struct strs *warnings, struct err *e);

/* destroy_leftovers - the names of containers whose removal was not finished. */
int destroy_leftovers(struct strs *ret, struct err *e);

/* privileges - what this process may see and do, and giving up what a reader does not need. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"

/* privileges_drop - become a reader for good, before any connection is made: seals the gate; as root, becomes
 * the user machdeck where there is a system user of that name, else nobody, in the group systemd-journal,
 * without a capability; then, whoever we are, no new privileges, no files written (Landlock), and none of the
 * system calls that a reader never needs (seccomp). Children are under the same.
 *
 * writable  the one folder below which files may be written (our own state); NULL: none
 * errors    STATUS_SYSTEM: it did not work in full; do not go on */
int privileges_drop(const char *writable, struct err *e);

/* privileges_missing - a sentence for each thing that this process can not see, with the right it takes:
 * "addresses inside of containers and port forwards take root (CAP_NET_ADMIN)". None for root. */
void privileges_missing(struct strs *ret);

enum privileges_may {
	PRIVILEGES_MAY,     /* root, or polkit says so */
	PRIVILEGES_MAY_ASK, /* after somebody authenticated to polkit */
	PRIVILEGES_MAY_NOT,
};

/* privileges_may_manage - whether this user may manage units at all; done is called from the loop exactly
 * once, within 3 s. Nobody is asked for a password. why: one sentence when not MAY ("" then): which right is
 * missing, or that polkit is out of reach; it can be given to gate_close(). */
struct privileges_ask;
typedef void privileges_may_fn(enum privileges_may may, const char *why, void *arg);
int privileges_may_manage(sd_event *loop, privileges_may_fn *done, void *arg, struct privileges_ask **ret,
                          struct err *e);
/* privileges_cancel - without a call-back; NULL is fine. */
void privileges_cancel(struct privileges_ask *a);

/* network - the host's half of a container's network: that nothing is in its way before a start, that it is
 * up, and that nothing stays behind. host_root is "" but in tests; links are those of the caller's
 * namespace. */
#pragma once

#include "base/err.h"
#include "decide/plan.h"
#include "drivers/rtnl.h"
#include "words/container.h"
#include "words/netop.h"

/* network_prestart - look whether what the container wants on the host is free, then clear what dead machines
 * left.
 *
 * Refused is what another running machine has: a link, an address of the container's side, a forwarded port
 * (systemd-nspawn would only warn, and the loser's stop would take the winner's rule away: facts 3.6). Links
 * of p->prestart that are veths and nobody's are removed by index (BUG-2, BUG-16), and so are forwards of our
 * ports to addresses that nobody has. Nothing is removed unless all is well.
 * errors  STATUS_BUSY: taken, says by whom;  STATUS_NO_CONTAINER: a bridge or interface is missing;  the
 *         system's */
int network_prestart(const char *host_root, const struct container *c, const struct plan *p, struct err *e);

/* network_claim - the same for machines that start at this moment. Until *ret_lock is closed nobody else gets this far:
 * meanwhile the caller writes down what it takes (start_files), which the next one then sees. */
int network_claim(const char *host_root, const struct container *c, const struct plan *p, int *ret_lock,
                  struct err *e);

/* network_host_up - the host's side of NAME is up when this returns 0: done by the watcher (then two files
 * are read and no more), or now. errors as rtnl_apply(). */
int network_host_up(const char *host_root, const char *name, const struct netops *ops, struct err *e);

/* network_stopped - NAME's systemd-nspawn has ended, somehow: remove dead forwards of its ports, and links of
 * its that are veths and nobody's. What was never started leaves nothing. */
int network_stopped(const char *host_root, const char *name, struct err *e);

/* network_is_done - whether /run/machdeck/NAME/host.done says so of these very links.
 * network_mark_done - write it: "ok" and the links, or the sentence of what went wrong. Failing to is no
 * failure. */
bool network_is_done(const char *host_root, struct nl *nl, const char *name, const struct netops *ops);
void network_mark_done(const char *host_root, struct nl *nl, const char *name, const struct netops *ops,
                       const struct err *failure);

/* gather - the sources that answer at once: confs, systemd-machined's files, the kernel. For observe. */
#pragma once

#include "drivers/nl.h"
#include "engine/merge.h"

/* Each replaces its part of s and leaves it as it was when it fails. gather_confs parses only what changed.
 */
int gather_confs(struct sources *s, struct err *e);
/* gather_machines - and the images. What is seen in machines that are still the same is kept; new ones are
 * stale. */
int gather_machines(struct sources *s, struct err *e);
/* gather_masks - which units of ours are masked: for when systemd read its files anew. */
int gather_masks(struct sources *s, struct err *e);
/* gather_leaders - which leaders are dead, where no unit is known to run. */
void gather_leaders(struct sources *s);
/* gather_net - the addresses in the namespaces of stale machines. Without CAP_NET_ADMIN they are not seen: no
 * failure. gather_net_stale - machines of that namespace are to be looked at again; -1: all. */
int gather_net(struct sources *s, struct nl *nl, struct err *e);
void gather_net_stale(struct sources *s, int netnsid);

void sources_done(struct sources *s);

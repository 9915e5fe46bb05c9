/* gather - the sources that answer at once: confs, systemd-machined's files, the kernel. For observe. */
#pragma once

#include "drivers/nl.h"
#include "engine/merge.h"

/* Each replaces its part of s and leaves it as it was when it fails. gather_confs parses only what changed.
 */
int gather_confs(struct sources *s, struct err *e);
/* gather_machines - and the images; addresses are gone until gather_net. */
int gather_machines(struct sources *s, struct err *e);
/* gather_net - the addresses in the machines' namespaces. Without CAP_NET_ADMIN they are not seen: no
 * failure. */
int gather_net(struct sources *s, struct nl *nl, struct err *e);

void sources_done(struct sources *s);

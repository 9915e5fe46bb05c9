/* trees - what a tree says of itself without being started: which system it is. For observe. */
#pragma once

#include "engine/merge.h"

/* trees_gather - which trees there are, after confs or machines changed. One whose machine started or stopped
 * is stale, as a new one is. -ENOMEM */
int trees_gather(struct sources *s, struct err *e);
/* trees_read - look into at most max stale ones (about 50 us each), confined (drivers/rootfs.h). Returns
 * whether something was learnt; ret_more: whether stale ones are left. What may not be read stays unknown. */
bool trees_read(struct sources *s, size_t max, bool *ret_more);
void trees_done(struct sources *s);

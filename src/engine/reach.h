/* reach - what machines can reach, by what is read of the host and inside (decide/reach). */
#pragma once

#include "base/err.h"
#include "decide/reach.h"
#include "words/snapshot.h"

/* reach_read - of one machine of the snapshot. probe: also ask from inside (an echo, a question to the name server), for a
 * second at most; needs root, else it is not tried. errors: -ENOMEM, the kernel's */
int reach_read(const struct snapshot *s, const char *name, bool probe, struct reach *ret, struct err *e);

/* drift - what of a container differs from how it is configured and was started, read from the host: for the verbs diff and
 * mend. The judgement is decide/drift's. */
#pragma once

#include "base/err.h"
#include "decide/drift.h"
#include "words/netmap.h"
#include "words/snapshot.h"

/* drift_read - of NAME, which runs. m: netmap_read() or netwatch_now(), live: unit_live_read(), NULL: not asked; borrowed
 * for the call.
 *
 * ret     owned by the caller, drift_done(). A machine that machdeck did not start has nothing but `unseen`
 * errors  -ENOENT STATUS_NO_CONTAINER: neither configured nor running;  -ESRCH STATUS_DOWN: it does not run, so
 *         nothing can differ;  -EACCES STATUS_NOT_PERMITTED;  as compared_read() */
int drift_read(const struct snapshot *s, const char *name, const struct netmap *m,
               const struct unit_live *live, struct drift *ret, struct err *e);

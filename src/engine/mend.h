/* mend - a running machine's network, and what dead ones left: looked at, and mended (decide/mend). */
#pragma once

#include "base/err.h"
#include "decide/mend.h"
#include "engine/claims.h"

/* mend_look - what there is to do for NAME; NULL: for what dead machines left. Changes nothing. Takes a second at most.
 * ret: mending_done().
 *
 * errors  -ENOENT STATUS_NO_CONTAINER: no such machine; -ENOTCONN STATUS_FAILED: it does not run;
 *         -EOPNOTSUPP STATUS_FAILED: it was not started by us, so what it should have is not known; the system's */
int mend_look(const char *name, struct mending *ret, struct err *e);

/* mend_may - whether it may be done here at all. errors: -EPERM STATUS_NOT_PERMITTED: the gate is closed, or we are not
 * root */
int mend_may(const char *name, struct err *e);

/* mend_do - do it: each part as far as it goes, in one batch each, whatever became of the others; every command that it
 * stands for is written to the journal, with the unit. Needs root.
 *
 * errors  -EPERM STATUS_NOT_PERMITTED: the gate is closed, or we are not root: nothing was changed; else the first part's
 *         that failed, when the others were done */
int mend_do(const char *name, const struct mending *m, struct err *e);

/* mend_by - look, and do it, where not what its start noted should be, but what c says: for a reload, which notes it later. */
int mend_by(const char *name, const struct claims *c, struct strs *ret_left, struct err *e);
/* mend_run - look, and do it. ret_left: a sentence each for what can not be mended. */
int mend_run(const char *name, struct strs *ret_left, struct err *e);

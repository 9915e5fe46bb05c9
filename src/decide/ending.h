/* ending - why a job failed, as a sentence that says what was asked for. Pure. */
#pragma once

#include "base/err.h"
#include "decide/why.h"

/* ending_explain - fill e with why `verb` of machine `name` did not succeed; returns its negative errno. e's
 * status is a reload's own, that of a phase that refused to start it, or STATUS_FAILED.
 *
 * result  the job's: "failed", "timeout", "canceled", ...; "done" for a stop after which the unit is failed
 * facts   of the unit after the job; NULL: could not be asked */
int ending_explain(const char *verb, const char *name, const char *result, const struct why_facts *facts,
                   struct err *e);

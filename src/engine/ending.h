/* ending - why a unit's job failed, as a sentence. Pure. */
#pragma once

#include "base/err.h"
#include "drivers/units.h"
#include "engine/control.h"

/* ending_explain - name: the machine; result: the job's ("failed", "timeout", "canceled", ...); unit: as it is after
 * the job, NULL when it could not be asked. Fills e; returns its negative errno. */
int ending_explain(enum control_verb verb, const char *name, const char *result, const struct unit *unit,
                   struct err *e);

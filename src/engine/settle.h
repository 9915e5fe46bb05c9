/* settle - wait for systemd: a machine that is to stop first, units that are to be read anew. For processes that may
 * wait, never for the dashboard's loop: each call runs a loop of its own. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "words/limits.h"
#include "engine/control.h"

/* settle_is_up - whether something of container@NAME runs, starts or stops now. */
bool settle_is_up(const char *name);

/* settle_control - control_begin() to its end. Cancelled, it is no longer waited for (-ECANCELED STATUS_FAILED).
 * Where systemd does not run there is nothing to stop: success. */
int settle_control(enum control_verb verb, const char *name, const struct progress *p, struct err *e);

/* settle_reread - systemd reads its units anew, so that generated ones come and go; and forgets that the unit of
 * forget (may be NULL) failed. At most 90 s. */
int settle_reread(const char *forget, struct err *e);

/* settle_limits - limits of a unit that systemd takes over at once, for good or (runtime) until it is read anew without
 * them or the next boot. errors: as units_limit(), a bus out of reach. At most 90 s. */
int settle_limits(const char *unit, const struct limit_value *v, size_t n, bool runtime, struct err *e);

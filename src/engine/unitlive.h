/* unitlive - what systemd has of a container's unit (words/unitlive): asked once, or from the loop. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "drivers/units.h"
#include "words/unitlive.h"

void unit_live_done(struct unit_live *l);
/* unit_live_take - of what systemd told of a running unit; false: it did not tell, or out of memory. ret:
 * unit_live_done(). */
bool unit_live_take(const struct unit *u, struct unit_live *ret);

/* unit_live_read - of the container's unit, in a second at most. errors: -ETIMEDOUT, -ENOTCONN STATUS_UNAVAILABLE */
int unit_live_read(const char *name, struct unit_live *ret, struct err *e);

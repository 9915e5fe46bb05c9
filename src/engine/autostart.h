/* autostart - whether a container of ours starts by itself: AUTO_START= in its conf. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* autostart_set - in NAME's conf, saved as every change of one is (engine/edit). What else is in it is not judged: one that
 * could not start can still be told not to. Waits for others and for the disk. systemd hears of it when it reads its units
 * anew, since the generator makes the wants.
 *
 * Success may leave a sentence in e: a warning (else e->text is "").
 *
 * errors  -ENOENT STATUS_NO_CONTAINER there is no conf;  -EACCES STATUS_NOT_PERMITTED says how;  as edit_begin(),
 *         conf_edit() and edit_save() */
int autostart_set(const char *name, bool on, struct err *e);
/* autostart_show - what that would change, appended as a difference; by anybody who may read the conf. */
int autostart_show(const char *name, bool on, struct buf *ret, struct err *e);

/* autostart - a conf's text with AUTO_START= changed and everything else as it is. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* autostart_edit - append to ret the text whose AUTO_START is on or off. The value in place is replaced where
 * it stands on a line of its own, else a line is added, since the last one counts.
 *
 * file    what it is called in messages
 * returns 1 it was changed, 0 it is so already (ret is untouched), negative errno
 * errors  -EINVAL STATUS_DATA the text can not be read as envfile_parse() says;  -ENOMEM */
int autostart_edit(const char *file, const char *bytes, size_t len, bool on, struct buf *ret, struct err *e);

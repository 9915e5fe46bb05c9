/* target - which unit is meant by a machine's name. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* target_find - container@NAME.service for what has a conf or a root; else the unit of a running machine,
 * unless it is to be started. ret: the caller frees it.
 *
 * errors  -EINVAL STATUS_USAGE: not a machine's name; to start, STATUS_DATA: its conf can not be used
 *         -ENOENT STATUS_NO_CONTAINER: neither configured nor running
 *         -EBUSY STATUS_BUSY: it runs in a unit that is not its alone, such as a person's session */
int target_find(const char *name, bool to_start, char **ret, struct err *e);

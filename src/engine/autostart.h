/* autostart - whether a container of ours starts by itself: AUTO_START= in its conf. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* autostart_set - in NAME's conf below host_root, which keeps its owner, mode and every other byte. Waits for
 * the disk. systemd hears of it when it reads its units anew, since the generator makes the wants.
 *
 * errors  -ENOENT STATUS_NO_CONTAINER there is no conf;  -ELOOP STATUS_UNSAFE_HOST it is a link, so it is
 *         declared elsewhere;  -EROFS, -EACCES STATUS_NOT_PERMITTED...;  as confs_load() and
 *         conf_edit() */
int autostart_set(const char *host_root, const char *name, bool on, struct err *e);

/* masks - which units somebody masked (systemctl mask): links to /dev/null. systemd itself tells it only of
 * units that are loaded, which a stopped one is not. */
#pragma once

#include "base/err.h"
#include "base/strs.h"

/* masks_list - those of container@NAME.service and systemd-nspawn@NAME.service, sorted. A folder that is not
 * there or can not be read has none. -ENOMEM */
int masks_list(const char *host_root, struct strs *ret, struct err *e);

/* folder - hear of changes in a folder, also when it does not exist yet, or goes and comes back. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

/* folder_watch_new - call changed from the loop after files in the folder were added, written, replaced or
 * removed; many changes may be one call. Its parent must exist (-ENOENT). ret: folder_watch_free(); NULL is
 * fine. */
struct folder_watch;
typedef void folder_changed_fn(void *arg);
int folder_watch_new(sd_event *loop, const char *path, folder_changed_fn *changed, void *arg,
                     struct folder_watch **ret, struct err *e);
void folder_watch_free(struct folder_watch *w);

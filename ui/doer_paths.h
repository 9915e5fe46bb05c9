/* doer_paths - what is in a folder of the host, read by a process of its own: a network's file system may not answer. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"

/* doer_paths_fn - called once: r 0, and each name in the folder, sorted, behind within, folders with a '/' (to be taken
 * over, or not); or negative errno and the sentence. The doer_paths is gone after it. */
typedef void doer_paths_fn(int r, const char *within, struct strs *choices, const struct err *e, void *arg);

/* doer_paths_new - read the folder that within is from its byte begin on. Hidden names and those that no conf could hold
 * are left out, as is what 64 KiB do not take. doer_paths_free - it is not told any more. NULL is fine. */
struct doer_paths;
int doer_paths_new(sd_event *loop, const char *within, size_t begin, doer_paths_fn *done, void *arg,
                   struct doer_paths **ret, struct err *e);
void doer_paths_free(struct doer_paths *p);

/* mounts - what is mounted on a tree or below it. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/strs.h"

/* mounts_below - the places at or below an absolute path where something is mounted, in the order of mounting; each
 * as often as it is mounted over. Foreign bytes. */
int mounts_below(const char *path, struct strs *ret, struct err *e);

/* mounts_detach - unmount all of them, lazily, each found without following a link. What is mounted loses its ties to
 * its peers first, so that nothing goes anywhere else; where it was mounted from is not touched.
 * errors  -EBUSY STATUS_BUSY: one can not be reached or stays */
int mounts_detach(const char *path, struct err *e);

/* mounts_overlay - an overlay with these options over the folder that is open as fd; path is for messages. */
int mounts_overlay(int fd, const char *path, const char *options, struct err *e);
/* mounts_overlay_apart - the same, mounted nowhere: ret is its folder, open for reading, and all of the mount is gone with it.
 * source  fsopen(2), fsmount(2): since Linux 5.2 */
int mounts_overlay_apart(const char *path, const char *options, int *ret, struct err *e);
/* mounts_undo - unmount what is mounted last at path itself. errors: -EBUSY STATUS_BUSY: it is in use */
int mounts_undo(const char *path, struct err *e);

/* wipe - delete a tree that is hostile, or changed meanwhile: each folder is opened without following a link or leaving
 * the mount, each name is only used against a folder that is held open (threat model O10, cases 146 and 147). */
#pragma once

#include "base/err.h"
#include "base/progress.h"

/* wipe_tree - delete leaf of the folder parent and all that is in it, whatever it is; nothing of that name is success.
 *
 * What is immutable or append-only in it loses that flag first, parent does not; a file that has another name elsewhere gets it back.
 * shown   how parent/leaf is called in sentences
 * errors  -EBUSY STATUS_BUSY: something is mounted on a name in it, or names keep appearing; -ECANCELED STATUS_FAILED;
 *         -ENOSYS STATUS_UNSAFE_HOST: openat2 is blocked. What was deleted by then is gone */
int wipe_tree(int parent, const char *leaf, const char *shown, const struct progress *p, struct err *e);

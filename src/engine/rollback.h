/* rollback - the generations of a container's system that Nix built, and going back to one. For processes that may wait.
 * What runs goes on until a reload. */
#pragma once

#include "base/err.h"
#include "base/progress.h"
#include "drivers/profile.h"

/* rollback_list - the generations of its profile; none where nothing was built.
 * errors  -ENOENT STATUS_NO_CONTAINER: no such container; as profile_read() */
int rollback_list(const char *name, struct profile *ret, struct err *e);

/* rollback_choose - which one a rollback goes to: number, or with 0 the one before the current one.
 * errors  as rollback_list(); -ENOENT STATUS_NO_CONTAINER: there is no such generation, or what it leads to is gone
 *         -EINVAL STATUS_USAGE: SYSTEM_PATH= of its conf says what runs */
int rollback_choose(const char *name, unsigned number, unsigned *ret, struct err *e);

/* rollback_container - the profile leads to it from now on: through nix-env where it is there, which locks out others that
 * build. ret: which one it is. errors: as rollback_choose(), program_run(), profile_switch(); -EBUSY STATUS_BUSY */
int rollback_container(const char *name, unsigned number, const struct progress *progress, unsigned *ret,
                       struct err *e);

/* update - build the system of a container of Nix's anew, as the reference's tool does (behaviours C.2). For processes that
 * may wait. What runs goes on until a reload. */
#pragma once

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "decide/recipe.h"

struct update {
	struct nix_source nix; /* without a flake and a config: the FLAKE= of the conf, if there is one */
	const char *config;    /* NULL: the configuration in its root, as it is */
};

/* update_container - build, and make the profile lead to what was built. After a failure the profile is what it was, and the
 * configuration, where there was one.
 *
 * errors  -ENOENT STATUS_NO_CONTAINER: no such container, or no configuration in its root
 *         -EINVAL STATUS_USAGE: SYSTEM_PATH= of its conf says what runs, and no profile
 *         -EPERM STATUS_UNSAFE_TREE: the configuration that is there is not root's on the host, or a link: what Nix evaluates may
 *         read all that root may;  -EBUSY STATUS_BUSY: another process changes it;  as program_run() */
int update_container(const char *name, const struct update *u, const struct progress *progress,
                     struct err *e);

/* update_commands - the commands that would be run, one a line. errors: as update_container(), before it builds */
int update_commands(const char *name, const struct update *u, struct strs *ret, struct err *e);

/* watch - machdeck-net.service: the host's side of each container's links is up as soon as they exist, so
 * that a guest may need its network while it boots (BUG-19), and links come back to a bridge that was made
 * again. */
#pragma once

#include "base/err.h"

/* watch_run - do what is missing, tell systemd that we are ready, and go on by events until a signal ends us.
 * What fails for one container is said on stderr and in its host.done, and is that container's; only what
 * makes watching itself impossible is returned. */
int watch_run(struct err *e);

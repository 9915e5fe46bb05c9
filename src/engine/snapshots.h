/* snapshots - states of a container's root that can be gone back to, in ".snapshots/NAME" beside the roots. */
#pragma once

#include "base/err.h"
#include "base/progress.h"
#include "engine/places.h"

#define SNAPSHOTS_PATH_SIZE 64

/* snapshots_folder - the folder in which each container with snapshots has one. */
void snapshots_folder(const struct places *p, char ret[static SNAPSHOTS_PATH_SIZE]);

/* snapshots_forget - delete all of a container's. */
int snapshots_forget(const struct places *p, const struct progress *progress, struct err *e);

/* overlay - containers whose root is an overlay over another one's (decide/overlay). For processes that may wait.
 *
 * machdeck-generator makes the mount's unit of what is in ".overlays": who removes or renames that and has systemd read its
 * units anew has removed or renamed the unit, too. What is below an overlay must not change: that container is not
 * started, nor anything else done to its root, while the overlay is there. What a clone that was killed left, with neither a
 * conf nor a root, is no overlay. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "engine/places.h"

#define OVERLAY_PATH_SIZE 64

struct rootfs;

/* overlay_folder - the folder in which each such container has one. */
void overlay_folder(const struct places *p, char ret[static OVERLAY_PATH_SIZE]);

/* overlay_of - whether p's root is one, and over whose; none for who may not look. overlay_read - the same by the roots' folder. */
bool overlay_of(const struct places *p, char ret[static NAME_MACHINE_MAX + 1]);
bool overlay_read(const char *roots, const char *name, char ret[static NAME_MACHINE_MAX + 1]);

/* overlay_over - the names of those whose root is an overlay over p's, sorted. Who may not look is told of none. */
int overlay_over(const struct places *p, struct strs *ret, struct err *e);
/* overlay_left - whether there is a folder of it, be its root one or not any more. */
bool overlay_left(const struct places *p);
/* overlay_look - whether p's root may change: -EBUSY STATUS_BUSY, "cannot STEP NAME: ...", while one is over it. Who may not
 * look is not told: what it would be asked for takes root all the same. */
int overlay_look(const struct places *p, const char *step, struct err *e);

/* overlay_make - the folders for p's root to be one over that of `of`; what an earlier call that was killed left is gone.
 * p's root must not be mounted. After a failure nothing is left. overlay_forget removes them; none is success.
 * overlay_sweep - remove those that have neither a conf nor a root, and that nobody is making. */
int overlay_make(const struct places *p, const char *of, struct err *e);
int overlay_forget(const struct places *p, const struct progress *progress, struct err *e);
void overlay_sweep(const struct places *p);
/* overlay_disown - the first step of overlay_forget(): its root is an overlay no more, and never mounted as one again. */
int overlay_disown(const struct places *p, struct err *e);
/* overlay_hide_nodes - there is none of the lower tree's device nodes in t's /dev, which systemd-nspawn covers with its own anyway:
 * one that a unit with DevicePolicy=closed may not make could not become another user's, as it has to with PRIVATE_USERS=pick. */
int overlay_hide_nodes(const struct rootfs *t, struct err *e);
/* overlay_renew - all that it has written goes, at once or not at all; mounted afterwards. part makes a tree `name`'s that
 * was `of`'s (build_part()). errors: as overlay_detach() */
typedef int overlay_part_fn(const struct rootfs *t, const char *name, const char *of, struct err *e);
int overlay_renew(const struct places *p, overlay_part_fn *part, const struct progress *progress,
                  struct err *e);

/* overlay_mounts - as mounts_below() of p's root, but for the overlay that it is; systemd, which sees what we mount a moment later,
 * may have mounted that once more. */
int overlay_mounts(const struct places *p, struct strs *ret, struct err *e);

/* overlay_open - the tree that p's root will be, mounted nowhere; ret owned, rootfs_done().
 * overlay_attach - mount it when p's root is one and not mounted; the empty folder for it is made when it is missing.
 * overlay_detach - unmount it when it is; that folder goes, too.
 * errors  -EBUSY STATUS_BUSY: in use, or more is mounted on it; -ESTALE STATUS_UNSAFE_HOST: it was one; -EINVAL: that file system can be no overlay's upper one */
int overlay_open(const struct places *p, struct rootfs *ret, struct err *e);
int overlay_attach(const struct places *p, struct err *e);
int overlay_detach(const struct places *p, struct err *e);

/* overlay - a root that is an overlay over another container's: where its parts are, and the unit that mounts it. Pure.
 *
 * In "ROOTS/.overlays/NAME", root's alone, are "of", a link whose text is the other container's name, and the folders
 * "upper" and "work". Names of machines and our folders of roots have none of the bytes that are special to
 * overlay's options or to unit files. source: Documentation/filesystems/overlayfs.rst, systemd.mount(5) */
#pragma once

#include "base/buf.h"

#define OVERLAY_FOLDER ".overlays"

/* overlay_options - "lowerdir=...". metacopy: a file whose owner is changed is not copied for that, as when a container
 * with users of its own starts for the first time. */
void overlay_options(const char *roots, const char *name, const char *of, struct buf *ret);

/* overlay_unit - the name of the mount unit of ROOTS/NAME, as systemd-escape(1) makes it. overlay_unit_text - its text. */
void overlay_unit(const char *roots, const char *name, struct buf *ret);
void overlay_unit_text(const char *roots, const char *name, const char *of, struct buf *ret);

/* build - make the root of a new container under a temporary name, from one of several sources. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "decide/recipe.h"
#include "engine/places.h"

enum build_source {
	BUILD_ADOPT, /* the root that is there already */
	BUILD_TREE,  /* a copy of the folder `from` */
	BUILD_IMAGE, /* a copy of the tree `from` of /var/lib/machines, or of what is in the disk image of that name */
	BUILD_TARBALL,   /* the archive `from`, unpacked by GNU tar that can write nowhere else */
	BUILD_BOOTSTRAP, /* a system that another program installs */
	BUILD_EMPTY,     /* an empty root: SYSTEM_PATH= says what runs; `from` is that, or NULL */
	BUILD_OVERLAY,   /* an empty root, over which that of twin_of is laid: overlay_attach() */
	BUILD_NIX,       /* an empty root and a profile that Nix fills */
};

struct build {
	enum build_source source;
	const char *from;
	struct bootstrap bootstrap;
	struct nix_source nix;
	const char *nix_config; /* the text of a configuration; NULL: none, or of a flake */
	bool no_system; /* a tree in which no system is looked for: what Nix runs has only its state there */
	bool live;      /* a tree that is in use: it was seen to that a copy makes sense */
	const char *
		twin_of; /* the container that it is a copy of: the copy gets a host name and a machine ID of its own; NULL */
};

enum built { BUILT_NEW, BUILT_SNAPSHOT, BUILT_SHARED, BUILT_COPIED, BUILT_OVERLAY };
/* built_word - "made", "a btrfs snapshot", "a copy that shares blocks", "a full copy", "an overlay". */
const char *built_word(enum built how);

/* build_nix_module - the text for nix_config that takes in the module of a file. errors: -ENOENT STATUS_NO_CONTAINER, ... */
int build_nix_module(const char *file, struct buf *ret, struct err *e);

/* build_nix_eval - append the JSON of a file in Nix, of at most max bytes; file NULL: of the expression text, whose relative
 * paths begin where the process is. It reads the file's folder (or that), folders besides, and what NIX_PATH names, and has no
 * network; as root it writes nothing. errors: -ENOENT STATUS_NO_CONTAINER: no file, no Nix; else STATUS_DATA with what Nix
 * says, STATUS_DEADLINE */
int build_nix_eval(const char *file, const char *text, const struct strs *folders, size_t max,
                   struct buf *ret, struct err *e);

/* build_check - what can be known before: that the source is there and the program that is needed. */
int build_check(const struct build *b, const struct places *p, struct err *e);
/* build_commands - the commands that would be run, one a line; none for copies. */
int build_commands(const struct build *b, const struct places *p, struct strs *ret, struct err *e);

/* build_configuration - write the etc/nixos/configuration.nix of the root at path, around nix_config (NULL: leave it).
 * build_profile - have Nix build s and make it what the container's profile leads to; configuration is the path of that file,
 * link one that may be used for what is built meanwhile. errors: as program_run(), STATUS_FAILED */
int build_configuration(const struct places *p, const char *path, const char *nix_config, struct err *e);
int build_profile(const struct nix_source *s, const struct places *p, const char *configuration,
                  const char *link, const struct progress *progress, struct err *e);

/* build_root - make leaf, in the folder of roots that is open; after a failure nothing of it is left, nor a profile.
 * warnings: what a start would miss, such as an init. */
int build_root(const struct build *b, const struct places *p, int roots, const char *leaf,
               const struct progress *progress, enum built *ret_how, struct strs *warnings, struct err *e);
/* build_part - what was copied from the tree of twin_of gets a host name and a machine ID of its own. */
struct rootfs;
int build_part(const struct rootfs *t, const char *name, const char *twin_of, struct err *e);
/* build_undo - remove what build_root made. */
void build_undo(const struct build *b, const struct places *p, int roots, const char *leaf);

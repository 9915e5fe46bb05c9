/* places - where the parts of one container are on the host: conf, root, snapshots, profile, gcroots. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strs.h"
#include "words/name.h"

#define PLACES_PROFILES "/nix/var/nix/profiles/per-container"
#define PLACES_HISTORY  "/var/lib/machdeck/history" /* engine/edit */
#define PLACES_DRAFTS   "/var/lib/machdeck/drafts"
#define PLACES_BASE     ":base"    /* the same: what it was typed into */
#define PLACES_EARLIER  ":earlier" /* behind the name: a draft that was there before another one */
#define PLACES_GCROOTS  "/nix/var/nix/gcroots/per-container"

struct places {
	char name[NAME_MACHINE_MAX + 1];
	bool nixos_dirs;   /* /etc/nixos-containers and /var/lib/nixos-containers */
	const char *confs; /* the confs' folder; static */
	const char *roots; /* the roots' folder; static */
	char conf[NAME_MACHINE_MAX + 48];
	char root[NAME_MACHINE_MAX + 48];
	bool has_conf, has_root;
};

/* places_find - of a container that is there: a conf, a root, or what is left of one that was being removed.
 * errors  -ENOENT STATUS_NO_CONTAINER: there is nothing of that name; -EINVAL STATUS_USAGE: not a machine's name, or
 *         the name of a file or folder of podman's, or of a folder with neither a conf nor a system in it */
int places_find(const char *name, struct places *ret, struct err *e);
/* places_hold - the same, and the name is ours (drivers/hold): what is told holds until hold_done(). */
struct hold;
int places_hold(const char *name, struct hold *hold, struct places *ret, struct err *e);
/* places_new - of one that is to be made, in the pair of folders that new ones go to. */
int places_new(const char *name, struct places *ret, struct err *e);
/* places_name - the same places for another name. */
void places_name(const struct places *p, const char *name, struct places *ret);

/* places_own_conf - whether the conf may be changed here: not a link, not on a read-only file system; else
 * STATUS_UNSAFE_HOST (-ELOOP) or STATUS_CANNOT_CREATE (-EROFS) and the sentence says where it is declared. */
int places_own_conf(const struct places *p, const char *step, struct err *e);

/* places_open_roots - the roots' folder, root's alone to write, made when it is missing (0700). */
int places_open_roots(const struct places *p, int *ret_fd, struct err *e);

/* places_unlink_journals - remove the links that systemd-nspawn made to the journals in its root:
 * /var/log/journal/ID -> ROOT/var/log/journal/ID. */
void places_unlink_journals(const struct places *p);
/* places_unlink_rests - remove what a killed systemd-nspawn left: the file ".#NAME.lck" beside the root, unless another one has it
 * locked, and its empty folder in /run. */
void places_unlink_rests(const struct places *p);

/* What is to be deleted, or not yet finished, has a name that no machine can have: ".trash-NAME-SALT", ".new-...".
 * places_temp - such a name, new. places_temps - those of kind ("trash") and name (NULL: any) in a roots' folder;
 * no such folder has none. places_temp_owner - the machine's name in one; "" when it is none of that kind. */
#define PLACES_TEMP_SIZE (NAME_MACHINE_MAX + 32)
int places_temp(const char *kind, const char *name, char ret[static PLACES_TEMP_SIZE], struct err *e);
int places_temps(const char *roots, const char *kind, const char *name, struct strs *ret, struct err *e);
void places_temp_owner(const char *leaf, const char *kind, char ret[static NAME_MACHINE_MAX + 1]);

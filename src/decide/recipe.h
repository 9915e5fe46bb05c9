/* recipe - the commands of other programs that make a container's root: what is called, as words. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

/* Where a system comes from. */
enum distribution { DEBIAN, UBUNTU, FEDORA, ARCH };
#define DISTRIBUTIONS (ARCH + 1)

/* distribution_parse - "debian"; -EINVAL. distribution_word - the other way. */
int distribution_parse(const char *text, enum distribution *ret);
const char *distribution_word(enum distribution d);
/* distribution_program - what bootstraps it: "mmdebstrap", "dnf", "pacstrap"; distribution_package - in which package of
 * Debian that is, or where it is from. */
const char *distribution_program(enum distribution d);
const char *distribution_package(enum distribution d);

struct bootstrap {
	enum distribution distribution;
	const char *
		suite; /* "trixie", "41"; NULL: the host's own when it is that distribution, else its stable one */
	const char *mirror;   /* NULL: the program's own choice */
	struct strs packages; /* besides what a container needs to boot */
};

/* recipe_bootstrap - a system in target, an empty folder. host_id and host_suite are ID and VERSION_CODENAME (or
 * VERSION_ID) of the host's os-release; NULL: not told. -ENOMEM; -EINVAL STATUS_USAGE: suite, mirror or a package looks
 * like an option or holds what none has */
int recipe_bootstrap(const struct bootstrap *b, const char *target, const char *host_id,
                     const char *host_suite, struct strs *ret, struct err *e);

/* recipe_untar - an archive, compressed or not, into the folder target: owners by number, modes, xattrs and ACLs are
 * kept. GNU tar refuses members with ".." and makes links that lead away last. */
void recipe_untar(const char *archive, const char *target, struct strs *ret);
/* recipe_dissect - a disk image's file systems, as systemd-nspawn would mount them, into the folder target; they are
 * mounted read-only and for that program alone. source: systemd-dissect(1), since 247 */
void recipe_dissect(const char *image, const char *target, struct strs *ret);

/* What Nix is to build or take, as the reference's tool calls it (behaviours C.3). */
struct nix_source {
	const char *system_path;  /* built already; else */
	const char *flake;        /* "URI" or "URI#SYSTEM"; else the configuration in the root */
	const char *nixos_path;   /* NULL: <nixpkgs/nixos> */
	const struct strs *flags; /* more options for what builds; NULL: none */
};
/* recipe_nix_build - of a flake alone: the command that builds it and leaves the link result. Else no words.
 * recipe_nix_set - makes the profile point to the system; built is what result leads to (of a flake). */
void recipe_nix_build(const struct nix_source *s, const char *result, struct strs *ret);
void recipe_nix_set(const struct nix_source *s, const char *profile, const char *configuration,
                    const char *built, struct strs *ret);
/* recipe_nix_eval - prints the options of containers that a file or a text in Nix defines, as JSON that import_json() takes:
 * {containers = ...}, a module of NixOS, or the containers themselves. Nothing is built or written, and
 * nothing is read but below the folders that it may read: "NAME=FOLDER" or "FOLDER", which are what <NAME> is looked for in, too.
 * name is the absolute path of the file; NULL: text is it. */
void recipe_nix_eval(const char *name, const char *text, const struct strs *folders, struct strs *ret);
/* recipe_nix_configuration - the text of etc/nixos/configuration.nix around what a person wrote. */
void recipe_nix_configuration(const char *name, const char *config, struct buf *ret);
/* recipe_nix_import - the config that is the module in the file of that absolute path. */
void recipe_nix_import(const char *path, struct buf *ret);

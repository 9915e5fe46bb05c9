#include "decide/recipe.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define NIXOS "<nixpkgs/nixos>"

static const struct {
	const char *name, *program, *package, *suite;
} distributions[DISTRIBUTIONS] = {
	[DEBIAN] = { "debian", "mmdebstrap", "mmdebstrap", "stable" },
	[UBUNTU] = { "ubuntu", "mmdebstrap", "mmdebstrap and ubuntu-keyring", "noble" },
	[FEDORA] = { "fedora", "dnf", "dnf", "42" },
	[ARCH] = { "arch", "pacstrap", "arch-install-scripts", "" },
};

const char *distribution_word(enum distribution d)
{
	return distributions[d].name;
}

const char *distribution_program(enum distribution d)
{
	return distributions[d].program;
}

const char *distribution_package(enum distribution d)
{
	return distributions[d].package;
}

int distribution_parse(const char *text, enum distribution *ret)
{
	for (size_t i = 0; i < DISTRIBUTIONS; i++)
		if (strcmp(distributions[i].name, text) == 0) {
			*ret = (enum distribution)i;
			return 0;
		}
	return -EINVAL;
}

/* A word that no program takes for an option, or for two words. */
static int check_word(const char *what, const char *text, struct err *e)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:.,/~-";

	if (text && (text[0] == '-' || !text[0] || text[strspn(text, plain)]))
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be a %s", text, what);
	return 0;
}

static void add_list(struct strs *to, const char *option, const char *needed, const struct strs *more)
{
	CLEANUP(free_p) char *joined = strs_join(more, ",");

	to->bad |= more->n > 0 && !joined;
	strs_addf(to, "%s%s%s%s", option, needed, more->n > 0 ? "," : "",
	          more->n > 0 && joined ? joined : "");
}

/* What a machine needs beside the essential packages to boot and be entered, and no more. */
static void debian(const struct bootstrap *b, const char *suite, const char *target, struct strs *ret)
{
	bool ubuntu = b->distribution == UBUNTU;
	const char *mirror = b->mirror ? b->mirror : ubuntu ? "http://archive.ubuntu.com/ubuntu" : NULL;

	strs_add(ret, "mmdebstrap");
	strs_add(ret, "--mode=root");
	strs_add(ret, "--variant=apt");
	add_list(ret, "--include=", "systemd,systemd-sysv,dbus,iproute2,ca-certificates", &b->packages);
	if (ubuntu)
		strs_add(ret, "--components=main,universe");
	strs_add(ret, suite);
	strs_add(ret, target);
	if (mirror)
		strs_add(ret, mirror);
}

static void fedora(const struct bootstrap *b, const char *suite, const char *target, struct strs *ret)
{
	strs_add(ret, "dnf");
	strs_addf(ret, "--installroot=%s", target);
	strs_addf(ret, "--releasever=%s", suite);
	if (b->mirror)
		strs_addf(ret, "--repofrompath=machdeck,%s", b->mirror);
	strs_add(ret, "--setopt=install_weak_deps=False");
	strs_add(ret, "--assumeyes");
	strs_add(ret, "install");
	for (const char *const *word =
	             (const char *const[]){ "systemd", "passwd", "dnf", "fedora-release", "iproute", NULL };
	     *word; word++)
		strs_add(ret, *word);
	strs_add_all(ret, &b->packages);
}

static void arch(const struct bootstrap *b, const char *target, struct strs *ret)
{
	strs_add(ret, "pacstrap");
	strs_add(ret, "-c"); /* the host's cache of packages */
	strs_add(ret, "-K"); /* a keyring of its own */
	strs_add(ret, target);
	strs_add(ret, "base");
	strs_add_all(ret, &b->packages);
}

int recipe_bootstrap(const struct bootstrap *b, const char *target, const char *host_id,
                     const char *host_suite, struct strs *ret, struct err *e)
{
	const char *name = distributions[b->distribution].name, *suite = b->suite;
	int r = check_word("release of a distribution", suite, e);

	if (r == 0)
		r = check_word("mirror", b->mirror, e);
	for (size_t i = 0; r == 0 && i < b->packages.n; i++)
		r = check_word("package", b->packages.v[i], e);
	if (r < 0)
		return r;
	if (!suite)
		suite = host_id && host_suite && strcmp(host_id, name) == 0
		                ? host_suite
		                : distributions[b->distribution].suite;
	switch (b->distribution) {
	case DEBIAN:
	case UBUNTU:
		debian(b, suite, target, ret);
		break;
	case FEDORA:
		fedora(b, suite, target, ret);
		break;
	case ARCH:
		arch(b, target, ret);
		break;
	}
	return ret->bad ? err_no_memory(e) : 0;
}

void recipe_untar(const char *archive, const char *target, struct strs *ret)
{
	static const char *const options[] = { "tar",           "--extract",
		                               "--force-local", "--numeric-owner",
		                               "--same-owner",  "--preserve-permissions",
		                               "--xattrs",      "--xattrs-include=*",
		                               "--acls",        "--delay-directory-restore" };

	for (size_t i = 0; i < COUNT(options); i++)
		strs_add(ret, options[i]);
	strs_addf(ret, "--directory=%s", target);
	strs_addf(ret, "--file=%s", archive);
}

void recipe_dissect(const char *image, const char *target, struct strs *ret)
{
	for (const char *const *word =
	             (const char *const[]){ "systemd-dissect", "--copy-from", image, "/", target, NULL };
	     *word; word++)
		strs_add(ret, *word);
}

void recipe_nix_build(const struct nix_source *s, const char *result, struct strs *ret)
{
	const char *sharp = s->flake && !s->system_path ? strchr(s->flake, '#') : NULL;
	size_t len = s->flake ? strcspn(s->flake, "#") : 0;

	if (!s->flake || s->system_path)
		return;
	strs_add(ret, "nix");
	strs_add(ret, "--extra-experimental-features");
	strs_add(ret, "nix-command flakes");
	strs_add(ret, "build");
	strs_add(ret, "--out-link");
	strs_add(ret, result);
	if (s->flags)
		strs_add_all(ret, s->flags);
	strs_add(ret, "--");
	strs_addf(ret, "%.*s#nixosConfigurations.\"%s\".config.system.build.toplevel", (int)len, s->flake,
	          sharp && sharp[1] ? sharp + 1 : "container");
}

void recipe_nix_set(const struct nix_source *s, const char *profile, const char *configuration,
                    const char *built, struct strs *ret)
{
	strs_add(ret, "nix-env");
	strs_add(ret, "-p");
	strs_add(ret, profile);
	if (s->system_path || s->flake) {
		strs_add(ret, "--set");
		strs_add(ret, s->system_path ? s->system_path : built);
		return;
	}
	strs_add(ret, "-I");
	strs_addf(ret, "nixos-config=%s", configuration);
	strs_add(ret, "-f");
	strs_add(ret, s->nixos_path ? s->nixos_path : NIXOS);
	strs_add(ret, "--set");
	strs_add(ret, "-A");
	strs_add(ret, "system");
	if (s->flags)
		strs_add_all(ret, s->flags);
}

void recipe_nix_configuration(const char *name, const char *config, struct buf *ret)
{
	buf_addf(ret,
	         "{ config, lib, pkgs, ... }:\n\nwith lib;\n\n"
	         "{ boot.isContainer = true;\n  networking.hostName = mkDefault \"%s\";\n"
	         "  networking.useDHCP = false;\n  %s\n}\n",
	         name, config);
}

/* As a text, for a path may hold what a word of Nix can not. */
void recipe_nix_import(const char *path, struct buf *ret)
{
	buf_puts(ret, "imports = [ (/. + \"");
	for (; *path; path++)
		buf_addf(ret, "%s%c", strchr("\\\"$", *path) ? "\\" : "", *path);
	buf_puts(ret, "\") ];");
}

/* A module is called without NixOS: what it uses of that is an error that says so. What NixOS would merge is no value yet. */
static const char options_of[] =
	"let"
	"  away = name: throw \"'${name}' of NixOS is used, and there is none here: give the value, or the "
	"system as path\";"
	"  lib = let found = builtins.tryEval <nixpkgs/lib>;"
	"    in if found.success then import found.value else away \"lib\";"
	"  known = { inherit lib; config = away \"config\"; pkgs = away \"pkgs\"; options = away \"options\";"
	"    modulesPath = away \"modulesPath\"; };"
	"  asked = builtins.functionArgs top;"
	"  given = if asked == {} then known else builtins.mapAttrs (name: _: known.${name} or (away name)) "
	"asked;"
	"  module = if builtins.isFunction top then top given else top;"
	"  all = if !builtins.isAttrs module then throw \"it is neither a set nor a module\""
	"    else if module ? containers || module ? virtualisation then module"
	"    else if module ? config.containers then module.config"
	"    else if builtins.isFunction top || module ? imports then throw \"it defines no containers\""
	"    else { containers = module; };"
	"  plain = value: if builtins.isList value then map plain value"
	"    else if builtins.typeOf value == \"path\" then toString value"
	"    else if !builtins.isAttrs value || value ? outPath then value"
	"    else if value ? _type then throw \"there is a value of type '${value._type}' (of mkIf, mkForce "
	"or the like),"
	" which only NixOS makes one of\""
	"    else builtins.mapAttrs (_: plain) value;"
	"  container = value: if !builtins.isAttrs value then value"
	"    else plain (removeAttrs value [ \"config\" ]) // (if value ? config then { config = {}; } else "
	"{});"
	"  containers = plain all.containers;"
	" in (if !(all ? containers) then {}"
	"   else if !builtins.isAttrs all.containers || all.containers ? _type then { inherit containers; }"
	"   else { containers = builtins.mapAttrs (_: container) all.containers; })"
	"  // (if all ? virtualisation.containers"
	"   then { virtualisation = { containers = plain all.virtualisation.containers; }; } else {})";

void recipe_nix_eval(const char *name, const char *text, const struct strs *folders, struct strs *ret)
{
	static const char *const words[] = { "nix-instantiate",
		                             "--eval",
		                             "--strict",
		                             "--json",
		                             "--readonly-mode",
		                             "--store",
		                             "dummy://",
		                             "--option",
		                             "allow-import-from-derivation",
		                             "false",
		                             "--option",
		                             "restrict-eval",
		                             "true",
		                             "--option",
		                             "nix-path",
		                             "" };

	for (size_t i = 0; i < COUNT(words); i++)
		strs_add(ret, words[i]);
	for (size_t i = 0; i < folders->n; i++) {
		strs_add(ret, "-I");
		strs_add(ret, folders->v[i]);
	}
	if (name) {
		strs_add(ret, "--argstr");
		strs_add(ret, "file");
		strs_add(ret, name);
	}
	strs_add(ret, "--expr");
	if (name)
		strs_addf(ret, "{ file }: let top = import (/. + file); in %s", options_of);
	else
		strs_addf(ret, "let top = (%s\n)\n\n\n; in %s", text, options_of);
}

/* plan - all that starting one container takes, as data. Built by a pure function; shown as JSON and as a
 * preview, carried out by the engine's phases. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/container.h"
#include "words/netop.h"

enum kind {
	KIND_NIX,  /* the host's store and profiles are bound, a stage 2 is the payload */
	KIND_TREE, /* a root with an init of its own */
};

/* What the plan must know of the host and of files; asked by engine/facts before, given by tests. */
struct facts {
	bool has_profile; /* /nix/var/nix/profiles/per-container/NAME/system exists */
	bool is_32_bit;   /* the file `system` below the system path says i686-linux (ST-8) */
	bool nixos_dirs; /* the conf came from /etc/nixos-containers: the root is below /var/lib/nixos-containers */
	const char *path; /* PATH for the payload */
	const char *
		system; /* what a nix container's system path or profile leads to: its generation; NULL: not there */
};

enum fsop_kind {
	FSOP_MKDIR, /* mkdir -p -m MODE PATH... (the mode is for what is created) */
	FSOP_TOUCH, /* create an empty file where nothing of that name is */
	FSOP_COPY,  /* replace PATH[1] by a copy of the host's file PATH[0], never following PATH[1] */
	FSOP_FIFO,  /* replace PATH by a FIFO */
};

struct fsop {
	enum fsop_kind kind;
	unsigned mode;
	struct strs paths;
};

struct fsops {
	struct fsop *v;
	size_t n;
};

/* A unit's directive: `Section: key = values`; a single value, or a list that may be empty. */
struct directive {
	const char *key; /* static */
	bool is_list, is_bool;
	struct strs values;
};

struct plan {
	char *name;
	enum kind kind;
	enum release release;
	char *root;       /* the tree, "/var/lib/containers/NAME" */
	char *system;     /* facts.system of a nix container; NULL: not known */
	struct strs argv; /* systemd-nspawn and its arguments */
	struct netops
		prestart; /* deletions of stale links; dropping a stale registration comes first (PR-1) */
	struct fsops prestart_files; /* 2014: the FIFO that the guest writes when it is ready (PR-4) */
	struct fsops prepare;
	struct netops init;      /* the guest's side */
	struct netops poststart; /* the host's side */
	struct strs masquerade;  /* its addresses that have a way out (decide/gateway) */
	bool wait_fifo; /* 2014: after poststart, ready when a line came through $root/var/lib/startup-done */
	bool stop_by_poweroff;     /* ExecStop asks the guest's init to power off (SIGRTMIN+4) */
	struct directive *service; /* [Service], without commands */
	size_t n_service;
	struct strs requires_mounts, wanted_by, wants, after;
	struct strs bind_sources; /* host paths that bind mounts need */
	struct strs hosts;        /* lines for /etc/hosts */
	bool bad;                 /* sticky: out of memory */
};

/* plan_build - decide all that starting c takes. Pure.
 *
 * ret     owned by the caller, plan_done(); untouched on failure
 * errors  -EINVAL  c contradicts itself (STATUS_DATA); -ENOMEM */
int plan_build(const struct container *c, const struct facts *f, struct plan *ret, struct err *e);
void plan_done(struct plan *p);

/* plan_roots - the folder of the roots that are kept, by the pair of folders that a conf is from. */
const char *plan_roots(bool nixos_dirs);

/* plan_json - one object: name root prestart prepare argv init poststart unit hosts, commands as arrays of
 * words; masquerade when it has a way out, system when that is known. plan_preview - the same for a person: comments, and commands that can be pasted into a shell; init is where
 * machdeck-init is installed. */
void plan_json(const struct plan *p, struct buf *ret);
void plan_preview(const struct plan *p, const char *init, struct buf *ret);

/* plan_fsop_words - the words of the shell command that does the same. */
void plan_fsop_words(const struct fsop *op, struct strs *ret);

/* plan_directive - the directive of that key in p->service, or NULL; borrowed. */
const struct directive *plan_directive(const struct plan *p, const char *key);

#define PLAN_GUEST_DIR "/run/machdeck" /* where the container sees its half: init and net */
#define PLAN_RUN_DIR   "/run/machdeck" /* NAME/ below it on the host: guest/{init,net}, host, plan.json */

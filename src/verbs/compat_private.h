/* compat_private - what the parts of nixos-container share. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strs.h"
#include "decide/draft.h"

struct compat_call {
	const char *name;
	char **command; /* what follows the name, ended by NULL */
	/* Options; all verbs take all of them, as the tool's do. NULL: not given. */
	const char *nixos_path, *system_path, *config, *config_file, *flake;
	struct draft conf; /* those that are a key of the conf */
	bool unique_name;
	struct strs nix_flags; /* for Nix, as they were given */
};

/* compat_say - print "nixos-container: SENTENCE" on stderr; returns the status. compat_refuse - the same of a text. */
int compat_say(const struct err *e);
int compat_refuse(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void compat_warn(const struct strs *warnings);

/* What makes, builds and removes containers. */
int compat_create(const struct compat_call *c);
int compat_update(const struct compat_call *c);
int compat_destroy(const struct compat_call *c);

/* import - containers, and what container engines are to know, from a JSON document shaped like the modules' options
 * (behaviours A.13, A.16). Pure. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "decide/virtualisation.h"
#include "words/container.h"

#define IMPORT_SIZE_MAX (1024 * 1024)

struct imported {
	struct container *v; /* sorted by name */
	size_t n;
	bool has_engines; /* the document has virtualisation.containers */
	struct virtualisation engines;
};

/* import_json - read {"containers": {NAME: {OPTION: VALUE}}} as the module of release r takes it, and beside it or alone
 * {"virtualisation": {"containers": {OPTION: VALUE}}}, which is the other module's, of 2020.
 *
 * file    how the document is called in messages: "FILE: /containers/web/hostAddress: reason"
 * errors  -EINVAL (STATUS_DATA): not JSON, an option the release does not have, a wrong type, a value that is none,
 *         a container that contradicts itself, two in each other's way (all of lint.h is fatal here); -ENOMEM.
 *         ret is untouched then. */
int import_json(const char *file, const char *text, size_t len, enum release r, struct imported *ret,
                struct err *e);
void imported_done(struct imported *i);

/* import_compare - whether what was read from file gets in the way of n other containers. -EINVAL (STATUS_DATA) names
 * the place in the file; -ENOMEM. */
int import_compare(const char *file, const struct imported *all, const struct container *const *others,
                   size_t n, struct err *e);

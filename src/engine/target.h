/* target - what is meant by a machine's name: which unit, and what can be done with it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "words/machine.h"

struct target {
	enum machine_kind kind; /* CONTAINER, NSPAWN (images, too), VM, OTHER */
	char *unit;             /* owned; NULL: it has none that is its alone */
	bool registered;
	bool ghost; /* registered, but its leader is dead */
};

void target_done(struct target *t);

/* target_find - container@NAME.service for what has a conf; else the unit of a running machine; else
 * systemd-nspawn@NAME.service for a tree or image in /var/lib/machines; else container@NAME.service for what has a root
 * alone. ret: target_done().
 *
 * to_start  what systemd can not start is not found, and a conf that can not be used is an error
 * errors    -EINVAL STATUS_USAGE: not a machine's name; to start, STATUS_DATA: its conf can not be used
 *           -ENOENT STATUS_NO_CONTAINER: neither configured, nor running, nor an image */
int target_find(const char *name, bool to_start, struct target *ret, struct err *e);

/* target_look_at_conf - whether the conf of a container of that name can be used, as target_find() does to start it. */
int target_look_at_conf(const char *name, struct err *e);

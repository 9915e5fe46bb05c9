/* origin - what each key of a conf turns into, in words that systemd, systemd-nspawn and ip know. Pure.
 *
 * A key's share is what the plan has with it and has not without it; when the conf makes no sense without it,
 * what the key alone adds to an empty conf. */
#pragma once

#include <stddef.h>

#include "decide/plan.h"

enum origin_kind {
	ORIGIN_KEY,     /* counts */
	ORIGIN_AGAIN,   /* is set again below */
	ORIGIN_UNKNOWN, /* does nothing, or nothing that is good */
};

struct origin {
	size_t line; /* from 1 */
	enum origin_kind kind;
	struct strs
		becomes; /* "--port=tcp:8080:80", "TimeoutStartSec=1min", "host: ip ...", "inside: ip ..." */
};

struct origins { /* in the order of the text */
	struct origin *v;
	size_t n;
};

void origins_done(struct origins *o);

/* origins_find - of the conf's len bytes, which need not be usable: then nothing is known of what keys become.
 * f are the facts that the container's plan is made with. ret owned, origins_done().
 * errors  -EINVAL STATUS_DATA: not even lines of KEY=value; -ENOMEM */
int origins_find(const char *file, const char *name, const char *bytes, size_t len, const struct facts *f,
                 struct origins *ret, struct err *e);

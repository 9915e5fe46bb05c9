/* occupied - what is taken on a host: by confs, by containers that are being made, and by the live network. */
#pragma once

#include "base/err.h"
#include "base/strs.h"
#include "decide/allocate.h"
#include "words/container.h"

struct occupied {
	struct container *v; /* of all confs and of those that are being made, but one */
	size_t n;
	struct taken taken; /* theirs, and what the host has: addresses, routes, listeners, forwards */
};
void occupied_done(struct occupied *o);

/* occupied_read - but is whose own are left out; NULL: nobody's. A conf that can not be used is a warning, for what it
 * takes is not known. What the kernel does not have, or tell to us, is left out; what it fails to tell is a warning. */
int occupied_read(const char *but, struct occupied *ret, struct strs *warnings, struct err *e);

/* occupied_judge - whether c gets in the way of one of them. -EINVAL STATUS_DATA: "NAME: KEY: reason" */
int occupied_judge(const struct occupied *o, const struct container *c, struct err *e);

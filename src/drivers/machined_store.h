/* machined_store - the images that systemd-machined keeps (ListImages of org.freedesktop.machine1(5)), in all the
 * folders it looks into; everybody may ask. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct image {
	char *name, *type; /* type: "directory", "subvolume", "raw", "block"; foreign text */
	bool read_only;
	uint64_t created_usec, modified_usec; /* CLOCK_REALTIME; 0: not known */
	uint64_t usage;                       /* bytes; UINT64_MAX: not known */
};

struct images {
	struct image *v; /* sorted by name; without the host itself */
	size_t n;
};

void images_done(struct images *l);

/* machined_store - ask for them, waiting at most 6 s. ret: images_done().
 * errors  -EHOSTDOWN STATUS_UNAVAILABLE the bus or systemd-machined is out of reach; -ETIMEDOUT STATUS_DEADLINE */
int machined_store(struct images *ret, struct err *e);

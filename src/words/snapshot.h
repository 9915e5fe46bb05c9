/* snapshot - the machines of one host at one moment, as a value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words/machine.h"

struct snapshot {
	char *host;        /* whose machines these are; NULL: not told */
	struct machine *v; /* sorted by name, each name once */
	size_t n;
	uint64_t taken_usec; /* CLOCK_REALTIME */
	char *limits; /* what can not be seen for want of a right, and which one that is; NULL: all can */
	bool closed; /* trees can not be looked into: no systems, images, failed units; then limits says so */
	char *stale; /* one sentence about what could not be asked ("the bus is gone: ..."); NULL: all is
	                fresh */
};

void snapshot_done(struct snapshot *s);
/* snapshot_copy - false when out of memory; ret is empty then. */
bool snapshot_copy(const struct snapshot *s, struct snapshot *ret);
/* snapshot_find - the machine of that name, or NULL; borrowed. */
const struct machine *snapshot_find(const struct snapshot *s, const char *name);

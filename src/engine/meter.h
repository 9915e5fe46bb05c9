/* meter - the traffic of machines' links: which links here are theirs, and what went through them. */
#pragma once

#include "drivers/rtnl.h"
#include "words/stats.h"

struct meter {
	struct nl ask, monitor; /* fd -1: closed */
	struct links links;
	struct traffics now;
	bool links_known;
};

#define METER_CLOSED                                                                                         \
	{                                                                                                    \
		.ask = { .fd = -1 }, .monitor = {.fd = -1 }                                                  \
	}

int meter_open(struct meter *m, struct err *e);
void meter_close(struct meter *m);

/* meter_read - count all now; the links are listed anew only when some changed since. After a failure nothing
 * is known. meter_of - what is counted of the veths whose other end is in that namespace, as this end counts:
 * at most STATS_LINKS; names are printable. */
struct metered {
	char name[NAME_LINK_SIZE];
	struct traffic counted;
};
int meter_read(struct meter *m, struct err *e);
size_t meter_of(const struct meter *m, int netnsid, struct metered ret[static STATS_LINKS]);

/* sample - one machine at one moment: its cgroup and its links against those of the sample before. */
#pragma once

#include "drivers/cgroup.h"
#include "engine/meter.h"
#include "words/machine.h"
#include "words/stats.h"

#define SHORTEST_USEC 100000 /* less tells nothing of a rate */

struct watched { /* what is known of a machine besides its struct stats */
	pid_t leader;
	int netnsid;
	char *told;            /* the cgroup its machine told, NULL: that is asked of its leader */
	struct cgroup *cgroup; /* NULL: there is none, or it was not found yet */
	uint64_t at;           /* CLOCK_MONOTONIC of the sample before; 0: none */
	struct cgroup_now before;
	struct traffic links[STATS_LINKS];
	size_t n_links;
	bool young; /* has no second sample yet */
};

void watched_done(struct watched *w);
/* watched_is - whether it is that run of that machine. watched_follow - become that; another run is counted
 * anew. -ENOMEM */
bool watched_is(const struct watched *w, const struct machine *m);
int watched_follow(struct watched *w, const struct machine *m);

/* sample_machine - fill st. mono is CLOCK_MONOTONIC now; a sample too soon after the one before changes
 * nothing. fs and meter may be NULL: what they would tell is unknown. */
void sample_machine(struct cgroupfs *fs, const struct meter *meter, struct watched *w, struct stats *st,
                    uint64_t mono);

/* sample_estimate - as cgroup_estimate, into st; returns what that does. */
size_t sample_estimate(struct watched *w, struct stats *st);

/* sample_share - percent of all that now is more than before; NAN when one is unknown or counted anew. */
float sample_share(uint64_t before, uint64_t now, uint64_t all);

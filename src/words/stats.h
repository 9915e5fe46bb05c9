/* stats - what one machine uses, as sampled; plain data. Unknown is not zero: NAN, or STATS_UNKNOWN. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words/name.h"

#define STATS_HISTORY 60
#define STATS_UNKNOWN UINT64_MAX
#define STATS_LINKS   16 /* of one machine; more are not looked at */

struct stats_pressure { /* share of time in the last 10 s, percent; linux Documentation/accounting/psi.rst */
	float some, full;
};

struct stats_link { /* the host's end of one link */
	char name[NAME_LINK_SIZE];
	uint64_t rx, tx;        /* bytes a second, as the container counts: rx came in to it */
	uint64_t drops, errors; /* since the link was made, both directions */
};

struct stats {
	char name[NAME_MACHINE_MAX + 1];
	uint64_t at_usec; /* CLOCK_REALTIME of the last sample; 0: none yet */

	float cpu;                        /* percent of one core since the sample before */
	float cpu_history[STATS_HISTORY]; /* the newest last; NAN where there is none */
	float throttled; /* percent of the last period that it was held back by its quota; threads
	                    are held back each for itself, so it can pass 100 */
	float cpu_limit; /* percent of one core; NAN: none */

	uint64_t memory, memory_limit, swap; /* bytes; memory_limit STATS_UNKNOWN: none */
	bool memory_is_estimate; /* summed over its processes, since there is no memory controller: their
	                            anonymous pages, without page cache; those shared since a fork count in
	                            each */
	float memory_history[STATS_HISTORY]; /* bytes */
	uint64_t tasks, tasks_limit;         /* threads */
	bool tasks_is_estimate;
	uint64_t io_read, io_write; /* bytes a second */
	uint64_t oom_kills;         /* since the cgroup was made */
	bool frozen;

	struct stats_pressure cpu_pressure, memory_pressure, io_pressure;

	uint64_t rx, tx; /* bytes a second, all links */
	struct stats_link links[STATS_LINKS];
	size_t n_links;
};

struct stats_table {
	struct stats *v; /* sorted by name; owned */
	size_t n;
};

/* What the whole host uses. */
struct host_stats {
	uint64_t at_usec;                 /* CLOCK_REALTIME of the last sample; 0: none yet */
	unsigned cores;                   /* online; 0: not known */
	float cpu;                        /* percent of one core, at most 100 * cores */
	float cpu_history[STATS_HISTORY]; /* the newest last */
	uint64_t memory, memory_total;    /* bytes; memory is what no program could get without swapping */
	uint64_t swap, swap_total;
	struct stats_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* stats_unknown, host_stats_unknown - of that machine, of the host, before anything is known. */
void stats_unknown(struct stats *ret, const char *name);
void host_stats_unknown(struct host_stats *ret);
/* stats_push - a history's newest value; the oldest falls out. */
void stats_push(float history[static STATS_HISTORY], float value);
/* stats_find - of that machine, or NULL; borrowed. */
const struct stats *stats_find(const struct stats_table *t, const char *name);
void stats_table_done(struct stats_table *t);

/* hoststat - what the whole host uses, by files of /proc that stay open. */
#pragma once

#include "base/err.h"
#include "drivers/kept.h"

struct hoststat {
	int proc; /* a folder; -1: closed */
	struct kept stat, meminfo, cpu, memory, io;
};

struct host_now { /* unknown: STATS_UNKNOWN, NAN */
	uint64_t busy,
		all; /* ticks of all cores since boot; waiting for a disk is idle, stolen time is not ours */
	uint64_t memory, memory_total, swap, swap_total; /* bytes, as in struct host_stats */
	struct stats_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* hoststat_open - host_root is "" but in tests. hoststat_read - five reads. */
int hoststat_open(const char *host_root, struct hoststat *ret, struct err *e);
void hoststat_read(struct hoststat *h, struct host_now *ret);
void hoststat_close(struct hoststat *h);

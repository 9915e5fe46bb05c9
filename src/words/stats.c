#include "words/stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct stats_pressure no_pressure = { NAN, NAN };

static void forget(float history[static STATS_HISTORY])
{
	for (size_t i = 0; i < STATS_HISTORY; i++)
		history[i] = NAN;
}

void stats_unknown(struct stats *ret, const char *name)
{
	*ret = (struct stats){ .cpu = NAN,
		               .throttled = NAN,
		               .cpu_limit = NAN,
		               .memory = STATS_UNKNOWN,
		               .memory_limit = STATS_UNKNOWN,
		               .swap = STATS_UNKNOWN,
		               .tasks = STATS_UNKNOWN,
		               .tasks_limit = STATS_UNKNOWN,
		               .io_read = STATS_UNKNOWN,
		               .io_write = STATS_UNKNOWN,
		               .oom_kills = STATS_UNKNOWN,
		               .cpu_pressure = no_pressure,
		               .memory_pressure = no_pressure,
		               .io_pressure = no_pressure,
		               .rx = STATS_UNKNOWN,
		               .tx = STATS_UNKNOWN };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	forget(ret->cpu_history);
	forget(ret->memory_history);
}

void host_stats_unknown(struct host_stats *ret)
{
	*ret = (struct host_stats){ .cpu = NAN,
		                    .memory = STATS_UNKNOWN,
		                    .memory_total = STATS_UNKNOWN,
		                    .swap = STATS_UNKNOWN,
		                    .swap_total = STATS_UNKNOWN,
		                    .cpu_pressure = no_pressure,
		                    .memory_pressure = no_pressure,
		                    .io_pressure = no_pressure };
	forget(ret->cpu_history);
}

void stats_push(float history[static STATS_HISTORY], float value)
{
	memmove(history, history + 1, (STATS_HISTORY - 1) * sizeof(*history));
	history[STATS_HISTORY - 1] = value;
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct stats *)item)->name);
}

const struct stats *stats_find(const struct stats_table *t, const char *name)
{
	return t->n > 0 ? bsearch(name, t->v, t->n, sizeof(*t->v), by_name) : NULL;
}

void stats_table_done(struct stats_table *t)
{
	free(t->v);
	*t = (struct stats_table){ 0 };
}

/* limitvalue - a resource limit from its text, as systemd.resource-control(5) has it. Pure. */
#pragma once

#include "decide/values.h"
#include "words/limits.h"

/* limit_parse - MEMORY "512M" (K M G T P E, of 1024), "25%"; CPU "150%" of one processor; TASKS "500", "10%"; IO "1"
 * to "10000"; "infinity" for no limit but of IO. -EINVAL says in w what is wrong. */
int limit_parse(enum limit which, const char *text, struct limit_value *ret, struct why *w);

/* For the table of fields: the text as it was written. */
int value_memory_max(const char *text, char **ret, struct why *w);
int value_cpu_quota(const char *text, char **ret, struct why *w);
int value_tasks_max(const char *text, char **ret, struct why *w);
int value_io_weight(const char *text, char **ret, struct why *w);

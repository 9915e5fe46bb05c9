#include "words/limits.h"

#include <string.h>

const struct limit_names limit_names[LIMITS] = {
	[LIMIT_MEMORY] = { "MEMORY_MAX", "MemoryMax" },
	[LIMIT_CPU] = { "CPU_QUOTA", "CPUQuota" },
	[LIMIT_TASKS] = { "TASKS_MAX", "TasksMax" },
	[LIMIT_IO] = { "IO_WEIGHT", "IOWeight" },
};

enum limit limit_named(const char *name)
{
	for (int i = 0; i < LIMITS; i++)
		if (strcmp(limit_names[i].key, name) == 0 || strcmp(limit_names[i].directive, name) == 0)
			return (enum limit)i;
	return LIMITS;
}

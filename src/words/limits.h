/* limits - what a machine may take of its host: the settings of ours that become its unit's resource control. */
#pragma once

#include <stdint.h>

enum limit { LIMIT_MEMORY, LIMIT_CPU, LIMIT_TASKS, LIMIT_IO, LIMITS };

struct limit_names {
	const char *key;       /* in a conf: "MEMORY_MAX" */
	const char *directive; /* in a unit: "MemoryMax" */
};
extern const struct limit_names limit_names[LIMITS];

/* limit_named - which one that key or directive is; LIMITS: none. */
enum limit limit_named(const char *name);

struct limit_value { /* as org.freedesktop.systemd1 takes it */
	const char *property;
	char type; /* of sd-bus: 't', or 'u' for a share of UINT32_MAX */
	uint64_t number;
};

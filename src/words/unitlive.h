/* unitlive - what systemd has of a container's unit while it runs, to be compared with what its conf gives it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strs.h"
#include "words/limits.h"

struct unit_live {
	bool needs_reload; /* files of the unit changed since systemd read them */
	unsigned live_limits,
		kept_limits; /* bits by enum limit: set until it stops; set for good (systemctl set-property) */
	uint64_t limits[LIMITS];     /* in bytes, microseconds a second, tasks, weight; UINT64_MAX: none */
	int kill_signal;             /* 0: not told */
	uint64_t start_timeout_usec; /* UINT64_MAX: none */
	struct strs devices;         /* "/dev/fuse rwm" */
};

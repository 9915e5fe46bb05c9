/* netprobe - asking others from inside a network namespace whether they are there: an echo (ping), or a question to a name
 * server. Needs root. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "words/addr.h"

#define NETPROBE_MS 1000

struct netprobe {
	struct addr to;
	bool is_name_server; /* asked for the name servers of the root by UDP; else an echo */
	bool answered;       /* out; whatever was answered counts */
	unsigned ms;
};

/* netprobe - ask all at once from the namespace that netns (a descriptor) is, and wait for NETPROBE_MS at most. One that
 * could not be asked did not answer. errors: -EPERM, no thread, no socket */
int netprobe(int netns, struct netprobe *v, size_t n, struct err *e);

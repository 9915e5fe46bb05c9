/* sampler - what the machines on the screen use, every few seconds, and what the host does. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/machine.h"
#include "words/stats.h"

/* sampler_new - holds nothing open until something is wanted. sampled is called from the loop after values
 * changed. sampler_new_at - the same for tests, who have /proc and /sys/fs/cgroup elsewhere. */
struct sampler;
typedef void sampled_fn(void *arg);
int sampler_new(sd_event *loop, sampled_fn *sampled, void *arg, struct sampler **ret, struct err *e);
int sampler_new_at(const char *host_root, sd_event *loop, sampled_fn *sampled, void *arg,
                   struct sampler **ret, struct err *e);
void sampler_free(struct sampler *s); /* NULL is fine */

/* sampler_want - the machines that are on the screen now, in any order; borrowed for the call. Call it again
 * when they change, when one of them starts or stops, or when its netnsid became known; the same again costs
 * nothing.
 *
 * n 0 or period 0: no timer, no open file. Else one wake-up a period, at its whole multiples of wall time,
 * late by at most an eighth of it (so that it falls together with others), and one more 250 ms after a
 * machine is new: what is a difference (CPU, throttling, traffic, IO) needs two samples. The rest of a new
 * machine is read in this call. At most SAMPLER_MACHINES, the first by name. Histories of those that left are
 * kept for a while.
 *
 * Where there is no memory controller, memory is estimated from some machines' processes each time, all in
 * turn.
 *
 * errors  only -ENOMEM and the loop's: what can not be read is unknown, and sampler_trouble says why */
#define SAMPLER_MACHINES 256
int sampler_want(struct sampler *s, const struct machine *const *v, size_t n, uint64_t period_usec);

/* All borrowed until the loop runs again or sampler_want is called. sampler_now holds the wanted machines.
 * sampler_trouble - one sentence about what can not be read at all; NULL: nothing. */
const struct stats_table *sampler_now(const struct sampler *s);
const struct host_stats *sampler_host(const struct sampler *s);
const char *sampler_trouble(const struct sampler *s);

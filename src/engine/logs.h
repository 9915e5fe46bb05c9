/* logs - what one or several machines log, merged by time and followed: the host's view of each (its console,
 * what systemd says of its unit) and the guest's own journal. Memory is bounded (words/logring). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "words/logring.h"

#define LOGS_TARGETS_MAX 64

struct logs_target {
	const char *name;
	const char *unit; /* NULL: it has none, only the guest's journal is read */
	const char *root; /* where its tree is when it does not run; NULL: looked up by its name */
};

/* logs_open - the last `backlog` records of each journal, and all to come, also of a machine that starts
 * later or again.
 *
 * changed  called from the loop after records or notes came: at most once a turn, and 25 times a second
 *          unless so many pour in that some would fall out of the ring unseen
 * cost     one child, while it is open; nothing while nothing is logged
 * errors   -E2BIG (more than LOGS_TARGETS_MAX), -ENOMEM, the system's. What can not be read is no failure:
 *          logs_note() says why. */
struct logs;
typedef void logs_changed_fn(void *arg);
int logs_open(sd_event *loop, const struct logs_target *targets, size_t n, size_t backlog,
              logs_changed_fn *changed, void *arg, struct logs **ret, struct err *e);
void logs_free(struct logs *l); /* NULL is fine */

struct logring *logs_ring(struct logs *l);
bool logs_caught_up(const struct logs *l); /* all that was there at the start has come */

/* logs_note - one sentence about what can not be seen, and the right it takes; NULL: nothing is amiss. */
const char *logs_note(const struct logs *l);

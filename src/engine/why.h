/* why - gather what tells why a machine is down: its unit's result, and its log when that is no success. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "decide/why.h"
#include "drivers/units.h"

/* why_ask - ask for NAME's unit, then for its log.
 *
 * done  called from the loop exactly once, within 6 s; ret is gone then. r: 0, or negative errno when systemd
 * could not be asked. The facts are borrowed for the call; its lines are empty when the unit's result was
 * success, or the log can not be read: then no_log says why, else NULL. conf_problem, taken_by and
 * dead_leader are the caller's to fill in before why_sentence(). why_cancel - without a call-back; NULL is
 * fine. loop NULL: without its log, which takes a child to read. */
struct why;
struct why_answer {
	struct why_facts facts;
	const struct err *no_log;
};
typedef void why_done_fn(int r, struct why_answer *answer, const struct err *e, void *arg);
int why_ask(sd_event *loop, struct units *u, const char *name, const char *unit, why_done_fn *done, void *arg,
            struct why **ret, struct err *e);
void why_cancel(struct why *w);

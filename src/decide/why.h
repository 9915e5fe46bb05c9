/* why - why a machine is not well, in one sentence, and what helps. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strs.h"
#include "words/logline.h"
#include "words/machine.h"

#define WHY_SIZE 512

/* What is known of it; all borrowed, foreign text where it comes from outside. Zero or NULL: not known. */
struct why_facts {
	const char *name;
	enum machine_state state;
	const char *conf_problem; /* "FILE:LINE:COLUMN: reason" */
	bool conf_unread;         /* for want of a right */
	const char
		*taken_by; /* the unit that runs a machine of this name, when it is not the machine's own */
	pid_t dead_leader; /* registered with it */
	/* of its unit, as in drivers/units.h */
	const char *load, *result, *status_text, *failed_phase;
	int main_code, main_status;
	int failed_code, failed_status;
	uint32_t n_restarts;
	uint64_t start_timeout_usec, stop_timeout_usec;
	uint64_t state_usec, active_usec; /* not for the sentence */
	pid_t main_pid;
	const char *invocation; /* of its last run, hex */
	uint64_t memory_max;    /* bytes; 0 or UINT64_MAX: no limit, or not known */
	const char *unit;
	const char *failed_dependency; /* a unit that it requires and that did not come up */
	const struct loglines *lines;  /* of its last run; with the kernel's, which begin with "kernel: " */

	const struct strs *guest_failed; /* units that failed inside */
};

/* why_sentence - write it into ret, printable, without the name and a final dot.
 *
 * returns the cause, one word for scripts ("oom-kill"), static: the rule that gave the sentence. When the
 * unit was given up after too many starts it is the cause of the last one, or "start-limit" where that is
 * only known to have ended. NULL: it is well, or stopped for no reason that is known; ret is "" then. */
const char *why_sentence(const struct why_facts *f, char ret[static WHY_SIZE]);

/* why_cause - the i-th word that there is, for tests and documents; NULL after the last. Some come twice. */
const char *why_cause(size_t i);

/* why_guest_says - what the guest's PID 1 told of itself, in the unit's status text; NULL: nothing. Hostile.
 */
const char *why_guest_says(const char *status_text);

/* why_guest_ended - whether systemd-nspawn told that what ran in the container ended with an exit status, which is no
 * word of ours then, whatever number it is. */
bool why_guest_ended(const struct why_facts *f);

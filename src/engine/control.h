/* control - start, stop, restart, reload, terminate: a unit's job, followed to its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/logline.h"

enum control_verb { CONTROL_START, CONTROL_STOP, CONTROL_RESTART, CONTROL_RELOAD, CONTROL_TERMINATE };

/* control_begin - ask systemd for the job and come back at once; done is called from the loop exactly once,
 * when the job ended or could not be made: r 0 or negative errno with the sentence (why it failed, with the
 * unit's result and what helps); the control is gone after that call. Dropping: control_cancel forgets the
 * call-back, the job goes on. All of a process' controls share one loop and one connection.
 *
 * RESTART   stops, waits until systemd-machined forgot the machine (at most 3 s), starts (BUG-20)
 * TERMINATE kills all its processes; the unit ends stopped and is not restarted
 * STOP      fails too when the machine is down but its guest had to be killed
 * name      a container with a conf or a root; else a running machine (not to START), whose own unit is used
 * errors    -EINVAL STATUS_USAGE not a machine's name; STATUS_DATA START of a conf that can not be used
 *           -ENOENT STATUS_NO_CONTAINER neither configured nor running */
struct control;
typedef void control_done_fn(int r, const struct err *e, void *arg);
int control_begin(sd_event *loop, enum control_verb verb, const char *name, control_done_fn *done, void *arg,
                  struct control **ret, struct err *e);
void control_cancel(struct control *c);

/* control_look - what it waits for now. Borrowed until the loop runs again; good inside of done, too. */
struct control_look {
	const char *waits_for; /* "its guest boots" */
	uint64_t since_usec;   /* CLOCK_MONOTONIC */
	uint64_t limit_usec; /* how long systemd allows that; 0: not known (asked after a second) or no limit
	                      */
	const char *unit;    /* "container@web.service" */
	const struct loglines
		*lines; /* inside of done: the end of the log of what failed; empty when it can't be read */
};
void control_look(const struct control *c, struct control_look *ret);

/* control - start, stop, restart, reload, terminate: a unit's job, followed to its end. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"

enum control_verb { CONTROL_START, CONTROL_STOP, CONTROL_RESTART, CONTROL_RELOAD, CONTROL_TERMINATE };

/* control_begin - ask systemd for the job and come back at once; done is called from the loop exactly once, when
 * the job ended or could not be made: r 0 or negative errno with the sentence (why it failed, with the unit's
 * result and what helps). Dropping: control_cancel forgets the call-back, the job goes on.
 * The name is looked at first (name_is_machine). */
struct control;
typedef void control_done_fn(int r, const struct err *e, void *arg);
int control_begin(sd_event *loop, enum control_verb verb, const char *name, control_done_fn *done, void *arg,
                  struct control **ret, struct err *e);
void control_cancel(struct control *c);

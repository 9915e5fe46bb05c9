/* child - ask what may hang, flood or kill who asks, in a process of its own: a truncated journal (M18), a
 * guest's bus. The loop goes on meanwhile, and after the deadline without it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"

/* child_fn - the child: writes its answer to out and returns its exit status. It has the parent's memory as
 * it was, no handler or blocked signal, leaves no core and dies with its parent. */
typedef int child_fn(int out, void *arg);

/* child_done_fn - called from the loop exactly once. r: its exit status (0 to 127), -EIO when a signal ended
 * it (e names it), -EFBIG when it wrote more than was allowed, -ETIMEDOUT; text is what it wrote, NUL
 * terminated, borrowed for the call. The child is gone then, but for one that can not even be killed, which
 * is reaped when it ends. */
typedef void child_done_fn(int r, char *text, size_t len, const struct err *e, void *arg);

struct child;
/* child_start - what names the child in sentences ("the journal's reader"); borrowed for ever. */
int child_start(sd_event *loop, const char *what, child_fn *fn, void *fn_arg, uint64_t deadline_usec,
                size_t answer_max, child_done_fn *done, void *arg, struct child **ret, struct err *e);
/* child_cancel - without a call-back; NULL is fine. */
void child_cancel(struct child *c);

/* child_become - what child_start() does in the child, for who forks by itself. */
void child_become(void);

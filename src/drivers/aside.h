/* aside - work that may have to wait (a disk that syncs), done by a process of its own, so that the loop does
 * not wait with it. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

/* aside_begin - call work in a forked process; done is called from the loop exactly once with what it
 * returned, or after limit_usec with -ETIMEDOUT STATUS_DEADLINE (it is not stopped then: what it does is
 * whole or not at all). The aside is gone after that call.
 *
 * loop  NULL where it has ended: done is never called, and aside_wait() is for that
 * done  e is NULL for 0 or more, but when work left a sentence in it: a warning
 * work  has the process as it was, but must not touch the loop or the terminal; work_arg is its copy */
struct aside;
typedef int aside_work_fn(void *work_arg, struct err *e);
typedef void aside_done_fn(int r, const struct err *e, void *arg);
int aside_begin(sd_event *loop, aside_work_fn *work, void *work_arg, uint64_t limit_usec, aside_done_fn *done,
                void *arg, struct aside **ret, struct err *e);
/* aside_wait - until it is done, for at most ms, then as aside_forget(): for who ends, and is to leave something whole. NULL is
 * fine. */
void aside_wait(struct aside *a, int ms);
/* aside_forget - without a call-back; the work goes on. NULL is fine. */
void aside_forget(struct aside *a);

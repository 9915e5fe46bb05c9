/* journal - the end of a unit's log, from this host's journal only. It is read in a child: a journal file
 * that is truncated meanwhile kills its reader by SIGBUS (M18). */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/logline.h"

/* journal_tail - ask for the last n lines that unit's processes wrote and systemd's complaints about it;
 * systemd's routine ("Starting", "Stopped") is left out. Besides, as the oldest: our own last complaint of that
 * invocation, when it is further back, and, when the lines tell of an OOM kill, the kernel's line about it, as systemd's,
 * "kernel: oom-kill:...".
 *
 * invocation  only lines of that run, 32 hex digits; "" for any; NULL: only what came after systemd's last routine
 * done        called from the loop exactly once, within 2 s; lines are borrowed for the call
 *             r: 0, -EACCES (the caller may not read the journal), -EIO, -ETIMEDOUT; then lines is empty
 * ret         is gone then
 * journal_tail_cancel - without a call-back; NULL is fine. */
struct journal_tail;
typedef void journal_done_fn(int r, const struct loglines *lines, const struct err *e, void *arg);
int journal_tail(sd_event *loop, const char *unit, const char *invocation, size_t n, journal_done_fn *done,
                 void *arg, struct journal_tail **ret, struct err *e);
void journal_tail_cancel(struct journal_tail *t);

/* lend - the terminal for a while in other hands: a shell or console in a machine, a pager. In a child, with
 * the loop going on behind it. */
#pragma once

#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/err.h"
#include "ui/term.h"

/* lend_session - session.h's shell, or login console. lend_pager - text in the person's pager. Until done is
 * called from the loop nothing may be drawn: status as of wait, e says why it could not be. One at a time. */
struct lend;
typedef void lend_done_fn(int status, const struct err *e, void *arg);
int lend_session(sd_event *loop, struct terminal *t, const char *name, bool login, lend_done_fn *done,
                 void *arg, struct lend **ret, struct err *e);
int lend_pager(sd_event *loop, struct terminal *t, const struct buf *text, lend_done_fn *done, void *arg,
               struct lend **ret, struct err *e);
/* lend_editor - `machdeck edit NAME`, and what it says until a key is pressed. */
int lend_editor(sd_event *loop, struct terminal *t, const char *name, lend_done_fn *done, void *arg,
                struct lend **ret, struct err *e);
/* lend_free - without a call-back: the child gets a SIGHUP. NULL is fine. */
void lend_free(struct lend *l);

/* guestunits - which units of a guest's systemd failed, asked from outside: no agent in the guest, no bus in it.
 *
 * The guest's own private socket (/run/systemd/private) is asked. Its systemd lets in only root whom it can see, so a
 * grandchild steps inside for the moment of connecting, as the guest's root without a capability (a user namespace
 * is no hindrance). Who then reads what the guest says is outside again, is nobody, may use 256 MiB and 1 s of
 * processor time, and has 2 s: a guest can be slow, flood or lie, and gets no further than its own line. Needs
 * root. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "drivers/machined.h"

#define GUESTUNITS_MAX  64  /* names; the rest is not told */
#define GUESTUNITS_NAME 100 /* bytes of one as it is shown */

/* guestunits_done_fn - called from the loop exactly once, at most 2 s later. failed: printable, as many as
 * the guest told, at most GUESTUNITS_MAX; borrowed for the call, empty when r < 0. r: 0; -EACCES
 * (STATUS_NOT_PERMITTED) not root; -ENOENT its first process is no systemd or is gone; -ETIMEDOUT, -EIO */
struct guestunits_ask;
typedef void guestunits_done_fn(int r, const struct strs *failed, const struct err *e, void *arg);
int guestunits_ask(sd_event *loop, const struct registration *m, guestunits_done_fn *done, void *arg,
                   struct guestunits_ask **ret, struct err *e);
void guestunits_cancel(struct guestunits_ask *a);

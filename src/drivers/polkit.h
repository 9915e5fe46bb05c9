/* polkit - whether this process' user may do something, asked without bothering anybody
 * (org.freedesktop.PolicyKit1). */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

enum polkit_answer {
	POLKIT_YES,
	POLKIT_CHALLENGE, /* after authenticating */
	POLKIT_NO,
};

/* polkit_check - done is called from the loop exactly once, within 3 s; the check is gone then. r: 0, or
 * negative errno with STATUS_UNAVAILABLE (no bus, no polkit) or STATUS_DEADLINE; answer is NO then. */
struct polkit_check;
typedef void polkit_done_fn(int r, enum polkit_answer answer, const struct err *e, void *arg);
int polkit_check(sd_event *loop, const char *action, polkit_done_fn *done, void *arg,
                 struct polkit_check **ret, struct err *e);
/* polkit_cancel - without a call-back; NULL is fine. */
void polkit_cancel(struct polkit_check *c);

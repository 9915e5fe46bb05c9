/* rights - whether this person may change anything here, and giving up what looking does not need. */
#pragma once

#include <systemd/sd-event.h>

#include "ui/setup.h"

/* rights_begin - before the first connection is made. When it is to be read-only, rights are given up for
 * good and a says why; else a stays read-only until it is known what this user may do: changed is called from
 * the loop then.
 *
 * errors  what privileges_drop() gives: do not go on
 * rights_free - NULL is fine. */
struct rights;
typedef void rights_changed_fn(void *arg);
int rights_begin(sd_event *loop, const struct dashboard_options *o, const struct setup *s, struct app *a,
                 rights_changed_fn *changed, void *arg, struct rights **ret, struct err *e);
void rights_free(struct rights *r);

/* rights_give_up - the first part of that alone, for who has no app: 1 when rights were given up, as options or
 * settings say; 0. Errors as above. */
int rights_give_up(const struct dashboard_options *o, const struct settings *s, struct err *e);

/* doer_form - what a form of a conf needs of the system: the conf under a lock, choices from the live host, judgement, and
 * saving it by a process of its own. */
#pragma once

#include <systemd/sd-event.h>

#include "ui/app.h"

struct doer_form;
typedef void doer_form_changed_fn(void *arg);
int doer_form_new(sd_event *loop, struct app *app, doer_form_changed_fn *changed, void *arg,
                  struct doer_form **ret, struct err *e);
/* doer_form_free - what was typed and not saved is kept as a draft. NULL is fine. */
void doer_form_free(struct doer_form *f);

/* doer_form_do - one of APP_FORM_... */
void doer_form_do(struct doer_form *f, const struct world *w, const struct app_command *c);

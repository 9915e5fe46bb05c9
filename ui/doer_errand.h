/* doer_errand - what takes long, by processes of their own (engine/errand), for the app. */
#pragma once

#include <systemd/sd-event.h>

#include "ui/app.h"

struct doer_errands;
typedef void doer_errands_changed_fn(void *arg);
int doer_errands_new(sd_event *loop, struct app *app, doer_errands_changed_fn *changed, void *arg,
                     struct doer_errands **ret, struct err *e);
/* doer_errands_free - those that go on are asked to give up and undo: their results would be nobody's. NULL is fine. */
void doer_errands_free(struct doer_errands *d);

/* doer_errands_do - one of APP_ERRAND... */
void doer_errands_do(struct doer_errands *d, const struct world *w, const struct app_command *c);

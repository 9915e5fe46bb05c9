/* doer - carries out what the app wants done on the system, and tells the app how it ended. */
#pragma once

#include <systemd/sd-event.h>

#include "ui/app.h"

/* doer_new - changed is called from the loop when the app learned something. app stays the caller's. */
struct doer;
typedef void doer_changed_fn(void *arg);
int doer_new(sd_event *loop, struct app *app, doer_changed_fn *changed, void *arg, struct doer **ret,
             struct err *e);
/* doer_free - jobs go on without us; a command that still runs in machines is killed. */
void doer_free(struct doer *d);

/* doer_do - begin it; what is the terminal's business is left alone. */
void doer_do(struct doer *d, const struct world *w, const struct app_command *c);
/* doer_look - tell the app what its jobs wait for now. */
void doer_look(struct doer *d);

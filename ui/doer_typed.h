/* doer_typed - what is typed into a form and not saved: kept on the disk as a draft, and a value judged while it is typed, as a
 * start would judge it, beside all other containers and the host. Both by processes of their own. */
#pragma once

#include <systemd/sd-event.h>

#include "engine/edit.h"
#include "ui/app.h"
#include "ui/doer_form.h"

struct doer_typed;
/* doer_typed_new - edit is borrowed, with dir -1 as long as no form is open. errors: -ENOMEM */
int doer_typed_new(sd_event *loop, struct app *app, const struct edit *edit, doer_form_changed_fn *changed,
                   void *arg, struct doer_typed **ret, struct err *e);
/* doer_typed_free - what is not on the disk yet gets there, which may take two seconds, not more. NULL is fine. */
void doer_typed_free(struct doer_typed *t);

/* doer_typed_soon - judge and keep it when nothing was typed for a moment. doer_typed_taken - a value was taken: keep it, and look
 * for its paths. doer_typed_keep - keep it now. doer_typed_drop - the draft of a form that is closed. */
void doer_typed_soon(struct doer_typed *t);
void doer_typed_taken(struct doer_typed *t);
void doer_typed_keep(struct doer_typed *t);
void doer_typed_drop(struct doer_typed *t, const char *name);

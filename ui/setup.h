/* setup - what files, state, options and the terminal say of how the dashboard is to be; and remembering what
 * a person changed on the screen. */
#pragma once

#include "ui/app.h"
#include "ui/dashboard.h"
#include "ui/setfile.h"

struct setup {
	struct setfile_places places;
	struct settings files, now; /* what the files say; with what was remembered */
	struct strs warnings;       /* mistakes in the files */
};

/* setup_load - read the files and apply them and the options to a. s must outlive a's keys. The first warning of files
 * is said in the message line, and a shows all; setup_done() also takes a zeroed one. errors: STATUS_USAGE an option that can not be used */
int setup_load(struct setup *s, const struct dashboard_options *o, struct app *a, struct err *e);
void setup_done(struct setup *s);
/* setup_mouse_is_auto - nobody said whether the mouse is wanted. */
bool setup_mouse_is_auto(const struct setup *s);
/* setup_remember - what a shows now differently. */
void setup_remember(struct setup *s, const struct app *a);

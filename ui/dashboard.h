/* dashboard - the screen: what a person sees who calls machdeck without arguments. */
#pragma once

#include "base/err.h"

/* dashboard_run - show the machines until the user leaves; needs a terminal on stdin and stdout.
 *
 * returns STATUS_DONE after `q`, 128 + n after signal n; or a negative errno with the sentence, before
 * anything was written to the terminal (STATUS_UNSAFE_HOST: TERM is not usable). */
int dashboard_run(struct err *e);

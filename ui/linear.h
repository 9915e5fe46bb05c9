/* linear - the dashboard for who can not use a screen: a screen reader, a dumb terminal, a serial console. No
 * cursor is moved and nothing is painted over; lines go in, sentences come out. */
#pragma once

#include "ui/dashboard.h"

/* linear_run - until the person leaves, or the input ends; returns the exit status, or a negative errno. */
int linear_run(const struct dashboard_options *o, struct err *e);

/* options - the words behind `machdeck` that are no verb: how the dashboard is to be. */
#pragma once

#include "base/buf.h"
#include "ui/dashboard.h"

/* options_parse - argv from its second word on; ret borrows from it.
 * errors  -EINVAL STATUS_USAGE: what is wrong, and what helps */
int options_parse(int argc, char **argv, struct dashboard_options *ret, struct err *e);
/* options_help - a line for each. */
void options_help(struct buf *ret);

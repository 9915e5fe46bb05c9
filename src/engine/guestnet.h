/* guestnet - network operations inside of a running machine. */
#pragma once

#include "base/err.h"
#include "words/netop.h"

/* guestnet_apply - carry them out there, as rtnl_apply() does; none: nothing is entered. Needs root. */
int guestnet_apply(const char *name, const struct netops *ops, struct err *e);

/* gateway - a machine's way out, made and taken away: decide/gateway by its drivers. */
#pragma once

#include "base/err.h"
#include "base/strs.h"

/* gateway_set - name has a way out from these addresses and no others; none: none. When there are any, forwarding is
 * switched on where it is off, which stays so.
 *
 * ret_says  a sentence when something of the host's was changed for it
 * errors    of nft_gateway_set() and forwarding_switch_on() */
int gateway_set(const char *name, const struct strs *addresses, struct strs *ret_says, struct err *e);

/* gateway_holds - whether all of it is so. */
int gateway_holds(const char *name, const struct strs *addresses, bool *ret, struct err *e);

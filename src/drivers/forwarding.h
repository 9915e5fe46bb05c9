/* forwarding - whether the host sends packets on that are not its own: net.ipv4.ip_forward, and
 * net.ipv6.conf.all.forwarding. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* forwarding_is_on - of that family; what can not be read is told as on.
 * forwarding_switch_on - ret_was_off: it was off until now. Nothing switches it off: others may lean on it. */
bool forwarding_is_on(uint8_t family);
int forwarding_switch_on(uint8_t family, bool *ret_was_off, struct err *e);
/* forwarding_key - its name for sysctl(8). */
const char *forwarding_key(uint8_t family);

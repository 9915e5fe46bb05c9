/* gateway - a private machine's way out (MASQUERADE=1): what leaves the host from its addresses bears the host's own.
 * Kept in nf_tables' tables ip and ip6 machdeck, which are ours alone: a set of addresses, each with its machine's name as
 * the comment, and one rule. Pure. */
#pragma once

#include "base/strs.h"
#include "words/container.h"

#define GATEWAY_TABLE "machdeck"
#define GATEWAY_SET   "addresses"
#define GATEWAY_CHAIN "postrouting"

/* gateway_addresses - the addresses of c that have a way out, each as text; none without MASQUERADE=1. */
void gateway_addresses(const struct container *c, struct strs *ret);

/* gateway_commands - a shell command each that does what the engine does (drivers/nft_gateway, drivers/forwarding). */
void gateway_commands(const char *name, const struct strs *addresses, struct strs *ret);

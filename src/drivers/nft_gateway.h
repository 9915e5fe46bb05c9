/* nft_gateway - the tables of decide/gateway in the kernel. Nothing else of its rules is read or written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strs.h"
#include "words/addr.h"

/* nft_gateway_set - make it so that these and no others are name's addresses, by one batch a family, that the kernel
 * takes whole or not at all; n 0: name has none. A table whose last address goes, goes. What is so already is left as it
 * is. A kernel without nf_tables has none: no failure when n is 0.
 *
 * ret_changed  may be NULL
 * errors       -EPERM; -EAGAIN STATUS_BUSY: the rules kept changing; the kernel's */
int nft_gateway_set(const char *name, const struct addr *v, size_t n, bool *ret_changed, struct err *e);

/* nft_gateway_holds - whether it is so; asks only. Needs CAP_NET_ADMIN: -EPERM. */
int nft_gateway_holds(const char *name, const struct addr *v, size_t n, bool *ret, struct err *e);

/* nft_gateway_owners - the names of all machines that have some, each once. */
int nft_gateway_owners(struct strs *ret, struct err *e);

/* rtnl_private - what all of rtnl asks and reads in one way. */
#pragma once

#include "base/strs.h"
#include "drivers/nl.h"
#include "words/addr.h"

/* A buffer for one request. */
struct rtnl_request {
	_Alignas(8) char data[256];
	struct nl_batch b;
};

static inline struct nl_batch *rtnl_request(struct rtnl_request *q)
{
	q->b = (struct nl_batch){ .data = q->data, .size = sizeof(q->data) };
	return &q->b;
}

/* rtnl_addr - the address in an attribute; false, and *ret as it was, when it is none of that family. */
bool rtnl_addr(const struct nlattr *a, uint8_t family, uint8_t prefix, struct addr *ret);

/* rtnl_altnames - those in IFLA_PROP_LIST, appended to ret. */
void rtnl_altnames(const struct nlattr *list, struct strs *ret);

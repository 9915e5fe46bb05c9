/* addr - an IPv4 or IPv6 address with an optional prefix length, parsed once and printed from its value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_TEXT_SIZE 64

struct addr {
	uint8_t family;    /* AF_INET, AF_INET6; AF_UNSPEC when not set */
	uint8_t prefix;    /* bits; 32 or 128 when none was written */
	bool has_prefix;   /* whether one was written */
	uint8_t bytes[16]; /* network order, 4 or 16 of them */
};

/* addr_parse - strict: no leading zeros, no scope id, no IPv4-mapped form, a prefix of 0 to 32 or 128.
 * Either family (CI-12). Returns 0 or -EINVAL; ret_why (may be NULL) then is a constant phrase. */
int addr_parse(const char *text, struct addr *ret, const char **ret_why);

/* addr_print - the canonical text, "/N" only when a prefix was written and with_prefix. */
void addr_print(const struct addr *a, bool with_prefix, char ret[static ADDR_TEXT_SIZE]);

/* addr_is_set, addr_same - same compares family and address, not the prefix. */
bool addr_is_set(const struct addr *a);
bool addr_same(const struct addr *a, const struct addr *b);

/* addr_bits - 32 or 128; addr_size - 4 or 16. */
uint8_t addr_bits(const struct addr *a);
size_t addr_size(const struct addr *a);

/* addr_covers - whether other lies in a's prefix. */
bool addr_covers(const struct addr *a, const struct addr *other);

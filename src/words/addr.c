#include "words/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

static int refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return -EINVAL;
}

int addr_parse(const char *text, struct addr *ret, const char **ret_why)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr a = { 0 };
	char bare[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t prefix;

	if (len == 0 || len >= sizeof(bare))
		return refuse(ret_why, "not an IPv4 or IPv6 address");
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (strchr(bare, '%'))
		return refuse(ret_why, "a scope (%...) is not allowed");
	if (inet_pton(AF_INET, bare, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, bare, a.bytes) == 1)
		a.family = AF_INET6;
	else
		return refuse(ret_why, "not an IPv4 or IPv6 address");
	if (a.family == AF_INET6 && memcmp(a.bytes, mapped, sizeof(mapped)) == 0)
		return refuse(ret_why, "an IPv4 address in IPv6 form: write it as IPv4");
	a.prefix = addr_bits(&a);
	if (slash) {
		if (num_parse(slash + 1, 0, a.prefix, &prefix) < 0)
			return refuse(ret_why, a.family == AF_INET ? "its prefix length is not 0 to 32"
			                                           : "its prefix length is not 0 to 128");
		a.prefix = (uint8_t)prefix;
		a.has_prefix = true;
	}
	*ret = a;
	return 0;
}

void addr_print(const struct addr *a, bool with_prefix, char ret[static ADDR_TEXT_SIZE])
{
	size_t len;

	ret[0] = '\0';
	if (!addr_is_set(a) || !inet_ntop(a->family, a->bytes, ret, ADDR_TEXT_SIZE))
		return;
	len = strlen(ret);
	if (with_prefix && a->has_prefix)
		(void)snprintf(ret + len, ADDR_TEXT_SIZE - len, "/%u", a->prefix);
}

bool addr_is_set(const struct addr *a)
{
	return a->family != AF_UNSPEC;
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_size(a)) == 0;
}

uint8_t addr_bits(const struct addr *a)
{
	return a->family == AF_INET ? 32 : 128;
}

size_t addr_size(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

bool addr_covers(const struct addr *a, const struct addr *other)
{
	if (a->family != other->family)
		return false;
	for (unsigned i = 0; i < a->prefix; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		if ((a->bytes[i / 8] ^ other->bytes[i / 8]) & bit)
			return false;
	}
	return true;
}

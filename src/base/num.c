#include "base/num.h"

#include <errno.h>

int num_parse(const char *text, uint64_t low, uint64_t high, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text[0] || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	if (value < low || value > high)
		return -ERANGE;
	*ret = value;
	return 0;
}

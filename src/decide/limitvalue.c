#include "decide/limitvalue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define USEC_SECOND 1000000

/* The number before a suffix of suffix_len; -EINVAL when there is none, or it is out of range. */
static int number_before(const char *text, size_t suffix_len, uint64_t low, uint64_t high, uint64_t *ret)
{
	char digits[24];
	size_t n = strlen(text) - suffix_len;

	if (n == 0 || n >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return num_parse(digits, low, high, ret);
}

static bool is_percent(const char *text)
{
	size_t n = strlen(text);

	return n > 1 && text[n - 1] == '%';
}

/* A share of what the host has. */
static int parse_share(const char *text, const char *property, struct limit_value *ret)
{
	uint64_t percent;
	int r = number_before(text, 1, 1, 100, &percent);

	if (r == 0)
		*ret = (struct limit_value){ property, 'u', percent * UINT32_MAX / 100 };
	return r;
}

static int parse_memory(const char *text, struct limit_value *ret)
{
	static const char units[] = "KMGTPE";
	const char *unit = *text ? strchr(units, text[strlen(text) - 1]) : NULL;
	unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t number;
	int r;

	if (is_percent(text))
		return parse_share(text, "MemoryMaxScale", ret);
	r = number_before(text, shift > 0, 1, (UINT64_MAX - 1) >> shift, &number);
	if (r == 0)
		*ret = (struct limit_value){ "MemoryMax", 't', number << shift };
	return r;
}

static int parse_cpu(const char *text, struct limit_value *ret)
{
	uint64_t percent;
	int r = is_percent(text) ? number_before(text, 1, 1, 1000000, &percent) : -EINVAL;

	if (r == 0)
		*ret = (struct limit_value){ "CPUQuotaPerSecUSec", 't', percent * (USEC_SECOND / 100) };
	return r;
}

static int parse_tasks(const char *text, struct limit_value *ret)
{
	uint64_t number;
	int r;

	if (is_percent(text))
		return parse_share(text, "TasksMaxScale", ret);
	r = num_parse(text, 1, UINT32_MAX, &number);
	if (r == 0)
		*ret = (struct limit_value){ "TasksMax", 't', number };
	return r;
}

static int parse_io(const char *text, struct limit_value *ret)
{
	uint64_t number;
	int r = num_parse(text, 1, 10000, &number);

	if (r == 0)
		*ret = (struct limit_value){ "IOWeight", 't', number };
	return r;
}

static const struct {
	int (*parse)(const char *text, struct limit_value *ret);
	const char *none; /* the property that "infinity" sets; NULL: it has no such value */
	const char *wanted;
} ways[LIMITS] = {
	[LIMIT_MEMORY] = { parse_memory, "MemoryMax",
	                   "bytes (512M, 2G), a share of the host's memory (25%) or infinity" },
	[LIMIT_CPU] = { parse_cpu, "CPUQuotaPerSecUSec", "a share of one processor (50%, 200%) or infinity" },
	[LIMIT_TASKS] = { parse_tasks, "TasksMax",
	                  "a number of tasks, a share of the host's (10%) or infinity" },
	[LIMIT_IO] = { parse_io, NULL, "a weight from 1 to 10000" },
};

int limit_parse(enum limit which, const char *text, struct limit_value *ret, struct why *w)
{
	if (ways[which].none && strcmp(text, "infinity") == 0) {
		*ret = (struct limit_value){ ways[which].none, 't', UINT64_MAX };
		return 0;
	}
	if (ways[which].parse(text, ret) < 0)
		return value_refuse(w, "'%.40s' is not %s", text, ways[which].wanted);
	return 0;
}

static int keep(enum limit which, const char *text, char **ret, struct why *w)
{
	struct limit_value value;
	char *kept;
	int r = limit_parse(which, text, &value, w);

	if (r < 0)
		return r;
	kept = strdup(text);
	if (!kept)
		return -ENOMEM;
	free(*ret);
	*ret = kept;
	return 0;
}

int value_memory_max(const char *text, char **ret, struct why *w)
{
	return keep(LIMIT_MEMORY, text, ret, w);
}

int value_cpu_quota(const char *text, char **ret, struct why *w)
{
	return keep(LIMIT_CPU, text, ret, w);
}

int value_tasks_max(const char *text, char **ret, struct why *w)
{
	return keep(LIMIT_TASKS, text, ret, w);
}

int value_io_weight(const char *text, char **ret, struct why *w)
{
	return keep(LIMIT_IO, text, ret, w);
}

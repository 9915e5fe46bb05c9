#include "ui/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define USEC_PER_SEC 1000000ull

static const struct span_unit {
	uint64_t usec, below; /* used for less than below */
	char letter;
} spans[] = {
	{ USEC_PER_SEC, 60 * USEC_PER_SEC, 's' },
	{ 60 * USEC_PER_SEC, 3600 * USEC_PER_SEC, 'm' },
	{ 3600 * USEC_PER_SEC, 2 * 86400 * USEC_PER_SEC, 'h' },
	{ 86400 * USEC_PER_SEC, UINT64_MAX, 'd' },
};

static void unknown(char ret[static UNITS_SIZE])
{
	ret[0] = '-';
	ret[1] = '\0';
}

static void scaled(double value, double base, const char *letters, char ret[static UNITS_SIZE])
{
	size_t i = 0;

	while (value >= 999.5 && letters[i + 1]) {
		value /= base;
		i++;
	}
	(void)snprintf(ret, UNITS_SIZE, i > 0 && value < 9.95 ? "%.1f%.1s" : "%.0f%.1s", value,
	               letters[i] == ' ' ? "" : &letters[i]);
}

void units_bytes(uint64_t bytes, char ret[static UNITS_SIZE])
{
	if (bytes == UINT64_MAX)
		unknown(ret);
	else
		scaled((double)bytes, 1024, "BKMGTPE", ret);
}

void units_count(uint64_t n, char ret[static UNITS_SIZE])
{
	if (n == UINT64_MAX)
		unknown(ret);
	else if (n < 10000)
		(void)snprintf(ret, UNITS_SIZE, "%u", (unsigned)n);
	else
		scaled((double)n, 1000, " kMGTPE", ret);
}

void units_percent(double percent, char ret[static UNITS_SIZE])
{
	if (isnan(percent) || percent < 0)
		unknown(ret);
	else
		(void)snprintf(ret, UNITS_SIZE, percent < 999.95 ? "%.1f" : "%.0f",
		               percent < 1e9 ? percent : 1e9);
}

static size_t span_unit(uint64_t usec)
{
	size_t i = 0;

	while (usec >= spans[i].below && i + 1 < COUNT(spans))
		i++;
	return i;
}

uint64_t units_span(uint64_t usec, char ret[static UNITS_SIZE])
{
	const struct span_unit *u = &spans[span_unit(usec)];

	if (usec == UINT64_MAX)
		unknown(ret);
	else
		(void)snprintf(ret, UNITS_SIZE, "%llu%c", (unsigned long long)(usec / u->usec), u->letter);
	return u->usec;
}

void units_span_long(uint64_t usec, char ret[static UNITS_SIZE])
{
	size_t i = span_unit(usec);
	uint64_t rest;

	if (i + 1 < COUNT(spans) && usec >= spans[i + 1].usec) /* "1d 23h", though a short one is "47h" */
		i++;
	rest = i > 0 ? usec % spans[i].usec / spans[i - 1].usec : 0;
	if (usec == UINT64_MAX)
		unknown(ret);
	else if (rest > 0)
		(void)snprintf(ret, UNITS_SIZE, "%llu%c %llu%c", (unsigned long long)(usec / spans[i].usec),
		               spans[i].letter, (unsigned long long)rest, spans[i - 1].letter);
	else
		(void)snprintf(ret, UNITS_SIZE, "%llu%c", (unsigned long long)(usec / spans[i].usec),
		               spans[i].letter);
}

/* Digits with at most one dot, then at most one letter, which is in ret_letter. */
static int parse(const char *text, size_t len, double *ret, char *ret_letter)
{
	double value = 0, digit = 0;
	size_t i = 0, n = 0;

	for (; i < len && ((text[i] >= '0' && text[i] <= '9') || (text[i] == '.' && digit == 0)); i++) {
		if (text[i] == '.') {
			digit = 1;
			continue;
		}
		value = value * 10 + (text[i] - '0');
		digit *= 10;
		n++;
	}
	if (n == 0 || n > 18 || len - i > 1)
		return -EINVAL;
	*ret = digit > 0 ? value / digit : value;
	*ret_letter = '\0';
	if (i < len)
		*ret_letter = text[i];
	return 0;
}

int units_parse_bytes(const char *text, size_t len, double *ret)
{
	static const char letters[] = "BKMGTPE";
	const char *found;
	double value;
	char letter;
	int r = parse(text, len, &value, &letter);

	if (r < 0)
		return r;
	found = letter ? strchr(letters, toupper((unsigned char)letter)) : letters;
	if (!found || (letter && !*found))
		return -EINVAL;
	*ret = ldexp(value, 10 * (int)(found - letters));
	return 0;
}

int units_parse_span(const char *text, size_t len, double *ret)
{
	double value;
	char letter;
	int r = parse(text, len, &value, &letter);

	if (r < 0)
		return r;
	if (letter == 'w') {
		*ret = value * 7 * 86400 * (double)USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < COUNT(spans); i++)
		if (spans[i].letter == letter || (!letter && i == 0)) {
			*ret = value * (double)spans[i].usec;
			return 0;
		}
	return -EINVAL;
}

#include "drivers/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void kept_close(struct kept *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = KEPT_UNOPENED;
}

static int never_again(struct kept *k)
{
	kept_close(k);
	k->fd = KEPT_MISSING;
	return -ENOENT;
}

int kept_read(struct kept *k, int dir, const char *leaf, char *buf, size_t size)
{
	ssize_t n;

	if (k->fd == KEPT_MISSING)
		return -ENOENT;
	if (k->fd < 0) {
		k->fd = openat(dir, leaf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (k->fd < 0) {
			k->fd = KEPT_UNOPENED;
			return errno == ENOENT ? never_again(k) : -errno;
		}
	}
	n = pread(k->fd, buf, size - 1, 0);
	if (n < 0 && errno == EOPNOTSUPP) /* pressure that was switched off at boot */
		return never_again(k);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return (int)n;
}

uint64_t kept_number(const char *text)
{
	text += strspn(text, " \t");
	return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : STATS_UNKNOWN;
}

uint64_t kept_keyed(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return kept_number(line + len);
	}
	return STATS_UNKNOWN;
}

/* "12.34", whatever the locale; NAN where there is none. */
static float fraction(const char *text)
{
	float whole = 0, part = 1;

	if (*text < '0' || *text > '9')
		return NAN;
	for (; *text >= '0' && *text <= '9'; text++)
		whole = whole * 10 + (float)(*text - '0');
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++)
			whole += (float)(*text - '0') * (part /= 10);
	return whole;
}

static float average(const char *text, const char *kind)
{
	const char *line = strstr(text, kind);

	return line ? fraction(line + strlen(kind)) : NAN;
}

struct stats_pressure kept_pressure(const char *text)
{
	return (struct stats_pressure){ average(text, "some avg10="), average(text, "full avg10=") };
}

#include "engine/startlimit.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "decide/plan.h"
#include "drivers/files.h"
#include "words/name.h"

#define PREFIX      ".starts." /* and the name: a file in /run/machdeck */
#define SECOND      1000000ULL
#define WINDOW_USEC (10 * SECOND) /* DefaultStartLimitIntervalSec=; its burst is 5 */
#define EVENTS_MAX  4             /* a killed phase may leave only one of its two */

/* What its file holds; all times are CLOCK_MONOTONIC. */
struct starts {
	uint64_t first_usec, failed_usec; /* 0: never */
	uint64_t events;                  /* starts and ends since first_usec */
};

/* The open file, and what it holds; -1: systemd did not start us. */
static int open_starts(const char *name, struct starts *ret)
{
	CLEANUP(close_p) int dir = -1;
	char leaf[NAME_MACHINE_MAX + 16];
	struct starts read = { 0 };
	int fd;

	if (!getenv("INVOCATION_ID") || files_open("", PLAN_RUN_DIR, O_PATH | O_DIRECTORY, &dir, NULL) < 0)
		return -1;
	(void)snprintf(leaf, sizeof(leaf), PREFIX "%s", name);
	fd = openat(dir, leaf, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && pread(fd, &read, sizeof(read), 0) != sizeof(read))
		read = (struct starts){ 0 };
	if (clock_usec(CLOCK_MONOTONIC) - read.first_usec > WINDOW_USEC)
		read = (struct starts){ .first_usec = clock_usec(CLOCK_MONOTONIC),
			                .failed_usec = read.failed_usec };
	*ret = read;
	return fd;
}

void startlimit_begin(const char *name, bool (*forgive)(const char *name))
{
	struct starts s;
	CLEANUP(close_p) int fd = open_starts(name, &s);
	bool failed;

	if (fd < 0)
		return;
	failed = s.failed_usec && clock_usec(CLOCK_MONOTONIC) - s.failed_usec <= WINDOW_USEC;
	if (s.events >= EVENTS_MAX && !failed && forgive(name))
		s = (struct starts){ .first_usec = clock_usec(CLOCK_MONOTONIC) };
	s.events++;
	(void)!pwrite(fd, &s, sizeof(s), 0);
}

void startlimit_end(const char *name)
{
	const char *result = getenv("SERVICE_RESULT");
	struct starts s;
	CLEANUP(close_p) int fd = open_starts(name, &s);

	if (fd < 0 || !result)
		return;
	s.events++;
	if (strcmp(result, "success") != 0 && strcmp(result, "signal") != 0)
		s.failed_usec = clock_usec(CLOCK_MONOTONIC);
	(void)!pwrite(fd, &s, sizeof(s), 0);
}

void startlimit_forget(const char *name)
{
	CLEANUP(close_p) int dir = -1;
	char leaf[NAME_MACHINE_MAX + sizeof(PREFIX)];

	(void)snprintf(leaf, sizeof(leaf), PREFIX "%s", name);
	if (files_open("", PLAN_RUN_DIR, O_RDONLY | O_DIRECTORY, &dir, NULL) >= 0)
		(void)unlinkat(dir, leaf, 0);
}

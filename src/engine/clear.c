#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/machined_ask.h"
#include "engine/start.h"
#include "words/name.h"

#define MACHINES     "/run/systemd/machines"
#define GONE_WAIT_MS 3000

/* systemd-machined answers an UnregisterMachine before it lets the name go. watch sees changes of its folder.
 */
static bool await_gone(int watch, const char *name)
{
	int64_t end = (int64_t)clock_usec(CLOCK_MONOTONIC) / 1000 + GONE_WAIT_MS;
	char path[sizeof(MACHINES) + NAME_MACHINE_MAX + 1], events[4096];

	(void)snprintf(path, sizeof(path), MACHINES "/%s", name);
	while (access(path, F_OK) == 0) {
		struct pollfd poll_fd = { .fd = watch, .events = POLLIN };
		int64_t left = end - (int64_t)clock_usec(CLOCK_MONOTONIC) / 1000;

		if (left <= 0 || poll(&poll_fd, 1, (int)left) < 0)
			return false;
		(void)!read(watch, events, sizeof(events));
	}
	return true;
}

static int drop_registration(const char *name, struct strs *warnings, struct err *e)
{
	CLEANUP(close_p) int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct err cause;

	if (watch < 0 || inotify_add_watch(watch, MACHINES, IN_DELETE | IN_MOVED_FROM) < 0)
		return err_sys(e, errno, "cannot watch " MACHINES);
	if (machined_await(MACHINED_UNREGISTER, name, NULL, NULL, &cause) < 0)
		strs_addf(warnings, "a stale registration of the machine is there and stays: %s", cause.text);
	else if (!await_gone(watch, name))
		strs_addf(warnings, "systemd-machined keeps a stale registration of the machine");
	return 0;
}

int start_clear(const char *name, struct strs *warnings, struct err *e)
{
	bool stale;
	int r = start_look(name, &stale, e);

	return r < 0 || !stale ? r : drop_registration(name, warnings, e);
}

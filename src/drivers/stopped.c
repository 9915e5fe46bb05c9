#include "drivers/stopped.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/cgroup.h"

#define BUS_SOCKET "/run/dbus/system_bus_socket"

static bool read_line(const char *path, char *ret, size_t size)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* "99 (its name, which may hold anything) T ..."; 0: not known */
static char state_of(const char *host_root, long pid)
{
	char path[4096], line[512];
	const char *name_end;

	(void)snprintf(path, sizeof(path), "%s/proc/%ld/stat", host_root, pid);
	if (!read_line(path, line, sizeof(line)))
		return 0;
	name_end = strrchr(line, ')');
	return (char)(name_end && name_end[1] == ' ' ? name_end[2] : 0);
}

static char *sentence(const char *host_root, const char *who, long pid)
{
	char state = state_of(host_root, pid), *text = NULL;
	int n = 0;

	if (state == 'T')
		n = asprintf(&text, "%s is stopped by a signal (kill -CONT %ld lets it go on)", who, pid);
	else if (state == 't')
		n = asprintf(&text, "%s is stopped by a debugger (process %ld)", who, pid);
	return n < 0 ? NULL : text;
}

static void service_path(const char *host_root, const char *cgroups, const char *unit,
                         char ret[static PATH_MAX])
{
	(void)snprintf(ret, PATH_MAX, "%s%s/system.slice/%s.service/cgroup.procs", host_root, cgroups, unit);
}

static char *stopped_service(const char *host_root, const char *cgroups, const char *unit, const char *who)
{
	char path[PATH_MAX], pids[256], *text = NULL, *end;

	service_path(host_root, cgroups, unit, path);
	if (!read_line(path, pids, sizeof(pids)))
		return NULL;
	for (char *at = pids; !text; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at || *end != '\n')
			break;
		text = sentence(host_root, who, pid);
	}
	return text;
}

static bool runs(const char *host_root, const char *cgroups, const char *unit)
{
	char path[PATH_MAX], pid[16];

	service_path(host_root, cgroups, unit, path);
	return read_line(path, pid, sizeof(pid));
}

/* Where it does not run, systemd may start it for who connects; else it is gone. */
static char *lost_bus(const char *host_root, const char *cgroups)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	CLEANUP(close_p) int fd = -1;

	if (runs(host_root, cgroups, "dbus") || runs(host_root, cgroups, "dbus-broker"))
		return NULL;
	if ((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s" BUS_SOCKET, host_root) >=
	    sizeof(to.sun_path))
		return NULL;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
	    (errno != ECONNREFUSED && errno != ENOENT))
		return NULL;
	return strdup("the system bus does not run (systemctl start dbus)");
}

char *stopped_daemon(const char *host_root)
{
	static const struct {
		const char *unit, *who;
	} services[] = {
		{ "systemd-machined", "systemd-machined" },
		{ "dbus", "the system bus" },
		{ "dbus-broker", "the system bus" },
		{ "systemd-journald", "systemd-journald" },
	};
	const char *cgroups = cgroup_where(host_root);
	char *text = sentence(host_root, "systemd", 1);

	for (size_t i = 0; !text && cgroups && i < COUNT(services); i++)
		text = stopped_service(host_root, cgroups, services[i].unit, services[i].who);
	return text || !cgroups ? text : lost_bus(host_root, cgroups);
}

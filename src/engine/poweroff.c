#include "engine/poweroff.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/process.h"

#define POWEROFF (SIGRTMIN + 4) /* as systemd's PID 1 understands it: systemd(1) */

/* NSpid in /proc/PID/status: its number in each namespace, ours first; proc(5). */
static bool is_first_of_a_namespace(pid_t pid)
{
	char path[64], line[256];
	bool first = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		const char *last = strrchr(line, '\t');

		if (strncmp(line, "NSpid:", 6) == 0)
			first = last > line + 6 && strcmp(last, "\t1\n") == 0;
	}
	if (f)
		(void)fclose(f);
	return first;
}

/* systemd-nspawn adopts the process that it has made in between. */
static int open_leader(pid_t pid)
{
	char path[64], line[1024] = "", *rest = line, *word;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (f) {
		line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
		(void)fclose(f);
	}
	while ((word = strsep(&rest, " "))) {
		pid_t child = (pid_t)strtol(word, NULL, 10);
		CLEANUP(close_p) int fd = child > 1 ? process_open(child) : -1;

		if (fd >= 0 && is_first_of_a_namespace(child))
			return take_fd(&fd);
	}
	return -1;
}

int poweroff_ask(const char *name, pid_t pid, int pidfd, struct err *e)
{
	CLEANUP(close_p) int leader = open_leader(pid);
	int fd = leader >= 0 ? leader : pidfd, r = gate_ask(e, "cannot power %s off", name);

	if (r < 0)
		return r;
	if (syscall(SYS_pidfd_send_signal, fd, leader >= 0 ? POWEROFF : SIGTERM, NULL, 0) < 0 &&
	    errno != ESRCH)
		return err_sys(e, errno, "%s: cannot ask its first process to power off", name);
	return 0;
}

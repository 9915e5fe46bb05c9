/* netns - a network namespace of the test's own, judged by the ip command. Included by one test program
 * each. */
#pragma once

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/rtnl.h"

static const char *no_netns; /* why there can be none; NULL: there can */

static inline void netns_map(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		no_netns = "no network namespace (needs root, or user namespaces)";
}

/* Be root in a user namespace of our own, once. */
static inline void netns_become_root(void)
{
	char map[32];

	(void)snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER) < 0)
		no_netns = "no network namespace (needs root, or user namespaces)";
	else
		netns_map("/proc/self/uid_map", map);
}

/* netns_new - go into a fresh one. A test that calls it is skipped, loudly, where that is not possible. */
static inline void netns_new(void)
{
	if (!no_netns && geteuid() != 0)
		netns_become_root();
	if (!no_netns && unshare(CLONE_NEWNET) < 0)
		no_netns = "no network namespace (needs root, or user namespaces)";
	if (!no_netns && system("ip link set lo up 2>/dev/null") != 0)
		no_netns = "no ip command (iproute2)";
	if (no_netns) {
		(void)fprintf(stderr, "SKIP: %s\n", no_netns);
		skip();
	}
}

/* run - a command that must succeed. */
static inline void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* told - what a command prints, good until the next call. */
static inline const char *told(const char *command)
{
	static char text[65536];
	FILE *f = popen(command, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)pclose(f);
	return text;
}

static inline void assert_told(const char *command, const char *part)
{
	if (!strstr(told(command), part))
		fail_msg("%s does not say \"%s\" but: %s", command, part, told(command));
}

static inline void assert_not_told(const char *command, const char *part)
{
	if (strstr(told(command), part))
		fail_msg("%s says \"%s\": %s", command, part, told(command));
}

/* other_netns - a process that waits in a network namespace of its own; end it with other_netns_end. */
static inline pid_t other_netns(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0)
			(void)!write(ready[1], "", 1);
		close(ready[1]);
		for (;;)
			(void)pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static inline void other_netns_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* op - append what netop_line() would have written. */
static inline void op(struct netops *ops, const char *line)
{
	struct netop parsed, *added;

	assert_int_equal(netop_parse(line, &parsed), 0);
	added = netops_add(ops, parsed.kind, parsed.dev);
	assert_non_null(added);
	*added = parsed;
}

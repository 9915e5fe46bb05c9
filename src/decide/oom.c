#include "decide/oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_slices(const char *path)
{
	static const char slice[] = ".slice";

	for (;;) {
		size_t len = *path == '/' ? strcspn(path + 1, "/,") : 0;

		if (len < strlen(slice) || memcmp(path + 1 + len - strlen(slice), slice, strlen(slice)) != 0)
			return path;
		path += 1 + len;
	}
}

static bool is_below(const char *path, const char *unit)
{
	const char *at = skip_slices(path);
	size_t len = strlen(unit);

	return *at == '/' && strncmp(at + 1, unit, len) == 0 && (at[1 + len] == ',' || at[1 + len] == '/');
}

/* The limit was that of a slice above it or of the whole machine; only the host names those, so what follows
 * is the kernel's. */
static bool is_below_slice(const char *path, const char *unit)
{
	static const char task[] = ",task_memcg=";
	const char *at = skip_slices(path);

	if (strncmp(at, "/,", 2) == 0)
		at++;
	return strncmp(at, task, strlen(task)) == 0 && is_below(at + strlen(task), unit);
}

bool oom_read(const char *line, const char *unit, struct oom_victim *ret)
{
	static const char start[] = "oom-kill:", memcg[] = "memcg=/", task[] = ",task=", pid[] = ",pid=";
	const char *path, *process = NULL, *number = NULL;

	if (strncmp(line, start, strlen(start)) != 0 || !(path = strstr(line, memcg)))
		return false;
	path += strlen(memcg) - 1;
	if (!is_below(path, unit) && !is_below_slice(path, unit))
		return false;
	for (const char *at = path; (at = strstr(at, task)); at += strlen(task))
		process = at + strlen(task);
	if (process)
		number = strstr(process, pid);
	if (!number)
		return false;
	*ret = (struct oom_victim){ .pid = (pid_t)strtol(number + strlen(pid), NULL, 10) };
	(void)snprintf(ret->process, sizeof(ret->process), "%.*s", (int)(number - process), process);
	return true;
}

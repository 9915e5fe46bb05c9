#include "drivers/masks.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_masked(int folder, const char *name)
{
	static const char nowhere[] = "/dev/null";
	char to[sizeof(nowhere)];

	return readlinkat(folder, name, to, sizeof(to)) == (ssize_t)strlen(nowhere) &&
	       memcmp(to, nowhere, strlen(nowhere)) == 0;
}

static bool is_ours(const char *name)
{
	return strncmp(name, "container@", strlen("container@")) == 0 ||
	       strncmp(name, "systemd-nspawn@", strlen("systemd-nspawn@")) == 0;
}

int masks_list(const char *host_root, struct strs *ret, struct err *e)
{
	static const char *const folders[] = { "/etc/systemd/system", "/run/systemd/system" };

	for (size_t i = 0; i < COUNT(folders); i++) {
		CLEANUP(closedir_p) DIR *d = NULL;
		CLEANUP(free_p) char *path = NULL;
		struct dirent *entry;

		if (asprintf(&path, "%s%s", host_root, folders[i]) < 0) {
			path = NULL;
			return err_no_memory(e);
		}
		d = opendir(path);
		while (d && (errno = 0, entry = readdir(d)))
			if (is_ours(entry->d_name) && is_masked(dirfd(d), entry->d_name))
				strs_add(ret, entry->d_name);
		if (d && errno)
			return err_sys(e, errno, "cannot read %s", path);
	}
	strs_sort(ret);
	return ret->bad ? err_no_memory(e) : 0;
}

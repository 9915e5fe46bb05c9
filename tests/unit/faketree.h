/* faketree - a folder that stands for a host's /proc and /sys/fs/cgroup. */
#pragma once

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fake_root[64];

/* put - write a file, in place as the kernel's change, and the folders above it. */
static inline void put(const char *path, const char *text)
{
	char full[512];
	int fd;

	(void)snprintf(full, sizeof(full), "%s%s", fake_root, path);
	for (char *p = full + strlen(fake_root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		(void)mkdir(full, 0755);
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline int faketree_new(void **state)
{
	(void)state;
	(void)snprintf(fake_root, sizeof(fake_root), "/tmp/machdeck-fake.XXXXXX");
	if (!mkdtemp(fake_root))
		return -1;
	put("/sys/fs/cgroup/cgroup.controllers", "");
	put("/proc/uptime", "");
	return 0;
}

static inline int faketree_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static inline int faketree_end(void **state)
{
	(void)state;
	return nftw(fake_root, faketree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline size_t open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

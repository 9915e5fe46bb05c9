/* fakehost - runs a test program's cases as root of a small host of its own: a folder that is "/" to them,
 * with /proc, in a mount namespace that goes with them. Without root a user namespace stands in, where only
 * one uid exists. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

static bool fakehost_is_root; /* really: can make devices, give files away, set flags */

static inline void put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline bool fakehost_say(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool said = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return said;
}

static inline bool fakehost_map_ids(uid_t uid, gid_t gid)
{
	char uids[32], gids[32];

	(void)snprintf(uids, sizeof(uids), "0 %u 1", uid);
	(void)snprintf(gids, sizeof(gids), "0 %u 1", gid);
	return fakehost_say("/proc/self/uid_map", uids) && fakehost_say("/proc/self/setgroups", "deny") &&
	       fakehost_say("/proc/self/gid_map", gids);
}

static inline bool fakehost_enter(const char *dir)
{
	char proc[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	fakehost_is_root = uid == 0;
	(void)snprintf(proc, sizeof(proc), "%s/proc", dir);
	return unshare(CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)) == 0 &&
	       (uid == 0 || fakehost_map_ids(uid, gid)) &&
	       mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 && mkdir(proc, 0755) == 0 &&
	       mount("/proc", proc, "none", MS_BIND | MS_REC, NULL) == 0 && chroot(dir) == 0 &&
	       chdir("/") == 0;
}

static inline int fakehost_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* Runs all in a child that has entered the host; its status is the program's. 77: no such host can be had
 * here. */
static inline int fakehost_run(int (*all)(void))
{
	char dir[] = "/tmp/machdeck-host.XXXXXX";
	int status = 1;
	pid_t pid;

	umask(022);
	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		if (!fakehost_enter(dir)) {
			printf("SKIP: no namespace of our own can be had here: %s\n", strerror(errno));
			exit(77);
		}
		exit(all());
	}
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	(void)nftw(dir, fakehost_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* What stat tells of everything below some folders; nothing is opened but folders. */
static struct buf *fakehost_into;

static inline int fakehost_note(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)type, (void)at;
	buf_addf(fakehost_into, "%s %o %u:%u %ju %jd %jd.%09ld %jd.%09ld\n", path, st->st_mode, st->st_uid,
	         st->st_gid, (uintmax_t)st->st_ino, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
	         st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	return 0;
}

static inline void fakehost_snapshot(const char *folder, struct buf *into)
{
	fakehost_into = into;
	assert_int_equal(nftw(folder, fakehost_note, 16, FTW_PHYS), 0);
}

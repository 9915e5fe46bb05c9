#include "drivers/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "drivers/files.h"
#include "drivers/machined.h"
#include "drivers/rootfs.h"

#define ID_LEN       32
#define FOLDERS_MAX  8    /* machine-ids in one tree */
#define NAMES_MAX    4096 /* looked at in one folder */
#define FOLDER_FLAGS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

static const char *const bases[] = { "var/log/journal", "run/log/journal" };

static void watch(int inotify, int folder, uint32_t mask)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	(void)inotify_add_watch(inotify, path, mask | IN_MASK_ADD);
}

/* What is not there yet is noticed when the folder above it changes. */
static void watch_above(const struct rootfs *t, const char *path, int inotify)
{
	CLEANUP(free_p) char *above = strdup(path);
	char *slash;

	while (above && *above) {
		CLEANUP(close_p) int fd = -1;

		slash = strrchr(above, '/');
		*(slash ? slash : above) = '\0';
		fd = rootfs_open_dir(t, above);
		if (fd < 0)
			continue;
		watch(inotify, fd, IN_CREATE | IN_MOVED_TO);
		return;
	}
}

/* ---- files */

static bool has_end(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* "system@SEQNUM-..." is an archived one; those that are written to have no "@". */
static int newest_first(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	bool x_is_old = strchr(x, '@'), y_is_old = strchr(y, '@');

	return x_is_old != y_is_old ? x_is_old - y_is_old : strcmp(y, x);
}

static void names_in(int folder, struct strs *ret)
{
	CLEANUP(closedir_p) DIR *d = files_opendir(folder, ".");
	struct dirent *entry;

	while (d && ret->n < NAMES_MAX && (entry = readdir(d)))
		strs_add(ret, entry->d_name);
}

static void find_files(int folder, int inotify, struct journal_files *ret)
{
	CLEANUP(strs_done) struct strs names = { 0 };

	watch(inotify, folder, FOLDER_FLAGS | IN_MODIFY);
	names_in(folder, &names);
	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), newest_first);
	for (size_t i = 0; i < names.n && ret->n < COUNT(ret->fds); i++) {
		CLEANUP(close_p) int fd = -1;
		struct stat st;

		if (!has_end(names.v[i], ".journal"))
			continue;
		fd = openat(folder, names.v[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		ret->denied |= fd < 0 && errno == EACCES;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			ret->fds[ret->n++] = take_fd(&fd);
	}
}

/* ---- folders */

static bool is_id(const char *name)
{
	return strlen(name) == ID_LEN && strspn(name, "0123456789abcdef") == ID_LEN;
}

static void find_one(const struct rootfs *t, const char *id, int inotify, struct journal_files *ret)
{
	for (size_t i = 0; i < COUNT(bases); i++) {
		CLEANUP(close_p) int fd = -1;
		char path[64];

		(void)snprintf(path, sizeof(path), "%s/%s", bases[i], id);
		fd = rootfs_open_dir(t, path);
		if (fd >= 0)
			find_files(fd, inotify, ret);
		else
			watch_above(t, path, inotify);
		ret->denied |= fd == -EACCES;
	}
}

/* Every machine-id in the tree: the guest's may not be set yet, or have changed. */
static void find_all(const struct rootfs *t, int inotify, struct journal_files *ret)
{
	for (size_t i = 0; i < COUNT(bases); i++) {
		CLEANUP(strs_done) struct strs names = { 0 };
		CLEANUP(close_p) int base = rootfs_open_dir(t, bases[i]);
		size_t found = 0;

		if (base < 0) {
			watch_above(t, bases[i], inotify);
			continue;
		}
		watch(inotify, base, IN_CREATE | IN_MOVED_TO);
		names_in(base, &names);
		for (size_t k = 0; k < names.n && found < FOLDERS_MAX; k++) {
			CLEANUP(close_p) int fd = -1;

			if (!is_id(names.v[k]))
				continue;
			fd = openat(base, names.v[k], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0 && ++found)
				find_files(fd, inotify, ret);
		}
	}
}

/* ---- roots */

static int open_host(struct rootfs *ret)
{
	*ret = (struct rootfs){ .fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	return ret->fd < 0 ? -errno : 0;
}

/* A virtual machine's first process, and who was registered by hand, may be on the host: its journal is the host's. */
static bool is_hosts_root(int fd)
{
	struct stat host, its;

	return stat("/", &host) == 0 && fstat(fd, &its) == 0 && host.st_dev == its.st_dev &&
	       host.st_ino == its.st_ino;
}

/* The root that the machine itself sees: with its /run, and with what an ephemeral one runs on. The leader is
 * asked about before and after, since its number may have come to mean another process. */
static int open_running(const struct journal_stream *s, struct rootfs *ret)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	CLEANUP(close_p) int proc = -1;
	char path[32];

	if (machined_find("", s->machine, &m, NULL) < 0 || m.leader == 0 || !machined_leader_lives(&m))
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)m.leader);
	proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = (struct rootfs){ .fd = proc < 0 ? -1
		                               : openat(proc, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (ret->fd < 0)
		return -errno;
	if (!machined_leader_lives(&m) || is_hosts_root(ret->fd)) {
		rootfs_done(ret);
		return -ENOENT;
	}
	return 0;
}

/* Who is not root may read what systemd-nspawn linked into the host's folder, being in its group. */
static void find_linked(const struct journal_stream *s, int inotify, struct journal_files *ret)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	CLEANUP(rootfs_done) struct rootfs host = { .fd = -1 };

	if (machined_find("", s->machine, &m, NULL) == 0 && m.id && is_id(m.id) && open_host(&host) == 0)
		find_one(&host, m.id, inotify, ret);
	ret->denied |= ret->n == 0;
}

static void find_guest(const struct journal_stream *s, int inotify, struct journal_files *ret)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };

	if (geteuid() != 0)
		find_linked(s, inotify, ret);
	else if (open_running(s, &t) == 0)
		find_all(&t, inotify, ret);
	else if (s->root && rootfs_open(s->root, ROOTFS_REFUSE, 0, &t, NULL) == 0) {
		ret->still = true;
		find_all(&t, inotify, ret);
	}
}

void journal_files_find(const struct journal_stream *s, int inotify, struct journal_files *ret)
{
	CLEANUP(rootfs_done) struct rootfs host = { .fd = -1 };
	char id[SD_ID128_STRING_MAX];
	sd_id128_t own;

	if (s->guest)
		find_guest(s, inotify, ret);
	else if (sd_id128_get_machine(&own) == 0 && open_host(&host) == 0)
		find_one(&host, sd_id128_to_string(own, id), inotify, ret);
}

sd_journal *journal_files_open(struct journal_files *f)
{
	sd_journal *j = NULL;
	size_t kept = 0;

	if (f->n > 0 && sd_journal_open_files_fd(&j, f->fds, (unsigned)f->n, 0) >= 0)
		return j;
	for (size_t i = 0; i < f->n; i++) { /* a broken one spoils all */
		int spare = fcntl(f->fds[i], F_DUPFD_CLOEXEC, 3);

		if (sd_journal_open_files_fd(&j, &f->fds[i], 1, 0) < 0)
			close(f->fds[i]);
		else
			sd_journal_close(j);
		if (j && spare >= 0)
			f->fds[kept++] = spare;
		else if (spare >= 0)
			close(spare);
		j = NULL;
	}
	f->n = kept;
	return kept > 0 && sd_journal_open_files_fd(&j, f->fds, (unsigned)kept, 0) >= 0 ? j : NULL;
}

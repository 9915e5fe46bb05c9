#include "drivers/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define TEMP_SIZE 96

struct item {
	char temp[TEMP_SIZE]; /* "" once nothing of that name is ours */
	bool existed;         /* the temporary name holds the old file after the exchange */
};

static int fail(struct err *e, int errnum, const char *folder, const char *leaf, const char *step)
{
	enum status status = err_status_of(errnum);

	return err_set(e, status == STATUS_SYSTEM ? STATUS_IO : status, errnum, "cannot %s %s/%s: %s", step,
	               folder, leaf, strerror(errnum));
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The new file under its temporary name, on the disk, with the owner and mode that it is to have. */
static int write_temp(int dir, const struct fileset_entry *entry, struct item *item, const char *folder,
                      struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	struct stat old;
	uint64_t salt;
	int r = 0;

	item->existed = fstatat(dir, entry->leaf, &old, AT_SYMLINK_NOFOLLOW) == 0;
	if (item->existed && !S_ISREG(old.st_mode))
		return err_set(
			e, STATUS_UNSAFE_HOST, ELOOP,
			"cannot replace %s/%s: it is a link or no file at all, so it is declared elsewhere",
			folder, entry->leaf);
	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return fail(e, errno, folder, entry->leaf, "name a new file for");
	(void)snprintf(item->temp, sizeof(item->temp), ".%.64s.%08x.tmp", entry->leaf, (unsigned)salt);
	fd = openat(dir, item->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		item->temp[0] = '\0';
		return fail(e, errno, folder, entry->leaf, "create a new file for");
	}
	r = write_all(fd, entry->bytes, entry->len);
	if (r == 0 && item->existed && fchown(fd, old.st_uid, old.st_gid) < 0)
		r = -errno;
	if (r == 0 && (fchmod(fd, item->existed ? old.st_mode & 07777 : entry->mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r < 0 ? fail(e, -r, folder, entry->leaf, "write") : 0;
}

static int take_place(int dir, const char *leaf, struct item *item)
{
	unsigned how = item->existed ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (renameat2(dir, item->temp, dir, leaf, how) < 0)
		return -errno;
	if (!item->existed)
		item->temp[0] = '\0';
	return 0;
}

static void give_place_back(int dir, const char *leaf, const struct item *item)
{
	if (item->existed)
		(void)renameat2(dir, item->temp, dir, leaf, RENAME_EXCHANGE);
	else
		(void)unlinkat(dir, leaf, 0);
}

int fileset_save(const char *host_root, const char *folder, const struct fileset_entry *v, size_t n,
                 struct err *e)
{
	CLEANUP(free_p) struct item *items = calloc(n + 1, sizeof(*items));
	CLEANUP(close_p) int path = -1;
	CLEANUP(close_p) int dir = -1;
	int r;

	if (!items)
		return err_no_memory(e);
	r = gate_ask(e, "cannot write into %s", folder);
	if (r < 0)
		return r;
	r = files_mkdir(host_root, folder, 0755, &path, e);
	if (r < 0)
		return r;
	/* files_mkdir may hand out an O_PATH descriptor, which can not be synced. */
	dir = openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(e, errno, folder, ".", "open");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_temp(dir, &v[i], &items[i], folder, e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = take_place(dir, v[i].leaf, &items[i]);
		if (r == 0)
			continue;
		(void)fail(e, -r, folder, v[i].leaf, "replace");
		while (i-- > 0)
			give_place_back(dir, v[i].leaf, &items[i]);
		break;
	}
	for (size_t i = 0; i < n; i++)
		if (items[i].temp[0])
			(void)unlinkat(dir, items[i].temp, 0);
	if (r == 0 && fsync(dir) < 0)
		return err_set(e, STATUS_IO, errno,
		               "the files in %s are saved, but not confirmed on the disk: %s", folder,
		               strerror(errno));
	return r;
}

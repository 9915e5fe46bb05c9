/* fileset - several files that are replaced together or not at all. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct fileset_entry {
	const char *path;  /* absolute; those of one folder follow each other; borrowed */
	const char *bytes; /* borrowed */
	size_t len;
	mode_t mode; /* of a new file; one that is there keeps its own, its owner, ACL and extended attributes */
	const struct buf
		*old; /* what it must hold until then, "" where it is missing; NULL: whatever it holds */
};

/* fileset_read - append what path holds (at most max bytes; host_root as in files.h).
 * returns 1, or 0 where there is no such file
 * errors  as files_open; -ELOOP STATUS_UNSAFE_HOST: a link, so it is declared elsewhere; says where it leads */
int fileset_read(const char *host_root, const char *path, size_t max, struct buf *ret, struct err *e);

/* fileset_save - write n files; their folders are made with 0755 where they are missing.
 *
 * All are written and on the disk before the first one takes its place, and when one can not take it, or held something
 * else than `old`, those that did give theirs back, and folders that were made go. A process that is killed in between
 * leaves old or new files, each whole, and maybe temporary ones, which fileset_tidy() removes.
 * errors  as fileset_read; -EBUSY STATUS_BUSY: one was changed meanwhile;
 *         -ENOSPC, -EROFS STATUS_CANNOT_CREATE; others STATUS_IO */
int fileset_save(const char *host_root, const struct fileset_entry *v, size_t n, struct err *e);

/* fileset_tidy - what a killed fileset_save() left beside path goes, as swapfile_tidy() does it; it is no failure that it can
 * not. What another process of ours is just saving goes, too: that one then refuses, and says that it was changed. */
void fileset_tidy(const char *host_root, const char *path);

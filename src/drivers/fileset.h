/* fileset - several files of one folder that are replaced together or not at all. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct fileset_entry {
	const char *leaf;  /* borrowed */
	const char *bytes; /* borrowed */
	size_t len;
	mode_t mode; /* of a new file; one that is there keeps its own, and its owner */
};

/* fileset_save - write n files into folder (made with 0755 where it is missing; host_root as in files.h).
 *
 * All are written and on the disk before the first one takes its place, and when one can not take it those that did
 * give theirs back. A process that is killed in between leaves old or new files, each whole, and maybe ".*.tmp".
 * errors  as files_open; -ELOOP STATUS_UNSAFE_HOST: one is a link, so it is declared elsewhere;
 *         -ENOSPC, -EROFS STATUS_CANNOT_CREATE; others STATUS_IO */
int fileset_save(const char *host_root, const char *folder, const struct fileset_entry *v, size_t n, struct err *e);

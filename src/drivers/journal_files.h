/* journal_files - the files that make one journal, found and opened; for drivers/journal_reader. A guest's
 * tree is hostile: its folders are reached through drivers/rootfs, its files are opened by their last name
 * alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-journal.h>

#include "drivers/journal_reader.h"

#define JOURNAL_FILES_MAX 64 /* of one journal; of more, the newest */

struct journal_files {
	int fds[JOURNAL_FILES_MAX];
	size_t n;
	bool denied; /* there are some that we may not read */
	bool still;  /* nobody writes them: it is the tree of a machine that does not run */
};

/* journal_files_find - open them, and let inotify tell when one of them or their folders change. */
void journal_files_find(const struct journal_stream *s, int inotify, struct journal_files *ret);

/* journal_files_open - a journal of those that can be read; NULL: of none. Takes the descriptors. */
sd_journal *journal_files_open(struct journal_files *f);

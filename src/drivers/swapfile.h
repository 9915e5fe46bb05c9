/* swapfile - put a new text in place of a file that others change, too: no change of theirs is lost, and no text is ever
 * torn (threat model H, cases 109 to 126). For files in a folder that files_open() opened. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct swapped {
	bool unconfirmed; /* it is saved, but the folder could not be brought to the disk: a power cut may undo it */
	bool unprotected; /* the file system can not exchange two files: somebody who wrote at the same moment was not seen */
	bool other;        /* -EBUSY: it held something else */
	struct buf theirs; /* that */
	char *kept;        /* a third writer's text, kept under this name; NULL */
};
void swapped_done(struct swapped *s);

/* swapfile - dir/leaf, which holds `old` (NULL: it is not there yet), holds the bytes of new from now on, at once and
 * durably. Owner, mode, ACL and extended attributes stay; a new file gets mode.
 *
 * The new text is written beside it, the two are exchanged, and what came out is compared with `old`: when it is
 * something else, both are exchanged back.
 *
 * errors  -EBUSY STATUS_BUSY: it was changed, removed, made or replaced by a link meanwhile (ret->other, theirs);  -ENOSPC, -EROFS, -EDQUOT, ... of what can not be written: dir/leaf is as it was */
int swapfile(int dir, const char *leaf, mode_t mode, const struct buf *old, const struct buf *new,
             struct swapped *ret, struct err *e);

/* swapfile_dress - give the new file fd owner, mode, ACL and extended attributes of dir/leaf, which it is to replace.
 * Negative errno. */
int swapfile_dress(int dir, const char *leaf, int fd);

/* swapfile_name - what a new text of leaf is called until it takes the place of `old` (NULL: of none), so that
 * swapfile_tidy() knows it. -EIO: there is no randomness */
int swapfile_name(const char *leaf, const struct buf *old, char ret[static NAME_MAX + 1]);

/* swapfile_tidy - remove what a killed swapfile() of dir/leaf left behind, if it is the old text or a new one that did
 * not get there. What is neither is kept under the name in ret_kept ("": nothing). The caller sees to it that no other
 * process of ours is at it. */
int swapfile_tidy(int dir, const char *leaf, char ret_kept[static 256], struct err *e);

/* confedit - the text of a conf with some of its keys changed and every other byte as it was. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

struct conf_change {
	const char *key;   /* obeys envfile_is_name() */
	const char *value; /* as a conf's reader gets it, unquoted; NULL: the key is to be gone */
};

/* conf_edit - append the new text to ret. A key that is there is changed where it stands (the last one, which counts, on
 * one line or several); one that is not gets a line at the end; one that goes takes its lines along. What is so already
 * is left alone. A text that is written as we write it stays so: it is in our order then, so that the same options
 * give the same bytes by whatever way they came.
 *
 * file     how the conf is called in messages
 * returns  1 it differs, 0 it is the same, negative errno
 * errors   -EINVAL STATUS_DATA the text can not be read as envfile_parse() says, or a value holds what no conf can;
 *          -EINVAL STATUS_USAGE a key is no name;  -ENOMEM */
int conf_edit(const char *file, const char *bytes, size_t len, const struct conf_change *changes, size_t n,
              struct buf *ret, struct err *e);

/* What becomes of a key that both gave another value. */
enum conf_clash { CLASH_REFUSED, CLASH_MINE, CLASH_THEIRS };

/* conf_merge - both texts come from base: their changes and mine together, of keys, and of comments where not both changed the
 * same lines of these.
 *
 * errors   as conf_edit(); -EBUSY STATUS_BUSY: a clash that is refused */
int conf_merge(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
               enum conf_clash clash, struct buf *ret, struct err *e);

/* conf_clashes - append the keys that clash, of each four texts: the key, what it was, what it is with them and with me;
 * "" is not set. Last, when they do, "comments". errors  as envfile_parse() */
int conf_clashes(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
                 struct strs *ret, struct err *e);

/* conf_diff - append the difference as `diff -u` shows it, with three lines around each change; nothing when there is
 * none. label stands for the file. -ENOMEM */
int conf_diff(const char *label, const char *old, const char *new, struct buf *ret);

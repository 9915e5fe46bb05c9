/* envfile - the text of an EnvironmentFile= as a document: assignments with their place in the text. Pure.
 *
 * The grammar is systemd's (systemd.exec(5), and src/basic/env-file.c as of 252, state by state); whatever systemd
 * reads differently from what the text looks like, or differently from version to version, is refused. What is
 * accepted gives the map that systemd's own reading gives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct env_entry {
	char *key;
	char *value;
	size_t key_at,
		value_at; /* offsets into the text: the key's first byte, the value's (after "=" and blanks); the
	                          * same when there is no "=" */
	bool ignored; /* systemd drops it: no "=" in the line (value ""), or the key is no variable's name */
};

struct envfile {
	struct env_entry *v; /* in the order of the text */
	size_t n;
};

/* envfile_parse - read len bytes of the file called `file` in messages.
 * errors  -EINVAL (STATUS_DATA) "FILE:LINE:COLUMN: reason": not UTF-8, NUL, a control character, a byte order mark, an
 *         unterminated quote, a comment that swallows the next line;  -ENOMEM */
int envfile_parse(const char *file, const char *bytes, size_t len, struct envfile *ret, struct err *e);
void envfile_done(struct envfile *f);

/* envfile_place - line and column, from 1, of an offset; a column is a character. */
void envfile_place(const char *bytes, size_t at, size_t *ret_line, size_t *ret_column);

/* envfile_find - the assignment that counts: the last of that key; NULL when there is none. */
const struct env_entry *envfile_find(const struct envfile *f, const char *key);

/* envfile_is_name - whether key is a variable's name: [A-Za-z_][A-Za-z0-9_]*. */
bool envfile_is_name(const char *key);

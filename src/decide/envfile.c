#include "decide/envfile.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"

enum state {
	PRE_KEY,
	KEY,
	PRE_VALUE,
	VALUE,
	VALUE_ESCAPE,
	SINGLE_QUOTE,
	DOUBLE_QUOTE,
	DOUBLE_QUOTE_ESCAPE,
	COMMENT,
	COMMENT_ESCAPE,
};

struct parser {
	struct envfile file;
	struct buf key, value;
	size_t key_at, value_at, quote_at;
	size_t key_blank, value_blank; /* where trailing blanks of key and value begin; SIZE_MAX: none */
	bool bad;
};

void envfile_done(struct envfile *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].key);
		free(f->v[i].value);
	}
	free(f->v);
	*f = (struct envfile){ 0 };
}

void envfile_place(const char *bytes, size_t at, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		bool line_ends = bytes[i] == '\n' || (bytes[i] == '\r' && bytes[i + 1] != '\n');

		if (line_ends) {
			line++;
			column = 1;
		} else if (((unsigned char)bytes[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

static int refuse(const char *file, const char *bytes, size_t at, const char *why, struct err *e)
{
	size_t line, column;

	envfile_place(bytes, at, &line, &column);
	return err_set(e, STATUS_DATA, EINVAL, "%s:%zu:%zu: %s", file, line, column, why);
}

bool envfile_is_name(const char *key)
{
	if (!key[0] || (key[0] >= '0' && key[0] <= '9'))
		return false;
	return key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

const struct env_entry *envfile_find(const struct envfile *f, const char *key)
{
	for (size_t i = f->n; i > 0; i--)
		if (!f->v[i - 1].ignored && strcmp(f->v[i - 1].key, key) == 0)
			return &f->v[i - 1];
	return NULL;
}

static void cut(struct buf *b, size_t at)
{
	if (at < b->len) {
		b->len = at;
		b->p[at] = '\0';
	}
}

/* The entry that key and value hold now; has_value is false for a line without "=". */
static void push(struct parser *p, bool has_value)
{
	struct env_entry *grown = reallocarray(p->file.v, p->file.n + 1, sizeof(*grown));
	struct env_entry *entry;

	if (grown)
		p->file.v = grown;
	p->bad |= !grown || p->key.bad || p->value.bad;
	if (p->bad)
		return;
	cut(&p->key, p->key_blank);
	cut(&p->value, p->value_blank);
	entry = &grown[p->file.n];
	*entry = (struct env_entry){ .key = strdup(buf_text(&p->key)),
		                     .value = strdup(buf_text(&p->value)),
		                     .key_at = p->key_at,
		                     .value_at = p->value_at };
	entry->ignored = !has_value || !envfile_is_name(buf_text(&p->key));
	p->file.n++;
	p->bad = !entry->key || !entry->value;
}

static void begin_key(struct parser *p, size_t at)
{
	buf_done(&p->key);
	buf_done(&p->value);
	p->key_at = at;
	p->value_at = at;
	p->key_blank = p->value_blank = SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static void keep(struct buf *b, size_t *blank, char c)
{
	if (!is_blank(c))
		*blank = SIZE_MAX;
	else if (*blank == SIZE_MAX)
		*blank = b->len;
	buf_add(b, &c, 1);
}

static enum state step(struct parser *p, enum state state, char c, size_t at)
{
	switch (state) {
	case PRE_KEY:
		if (c == '#' || c == ';')
			return COMMENT;
		if (is_blank(c))
			return PRE_KEY;
		begin_key(p, at);
		buf_add(&p->key, &c, 1);
		/* As systemd: a line that starts with "=" has "=" as the first character of its key. */
		return KEY;
	case KEY:
		if (is_newline(c)) {
			push(p, false);
			return PRE_KEY;
		}
		if (c == '=') {
			p->value_at = at + 1;
			return PRE_VALUE;
		}
		keep(&p->key, &p->key_blank, c);
		return KEY;
	case PRE_VALUE:
		if (is_newline(c)) {
			push(p, true);
			return PRE_KEY;
		}
		if (is_blank(c))
			return PRE_VALUE;
		if (p->value.len == 0)
			p->value_at = at;
		p->quote_at = at;
		if (c == '\'')
			return SINGLE_QUOTE;
		if (c == '"')
			return DOUBLE_QUOTE;
		if (c == '\\')
			return VALUE_ESCAPE;
		buf_add(&p->value, &c, 1);
		return VALUE;
	case VALUE:
		if (is_newline(c)) {
			push(p, true);
			return PRE_KEY;
		}
		if (c == '\\') {
			p->value_blank = SIZE_MAX;
			return VALUE_ESCAPE;
		}
		keep(&p->value, &p->value_blank, c);
		return VALUE;
	case VALUE_ESCAPE:
		if (!is_newline(c))
			buf_add(&p->value, &c, 1);
		return VALUE;
	case SINGLE_QUOTE:
		if (c == '\'')
			return PRE_VALUE;
		buf_add(&p->value, &c, 1);
		return SINGLE_QUOTE;
	case DOUBLE_QUOTE:
		if (c == '"')
			return PRE_VALUE;
		if (c == '\\')
			return DOUBLE_QUOTE_ESCAPE;
		buf_add(&p->value, &c, 1);
		return DOUBLE_QUOTE;
	case DOUBLE_QUOTE_ESCAPE:
		if (c != '\n' && !strchr("\"\\`$", c))
			buf_add(&p->value, "\\", 1);
		if (c != '\n')
			buf_add(&p->value, &c, 1);
		return DOUBLE_QUOTE;
	case COMMENT:
		if (c == '\\')
			return COMMENT_ESCAPE;
		return is_newline(c) ? PRE_KEY : COMMENT;
	case COMMENT_ESCAPE:
		return COMMENT;
	}
	return state;
}

/* What no conf may hold anywhere, whatever the grammar makes of it. */
static int look_at_bytes(const char *file, const char *bytes, size_t len, struct err *e)
{
	size_t at;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return refuse(file, bytes, 0, "a byte order mark: save the file as plain UTF-8", e);
	for (at = 0; at < len; at++) {
		unsigned char c = (unsigned char)bytes[at];
		char why[64];

		if (c == '\0')
			return refuse(file, bytes, at, "a NUL byte", e);
		if ((c >= ' ' && c != 0x7f) || c == '\t' || is_newline((char)c))
			continue;
		(void)snprintf(why, sizeof(why), "a control character (0x%02x)", c);
		return refuse(file, bytes, at, why, e);
	}
	if (!text_is_utf8(bytes, len, &at))
		return refuse(file, bytes, at, "not UTF-8", e);
	return 0;
}

/* A newline or a tab inside a value is legal for systemd, and never what was meant. */
static int look_at_values(const char *file, const char *bytes, const struct envfile *f, struct err *e)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *value = f->v[i].value;
		size_t left = strlen(value), n;
		uint32_t code;
		char why[128];

		for (; left > 0; value += n, left -= n) {
			n = text_decode(value, left, &code);
			if (n > 0 && code >= ' ' && (code < 0x7f || code > 0x9f))
				continue;
			(void)snprintf(why, sizeof(why), "%.40s: a control character (U+%04X) in the value",
			               f->v[i].key, code);
			return refuse(file, bytes, f->v[i].value_at, why, e);
		}
	}
	return 0;
}

int envfile_parse(const char *file, const char *bytes, size_t len, struct envfile *ret, struct err *e)
{
	struct parser p = { .key_blank = SIZE_MAX, .value_blank = SIZE_MAX };
	enum state state = PRE_KEY;
	int r = look_at_bytes(file, bytes, len, e);

	for (size_t at = 0; r == 0 && at < len; at++) {
		if (state == COMMENT_ESCAPE && is_newline(bytes[at]))
			r = refuse(file, bytes, at - 1,
			           "the comment ends in a backslash, so systemd takes the next line for a "
			           "part of it",
			           e);
		state = step(&p, state, bytes[at], at);
	}
	if (r == 0 && (state == SINGLE_QUOTE || state == DOUBLE_QUOTE || state == DOUBLE_QUOTE_ESCAPE))
		r = refuse(file, bytes, p.quote_at, "the quote that opens here is never closed", e);
	if (r == 0 && state == KEY)
		push(&p, false);
	if (r == 0 && (state == PRE_VALUE || state == VALUE || state == VALUE_ESCAPE))
		push(&p, true);
	if (r == 0 && p.bad)
		r = err_no_memory(e);
	if (r == 0)
		r = look_at_values(file, bytes, &p.file, e);
	buf_done(&p.key);
	buf_done(&p.value);
	if (r < 0)
		envfile_done(&p.file);
	else
		*ret = p.file;
	return r;
}

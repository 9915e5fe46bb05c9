#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (b->bad)
		return;
	if (len >= b->cap - b->len || !b->p) {
		size_t cap = 2 * (b->len + len) + 64;
		char *grown = realloc(b->p, cap);

		if (!grown) {
			b->bad = true;
			return;
		}
		b->p = grown;
		b->cap = cap;
	}
	if (len > 0)
		memcpy(b->p + b->len, bytes, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0) {
		b->bad = true;
		return;
	}
	buf_add(b, text, (size_t)len);
	free(text);
}

const char *buf_text(const struct buf *b)
{
	return b->p ? b->p : "";
}

bool buf_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(buf_text(a), buf_text(b), a->len) == 0;
}

uint64_t buf_hash(const struct buf *b)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < b->len; i++)
		hash = (hash ^ (unsigned char)b->p[i]) * 0x100000001b3;
	return hash;
}

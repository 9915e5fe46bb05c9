/* buf - text or bytes that grow. Sticky like strs: the first failure stays in `bad`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p; /* len bytes and a NUL; NULL while nothing was ever added */
	size_t len, cap;
	bool bad;
};

void buf_done(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* buf_text - what is in it, "" while empty; borrowed until the next call. */
const char *buf_text(const struct buf *b);
/* buf_same - the same bytes. */
bool buf_same(const struct buf *a, const struct buf *b);
/* buf_hash - FNV-1a of what is in it: tells one version of a text from another; not a defence. */
uint64_t buf_hash(const struct buf *b);

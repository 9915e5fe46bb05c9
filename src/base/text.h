/* text - the one place where text from outside becomes safe to show.
 *
 * A stateless filter, character by character: it never looks for escape sequences, so it can not lose its place in
 * one. What is not shown as it is becomes visible: "\x1b", "<U+202E>", so that nothing hides. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text_printable - write len bytes of foreign text into out (at most size, NUL included) as printable UTF-8.
 *
 * Valid UTF-8 of visible width passes; control and broken bytes become \xNN, invisible, bidirectional and
 * combining characters <U+NNNN>. What does not fit is cut at a character. Returns the bytes written, NUL excluded. */
size_t text_printable(char *out, size_t size, const char *bytes, size_t len);

/* text_decode - the character at p (at most len bytes, len > 0): its code point in ret, its length returned;
 * 0 when p does not start a valid UTF-8 character (overlong forms and surrogates are not). */
size_t text_decode(const char *p, size_t len, uint32_t *ret);

/* text_is_utf8 - whether all of it decodes; ret_at (may be NULL) is the first offset that does not. */
bool text_is_utf8(const char *p, size_t len, size_t *ret_at);

/* text_same - the same bytes, or both NULL. */
bool text_same(const char *a, const char *b);

/* text_width - columns that a code point takes: 1 or 2; 0 for what must not reach a terminal as it is. */
int text_width(uint32_t code);

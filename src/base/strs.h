/* strs - a growing list of strings that ends in NULL, ready to be an argv.
 *
 * Sticky: the first failure to grow is remembered in `bad` and later calls do nothing; the caller asks once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct strs {
	char **v; /* n strings and a NULL; NULL while nothing was ever added */
	size_t n;
	bool bad;
};

void strs_done(struct strs *s);
void strs_add(struct strs *s, const char *text);
void strs_add_n(struct strs *s, const char *text, size_t len);
void strs_addf(struct strs *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strs_add_all(struct strs *s, const struct strs *other);
bool strs_has(const struct strs *s, const char *text);
/* strs_same - the same strings in the same order. */
bool strs_same(const struct strs *a, const struct strs *b);
/* strs_sort - by bytes, ascending. */
void strs_sort(struct strs *s);
/* strs_split - add the words of text that any character of separators parts; empty words are left out. */
void strs_split(struct strs *s, const char *text, const char *separators);
/* strs_join - one string with separator between the items; the caller frees it; NULL when out of memory. */
char *strs_join(const struct strs *s, const char *separator);

#include "base/strs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strs_done(struct strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strs){ 0 };
}

/* Takes text, also when it fails. The list doubles at powers of two, so its capacity need not be kept. */
static void add_owned(struct strs *s, char *text)
{
	bool full = s->n == 0 || ((s->n + 1) & s->n) == 0;

	if (s->bad || !text) {
		s->bad = true;
		free(text);
		return;
	}
	if (full) {
		char **grown = reallocarray(s->v, 2 * (s->n + 1), sizeof(*grown));

		if (!grown) {
			s->bad = true;
			free(text);
			return;
		}
		s->v = grown;
	}
	s->v[s->n++] = text;
	s->v[s->n] = NULL;
}

void strs_add(struct strs *s, const char *text)
{
	add_owned(s, strdup(text));
}

void strs_add_n(struct strs *s, const char *text, size_t len)
{
	add_owned(s, strndup(text, len));
}

void strs_addf(struct strs *s, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	add_owned(s, text);
}

void strs_add_all(struct strs *s, const struct strs *other)
{
	for (size_t i = 0; i < other->n; i++)
		strs_add(s, other->v[i]);
	s->bad |= other->bad;
}

bool strs_has(const struct strs *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i], text) == 0)
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool strs_same(const struct strs *a, const struct strs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

void strs_sort(struct strs *s)
{
	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare);
}

void strs_split(struct strs *s, const char *text, const char *separators)
{
	while (*(text += strspn(text, separators))) {
		size_t len = strcspn(text, separators);

		strs_add_n(s, text, len);
		text += len;
	}
}

char *strs_join(const struct strs *s, const char *separator)
{
	size_t len = 1, gap = strlen(separator);
	char *whole, *end;

	for (size_t i = 0; i < s->n; i++)
		len += strlen(s->v[i]) + gap;
	whole = end = malloc(len);
	if (!whole)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			end = stpcpy(end, separator);
		end = stpcpy(end, s->v[i]);
	}
	return whole;
}

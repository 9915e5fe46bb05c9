#include "ui/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void doc_done(struct doc *d)
{
	buf_done(&d->text);
	free(d->spans);
	free(d->lines);
	*d = (struct doc){ 0 };
}

/* One more item of size bytes after n of them: there is always room up to the next power of two. */
static void *grow(void *v, size_t n, size_t size)
{
	return n > 0 && (n & (n - 1)) ? v : reallocarray(v, n > 0 ? 2 * n : 1, size);
}

static void new_line(struct doc *d, int indent)
{
	struct doc_line *grown = d->bad ? NULL : grow(d->lines, d->n_lines, sizeof(*grown));

	if (!grown) {
		d->bad = true;
		return;
	}
	d->lines = grown;
	grown[d->n_lines++] = (struct doc_line){ .span = d->n_spans, .indent = indent };
}

static void add_span(struct doc *d, enum style style, const char *bytes, size_t len)
{
	struct doc_span *grown =
		d->bad || d->n_lines == 0 ? NULL : grow(d->spans, d->n_spans, sizeof(*grown));

	if (!grown) {
		d->bad = true;
		return;
	}
	d->spans = grown;
	grown[d->n_spans++] = (struct doc_span){ .at = d->text.len, .len = len, .style = style };
	d->lines[d->n_lines - 1].n++;
	buf_add(&d->text, bytes, len);
	d->bad |= d->text.bad;
	for (size_t i = d->text.len - len; !d->bad && i < d->text.len; i++)
		if (d->text.p[i] == '\n')
			d->text.p[i] = ' ';
}

__attribute__((format(printf, 3, 0))) static void add_formatted(struct doc *d, enum style style,
                                                                const char *format, va_list ap)
{
	char *made = NULL;
	int len = vasprintf(&made, format, ap);

	if (len < 0) {
		d->bad = true;
		return;
	}
	add_span(d, style, made, (size_t)len);
	free(made);
}

void doc_line(struct doc *d, enum style style, const char *format, ...)
{
	va_list ap;

	new_line(d, 2);
	va_start(ap, format);
	add_formatted(d, style, format, ap);
	va_end(ap);
}

void doc_add(struct doc *d, enum style style, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_formatted(d, style, format, ap);
	va_end(ap);
}

void doc_indent(struct doc *d, int columns)
{
	if (d->n_lines > 0)
		d->lines[d->n_lines - 1].indent = columns;
}

void doc_aligned(struct doc *d)
{
	if (d->n_lines > 0)
		d->lines[d->n_lines - 1].aligned = true;
}

/* Whether the last byte is a blank then. */
static bool squeeze_span(struct doc *d, struct doc_span *s, bool after_blank)
{
	char *text = d->text.p + s->at;
	size_t len = 0;

	for (size_t i = 0; i < s->len; i++) {
		if (text[i] != ' ' || !after_blank)
			text[len++] = text[i];
		after_blank = text[i] == ' ';
	}
	s->len = len;
	return after_blank;
}

void doc_squeeze(struct doc *d)
{
	for (size_t i = 0; !d->bad && i < d->n_lines; i++) {
		struct doc_line *l = &d->lines[i];
		bool after_blank = true; /* none at the begin */

		for (size_t n = 0; l->aligned && n < l->n; n++) {
			struct doc_span *s = &d->spans[l->span + n];

			if (n > 1 && s->style == STYLE_DIM)
				s->len = 0;
			else
				after_blank = squeeze_span(d, s, after_blank);
		}
		l->indent = l->indent > 2 ? 2 : l->indent;
	}
}

void doc_fact(struct doc *d, const char *label, enum style style, const char *format, ...)
{
	va_list ap;

	new_line(d, DOC_LABEL);
	doc_aligned(d);
	doc_add(d, STYLE_DIM, "%-*s", DOC_LABEL, label);
	va_start(ap, format);
	add_formatted(d, style, format, ap);
	va_end(ap);
}

void doc_head(struct doc *d, const char *format, ...)
{
	va_list ap;

	if (d->n_lines > 0)
		new_line(d, 0);
	new_line(d, 0);
	va_start(ap, format);
	add_formatted(d, STYLE_STRONG, format, ap);
	va_end(ap);
}

void doc_text(struct doc *d, enum style style, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		new_line(d, 2);
		add_span(d, style, text, len);
		text += len + (text[len] == '\n');
	}
}

void doc_plain(const struct doc *d, size_t line, struct buf *ret)
{
	const struct doc_line *l = &d->lines[line];

	ret->len = 0;
	buf_add(ret, "", 0);
	for (size_t i = 0; i < l->n; i++)
		buf_add(ret, buf_text(&d->text) + d->spans[l->span + i].at, d->spans[l->span + i].len);
}

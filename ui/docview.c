#include "ui/docview.h"

#include <regex.h>
#include <string.h>

#include "base/cleanup.h"

/* The lines that one line of the document is wrapped to: where the next one begins. The first has all of w,
 * the others are moved in. */
static int width_of(const struct doc_line *l, int w, bool first)
{
	return first || l->indent >= w / 2 ? w : w - l->indent;
}

static int wrapped_lines(const struct grid *g, int w, const struct doc_line *l, const char *text)
{
	int lines = 0;

	do {
		size_t next;

		grid_break(g, width_of(l, w, lines == 0), text, &next);
		text += next;
		lines++;
	} while (*text);
	return lines;
}

int docview_lines(const struct grid *g, int w, const struct doc *d)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int lines = 0;

	for (size_t i = 0; w > 0 && i < d->n_lines; i++) {
		doc_plain(d, i, &text);
		lines += wrapped_lines(g, w, &d->lines[i], buf_text(&text));
	}
	return lines;
}

int docview_scroll(const struct grid *g, struct rect r, const struct doc *d, int top)
{
	int last = docview_lines(g, r.w, d) - r.h;

	return top > last ? (last > 0 ? last : 0) : top > 0 ? top : 0;
}

int docview_seek(const struct grid *g, int w, const struct doc *d, const char *pattern, int from, int by)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int line = 0, first = -1, last = -1, before = -1, after = -1;
	regex_t compiled;

	if (w <= 0 || regcomp(&compiled, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		return -1;
	for (size_t i = 0; i < d->n_lines; i++) {
		doc_plain(d, i, &text);
		if (regexec(&compiled, buf_text(&text), 0, NULL, 0) == 0) {
			first = first < 0 ? line : first;
			last = line;
			before = line < from ? line : before;
			after = line > from && after < 0 ? line : after;
		}
		line += wrapped_lines(g, w, &d->lines[i], buf_text(&text));
	}
	regfree(&compiled);
	if (by > 0)
		return after >= 0 ? after : first;
	return before >= 0 ? before : last;
}

/* Bytes [from, to) of the line at text, each span with its style. */
static void draw_piece(struct grid *g, int x, int y, int w, const struct doc *d, const struct doc_line *l,
                       const char *text, size_t from, size_t to)
{
	size_t at = 0;

	for (size_t i = 0; i < l->n && w > 0; i++) {
		const struct doc_span *s = &d->spans[l->span + i];
		size_t begin = at > from ? at : from, end = at + s->len < to ? at + s->len : to;

		if (begin < end) {
			int used = grid_bytes(g, x, y, w, s->style, text + begin, end - begin);

			x += used;
			w -= used;
		}
		at += s->len;
	}
}

/* Draws over what matches, where it is on the piece. */
static void draw_matches(struct grid *g, int x, int y, int w, const regex_t *pattern, const char *text,
                         size_t from, size_t to)
{
	size_t at = 0;
	regmatch_t m;

	while (regexec(pattern, text + at, 1, &m, at > 0 ? REG_NOTBOL : 0) == 0 && m.rm_eo > m.rm_so) {
		size_t begin = at + (size_t)m.rm_so, end = at + (size_t)m.rm_eo;

		at = end;
		begin = begin > from ? begin : from;
		end = end < to ? end : to;
		if (begin < end) {
			int before = grid_columns_n(g, text + from, begin - from);

			grid_bytes(g, x + before, y, w - before, STYLE_MATCH, text + begin, end - begin);
		}
	}
}

void docview_draw(struct grid *g, struct rect r, const struct doc *d, int top, const char *pattern)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int line = -top;
	regex_t compiled;
	bool searches = *pattern && regcomp(&compiled, pattern, REG_EXTENDED | REG_ICASE) == 0;

	for (size_t i = 0; r.w > 0 && i < d->n_lines && line < r.h; i++) {
		const struct doc_line *l = &d->lines[i];
		size_t from = 0, next;
		bool first = true;

		doc_plain(d, i, &text);
		do {
			int w = width_of(l, r.w, first), x = r.x + r.w - w;
			size_t len = grid_break(g, w, buf_text(&text) + from, &next);

			if (line >= 0 && line < r.h) {
				draw_piece(g, x, r.y + line, w, d, l, buf_text(&text), from, from + len);
				if (searches)
					draw_matches(g, x, r.y + line, w, &compiled, buf_text(&text), from,
					             from + len);
			}
			from += next;
			first = false;
			line++;
		} while (buf_text(&text)[from]);
	}
	if (searches)
		regfree(&compiled);
}

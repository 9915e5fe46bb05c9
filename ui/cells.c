#include "ui/cells.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SHOWN_MAX 16 /* the longest form of one character: "<U+10FFFF>" */

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

int grid_init(struct grid *g, int w, int h, bool ascii)
{
	*g = (struct grid){ .w = clamp(w, 0, GRID_MAX), .h = clamp(h, 0, GRID_MAX), .ascii = ascii };
	g->cells = calloc((size_t)g->w * (size_t)g->h + 1, sizeof(*g->cells));
	if (!g->cells)
		return -ENOMEM;
	grid_fill(g, (struct rect){ 0, 0, g->w, g->h }, STYLE_TEXT);
	return 0;
}

void grid_done(struct grid *g)
{
	free(g->cells);
	*g = (struct grid){ 0 };
}

static struct rect inside(const struct grid *g, struct rect r)
{
	int right = clamp(r.x + r.w, 0, g->w), bottom = clamp(r.y + r.h, 0, g->h);

	r.x = clamp(r.x, 0, g->w);
	r.y = clamp(r.y, 0, g->h);
	r.w = right - r.x;
	r.h = bottom - r.y;
	return r;
}

static struct cell *cell_at(const struct grid *g, int x, int y)
{
	return &g->cells[(size_t)y * (size_t)g->w + (size_t)x];
}

void grid_fill(struct grid *g, struct rect r, enum style style)
{
	r = inside(g, r);
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			*cell_at(g, x, y) = (struct cell){ .text = " ", .style = style };
}

void grid_pick(struct grid *g, struct rect r)
{
	r = inside(g, r);
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			cell_at(g, x, y)->picked = true;
}

/* How a terminal without UTF-8 shows the characters that we draw with ourselves. */
static void spell_in_ascii(uint32_t code, int width, char shown[static SHOWN_MAX])
{
	static const struct {
		uint32_t code;
		const char *spelled;
	} ours[] = {
		{ 0x2026, "..." }, { 0x2500, "-" }, { 0x2502, "|" }, { 0x250c, "+" },
		{ 0x2510, "+" },   { 0x2514, "`" }, { 0x251c, "|" }, { 0x2518, "+" },
		{ 0x2713, "x" },   { 0x2191, "^" }, { 0x2193, "v" },
	};

	(void)snprintf(shown, SHOWN_MAX, "%s", width == 2 ? "??" : "?");
	for (size_t i = 0; i < COUNT(ours); i++)
		if (ours[i].code == code)
			(void)snprintf(shown, SHOWN_MAX, "%s", ours[i].spelled);
}

/* The next character of text as it may be shown, its columns in ret_columns; returns the bytes taken of text.
 */
static size_t next_shown(const struct grid *g, const char *text, char shown[static SHOWN_MAX],
                         int *ret_columns)
{
	uint32_t code = 0;
	size_t n;
	int width;

	if (*text >= ' ' && *text <= '~') { /* nearly always, and a screen has thousands */
		shown[0] = *text;
		shown[1] = '\0';
		*ret_columns = 1;
		return 1;
	}
	n = text_decode(text, strnlen(text, 4), &code);
	width = n > 0 ? text_width(code) : 0;
	if (n == 0)
		n = 1;
	text_printable(shown, SHOWN_MAX, text, n);
	if (g->ascii && width > 0 && code > 0x7e)
		spell_in_ascii(code, width, shown);
	*ret_columns = width == 2 ? 2 : g->ascii || width == 0 ? (int)strlen(shown) : 1;
	return n;
}

int grid_columns_n(const struct grid *g, const char *text, size_t len)
{
	const char *end = text + len;
	char shown[SHOWN_MAX];
	int total = 0, columns;

	while (text < end) {
		text += next_shown(g, text, shown, &columns);
		total += columns;
	}
	return total;
}

int grid_columns(const struct grid *g, const char *text)
{
	return grid_columns_n(g, text, strlen(text));
}

/* One shown character, or the several that spell one; the caller knows that it fits. */
static void put(struct grid *g, int x, int y, enum style style, const char *shown)
{
	while (*shown) {
		uint32_t code = 0;
		size_t n = text_decode(shown, strlen(shown), &code);
		int width = text_width(code);

		if (y >= 0 && y < g->h && x >= 0 && x + width <= g->w) {
			struct cell *c = cell_at(g, x, y);

			*c = (struct cell){ .style = style };
			memcpy(c->text, shown, n);
			if (width == 2)
				c[1] = (struct cell){ .style = style };
		}
		shown += n;
		x += width;
	}
}

/* Bytes of text that fit into w columns; ret_columns (may be NULL) is what they take. */
static size_t bytes_that_fit(const struct grid *g, const char *text, size_t len, int w, int *ret_columns)
{
	char shown[SHOWN_MAX];
	size_t used = 0;
	int total = 0, columns;

	while (used < len) {
		size_t n = next_shown(g, text + used, shown, &columns);

		if (total + columns > w)
			break;
		used += n;
		total += columns;
	}
	if (ret_columns)
		*ret_columns = total;
	return used;
}

int grid_bytes(struct grid *g, int x, int y, int w, enum style style, const char *text, size_t len)
{
	bool cut = bytes_that_fit(g, text, len, w, NULL) < len;
	char shown[SHOWN_MAX];
	size_t fit;
	int used = 0, columns;

	if (w <= 0)
		return 0;
	fit = cut ? bytes_that_fit(g, text, len, w - 1, NULL) : len;
	for (size_t i = 0; i < fit;) {
		i += next_shown(g, text + i, shown, &columns);
		put(g, x + used, y, style, shown);
		used += columns;
	}
	if (cut)
		put(g, x + used++, y, style, g->ascii ? ">" : "…");
	return used;
}

int grid_text(struct grid *g, int x, int y, int w, enum style style, const char *text)
{
	return grid_bytes(g, x, y, w, style, text, strlen(text));
}

int grid_spans(struct grid *g, int x, int y, int w, const struct span *spans, size_t n)
{
	int used = 0;

	for (size_t i = 0; i < n && used < w; i++)
		used += grid_text(g, x + used, y, w - used, spans[i].style, spans[i].text);
	return used;
}

size_t grid_break(const struct grid *g, int w, const char *text, size_t *ret_next)
{
	size_t len = strcspn(text, "\n"), fit = bytes_that_fit(g, text, len, w, NULL), blank;

	if (fit == len) {
		*ret_next = len + (text[len] == '\n');
		return len;
	}
	if (fit == 0) /* narrower than one character */
		fit = 1;
	for (blank = fit; blank > 0 && text[blank] != ' '; blank--)
		;
	for (size_t item = blank; item > fit * 2 / 3; item--)
		if (text[item] == ' ' && text[item - 1] == ' ') {
			*ret_next = item + 1;
			return item - 1;
		}
	if (blank == 0) {
		*ret_next = fit;
		return fit;
	}
	*ret_next = blank + 1;
	return blank;
}

int grid_lines(const struct grid *g, int w, const char *text)
{
	int lines = 0;

	do {
		size_t next;

		grid_break(g, w, text, &next);
		text += next;
		lines++;
	} while (*text);
	return lines;
}

int grid_wrap(struct grid *g, struct rect r, int skip, enum style style, const char *text)
{
	int line = -skip;

	if (r.w <= 0)
		return 0;
	for (; *text && line < r.h; line++) {
		size_t next, len = grid_break(g, r.w, text, &next);

		if (line == r.h - 1 && text[next]) /* more than there is room for: the mark says so */
			len = strcspn(text, "\n") > len ? strcspn(text, "\n") : len;
		if (line >= 0)
			grid_bytes(g, r.x, r.y + line, r.w, style, text, len);
		text += next;
	}
	return line < 0 ? 0 : line;
}

void grid_print(const struct grid *g, struct buf *ret)
{
	static const char letters[] = {
#define X(name, letter) letter,
		STYLES(X)
#undef X
	};

	for (int y = 0; y < g->h; y++) {
		buf_puts(ret, "|");
		for (int x = 0; x < g->w; x++)
			buf_puts(ret, cell_at(g, x, y)->text);
		buf_puts(ret, "|\n~");
		for (int x = 0; x < g->w; x++) {
			const struct cell *c = cell_at(g, x, y);
			char letter = letters[c->style];

			if (c->picked)
				letter = (char)(letter == '.' ? '#' : toupper(letter));
			buf_add(ret, &letter, 1);
		}
		buf_puts(ret, "~\n");
	}
}

/* A title that is too long is cut, the mark is not. */
static void draw_frame_title(struct grid *g, struct rect r, bool framed, const char *title, const char *more)
{
	const struct span spans[] = { { framed ? " " : "", STYLE_STRONG }, { title, STYLE_STRONG } };
	int mark = *more ? grid_columns(g, more) + 1 : 0, used;

	if (mark > r.w / 3) /* then the title is more */
		mark = 0;
	used = grid_spans(g, r.x, r.y, r.w - mark, spans, COUNT(spans));
	if (framed || *more)
		used += grid_text(g, r.x + used, r.y, r.w - used, STYLE_STRONG, " ");
	(void)grid_text(g, r.x + used, r.y, r.w - used, STYLE_DIM, more);
}

struct rect grid_frame(struct grid *g, struct rect r, bool framed, const char *title, const char *more)
{
	grid_fill(g, r, STYLE_TEXT);
	for (int x = r.x + 1; framed && x < r.x + r.w - 1; x++) {
		grid_text(g, x, r.y, 1, STYLE_DIM, "─");
		grid_text(g, x, r.y + r.h - 1, 1, STYLE_DIM, "─");
	}
	for (int y = r.y + 1; framed && y < r.y + r.h - 1; y++) {
		grid_text(g, r.x, y, 1, STYLE_DIM, "│");
		grid_text(g, r.x + r.w - 1, y, 1, STYLE_DIM, "│");
	}
	if (framed) {
		grid_text(g, r.x, r.y, 1, STYLE_DIM, "┌");
		grid_text(g, r.x + r.w - 1, r.y, 1, STYLE_DIM, "┐");
		grid_text(g, r.x, r.y + r.h - 1, 1, STYLE_DIM, "└");
		grid_text(g, r.x + r.w - 1, r.y + r.h - 1, 1, STYLE_DIM, "┘");
	}
	g->cursor_x = r.x;
	g->cursor_y = r.y;
	if (r.h > 1)
		draw_frame_title(g, (struct rect){ r.x + (framed ? 2 : 0), r.y, r.w - (framed ? 4 : 0), 1 },
		                 framed, title, more);
	if (framed)
		return (struct rect){ r.x + 2, r.y + 1, r.w - 4, r.h - 2 };
	return r.h > 1 ? (struct rect){ r.x, r.y + 1, r.w, r.h - 1 } : r;
}

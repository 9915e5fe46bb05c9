/* cells - the screen as an array: every cell one character and what it means, never a colour.
 *
 *   | NAME     STATE  |     text; a wide character takes two cells, the second one is ""
 *   ~hhhhhhhhhhhhhhhhh~     its meaning, one letter a cell (upper case: on the selected row)
 *
 * All text that reaches a terminal comes through here, and so through the filter of base/text.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Name, letter in golden screens. What each looks like is the terminal's business (ui/term.c). */
#define STYLES(X)                                                                                            \
	X(TEXT, '.')                                                                                         \
	X(DIM, 'd')    /* unknown, off, of less weight */                                                    \
	X(STRONG, 's') /* titles, the selected button */                                                     \
	X(HEAD, 'h')   /* headings of columns */                                                             \
	X(KEY, 'k')    /* a key to press */                                                                  \
	X(GOOD, 'g')                                                                                         \
	X(BUSY, 'w') /* it changes just now */                                                               \
	X(BAD, 'b')                                                                                          \
	X(MATCH, 'm')  /* what was searched for */                                                           \
	X(BANNER, 'n') /* must not be overlooked */

enum style {
#define X(name, letter) STYLE_##name,
	STYLES(X)
#undef X
		STYLE_COUNT
};

struct rect {
	int x, y, w, h;
};

struct cell {
	char text[5]; /* one character of UTF-8; "" is the right half of a wide one */
	enum style style;
	bool picked; /* belongs to what is selected */
};

struct grid {
	int w, h;
	bool ascii; /* only ASCII is put into cells: lines and dots of ours are spelled, other characters are
	               '?' */
	int cursor_x, cursor_y; /* where the hardware cursor rests: on the selection */
	struct cell *cells;
};

struct span {
	const char *text;
	enum style style;
};

/* grid_init - w and h from 0 to GRID_MAX, more is cut. -ENOMEM; grid_done() also takes a zeroed one. */
#define GRID_MAX 1000
int grid_init(struct grid *g, int w, int h, bool ascii);
void grid_done(struct grid *g);

/* grid_fill - blank cells of that style; what lies outside the grid is left out, here and below. */
void grid_fill(struct grid *g, struct rect r, enum style style);
/* grid_pick - mark as selected what is there. */
void grid_pick(struct grid *g, struct rect r);

/* grid_columns - columns the text takes when it is not cut. */
int grid_columns(const struct grid *g, const char *text);
int grid_columns_n(const struct grid *g, const char *text, size_t len);

/* grid_text - put foreign text at (x, y) into at most w columns; cut text ends in a mark. Returns the columns
 * used. */
int grid_text(struct grid *g, int x, int y, int w, enum style style, const char *text);
/* grid_spans - pieces one after the other on one line of w columns. Returns the columns used. */
int grid_spans(struct grid *g, int x, int y, int w, const struct span *spans, size_t n);

/* grid_bytes - the same with len bytes of text. */
int grid_bytes(struct grid *g, int x, int y, int w, enum style style, const char *text, size_t len);
/* grid_break - bytes of text that make its first line of w columns; ret_next is where the next one begins. Two blanks part
 * items: where there are some not far from the end, an item is not torn. */
size_t grid_break(const struct grid *g, int w, const char *text, size_t *ret_next);

/* grid_frame - blank r, draw a box of lines around it when it is framed, else only the title above; returns
 * the room inside. The cursor rests at its corner. */
struct rect grid_frame(struct grid *g, struct rect r, bool framed, const char *title, const char *more);

/* grid_lines - lines the text takes when it is wrapped at blanks to w columns; '\n' ends a line. At least 1.
 */
int grid_lines(const struct grid *g, int w, const char *text);
/* grid_wrap - put the text into r, wrapped, without its first skip lines; when r ends before the text the
 * last line is cut with a mark. Returns the lines used. */
int grid_wrap(struct grid *g, struct rect r, int skip, enum style style, const char *text);

/* grid_print - the grid for golden files: a line of text and a line of meanings for each row. */
void grid_print(const struct grid *g, struct buf *ret);

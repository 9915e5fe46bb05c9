/* line - a line of text being typed: filter, search, command, name. Pure: keys go in, text comes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ui/cells.h"

#define LINE_SIZE    5120 /* bytes, NUL included: a value of a conf of 4 KiB and more */
#define LINE_HISTORY 32
#define LINE_KEPT    256 /* a longer one is not remembered */

struct line_history { /* oldest first; starts zeroed */
	char v[LINE_HISTORY][LINE_KEPT];
	size_t n;
};

struct line { /* starts zeroed */
	char text[LINE_SIZE];
	size_t len, caret;            /* bytes */
	struct line_history *history; /* borrowed; NULL: there is none */
	size_t back;                  /* how far back in it we are; 0: at what was typed */
	char typed[LINE_SIZE];        /* what was there before we went back */
};

enum line_result {
	LINE_IGNORED, /* the key means nothing here */
	LINE_MOVED,   /* only the caret */
	LINE_CHANGED,
	LINE_FULL,    /* that character has no room */
	LINE_ENTERED, /* Enter: the text is what is wanted */
	LINE_LEFT,    /* Esc, Ctrl-C, or Backspace where there is no text */
};

/* line_set - the text, the caret behind it. */
void line_set(struct line *l, const char *text);
/* line_key - a key of input.h. Characters that were pasted are text; an INPUT_PASTE is ignored. */
enum line_result line_key(struct line *l, int key);
/* line_remember - put text into a history, as its newest; once, and not when it is empty. */
void line_remember(struct line_history *h, const char *text);

/* line_draw - "PROMPT TEXT" into w columns at (x, y), moved sideways so that the caret is seen; the grid's
 * cursor is put on the caret. */
void line_draw(struct grid *g, int x, int y, int w, enum style style, const char *prompt,
               const struct line *l);

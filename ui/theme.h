/* theme - what each meaning looks like: colours and attributes by theme and by what the terminal can. Pure.
 *
 * Colours are the numbers of terminals: 0 to 7 and 8 to 15 are the terminal's palette, 16 to 255 have fixed
 * values. State is never told by colour alone: words and glyphs are there too. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "ui/cells.h"

/* Name, word, help. */
#define THEMES(X)                                                                                            \
	X(DEFAULT, "default", "the terminal's own colours")                                                  \
	X(MONO, "mono", "no colour: bold, dim, underlined, reversed")                                        \
	X(HIGH_CONTRAST, "high-contrast", "white, yellow, green on black")                                   \
	X(DEUTERANOPIA, "deuteranopia", "blue and orange instead of green and red, for dark terminals")      \
	X(TRITANOPIA, "tritanopia", "teal and pink instead of green and yellow, for dark terminals")

enum theme {
#define X(name, word, help) THEME_##name,
	THEMES(X)
#undef X
		THEME_COUNT
};

enum { THEME_BOLD = 1, THEME_DIM = 2, THEME_UNDERLINE = 4, THEME_REVERSE = 8 };

struct look {
	int fg, bg; /* -1: the terminal's own */
	unsigned attributes;
};

/* theme_look - of a style at a depth of theme_depth(). */
struct look theme_look(enum theme t, enum style s, int depth);
const char *theme_word(enum theme t);

enum theme_color { THEME_COLOR_AUTO, THEME_COLOR_ALWAYS, THEME_COLOR_NEVER };

struct theme_wishes {            /* strings may be NULL: not set */
	enum theme_color option; /* --color= and the setting, which is the person's own word */
	const char *systemd_colors, *no_color, *term; /* SYSTEMD_COLORS, NO_COLOR, TERM */
	int colors;                                   /* what terminfo says of the terminal; <= 0: none */
};

/* theme_depth - 0 (no colours), 8, 16 or 256. The first that says something counts: option, SYSTEMD_COLORS,
 * NO_COLOR (when not empty), TERM=dumb, terminfo.
 *
 * source  no-color.org; systemd(1) SYSTEMD_COLORS */
int theme_depth(const struct theme_wishes *w);

#include "ui/theme.h"

#include <string.h>

#include "base/cleanup.h"

#define OWN (-1)

/* A colour where there are 8, 16 and 256 of them. */
struct shade {
	int of8, of16, of256;
};

#define SAME(n)                                                                                              \
	{                                                                                                    \
		(n), (n), (n)                                                                                \
	}
#define NONE SAME(OWN)
#define B    THEME_BOLD
#define U    THEME_UNDERLINE
#define R    THEME_REVERSE

struct row {
	struct shade fg, bg;
	unsigned attributes;
};

/* Without colours, whatever the theme. */
static const unsigned mono[STYLE_COUNT] = {
	[STYLE_DIM] = THEME_DIM, [STYLE_STRONG] = B,    [STYLE_HEAD] = U,       [STYLE_KEY] = B,
	[STYLE_BAD] = B,         [STYLE_MATCH] = B | U, [STYLE_BANNER] = R | B,
};

/* No dark blue, no bright black: they can not be read on many terminals. The banner alone has a background,
 * and is not bold, since bold black is bright black to some. */
static const struct row own_colours[STYLE_COUNT] = {
	[STYLE_TEXT] = { NONE, NONE, 0 },      [STYLE_DIM] = { NONE, NONE, THEME_DIM },
	[STYLE_STRONG] = { NONE, NONE, B },    [STYLE_HEAD] = { NONE, NONE, U },
	[STYLE_KEY] = { NONE, NONE, B },       [STYLE_GOOD] = { SAME(2), NONE, 0 },
	[STYLE_BUSY] = { SAME(3), NONE, 0 },   [STYLE_BAD] = { SAME(1), NONE, B },
	[STYLE_MATCH] = { NONE, NONE, B | U }, [STYLE_BANNER] = { SAME(0), SAME(3), 0 },
};

#define BLACK                                                                                                \
	{                                                                                                    \
		0, 0, 16                                                                                     \
	}
#define WHITE                                                                                                \
	{                                                                                                    \
		7, 15, 231                                                                                   \
	}

static const struct row high_contrast[STYLE_COUNT] = {
	[STYLE_TEXT] = { WHITE, BLACK, 0 },          [STYLE_DIM] = { { 7, 7, 252 }, BLACK, 0 },
	[STYLE_STRONG] = { WHITE, BLACK, B },        [STYLE_HEAD] = { WHITE, BLACK, B | U },
	[STYLE_KEY] = { { 6, 14, 51 }, BLACK, B },   [STYLE_GOOD] = { { 2, 10, 46 }, BLACK, 0 },
	[STYLE_BUSY] = { { 3, 11, 226 }, BLACK, 0 }, [STYLE_BAD] = { { 7, 15, 231 }, { 1, 1, 124 }, B },
	[STYLE_MATCH] = { WHITE, BLACK, B | U },     [STYLE_BANNER] = { BLACK, { 3, 11, 226 }, 0 },
};

static const struct row no_red_green[STYLE_COUNT] = {
	[STYLE_TEXT] = { NONE, NONE, 0 },
	[STYLE_DIM] = { NONE, NONE, THEME_DIM },
	[STYLE_STRONG] = { NONE, NONE, B },
	[STYLE_HEAD] = { NONE, NONE, U },
	[STYLE_KEY] = { NONE, NONE, B },
	[STYLE_GOOD] = { { 6, 14, 75 }, NONE, 0 },
	[STYLE_BUSY] = { { 7, 15, 230 }, NONE, 0 },
	[STYLE_BAD] = { { 3, 11, 214 }, NONE, B },
	[STYLE_MATCH] = { NONE, NONE, B | U },
	[STYLE_BANNER] = { BLACK, { 3, 11, 214 }, 0 },
};

static const struct row no_blue_yellow[STYLE_COUNT] = {
	[STYLE_TEXT] = { NONE, NONE, 0 },
	[STYLE_DIM] = { NONE, NONE, THEME_DIM },
	[STYLE_STRONG] = { NONE, NONE, B },
	[STYLE_HEAD] = { NONE, NONE, U },
	[STYLE_KEY] = { NONE, NONE, B },
	[STYLE_GOOD] = { { 6, 14, 43 }, NONE, 0 },
	[STYLE_BUSY] = { { 7, 15, 231 }, NONE, 0 },
	[STYLE_BAD] = { { 7, 15, 210 }, { 1, 1, OWN }, B },
	[STYLE_MATCH] = { NONE, NONE, B | U },
	[STYLE_BANNER] = { BLACK, { 7, 15, 231 }, 0 },
};

static const struct row *const rows[THEME_COUNT] = {
	[THEME_DEFAULT] = own_colours,         [THEME_MONO] = NULL,
	[THEME_HIGH_CONTRAST] = high_contrast, [THEME_DEUTERANOPIA] = no_red_green,
	[THEME_TRITANOPIA] = no_blue_yellow,
};

static int at_depth(const struct shade *s, int depth)
{
	if (depth < 16)
		return s->of8;
	return depth < 256 ? s->of16 : s->of256;
}

struct look theme_look(enum theme t, enum style s, int depth)
{
	const struct row *row;

	if (depth < 8 || !rows[t])
		return (struct look){ -1, -1, mono[s] };
	row = &rows[t][s];
	return (struct look){ at_depth(&row->fg, depth), at_depth(&row->bg, depth), row->attributes };
}

const char *theme_word(enum theme t)
{
	static const char *const words[] = {
#define X(name, word, help) word,
		THEMES(X)
#undef X
	};

	return words[t];
}

static int depth_of(int colors)
{
	return colors >= 256 ? 256 : colors >= 16 ? 16 : colors >= 8 ? 8 : 0;
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(words[i], word))
			return true;
	return false;
}

/* What SYSTEMD_COLORS asks for; -1: nothing. */
static int systemd_depth(const char *value, int known)
{
	static const char *const off[] = { "0", "no", "n", "false", "f", "off" };
	static const char *const on[] = { "1", "yes", "y", "true", "t", "on" };

	if (is_one_of(value, off, COUNT(off)))
		return 0;
	if (is_one_of(value, on, COUNT(on)))
		return known;
	if (!strcmp(value, "16"))
		return known < 16 ? known : 16;
	if (!strcmp(value, "256") || !strcmp(value, "24bit"))
		return known;
	return -1;
}

int theme_depth(const struct theme_wishes *w)
{
	int known = depth_of(w->colors), asked;

	switch (w->option) {
	case THEME_COLOR_ALWAYS:
		return known ? known : 8;
	case THEME_COLOR_NEVER:
		return 0;
	case THEME_COLOR_AUTO:
		break;
	}
	asked = w->systemd_colors ? systemd_depth(w->systemd_colors, known) : -1;
	if (asked >= 0)
		return asked;
	if ((w->no_color && *w->no_color) || (w->term && !strcmp(w->term, "dumb")))
		return 0;
	return known;
}

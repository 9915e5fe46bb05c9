#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/theme.h"

static const int depths[] = { 0, 8, 16, 256 };

/* As xterm has them. */
static void rgb_of(int colour, int ret[static 3])
{
	static const int palette[16][3] = {
		{ 0, 0, 0 },       { 205, 0, 0 },   { 0, 205, 0 },   { 205, 205, 0 },
		{ 0, 0, 238 },     { 205, 0, 205 }, { 0, 205, 205 }, { 229, 229, 229 },
		{ 127, 127, 127 }, { 255, 0, 0 },   { 0, 255, 0 },   { 255, 255, 0 },
		{ 92, 92, 255 },   { 255, 0, 255 }, { 0, 255, 255 }, { 255, 255, 255 },
	};
	static const int levels[] = { 0, 95, 135, 175, 215, 255 };

	if (colour < 16) {
		memcpy(ret, palette[colour], sizeof(palette[0]));
	} else if (colour < 232) {
		ret[0] = levels[(colour - 16) / 36];
		ret[1] = levels[(colour - 16) / 6 % 6];
		ret[2] = levels[(colour - 16) % 6];
	} else {
		ret[0] = ret[1] = ret[2] = 8 + 10 * (colour - 232);
	}
}

static double luminance(int colour)
{
	static const double weights[] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0;
	int rgb[3];

	rgb_of(colour, rgb);
	for (int i = 0; i < 3; i++) {
		double c = rgb[i] / 255.0;

		sum += weights[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

/* Web Content Accessibility Guidelines 2.1, "contrast ratio". */
static double contrast(int a, int b)
{
	double la = luminance(a), lb = luminance(b);

	return (fmax(la, lb) + 0.05) / (fmin(la, lb) + 0.05);
}

/* The background that a theme does not state itself; -1: any. */
static int made_for(enum theme t)
{
	return t == THEME_DEUTERANOPIA || t == THEME_TRITANOPIA ? 0 : -1;
}

static void every_stated_pair_of_colours_can_be_read(void **state)
{
	(void)state;
	for (unsigned t = 0; t < THEME_COUNT; t++)
		for (unsigned s = 0; s < STYLE_COUNT; s++)
			for (size_t d = 0; d < COUNT(depths); d++) {
				struct look l = theme_look((enum theme)t, (enum style)s, depths[d]);
				int bg = l.bg >= 0 ? l.bg : made_for((enum theme)t);

				if (l.fg >= 0 && bg >= 0 && contrast(l.fg, bg) < 4.5)
					fail_msg("%s, style %u, %d colours: %.1f", theme_word((enum theme)t),
					         s, depths[d], contrast(l.fg, bg));
			}
}

static void the_default_theme_is_the_terminals_own(void **state)
{
	(void)state;
	for (unsigned s = 0; s < STYLE_COUNT; s++)
		for (size_t d = 0; d < COUNT(depths); d++) {
			struct look l = theme_look(THEME_DEFAULT, (enum style)s, depths[d]);

			assert_true(l.fg < 8 && l.fg != 4); /* no dark blue, no bright black */
			assert_true(l.bg == -1 || s == STYLE_BANNER);
		}
}

static void without_colours_there_are_none_in_any_theme(void **state)
{
	(void)state;
	for (unsigned t = 0; t < THEME_COUNT; t++)
		for (unsigned s = 0; s < STYLE_COUNT; s++) {
			struct look l = theme_look((enum theme)t, (enum style)s, 0);

			assert_true(l.fg == -1 && l.bg == -1);
			l = theme_look(THEME_MONO, (enum style)s, 256);
			assert_true(l.fg == -1 && l.bg == -1);
		}
}

static void no_colour_is_more_than_the_terminal_has(void **state)
{
	(void)state;
	for (unsigned t = 0; t < THEME_COUNT; t++)
		for (unsigned s = 0; s < STYLE_COUNT; s++)
			for (size_t d = 1; d < COUNT(depths); d++) {
				struct look l = theme_look((enum theme)t, (enum style)s, depths[d]);

				assert_true(l.fg < depths[d] && l.bg < depths[d]);
			}
}

static void good_busy_and_bad_differ_in_every_theme_with_colours(void **state)
{
	(void)state;
	for (unsigned t = 0; t < THEME_COUNT; t++)
		for (size_t d = 1; t != THEME_MONO && d < COUNT(depths); d++) {
			struct look good = theme_look((enum theme)t, STYLE_GOOD, depths[d]);
			struct look busy = theme_look((enum theme)t, STYLE_BUSY, depths[d]);
			struct look bad = theme_look((enum theme)t, STYLE_BAD, depths[d]);

			assert_true(good.fg != busy.fg && good.fg != bad.fg);
			assert_true(busy.fg != bad.fg || busy.bg != bad.bg);
		}
}

static void the_first_that_says_something_about_colours_counts(void **state)
{
	static const struct {
		struct theme_wishes w;
		int depth;
	} cases[] = {
		{ { .colors = 256 }, 256 },
		{ { .colors = 88 }, 16 },
		{ { .colors = 8 }, 8 },
		{ { .colors = -1 }, 0 },
		{ { .colors = 256, .term = "dumb" }, 0 },
		{ { .colors = 256, .no_color = "1" }, 0 },
		{ { .colors = 256, .no_color = "" }, 256 },
		{ { .colors = 256, .systemd_colors = "0" }, 0 },
		{ { .colors = 256, .systemd_colors = "16" }, 16 },
		{ { .colors = 8, .systemd_colors = "256" }, 8 },
		{ { .colors = 256, .systemd_colors = "yes", .no_color = "1" }, 256 },
		{ { .colors = 256, .systemd_colors = "who knows", .no_color = "1" }, 0 },
		{ { THEME_COLOR_ALWAYS, "0", "1", "dumb", 256 }, 256 },
		{ { .option = THEME_COLOR_ALWAYS, .colors = 0 }, 8 },
		{ { .option = THEME_COLOR_NEVER, .systemd_colors = "1", .colors = 256 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(theme_depth(&cases[i].w), cases[i].depth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stated_pair_of_colours_can_be_read),
		cmocka_unit_test(the_default_theme_is_the_terminals_own),
		cmocka_unit_test(without_colours_there_are_none_in_any_theme),
		cmocka_unit_test(no_colour_is_more_than_the_terminal_has),
		cmocka_unit_test(good_busy_and_bad_differ_in_every_theme_with_colours),
		cmocka_unit_test(the_first_that_says_something_about_colours_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

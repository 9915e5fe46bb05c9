#include "sample.h"

#include "base/text.h"

static struct grid grid(int w, int h, bool ascii)
{
	struct grid g;

	assert_int_equal(grid_init(&g, w, h, ascii), 0);
	return g;
}

static void assert_row(const struct grid *g, const char *wanted)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	grid_print(g, &text);
	assert_memory_equal(buf_text(&text), wanted, strlen(wanted));
}

static void text_that_does_not_fit_ends_in_a_mark(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(6, 1, false);

	(void)state;
	assert_int_equal(grid_text(&g, 0, 0, 6, STYLE_TEXT, "abcdef"), 6);
	assert_row(&g, "|abcdef|");
	assert_int_equal(grid_text(&g, 0, 0, 6, STYLE_TEXT, "abcdefg"), 6);
	assert_row(&g, "|abcde…|");
	assert_int_equal(grid_text(&g, 0, 0, 0, STYLE_TEXT, "abc"), 0);
}

static void a_wide_character_takes_two_cells_or_none(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(5, 1, false);

	(void)state;
	assert_int_equal(grid_text(&g, 0, 0, 5, STYLE_GOOD, "デデ"), 4);
	assert_row(&g, "|デデ |\n~gggg.~");
	assert_int_equal(grid_text(&g, 0, 0, 5, STYLE_TEXT, "デデデ"), 5);
	assert_row(&g, "|デデ…|");
}

static void no_escape_gets_through(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(30, 1, false);
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char hostile[] = { 'a', (char)byte, '[', '2', 'J', 0 };

		grid_text(&g, 0, 0, 30, STYLE_TEXT, hostile);
		grid_print(&g, &text);
	}
	assert_true(text_is_utf8(text.p, text.len, NULL));
	for (size_t i = 0; i < text.len; i++)
		assert_true(text.p[i] == '\n' || (unsigned char)text.p[i] >= ' ');
	grid_text(&g, 0, 0, 30, STYLE_TEXT, "\x1b[2J\xe2\x80\xae");
	assert_row(&g, "|\\x1b[2J<U+202E>               |");
}

static void without_utf8_only_ascii_is_put_into_cells(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(12, 1, true);

	(void)state;
	assert_int_equal(grid_text(&g, 0, 0, 12, STYLE_TEXT, "└é…デ"), 7);
	assert_row(&g, "|`?...??     |");
	assert_int_equal(grid_columns(&g, "└é…デ"), 7);
	grid_text(&g, 0, 0, 3, STYLE_TEXT, "abcd");
	assert_row(&g, "|ab>");
}

static void text_wraps_at_blanks(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(8, 3, false);

	(void)state;
	assert_int_equal(grid_lines(&g, 8, "one two three"), 2);
	assert_int_equal(grid_lines(&g, 8, "one\n\ntwo"), 3);
	assert_int_equal(grid_lines(&g, 8, ""), 1);
	assert_int_equal(grid_lines(&g, 4, "abcdefghij"), 3);
	assert_int_equal(grid_wrap(&g, (struct rect){ 0, 0, 8, 3 }, 0, STYLE_TEXT, "one two three"), 2);
	assert_row(&g, "|one two |\n~........~\n|three   |");
}

static void wrapped_text_that_is_cut_says_so(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(8, 1, false);

	(void)state;
	grid_wrap(&g, (struct rect){ 0, 0, 8, 1 }, 0, STYLE_TEXT, "one two three");
	assert_row(&g, "|one two…|");
}

static void what_lies_outside_is_left_out(void **state)
{
	CLEANUP(grid_done) struct grid g = grid(3, 2, false);

	(void)state;
	grid_text(&g, -1, 0, 5, STYLE_TEXT, "abcde");
	grid_text(&g, 0, 7, 5, STYLE_TEXT, "xyz");
	grid_fill(&g, (struct rect){ -5, 1, 100, 100 }, STYLE_BAD);
	grid_pick(&g, (struct rect){ 2, -3, 9, 9 });
	assert_row(&g, "|bcd|\n~..#~\n|   |\n~bbB~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_does_not_fit_ends_in_a_mark),
		cmocka_unit_test(a_wide_character_takes_two_cells_or_none),
		cmocka_unit_test(no_escape_gets_through),
		cmocka_unit_test(without_utf8_only_ascii_is_put_into_cells),
		cmocka_unit_test(text_wraps_at_blanks),
		cmocka_unit_test(wrapped_text_that_is_cut_says_so),
		cmocka_unit_test(what_lies_outside_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

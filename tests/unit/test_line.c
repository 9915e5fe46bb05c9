#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/input.h"
#include "ui/line.h"

static enum line_result type(struct line *l, const char *keys)
{
	enum line_result r = LINE_IGNORED;

	for (; *keys; keys++)
		r = line_key(l, (unsigned char)*keys);
	return r;
}

static void text_is_typed_at_the_caret_and_taken_away_before_it(void **state)
{
	struct line l = { 0 };

	(void)state;
	assert_int_equal(type(&l, "state:faild"), LINE_CHANGED);
	assert_int_equal(line_key(&l, INPUT_LEFT), LINE_MOVED);
	type(&l, "e");
	assert_string_equal(l.text, "state:failed");
	type(&l, "\x01!\x05");
	assert_string_equal(l.text, "!state:failed");
	line_key(&l, INPUT_BACKSPACE);
	line_key(&l, INPUT_HOME);
	line_key(&l, INPUT_DELETE);
	assert_string_equal(l.text, "state:faile");
	assert_int_equal(line_key(&l, INPUT_F1), LINE_IGNORED);
	assert_int_equal(line_key(&l, INPUT_ENTER), LINE_ENTERED);
	assert_int_equal(line_key(&l, INPUT_ESC), LINE_LEFT);
}

static void words_and_the_whole_can_be_taken_away(void **state)
{
	struct line l = { 0 };

	(void)state;
	line_set(&l, "web  state:failed  ");
	line_key(&l, 23);
	assert_string_equal(l.text, "web  ");
	line_set(&l, "one two");
	line_key(&l, INPUT_LEFT);
	line_key(&l, 21);
	assert_string_equal(l.text, "o");
	line_key(&l, 11);
	assert_string_equal(l.text, "");
	assert_int_equal(line_key(&l, INPUT_BACKSPACE), LINE_LEFT);
}

static void characters_are_whole_and_may_be_pasted(void **state)
{
	struct line l = { 0 };

	(void)state;
	line_key(&l, 'a' | INPUT_PASTED);
	line_key(&l, 0x30c7 | INPUT_PASTED);
	line_key(&l, 0x1f600);
	line_key(&l, 0xe9);
	assert_int_equal(line_key(&l, INPUT_PASTE), LINE_IGNORED);
	assert_string_equal(l.text, "a\u30c7\U0001f600\u00e9");
	line_key(&l, INPUT_LEFT);
	line_key(&l, INPUT_BACKSPACE);
	assert_string_equal(l.text, "a\u30c7\u00e9");
	assert_int_equal(l.caret, 4);
}

static void a_full_line_takes_no_more(void **state)
{
	char text[LINE_SIZE + 8];
	struct line l = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + LINE_SIZE - 3, "\u30c7", 4);
	line_set(&l, text);
	assert_int_equal(l.len, LINE_SIZE - 3); /* not half a character */
	line_set(&l, "");
	for (int i = 0; i < (LINE_SIZE - 1) / 3; i++)
		assert_int_equal(line_key(&l, 0x30c7), LINE_CHANGED);
	assert_int_equal(line_key(&l, 0x30c7), LINE_FULL);
	assert_int_equal(l.len, (LINE_SIZE - 1) / 3 * 3);
	assert_int_equal(strlen(l.text), l.len);
}

static void history_goes_back_and_forth_and_keeps_what_was_typed(void **state)
{
	struct line_history h = { 0 };
	struct line l = { .history = &h };

	(void)state;
	line_remember(&h, "one");
	line_remember(&h, "two");
	line_remember(&h, "");
	line_remember(&h, "one"); /* again: now the newest */
	assert_int_equal(h.n, 2);
	type(&l, "x");
	line_key(&l, INPUT_UP);
	assert_string_equal(l.text, "one");
	line_key(&l, INPUT_UP);
	assert_string_equal(l.text, "two");
	assert_int_equal(line_key(&l, INPUT_UP), LINE_MOVED);
	line_key(&l, INPUT_DOWN);
	line_key(&l, INPUT_DOWN);
	assert_string_equal(l.text, "x");
	assert_int_equal(line_key(&l, INPUT_DOWN), LINE_MOVED);
	for (int i = 0; i < 100; i++)
		line_remember(&h, (char[]){ (char)('!' + i % 90), '\0' });
	assert_int_equal(h.n, LINE_HISTORY);
}

static void the_caret_is_always_seen(void **state)
{
	struct line l = { 0 };

	(void)state;
	for (int w = 0; w < 30; w++) {
		CLEANUP(grid_done) struct grid g = { 0 };

		assert_int_equal(grid_init(&g, 30, 1, false), 0);
		line_set(&l, "web \u30c7\u30c7\u30c7\u30c7 state:failed port:80");
		line_draw(&g, 2, 0, w, STYLE_TEXT, "/", &l);
		assert_in_range(g.cursor_x, 0, 2 + w);
		if (w > 1)
			assert_in_range(g.cursor_x, 2 + 1, 2 + w - 1);
		line_key(&l, INPUT_HOME);
		line_draw(&g, 2, 0, w, STYLE_TEXT, "/", &l);
		if (w > 1)
			assert_int_equal(g.cursor_x, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_typed_at_the_caret_and_taken_away_before_it),
		cmocka_unit_test(words_and_the_whole_can_be_taken_away),
		cmocka_unit_test(characters_are_whole_and_may_be_pasted),
		cmocka_unit_test(a_full_line_takes_no_more),
		cmocka_unit_test(history_goes_back_and_forth_and_keeps_what_was_typed),
		cmocka_unit_test(the_caret_is_always_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

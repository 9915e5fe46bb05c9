#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/input.h"

/* The keys in bytes, as many as there are room for in ret; returns how many. */
static size_t keys_in(struct input *in, const char *bytes, size_t len, int ret[static 16])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int key = input_byte(in, (unsigned char)bytes[i]);

		if (key != INPUT_NONE && n < 16)
			ret[n++] = key;
	}
	return n;
}

static void assert_one_key(const char *bytes, int key)
{
	struct input in = { 0 };
	int found[16] = { 0 };

	assert_int_equal(keys_in(&in, bytes, strlen(bytes), found), key == INPUT_NONE ? 0 : 1);
	assert_int_equal(found[0], key);
	assert_int_equal(input_timeout(&in), 0);
}

static void keys_of_all_common_terminals_are_known(void **state)
{
	static const struct {
		const char *bytes;
		int key;
	} known[] = {
		{ "\x1b[A", INPUT_UP },
		{ "\x1bOA", INPUT_UP },
		{ "\x1b[B", INPUT_DOWN },
		{ "\x1b[5~", INPUT_PAGE_UP },
		{ "\x1b[6~", INPUT_PAGE_DOWN },
		{ "\x1b[H", INPUT_HOME },
		{ "\x1b[1~", INPUT_HOME },
		{ "\x1b[7~", INPUT_HOME },
		{ "\x1bOH", INPUT_HOME },
		{ "\x1b[F", INPUT_END },
		{ "\x1b[4~", INPUT_END },
		{ "\x1b[8~", INPUT_END },
		{ "\x1bOP", INPUT_F1 },
		{ "\x1b[11~", INPUT_F1 },
		{ "\x1b[[A", INPUT_F1 },
		{ "\x1b[21~", INPUT_F10 },
		{ "\x1b[24~", INPUT_F12 },
		{ "\x1b[3~", INPUT_DELETE },
		{ "\x7f", INPUT_BACKSPACE },
		{ "\b", INPUT_BACKSPACE },
		{ "\x1b[Z", INPUT_BACKTAB },
		{ "\x1b[1;5A", INPUT_UP },
		{ "\x1b[1;5D", INPUT_LEFT },
		{ "\x1bOc", INPUT_RIGHT },
		{ "\x1b[I", INPUT_FOCUS_IN },
		{ "\x1b[O", INPUT_FOCUS_OUT },
		{ "\x1b[?2026;2$y", INPUT_SYNC_KNOWN },
		{ "\r", INPUT_ENTER },
		{ "\n", INPUT_ENTER },
		{ "\x1bOM", INPUT_ENTER },
		{ "x", 'x' },
		{ "\x0c", 12 },
		{ "\xc3\xa9", 0xe9 },
		{ "\xe3\x83\x87", 0x30c7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		assert_one_key(known[i].bytes, known[i].key);
}

static void answers_of_the_terminal_are_no_keys(void **state)
{
	static const char *const answers[] = {
		"\x1b[?62;1;2;4c",
		"\x1b[24;80R",
		"\x1b[>41;354;0c",
		"\x1b]52;c;c3g=\a",
		"\x1b]11;rgb:0/0/0\x1b\\",
		"\x1bP1$r0m\x1b\\",
		"\x1bs",
		"\x1b[200;1H",
		"\x1b[?2026;0$y",
		"\x1b[?2026;4$y",
		"\x1b[1;2A",
		"\x1b[P",
		"\x1b[<0;33;12m",
		"\x1b[<35;33;12M",
		"\x1b[<0;0;12M",
		"\x1b[<0;33M",
		"\x1b[<0;33;12;4M",
		"\x1b[<99999999999999999999;1;1M",
		"\x1b[M#rx",
		"\x1b[M\x01rx",
		"\x1bOs",
		"\xff\xfe\xc0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++)
		assert_one_key(answers[i], INPUT_NONE);
}

static void a_press_of_the_mouse_is_a_key_with_a_place(void **state)
{
	static const struct {
		const char *bytes;
		struct input_mouse mouse;
	} known[] = {
		{ "\x1b[<0;33;12M", { 32, 11, INPUT_BUTTON_LEFT } },
		{ "\x1b[<1;1;1M", { 0, 0, INPUT_BUTTON_MIDDLE } },
		{ "\x1b[<18;300;2M", { 299, 1, INPUT_BUTTON_RIGHT } }, /* with Ctrl */
		{ "\x1b[<64;5;6M", { 4, 5, INPUT_WHEEL_UP } },
		{ "\x1b[<65;5;6M", { 4, 5, INPUT_WHEEL_DOWN } },
		{ "\x1b[M !\"", { 0, 1, INPUT_BUTTON_LEFT } },
		{ "\x1b[Ma\xff\xfe", { 222, 221, INPUT_WHEEL_DOWN } },
		{ "\x1b[32;10;20M", { 9, 19, INPUT_BUTTON_LEFT } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct input in = { 0 };
		int found[16] = { 0 };

		assert_int_equal(keys_in(&in, known[i].bytes, strlen(known[i].bytes), found), 1);
		assert_int_equal(found[0], INPUT_MOUSE);
		assert_int_equal(in.mouse.x, known[i].mouse.x);
		assert_int_equal(in.mouse.y, known[i].mouse.y);
		assert_int_equal(in.mouse.button, known[i].mouse.button);
	}
}

static void two_quick_clicks_on_a_row_are_a_double_one_and_a_third_is_not(void **state)
{
	const struct input_mouse here = { 3, 4, INPUT_BUTTON_LEFT }, below = { 3, 5, INPUT_BUTTON_LEFT };
	struct input_click last = { 0 };

	(void)state;
	assert_false(input_is_double(&last, &here, 1000));
	assert_true(input_is_double(&last, &here, 200000));
	assert_false(input_is_double(&last, &here, 300000));
	assert_false(input_is_double(&last, &below, 400000));
	assert_false(input_is_double(&last, &below, 400000 + INPUT_DOUBLE_USEC));
}

static void characters_of_a_paste_are_marked_and_sequences_in_it_are_left_out(void **state)
{
	static const char paste[] = "j\x1b[200~x\r\t\xc3\xa9\x07\x1b[A\x1b[201R\x1b\x1b[2\xc3z\x1b[201~k";
	static const int wanted[] = { 'j',
		                      'x' | INPUT_PASTED,
		                      ' ' | INPUT_PASTED,
		                      ' ' | INPUT_PASTED,
		                      0xe9 | INPUT_PASTED,
		                      'A' | INPUT_PASTED,
		                      'R' | INPUT_PASTED,
		                      'z' | INPUT_PASTED,
		                      INPUT_PASTE,
		                      'k' };
	struct input in = { 0 };
	int found[16];

	(void)state;
	assert_int_equal(keys_in(&in, paste, sizeof(paste) - 1, found), COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_int_equal(found[i], wanted[i]);
}

static void nothing_in_a_paste_is_ever_a_key(void **state)
{
	struct input in = { 0 };
	int found[16];

	(void)state;
	srandom(7);
	assert_int_equal(keys_in(&in, "\x1b[200~", 6, found), 0);
	for (int i = 0; i < 1000000; i++) {
		unsigned char byte = (unsigned char)(random() % 8 ? random() : 0x1b);
		int key = input_byte(&in, byte == '~' ? '!' : byte);

		assert_true(key == INPUT_NONE || ((unsigned)key & INPUT_PASTED));
	}
}

static void a_sequence_may_come_byte_by_byte_and_waits_for_its_rest(void **state)
{
	struct input in = { 0 };

	(void)state;
	assert_int_equal(input_byte(&in, 0x1b), INPUT_NONE);
	assert_in_range(input_timeout(&in), 1, 100);
	assert_int_equal(input_byte(&in, '['), INPUT_NONE);
	assert_true(input_timeout(&in) > 100);
	assert_int_equal(input_byte(&in, 'B'), INPUT_DOWN);
}

static void escape_alone_is_a_key_after_a_moment(void **state)
{
	struct input in = { 0 };

	(void)state;
	assert_int_equal(input_byte(&in, 0x1b), INPUT_NONE);
	assert_int_equal(input_expire(&in), INPUT_ESC);
	assert_int_equal(input_timeout(&in), 0);
	assert_int_equal(input_byte(&in, 'q'), 'q');
}

static void a_paste_that_never_ends_does_not_swallow_keys_for_ever(void **state)
{
	struct input in = { 0 };
	int found[16];

	(void)state;
	assert_int_equal(keys_in(&in, "\x1b[200~xxxx", 10, found), 4);
	assert_true(input_timeout(&in) > 0);
	assert_int_equal(input_expire(&in), INPUT_PASTE);
	assert_int_equal(input_byte(&in, 'q'), 'q');
}

static void the_wait_after_an_escape_follows_setting_variable_and_ssh(void **state)
{
	(void)state;
	assert_int_equal(input_escape_msec(0, NULL, NULL), 25);
	assert_int_equal(input_escape_msec(0, NULL, "10.0.0.1 5 10.0.0.2 22"), 100);
	assert_int_equal(input_escape_msec(0, "50", "10.0.0.1 5 10.0.0.2 22"), 50);
	assert_int_equal(input_escape_msec(0, "many", NULL), 25);
	assert_int_equal(input_escape_msec(70, "50", NULL), 70);
	assert_int_equal(input_escape_msec(0, "4000000000", NULL), 5000);
}

static void garbage_never_locks_the_decoder(void **state)
{
	struct input in = { 0 };

	(void)state;
	srandom(42);
	for (int i = 0; i < 1000000; i++)
		(void)input_byte(&in, (unsigned char)(random() % 8 ? random() : 0x1b));
	(void)input_expire(&in);
	assert_int_equal(input_byte(&in, 'q'), 'q');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_all_common_terminals_are_known),
		cmocka_unit_test(answers_of_the_terminal_are_no_keys),
		cmocka_unit_test(a_press_of_the_mouse_is_a_key_with_a_place),
		cmocka_unit_test(two_quick_clicks_on_a_row_are_a_double_one_and_a_third_is_not),
		cmocka_unit_test(characters_of_a_paste_are_marked_and_sequences_in_it_are_left_out),
		cmocka_unit_test(nothing_in_a_paste_is_ever_a_key),
		cmocka_unit_test(a_sequence_may_come_byte_by_byte_and_waits_for_its_rest),
		cmocka_unit_test(escape_alone_is_a_key_after_a_moment),
		cmocka_unit_test(a_paste_that_never_ends_does_not_swallow_keys_for_ever),
		cmocka_unit_test(the_wait_after_an_escape_follows_setting_variable_and_ssh),
		cmocka_unit_test(garbage_never_locks_the_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

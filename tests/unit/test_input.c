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
		"\x1b[I",
		"\x1b]52;c;c3g=\a",
		"\x1b]11;rgb:0/0/0\x1b\\",
		"\x1bP1$r0m\x1b\\",
		"\x1b[<0;33;12M",
		"\x1b[Msrx",
		"\x1b[1;5A",
		"\x1bs",
		"\x1b[200;1H",
		"\x1b[?2026;2$y",
		"\x1bOs",
		"\xff\xfe\xc0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++)
		assert_one_key(answers[i], INPUT_NONE);
}

static void a_paste_is_one_event_whatever_is_in_it(void **state)
{
	static const char paste[] = "j\x1b[200~x\ry\r\x1b[A\x1b[201 R\x1b\x1b[2\x1b[201~k";
	struct input in = { 0 };
	int found[16];

	(void)state;
	assert_int_equal(keys_in(&in, paste, sizeof(paste) - 1, found), 3);
	assert_int_equal(found[0], 'j');
	assert_int_equal(found[1], INPUT_PASTE);
	assert_int_equal(found[2], 'k');
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
	assert_int_equal(keys_in(&in, "\x1b[200~xxxx", 10, found), 0);
	assert_true(input_timeout(&in) > 0);
	assert_int_equal(input_expire(&in), INPUT_PASTE);
	assert_int_equal(input_byte(&in, 'q'), 'q');
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
		cmocka_unit_test(a_paste_is_one_event_whatever_is_in_it),
		cmocka_unit_test(a_sequence_may_come_byte_by_byte_and_waits_for_its_rest),
		cmocka_unit_test(escape_alone_is_a_key_after_a_moment),
		cmocka_unit_test(a_paste_that_never_ends_does_not_swallow_keys_for_ever),
		cmocka_unit_test(garbage_never_locks_the_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

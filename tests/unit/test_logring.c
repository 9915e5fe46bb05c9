#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "words/logline.h"
#include "words/logregex.h"
#include "words/logring.h"

static void add(struct logring *r, uint64_t usec, uint32_t machine, enum log_source source, const char *text)
{
	const struct logrec rec = { .usec = usec,
		                    .machine = machine,
		                    .source = source,
		                    .priority = 6,
		                    .ident = "test",
		                    .text = text };

	logring_add(r, &rec);
}

static void assert_order(const struct logring *r, const char *wanted)
{
	char found[64] = "";

	for (uint64_t at = logring_begin(r); at < logring_end(r); at++)
		strncat(found, logring_at(r, at)->text, sizeof(found) - strlen(found) - 1);
	assert_string_equal(found, wanted);
}

static void records_of_several_journals_are_in_order_of_time(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };

	(void)state;
	assert_int_equal(logring_init(&r, 10, 10000), 0);
	add(&r, 10, 0, LOG_GUEST, "a");
	add(&r, 30, 0, LOG_GUEST, "c");
	add(&r, 20, 0, LOG_CONSOLE, "b");
	add(&r, 40, 1, LOG_GUEST, "e");
	add(&r, 35, 0, LOG_SYSTEMD, "d");
	assert_order(&r, "abcde");
}

static void the_order_of_one_journal_stands_whatever_its_clock_says(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };

	(void)state;
	assert_int_equal(logring_init(&r, 10, 10000), 0);
	add(&r, 100, 0, LOG_GUEST, "a");
	add(&r, 50, 0, LOG_GUEST, "b"); /* the clock was set back */
	add(&r, 60, 0, LOG_GUEST, "c");
	add(&r, 55, 0, LOG_CONSOLE, "d");
	assert_order(&r, "abdc");
}

static void what_falls_out_is_counted_exactly(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };

	(void)state;
	assert_int_equal(logring_init(&r, 100, 1000000), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		add(&r, i, 0, LOG_GUEST, "x");
		assert_int_equal(r.received, r.n + r.fallen + r.lost);
	}
	assert_int_equal(r.n, 100);
	assert_int_equal(r.fallen, 99900);
	assert_int_equal(logring_begin(&r), 99900);
	assert_int_equal(logring_at(&r, 99900)->id, 99900);
	assert_null(logring_at(&r, 99899));
	assert_null(logring_at(&r, 100000));
}

static void bytes_are_bounded_too(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };
	char text[4001];

	(void)state;
	memset(text, 'x', 4000);
	text[4000] = '\0';
	assert_int_equal(logring_init(&r, 10000, 100000), 0);
	for (uint64_t i = 0; i < 1000; i++)
		add(&r, i, 0, LOG_GUEST, text);
	assert_in_range(r.bytes, 90000, 100000);
	assert_int_equal(r.received, r.n + r.fallen);
}

static void news_begin_where_a_late_record_moved_the_others(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };

	(void)state;
	assert_int_equal(logring_init(&r, 10, 10000), 0);
	for (uint64_t i = 0; i < 5; i++)
		add(&r, 10 * i, 0, LOG_GUEST, "g");
	assert_int_equal(logring_news(&r), 0);
	assert_int_equal(logring_news(&r), 5);
	add(&r, 25, 0, LOG_CONSOLE, "c");
	assert_int_equal(logring_news(&r), 3);
	add(&r, 50, 0, LOG_GUEST, "g");
	assert_int_equal(logring_news(&r), 6);
}

static void a_record_older_than_all_of_a_full_ring_falls_out_at_once(void **state)
{
	CLEANUP(logring_done) struct logring r = { 0 };

	(void)state;
	assert_int_equal(logring_init(&r, 3, 10000), 0);
	add(&r, 10, 0, LOG_GUEST, "a");
	add(&r, 20, 0, LOG_GUEST, "b");
	add(&r, 30, 0, LOG_GUEST, "c");
	add(&r, 1, 0, LOG_CONSOLE, "z");
	assert_order(&r, "abc");
	assert_int_equal(r.fallen, 1);
}

/* ---- regex */

static bool found(const char *regex, const char *text)
{
	CLEANUP(logregex_done) struct logregex x = { 0 };
	size_t at, len;

	assert_int_equal(logregex_set(&x, regex, NULL), 0);
	return logregex_find(&x, text, 0, &at, &len);
}

static void case_matters_only_with_a_capital(void **state)
{
	(void)state;
	assert_true(found("error", "an ERROR"));
	assert_false(found("Error", "an ERROR"));
	assert_true(found("err(or)?$", "an ERROR"));
	assert_false(found("Err(or)?$", "an ERROR"));
	assert_false(found("", "an ERROR"));
}

static void a_bad_regex_is_a_sentence_and_changes_nothing(void **state)
{
	CLEANUP(logregex_done) struct logregex x = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(logregex_set(&x, "good", NULL), 0);
	assert_int_equal(logregex_set(&x, "(bad", &e), -EINVAL);
	assert_non_null(strstr(e.text, "'(bad' can not be searched for: "));
	assert_string_equal(x.text, "good");
}

/* ---- what the reader makes of a message */

static void assert_shown(const char *raw, size_t len, const char *wanted)
{
	char shown[LOG_TEXT_MAX + 1];

	assert_int_equal(logline_record(shown, sizeof(shown), raw, len), strlen(wanted));
	assert_string_equal(shown, wanted);
}

static void hostile_messages_become_printable(void **state)
{
	(void)state;
#define SHOWN(raw, wanted) assert_shown(raw, sizeof(raw) - 1, wanted)
	SHOWN("\x1b[1;31mred\x1b[0m\r\n", "red");
	SHOWN("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07");
	SHOWN("nul\0in it", "nul\\x00in it");
	SHOWN("over\rwrite", "over\\x0dwrite");
	SHOWN("\xed\xa0\x80 surrogate", "\\xed\\xa0\\x80 surrogate");
	SHOWN("\xc0\xaf overlong", "\\xc0\\xaf overlong");
	SHOWN("cut \xe2\x82", "cut \\xe2\\x82");
	SHOWN("\xe2\x80\xaertl \xc2\x9b", "<U+202E>rtl \\x9b");
	SHOWN("two\nlines\n", "two\nlines");
	SHOWN("%n%s%99999d", "%n%s%99999d");
	SHOWN("", "");
	SHOWN(" \n\t\r", "");
}

static void a_long_message_is_cut_with_a_mark(void **state)
{
	char shown[64], *raw = malloc(1 << 22);

	(void)state;
	assert_non_null(raw);
	for (size_t shift = 0; shift < 4; shift++) {
		for (size_t i = 0; i < 1 << 22; i++)
			raw[i] = *(i < shift ? "x" : &"\xe2\x82\xac"[(i - shift) % 3]);
		assert_in_range(logline_record(shown, sizeof(shown), raw, 1 << 22), 58, 63);
		assert_non_null(strstr(shown, "\xe2\x82\xac\xe2\x80\xa6"));
	}
	memset(raw, 'a', 1 << 22);
	assert_int_equal(logline_record(shown, sizeof(shown), raw, 1 << 22), 63);
	assert_int_equal(logline_record(shown, sizeof(shown), raw, 60), 60);
	free(raw);
}

static void priorities_are_words_or_digits(void **state)
{
	unsigned p = 9;

	(void)state;
	assert_int_equal(log_priority_parse("err", &p), 0);
	assert_int_equal(p, LOG_PRIORITY_ERR);
	assert_int_equal(log_priority_parse("7", &p), 0);
	assert_int_equal(p, LOG_PRIORITY_ALL);
	assert_int_equal(log_priority_parse("8", &p), -EINVAL);
	assert_int_equal(log_priority_parse("", &p), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_several_journals_are_in_order_of_time),
		cmocka_unit_test(the_order_of_one_journal_stands_whatever_its_clock_says),
		cmocka_unit_test(what_falls_out_is_counted_exactly),
		cmocka_unit_test(bytes_are_bounded_too),
		cmocka_unit_test(news_begin_where_a_late_record_moved_the_others),
		cmocka_unit_test(a_record_older_than_all_of_a_full_ring_falls_out_at_once),
		cmocka_unit_test(case_matters_only_with_a_capital),
		cmocka_unit_test(a_bad_regex_is_a_sentence_and_changes_nothing),
		cmocka_unit_test(hostile_messages_become_printable),
		cmocka_unit_test(a_long_message_is_cut_with_a_mark),
		cmocka_unit_test(priorities_are_words_or_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/spark.h"
#include "ui/units.h"

static void bytes_take_at_most_four_columns(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} known[] = {
		{ 0, "0B" },
		{ 512, "512B" },
		{ 999, "999B" },
		{ 1000, "1.0K" },
		{ 1024, "1.0K" },
		{ 10189, "10K" },
		{ 10188, "9.9K" },
		{ 1023ull << 20, "1.0G" },
		{ 412ull << 20, "412M" },
		{ UINT64_MAX - 1, "16E" },
		{ UINT64_MAX, "-" },
	};
	char text[UNITS_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		units_bytes(known[i].bytes, text);
		assert_string_equal(text, known[i].text);
	}
	for (uint64_t n = 1; n < UINT64_MAX / 8; n = n * 5 / 3 + 1) {
		units_bytes(n, text);
		assert_in_range(strlen(text), 2, 4);
	}
}

static void percents_have_one_decimal_until_it_does_not_matter(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	units_percent(3.14, text);
	assert_string_equal(text, "3.1");
	units_percent(999.96, text);
	assert_string_equal(text, "1000");
	units_percent((double)NAN, text);
	assert_string_equal(text, "-");
	units_percent((double)INFINITY, text);
	assert_string_equal(text, "1000000000");
}

static void counts_are_whole_while_they_are_short(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	units_count(9999, text);
	assert_string_equal(text, "9999");
	units_count(12345, text);
	assert_string_equal(text, "12k");
	units_count(3400000, text);
	assert_string_equal(text, "3.4M");
}

static void a_span_is_rounded_down_and_says_when_it_changes(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	assert_int_equal(units_span(59999999, text), 1000000);
	assert_string_equal(text, "59s");
	assert_int_equal(units_span(60000000, text), 60000000);
	assert_string_equal(text, "1m");
	units_span(47ull * 3600 * 1000000, text);
	assert_string_equal(text, "47h");
	units_span(12ull * 86400 * 1000000, text);
	assert_string_equal(text, "12d");
	units_span(UINT64_MAX, text);
	assert_string_equal(text, "-");
	units_span_long(47ull * 3600 * 1000000, text);
	assert_string_equal(text, "1d 23h");
	units_span_long(200ull * 1000000, text);
	assert_string_equal(text, "3m 20s");
	units_span_long(3600ull * 1000000, text);
	assert_string_equal(text, "1h");
}

static void sizes_and_spans_can_be_typed(void **state)
{
	static const char *const bad[] = {
		"", ".", "1.2.3", "1Q", "1KB", "-1", "1e3", "99999999999999999999"
	};
	double value = 7;

	(void)state;
	assert_int_equal(units_parse_bytes("1.5g", 4, &value), 0);
	assert_true(value == 1.5 * 1024 * 1024 * 1024);
	assert_int_equal(units_parse_bytes("512", 3, &value), 0);
	assert_true(value == 512);
	assert_int_equal(units_parse_span("5m", 2, &value), 0);
	assert_true(value == 300e6);
	assert_int_equal(units_parse_span("1w", 2, &value), 0);
	assert_true(value == 7 * 86400e6);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(units_parse_bytes(bad[i], strlen(bad[i]), &value), -EINVAL);
		assert_int_equal(units_parse_span(bad[i], strlen(bad[i]), &value), -EINVAL);
	}
}

static void a_history_is_bars_with_blanks_where_nothing_is_known(void **state)
{
	const float v[] = { NAN, 0, 1, 2, 4, 8 };
	char text[SPARK_SIZE];

	(void)state;
	assert_true(spark_text(v, COUNT(v), 0, 6, 0, false, text) == 8.0f);
	assert_string_equal(text, " ▁▂▃▅█");
	spark_text(v, COUNT(v), 0, 8, 16, true, text);
	assert_string_equal(text, "   ...:=");
	spark_text(v, 1, 0, 3, 0, true, text);
	assert_string_equal(text, "   ");
	spark_text(v, COUNT(v), 0, 0, 0, true, text);
	assert_string_equal(text, "");
	spark_text(NULL, 0, 0, 2, 0, true, text);
	assert_string_equal(text, "  ");
}

static void groups_of_samples_stay_together_while_they_move(void **state)
{
	char before[SPARK_SIZE], after[SPARK_SIZE];
	float v[12], w[12];

	(void)state;
	for (size_t i = 0; i < 12; i++)
		v[i] = (float)(i * i % 7);
	memcpy(w, v + 1, 11 * sizeof(v[0]));
	w[11] = 0;
	spark_text(v, 12, 13, 4, 7, true, before); /* three a cell, the last has one */
	spark_text(w, 12, 14, 4, 7, true, after);
	assert_memory_equal(before + 1, after + 1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_take_at_most_four_columns),
		cmocka_unit_test(percents_have_one_decimal_until_it_does_not_matter),
		cmocka_unit_test(counts_are_whole_while_they_are_short),
		cmocka_unit_test(a_span_is_rounded_down_and_says_when_it_changes),
		cmocka_unit_test(sizes_and_spans_can_be_typed),
		cmocka_unit_test(a_history_is_bars_with_blanks_where_nothing_is_known),
		cmocka_unit_test(groups_of_samples_stay_together_while_they_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

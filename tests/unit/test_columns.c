#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/columns.h"

static void ranks_say_who_leaves_first(void **state)
{
	static const enum column_id leaving[] = { COLUMN_TX,      COLUMN_RX,    COLUMN_LIMIT, COLUMN_HISTORY,
		                                  COLUMN_ADDRESS, COLUMN_PORTS, COLUMN_MEM,   COLUMN_CPU,
		                                  COLUMN_UP,      COLUMN_STATE, COLUMN_NAME };
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i + 1 < COUNT(leaving); i++)
		assert_true(columns_info(leaving[i])->rank > columns_info(leaving[i + 1])->rank);
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		seen |= 1u << columns_info((enum column_id)c)->rank;
	assert_int_equal(seen, (1u << COLUMN_COUNT) - 1); /* each rank once */
}

static void a_list_of_columns_can_be_written_and_read_again(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct columns c, again;
	struct err e;

	(void)state;
	assert_int_equal(columns_parse("name, State,-up mem", &c, &e), 0);
	assert_int_equal(c.order[0], COLUMN_NAME);
	assert_int_equal(c.order[2], COLUMN_UP);
	assert_int_equal(c.order[3], COLUMN_MEM);
	assert_true(c.shown[COLUMN_STATE] && c.shown[COLUMN_MEM]);
	assert_false(c.shown[COLUMN_UP] || c.shown[COLUMN_CPU]);
	columns_print(&c, &text);
	assert_int_equal(strncmp(buf_text(&text), "name,state,-up,mem,-cpu,", 24), 0);
	assert_int_equal(columns_parse(buf_text(&text), &again, &e), 0);
	assert_memory_equal(again.order, c.order, sizeof(c.order));
	assert_memory_equal(again.shown, c.shown, sizeof(c.shown));
}

static void a_wrong_column_is_named(void **state)
{
	struct columns c = { .shown = { true } };
	struct err e;

	(void)state;
	assert_int_equal(columns_parse("name,speed", &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "there is no column 'speed' (name, state"));
	assert_int_equal(columns_parse("-name,cpu,cpu", &c, &e), 0);
	assert_true(c.shown[COLUMN_NAME]); /* never hidden */
}

static void columns_are_moved_among_those_that_are_shown(void **state)
{
	struct columns c;
	struct err e;

	(void)state;
	assert_int_equal(columns_parse("name,state,-up,mem", &c, &e), 0);
	assert_true(columns_move(&c, COLUMN_MEM, -1));
	assert_int_equal(c.order[1], COLUMN_MEM);
	assert_false(columns_move(&c, COLUMN_MEM, -1));
	assert_false(columns_move(&c, COLUMN_NAME, 1));
	assert_true(columns_move(&c, COLUMN_MEM, 1));
	assert_int_equal(c.order[2], COLUMN_MEM);
	assert_false(columns_move(&c, COLUMN_MEM, 1));
	assert_false(columns_show(&c, COLUMN_NAME, false));
	assert_true(columns_show(&c, COLUMN_UP, true));
}

struct row {
	struct machine m;
	struct stats s;
};

static int compare_cfg(const char *sort, const struct row *a, enum cfg cfg_a, const struct row *b,
                       enum cfg cfg_b)
{
	const struct columns_row one = { &a->m, &a->s, cfg_a }, other = { &b->m, &b->s, cfg_b };
	struct columns_sort s;
	struct err e;

	assert_int_equal(columns_sort_parse(sort, &s, &e), 0);
	return columns_compare(&s, &one, &other);
}

static int compare(const char *sort, const struct row *a, const struct row *b)
{
	return compare_cfg(sort, a, CFG_UNKNOWN, b, CFG_UNKNOWN);
}

static void figures_sort_largest_first_and_unknown_last_either_way(void **state)
{
	char web2[] = "web-2", web10[] = "web-10", lab[] = "lab";
	const struct row a = { { .name = web2 }, { .at_usec = 1, .cpu = 5, .memory = 100 } };
	const struct row b = { { .name = web10 }, { .at_usec = 1, .cpu = 50, .memory = STATS_UNKNOWN } };
	const struct row c = { { .name = lab }, { .cpu = NAN } };

	(void)state;
	assert_true(compare("cpu", &b, &a) < 0);
	assert_true(compare("-cpu", &b, &a) > 0);
	assert_true(compare("cpu", &a, &c) < 0);
	assert_true(compare("-cpu", &a, &c) < 0);
	assert_true(compare("mem", &a, &b) < 0);
	assert_true(compare("-mem", &b, &a) > 0);
	assert_true(compare("name", &a, &b) < 0); /* 2 before 10 */
	assert_true(compare("-name", &a, &b) > 0);
	assert_true(compare("mem", &c, &b) < 0); /* both unknown: by name */
}

static void addresses_and_ports_sort_as_numbers(void **state)
{
	char web[] = "web", lab[] = "lab";
	char *low[] = { "10.0.0.9", NULL }, *high[] = { "10.0.0.10", NULL };
	char *p80[] = { "tcp:80:80", NULL }, *p9000[] = { "tcp:9000:1", NULL };
	const struct row a = { { .name = web, .addresses = { low, 1, false }, .ports = { p80, 1, false } },
		               { .at_usec = 0 } };
	const struct row b = { { .name = lab, .addresses = { high, 1, false }, .ports = { p9000, 1, false } },
		               { .at_usec = 0 } };

	(void)state;
	assert_true(compare("address", &a, &b) < 0);
	assert_true(compare("ports", &a, &b) < 0);
}

static void what_needs_a_person_comes_first(void **state)
{
	char name[] = "x", why[] = "because";
	const struct row failed = { { .name = name, .state = MACHINE_FAILED }, { .at_usec = 0 } };
	const struct row starting = { { .name = name, .state = MACHINE_STARTING }, { .at_usec = 0 } };
	const struct row ill = { { .name = name, .state = MACHINE_RUNNING, .reason = why },
		                 { .at_usec = 0 } };
	const struct row fine = { { .name = name, .state = MACHINE_RUNNING }, { .at_usec = 0 } };
	const struct row off = { { .name = name, .state = MACHINE_STOPPED }, { .at_usec = 0 } };

	(void)state;
	assert_true(compare("urgency", &failed, &starting) < 0);
	assert_true(compare("urgency", &starting, &ill) < 0);
	assert_true(compare("urgency", &ill, &fine) < 0);
	assert_true(compare("urgency", &fine, &off) < 0);
}

static void cfg_sorts_by_what_is_worst(void **state)
{
	char name[] = "a", last[] = "z";
	const struct row a = { { .name = name }, { .at_usec = 0 } },
			 z = { { .name = last }, { .at_usec = 0 } };

	(void)state;
	for (enum cfg c = CFG_BAD; c < CFG_UNKNOWN; c++)
		assert_true(compare_cfg("cfg", &z, c, &a, c + 1) < 0);
	assert_true(compare_cfg("-cfg", &z, CFG_OK, &a, CFG_BAD) < 0);
	assert_true(compare_cfg("-cfg", &z, CFG_BAD, &a, CFG_UNKNOWN) < 0);
	assert_true(compare_cfg("cfg", &a, CFG_OK, &z, CFG_OK) < 0);
}

static void a_sort_can_be_written_and_read_again(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct columns_sort s;
	struct err e;

	(void)state;
	assert_int_equal(columns_sort_parse("-mem", &s, &e), 0);
	columns_sort_print(&s, &text);
	assert_string_equal(buf_text(&text), "-mem");
	assert_int_equal(columns_sort_parse("size", &s, &e), -EINVAL);
}

static void sorts_by_figures_say_so(void **state)
{
	static const char *const by_figures[] = { "cpu",   "-cpu",  "history", "mem",
		                                  "limit", "tasks", "rx",      "-tx" };
	static const char *const others[] = { "urgency", "name", "-up", "cfg", "address", "autostart" };
	struct columns_sort s;

	(void)state;
	for (size_t i = 0; i < sizeof(by_figures) / sizeof(*by_figures); i++) {
		assert_int_equal(columns_sort_parse(by_figures[i], &s, NULL), 0);
		assert_true(columns_sort_needs_stats(&s));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(columns_sort_parse(others[i], &s, NULL), 0);
		assert_false(columns_sort_needs_stats(&s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_say_who_leaves_first),
		cmocka_unit_test(a_list_of_columns_can_be_written_and_read_again),
		cmocka_unit_test(a_wrong_column_is_named),
		cmocka_unit_test(columns_are_moved_among_those_that_are_shown),
		cmocka_unit_test(figures_sort_largest_first_and_unknown_last_either_way),
		cmocka_unit_test(addresses_and_ports_sort_as_numbers),
		cmocka_unit_test(what_needs_a_person_comes_first),
		cmocka_unit_test(cfg_sorts_by_what_is_worst),
		cmocka_unit_test(a_sort_can_be_written_and_read_again),
		cmocka_unit_test(sorts_by_figures_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

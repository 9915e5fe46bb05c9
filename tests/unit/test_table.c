#include "sample.h"

#define ROWS 9

struct fixture {
	struct grid g;
	struct table_row rows[ROWS];
	char names[ROWS][16];
	struct table t;
};

static void set_up(struct fixture *f, int w, int h)
{
	*f = (struct fixture){ .t = { .columns = { { "NAME", 0, 4, 4, 20, false, 0 },
		                                   { "STATE", 1, 5, 5, 10, false, 0 },
		                                   { "WHERE", 2, 6, 6, 20, false, 0 } },
		                      .n_columns = 3,
		                      .n_rows = ROWS,
		                      .empty = "nothing" } };
	f->t.rows = f->rows;
	assert_int_equal(grid_init(&f->g, w, h, false), 0);
	for (size_t i = 0; i < ROWS; i++) {
		(void)snprintf(f->names[i], sizeof(f->names[i]), "m%zu", i);
		f->rows[i] = (struct table_row){ .mark = '+',
			                         .style = STYLE_GOOD,
			                         .cells = { { f->names[i], STYLE_TEXT },
			                                    { "running", STYLE_GOOD },
			                                    { "10.0.0.1", STYLE_TEXT } } };
	}
}

static void tear_down(struct fixture *f)
{
	grid_done(&f->g);
}

static struct rect all(const struct fixture *f)
{
	return (struct rect){ 0, 0, f->g.w, f->g.h };
}

static bool shows(struct fixture *f, const char *text)
{
	CLEANUP(buf_done) struct buf b = { 0 };

	grid_fill(&f->g, all(f), STYLE_TEXT);
	f->t.top = table_scroll(&f->t, &f->g, all(f));
	table_draw(&f->g, all(f), &f->t);
	grid_print(&f->g, &b);
	return strstr(buf_text(&b), text) != NULL;
}

static void the_selected_row_is_always_seen(void **state)
{
	(void)state;
	for (int h = 1; h < 14; h++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f, 60, h);
		f.rows[3].note = f.rows[4].note =
			"because of this and that, and because of something else as well";
		for (size_t i = 0; i < ROWS; i++) {
			f.t.cursor = i;
			assert_true(shows(&f, f.names[i]));
		}
		for (size_t i = ROWS; i > 0; i--) {
			f.t.cursor = i - 1;
			assert_true(shows(&f, f.names[i - 1]));
		}
	}
}

static void a_shrinking_list_leaves_no_empty_lines_above(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 60, 6);
	f.t.top = f.t.cursor = 8;
	assert_true(shows(&f, "m4"));
	f.t.n_rows = 3;
	f.t.cursor = 2;
	assert_int_equal(table_scroll(&f.t, &f.g, all(&f)), 0);
}

static void columns_leave_by_rank_and_the_name_stays(void **state)
{
	static const struct {
		int w;
		bool state, where;
	} at[] = { { 60, true, true }, { 22, true, true }, { 16, true, false }, { 12, false, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f, at[i].w, 12);
		assert_true(shows(&f, "m0"));
		assert_int_equal(shows(&f, "runn"), at[i].state);
		assert_int_equal(shows(&f, "10.0."), at[i].where);
	}
}

static void a_long_name_keeps_its_end(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 14, 8);
	f.t.n_columns = 1;
	f.rows[0].cells[0].text = "production-web-01";
	assert_true(shows(&f, "produ…eb-01"));
}

static void an_unknown_cell_is_a_dimmed_dash(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 60, 8);
	f.rows[1].cells[2] = (struct table_cell){ NULL, STYLE_TEXT };
	assert_true(shows(&f, "| + m1    running  - "));
	assert_true(shows(&f, "~.g.......ggggggg..d"));
}

static void in_a_small_table_the_reason_is_in_the_row(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 28, 5);
	f.rows[0].note = "out of memory";
	assert_true(shows(&f, "|>+ m0 out of memory"));
	grid_done(&f.g);
	assert_int_equal(grid_init(&f.g, 40, 8, false), 0);
	assert_true(shows(&f, "|   └ out of memory"));
}

static void an_empty_table_says_so(void **state)
{
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f, 30, 4);
	f.t.n_rows = 0;
	assert_true(shows(&f, "nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_selected_row_is_always_seen),
		cmocka_unit_test(a_shrinking_list_leaves_no_empty_lines_above),
		cmocka_unit_test(columns_leave_by_rank_and_the_name_stays),
		cmocka_unit_test(a_long_name_keeps_its_end),
		cmocka_unit_test(an_unknown_cell_is_a_dimmed_dash),
		cmocka_unit_test(in_a_small_table_the_reason_is_in_the_row),
		cmocka_unit_test(an_empty_table_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

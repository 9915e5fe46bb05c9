#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ui/docview.h"

static void a_line_is_told_without_what_the_one_before_had(void **state)
{
	CLEANUP(doc_done) struct doc d = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	doc_line(&d, STYLE_TEXT, "a line ");
	doc_add(&d, STYLE_BAD, "of two spans");
	doc_head(&d, "Next");
	assert_false(d.bad);
	assert_int_equal(d.n_lines, 3);
	doc_plain(&d, 0, &text);
	assert_string_equal(buf_text(&text), "a line of two spans");
	doc_plain(&d, 1, &text);
	assert_string_equal(buf_text(&text), "");
	doc_plain(&d, 2, &text);
	assert_string_equal(buf_text(&text), "Next");
}

static void an_empty_line_is_one_line_and_nothing_is_found_in_it(void **state)
{
	CLEANUP(doc_done) struct doc d = { 0 };
	CLEANUP(grid_done) struct grid g = { 0 };

	(void)state;
	assert_int_equal(grid_init(&g, 10, 10, true), 0);
	doc_line(&d, STYLE_TEXT, "four words and five");
	doc_head(&d, "Next");
	assert_int_equal(docview_lines(&g, 10, &d), 4);
	assert_int_equal(docview_seek(&g, 10, &d, "four", 0, 1), 0);
}

static void only_blanks_that_align_are_squeezed(void **state)
{
	CLEANUP(doc_done) struct doc d = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	doc_fact(&d, "cpu", STYLE_STRONG, "%-6s", "3%");
	doc_add(&d, STYLE_TEXT, "  limit 200%%");
	doc_add(&d, STYLE_DIM, "  avg 4%%");
	doc_line(&d, STYLE_TEXT, "    four  two");
	doc_squeeze(&d);
	doc_plain(&d, 0, &text);
	assert_string_equal(buf_text(&text), "cpu 3% limit 200%");
	assert_int_equal(d.lines[0].indent, 2);
	doc_plain(&d, 1, &text);
	assert_string_equal(buf_text(&text), "    four  two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_told_without_what_the_one_before_had),
		cmocka_unit_test(an_empty_line_is_one_line_and_nothing_is_found_in_it),
		cmocka_unit_test(only_blanks_that_align_are_squeezed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

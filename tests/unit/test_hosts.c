#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/hosts.h"

static struct strs lines_of(const char *a, const char *b)
{
	struct strs s = { 0 };

	if (a)
		strs_add(&s, a);
	if (b)
		strs_add(&s, b);
	return s;
}

static void expect(const char *old, const char *a, const char *b, const char *want)
{
	CLEANUP(strs_done) struct strs lines = lines_of(a, b);
	CLEANUP(buf_done) struct buf new = { 0 };
	struct err e;

	assert_int_equal(hosts_edit(old, strlen(old), &lines, &new, &e), 0);
	assert_string_equal(buf_text(&new), want);
}

static void refuse(const char *old, const char *part)
{
	CLEANUP(strs_done) struct strs lines = lines_of("10.0.0.1 a.containers", NULL);
	CLEANUP(buf_done) struct buf new = { 0 };
	struct err e = { 0 };

	assert_true(hosts_edit(old, strlen(old), &lines, &new, &e) < 0);
	assert_int_equal(e.status, STATUS_DATA);
	assert_non_null(strstr(e.text, part));
}

static void each_family_has_a_line_without_the_prefix(void **state)
{
	CLEANUP(strs_done) struct strs lines = { 0 };
	char name[] = "web";
	struct container c = { .name = name };

	(void)state;
	assert_int_equal(addr_parse("10.0.0.2/24", &c.addr[LOCAL4], NULL), 0);
	assert_int_equal(addr_parse("fc00:0::2", &c.addr[LOCAL6], NULL), 0);
	assert_int_equal(addr_parse("10.0.0.1", &c.addr[HOST4], NULL), 0);
	hosts_lines(&c, &lines);
	assert_int_equal(lines.n, 2);
	assert_string_equal(lines.v[0], "10.0.0.2 web.containers");
	assert_string_equal(lines.v[1], "fc00::2 web.containers");
}

static void a_container_on_the_hosts_network_has_no_line(void **state)
{
	CLEANUP(strs_done) struct strs lines = { 0 };
	char name[] = "web";
	struct container c = { .name = name };

	(void)state;
	hosts_lines(&c, &lines);
	assert_int_equal(lines.n, 0);
}

static void the_block_is_put_at_the_end(void **state)
{
	(void)state;
	expect("127.0.0.1 localhost\n", "10.0.0.1 a.containers", "10.0.0.2 b.containers",
	       "127.0.0.1 localhost\n# BEGIN machdeck\n10.0.0.1 a.containers\n10.0.0.2 b.containers\n# END "
	       "machdeck\n");
}

static void a_missing_last_newline_is_added(void **state)
{
	(void)state;
	expect("127.0.0.1 localhost", "10.0.0.1 a.containers", NULL,
	       "127.0.0.1 localhost\n# BEGIN machdeck\n10.0.0.1 a.containers\n# END machdeck\n");
}

static void an_empty_file_gets_the_block_alone(void **state)
{
	(void)state;
	expect("", "10.0.0.1 a.containers", NULL,
	       "# BEGIN machdeck\n10.0.0.1 a.containers\n# END machdeck\n");
}

static void only_the_block_changes(void **state)
{
	(void)state;
	expect("a\t b\r\n# BEGIN machdeck\nold\n# END machdeck\n# by hand \xff\n", "10.0.0.1 a.containers",
	       NULL, "a\t b\r\n# BEGIN machdeck\n10.0.0.1 a.containers\n# END machdeck\n# by hand \xff\n");
}

static void the_block_goes_when_there_are_no_lines(void **state)
{
	(void)state;
	expect("x\n# BEGIN machdeck\nold\n# END machdeck\ny\n", NULL, NULL, "x\ny\n");
	expect("x\n", NULL, NULL, "x\n");
}

static void a_second_edit_changes_nothing(void **state)
{
	const char *text = "x\n# BEGIN machdeck\n10.0.0.1 a.containers\n# END machdeck\n";

	(void)state;
	expect(text, "10.0.0.1 a.containers", NULL, text);
}

static void an_end_mark_at_the_end_of_the_file_needs_no_newline(void **state)
{
	(void)state;
	expect("# BEGIN machdeck\nold\n# END machdeck", "10.0.0.1 a.containers", NULL,
	       "# BEGIN machdeck\n10.0.0.1 a.containers\n# END machdeck\n");
}

static void a_changed_mark_is_refused_with_its_line(void **state)
{
	(void)state;
	refuse("x\n# BEGIN machdeck (mine)\nold\n# END machdeck\n", "line 2 is a changed mark");
	refuse("# BEGIN machdeck\nold\n# END machdeck\r\n", "line 3 is a changed mark");
}

static void a_block_without_an_end_is_refused(void **state)
{
	(void)state;
	refuse("# BEGIN machdeck\nold\n", "do not enclose a block");
	refuse("old\n# END machdeck\n", "do not enclose a block");
	refuse("# END machdeck\n# BEGIN machdeck\n", "do not enclose a block");
}

static void two_blocks_are_refused(void **state)
{
	(void)state;
	refuse("# BEGIN machdeck\n# END machdeck\n# BEGIN machdeck\n# END machdeck\n", "more than one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_family_has_a_line_without_the_prefix),
		cmocka_unit_test(a_container_on_the_hosts_network_has_no_line),
		cmocka_unit_test(the_block_is_put_at_the_end),
		cmocka_unit_test(a_missing_last_newline_is_added),
		cmocka_unit_test(an_empty_file_gets_the_block_alone),
		cmocka_unit_test(only_the_block_changes),
		cmocka_unit_test(the_block_goes_when_there_are_no_lines),
		cmocka_unit_test(a_second_edit_changes_nothing),
		cmocka_unit_test(an_end_mark_at_the_end_of_the_file_needs_no_newline),
		cmocka_unit_test(a_changed_mark_is_refused_with_its_line),
		cmocka_unit_test(a_block_without_an_end_is_refused),
		cmocka_unit_test(two_blocks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

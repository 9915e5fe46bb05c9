#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/envfile.h"

/* What A is after reading text; fails when the text is refused. */
static void assert_a(const char *text, const char *want)
{
	CLEANUP(envfile_done) struct envfile f = { 0 };
	const struct env_entry *a;
	struct err e = { 0 };

	if (envfile_parse("f", text, strlen(text), &f, &e) < 0)
		fail_msg("refused: %s", e.text);
	a = envfile_find(&f, "A");
	if (!want) {
		assert_null(a);
		return;
	}
	assert_non_null(a);
	assert_string_equal(a->value, want);
}

static void assert_refused(const char *text, size_t len, const char *why)
{
	struct envfile f = { 0 };
	struct err e = { 0 };

	assert_int_equal(envfile_parse("f", text, len, &f, &e), -22);
	assert_int_equal(e.status, STATUS_DATA);
	assert_string_equal(e.text, why);
	assert_null(f.v);
}

static void values_are_read_as_systemd_reads_them(void **state)
{
	(void)state;
	assert_a("A=b\n", "b");
	assert_a("A=b", "b");
	assert_a("  A  =  b  c  \n", "b  c");
	assert_a("A=\n", "");
	assert_a("A=b\r\nB=c\r\n", "b");
	assert_a("B=c\rA=b\r", "b");
	assert_a("A=b\"c\"d\n", "b\"c\"d");
	assert_a("A=\"b\" c\n", "bc");
	assert_a("A=\"b\"'c'\n", "bc");
	assert_a("A='b\\c'\n", "b\\c");
	assert_a("A=\"b\\\"\\$\\`\\\\\\n\"\n", "b\"$`\\\\n");
	assert_a("A=b\\ \n", "b ");
	assert_a("A=b\\\n#c\n", "b#c");
	assert_a("A=b#c\n", "b#c");
	assert_a("A=b\\", "b");
	assert_a("# A=c\n;A=d\nA=b\n", "b");
	assert_a("A=b\nA=c\n", "c");
	assert_a("export A=b\n", NULL);
	assert_a("A\n", NULL);
	assert_a("1A=b\nA-B=c\n", NULL);
}

static void what_cannot_be_read_in_full_is_refused_with_its_place(void **state)
{
	(void)state;
	assert_refused("A=b\nB=\xff\n", 7, "f:2:3: not UTF-8");
	assert_refused("A=b\0", 4, "f:1:4: a NUL byte");
	assert_refused("\xef\xbb\xbf"
	               "A=b",
	               6, "f:1:1: a byte order mark: save the file as plain UTF-8");
	assert_refused("A=\"b\nB=c\n", 9, "f:1:3: the quote that opens here is never closed");
	assert_refused("A=\"ä\" 'b\n", 10, "f:1:7: the quote that opens here is never closed");
	assert_refused(
		"# c \\\nA=b\n", 10,
		"f:1:5: the comment ends in a backslash, so systemd takes the next line for a part of it");
	assert_refused("A=b\033[1m\n", 8, "f:1:4: a control character (0x1b)");
	assert_refused("A=\"b\nc\"\n", 8, "f:1:3: A: a control character (U+000A) in the value");
	assert_refused("A=b\tc\n", 6, "f:1:3: A: a control character (U+0009) in the value");
	assert_refused("A=\xc2\x9b\n", 5, "f:1:3: A: a control character (U+009B) in the value");
}

static void a_comment_with_a_backslash_inside_is_a_comment(void **state)
{
	(void)state;
	assert_a("# c \\d\nA=b\n", "b");
	assert_a("# c \\\\\nA=b\n", "b");
}

static void an_empty_file_is_an_empty_map(void **state)
{
	CLEANUP(envfile_done) struct envfile f = { 0 };

	(void)state;
	assert_int_equal(envfile_parse("f", "", 0, &f, NULL), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(envfile_parse("f", "\n# c\n\n", 6, &f, NULL), 0);
	assert_int_equal(f.n, 0);
}

static void lines_that_systemd_drops_are_marked(void **state)
{
	CLEANUP(envfile_done) struct envfile f = { 0 };
	const char text[] = "export A=b\nnothing\nC=d\n=e\n";

	(void)state;
	assert_int_equal(envfile_parse("f", text, strlen(text), &f, NULL), 0);
	assert_int_equal(f.n, 4);
	assert_true(f.v[0].ignored);
	assert_true(f.v[1].ignored);
	assert_false(f.v[2].ignored);
	assert_true(f.v[3].ignored);
	assert_int_equal(f.v[2].key_at, 19);
	assert_int_equal(f.v[2].value_at, 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_as_systemd_reads_them),
		cmocka_unit_test(what_cannot_be_read_in_full_is_refused_with_its_place),
		cmocka_unit_test(a_comment_with_a_backslash_inside_is_a_comment),
		cmocka_unit_test(an_empty_file_is_an_empty_map),
		cmocka_unit_test(lines_that_systemd_drops_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

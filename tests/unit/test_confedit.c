#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/confedit.h"

/* wanted NULL: nothing changes. */
static void becomes(const char *text, const char *key, const char *value, const char *wanted)
{
	struct conf_change change = { key, value };
	CLEANUP(buf_done) struct buf got = { 0 };
	struct err e;
	int r = conf_edit("web.conf", text, strlen(text), &change, 1, &got, &e);

	if (r < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&got), wanted ? wanted : text);
	assert_int_equal(r, wanted ? 1 : 0);
}

static void only_the_value_changes(void **state)
{
	(void)state;
	becomes("# mine\nAUTO_START=0\nHOST_PORT=\"tcp:80\"", "AUTO_START", "1",
	        "# mine\nAUTO_START=1\nHOST_PORT=\"tcp:80\"");
	becomes("# a\n\nX=y\nHOST_ADDRESS='10.0.0.1'\n\n# b\n", "HOST_ADDRESS", "10.0.0.9",
	        "# a\n\nX=y\nHOST_ADDRESS=10.0.0.9\n\n# b\n");
	becomes("# x\nEXTRA_NSPAWN_FLAGS=\"--bind=/a\"\n", "EXTRA_NSPAWN_FLAGS", "--bind=\"/a b\"",
	        "# x\nEXTRA_NSPAWN_FLAGS=\"--bind=\\\"/a b\\\"\"\n");
}

static void what_is_so_already_stays(void **state)
{
	(void)state;
	becomes("AUTO_START='1'\n", "AUTO_START", "1", NULL);
	becomes("# x\n", "AUTO_START", NULL, NULL);
}

static void a_missing_line_comes_last(void **state)
{
	(void)state;
	becomes("# x", "A", "b", "# x\nA=b\n");
	becomes("", "A", "b", "A=b\n");
}

static void a_value_of_several_lines_is_one_value(void **state)
{
	(void)state;
	becomes("# x\nTMPFS=\"/a\\\n /b\"\nB=c\n", "TMPFS", "/d", "# x\nTMPFS=/d\nB=c\n");
	becomes("# x\nTMPFS=/a\\\n/b\nB=c\n", "TMPFS", NULL, "# x\nB=c\n");
}

static void what_no_conf_can_hold_is_refused_as_such(void **state)
{
	struct conf_change change = { "LOCAL_ADDRESS", "10.0.0.1\nAUTO_START=1" };
	CLEANUP(buf_done) struct buf got = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(conf_edit("web", "A=b\n", 4, &change, 1, &got, &e), -EINVAL);
	assert_string_equal(e.text,
	                    "web: LOCAL_ADDRESS: its value has a line break, which a conf can not hold");
	change.value = "\xff";
	assert_int_equal(conf_edit("web", "A=b\n", 4, &change, 1, &got, &e), -EINVAL);
	assert_string_equal(e.text, "web: LOCAL_ADDRESS: its value is not UTF-8, which all of a conf is");
}

static void of_several_the_last_is_changed_and_all_go(void **state)
{
	(void)state;
	becomes("A=1\n# x\nA=2\nB=c\n", "A", "3", "A=1\n# x\nA=3\nB=c\n"); /* one line differs */
	becomes("A=1\n# x\nA=2\nB=c\n", "A", NULL, "# x\nB=c\n");
}

static void what_is_in_our_order_stays_so(void **state)
{
	(void)state;
	becomes("PRIVATE_NETWORK=1\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n", "HOST_PORT",
	        "8080",
	        "PRIVATE_NETWORK=1\nHOST_PORT=tcp:8080:8080\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_"
	        "FLAGS=\"\"\n");
	becomes("PRIVATE_NETWORK=1\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n", "MY_OWN", "x",
	        "PRIVATE_NETWORK=1\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\nMY_OWN=x\n");
}

/* A bridge's address is refused until there is the bridge. */
static void what_is_half_done_stays_in_our_order(void **state)
{
	(void)state;
	becomes("INTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n", "LOCAL_ADDRESS", "10.0.0.2/24",
	        "LOCAL_ADDRESS=10.0.0.2/24\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n");
	becomes("LOCAL_ADDRESS=10.0.0.2/24\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n",
	        "HOST_BRIDGE", "br0",
	        "HOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.2/"
	        "24\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n");
}

static void a_text_that_can_not_be_read_is_not_changed(void **state)
{
	struct conf_change change = { "A", "x" }, none = { "A B", "x" };
	CLEANUP(buf_done) struct buf got = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(conf_edit("web.conf", "A=\"b", 4, &change, 1, &got, &e), -EINVAL);
	assert_int_equal(e.status, STATUS_DATA);
	assert_int_equal(conf_edit("web.conf", "", 0, &none, 1, &got, &e), -EINVAL);
	assert_int_equal(e.status, STATUS_USAGE);
	change.value = "a\nb";
	assert_int_equal(conf_edit("web.conf", "", 0, &change, 1, &got, &e), -EINVAL);
	assert_int_equal(got.len, 0);
}

static struct buf text_of(const char *text)
{
	struct buf b = { 0 };

	buf_puts(&b, text);
	return b;
}

static void two_who_changed_other_keys_are_both_heard(void **state)
{
	CLEANUP(buf_done)
	struct buf base = text_of("# x\nA=1\nB=2\nC=3\n"), mine = text_of("# y\nA=9\nB=2\nC=3\n"),
		   theirs = text_of("# x\nA=1\nB=7\nD=4\n"), got = { 0 }, none = { 0 },
		   clash = text_of("A=5\nB=2\nC=3\n");
	struct err e;

	(void)state;
	assert_int_equal(conf_merge("f", &base, &mine, &theirs, CLASH_REFUSED, &got, &e), 0);
	assert_string_equal(buf_text(&got), "# y\nA=9\nB=7\nD=4\n");
	assert_int_equal(conf_merge("f", &base, &mine, &clash, CLASH_REFUSED, &none, &e), -EBUSY);
	assert_int_equal(e.status, STATUS_BUSY);
	assert_non_null(strstr(e.text, "A was changed meanwhile, to '5'"));
}

/* wanted NULL: refused, and mine and theirs are what comes of it when somebody chooses. */
static void notes_become(const char *my_text, const char *their_text, const char *wanted, const char *as_mine,
                         const char *as_theirs)
{
	static const char was[] = "# x\nA=1\n\n# b\nB=1\n";
	CLEANUP(buf_done)
	struct buf base = text_of(was), mine = text_of(my_text), theirs = text_of(their_text), got = { 0 },
		   one = { 0 }, other = { 0 };
	CLEANUP(strs_done) struct strs clashes = { 0 };
	struct err e;
	int r = conf_merge("f", &base, &mine, &theirs, CLASH_REFUSED, &got, &e);

	assert_int_equal(conf_clashes("f", &base, &mine, &theirs, &clashes, &e), 0);
	assert_int_equal(clashes.n, wanted ? 0 : 4);
	assert_int_equal(r, wanted ? 0 : -EBUSY);
	if (wanted) {
		assert_string_equal(buf_text(&got), wanted);
		return;
	}
	assert_string_equal(clashes.v[0], "comments");
	assert_non_null(strstr(e.text, "comments"));
	assert_int_equal(conf_merge("f", &base, &mine, &theirs, CLASH_MINE, &one, &e), 0);
	assert_string_equal(buf_text(&one), as_mine);
	assert_int_equal(conf_merge("f", &base, &mine, &theirs, CLASH_THEIRS, &other, &e), 0);
	assert_string_equal(buf_text(&other), as_theirs);
}

static void what_others_wrote_beside_the_keys_is_kept(void **state)
{
	(void)state;
	notes_become("# x\nA=2\n\n# b\nB=1\n", "# x, by bob\nA=1\nC=3\n# b is new\nB=2\n# end\n",
	             "# x, by bob\nA=2\nC=3\n# b is new\nB=2\n# end\n", NULL, NULL);
	notes_become("# mine\nA=1\n\n# b\nB=1\n", "# x\nA=1\n\n# b\nB=2\n", "# mine\nA=1\n\n# b\nB=2\n", NULL,
	             NULL);
	notes_become("# mine\nA=2\n\n# b\nB=1\n", "# x\nA=1\n\n# b\nB=2\n# end\n",
	             "# mine\nA=2\n\n# b\nB=2\n# end\n", NULL, NULL);
	notes_become("# mine\nA=2\n\n# b\nB=1\n", "# theirs\nA=1\n\n# b\nB=2\n", NULL,
	             "# mine\nA=2\n\n# b\nB=2\n", "# theirs\nA=2\n\n# b\nB=2\n");
	notes_become("# same\nA=2\n\n# b\nB=1\n", "# same\nA=1\n\n# b\nB=2\n", "# same\nA=2\n\n# b\nB=2\n",
	             NULL, NULL);
}

static void a_clash_is_told_with_its_three_values_and_settled_either_way(void **state)
{
	static const struct {
		enum conf_clash clash;
		const char *text;
	} cases[] = { { CLASH_MINE, "# y\nA=9\nC=3\nD=8\nE=1\n" },
		      { CLASH_THEIRS, "# y\nA=5\nC=3\nD=7\nE=1\n" } };
	CLEANUP(buf_done)
	struct buf base = text_of("# x\nA=1\nB=2\nC=3\n"), mine = text_of("# y\nA=9\nB=2\nC=3\nD=8\n"),
		   theirs = text_of("# x\nA=5\nC=3\nD=7\nE=1\n");
	CLEANUP(strs_done) struct strs clashes = { 0 };
	CLEANUP(free_p) char *joined = NULL;
	struct err e;

	(void)state;
	assert_int_equal(conf_clashes("f", &base, &mine, &theirs, &clashes, &e), 0);
	joined = strs_join(&clashes, ",");
	assert_string_equal(joined, "A,1,5,9,D,,7,8");
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf got = { 0 };

		assert_int_equal(conf_merge("f", &base, &mine, &theirs, cases[i].clash, &got, &e), 0);
		assert_string_equal(buf_text(&got), cases[i].text);
	}
}

static void a_difference_is_shown_as_by_diff(void **state)
{
	CLEANUP(buf_done) struct buf got = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(conf_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
	                           "1\n2\n3\n4\nX\n6\n7\n8\n9\n10\n11\n12\n13\n", &got),
	                 0);
	assert_string_equal(buf_text(&got), "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"
	                                    "@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n");
	assert_int_equal(conf_diff("f", "same\n", "same\n", &none), 0);
	assert_int_equal(none.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_value_changes),
		cmocka_unit_test(what_is_so_already_stays),
		cmocka_unit_test(a_missing_line_comes_last),
		cmocka_unit_test(a_value_of_several_lines_is_one_value),
		cmocka_unit_test(what_no_conf_can_hold_is_refused_as_such),
		cmocka_unit_test(of_several_the_last_is_changed_and_all_go),
		cmocka_unit_test(what_is_in_our_order_stays_so),
		cmocka_unit_test(what_is_half_done_stays_in_our_order),
		cmocka_unit_test(a_text_that_can_not_be_read_is_not_changed),
		cmocka_unit_test(two_who_changed_other_keys_are_both_heard),
		cmocka_unit_test(what_others_wrote_beside_the_keys_is_kept),
		cmocka_unit_test(a_clash_is_told_with_its_three_values_and_settled_either_way),
		cmocka_unit_test(a_difference_is_shown_as_by_diff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

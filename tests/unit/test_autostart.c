#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/autostart.h"
#include "engine/autostart.h"

static void becomes(const char *text, bool on, const char *wanted)
{
	CLEANUP(buf_done) struct buf got = { 0 };
	struct err e;

	assert_int_equal(autostart_edit("web.conf", text, strlen(text), on, &got, &e), wanted ? 1 : 0);
	assert_string_equal(buf_text(&got), wanted ? wanted : "");
}

static void only_the_value_changes(void **state)
{
	(void)state;
	becomes("# mine\nAUTO_START=0\nHOST_PORT=\"tcp:80\"", true,
	        "# mine\nAUTO_START=1\nHOST_PORT=\"tcp:80\"");
	becomes("AUTO_START='1'\n\n# x\n", false, "AUTO_START=0\n\n# x\n");
	becomes("AUTO_START=1", false, "AUTO_START=0");
}

static void what_is_so_already_stays(void **state)
{
	(void)state;
	becomes("AUTO_START=1\n", true, NULL);
	becomes("PRIVATE_NETWORK=1\n", false, NULL);
	becomes("AUTO_START=1\nAUTO_START=0\n", false, NULL);
}

static void a_missing_line_comes_last(void **state)
{
	(void)state;
	becomes("", true, "AUTO_START=1\n");
	becomes("A=b", true, "A=b\nAUTO_START=1\n");
}

static void the_last_of_several_counts(void **state)
{
	(void)state;
	becomes("AUTO_START=0\nAUTO_START=0 \nB=c\n", true, "AUTO_START=0\nAUTO_START=1\nB=c\n");
}

static void a_value_of_several_lines_is_overruled(void **state)
{
	(void)state;
	becomes("AUTO_START=\"a\\\nb\"\nB=c\n", true, "AUTO_START=\"a\\\nb\"\nB=c\nAUTO_START=1\n");
}

static void a_text_that_can_not_be_read_is_not_changed(void **state)
{
	CLEANUP(buf_done) struct buf got = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(autostart_edit("web.conf", "A=\"b", 4, true, &got, &e), -EINVAL);
	assert_int_equal(e.status, STATUS_DATA);
	assert_int_equal(got.len, 0);
}

static void owner_and_mode_stay_and_links_are_left_alone(void **state)
{
	char dir[] = "/tmp/autostart-XXXXXX", path[96], other[96];
	struct stat st;
	struct err e;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/etc", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/etc/containers", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/etc/containers/web.conf", dir);
	(void)snprintf(other, sizeof(other), "%s/etc/containers/link.conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("PRIVATE_NETWORK=1\n", f);
	fclose(f);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(autostart_set(dir, "web", true, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, strlen("PRIVATE_NETWORK=1\nAUTO_START=1\n"));
	assert_int_equal(symlink("web.conf", other), 0);
	assert_int_equal(autostart_set(dir, "link", false, &e), -ELOOP);
	assert_int_equal(e.status, STATUS_UNSAFE_HOST);
	assert_int_equal(autostart_set(dir, "none", false, &e), -ENOENT);
	unlink(path);
	unlink(other);
	for (int i = 0; i < 2; i++) {
		*strrchr(path, '/') = '\0';
		rmdir(path);
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_value_changes),
		cmocka_unit_test(what_is_so_already_stays),
		cmocka_unit_test(a_missing_line_comes_last),
		cmocka_unit_test(the_last_of_several_counts),
		cmocka_unit_test(a_value_of_several_lines_is_overruled),
		cmocka_unit_test(a_text_that_can_not_be_read_is_not_changed),
		cmocka_unit_test(owner_and_mode_stay_and_links_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

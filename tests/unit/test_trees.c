#include "engine/trees.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64], *top;
static struct registration machines[1];
static struct sources s;

static void write_os(const char *name)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/etc/os-release", root);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f, "PRETTY_NAME=\"%s\"\n", name);
	(void)fclose(f);
}

static int begin(void **state)
{
	static char folder[] = "/root/trees-XXXXXX";
	char path[128];

	if (geteuid() != 0) /* a tree is root's */
		return 0;
	(void)state;
	memcpy(folder, "/root/trees-XXXXXX", sizeof(folder));
	top = mkdtemp(folder);
	assert_non_null(top);
	(void)snprintf(root, sizeof(root), "%s/web", top);
	(void)snprintf(path, sizeof(path), "%s/etc", root);
	if (mkdir(root, 0755) < 0 || mkdir(path, 0755) < 0)
		return -1;
	machines[0] = (struct registration){ .name = "web", .root = root, .inode = 7 };
	s = (struct sources){ .machines = { .v = machines, .n = 1 } };
	return 0;
}

static int end(void **state)
{
	static const char *const made[] = { "/etc/os-release", "/etc", "" };
	char path[128];

	(void)state;
	trees_done(&s);
	for (size_t i = 0; top && i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, made[i]);
		(void)remove(path);
	}
	return top ? rmdir(top) : 0;
}

static const char *read_one(bool wanted)
{
	bool more = true;

	assert_int_equal(trees_gather(&s, NULL), 0);
	assert_int_equal(trees_read(&s, 1, &more), wanted);
	assert_false(more);
	return sources_tree(&s, "web")->os;
}

static void a_tree_is_read_once_and_again_when_its_machine_changed(void **state)
{
	(void)state;
	if (!top)
		skip();
	write_os("Debian 12");
	assert_string_equal(read_one(true), "Debian 12");
	write_os("Debian 13");
	assert_string_equal(read_one(false), "Debian 12");
	machines[0].inode++;
	assert_string_equal(read_one(true), "Debian 13");
}

static void a_tree_without_a_word_of_its_system_is_unknown(void **state)
{
	(void)state;
	if (!top)
		skip();
	assert_null(read_one(false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_is_read_once_and_again_when_its_machine_changed, begin,
		                                end),
		cmocka_unit_test_setup_teardown(a_tree_without_a_word_of_its_system_is_unknown, begin, end),
	};

	return cmocka_run_group_tests_name("trees", tests, NULL, NULL);
}

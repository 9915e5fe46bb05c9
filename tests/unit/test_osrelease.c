#include "decide/osrelease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *name_of(const char *text)
{
	static char name[OSRELEASE_NAME];

	return osrelease_name(text, strlen(text), name) ? name : NULL;
}

static void the_pretty_name_is_taken_and_else_the_plain_one(void **state)
{
	(void)state;
	assert_string_equal(name_of("NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
	                    "Debian GNU/Linux 12 (bookworm)");
	assert_string_equal(name_of("NAME='NixOS'\nPRETTY_NAME=\n"), "NixOS");
	assert_null(name_of("ID=debian\n"));
	assert_null(name_of(""));
}

static void hostile_names_are_harmless_and_short(void **state)
{
	char text[4000];

	(void)state;
	assert_string_equal(name_of("NAME=\xe2\x80\xae"
	                            "evil\n"),
	                    "<U+202E>evil");
	assert_null(name_of("NAME=a\x1b[31m\n"));
	(void)memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "NAME=", 5);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(name_of(text)), OSRELEASE_NAME - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pretty_name_is_taken_and_else_the_plain_one),
		cmocka_unit_test(hostile_names_are_harmless_and_short),
	};

	return cmocka_run_group_tests_name("osrelease", tests, NULL, NULL);
}

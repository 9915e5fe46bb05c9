#include "decide/sshkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static size_t length(const char *text)
{
	return sshkey_line(text, strlen(text));
}

static void a_key_is_its_first_line(void **state)
{
	static const char ed[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+/x root@web";

	(void)state;
	assert_int_equal(length(ed), strlen(ed));
	assert_int_equal(length("ssh-ed25519 AAAA\n"), 16);
	assert_int_equal(length("ssh-ed25519 AAAA root@web\nmore"), 25);
	assert_int_equal(length("ecdsa-sha2-nistp256 AAAA=="), 26);
	assert_int_equal(length("sk-ssh-ed25519@openssh.com AAAA"), 31);
	assert_int_equal(length("ssh-rsa AAAA J\xc3\xb6rg, who has blanks"), 34);
}

static void what_is_none_is_not_taken_for_one(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"ssh-ed25519",
		"ssh-ed25519 ",
		"ssh-ed25519  AAAA",
		"ssh- AAAA",
		"root:$6$x:1::",
		"127.0.0.1 localhost",
		"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
		" ssh-ed25519 AAAA",
		"ssh-ed25519 AA:AA",
		"ssh-ed25519 AAAA\troot",
		"ssh-ed25519 AAAA \x1b[31m",
		"ssh-ed25519 AAAA \xff",
		"ssh-ed25519 AAAA \xe2\x80\xae",
		"ssh-ed25519\nssh-ed25519 AAAA",
		"no-ssh-ed25519 AAAA",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (length(bad[i]) != 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(sshkey_line("ssh-ed25519 AA\0AA", 17), 0);
	assert_int_equal(sshkey_line("ssh-ed25519 AAAA \0x", 19), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_its_first_line),
		cmocka_unit_test(what_is_none_is_not_taken_for_one),
	};

	return cmocka_run_group_tests_name("sshkey", tests, NULL, NULL);
}

/* Names, addresses, ports, operations: text to value and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "words/addr.h"
#include "words/name.h"
#include "words/netop.h"
#include "words/port.h"

static void machine_names_follow_systemds_grammar(void **state)
{
	static const char *const good[] = {
		"a", "A-b.C1", "web",
		"0", "a.b.c",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};
	static const char *const bad[] = {
		"",         ".",         "..",
		".host",    "a/b",       "../x",
		"-a",       "a b",       "a_b",
		"\xc3\xa9", "a.",        "a-",
		"a..b",     "a-.b",      "a.-b",
		"a\nb",     "a\x1b[31m", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(name_is_machine(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(name_is_machine(bad[i]));
}

static void long_links_are_shortened_as_nspawn_does(void **state)
{
	static const char *const names[][3] = {
		{ "ve-", "really-long-name", "ve-really-l3QgY" },
		{ "ve-", "really-long-long-name-2", "ve-really-lFYWO" },
		{ "vb-", "really-long-name", "vb-really-lE9s9" },
		{ "ve-", "postgres-central", "ve-postgresxpMo" },
		{ "ve-", "123456789012", "ve-123456789012" },
		{ "ve-", "1234567890123", "ve-123456782shn" },
		{ "ve-", "averyveryverylongname", "ve-averyverUARo" },
	};
	char link[NAME_LINK_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		name_host_link(names[i][0], names[i][1], link);
		assert_string_equal(link, names[i][2]);
	}
}

static void interface_names_follow_the_kernels_rules(void **state)
{
	(void)state;
	assert_true(name_is_link("eth0"));
	assert_true(name_is_link("a23456789012345"));
	assert_false(name_is_link("a234567890123456"));
	assert_false(name_is_link(""));
	assert_false(name_is_link("a/b"));
	assert_false(name_is_link("a:b"));
	assert_false(name_is_link("a b"));
	assert_false(name_is_link("%d"));
	assert_false(name_is_link("."));
	assert_false(name_is_link("12"));
	assert_false(name_is_link("all"));
}

static void addresses_print_what_was_parsed(void **state)
{
	static const char *const texts[][2] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "10.0.0.1/24", "10.0.0.1/24" },
		{ "FC00:0::1/7", "fc00::1/7" },
		{ "fc00:0:0:0:0:0:0:1", "fc00::1" },
	};
	char text[ADDR_TEXT_SIZE];
	struct addr a, again;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(addr_parse(texts[i][0], &a, NULL), 0);
		addr_print(&a, true, text);
		assert_string_equal(text, texts[i][1]);
		assert_int_equal(addr_parse(text, &again, NULL), 0);
		assert_memory_equal(&a, &again, sizeof(a));
	}
}

static void a_prefix_covers_its_addresses(void **state)
{
	struct addr net, in, out;

	(void)state;
	assert_int_equal(addr_parse("10.1.2.3/20", &net, NULL), 0);
	assert_int_equal(addr_parse("10.1.15.255", &in, NULL), 0);
	assert_int_equal(addr_parse("10.1.16.0", &out, NULL), 0);
	assert_true(addr_covers(&net, &in));
	assert_false(addr_covers(&net, &out));
	assert_int_equal(addr_parse("fc00::1", &out, NULL), 0);
	assert_false(addr_covers(&net, &out));
}

static void ports_print_all_three_fields(void **state)
{
	static const char *const good[][2] = { { "80", "tcp:80:80" },
		                               { "80:81", "tcp:80:81" },
		                               { "udp:53", "udp:53:53" },
		                               { "tcp:1:65535", "tcp:1:65535" } };
	static const char *const bad[] = { "",          ":",        "tcp",       "tcp:",   "tcp:0",
		                           "tcp:65536", "sctp:1:1", "tcp:1:2:3", "1:",     "+1",
		                           "01",        "1 ",       "0x1",       "tcp::1", "TCP:1:1" };
	char text[PORT_TEXT_SIZE];
	struct port p;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(port_parse(good[i][0], &p, NULL), 0);
		port_print(&p, text);
		assert_string_equal(text, good[i][1]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (port_parse(bad[i], &p, NULL) == 0)
			fail_msg("accepted: %s", bad[i]);
}

static void numbers_are_bounded_exactly(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(num_parse("0", 0, 1, &n), 0);
	assert_int_equal(num_parse("18446744073709551615", 0, UINT64_MAX, &n), 0);
	assert_int_equal(num_parse("18446744073709551616", 0, UINT64_MAX, &n), -34);
	assert_int_equal(num_parse("2", 0, 1, &n), -34);
	assert_int_equal(num_parse("-1", 0, 1, &n), -22);
	assert_int_equal(num_parse(" 1", 0, 1, &n), -22);
	assert_int_equal(num_parse("00", 0, 1, &n), -22);
}

static void a_line_carries_an_operation_to_the_guest(void **state)
{
	static const char *const lines[] = { "rename host0 eth0",
		                             "mac eth0 b2:65:3f:c9:6b:10",
		                             "up eth0",
		                             "master vx1 br0",
		                             "delete ve-a",
		                             "address eth0 10.0.0.2/24",
		                             "route eth0 fc00::1",
		                             "default eth0 10.0.0.1" };
	static const char *const bad[] = { "",
		                           "up",
		                           "up eth0 x",
		                           "rename host0",
		                           "rename host0 eth0 eth1",
		                           "address eth0 x",
		                           "fly eth0",
		                           "mac eth0 b2:65" };
	struct netop op;
	char line[256];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(netop_parse(lines[i], &op), 0);
		netop_line(&op, line, sizeof(line));
		assert_string_equal(line, lines[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(netop_parse(bad[i], &op), -22);
}

static void foreign_text_becomes_printable(void **state)
{
	static const char *const texts[][2] = {
		{ "plain text", "plain text" },
		{ "a\x1b[31mb", "a\\x1b[31mb" },
		{ "a\nb\r\t", "a\\x0ab\\x0d\\x09" },
		{ "\xc2\x9b", "\\x9b" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xe2\x80\xae"
		  "evil",
		  "<U+202E>evil" },
		{ "\xe3\x83\x87", "\xe3\x83\x87" },
		{ "e\xcc\x81", "e<U+0301>" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		text_printable(out, sizeof(out), texts[i][0], strlen(texts[i][0]));
		assert_string_equal(out, texts[i][1]);
	}
	assert_int_equal(text_printable(out, 4, "ab\xe3\x83\x87", 5), 2);
	assert_string_equal(out, "ab");
}

/* Every byte string comes out as printable UTF-8, twice the same. */
static void the_filter_lets_nothing_through(void **state)
{
	char in[3], out[64], again[64];

	(void)state;
	for (unsigned i = 0; i < 0x1000000; i += 251) {
		size_t n;

		in[0] = (char)(i >> 16), in[1] = (char)(i >> 8), in[2] = (char)i;
		n = text_printable(out, sizeof(out), in, sizeof(in));
		assert_true(text_is_utf8(out, n, NULL));
		for (size_t k = 0; k < n; k++)
			assert_true((unsigned char)out[k] >= ' ' && out[k] != 0x7f);
		text_printable(again, sizeof(again), out, n);
		assert_string_equal(again, out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machine_names_follow_systemds_grammar),
		cmocka_unit_test(long_links_are_shortened_as_nspawn_does),
		cmocka_unit_test(interface_names_follow_the_kernels_rules),
		cmocka_unit_test(addresses_print_what_was_parsed),
		cmocka_unit_test(a_prefix_covers_its_addresses),
		cmocka_unit_test(ports_print_all_three_fields),
		cmocka_unit_test(numbers_are_bounded_exactly),
		cmocka_unit_test(a_line_carries_an_operation_to_the_guest),
		cmocka_unit_test(foreign_text_becomes_printable),
		cmocka_unit_test(the_filter_lets_nothing_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

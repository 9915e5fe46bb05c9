#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/conf.h"

static int read_conf(const char *text, struct container *ret, struct strs *warnings, struct err *e)
{
	return conf_read("web.conf", "web", text, strlen(text), ret, warnings, e);
}

static void assert_refused(const char *text, const char *why)
{
	struct container c = { 0 };
	struct err e = { 0 };

	if (read_conf(text, &c, NULL, &e) == 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(e.status, STATUS_DATA);
	assert_string_equal(e.text, why);
	assert_null(c.name);
}

static void assert_accepted(const char *text)
{
	CLEANUP(container_done) struct container c = { 0 };
	struct err e = { 0 };

	if (read_conf(text, &c, NULL, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

static void every_key_becomes_its_value(void **state)
{
	CLEANUP(container_done) struct container c = { 0 };
	struct err e = { 0 };

	(void)state;
	if (read_conf(
		    "SYSTEM_PATH=/nix/store/x-system\nPRIVATE_NETWORK=1\nHOST_BRIDGE=br0\n"
		    "HOST_PORT=tcp:8080:80,udp:53:53,443\nHOST_ADDRESS6=fc00::1\nLOCAL_ADDRESS=10.0.0.2/24\n"
		    "INTERFACES=\"eth1 eth2\"\nMACVLANS=eth3\nAUTO_START=1\n"
		    "EXTRA_NSPAWN_FLAGS=\" '--bind-ro=/my data:/d' -U --bind "
		    "/a:/b\"\nEPHEMERAL=1\nENABLE_TUN=1\n"
		    "TIMEOUT_START_SEC=1min 30s\nTMPFS=\"/var /tmp:size=64m\"\n"
		    "ADDITIONAL_CAPABILITIES=\"CAP_NET_ADMIN cap_mknod\"\nALLOWED_DEVICES=\"/dev/fuse:rw "
		    "char-pts:rwm\"\n"
		    "EXTRA_VETHS=\"vx2,hostBridge=br1 vx1,hostAddress=10.1.0.1,localAddress=10.1.0.2\"\n"
		    "RELEASE=2020\nPRIVATE_USERS=pick\nLOCAL_MAC_ADDRESS=b2:65:3f:c9:6b:10\nCOPY_RESOLV_CONF="
		    "0\n",
		    &c, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(c.system_path, "/nix/store/x-system");
	assert_true(c.private_network);
	assert_string_equal(c.host_bridge, "br0");
	assert_int_equal(c.n_ports, 3);
	assert_true(c.ports[1].udp);
	assert_int_equal(c.ports[2].guest, 443);
	assert_int_equal(c.addr[LOCAL4].prefix, 24);
	assert_int_equal(c.interfaces.n, 2);
	assert_string_equal(c.flags.v[0], "--bind-ro=/my data:/d");
	assert_int_equal(c.flags.n, 4);
	assert_string_equal(c.tmpfs.v[1], "/tmp:size=64m");
	assert_string_equal(c.devices[0].modifier, "rw");
	assert_string_equal(c.veths[0].name, "vx1");
	assert_string_equal(c.veths[1].bridge, "br1");
	assert_int_equal(c.release, RELEASE_2020);
	assert_true(c.ephemeral && c.enable_tun && c.auto_start && c.no_resolv_conf && c.has_mac);
}

static void an_empty_conf_is_all_defaults(void **state)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_conf("# nothing\n", &c, &warnings, &e), 0);
	assert_int_equal(c.release, RELEASE_2021_11);
	assert_int_equal(warnings.n, 1);
	assert_string_equal(warnings.v[0], "web.conf: web shares the host's network");
}

static void a_bad_value_is_named_with_file_line_column_and_reason(void **state)
{
	(void)state;
	assert_refused("# c\nHOST_BRIDGE=a/b\n", "web.conf:2:13: HOST_BRIDGE: 'a/b' can not be an "
	                                         "interface's name (1 to 15 characters, no '/', "
	                                         "':', '%' or blank)");
	assert_refused("PRIVATE_NETWORK=yes\n", "web.conf:1:17: PRIVATE_NETWORK: 'yes' is neither 1 nor 0");
	assert_refused("LOCAL_ADDRESS=010.0.0.1\n",
	               "web.conf:1:15: LOCAL_ADDRESS: '010.0.0.1': not an IPv4 or IPv6 address");
	assert_refused("INTERFACES=lo\n", "web.conf:1:12: INTERFACES: 'lo' can not be given to a container");
	assert_refused(
		"ALLOWED_DEVICES=\"/dev/fuse\"\n",
		"web.conf:1:17: ALLOWED_DEVICES: '/dev/fuse' lacks what is allowed, as in /dev/fuse:rw");
	assert_refused("RELEASE=2019\n",
	               "web.conf:1:9: RELEASE: '2019' is not 2014, 2020, 2021-04, 2021-05 or 2021-11");
}

static void ports_are_refused_with_the_number_of_their_field(void **state)
{
	static const char *const bad[] = {
		"tcp:80:80,",          ",tcp:80", "sctp:1:1", "tcp:0:1",       "tcp:65536:1", "tcp:80:80:80",
		"tcp:80:80,tcp:80:81", "tcp:",    "80:",      "tcp:80, tcp:81"
	};

	(void)state;
	assert_refused("PRIVATE_NETWORK=1\nHOST_PORT=tcp:80:80,tcp:80:81\n",
	               "web.conf:2:11: HOST_PORT: field 2: host port tcp/80 is forwarded twice");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct container c = { 0 };
		struct err e = { 0 };
		char text[128];

		(void)snprintf(text, sizeof(text), "PRIVATE_NETWORK=1\nHOST_PORT=%s\n", bad[i]);
		assert_int_equal(read_conf(text, &c, NULL, &e), -22);
		assert_non_null(strstr(e.text, "HOST_PORT: field "));
	}
	assert_refused(
		"HOST_PORT=80\n",
		"web.conf:1:11: HOST_PORT: ports can only be forwarded to a private network: switch that "
		"on, and give it an address");
}

static void addresses_are_accepted_and_refused_by_the_table(void **state)
{
	static const char *const good[] = { "10.0.0.1", "fc00::1", "10.0.0.1/32", "::1:2:3:4",
		                            "192.168.255.254" };
	static const char *const bad[] = {
		"10.0.0.1/24",    "010.0.0.1",        "1.2.3",      "256.1.1.1", "fe80::1%eth0",
		"::ffff:1.2.3.4", "::/129",           "fc00::1/64", "10.0.0.1/", "0.0.0.0",
		"224.0.0.1",      "ff02::1",          "127.0.0.1",  "::1",       "10.0.0.1/33",
		"10.0.0.1/032",   "10.0.0.1 10.0.0.2"
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(text, sizeof(text), "PRIVATE_NETWORK=1\nHOST_ADDRESS=%s\n", good[i]);
		assert_accepted(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct container c = { 0 };
		struct err e = { 0 };

		(void)snprintf(text, sizeof(text), "PRIVATE_NETWORK=1\nHOST_ADDRESS=%s\n", bad[i]);
		if (read_conf(text, &c, NULL, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.status, STATUS_DATA);
	}
	assert_accepted(
		"PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.2/24\nLOCAL_ADDRESS6=fc00::2/7\n");
}

static void what_the_first_module_would_ignore_is_refused(void **state)
{
	(void)state;
	assert_refused("PRIVATE_USERS=pick\nRELEASE=2014\n",
	               "web.conf:1:15: PRIVATE_USERS: the module of 2014 has no such setting (see RELEASE)");
	assert_accepted("SYSTEM_PATH=/x\nINTERFACES=\"\"\nEXTRA_NSPAWN_FLAGS=\nRELEASE=2014\n");
}

static void the_first_module_keeps_its_macvlans(void **state)
{
	static const char text[] = "SYSTEM_PATH=/x\nMACVLANS=\"eth1 eth2\"\nRELEASE=2014\n";
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(buf_done) struct buf again = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_conf(text, &c, NULL, &e), 0);
	assert_int_equal(conf_write(&c, &again, &e), 0);
	assert_string_equal(buf_text(&again), text);
}

static void time_spans_are_those_of_systemd(void **state)
{
	static const char *const good[] = { "90",        "1min 30s",  "infinity", ".5h",  "1.5 h 3us",
		                            "30\u00b5s", "30\u03bcs", "0",        "2M1y", "007" };
	static const char *const bad[] = { "soon",
		                           "1.",
		                           "-1",
		                           "1 sek",
		                           "min",
		                           "1e3",
		                           "infinity 1s",
		                           "1ns",
		                           "99999999999weeks",
		                           "99999999999999999999",
		                           "500000y 500000y" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		(void)snprintf(text, sizeof(text), "TIMEOUT_START_SEC=\"%s\"\n", good[i]);
		assert_accepted(text);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct container c = { 0 };
		struct err e = { 0 };

		(void)snprintf(text, sizeof(text), "TIMEOUT_START_SEC=\"%s\"\n", bad[i]);
		if (read_conf(text, &c, NULL, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void flags_that_redefine_what_the_engine_decides_are_refused(void **state)
{
	static const char *const bad[] = { "-D /",
		                           "-D/",
		                           "--directory=/",
		                           "--mach=other",
		                           "-Mother",
		                           "--settings=trusted",
		                           "--keep-unit",
		                           "--boot",
		                           "-b",
		                           "-qb",
		                           "--image=/x",
		                           "--notify-ready=no",
		                           "--kill-signal=9",
		                           "--register=no",
		                           "--unknown=1",
		                           "stray",
		                           "--",
		                           "--bind=relative",
		                           "--bind",
		                           "--bind relative",
		                           "--se=x",
		                           "--pri=x",
		                           "-E",
		                           "-j x",
		                           "'-u root'",
		                           "'--bind=/a --bind-ro=/b'",
		                           "'--bind-ro=/a:/b --read-only'" };
	static const char *const good[] = { "--bind=/a:/b", "-U", "--private-users=pick",
		                            "--read-only",  "*",  "$(id)" };
	static const char *const good_alone[] = { "-j",
		                                  "-jqn",
		                                  "-E A=b",
		                                  "-EA=b",
		                                  "-qE A=b",
		                                  "-p 80 -u root",
		                                  "--prop A=b",
		                                  "'--setenv=A=b --bind=/c'",
		                                  "'--bind=/a --bin'" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct container c = { 0 };
		struct err e = { 0 };

		(void)snprintf(text, sizeof(text), "EXTRA_NSPAWN_FLAGS=\"%s\"\n", bad[i]);
		if (read_conf(text, &c, NULL, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(text, sizeof(text), "EXTRA_NSPAWN_FLAGS='--setenv %s'\n", good[i]);
		assert_accepted(text);
	}
	for (size_t i = 0; i < sizeof(good_alone) / sizeof(good_alone[0]); i++) {
		(void)snprintf(text, sizeof(text), "EXTRA_NSPAWN_FLAGS=\"%s\"\n", good_alone[i]);
		assert_accepted(text);
	}
	assert_refused("EXTRA_NSPAWN_FLAGS=\"'--property CPUQuota=5%'\"\n",
	               "web.conf:1:20: EXTRA_NSPAWN_FLAGS: '--property CPUQuota=5%' has a blank in the "
	               "option's name: "
	               "give the option and its value as two words, or with a '='");
	assert_refused(
		"EXTRA_NSPAWN_FLAGS=\"'-qE A=b'\"\n",
		"web.conf:1:20: EXTRA_NSPAWN_FLAGS: '-qE A=b' has a blank behind -E: give the option and its "
		"value as two words");
	assert_refused("EXTRA_NSPAWN_FLAGS=\"'--tmpfs=/x --bind=/y'\"\n",
	               "web.conf:1:20: EXTRA_NSPAWN_FLAGS: '--tmpfs=/x --bind=/y' is two options: give each "
	               "a word of its "
	               "own");
}

static void a_line_without_an_assignment_is_refused_and_not_quoted(void **state)
{
	CLEANUP(container_done) struct container c = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_conf("A=b\nroot:$y$secret:20779::\n", &c, NULL, &e), -22);
	assert_int_equal(e.status, STATUS_DATA);
	assert_string_equal(e.text, "web.conf:2:1: there is no \"=\" in this line");
}

static void what_does_nothing_is_kept_and_warned_about(void **state)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_conf("LD_PRELOAD=/x.so\nexport A=b\nPRIVATE_NETWORK=0\nPRIVATE_NETWORK=1\n", &c,
	                           &warnings, &e),
	                 0);
	assert_int_equal(warnings.n, 3);
	assert_string_equal(warnings.v[0], "web.conf:1:1: LD_PRELOAD: not a key we know, so it does nothing");
	assert_string_equal(warnings.v[1], "web.conf:2:1: 'export A': systemd ignores such a line");
	assert_string_equal(warnings.v[2],
	                    "web.conf:3:1: PRIVATE_NETWORK is set again below; that one counts");
	assert_true(c.private_network);
}

static void what_is_written_reads_back_the_same(void **state)
{
	static const char text[] =
		"SYSTEM_PATH=\"/nix/store/a b\"\nPRIVATE_NETWORK=1\nHOST_PORT=tcp:8080:80\n"
		"LOCAL_ADDRESS=10.0.0.2\nINTERFACES=\"\"\nMACVLANS=\"\"\nAUTO_START=1\n"
		"EXTRA_NSPAWN_FLAGS=\" '--bind-ro=/my data:/d' '--setenv=A='\\\\''\\\"$b'\"\n"
		"TIMEOUT_START_SEC=\"1min 30s\"\nTMPFS=\"/var\"\n"
		"EXTRA_VETHS=\"vx1,hostAddress=10.1.0.1,localAddress=10.1.0.2\"\n";
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(buf_done) struct buf again = { 0 };
	struct err e = { 0 };

	(void)state;
	if (read_conf(text, &c, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(c.flags.v[1], "--setenv=A='\"$b");
	assert_int_equal(conf_write(&c, &again, &e), 0);
	assert_string_equal(buf_text(&again), text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_becomes_its_value),
		cmocka_unit_test(an_empty_conf_is_all_defaults),
		cmocka_unit_test(a_bad_value_is_named_with_file_line_column_and_reason),
		cmocka_unit_test(ports_are_refused_with_the_number_of_their_field),
		cmocka_unit_test(addresses_are_accepted_and_refused_by_the_table),
		cmocka_unit_test(what_the_first_module_would_ignore_is_refused),
		cmocka_unit_test(the_first_module_keeps_its_macvlans),
		cmocka_unit_test(time_spans_are_those_of_systemd),
		cmocka_unit_test(flags_that_redefine_what_the_engine_decides_are_refused),
		cmocka_unit_test(a_line_without_an_assignment_is_refused_and_not_quoted),
		cmocka_unit_test(what_does_nothing_is_kept_and_warned_about),
		cmocka_unit_test(what_is_written_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

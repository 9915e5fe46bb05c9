#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/import.h"

static int import(const char *text, enum release release, struct imported *ret, struct err *e)
{
	return import_json("in.json", text, strlen(text), release, ret, e);
}

/* options are those of a container called web */
static void assert_refused(const char *options, const char *why)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct imported all = { 0 };
	struct err e = { 0 };

	buf_addf(&text, "{\"containers\": {\"web\": {%s}}}", options);
	if (import(buf_text(&text), RELEASE_DEFAULT, &all, &e) == 0)
		fail_msg("accepted: %s", options);
	assert_int_equal(e.status, STATUS_DATA);
	assert_string_equal(e.text, why);
	assert_null(all.v);
}

static void assert_conf(const char *options, const char *conf)
{
	CLEANUP(buf_done) struct buf text = { 0 }, written = { 0 };
	CLEANUP(imported_done) struct imported all = { 0 };
	struct err e = { 0 };

	buf_addf(&text, "{\"containers\": {\"web\": {%s}}}", options);
	if (import(buf_text(&text), RELEASE_DEFAULT, &all, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(conf_write(&all.v[0], &written, &e), 0);
	assert_string_equal(buf_text(&written), conf);
}

static void every_option_becomes_its_key(void **state)
{
	(void)state;
	assert_conf(
		"\"path\": \"/nix/store/x\", \"config\": {}, \"nixpkgs\": \"/nix/store/n\", \"autoStart\": "
		"true,"
		"\"privateNetwork\": true, \"hostBridge\": \"br0\", \"localAddress\": \"10.0.0.2/24\","
		"\"localAddress6\": \"fc00::2/64\", \"hostAddress\": null,"
		"\"forwardPorts\": [{\"hostPort\": 8080, \"containerPort\": 80}, {\"protocol\": \"udp\", "
		"\"hostPort\": 53,"
		"\"containerPort\": null}], \"interfaces\": [\"eth1\"], \"macvlans\": [\"eth2\"],"
		"\"extraVeths\": {\"v2\": {\"hostBridge\": \"br1\"}, \"v1\": {\"hostAddress\": "
		"\"10.1.0.1\"}},"
		"\"ephemeral\": true, \"enableTun\": true, \"timeoutStartSec\": \"5min\","
		"\"bindMounts\": {\"/b\": {\"hostPath\": \"/a:1\", \"isReadOnly\": false}, \"/a\": {}},"
		"\"extraFlags\": [\"--setenv=A=b c\"], \"allowedDevices\": [{\"node\": \"/dev/fuse\", "
		"\"modifier\": \"rwm\"}],"
		"\"additionalCapabilities\": [\"CAP_MKNOD\"], \"tmpfs\": [\"/var\"]",
		"SYSTEM_PATH=/nix/store/"
		"x\nPRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nHOST_PORT=tcp:8080:80,udp:53:53\n"
		"LOCAL_ADDRESS=10.0.0.2/24\nLOCAL_ADDRESS6=fc00::2/"
		"64\nINTERFACES=\"eth1\"\nMACVLANS=\"eth2\"\n"
		"AUTO_START=1\nEXTRA_NSPAWN_FLAGS=\" --bind-ro=/a '--bind=/a\\\\:1:/b' '--setenv=A=b c'\"\n"
		"EPHEMERAL=1\nENABLE_TUN=1\nTIMEOUT_START_SEC=5min\nTMPFS=\"/var\"\n"
		"ADDITIONAL_CAPABILITIES=\"CAP_MKNOD\"\nALLOWED_DEVICES=\"/dev/fuse:rwm\"\n"
		"EXTRA_VETHS=\"v1,hostAddress=10.1.0.1 v2,hostBridge=br1\"\n");
}

static void a_container_without_a_path_is_a_tree(void **state)
{
	(void)state;
	assert_conf("\"init\": \"/usr/bin/payload\"",
	            "INTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\nINIT=/usr/bin/payload\n");
}

static void what_is_wrong_is_named_by_its_json_path(void **state)
{
	(void)state;
	assert_refused("\"colour\": 1",
	               "in.json: /containers/web/colour: the module of 2021-11 has no such option");
	assert_refused("\"autoStart\": 1",
	               "in.json: /containers/web/autoStart: must be true or false, but is an integer");
	assert_refused("\"privateNetwork\": null",
	               "in.json: /containers/web/privateNetwork: must be true or false, but is null");
	assert_refused(
		"\"privateNetwork\": true, \"forwardPorts\": [{\"hostPort\": 1}, {\"hostPort\": 65536}]",
		"in.json: /containers/web/forwardPorts/1/hostPort: 65536 is not a port (1 to 65535)");
	assert_refused("\"privateNetwork\": true, \"forwardPorts\": [{\"containerPort\": 1}]",
	               "in.json: /containers/web/forwardPorts/0: hostPort is missing");
	assert_refused("\"bindMounts\": {\"a\": {}}",
	               "in.json: /containers/web/bindMounts/a: 'a' is not an absolute path without '..'");
	assert_refused("\"extraVeths\": {\"v\": {\"mtu\": 1}}",
	               "in.json: /containers/web/extraVeths/v/mtu: there is no such option");
	assert_refused("\"tmpfs\": [\"/var\", \"a\\nb\"]",
	               "in.json: /containers/web/tmpfs/1: a control character (0x0a) in the value");
	assert_refused("\"pkgs\": {}", "in.json: /containers/web/pkgs: this option was removed: use nixpkgs, "
	                               "or config.nixpkgs.pkgs");
	assert_refused("\"config\": {}", "in.json: /containers/web/config: it is evaluated by Nix: give the "
	                                 "system it evaluates to as path");
}

static void contradictions_are_refused(void **state)
{
	(void)state;
	assert_refused("\"privateNetwork\": true, \"hostBridge\": \"br0\", \"hostAddress\": \"10.0.0.1\"",
	               "in.json: /containers/web/hostAddress: beside a bridge the host's address is not "
	               "given to the host: "
	               "the container takes it for its gateway");
	assert_refused("\"forwardPorts\": [{\"hostPort\": 80}]",
	               "in.json: /containers/web/forwardPorts: ports can only be forwarded to a private "
	               "network: switch that on, and give it an address");
	assert_refused(
		"\"hostAddress\": \"10.0.0.1\"",
		"in.json: /containers/web/privateNetwork: it is off, but addresses or a bridge make the "
		"network private all the same: switch it on, or leave them out");
	assert_refused(
		"\"path\": \"/x\", \"init\": \"/y\"",
		"in.json: /containers/web/init: the system path names the payload already: leave one of "
		"them out");
	assert_refused("\"privateNetwork\": true, \"localAddress\": \"10.0.0.2/24\"",
	               "in.json: /containers/web/localAddress: '10.0.0.2/24' has a prefix, but the two ends "
	               "of a veth route "
	               "to each other's address alone: leave the prefix out, or name a bridge");
}

static void the_host_may_have_one_address_for_many_containers(void **state)
{
	static const char text[] =
		"{\"containers\": {\"a\": {\"privateNetwork\": true, \"hostAddress\": \"10.0.0.1\","
		"\"localAddress\": \"10.0.0.2\"},"
		"\"b\": {\"privateNetwork\": true, \"hostAddress\": \"10.0.0.1\", \"localAddress\": "
		"\"10.0.0.3\", \"extraVeths\": {\"v\": {\"hostAddress\": \"10.0.0.1\"}}}}}";
	CLEANUP(imported_done) struct imported all = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(import(text, RELEASE_DEFAULT, &all, &e), 0);
	assert_int_equal(all.n, 2);
}

static void two_containers_with_one_address_or_port_are_refused(void **state)
{
	static const char addresses[] =
		"{\"containers\": {\"a\": {\"privateNetwork\": true, \"localAddress\": \"10.0.0.2\"},"
		"\"b\": {\"privateNetwork\": true, \"hostAddress\": \"10.0.0.2\"}}}";
	static const char ports[] =
		"{\"containers\": {"
		"\"a\": {\"privateNetwork\": true, \"forwardPorts\": [{\"hostPort\": 80}]},"
		"\"b\": {\"privateNetwork\": true, \"forwardPorts\": [{\"hostPort\": 80}]}}}";
	struct imported all = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(import(addresses, RELEASE_DEFAULT, &all, &e), -22);
	assert_string_equal(e.text,
	                    "in.json: /containers/b/hostAddress: address 10.0.0.2 is container a's too");
	assert_int_equal(import(ports, RELEASE_DEFAULT, &all, &e), -22);
	assert_string_equal(
		e.text,
		"in.json: /containers/b/forwardPorts: host port tcp/80 is forwarded to container a too");
}

static void what_is_imported_reads_back_the_same(void **state)
{
	static const char text[] =
		"{\"containers\": {\"web\": {\"path\": \"/a b\\\"\\\\'$`#;\", \"privateNetwork\": true,"
		"\"hostBridge\": \"b\\\"\\\\$\", \"interfaces\": [\"a\\\"b\", \"a\\\\b\", \"a'b\", "
		"\"a,b$`\"],"
		"\"macvlans\": [\"\\\"\"], \"tmpfs\": [\"/a\\\"b\\\\\", \"/tmp:mode=755,size=1m\"],"
		"\"extraVeths\": {\"v\\\"\\\\=\": {\"hostBridge\": \"\\\"\\\\\"}},"
		"\"allowedDevices\": [{\"node\": \"/dev/a:b,$`\", \"modifier\": \"rw\"}],"
		"\"bindMounts\": {\"/a:\\\\ \\\"'$\": {}}, \"extraFlags\": [\"--setenv=A= '\\\"\\\\$\"]}}}";
	CLEANUP(buf_done) struct buf written = { 0 }, again = { 0 };
	CLEANUP(imported_done) struct imported all = { 0 };
	CLEANUP(container_done) struct container c = { 0 };
	struct err e = { 0 };

	(void)state;
	if (import(text, RELEASE_DEFAULT, &all, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(conf_write(&all.v[0], &written, &e), 0);
	if (conf_read("web.conf", "web", buf_text(&written), written.len, &c, NULL, &e) < 0)
		fail_msg("%s\n%s", e.text, buf_text(&written));
	assert_string_equal(c.interfaces.v[0], "a\"b");
	assert_string_equal(c.interfaces.v[1], "a\\b");
	assert_string_equal(c.macvlans.v[0], "\"");
	assert_string_equal(c.tmpfs.v[0], "/a\"b\\");
	assert_string_equal(c.veths[0].name, "v\"\\=");
	assert_string_equal(c.veths[0].bridge, "\"\\");
	assert_string_equal(c.devices[0].node, "/dev/a:b,$`");
	assert_string_equal(c.flags.v[0], all.v[0].flags.v[0]);
	assert_int_equal(conf_write(&c, &again, &e), 0);
	assert_string_equal(buf_text(&again), buf_text(&written));
}

static void words_are_written_as_the_modules_write_them_if_they_can_be(void **state)
{
	(void)state;
	assert_conf("\"bindMounts\": {\"/a^b#;\": {}}, "
	            "\"extraFlags\": [\"--system-call-filter=~@mount\", \"--setenv=A=*$`(b)\"]",
	            "INTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\" --bind-ro=/a^b#; "
	            "--system-call-filter=~@mount --setenv=A=*$`(b)\"\n");
}

static void what_no_conf_can_hold_is_refused(void **state)
{
	(void)state;
	assert_refused(
		"\"tmpfs\": [\"/a b\"]",
		"in.json: /containers/web/tmpfs/0: '/a b' has a blank in it, which parts paths in a conf");
	assert_refused(
		"\"extraVeths\": {\"a,b\": {}}",
		"in.json: /containers/web/extraVeths/a,b: 'a,b' has a comma in it, which parts options in a "
		"conf");
	assert_refused(
		"\"extraVeths\": {\"a\": {\"hostBridge\": \"b,c\"}}",
		"in.json: /containers/web/extraVeths/a/hostBridge: 'b,c' has a comma in it, which parts "
		"options in a conf");
}

static void a_long_key_leaves_room_for_the_reason(void **state)
{
	char options[3000], why[512];

	(void)state;
	(void)snprintf(options, sizeof(options), "\"%02000d\": 1", 0);
	(void)snprintf(why, sizeof(why),
	               "in.json: /containers/web/%080d...: the module of 2021-11 has no such option", 0);
	assert_refused(options, why);
}

static void names_that_no_machine_can_have_are_refused(void **state)
{
	static const char *const bad[] = { "",    ".", "..", ".host", "a/b",   "-a",        "a b",
		                           "a_b", "é", "a.", "a..b",  "a\\nb", "registries" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		struct imported all = { 0 };
		struct err e = { 0 };

		buf_addf(&text, "{\"containers\": {\"%s\": {}}}", bad[i]);
		if (import(buf_text(&text), RELEASE_DEFAULT, &all, &e) == 0)
			fail_msg("accepted: '%s'", bad[i]);
		assert_int_equal(e.status, STATUS_DATA);
	}
}

static void hostile_documents_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"containers\": []}",
		"{\"containers\": {\"a\": {}, \"a\": {}}}",
		"{\"containers\": {\"a\": {\"path\": \"/\\u0000\"}}}",
		"{\"containers\": {\"a\": {\"path\": \"/\\ud800\"}}}",
		"{\"containers\": {\"a\": {\"forwardPorts\": [{\"hostPort\": 9223372036854775808}]}}}",
		"{\"containers\": {\"a\": {\"autoStart\": NaN}}}",
		"\xef\xbb\xbf{\"containers\": {}}",
		"{\"containers\": {}} x",
		"{\"containers\": {}, \"boot\": {}}",
	};
	CLEANUP(buf_done) struct buf deep = { 0 };
	struct imported all = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (import(bad[i], RELEASE_DEFAULT, &all, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
	for (int i = 0; i < 10000; i++)
		buf_puts(&deep, "{\"a\":");
	assert_int_equal(import(buf_text(&deep), RELEASE_DEFAULT, &all, &e), -22);
	assert_non_null(strstr(e.text, "in.json: /a/a/a/"));
	assert_non_null(strstr(e.text, "/a: nested deeper than 32 levels"));
}

static void what_is_not_json_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{\"containers\": {\"a,b\": [1, {\"x\": []}], \"a\": {\"forwardPorts\": [{}, "
		  "{\"hostPort\": 9223372036854775808}]}}}",
		  "in.json: /containers/a/forwardPorts/1/hostPort: not JSON: too big integer" },
		{ "{\"containers\": {\"a\": {\"path\": \"/]}\\\"\", \"autoStart\": NaN}}}",
		  "in.json: /containers/a/autoStart: not JSON: invalid token" },
		{ "{\"containers\": {\"a\": {\"path\": \"/\\ud800\"}}}",
		  "in.json: /containers/a/path: not JSON: " },
		{ "{\"containers\": {\"a\": {\"ephemeral\": true, \"ephemeral\": false}}}",
		  "in.json: /containers/a: not JSON: duplicate object key" },
		{ "{\"containers\": {\"a\": {}}, \"", "in.json: not JSON: premature end of input" },
		{ "]{", "in.json: not JSON: " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct imported all = { 0 };
		struct err e = { 0 };

		assert_int_equal(import(bad[i].text, RELEASE_DEFAULT, &all, &e), -22);
		if (strncmp(e.text, bad[i].says, strlen(bad[i].says)) != 0)
			fail_msg("'%s' is not '%s'", e.text, bad[i].says);
	}
}

static void as_many_containers_as_fit_are_compared_at_once(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(imported_done) struct imported all = { 0 };
	struct err e = { 0 };
	clock_t begin;

	(void)state;
	buf_puts(&text,
	         "{\"containers\": {\"a\": {\"localAddress\": \"11.0.0.1\", \"privateNetwork\": true}");
	for (unsigned i = 0; text.len < IMPORT_SIZE_MAX - 256; i++)
		buf_addf(&text, ", \"c%u\": {\"localAddress\": \"10.%u.%u.%u\", \"privateNetwork\": true}", i,
		         i >> 16 & 255, i >> 8 & 255, i & 255);
	buf_puts(&text, ", \"z\": {\"localAddress\": \"11.0.0.1\", \"privateNetwork\": true}}}");
	begin = clock();
	if (import(buf_text(&text), RELEASE_DEFAULT, &all, &e) == 0)
		fail_msg("z's address is accepted");
	assert_string_equal(e.text,
	                    "in.json: /containers/z/localAddress: address 11.0.0.1 is container a's too");
	assert_true(clock() - begin < 4 * CLOCKS_PER_SEC);
}

static void an_older_module_has_fewer_options(void **state)
{
	static const char text[] = "{\"containers\": {\"a\": {\"ephemeral\": true}}}";
	static const char start[] = "{\"containers\": {\"a\": {\"autoStart\": true}}}";
	struct imported all = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(import(text, RELEASE_2014, &all, &e), -22);
	assert_string_equal(e.text,
	                    "in.json: /containers/a/ephemeral: the module of 2014 has no such option");
	assert_int_equal(import(start, RELEASE_2014, &all, &e), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_becomes_its_key),
		cmocka_unit_test(a_container_without_a_path_is_a_tree),
		cmocka_unit_test(what_is_wrong_is_named_by_its_json_path),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(two_containers_with_one_address_or_port_are_refused),
		cmocka_unit_test(the_host_may_have_one_address_for_many_containers),
		cmocka_unit_test(what_is_imported_reads_back_the_same),
		cmocka_unit_test(words_are_written_as_the_modules_write_them_if_they_can_be),
		cmocka_unit_test(what_no_conf_can_hold_is_refused),
		cmocka_unit_test(a_long_key_leaves_room_for_the_reason),
		cmocka_unit_test(names_that_no_machine_can_have_are_refused),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(what_is_not_json_is_said_with_its_place),
		cmocka_unit_test(as_many_containers_as_fit_are_compared_at_once),
		cmocka_unit_test(an_older_module_has_fewer_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

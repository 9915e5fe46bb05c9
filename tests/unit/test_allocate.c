/* Addresses and ports for new containers, confs from options, and the commands that make roots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/allocate.h"
#include "decide/conf.h"
#include "decide/draft.h"
#include "decide/recipe.h"

static struct err err;

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static struct taken taken(const char *const *texts)
{
	struct taken t = { 0 };

	for (; *texts; texts++) {
		struct addr a = addr(*texts);

		taken_add(&t, &a);
	}
	return t;
}

#define TAKEN(...) taken((const char *const[]){ __VA_ARGS__, NULL })

static void pair_is(struct taken t, const char *host, const char *local)
{
	struct addr a, b;
	char text[ADDR_TEXT_SIZE];

	assert_int_equal(allocate_pair(&t, &a, &b, &err), 0);
	addr_print(&a, true, text);
	assert_string_equal(text, host);
	addr_print(&b, true, text);
	assert_string_equal(text, local);
	taken_done(&t);
}

static void the_first_pair_is_the_references(void **state)
{
	(void)state;
	pair_is((struct taken){ 0 }, "10.233.1.1", "10.233.1.2");
	pair_is(TAKEN("10.233.1.1", "10.233.1.2", "10.233.3.1"), "10.233.2.1", "10.233.2.2");
}

static void a_network_of_the_host_is_left_alone(void **state)
{
	(void)state;
	pair_is(TAKEN("10.233.0.0/20"), "10.233.16.1", "10.233.16.2");
	pair_is(TAKEN("10.233.1.77"), "10.233.2.1", "10.233.2.2");
	pair_is(TAKEN("10.0.0.0/8"), "172.29.1.1", "172.29.1.2");
	pair_is(TAKEN("10.0.0.0/8", "172.16.0.0/12"), "192.168.1.1", "192.168.1.2");
}

static void where_all_is_a_sites_network_only_what_is_small_counts(void **state)
{
	(void)state;
	pair_is(TAKEN("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "10.233.1.0/24"), "10.233.2.1",
	        "10.233.2.2");
	pair_is(TAKEN("0.0.0.0/0", "::/0"), "10.233.1.1", "10.233.1.2");
}

static void when_all_are_taken_that_is_said(void **state)
{
	struct taken t = TAKEN("10.233.0.0/17", "10.233.128.0/17", "172.29.0.0/17", "172.29.128.0/17",
	                       "192.168.0.0/17", "192.168.128.0/17");
	struct addr a, b;

	(void)state;
	assert_int_equal(allocate_pair(&t, &a, &b, &err), -ENOSPC);
	assert_int_equal(err.status, STATUS_CANNOT_CREATE);
	taken_done(&t);
}

static void a_pair_of_ipv6_is_one_that_nobody_has(void **state)
{
	struct taken t = TAKEN("fd00:10:233:1::2", "fd00:10:233:2::/64", "10.233.3.1");
	char text[ADDR_TEXT_SIZE];
	struct addr a, b;

	(void)state;
	assert_int_equal(allocate_pair6(&t, &a, &b, &err), 0);
	addr_print(&a, true, text);
	assert_string_equal(text, "fd00:10:233:3::1");
	addr_print(&b, true, text);
	assert_string_equal(text, "fd00:10:233:3::2");
	taken_done(&t);
	t = TAKEN("fd00::/16");
	assert_int_equal(allocate_pair6(&t, &a, &b, &err), -ENOSPC);
	taken_done(&t);
}

static void near_is(struct taken t, const char *from, const char *wanted)
{
	struct addr near = addr(from), a;
	char text[ADDR_TEXT_SIZE];

	assert_int_equal(allocate_near(&t, &near, &a, &err), 0);
	addr_print(&a, true, text);
	assert_string_equal(text, wanted);
	taken_done(&t);
}

static void a_neighbour_is_in_the_same_network(void **state)
{
	struct taken full = TAKEN("192.168.0.1");
	struct addr near = addr("192.168.0.2/30"), a;

	(void)state;
	near_is(TAKEN("192.168.0.100", "192.168.0.101", "192.168.0.0/24"), "192.168.0.100/24",
	        "192.168.0.102/24");
	near_is(TAKEN("192.168.0.254"), "192.168.0.254/24", "192.168.0.1/24");
	near_is(TAKEN("fc00::2", "fc00::3"), "fc00::2/64", "fc00::4/64");
	assert_int_equal(allocate_near(&full, &near, &a, &err), -ENOSPC);
	taken_done(&full);
}

static void ports_are(struct taken *t, const char *text, const char *wanted)
{
	struct buf made = { 0 };

	assert_int_equal(allocate_ports(t, text, &made, &err), 0);
	assert_string_equal(buf_text(&made), wanted);
	buf_done(&made);
}

static void a_port_that_is_left_open_is_one_that_nobody_has(void **state)
{
	struct taken t = { 0 };

	(void)state;
	taken_add_port(&t, false, 8080);
	taken_add_port(&t, true, 8053);
	ports_are(&t, "tcp:auto:80,udp:auto:53,auto:80,auto:5432",
	          "tcp:8081:80,udp:8054:53,tcp:8082:80,tcp:5432:5432");
	ports_are(&t, "tcp:9:80,auto:,tcp:auto:x", "tcp:9:80,auto:,tcp:auto:x");
	taken_done(&t);
}

static void all_that_a_container_has_is_taken(void **state)
{
	static const char conf[] =
		"PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.1.0.2/24\nHOST_PORT=tcp:81:80\n"
		"EXTRA_VETHS=\"vx,hostAddress=10.2.0.1,localAddress=10.2.0.2\"\n";
	struct container c = { 0 };
	struct taken t = { 0 };

	(void)state;
	assert_int_equal(conf_read("x", "x", conf, strlen(conf), &c, NULL, &err), 0);
	taken_add_container(&t, &c);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.v[0].prefix, 32); /* an address is not its network */
	assert_int_equal(t.n_ports, 1);
	container_done(&c);
	taken_done(&t);
}

static bool root_is_hosts(const char *conf)
{
	struct container c = { 0 };
	bool is;

	assert_int_equal(conf_read("x", "x", conf, strlen(conf), &c, NULL, &err), 0);
	is = container_root_is_hosts(&c);
	container_done(&c);
	return is;
}

static void whose_root_it_is_is_known_from_the_conf(void **state)
{
	(void)state;
	assert_true(root_is_hosts("PRIVATE_NETWORK=1\n"));
	assert_true(root_is_hosts("PRIVATE_USERS=no\n"));
	assert_false(root_is_hosts("PRIVATE_USERS=pick\n"));
	assert_false(root_is_hosts("PRIVATE_USERS=identity\n"));
	assert_false(root_is_hosts("EXTRA_NSPAWN_FLAGS=-U\n"));
	assert_false(root_is_hosts("EXTRA_NSPAWN_FLAGS=--private-users=65536\n"));
	assert_true(root_is_hosts("EXTRA_NSPAWN_FLAGS=--private-users=no\n"));
}

/* --- drafts */

static void options_have_the_names_of_keys(void **state)
{
	char option[DRAFT_OPTION_SIZE];

	(void)state;
	draft_option("HOST_ADDRESS6", option);
	assert_string_equal(option, "host-address6");
}

static void lists_grow_and_what_is_no_list_is_replaced(void **state)
{
	struct draft d = { 0 };

	(void)state;
	draft_set(&d, "HOST_PORT", "tcp:80:80");
	draft_set(&d, "HOST_PORT", "udp:53:53");
	draft_set(&d, "TMPFS", "/a");
	draft_set(&d, "TMPFS", "/b");
	draft_set(&d, "EXTRA_NSPAWN_FLAGS", "--bind=/x");
	draft_set(&d, "EXTRA_NSPAWN_FLAGS", "--bind=/y");
	draft_set(&d, "HOST_ADDRESS", "10.0.0.1");
	draft_set(&d, "HOST_ADDRESS", "10.0.0.3");
	draft_set(&d, "AUTO_START", NULL);
	assert_string_equal(draft_get(&d, "HOST_PORT"), "tcp:80:80,udp:53:53");
	assert_string_equal(draft_get(&d, "TMPFS"), "/a /b");
	assert_string_equal(draft_get(&d, "EXTRA_NSPAWN_FLAGS"), "--bind=/x --bind=/y");
	assert_string_equal(draft_get(&d, "HOST_ADDRESS"), "10.0.0.3");
	assert_string_equal(draft_get(&d, "AUTO_START"), "1");
	assert_null(draft_get(&d, "INIT"));
	draft_done(&d);
}

static void a_value_can_not_become_another_key(void **state)
{
	static const char *const values[] = { "/x\nEXTRA_NSPAWN_FLAGS=--bind=/", "/x\"\nINIT=/y", "/x\\",
		                              "$(x) `y` #;" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct draft d = { 0 };
		struct container c = { 0 };

		draft_set(&d, "SYSTEM_PATH", values[i]);
		if (draft_read(&d, "", "x", &c, NULL, NULL, &err) == 0) {
			assert_string_equal(c.system_path, values[i]);
			assert_int_equal(c.flags.n, 0);
		}
		container_done(&c);
		draft_done(&d);
	}
}

static void options_go_over_the_conf_they_are_laid_on(void **state)
{
	static const char base[] = "PRIVATE_NETWORK=1\nHOST_PORT=tcp:80:80\nAUTO_START=1";
	struct draft d = { 0 };
	struct container c = { 0 };

	(void)state;
	draft_set(&d, "HOST_PORT", "");
	draft_set(&d, "AUTO_START", "0");
	assert_int_equal(draft_read(&d, base, "x", &c, NULL, NULL, &err), 0);
	assert_int_equal(c.n_ports, 0);
	assert_false(c.auto_start);
	assert_true(c.private_network);
	container_done(&c);
	draft_done(&d);
}

/* --- recipes */

static void words_are(struct strs *words, const char *wanted)
{
	char *joined = strs_join(words, " ");

	assert_string_equal(joined ? joined : "", wanted);
	free(joined);
	strs_done(words);
}

static void each_distribution_has_its_command(void **state)
{
	struct strs words = { 0 };
	struct bootstrap b = { .distribution = DEBIAN };

	(void)state;
	strs_add(&b.packages, "nginx");
	assert_int_equal(recipe_bootstrap(&b, "/r", "debian", "bookworm", &words, &err), 0);
	words_are(&words, "mmdebstrap --mode=root --variant=apt "
	                  "--include=systemd,systemd-sysv,dbus,iproute2,ca-certificates,nginx bookworm /r");
	b.distribution = UBUNTU;
	b.suite = "jammy";
	assert_int_equal(recipe_bootstrap(&b, "/r", "debian", "bookworm", &words, &err), 0);
	words_are(&words, "mmdebstrap --mode=root --variant=apt "
	                  "--include=systemd,systemd-sysv,dbus,iproute2,ca-certificates,nginx "
	                  "--components=main,universe jammy /r http://archive.ubuntu.com/ubuntu");
	b.distribution = FEDORA;
	b.suite = "41";
	assert_int_equal(recipe_bootstrap(&b, "/r", NULL, NULL, &words, &err), 0);
	words_are(&words, "dnf --installroot=/r --releasever=41 --setopt=install_weak_deps=False --assumeyes "
	                  "install systemd "
	                  "passwd dnf fedora-release iproute nginx");
	b.distribution = ARCH;
	b.suite = NULL;
	assert_int_equal(recipe_bootstrap(&b, "/r", NULL, NULL, &words, &err), 0);
	words_are(&words, "pacstrap -c -K /r base nginx");
	strs_done(&b.packages);
}

static void the_suite_is_the_hosts_only_for_its_own_distribution(void **state)
{
	struct strs words = { 0 };
	struct bootstrap b = { .distribution = DEBIAN };

	(void)state;
	assert_int_equal(recipe_bootstrap(&b, "/r", "ubuntu", "noble", &words, &err), 0);
	assert_string_equal(words.v[4], "stable");
	strs_done(&words);
}

static void no_word_of_a_person_becomes_an_option(void **state)
{
	static const char *const bad[] = { "--hook=x", "a b", "", "a;b", "a\nb" };
	struct strs words = { 0 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct bootstrap suite = { .suite = bad[i] }, mirror = { .mirror = bad[i] }, package = { 0 };

		assert_int_equal(recipe_bootstrap(&suite, "/r", NULL, NULL, &words, &err), -EINVAL);
		assert_int_equal(recipe_bootstrap(&mirror, "/r", NULL, NULL, &words, &err), -EINVAL);
		strs_add(&package.packages, bad[i]);
		assert_int_equal(recipe_bootstrap(&package, "/r", NULL, NULL, &words, &err), -EINVAL);
		strs_done(&package.packages);
	}
	assert_int_equal(words.n, 0);
}

static void nix_is_called_as_the_reference_calls_it(void **state)
{
	struct nix_source s = { 0 };
	struct strs words = { 0 };

	(void)state;
	recipe_nix_build(&s, "/r", &words);
	assert_int_equal(words.n, 0);
	recipe_nix_set(&s, "/p/system", "/r/etc/nixos/configuration.nix", NULL, &words);
	words_are(&words, "nix-env -p /p/system -I nixos-config=/r/etc/nixos/configuration.nix -f "
	                  "<nixpkgs/nixos> --set -A system");
	s.nixos_path = "/src/nixos";
	recipe_nix_set(&s, "/p/system", "/c", NULL, &words);
	words_are(&words, "nix-env -p /p/system -I nixos-config=/c -f /src/nixos --set -A system");
	s.flake = "git+https://x/y#box";
	recipe_nix_build(&s, "/r/.result", &words);
	words_are(&words,
	          "nix --extra-experimental-features nix-command flakes build --out-link /r/.result -- "
	          "git+https://x/y#nixosConfigurations.\"box\".config.system.build.toplevel");
	recipe_nix_set(&s, "/p/system", "/c", "/nix/store/built", &words);
	words_are(&words, "nix-env -p /p/system --set /nix/store/built");
	s.flake = "/f";
	recipe_nix_build(&s, "/r", &words);
	assert_string_equal(words.v[7], "/f#nixosConfigurations.\"container\".config.system.build.toplevel");
	strs_done(&words);
}

static void options_for_nix_are_where_the_reference_has_them(void **state)
{
	CLEANUP(strs_done) struct strs flags = { 0 };
	struct nix_source s = { .flake = "/f", .flags = &flags };
	struct strs words = { 0 };

	(void)state;
	strs_split(&flags, "--option cores 2 --impure", " ");
	recipe_nix_build(&s, "/r", &words);
	words_are(&words,
	          "nix --extra-experimental-features nix-command flakes build --out-link /r --option cores "
	          "2 --impure -- /f#nixosConfigurations.\"container\".config.system.build.toplevel");
	recipe_nix_set(&s, "/p", "/c", "/nix/store/x", &words);
	words_are(&words, "nix-env -p /p --set /nix/store/x");
	s.flake = NULL;
	recipe_nix_set(&s, "/p", "/c", NULL, &words);
	words_are(&words, "nix-env -p /p -I nixos-config=/c -f <nixpkgs/nixos> --set -A system --option "
	                  "cores 2 --impure");
}

static void a_configuration_s_file_may_be_called_anything(void **state)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	(void)state;
	recipe_nix_import("/a b/\"${x}\\.nix", &text);
	assert_string_equal(buf_text(&text), "imports = [ (/. + \"/a b/\\\"\\${x}\\\\.nix\") ];");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_pair_is_the_references),
		cmocka_unit_test(a_network_of_the_host_is_left_alone),
		cmocka_unit_test(where_all_is_a_sites_network_only_what_is_small_counts),
		cmocka_unit_test(when_all_are_taken_that_is_said),
		cmocka_unit_test(a_pair_of_ipv6_is_one_that_nobody_has),
		cmocka_unit_test(a_neighbour_is_in_the_same_network),
		cmocka_unit_test(a_port_that_is_left_open_is_one_that_nobody_has),
		cmocka_unit_test(all_that_a_container_has_is_taken),
		cmocka_unit_test(whose_root_it_is_is_known_from_the_conf),
		cmocka_unit_test(options_have_the_names_of_keys),
		cmocka_unit_test(lists_grow_and_what_is_no_list_is_replaced),
		cmocka_unit_test(a_value_can_not_become_another_key),
		cmocka_unit_test(options_go_over_the_conf_they_are_laid_on),
		cmocka_unit_test(each_distribution_has_its_command),
		cmocka_unit_test(the_suite_is_the_hosts_only_for_its_own_distribution),
		cmocka_unit_test(no_word_of_a_person_becomes_an_option),
		cmocka_unit_test(nix_is_called_as_the_reference_calls_it),
		cmocka_unit_test(options_for_nix_are_where_the_reference_has_them),
		cmocka_unit_test(a_configuration_s_file_may_be_called_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

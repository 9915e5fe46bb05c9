#include "tests/unit/golden.h"

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/lint.h"
#include "decide/plan.h"

static const struct facts no_facts = { .path = "/usr/bin:/bin" };

/* The plan of a container called name whose conf is this text; the caller's to free. */
static struct plan plan_of(const char *name, const char *conf, const struct facts *f)
{
	CLEANUP(container_done) struct container c = { 0 };
	struct plan p = { 0 };
	struct err e = { 0 };

	if (conf_read("conf", name, conf, strlen(conf), &c, NULL, &e) < 0 || plan_build(&c, f, &p, &e) < 0)
		fail_msg("%s", e.text);
	return p;
}

static void assert_preview(const char *golden, const char *name, const char *conf, const struct facts *f)
{
	CLEANUP(plan_done) struct plan p = plan_of(name, conf, f);
	CLEANUP(buf_done) struct buf text = { 0 };

	plan_preview(&p, "/usr/libexec/machdeck/machdeck-init", &text);
	assert_golden(golden, buf_text(&text));
}

static void a_tree_has_its_own_init_and_no_nix(void **state)
{
	(void)state;
	assert_preview("tree.plan", "web",
	               "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.231.136.1\nLOCAL_ADDRESS=10.231.136.2\n"
	               "LOCAL_ADDRESS6=fc00::2\nHOST_PORT=tcp:8080:80\nAUTO_START=1\n"
	               "EXTRA_NSPAWN_FLAGS=\"'--bind-ro=/srv/my data:/data'\"\n",
	               &no_facts);
}

static void an_ephemeral_tree_is_an_overlay_on_its_root(void **state)
{
	(void)state;
	assert_preview("tree-ephemeral.plan", "scratch", "EPHEMERAL=1\nINIT=/usr/bin/payload\nENABLE_TUN=1\n",
	               &no_facts);
}

static void a_way_out_is_shown_with_the_tables_it_takes(void **state)
{
	(void)state;
	assert_preview("way-out.plan", "web",
	               "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.231.136.1\nLOCAL_ADDRESS=10.231.136.2\n"
	               "HOST_ADDRESS6=fc00::1\nLOCAL_ADDRESS6=fc00::2\nMASQUERADE=1\n"
	               "EXTRA_VETHS=vx1,localAddress=10.1.0.2\n",
	               &no_facts);
}

static void only_who_has_a_way_out_has_it_in_json(void **state)
{
	CLEANUP(plan_done)
	struct plan with =
		plan_of("web", "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.1.0.2\nMASQUERADE=1\n", &no_facts);
	CLEANUP(plan_done)
	struct plan without = plan_of("web", "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.1.0.2\n", &no_facts);
	CLEANUP(buf_done) struct buf a = { 0 }, b = { 0 };

	(void)state;
	plan_json(&with, &a);
	plan_json(&without, &b);
	assert_non_null(strstr(buf_text(&a), "\"masquerade\": [\n    \"10.1.0.2\"\n  ]"));
	assert_null(strstr(buf_text(&b), "masquerade"));
}

static void a_nix_container_is_bound_to_the_store(void **state)
{
	(void)state;
	assert_preview("nix.plan", "db",
	               "SYSTEM_PATH=/nix/store/x-system\nPRIVATE_NETWORK=1\nHOST_BRIDGE=br0\n"
	               "LOCAL_ADDRESS=10.0.0.2/24\nLOCAL_MAC_ADDRESS=b2:65:3f:c9:6b:10\nPRIVATE_USERS=pick\n"
	               "EXTRA_VETHS=\"vx2,hostBridge=br1 vx1,hostAddress=10.1.0.1,localAddress=10.1.0.2\"\n",
	               &no_facts);
}

static void the_first_module_is_ready_by_a_fifo(void **state)
{
	(void)state;
	assert_preview(
		"nix-2014.plan", "old",
		"SYSTEM_PATH=/nix/store/x\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n"
		"RELEASE=2014\n",
		&no_facts);
}

static void the_first_module_gives_macvlans(void **state)
{
	const struct facts f = { .is_32_bit = true, .path = "/bin" };
	CLEANUP(plan_done)
	struct plan p = plan_of(
		"old", "SYSTEM_PATH=/x\nPRIVATE_NETWORK=1\nMACVLANS=\"eth1 eth2\"\nRELEASE=2014\n", &f);

	(void)state;
	assert_string_equal(p.argv.v[6], "--network-veth");
	assert_string_equal(p.argv.v[7], "--network-macvlan=eth1");
	assert_string_equal(p.argv.v[8], "--network-macvlan=eth2");
	assert_string_equal(p.argv.v[9], "--personality=x86");
}

static void a_profile_makes_a_container_nix(void **state)
{
	const struct facts f = { .has_profile = true, .is_32_bit = true, .nixos_dirs = true, .path = "/bin" };
	CLEANUP(plan_done) struct plan p = plan_of("db", "EPHEMERAL=1\n", &f);

	(void)state;
	assert_int_equal(p.kind, KIND_NIX);
	assert_string_equal(p.root, "/run/nixos-containers/db");
	assert_true(strs_has(&p.argv, "--personality=x86"));
	assert_true(strs_has(&p.argv, "--ephemeral"));
	assert_true(strs_has(&p.argv, "/nix/var/nix/profiles/system/init"));
}

static void the_sources_of_binds_are_known_however_they_are_written(void **state)
{
	CLEANUP(plan_done)
	struct plan p = plan_of("a",
	                        "EXTRA_NSPAWN_FLAGS=\"--bind=/a:/b --bind /c:/d --setenv --bind=x --bind-ro "
	                        "+/e --bind :/f\"\n",
	                        &no_facts);

	(void)state;
	assert_int_equal(p.bind_sources.n, 2);
	assert_true(strs_has(&p.bind_sources, "/a"));
	assert_true(strs_has(&p.bind_sources, "/c"));
}

static void a_flake_is_no_tree(void **state)
{
	CLEANUP(plan_done) struct plan p = plan_of("a", "FLAKE=/etc/flake\n", &no_facts);

	(void)state;
	assert_int_equal(p.kind, KIND_NIX);
}

static void an_address_in_the_other_familys_key_keeps_its_family(void **state)
{
	CLEANUP(plan_done)
	struct plan p =
		plan_of("six", "PRIVATE_NETWORK=1\nHOST_ADDRESS=fc00::2\nLOCAL_ADDRESS=fc00::1\n", &no_facts);
	CLEANUP(strs_done) struct strs words = { 0 };

	(void)state;
	for (size_t i = 0; i < p.poststart.n; i++) {
		if (p.poststart.v[i].kind != NETOP_ADDRESS)
			continue;
		netop_words(&p.poststart.v[i], &words);
		assert_int_equal(p.poststart.v[i].addr.prefix, 128);
	}
	assert_true(strs_has(&words, "fc00::2"));
	assert_true(strs_has(&p.hosts, "fc00::1 six.containers"));
}

/* `ip -6` takes no IPv4 address, and no `ip` a prefix behind "via". */
static void what_is_shown_is_what_ip_takes(void **state)
{
	static const char *const shown[] = {
		"ip link set host0 name eth0",        "ip link set dev eth0 up",
		"ip addr add 10.0.0.2 dev eth0",      "ip route add 10.0.0.1/32 dev eth0",
		"ip route add default via 10.0.0.1",  "ip -6 route add fc00::1/128 dev eth0",
		"ip -6 route add default via fc00::1"
	};
	CLEANUP(plan_done)
	struct plan p = plan_of("a",
	                        "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1/32\nHOST_ADDRESS6=fc00::1/128\n"
	                        "LOCAL_ADDRESS6=10.0.0.2\n",
	                        &no_facts);

	(void)state;
	assert_int_equal(p.init.n, COUNT(shown));
	for (size_t i = 0; i < p.init.n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };
		CLEANUP(free_p) char *line = NULL;

		netop_words(&p.init.v[i], &words);
		line = strs_join(&words, " ");
		assert_string_equal(line, shown[i]);
	}
}

static void a_long_name_goes_by_its_whole_name(void **state)
{
	CLEANUP(plan_done)
	struct plan p =
		plan_of("really-long-long-name-2", "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\n", &no_facts);

	(void)state;
	assert_string_equal(p.poststart.v[0].dev, "ve-really-long-long-name-2");
}

/* Non-interference: what one key says must not change words that another key put. */
static void one_key_changes_only_its_own_words(void **state)
{
	static const char base[] = "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\n";
	static const char *const more[] = { "HOST_PORT=80\n",
		                            "LOCAL_ADDRESS=10.0.0.2\n",
		                            "INTERFACES=eth1\n",
		                            "MACVLANS=eth1\n",
		                            "EXTRA_NSPAWN_FLAGS=-U\n",
		                            "TMPFS=/var\n",
		                            "ADDITIONAL_CAPABILITIES=CAP_MKNOD\n",
		                            "EXTRA_VETHS=vx1\n",
		                            "EPHEMERAL=1\n",
		                            "INIT=/bin/true\n" };
	CLEANUP(plan_done) struct plan plain = plan_of("a", base, &no_facts);

	(void)state;
	for (size_t i = 0; i < COUNT(more); i++) {
		char conf[256];
		size_t differ = 0;

		(void)snprintf(conf, sizeof(conf), "%s%s", base, more[i]);
		{
			CLEANUP(plan_done) struct plan p = plan_of("a", conf, &no_facts);

			for (size_t k = 0; k < p.argv.n; k++)
				differ += !strs_has(&plain.argv, p.argv.v[k]);
		}
		assert_in_range(differ, 1, 2);
	}
}

static void conflicts_between_containers_name_the_other_one(void **state)
{
	static const char a_conf[] =
		"PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.2\nHOST_PORT=80\nEXTRA_VETHS=vx\nINTERFACES=eth1\n";
	static const char b_conf[] = "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.2\nHOST_PORT=tcp:80:8080\nEXTRA_"
				     "VETHS=vx\nINTERFACES=eth1\n";
	static const char *const want[] = { "address 10.0.0.2 is container b's too",
		                            "host port tcp/80 is forwarded to container b too",
		                            "container b has an extra veth of that name too",
		                            "'eth1' is moved into container b too" };
	CLEANUP(container_done) struct container a = { 0 }, b = { 0 };
	struct finding f;

	(void)state;
	assert_int_equal(conf_read("a", "a", a_conf, strlen(a_conf), &a, NULL, NULL), 0);
	assert_int_equal(conf_read("b", "b", b_conf, strlen(b_conf), &b, NULL, NULL), 0);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(lint_pair(&a, &b, i, &f));
		assert_string_equal(f.text, want[i]);
	}
	assert_false(lint_pair(&a, &b, COUNT(want), &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_has_its_own_init_and_no_nix),
		cmocka_unit_test(an_ephemeral_tree_is_an_overlay_on_its_root),
		cmocka_unit_test(a_way_out_is_shown_with_the_tables_it_takes),
		cmocka_unit_test(only_who_has_a_way_out_has_it_in_json),
		cmocka_unit_test(a_nix_container_is_bound_to_the_store),
		cmocka_unit_test(the_first_module_is_ready_by_a_fifo),
		cmocka_unit_test(the_first_module_gives_macvlans),
		cmocka_unit_test(a_profile_makes_a_container_nix),
		cmocka_unit_test(the_sources_of_binds_are_known_however_they_are_written),
		cmocka_unit_test(a_flake_is_no_tree),
		cmocka_unit_test(an_address_in_the_other_familys_key_keeps_its_family),
		cmocka_unit_test(what_is_shown_is_what_ip_takes),
		cmocka_unit_test(a_long_name_goes_by_its_whole_name),
		cmocka_unit_test(one_key_changes_only_its_own_words),
		cmocka_unit_test(conflicts_between_containers_name_the_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/change.h"
#include "decide/conf.h"

#define LINK "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n"

static struct plan plan_of(const char *conf)
{
	const struct facts facts = { .path = "/bin" };
	struct container c = { 0 };
	struct plan p = { 0 };
	struct err e;

	if (conf_read("conf", "web", conf, strlen(conf), &c, NULL, &e) < 0 ||
	    plan_build(&c, &facts, &p, &e) < 0)
		fail_msg("%s", e.text);
	container_done(&c);
	return p;
}

static void lines_of(const struct netops *ops, struct buf *ret)
{
	for (size_t i = 0; i < ops->n; i++) {
		char line[512];

		netop_line(&ops->v[i], line, sizeof(line));
		buf_addf(ret, "%s\n", line);
	}
}

/* As a start leaves it in /run/machdeck/NAME. */
static struct started started_with(const struct plan *p, struct buf *json)
{
	CLEANUP(buf_done) struct buf host = { 0 };
	CLEANUP(buf_done) struct buf guest = { 0 };
	struct started s = { 0 };
	struct err e;

	plan_json(p, json);
	lines_of(&p->poststart, &host);
	lines_of(&p->init, &guest);
	if (started_parse(buf_text(json), buf_text(&host), buf_text(&guest), &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

/* What changes, as text: "host: ip ..." and "guest: ip ..." that is done, "restart: ..." that is not. */
static void put_commands(const char *side, const struct netops *ops, struct buf *ret)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };
		CLEANUP(free_p) char *line = NULL;

		netop_words(&ops->v[i], &words);
		line = strs_join(&words, " ");
		buf_addf(ret, "%s: %s\n", side, line);
	}
}

static void changes(const char *was, const char *now, const char *wanted)
{
	struct plan before = plan_of(was), after = plan_of(now);
	CLEANUP(buf_done) struct buf json = { 0 }, now_json = { 0 }, note = { 0 }, text = { 0 };
	struct started s = started_with(&before, &json), again = { 0 };
	CLEANUP(change_done) struct change c = { 0 };
	CLEANUP(change_done) struct change rest = { 0 };
	struct err e;

	assert_int_equal(change_decide(&s, &after, &c, &e), 0);
	put_commands("host", &c.host, &text);
	put_commands("guest", &c.guest, &text);
	for (size_t i = 0; i < c.restart.n; i++)
		buf_addf(&text, "restart: %s\n", c.restart.v[i]);
	assert_string_equal(buf_text(&text), wanted);

	/* Once that is done and noted, only what takes a restart is left. */
	plan_json(&after, &now_json);
	assert_int_equal(change_note(buf_text(&json), buf_text(&now_json), &c, &note, &e), 0);
	buf_done(&json);
	buf_done(&text);
	lines_of(&c.host_after, &json);
	lines_of(&c.guest_after, &text);
	assert_int_equal(started_parse(buf_text(&note), buf_text(&json), buf_text(&text), &again, &e), 0);
	assert_int_equal(change_decide(&again, &after, &rest, &e), 0);
	assert_int_equal(rest.host.n + rest.guest.n, 0);
	assert_int_equal(rest.restart.n, c.restart.n);
	for (size_t i = 0; i < rest.restart.n; i++)
		assert_string_equal(rest.restart.v[i], c.restart.v[i]);
	started_done(&s);
	started_done(&again);
	plan_done(&before);
	plan_done(&after);
}

static void the_same_conf_changes_nothing(void **state)
{
	(void)state;
	changes(LINK, LINK, "");
	changes("", "", "");
}

static void another_address_is_given_live_to_both_sides(void **state)
{
	(void)state;
	changes(LINK, "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.3\n",
	        "host: ip route del 10.0.0.2 dev ve-web\n"
	        "host: ip link set dev ve-web up\n"
	        "host: ip addr add 10.0.0.1 dev ve-web\n"
	        "host: ip route add 10.0.0.3 dev ve-web\n"
	        "guest: ip addr del 10.0.0.2 dev eth0\n"
	        "guest: ip link set dev eth0 up\n"
	        "guest: ip addr add 10.0.0.3 dev eth0\n"
	        "guest: ip route add 10.0.0.1 dev eth0\n"
	        "guest: ip route add default via 10.0.0.1\n");
}

static void another_gateway_replaces_its_routes(void **state)
{
	(void)state;
	changes(LINK, "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.9\nLOCAL_ADDRESS=10.0.0.2\n",
	        "host: ip addr del 10.0.0.1 dev ve-web\n"
	        "host: ip link set dev ve-web up\n"
	        "host: ip addr add 10.0.0.9 dev ve-web\n"
	        "host: ip route add 10.0.0.2 dev ve-web\n"
	        "guest: ip route del default via 10.0.0.1\n"
	        "guest: ip route del 10.0.0.1 dev eth0\n"
	        "guest: ip link set dev eth0 up\n"
	        "guest: ip addr add 10.0.0.2 dev eth0\n"
	        "guest: ip route add 10.0.0.9 dev eth0\n"
	        "guest: ip route add default via 10.0.0.9\n");
}

static void ports_and_binds_take_a_restart(void **state)
{
	(void)state;
	changes(LINK "HOST_PORT=tcp:8080:80\n",
	        LINK "HOST_PORT=tcp:9090:80,udp:53:53\nEXTRA_NSPAWN_FLAGS=--bind=/srv\n",
	        "restart: HOST_PORT: runs with tcp:8080:80, configured is tcp:9090:80 udp:53:53\n"
	        "restart: bind mounts: runs with none, configured is /srv\n");
}

static void capabilities_and_devices_take_a_restart(void **state)
{
	(void)state;
	changes("",
	        "ADDITIONAL_CAPABILITIES=CAP_NET_ADMIN\nALLOWED_DEVICES=/dev/fuse:rw\nTMPFS=/var\nINIT=/bin/"
	        "busybox\n",
	        "restart: ADDITIONAL_CAPABILITIES: runs with none, configured is CAP_NET_ADMIN\n"
	        "restart: TMPFS: runs with none, configured is /var\n"
	        "restart: ALLOWED_DEVICES: runs with none, configured is /dev/fuse rw\n"
	        "restart: INIT: runs with /sbin/init, configured is /bin/busybox\n");
}

static void limits_need_nothing(void **state)
{
	(void)state;
	changes("MEMORY_MAX=1G\nCPU_QUOTA=50%\n", "MEMORY_MAX=2G\nTASKS_MAX=99\nIO_WEIGHT=10\n", "");
}

static void a_bridge_is_exchanged_live(void **state)
{
	(void)state;
	changes("PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.2/24\n",
	        "PRIVATE_NETWORK=1\nHOST_BRIDGE=br1\nLOCAL_ADDRESS=10.0.0.2/24\n",
	        "host: ip link set dev vb-web master br1 up\n");
}

static void another_kind_of_main_link_leaves_the_network_alone(void **state)
{
	(void)state;
	changes(LINK, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br1\nLOCAL_ADDRESS=10.0.0.3/24\n",
	        "restart: HOST_BRIDGE: runs with none, configured is br1\n");
	changes("PRIVATE_NETWORK=1\n", LINK,
	        "restart: whether it has addresses: runs with none, configured is --network-veth\n");
}

static void a_new_veth_takes_a_restart_and_the_others_change_live(void **state)
{
	(void)state;
	changes("PRIVATE_NETWORK=1\nEXTRA_VETHS=\"vx1,hostAddress=10.1.0.1,localAddress=10.1.0.2\"\n",
	        "PRIVATE_NETWORK=1\nEXTRA_VETHS=\"vx1,hostAddress=10.1.0.1,localAddress=10.1.0.5 "
	        "vx2,hostBridge=br0\"\n",
	        "host: ip route del 10.1.0.2 dev vx1\n"
	        "host: ip link set dev vx1 up\n"
	        "host: ip addr add 10.1.0.1 dev vx1\n"
	        "host: ip route add 10.1.0.5 dev vx1\n"
	        "guest: ip addr del 10.1.0.2 dev vx1\n"
	        "guest: ip link set dev vx1 up\n"
	        "guest: ip addr add 10.1.0.5 dev vx1\n"
	        "guest: ip route add 10.1.0.1 dev vx1\n"
	        "restart: EXTRA_VETHS: runs with vx1, configured is vx1 vx2\n");
}

static void a_veth_leaves_its_bridge_live(void **state)
{
	(void)state;
	changes("PRIVATE_NETWORK=1\nEXTRA_VETHS=\"vx1,hostBridge=br0\"\n",
	        "PRIVATE_NETWORK=1\nEXTRA_VETHS=\"vx1,hostAddress=10.1.0.1\"\n",
	        "host: ip link set dev vx1 nomaster\n"
	        "host: ip link set dev vx1 up\n"
	        "host: ip addr add 10.1.0.1 dev vx1\n"
	        "guest: ip link set dev vx1 up\n"
	        "guest: ip route add 10.1.0.1 dev vx1\n");
}

static void another_system_of_a_nix_container_takes_no_restart(void **state)
{
	(void)state;
	changes("SYSTEM_PATH=/nix/store/a\n", "SYSTEM_PATH=/nix/store/b\n", "");
}

static void files_of_another_shape_are_refused(void **state)
{
	struct started s = { .argv = { .n = 7 } };
	struct err e;

	(void)state;
	assert_int_equal(started_parse("{", "", "", &s, &e), -EINVAL);
	assert_int_equal(started_parse("[]", "", "", &s, &e), -EINVAL);
	assert_int_equal(started_parse("{\"argv\":[\"systemd-nspawn\"]}", "address\n", "", &s, &e), -EINVAL);
	assert_int_equal(e.status, STATUS_DATA);
	assert_int_equal(s.argv.n, 7); /* untouched on failure */
}

static void a_tree_does_not_become_a_system_of_nixos_while_it_runs(void **state)
{
	(void)state;
	changes("INIT=/sbin/init\n", "SYSTEM_PATH=/nix/store/new\n",
	        "restart: bind mounts: runs with none, configured is /nix/store /nix/var/nix/db "
	        "/nix/var/nix/daemon-socket /nix/var/nix/profiles/per-container/web:/nix/var/nix/profiles "
	        "/nix/var/nix/gcroots/per-container/web:/nix/var/nix/gcroots\n"
	        "restart: SYSTEM_PATH: runs with /sbin/init of its own, configured is /nix/store/new/init\n");
}

static void a_way_out_changes_while_it_runs(void **state)
{
	CLEANUP(plan_done) struct plan without = plan_of(LINK), with = plan_of(LINK "MASQUERADE=1\n");
	CLEANUP(plan_done)
	struct plan moved = plan_of("PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.9.0.2/24\n");
	CLEANUP(buf_done) struct buf json = { 0 }, noted = { 0 };
	CLEANUP(started_done) struct started was = started_with(&with, &json);
	CLEANUP(change_done) struct change off = { 0 }, on = { 0 }, none = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(change_decide(&was, &with, &none, &e), 0);
	assert_false(none.masquerade_differs);
	assert_int_equal(change_decide(&was, &without, &off, &e), 0);
	assert_true(off.masquerade_differs);
	assert_int_equal(off.masquerade.n + off.restart.n, 0);
	/* of a link that a restart replaces, the addresses stay, and so does their way out */
	assert_int_equal(change_decide(&was, &moved, &on, &e), 0);
	assert_false(on.masquerade_differs);
	assert_string_equal(on.masquerade.v[0], "10.0.0.2");
	assert_int_equal(change_note(buf_text(&json), buf_text(&json), &on, &noted, &e), 0);
	assert_non_null(strstr(buf_text(&noted), "\"masquerade\": [\n    \"10.0.0.2\"\n  ]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_does_not_become_a_system_of_nixos_while_it_runs),
		cmocka_unit_test(the_same_conf_changes_nothing),
		cmocka_unit_test(another_address_is_given_live_to_both_sides),
		cmocka_unit_test(another_gateway_replaces_its_routes),
		cmocka_unit_test(ports_and_binds_take_a_restart),
		cmocka_unit_test(capabilities_and_devices_take_a_restart),
		cmocka_unit_test(limits_need_nothing),
		cmocka_unit_test(a_bridge_is_exchanged_live),
		cmocka_unit_test(another_kind_of_main_link_leaves_the_network_alone),
		cmocka_unit_test(a_new_veth_takes_a_restart_and_the_others_change_live),
		cmocka_unit_test(a_veth_leaves_its_bridge_live),
		cmocka_unit_test(another_system_of_a_nix_container_takes_no_restart),
		cmocka_unit_test(files_of_another_shape_are_refused),
		cmocka_unit_test(a_way_out_changes_while_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

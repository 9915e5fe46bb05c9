#include "tests/unit/netns.h"

#include "engine/meter.h"

#include <net/if.h>

#define ADDRS  "ip -o addr show"
#define ROUTES "ip route show; ip -6 route show"

static int apply(struct netops *ops, struct err *e)
{
	int r = rtnl_apply("web", ops, e);

	netops_done(ops);
	return r;
}

static void must_apply(struct netops *ops)
{
	struct err e;

	if (apply(ops, &e) < 0)
		fail_msg("%s", e.text);
}

static void guest_side(struct netops *ops)
{
	op(ops, "rename host0 eth0");
	op(ops, "up eth0");
	op(ops, "address eth0 10.0.0.2");
	op(ops, "address eth0 fc00::2");
	op(ops, "route eth0 10.0.0.1");
	op(ops, "default eth0 10.0.0.1");
	op(ops, "route eth0 fc00::1");
	op(ops, "default eth0 fc00::1");
	op(ops, "up vx1");
	op(ops, "address vx1 10.1.0.2");
	op(ops, "route vx1 10.1.0.1");
}

static void the_guests_side_yields_its_addresses_and_routes(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name host0; ip link add vx1 type veth peer name vx1h");
	guest_side(&ops);
	must_apply(&ops);
	assert_told("ip -o link show eth0", "UP");
	assert_not_told("ip -o link show", "host0");
	assert_told(ADDRS " dev eth0", "inet 10.0.0.2/32 scope global");
	assert_told(ADDRS " dev eth0", "inet6 fc00::2/128 scope global");
	assert_not_told(ADDRS " dev eth0", "fc00::2/128 scope global tentative");
	assert_told(ROUTES, "10.0.0.1 dev eth0 scope link");
	assert_told(ROUTES, "default via 10.0.0.1 dev eth0");
	assert_told(ROUTES, "fc00::1 dev eth0");
	assert_told(ROUTES, "default via fc00::1 dev eth0");
	assert_told(ADDRS " dev vx1", "inet 10.1.0.2/32");
	assert_told(ROUTES, "10.1.0.1 dev vx1 scope link");
}

static void a_repeated_run_is_success_and_changes_nothing(void **state)
{
	struct netops ops = { 0 };
	char *before;

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name host0; ip link add vx1 type veth peer name vx1h");
	guest_side(&ops);
	must_apply(&ops);
	before = strdup(told("ip -o addr show | sed 's/valid_lft.*//'; " ROUTES));
	guest_side(&ops);
	must_apply(&ops);
	assert_string_equal(told("ip -o addr show | sed 's/valid_lft.*//'; " ROUTES), before);
	free(before);
}

static void ipv6_in_the_ipv4_keys_is_ipv6(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name host0");
	op(&ops, "up ve-web");
	op(&ops, "address ve-web fc00::2");
	op(&ops, "route ve-web fc00::1");
	must_apply(&ops);
	assert_told(ADDRS " dev ve-web", "inet6 fc00::2/128");
	assert_told(ROUTES, "fc00::1 dev ve-web");
}

static void host_bits_of_a_route_are_left_out(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name host0");
	op(&ops, "up ve-web");
	op(&ops, "route ve-web 10.0.0.9/24");
	op(&ops, "route ve-web fc00::9/64");
	must_apply(&ops);
	assert_told(ROUTES, "10.0.0.0/24 dev ve-web scope link");
	assert_told(ROUTES, "fc00::/64 dev ve-web");
}

static void a_long_name_is_found_by_its_hash_and_by_its_altname(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add ve-really-l3QgY type veth peer name a"); /* before systemd-nspawn added the altname
	                                                           */
	run("ip link add other type veth peer name b; ip link property add dev other altname "
	    "ve-another-long-name");
	op(&ops, "up ve-really-long-name");
	op(&ops, "address ve-really-long-name 10.0.0.1");
	op(&ops, "up ve-another-long-name");
	op(&ops, "address ve-another-long-name 10.0.1.1");
	must_apply(&ops);
	assert_told(ADDRS " dev ve-really-l3QgY", "10.0.0.1/32");
	assert_told(ADDRS " dev other", "10.0.1.1/32");
}

static void a_bridge_gets_its_port(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add br0 type bridge; ip link add vx2 type veth peer name a");
	op(&ops, "master vx2 br0");
	must_apply(&ops);
	assert_told("ip -o link show vx2", "master br0");
	assert_told("ip -o link show vx2", "UP");
}

static void a_mac_is_set(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add eth0 type veth peer name a");
	op(&ops, "mac eth0 02:11:22:33:44:55");
	must_apply(&ops);
	assert_told("ip -o link show eth0", "02:11:22:33:44:55");
}

static void a_missing_bridge_is_named_and_nothing_is_done(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name a; ip link add vx2 type veth peer name b");
	op(&ops, "up ve-web");
	op(&ops, "master vx2 br9");
	assert_int_equal(apply(&ops, &e), -ENODEV);
	assert_int_equal(e.status, STATUS_NO_CONTAINER);
	assert_string_equal(
		e.text,
		"web: cannot attach vx2 to bridge br9: there is no such bridge (create it, or change the "
		"bridge's name)");
	assert_told("ip -o link show ve-web", "state DOWN");
}

static void what_is_no_bridge_is_called_by_its_kind(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add vx2 type veth peer name b");
	op(&ops, "master vx2 b");
	assert_true(apply(&ops, &e) < 0);
	assert_string_equal(e.text, "web: cannot attach vx2 to bridge b: b is a veth, not a bridge");
}

static void a_missing_link_is_named(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	op(&ops, "rename host0 eth0");
	assert_int_equal(apply(&ops, &e), -ENODEV);
	assert_string_equal(e.text, "web: cannot rename host0 to eth0: there is no link of that name");
}

static void a_link_that_may_be_absent_is_deleted_when_it_is_there(void **state)
{
	struct netops ops = { 0 };

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name a");
	for (int i = 0; i < 2; i++) {
		op(&ops, "delete ve-web");
		ops.v[0].may_be_absent = true;
		must_apply(&ops);
		assert_not_told("ip -o link show", "ve-web");
	}
}

static void a_clash_names_the_other_owner_and_all_is_undone(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add ve-web type veth peer name a; ip link add ve-database1234 type veth peer name b");
	run("ip link property add dev ve-database1234 altname ve-database-of-shop; ip link set "
	    "ve-database1234 up");
	run("ip route add 10.0.0.2 dev ve-database1234");
	op(&ops, "mac ve-web 02:11:22:33:44:55");
	op(&ops, "up ve-web");
	op(&ops, "address ve-web 10.0.0.1");
	op(&ops, "address ve-web fc00::1");
	op(&ops, "route ve-web 10.0.0.2");
	op(&ops, "route ve-web fc00::2");
	assert_int_equal(apply(&ops, &e), -EEXIST);
	assert_int_equal(e.status, STATUS_BUSY);
	assert_string_equal(
		e.text,
		"web: cannot add the route to 10.0.0.2 on ve-web: that route is on ve-database-of-shop "
		"already (remove it there, or change the address); what was done before is undone");
	assert_told("ip -o link show ve-web", "state DOWN");
	assert_not_told("ip -o link show ve-web", "02:11:22:33:44:55");
	assert_not_told(ADDRS " dev ve-web", "inet");
	assert_not_told(ROUTES, "ve-web");
	assert_told(ROUTES, "10.0.0.2 dev ve-database1234");
}

static void another_default_route_is_named(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add eth0 type veth peer name a; ip link add eth1 type veth peer name b; ip link set "
	    "eth1 up");
	run("ip addr add 10.9.0.1/24 dev eth1; ip route add default via 10.9.0.254");
	op(&ops, "up eth0");
	op(&ops, "route eth0 10.0.0.1");
	op(&ops, "default eth0 10.0.0.1");
	assert_int_equal(apply(&ops, &e), -EEXIST);
	assert_string_equal(
		e.text,
		"web: cannot add the default route by 10.0.0.1 on eth0: that route is on eth1 by 10.9.0.254 "
		"already (remove it there, or change the address); what was done before is undone");
	assert_told("ip -o link show eth0", "state DOWN");
}

static void undoing_leaves_what_was_there_before(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add eth0 type veth peer name a; ip link set eth0 up; ip addr add 10.0.0.2/32 dev eth0");
	op(&ops, "up eth0");
	op(&ops, "address eth0 10.0.0.2");
	op(&ops, "default eth0 10.7.0.1");
	assert_true(apply(&ops, &e) < 0);
	assert_string_equal(
		e.text, "web: cannot add the default route by 10.7.0.1 on eth0: Nexthop has invalid gateway "
			"(is the gateway in the network of an address of eth0?)");
	assert_told(ADDRS " dev eth0", "10.0.0.2/32");
	assert_told("ip -o link show eth0", ",UP");
}

static void an_address_with_another_prefix_is_a_clash(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add eth0 type veth peer name a; ip addr add fc00::2/64 dev eth0");
	op(&ops, "address eth0 fc00::2");
	assert_int_equal(apply(&ops, &e), -EEXIST);
	assert_string_equal(e.text,
	                    "web: cannot add fc00::2/128 to eth0: it has that address as fc00::2/64 already "
	                    "(remove it there, or change the address)");
}

static void disabled_ipv6_is_said(void **state)
{
	struct netops ops = { 0 };
	struct err e;

	(void)state;
	netns_new();
	run("ip link add eth0 type veth peer name a");
	if (system("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 2>/dev/null") != 0)
		skip();
	op(&ops, "address eth0 fc00::2");
	assert_true(apply(&ops, &e) < 0);
	assert_string_equal(e.text, "web: cannot add fc00::2/128 to eth0: IPv6 is disabled there (sysctl "
	                            "net.ipv6.conf.eth0.disable_ipv6=0, or remove the IPv6 address)");
}

static void links_are_listed_with_all_their_names(void **state)
{
	struct links l = { 0 };
	const struct link *web;
	struct nl nl;
	struct err e;
	pid_t other;

	(void)state;
	netns_new();
	other = other_netns();
	run("ip link add br0 type bridge; ip link add vb-web type veth peer name host0; ip link set vb-web "
	    "master br0 up");
	run("ip link property add dev vb-web altname first-name altname second-name");
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	assert_int_equal(rtnl_links(&nl, &l, &e), 0);
	web = links_find(&l, "second-name");
	assert_non_null(web);
	assert_string_equal(web->name, "vb-web");
	assert_string_equal(web->kind, "veth");
	assert_true(web->up);
	assert_int_equal(web->netnsid, -1);
	assert_ptr_equal(links_at(&l, web->index), web);
	assert_int_equal(web->master, links_find(&l, "br0")->index);
	assert_string_equal(links_find(&l, "br0")->kind, "bridge");
	assert_string_equal(links_find(&l, "lo")->kind, "");
	assert_null(links_find(&l, "ve-web"));
	links_done(&l);
	nl_close(&nl);
	other_netns_end(other);
}

static void addresses_of_another_namespace_are_read_without_entering_it(void **state)
{
	struct netaddrs l = { 0 };
	char command[256], text[ADDR_TEXT_SIZE];
	struct nl nl;
	struct err e;
	bool found = false;
	pid_t other;
	int id;

	(void)state;
	netns_new();
	other = other_netns();
	(void)snprintf(command, sizeof(command),
	               "ip link add ve-web type veth peer name host0 netns %d && nsenter -t %d -n ip addr "
	               "add 10.0.0.2/24 dev host0",
	               other, other);
	run(command);
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	assert_int_equal(rtnl_netnsid(&nl, other, &id, &e), 0);
	assert_true(id >= 0);
	assert_int_equal(rtnl_addresses(&nl, id, &l, &e), 0);
	for (size_t i = 0; i < l.n; i++) {
		addr_print(&l.v[i].addr, true, text);
		found = found || strcmp(text, "10.0.0.2/24") == 0;
	}
	assert_true(found);
	free(l.v);
	assert_true(rtnl_addresses(&nl, 4711, &l, &e) < 0); /* a refused dump is not an empty one */
	assert_int_equal(rtnl_netnsid(&nl, getpid(), &id, &e),
	                 0); /* who asks for more asks hostnet_shares() */
	nl_close(&nl);
	other_netns_end(other);
}

static void note_links(const struct rtnl_event *event, void *arg)
{
	char(*names)[256] = arg;

	if (!event->link)
		return;
	strncat(*names, event->gone ? "-" : "+", sizeof(*names) - strlen(*names) - 1);
	strncat(*names, event->link->name, sizeof(*names) - strlen(*names) - 1);
}

static void the_monitor_hears_links_come_and_go(void **state)
{
	char names[256] = "";
	struct nl monitor;
	struct err e;

	(void)state;
	netns_new();
	assert_int_equal(rtnl_monitor(false, &monitor, &e), 0);
	run("ip link add br0 type bridge; ip link add ve-web type veth peer name a");
	run("ip link set ve-web master br0; ip link set ve-web nomaster");
	assert_int_equal(rtnl_events(&monitor, note_links, names, &e), 0);
	assert_non_null(strstr(names, "+ve-web"));
	assert_null(strstr(names, "-ve-web")); /* leaving a bridge is not leaving the host */
	run("ip link del ve-web");
	assert_int_equal(rtnl_events(&monitor, note_links, names, &e), 0);
	assert_non_null(strstr(names, "-ve-web"));
	nl_close(&monitor);
}

static void traffic_of_a_machines_links_is_found_by_its_namespace(void **state)
{
	struct meter m = METER_CLOSED;
	struct metered of[STATS_LINKS];
	pid_t other;
	char text[128];
	struct err e;

	(void)state;
	netns_new();
	other = other_netns();
	assert_int_equal(meter_open(&m, &e), 0);
	assert_int_equal(meter_read(&m, &e), 0);
	run("ip link add dummy type bridge; ip link add va type veth peer name vb");
	(void)snprintf(text, sizeof(text), "ip link add ve-web type veth peer name host0 netns %d", other);
	run(text);
	run("ip link set ve-web up; ip address add 10.0.0.1/24 dev ve-web");
	(void)snprintf(text, sizeof(text), "nsenter -n -t %d ip link set host0 up", other);
	run(text);
	assert_int_equal(meter_read(&m, &e), 0); /* has heard of the new ones */
	assert_int_equal(meter_of(&m, -1, of), 0);
	assert_int_equal(meter_of(&m, 0, of), 1);
	assert_string_equal(of[0].name, "ve-web");
	for (int i = 0; i < 300 && of[0].counted.tx == 0; i++) { /* until the link has noticed its carrier */
		run("exec bash -c 'echo >/dev/udp/10.0.0.2/9; read -t 0.01 <> <(:) || true'");
		assert_int_equal(meter_read(&m, &e), 0);
		assert_int_equal(meter_of(&m, 0, of), 1);
	}
	assert_true(of[0].counted.tx > 0);
	run("ip link del ve-web");
	assert_int_equal(meter_read(&m, &e), 0);
	assert_int_equal(meter_of(&m, 0, of), 0);
	meter_close(&m);
	other_netns_end(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guests_side_yields_its_addresses_and_routes),
		cmocka_unit_test(a_repeated_run_is_success_and_changes_nothing),
		cmocka_unit_test(ipv6_in_the_ipv4_keys_is_ipv6),
		cmocka_unit_test(host_bits_of_a_route_are_left_out),
		cmocka_unit_test(a_long_name_is_found_by_its_hash_and_by_its_altname),
		cmocka_unit_test(a_bridge_gets_its_port),
		cmocka_unit_test(a_mac_is_set),
		cmocka_unit_test(a_missing_bridge_is_named_and_nothing_is_done),
		cmocka_unit_test(what_is_no_bridge_is_called_by_its_kind),
		cmocka_unit_test(a_missing_link_is_named),
		cmocka_unit_test(a_link_that_may_be_absent_is_deleted_when_it_is_there),
		cmocka_unit_test(a_clash_names_the_other_owner_and_all_is_undone),
		cmocka_unit_test(another_default_route_is_named),
		cmocka_unit_test(undoing_leaves_what_was_there_before),
		cmocka_unit_test(an_address_with_another_prefix_is_a_clash),
		cmocka_unit_test(disabled_ipv6_is_said),
		cmocka_unit_test(links_are_listed_with_all_their_names),
		cmocka_unit_test(addresses_of_another_namespace_are_read_without_entering_it),
		cmocka_unit_test(the_monitor_hears_links_come_and_go),
		cmocka_unit_test(traffic_of_a_machines_links_is_found_by_its_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

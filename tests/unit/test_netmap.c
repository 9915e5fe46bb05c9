#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "drivers/hostnet.h"
#include "words/netmap.h"
#include "words/netmap_change.h"

/* A host with a bridge: web hangs on it, db has a link of its own, hidden runs and is not seen. */
static struct netmap map;
static struct netmap_space *host, *web;

static struct netmap_link *add(struct netmap_space *s, int index, const char *name, const char *kind)
{
	struct netmap_link l = { .index = index, .netnsid = NETMAP_HOST };

	memcpy(l.name, name, strlen(name));
	memcpy(l.kind, kind, strlen(kind));
	assert_true(netmap_put_link(s, &l));
	return &s->links[netmap_link(s, index) - s->links];
}

static void add_veth(struct netmap_space *s, int index, const char *name, int peer, int netnsid)
{
	struct netmap_link *l = add(s, index, name, "veth");

	l->peer = peer;
	l->netnsid = netnsid;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static void add_address(struct netmap_space *s, int link, const char *text)
{
	struct netmap_address a = { .link = link, .addr = addr(text) };

	assert_true(netmap_put_address(s, &a));
}

static void add_route(struct netmap_space *s, const char *to, const char *via, int link, uint32_t metric)
{
	struct netmap_route r = { .to = addr(to), .link = link, .metric = metric, .type = 1 };

	if (via)
		r.gateway = addr(via);
	assert_true(netmap_put_route(s, &r));
}

static int set_up(void **state)
{
	(void)state;
	map = (struct netmap){ .v = calloc(3, sizeof(*map.v)), .n = 2 };
	host = &map.v[0];
	web = &map.v[1];
	host->netnsid = NETMAP_HOST;
	memcpy(web->machine, "web", 4);
	web->netnsid = 4;
	add(host, 2, "eth0", "");
	add(host, 3, "br0", "bridge");
	add_veth(host, 9, "vb-web", 2, 4);
	add_veth(web, 2, "host0", 9, NETMAP_HOST);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	netmap_done(&map);
	return 0;
}

static struct netmap_link *at(int index)
{
	return &host->links[netmap_link(host, index) - host->links];
}

/* ---- questions */

static void a_pair_is_two_ends_that_say_the_same(void **state)
{
	struct netmap_place p = netmap_pair(&map, host, at(9));

	(void)state;
	assert_string_equal(p.link->name, "host0");
	assert_string_equal(netmap_machine_of(&map, at(9)), "web");
	web->links[0].peer = 77; /* the index was given again */
	assert_null(netmap_pair(&map, host, at(9)).link);
}

static void a_link_is_found_by_its_long_name_cut_or_not(void **state)
{
	struct netmap_link *l;
	char cut[NAME_LINK_SIZE];

	(void)state;
	name_host_link("ve-", "averyveryverylongname", cut);
	l = add(host, 12, cut, "veth");
	assert_ptr_equal(netmap_link_called(host, "ve-averyveryverylongname"), l);
	assert_string_equal(netmap_link_title(l), cut);
	strs_add(&l->altnames, "ve-averyveryverylongname");
	assert_string_equal(netmap_link_title(l), "ve-averyveryverylongname");
	assert_null(netmap_link_called(host, "ve-averyveryverylongname2"));
}

static void ports_of_a_bridge_are_gone_through_in_turn(void **state)
{
	const struct netmap_link *port;

	(void)state;
	at(2)->master = at(9)->master = 3;
	port = netmap_next_port(host, 3, NULL);
	assert_string_equal(port->name, "eth0");
	assert_null(netmap_machine_of(&map, port));
	port = netmap_next_port(host, 3, port);
	assert_string_equal(port->name, "vb-web");
	assert_null(netmap_next_port(host, 3, port));
}

static void an_address_belongs_to_the_machine_before_the_host(void **state)
{
	const struct addr a = addr("10.0.0.2");

	(void)state;
	assert_null(netmap_owner(&map, &a));
	add_address(host, 3, "10.0.0.2/24");
	assert_ptr_equal(netmap_owner(&map, &a), host);
	add_address(web, 2, "10.0.0.2/24");
	assert_ptr_equal(netmap_owner(&map, &a), web);
}

static void the_longest_prefix_and_the_smallest_metric_win(void **state)
{
	const struct addr near = addr("10.0.0.5"), far = addr("192.0.2.9"), six = addr("fd00::1");

	(void)state;
	add_route(host, "0.0.0.0/0", "10.0.0.1", 3, 100);
	add_route(host, "0.0.0.0/0", "10.0.0.9", 2, 50);
	add_route(host, "10.0.0.0/24", NULL, 3, 0);
	assert_int_equal(netmap_route_to(host, &near)->link, 3);
	assert_int_equal(netmap_route_to(host, &far)->link, 2);
	assert_null(netmap_route_to(host, &six));
	assert_int_equal(netmap_default_route(host, AF_INET)->metric, 50);
	assert_null(netmap_default_route(host, AF_INET6));
}

static void a_listener_takes_what_its_address_lets(void **state)
{
	struct netmap_listener v[] = { { .at = addr("127.0.0.1"), .port = 80 },
		                       { .at = addr("::"), .port = 80, .v6_only = true },
		                       { .at = addr("::"), .port = 81 },
		                       { .at = addr("0.0.0.0"), .port = 53, .udp = true } };
	const struct addr lan = addr("10.0.0.2"), loop = addr("127.0.0.1"), none = { 0 };

	(void)state;
	host->listeners = v;
	host->n_listeners = COUNT(v);
	assert_null(netmap_next_listener(host, false, &lan, 80, NULL));
	assert_ptr_equal(netmap_next_listener(host, false, &loop, 80, NULL), &v[0]);
	assert_ptr_equal(netmap_next_listener(host, false, &none, 80, &v[0]), &v[1]);
	assert_ptr_equal(netmap_next_listener(host, false, &lan, 81, NULL), &v[2]);
	assert_ptr_equal(netmap_next_listener(host, true, &lan, 53, NULL), &v[3]);
	assert_null(netmap_next_listener(host, false, &lan, 53, NULL));
	host->listeners = NULL;
	host->n_listeners = 0;
}

/* ---- flaws */

static const struct netmap_wanted wanted[] = { { "db", "ve-db", NULL, false },
	                                       { "web", "vb-web", "br0", false } };

static enum netmap_flaw judge(int index, const char **ret_of)
{
	const struct netmap_wanted *of = NULL;
	enum netmap_flaw flaw = netmap_judge(&map, at(index), wanted, COUNT(wanted), &of);

	if (ret_of)
		*ret_of = of ? of->machine : NULL;
	return flaw;
}

static void a_port_that_left_its_bridge_has_lost_it(void **state)
{
	(void)state;
	assert_int_equal(judge(9, NULL), NETMAP_LOST_BRIDGE);
	at(9)->master = 3;
	assert_int_equal(judge(9, NULL), NETMAP_WELL);
	at(9)->master = 2; /* some other's */
	assert_int_equal(judge(9, NULL), NETMAP_LOST_BRIDGE);
}

static void a_link_of_nobody_is_an_orphan(void **state)
{
	const char *of;

	(void)state;
	add_veth(host, 10, "ve-db", 2, 6);
	assert_int_equal(judge(10, &of), NETMAP_ORPHAN);
	assert_string_equal(of, "db");
	add_veth(host, 11, "ve-unheard-of", 3, NETMAP_NSID_OTHER);
	assert_int_equal(judge(11, &of), NETMAP_ORPHAN);
	assert_null(of);
	add_veth(host, 12, "veth1", 3, 6);
	assert_int_equal(judge(12, NULL), NETMAP_WELL);
}

static void nothing_is_an_orphan_while_a_machine_is_not_seen(void **state)
{
	struct netmap_space *hidden = &map.v[map.n++];

	(void)state;
	*hidden = (struct netmap_space){ .netnsid = NETMAP_HOST };
	memcpy(hidden->machine, "xen", 4);
	add_veth(host, 10, "ve-db", 2, 6);
	assert_int_equal(judge(10, NULL), NETMAP_FLAW_UNKNOWN);
	hidden->shares_host = true;
	assert_int_equal(judge(10, NULL), NETMAP_ORPHAN);
}

static void what_stands_in_a_machines_way_is_a_squatter(void **state)
{
	const char *of;

	(void)state;
	add(host, 10, "ve-db", "bridge");
	assert_int_equal(judge(10, &of), NETMAP_SQUATTER);
	assert_string_equal(of, "db");
	at(9)->name[0] = 'x'; /* web's, under the name of db */
	strs_add(&at(9)->altnames, "ve-db");
	memcpy(at(9)->name, "vb-other", 9);
	assert_int_equal(judge(9, &of), NETMAP_SQUATTER);
	assert_string_equal(of, "db");
	add(host, 11, "ve-nobody", "bridge"); /* in nobody's way */
	assert_int_equal(judge(11, NULL), NETMAP_WELL);
}

/* ---- changes */

static void a_link_that_goes_takes_what_hangs_on_it(void **state)
{
	(void)state;
	add_address(host, 3, "10.0.0.1/24");
	add_address(host, 2, "192.0.2.1/24");
	add_route(host, "10.0.0.0/24", NULL, 3, 0);
	add_route(host, "0.0.0.0/0", "192.0.2.254", 2, 0);
	netmap_drop_link(host, 3);
	netmap_drop_link(host, 99);
	assert_null(netmap_link(host, 3));
	assert_int_equal(host->n_addresses, 1);
	assert_int_equal(host->n_routes, 1);
	assert_int_equal(host->routes[0].link, 2);
}

static void a_link_that_changes_keeps_its_traffic(void **state)
{
	(void)state;
	at(9)->rx = 77;
	add_veth(host, 9, "renamed", 2, 4);
	assert_int_equal(at(9)->rx, 77);
	assert_string_equal(at(9)->name, "renamed");
}

static void who_manages_a_link_is_told_by_what_he_left_in_run(void **state)
{
	char root[] = "/tmp/hostnet.XXXXXX", command[768];

	(void)state;
	assert_non_null(mkdtemp(root));
	(void)snprintf(command, sizeof(command),
	               "cd %s && mkdir -p run/systemd/netif/links run/NetworkManager/devices run/dhcpcd "
	               "sys/class/net/eth0 && "
	               "printf '# by networkd\\nADMIN_STATE=configured\\n' >run/systemd/netif/links/3 && "
	               "printf 'ADMIN_STATE=unmanaged\\n' >run/systemd/netif/links/9 && "
	               "printf '[device]\\nmanaged=true\\n' >run/NetworkManager/devices/2 && : "
	               ">run/dhcpcd/vb-web-4.pid && "
	               "echo 2 >sys/class/net/eth0/ifindex && echo 2500 >sys/class/net/eth0/speed && "
	               ": >run/systemd/netif/links/99999999999999999999 && : >run/systemd/netif/links/x",
	               root);
	assert_int_equal(system(command), 0);
	at(2)->carrier = true;
	hostnet_managers(root, host);
	assert_int_equal(at(2)->manager, NETMAP_NETWORK_MANAGER);
	assert_int_equal(at(2)->speed, 2500);
	assert_int_equal(at(3)->manager, NETMAP_NETWORKD);
	assert_int_equal(at(9)->manager, NETMAP_DHCPCD);
	at(2)->manager = at(3)->manager = at(9)->manager = NETMAP_MANAGER_UNKNOWN;
	for (size_t i = 0; i < host->n_links; i++)
		hostnet_manager(root, &host->links[i]);
	assert_int_equal(at(2)->manager, NETMAP_NETWORK_MANAGER);
	assert_int_equal(at(3)->manager, NETMAP_NETWORKD);
	assert_int_equal(at(9)->manager, NETMAP_DHCPCD);
	host->links[0].index = 77; /* the name is somebody else's now */
	hostnet_manager(root, &host->links[0]);
	assert_int_equal(host->links[0].speed, 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static void name_servers_are_taken_from_a_hostile_file(void **state)
{
	CLEANUP(strs_done) struct strs found = { 0 };

	(void)state;
	hostnet_names("# nameserver 1.1.1.1\n nameserver\t10.0.0.1 # mine\nnameserver\nnameserver \n"
	              "nameserverx 2.2.2.2\nsearch lan\nnameserver \x1b[31m\r\nnameserver fe80::1%eth0",
	              &found);
	assert_int_equal(found.n, 3);
	assert_string_equal(found.v[0], "10.0.0.1");
	assert_string_equal(found.v[1], "\x1b[31m"); /* shown by way of text_printable() */
	assert_string_equal(found.v[2], "fe80::1%eth0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_is_two_ends_that_say_the_same),
		TEST(a_link_is_found_by_its_long_name_cut_or_not),
		TEST(ports_of_a_bridge_are_gone_through_in_turn),
		TEST(an_address_belongs_to_the_machine_before_the_host),
		TEST(the_longest_prefix_and_the_smallest_metric_win),
		TEST(a_listener_takes_what_its_address_lets),
		TEST(a_port_that_left_its_bridge_has_lost_it),
		TEST(a_link_of_nobody_is_an_orphan),
		TEST(nothing_is_an_orphan_while_a_machine_is_not_seen),
		TEST(what_stands_in_a_machines_way_is_a_squatter),
		TEST(a_link_that_goes_takes_what_hangs_on_it),
		TEST(a_link_that_changes_keeps_its_traffic),
		TEST(who_manages_a_link_is_told_by_what_he_left_in_run),
		TEST(name_servers_are_taken_from_a_hostile_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

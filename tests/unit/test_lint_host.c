#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/lint.h"
#include "decide/lint_host.h"
#include "words/netmap_change.h"

enum { UPLINK = 2, BR0, ITS, DUMMY };

#define LINK "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n"
#define PORT LINK "HOST_PORT=8080:80\n"

static struct netmap map;
static struct netmap_space *host;

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static struct netmap_link *put_link(int index, const char *name, const char *kind, int netnsid)
{
	struct netmap_link l = { .index = index, .netnsid = netnsid, .up = true };

	(void)snprintf(l.name, sizeof(l.name), "%s", name);
	(void)snprintf(l.kind, sizeof(l.kind), "%s", kind);
	assert_true(netmap_put_link(host, &l));
	return &host->links[netmap_link(host, index) - host->links];
}

static void put_route(const char *to, int link)
{
	struct netmap_route r = { .to = addr(to), .link = link, .type = RTN_UNICAST };

	assert_true(netmap_put_route(host, &r));
}

static void put_listener(const char *at, uint16_t port, const char *process)
{
	struct netmap_listener *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	*l = (struct netmap_listener){ .at = addr(at), .port = port, .pid = 88 };
	(void)snprintf(l->process, sizeof(l->process), "%s", process);
	free(host->listeners);
	host->listeners = l;
	host->n_listeners = 1;
}

/* eth0 with 192.168.1.5/24 and the default route; a bridge br0 with 10.7.0.0/24. */
static int set_up(void **state)
{
	struct netmap_address own = { .link = UPLINK, .addr = addr("192.168.1.5/24") };

	(void)state;
	map = (struct netmap){ .v = calloc(1, sizeof(*map.v)), .n = 1 };
	assert_non_null(map.v);
	host = &map.v[0];
	host->netnsid = NETMAP_HOST;
	host->sysctls = (struct netmap_sysctls){ .forward4 = NETMAP_ON, .forward6 = NETMAP_ON };
	put_link(UPLINK, "eth0", "", NETMAP_HOST);
	put_link(BR0, "br0", "bridge", NETMAP_HOST);
	put_link(DUMMY, "dummy7", "dummy", NETMAP_HOST);
	assert_true(netmap_put_address(host, &own));
	put_route("0.0.0.0/0", UPLINK);
	put_route("192.168.1.0/24", UPLINK);
	put_route("10.7.0.0/24", BR0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	netmap_done(&map);
	return 0;
}

static struct container read_conf(const char *name, const char *conf)
{
	struct container c = { 0 };
	struct err e;

	if (conf_read("conf", name, conf, strlen(conf), &c, NULL, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

static void told(const char *conf, int netnsid, const struct firewall *filters, const char *hosts,
                 const char *wanted)
{
	const struct lint_facts facts = { .map = &map, .filters = filters, .hosts = hosts };
	CLEANUP(container_done) struct container c = read_conf("web", conf);
	CLEANUP(strs_done) struct strs found = { 0 };
	CLEANUP(free_p) char *text = NULL;

	lint_host(&c, netnsid, &facts, &found);
	text = strs_join(&found, "\n");
	assert_string_equal(text, wanted);
}

static void what_fits_is_not_spoken_of(void **state)
{
	(void)state;
	told(PORT "MASQUERADE=1\n", NETMAP_HOST, NULL,
	     "127.0.0.1 localhost\n10.0.0.2 web.containers web # it\n", "");
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.7.0.2/24\nMACVLANS=dummy7\n", NETMAP_HOST,
	     NULL, "", "");
	told("", NETMAP_HOST, NULL, "1.2.3.4 web\n",
	     ""); /* it has no address of its own to be mistaken for */
}

static void a_bridge_that_is_missing_or_none_is_told(void **state)
{
	(void)state;
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=br9\n", NETMAP_HOST, NULL, NULL,
	     "web: HOST_BRIDGE: there is no bridge br9 on this host");
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=dummy7\n", NETMAP_HOST, NULL, NULL,
	     "web: HOST_BRIDGE: dummy7 is no bridge, but of the kind dummy");
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=eth0\n", NETMAP_HOST, NULL, NULL,
	     "web: HOST_BRIDGE: eth0 is no bridge");
	told("EXTRA_VETHS=\"vx1,hostBridge=br9\"\n", NETMAP_HOST, NULL, NULL,
	     "web: EXTRA_VETHS: there is no bridge br9 on this host");
}

static void links_that_are_missing_or_somebody_elses_are_told(void **state)
{
	(void)state;
	told("INTERFACES=eth7\nMACVLANS=eth8\n", NETMAP_HOST, NULL, NULL,
	     "web: INTERFACES: there is no link eth7 on this host\nweb: MACVLANS: there is no link eth8 on "
	     "this host");
	told("INTERFACES=eth7\n", 4, NULL, NULL, ""); /* it is in there */
	told("EXTRA_VETHS=\"dummy7\"\n", NETMAP_HOST, NULL, NULL,
	     "web: EXTRA_VETHS: the host has a link dummy7 already, which is not this container's");
	put_link(ITS, "ve-web", "veth", 4);
	told(LINK, 4, NULL, NULL, "");
	told(LINK, NETMAP_HOST, NULL, NULL, ""); /* a start takes away what is left */
	told(LINK, 5, NULL, NULL,
	     "web: its link: the host has a link ve-web already, which is not this container's");
}

static void addresses_of_the_hosts_own_networks_are_told(void **state)
{
	(void)state;
	told("PRIVATE_NETWORK=1\nLOCAL_ADDRESS=192.168.1.5\n", NETMAP_HOST, NULL, NULL,
	     "web: LOCAL_ADDRESS: 192.168.1.5 is an address of the host itself");
	told("PRIVATE_NETWORK=1\nLOCAL_ADDRESS=192.168.1.77\n", NETMAP_HOST, NULL, NULL,
	     "web: LOCAL_ADDRESS: 192.168.1.77 lies in 192.168.1.0/24, which this host reaches over eth0: "
	     "who is there can "
	     "not answer it");
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=192.168.1.77/24\n", NETMAP_HOST, NULL, NULL,
	     "web: LOCAL_ADDRESS: 192.168.1.77 lies in 192.168.1.0/24, which this host reaches over eth0: "
	     "who is there can "
	     "not answer it");
}

static void a_port_that_something_listens_on_is_told(void **state)
{
	(void)state;
	put_listener("192.168.1.5", 8080, "sshd");
	told(PORT, NETMAP_HOST, NULL, NULL,
	     "web: HOST_PORT: sshd (pid 88) listens on host port tcp/8080: what comes from outside goes to "
	     "the container");
	put_listener("127.0.0.1", 8080, "sshd");
	told(PORT, NETMAP_HOST, NULL, NULL, "");
	put_listener("192.168.1.5", 8081, "sshd");
	told(PORT, NETMAP_HOST, NULL, NULL, "");
}

static void forwarding_that_is_off_is_told_of_who_needs_it(void **state)
{
	(void)state;
	host->sysctls.forward4 = NETMAP_OFF;
	told(LINK, NETMAP_HOST, NULL, NULL, "");
	told(PORT "MASQUERADE=1\n", NETMAP_HOST, NULL, NULL, ""); /* that switches it on */
	told(PORT, NETMAP_HOST, NULL, NULL,
	     "web: HOST_PORT: net.ipv4.ip_forward is 0: this host passes nothing on");
	host->sysctls.forward4 = NETMAP_UNTOLD;
	told(PORT, NETMAP_HOST, NULL, NULL, "");
}

static void a_filter_that_drops_what_is_passed_on_is_told(void **state)
{
	struct fw_chain chain = {
		.family = 2, .table = "filter", .name = "FORWARD", .hook = FW_FORWARD, .drops = true
	};
	const struct firewall filters = { .v = &chain, .n = 1 };

	(void)state;
	told(PORT, NETMAP_HOST, &filters, NULL,
	     "web: HOST_PORT: what is passed on is dropped by chain FORWARD of table ip filter (policy "
	     "drop)");
	told(LINK "MASQUERADE=1\n", NETMAP_HOST, &filters, NULL,
	     "web: MASQUERADE: what is passed on is dropped by chain FORWARD of table ip filter (policy "
	     "drop)");
	told(LINK, NETMAP_HOST, &filters, NULL, "");
	chain.drops = false;
	told(PORT, NETMAP_HOST, &filters, NULL, "");
}

static void a_name_of_another_address_is_told(void **state)
{
	(void)state;
	told(LINK, NETMAP_HOST, NULL, "10.0.0.9\tother web\n1.2.3.4 web.containers webber # web\n",
	     "web: its name: /etc/hosts says that web is 10.0.0.9\n"
	     "web: its name: /etc/hosts says that web.containers is 1.2.3.4");
}

static void users_of_its_own_on_the_hosts_network_are_told(void **state)
{
	(void)state;
	told("PRIVATE_USERS=pick\n", NETMAP_HOST, NULL, "",
	     "web: PRIVATE_USERS: on the host's network users of its own may not listen below "
	     "net.ipv4.ip_unprivileged_port_start (1024), not even its root: Permission denied; give it a "
	     "private network");
	told("PRIVATE_USERS=no\n", NETMAP_HOST, NULL, "", "");
	told("PRIVATE_USERS=pick\nPRIVATE_NETWORK=1\n", NETMAP_HOST, NULL, "", "");
}

static void a_parent_that_is_a_bridges_port_is_told(void **state)
{
	(void)state;
	told("MACVLANS=dummy7\n", NETMAP_HOST, NULL, "", "");
	put_link(DUMMY, "dummy7", "dummy", NETMAP_HOST)->master = BR0;
	told("MACVLANS=dummy7\n", NETMAP_HOST, NULL, "",
	     "web: MACVLANS: dummy7 is a port of br0, so it can carry no macvlan (Device or resource busy): "
	     "HOST_BRIDGE=br0?");
}

static void what_is_not_known_is_not_judged(void **state)
{
	(void)state;
	host->no_links = strdup("it can not be asked");
	told("PRIVATE_NETWORK=1\nHOST_BRIDGE=br9\n", NETMAP_HOST, NULL, NULL, "");
}

/* ---- two of them */

static void overlap(const char *a, const char *b, const char *wanted)
{
	CLEANUP(container_done) struct container one = read_conf("web", a), other = read_conf("db", b);
	CLEANUP(strs_done) struct strs found = { 0 };
	CLEANUP(free_p) char *text = NULL;

	lint_overlap(&one, &other, &found);
	text = strs_join(&found, "\n");
	assert_string_equal(text, wanted);
}

static void networks_that_overlap_are_told(void **state)
{
	static const char on_bridge[] = "PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.7.0.2/24\n";

	(void)state;
	overlap(on_bridge, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.7.0.3/24\n", "");
	overlap(on_bridge, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br1\nLOCAL_ADDRESS=10.7.1.3/24\n", "");
	overlap(on_bridge, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br1\nLOCAL_ADDRESS=10.7.0.3/24\n",
	        "web: LOCAL_ADDRESS: 10.7.0.2/24 and container db's 10.7.0.3/24 are networks that overlap, "
	        "on different links");
	overlap(on_bridge, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.7.0.3/25\n",
	        "web: LOCAL_ADDRESS: 10.7.0.2/24 and container db's 10.7.0.3/25 are networks that overlap, "
	        "on one bridge");
	overlap(on_bridge, "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.7.0.3\n",
	        "web: LOCAL_ADDRESS: 10.7.0.2/24 and container db's 10.7.0.3 are networks that overlap, on "
	        "different links");
}

static void pair(const char *a, const char *conf_a, const char *b, const char *conf_b, const char *wanted)
{
	CLEANUP(container_done) struct container one = read_conf(a, conf_a), other = read_conf(b, conf_b);
	const struct container *both[] = { &one, &other };
	bool rivals[2];
	struct finding f = { 0 };

	assert_int_equal(lint_rivals(both, 2, rivals), 0);
	assert_int_equal(rivals[0], wanted[0] != '\0');
	assert_int_equal(lint_pair(&one, &other, 0, &f), wanted[0] != '\0');
	assert_string_equal(f.text, wanted);
}

static void links_of_two_that_are_called_the_same_are_told(void **state)
{
	(void)state;
	pair("web", LINK, "db", "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.9\n", "");
	pair("web", LINK, "db", "EXTRA_VETHS=ve-web\n", "a link of container db is called ve-web, too");
	pair("db", "EXTRA_VETHS=ve-web\n", "web", LINK, "a link of container web is called ve-web, too");
	pair("db", "EXTRA_VETHS=vx1\n", "web", "EXTRA_VETHS=vx1\n",
	     "container web has an extra veth of that name too");
	/* too long for a link: both are cut to ve-longnameRVRB, its hash the same */
	pair("longname-3276", "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.8\n", "longname-3947",
	     "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.9\n",
	     "a link of container longname-3947 is called ve-longnameRVRB, too");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* The name service's answers, for a web whose addresses are 10.0.0.2 and, as it is seen, 10.5.0.9. */
static void answered(const char *hosts, char *answer, const char *wanted)
{
	char own[] = "10.5.0.9", *answers[] = { answer, NULL }, *seen[] = { own, NULL };
	const struct strs names = { answers, 1, false }, addresses = { seen, 1, false };
	const struct lint_facts facts = { .hosts = hosts, .names = &names, .seen = &addresses };
	CLEANUP(container_done) struct container c = read_conf("web", LINK);
	CLEANUP(strs_done) struct strs found = { 0 };
	CLEANUP(free_p) char *text = NULL;

	lint_host(&c, NETMAP_HOST, &facts, &found);
	text = strs_join(&found, "\n");
	assert_string_equal(text, wanted);
}

static void what_the_name_service_sends_elsewhere_is_told_once(void **state)
{
	char elsewhere[] = "web 192.0.2.9", v6[] = "web.containers 2001:db8::9", other[] = "webx 192.0.2.9",
	     its[] = "web 10.0.0.2", seen[] = "web 10.5.0.9", near[] = "web fe80::1", odd[] = "web";

	(void)state;
	answered("", elsewhere,
	         "web: its name: who looks for web on this host is sent to 192.0.2.9, which is not its "
	         "address");
	answered("", v6,
	         "web: its name: who looks for web.containers on this host is sent to 2001:db8::9, which is "
	         "not its address");
	answered("192.0.2.9 web\n", elsewhere, "web: its name: /etc/hosts says that web is 192.0.2.9");
	answered("", other, "");
	answered("", its, "");
	answered("", seen, "");
	answered("", near, "");
	answered("", odd, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_fits_is_not_spoken_of),
		TEST(a_bridge_that_is_missing_or_none_is_told),
		TEST(links_that_are_missing_or_somebody_elses_are_told),
		TEST(addresses_of_the_hosts_own_networks_are_told),
		TEST(a_port_that_something_listens_on_is_told),
		TEST(forwarding_that_is_off_is_told_of_who_needs_it),
		TEST(a_filter_that_drops_what_is_passed_on_is_told),
		TEST(a_name_of_another_address_is_told),
		TEST(users_of_its_own_on_the_hosts_network_are_told),
		TEST(a_parent_that_is_a_bridges_port_is_told),
		TEST(what_is_not_known_is_not_judged),
		cmocka_unit_test(networks_that_overlap_are_told),
		cmocka_unit_test(links_of_two_that_are_called_the_same_are_told),
		cmocka_unit_test(what_the_name_service_sends_elsewhere_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/netns.h"

#include <linux/if_addr.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/diag.h"
#include "drivers/holders.h"
#include "drivers/rtnl_conf.h"

static struct nl opened(int bus)
{
	struct nl nl;
	struct err e;

	assert_int_equal(nl_open(bus, &nl, &e), 0);
	return nl;
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

/* A socket bound there, listening when it is TCP. */
static int bound(const char *at, bool udp, uint16_t port, bool v6_only)
{
	const struct addr a = address(at);
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int only = v6_only, fd = socket(a.family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	memcpy(&to4.sin_addr, a.bytes, 4);
	memcpy(&to6.sin6_addr, a.bytes, 16);
	if (a.family == AF_INET6) {
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&to6, sizeof(to6)), 0);
	} else {
		assert_int_equal(bind(fd, (struct sockaddr *)&to4, sizeof(to4)), 0);
	}
	if (!udp)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static const struct listening *find(const struct listenings *l, const char *at, bool udp, uint16_t port)
{
	const struct addr a = address(at);

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].udp == udp && l->v[i].port == port && addr_same(&l->v[i].at, &a))
			return &l->v[i];
	return NULL;
}

static void who_listens_is_listed_with_its_socket(void **state)
{
	int fds[] = { -1, -1, -1, -1 };
	struct listenings l = { 0 };
	struct cgroupfs *fs = NULL;
	struct holder h = { 0 };
	char own_name[16];
	struct nl nl;
	struct err e;

	(void)state;
	netns_new();
	fds[0] = bound("127.0.0.1", false, 80, false);
	fds[1] = bound("::", false, 81, false);
	fds[2] = bound("::1", true, 53, true);
	fds[3] = bound("0.0.0.0", true, 53, false);
	nl = opened(NETLINK_SOCK_DIAG);
	assert_int_equal(diag_listening(&nl, &l, &e), 0);
	nl_close(&nl);
	assert_int_equal(l.n, 4);
	assert_non_null(find(&l, "127.0.0.1", false, 80));
	assert_false(find(&l, "::", false, 81)->v6_only);
	assert_true(find(&l, "::1", true, 53)->v6_only);
	assert_non_null(find(&l, "0.0.0.0", true, 53));
	if (cgroupfs_open("", &fs, NULL) == 0) {
		h.inode = find(&l, "127.0.0.1", false, 80)->inode;
		holders_find(fs, NULL, &h, 1);
		assert_int_equal(h.pid, getpid());
		assert_int_equal(prctl(PR_GET_NAME, own_name), 0);
		assert_string_equal(h.process, own_name);
		cgroupfs_close(fs);
	}
	free(l.v);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

static void how_packets_are_treated_is_told(void **state)
{
	struct netconfs c = { 0 };
	struct nl nl;
	struct err e;
	int link;

	(void)state;
	netns_new();
	run("ip link add va type veth peer name vb");
	run("echo 1 >/proc/sys/net/ipv4/ip_forward");
	run("echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 1 >/proc/sys/net/ipv4/conf/va/rp_filter; "
	    "echo 2 >/proc/sys/net/ipv4/conf/vb/rp_filter");
	nl = opened(NETLINK_ROUTE);
	assert_int_equal(rtnl_confs(&nl, AF_INET, &c, &e), 0);
	assert_true(netconfs_at(&c, NETCONF_ALL)->forwarding);
	link = rtnl_index(&nl, "va");
	assert_int_equal(netconfs_rp_filter(&c, link), 1);
	assert_int_equal(netconfs_rp_filter(&c, rtnl_index(&nl, "vb")), 2);
	free(c.v);
	nl_close(&nl);
}

static void the_way_to_an_address_is_told(void **state)
{
	const struct addr near = address("10.0.0.2"), far = address("192.0.2.1"), own = address("10.0.0.1"),
			  nowhere = address("fd00::1");
	struct nl nl;
	struct err e;
	bool local;
	int link, a;

	(void)state;
	netns_new();
	run("ip link add va type veth peer name vb; ip addr add 10.0.0.1/24 dev va; ip link set va up; ip "
	    "link set vb up");
	nl = opened(NETLINK_ROUTE);
	a = rtnl_index(&nl, "va");
	assert_int_equal(rtnl_route_to(&nl, &near, &link, &local, &e), 0);
	assert_int_equal(link, a);
	assert_int_equal(rtnl_route_to(&nl, &far, &link, &local, &e), 0);
	assert_int_equal(link, 0);
	run("ip route add default via 10.0.0.2");
	assert_int_equal(rtnl_route_to(&nl, &far, &link, &local, &e), 0);
	assert_int_equal(link, a);
	assert_int_equal(rtnl_route_to(&nl, &own, &link, &local, &e), 0);
	assert_true(local);
	assert_int_equal(rtnl_route_to(&nl, &nowhere, &link, &local, &e), 0);
	assert_int_equal(link, 0);
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens_is_listed_with_its_socket),
		cmocka_unit_test(how_packets_are_treated_is_told),
		cmocka_unit_test(the_way_to_an_address_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

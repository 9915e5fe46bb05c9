#include "netns.h"

#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "engine/netwatch.h"
#include "netsame.h"

static unsigned told_times;

static void on_changed(const struct netmap *now, void *arg)
{
	(void)now, (void)arg;
	told_times++;
}

struct watching {
	sd_event *loop;
	struct netwatch *w;
	struct machine machines[2];
	struct snapshot snapshot;
};

/* Until nothing is left to be read or heard. */
static void settle(struct watching *t)
{
	int r = 1;

	for (int i = 0; i < 100000 && (r > 0 || !netwatch_is_settled(t->w)); i++)
		r = sd_event_run(t->loop, r > 0 ? 0 : 5000);
	assert_true(netwatch_is_settled(t->w));
}

static void assert_same(struct watching *t)
{
	struct netmap fresh = { 0 };
	struct err e = { 0 };
	char why[1024] = "";

	/* a link's own address is told only when duplicate address detection is over */
	for (int i = 0; i < 100; i++) {
		settle(t);
		if (netmap_read(&t->snapshot, NETWATCH_MAP, &fresh, &e) < 0)
			fail_msg("%s", e.text);
		netsame(netwatch_now(t->w), &fresh, why, sizeof(why));
		netmap_done(&fresh);
		if (!*why)
			return;
		(void)sd_event_run(t->loop, 50000);
	}
	fail_msg("by events and read anew: %s", why);
}

static void watch(struct watching *t)
{
	struct err e = { 0 };

	*t = (struct watching){ 0 };
	run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
	t->snapshot.v = t->machines;
	assert_true(sd_event_new(&t->loop) >= 0);
	assert_int_equal(netwatch_new(t->loop, on_changed, NULL, &t->w, &e), 0);
	if (netwatch_want(t->w, &t->snapshot, NETWATCH_MAP, &e) < 0)
		fail_msg("%s", e.text);
	settle(t);
}

static void unwatch(struct watching *t)
{
	netwatch_free(t->w);
	sd_event_unref(t->loop);
}

static void add_machine(struct watching *t, char *name, pid_t leader)
{
	struct nl nl;
	struct err e = { 0 };
	struct machine *m = &t->machines[t->snapshot.n++];

	*m = (struct machine){ .name = name, .state = MACHINE_RUNNING, .leader = leader };
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	if (rtnl_netnsid(&nl, leader, &m->netnsid, &e) < 0)
		fail_msg("%s", e.text);
	nl_close(&nl);
	assert_int_equal(netwatch_want(t->w, &t->snapshot, NETWATCH_MAP, &e), 0);
	settle(t);
}

static void runf(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void runf(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	run(command);
}

static const struct netmap_link *host_link(struct watching *t, const char *name)
{
	const struct netmap_link *l = netmap_link_called(netmap_host(netwatch_now(t->w)), name);

	if (!l)
		fail_msg("there is no link %s in the map", name);
	return l;
}

/* ---- tests */

static void without_a_subscriber_nothing_is_open(void **state)
{
	struct watching t;
	int before, now;

	(void)state;
	netns_new();
	before = dup(0);
	close(before);
	watch(&t);
	assert_non_null(netmap_host(netwatch_now(t.w)));
	assert_int_equal(netwatch_want(t.w, NULL, 0, NULL), 0);
	assert_null(netmap_host(netwatch_now(t.w)));
	assert_false(netwatch_is_settled(t.w));
	netwatch_free(t.w);
	sd_event_unref(t.loop);
	now = dup(0);
	close(now);
	assert_int_equal(now, before);
}

static void each_kind_of_change_is_seen(void **state)
{
	static const char *const changes[] = {
		"ip link add br0 type bridge",
		"ip link add a0 type veth peer name a1",
		"ip link set a0 master br0 up",
		"ip link set a1 up",
		"ip link set br0 up",
		"ip addr add 10.0.0.1/24 dev br0",
		"ip addr add 10.0.0.9/24 dev br0",
		"ip -6 addr add fd00::1/64 dev br0 nodad",
		"ip addr add 10.7.0.1 peer 10.7.0.2/32 dev a1",
		"ip route add 10.9.0.0/16 via 10.0.0.2",
		"ip route add 10.9.0.0/16 via 10.0.0.3 metric 50",
		"ip route add default via 10.0.0.2 src 10.0.0.9",
		"ip -6 route add default via fd00::2",
		"ip route add unreachable 10.66.0.0/16",
		"ip -6 route add blackhole fd66::/64",
		"ip route add 10.10.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3",
		"ip -6 route add fd10::/64 nexthop via fd00::2 nexthop via fd00::3",
		"ip -6 route append fd10::/64 via fd00::4",
		"ip route replace 10.9.0.0/16 via 10.0.0.4",
		"ip route append 10.9.0.0/16 via 10.0.0.5",
		"ip route replace 10.9.0.0/16 via 10.0.0.6",
		"ip -6 route replace fd10::/64 via fd00::5",
		"ip route add 10.9.0.0/16 tos 0x10 via 10.0.0.2",
		"ip link set a1 mtu 1400",
		"ip link set a0 name renamed0",
		"ip link property add dev renamed0 altname vb-a-rather-long-name-for-a-machine",
		"ip addr del 10.0.0.9/24 dev br0", /* takes the default route along, without a word */
		"ip link set a1 down",
		"ip link set a1 up",
		"ip link set br0 down", /* and the routes over it */
		"ip link set br0 up",
		"ip link set renamed0 nomaster",
		"ip link add link a1 name mv0 type macvlan",
		"ip link add dm0 type bridge",
		"ip addr add 10.44.0.1/24 dev dm0",
		"ip link set dm0 up",
		"ip route add 10.45.0.0/24 dev dm0",
		"ip link del dm0",
		"sysctl -qw net.ipv4.ip_forward=1",
		"sysctl -qw net.ipv6.conf.all.forwarding=1",
		"ip link del renamed0",
		"ip link del br0",
	};
	struct watching t;

	(void)state;
	netns_new();
	watch(&t);
	for (size_t i = 0; i < COUNT(changes); i++) {
		unsigned before = told_times;

		run(changes[i]);
		assert_same(&t);
		if (told_times == before)
			fail_msg("nobody was told of: %s", changes[i]);
	}
	assert_int_equal(netwatch_now(t.w)->resyncs, 0);
	unwatch(&t);
}

static void a_pair_is_known_by_index_whatever_its_names(void **state)
{
	struct watching t;
	struct netmap_place other;
	const struct netmap *map;
	const struct netmap_link *l;
	pid_t pid;
	char name[] = "web";

	(void)state;
	netns_new();
	pid = other_netns();
	watch(&t);
	runf("ip link add ve-web type veth peer name eth0 netns %d", (int)pid);
	add_machine(&t, name, pid);
	runf("nsenter -t %d -n ip link set eth0 name lan7", (int)pid);
	runf("nsenter -t %d -n ip addr add 10.3.0.2/24 dev lan7", (int)pid);
	runf("ip link set ve-web name other0");
	assert_same(&t);
	map = netwatch_now(t.w);
	l = host_link(&t, "other0");
	other = netmap_pair(map, netmap_host(map), l);
	assert_non_null(other.link);
	assert_string_equal(other.link->name, "lan7");
	assert_string_equal(other.space->machine, "web");
	assert_string_equal(netmap_machine_of(map, l), "web");
	assert_non_null(netmap_next_address(other.space, other.link->index, NULL));
	other = netmap_pair(map, other.space, other.link);
	assert_string_equal(other.link->name, "other0");
	assert_ptr_equal(other.space, netmap_host(map));
	unwatch(&t);
	other_netns_end(pid);
}

static void an_end_that_is_moved_away_is_found_where_it_went(void **state)
{
	struct watching t;
	struct netmap_place other;
	char name[] = "web";
	pid_t pid;

	(void)state;
	netns_new();
	pid = other_netns();
	watch(&t);
	runf("ip link add ve-web type veth peer name eth0 netns %d", (int)pid);
	add_machine(&t, name, pid);
	run("ip link add q0 type veth peer name q1");
	assert_same(&t);
	runf("ip link set q1 netns %d", (int)pid); /* of which nothing tells q0 */
	assert_same(&t);
	other = netmap_pair(netwatch_now(t.w), netmap_host(netwatch_now(t.w)), host_link(&t, "q0"));
	assert_non_null(other.link);
	assert_string_equal(other.link->name, "q1");
	assert_string_equal(other.space->machine, "web");
	unwatch(&t);
	other_netns_end(pid);
}

static void two_machines_that_are_joined_directly_are_a_pair(void **state)
{
	struct watching t;
	struct netmap_place other;
	const struct netmap_space *s;
	char one[] = "a", two[] = "b";
	pid_t a, b;

	(void)state;
	netns_new();
	a = other_netns();
	b = other_netns();
	watch(&t);
	runf("ip link add x0 type veth peer name y0");
	runf("ip link add p0 type veth peer name p1");
	runf("ip link set y0 netns %d", (int)b);
	runf("ip link set x0 netns %d", (int)a);
	add_machine(&t, one, a);
	add_machine(&t, two, b);
	runf("nsenter -t %d -n ip link set x0 up", (int)a);
	runf("nsenter -t %d -n ip link set y0 up", (int)b);
	assert_same(&t);
	s = netmap_space(netwatch_now(t.w), "a");
	other = netmap_pair(netwatch_now(t.w), s, netmap_link_called(s, "x0"));
	assert_non_null(other.link);
	assert_string_equal(other.space->machine, "b");
	assert_string_equal(other.link->name, "y0");
	s = netmap_host(netwatch_now(t.w));
	other = netmap_pair(netwatch_now(t.w), s, netmap_link_called(s, "p0"));
	assert_string_equal(other.link->name, "p1");
	unwatch(&t);
	other_netns_end(a);
	other_netns_end(b);
}

static void a_macvlan_knows_its_parent_on_the_host(void **state)
{
	struct watching t;
	struct netmap_place parent;
	const struct netmap_space *s;
	char name[] = "web";
	pid_t pid;

	(void)state;
	netns_new();
	pid = other_netns();
	watch(&t);
	runf("ip link add eth9 type bridge");
	runf("ip link add link eth9 name mv-eth9 netns %d type macvlan", (int)pid);
	add_machine(&t, name, pid);
	assert_same(&t);
	s = netmap_space(netwatch_now(t.w), "web");
	parent = netmap_parent(netwatch_now(t.w), s, netmap_link_called(s, "mv-eth9"));
	assert_non_null(parent.link);
	assert_string_equal(parent.link->name, "eth9");
	assert_null(netmap_pair(netwatch_now(t.w), s, netmap_link_called(s, "mv-eth9")).link);
	unwatch(&t);
	other_netns_end(pid);
}

static void lost_events_are_made_up_by_one_reading(void **state)
{
	struct watching t;

	(void)state;
	netns_new();
	watch(&t);
	/* more than the buffer of a monitor holds, while nobody reads */
	run("for i in $(seq 60); do echo link add d$i type bridge; echo addr add 10.$((i / 250)).$((i % "
	    "250)).1/24 dev d$i; "
	    "for k in $(seq 150); do echo link set d$i mtu $((1300 + k)); done; done | ip -batch -");
	assert_same(&t);
	assert_in_range(netwatch_now(t.w)->resyncs, 1, 2);
	run("ip link set d7 up");
	assert_same(&t);
	unwatch(&t);
}

static void random_changes_end_in_the_right_picture(void **state)
{
	static const char *const changes[] = {
		"link add v@ type veth peer name w@",
		"link add u@ type bridge",
		"link set v@ up",
		"link set w@ up",
		"link set u@ up",
		"link set v@ down",
		"link set u@ down",
		"link del u@",
		"link del v@",
		"addr add 10.@.#.1/24 dev u@",
		"addr add 10.@.#.1/24 dev v@",
		"addr del 10.@.#.1/24 dev u@",
		"addr flush dev v@",
		"-6 addr add fd00:@:#::1/64 dev u@ nodad",
		"-6 addr flush dev u@",
		"route add 10.20#.0.0/16 dev u@",
		"route replace 10.20#.0.0/16 via 10.@.#.2",
		"route del 10.20#.0.0/16",
		"-6 route replace fd99:#::/64 via fd00:@:#::2",
		"-6 route del fd99:#::/64",
		"link set v@ mtu 14@#",
		"route add 10.21#.0.0/16 dev u@ src 10.@.#.1",
		"link set v@ name t@",
		"link set t@ name v@",
	};
	unsigned seed = (unsigned)time(NULL);
	struct watching t;

	(void)state;
	netns_new();
	watch(&t);
	print_message("seed %u\n", seed);
	for (int round = 0; round < 12; round++) {
		FILE *ip = popen("ip -force -batch - 2>/dev/null", "w");

		assert_non_null(ip);
		for (int i = 0; i < 150; i++) {
			const char *change = changes[(size_t)rand_r(&seed) % COUNT(changes)];
			int one = rand_r(&seed) % 5, other = rand_r(&seed) % 5;

			for (; *change; change++)
				(void)fputc(*change == '@'   ? '0' + one
				            : *change == '#' ? '0' + other
				                             : *change,
				            ip);
			(void)fputc('\n', ip);
		}
		(void)pclose(ip);
		assert_same(&t);
	}
	unwatch(&t);
}

static void case_65_a_network_that_never_rests_is_read_all_the_same(void **state)
{
	struct netmap map = { 0 };
	const struct snapshot nobody = { 0 };
	struct err e = { 0 };
	int approximate = 0;
	pid_t churn;

	(void)state;
	netns_new();
	run("for i in $(seq 400); do echo link add s$i type veth peer name t$i; done | ip -batch -");
	churn = fork();
	if (churn == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) /* each ends by itself, when this one is killed */
			(void)!system("{ for i in 1 2 3 4 5 6 7 8; do echo link add c$i type veth peer name "
			              "d$i; done;"
			              "for i in 1 2 3 4 5 6 7 8; do echo link del c$i; done; } | ip -force "
			              "-batch - 2>/dev/null");
	}
	for (int i = 0; i < 100; i++) {
		if (netmap_read(&nobody, NETWATCH_MAP, &map, &e) < 0)
			fail_msg("%s", e.text);
		approximate += map.approximate;
		assert_in_range(map.v[0].n_links, 1 + 800, 1 + 800 + 16);
		for (size_t k = 1; k < map.v[0].n_links; k++)
			assert_true(map.v[0].links[k - 1].index < map.v[0].links[k].index);
		netmap_done(&map);
	}
	print_message("%d of 100 were approximate\n", approximate);
	(void)kill(churn, SIGKILL);
	(void)waitpid(churn, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_subscriber_nothing_is_open),
		cmocka_unit_test(each_kind_of_change_is_seen),
		cmocka_unit_test(a_pair_is_known_by_index_whatever_its_names),
		cmocka_unit_test(an_end_that_is_moved_away_is_found_where_it_went),
		cmocka_unit_test(two_machines_that_are_joined_directly_are_a_pair),
		cmocka_unit_test(a_macvlan_knows_its_parent_on_the_host),
		cmocka_unit_test(lost_events_are_made_up_by_one_reading),
		cmocka_unit_test(case_65_a_network_that_never_rests_is_read_all_the_same),
		cmocka_unit_test(random_changes_end_in_the_right_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

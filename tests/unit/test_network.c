#include "tests/unit/netns.h"

#include <sys/stat.h>

#include "drivers/nft.h"
#include "engine/network.h"

/* A host's /run in a folder of its own, and one running machine "db" in a network namespace of its own. */
struct host {
	char root[64];
	pid_t db;
};

static void put(const struct host *h, const char *path, const char *text)
{
	char command[4096];

	(void)snprintf(command, sizeof(command), "mkdir -p $(dirname %s%s) && cat >%s%s <<'END'\n%sEND",
	               h->root, path, h->root, path, text);
	run(command);
}

static void host_up(struct host *h)
{
	netns_new();
	(void)snprintf(h->root, sizeof(h->root), "/tmp/test_network.XXXXXX");
	assert_non_null(mkdtemp(h->root));
	h->db = other_netns();
}

static void register_db(const struct host *h, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "NAME=db\nCLASS=container\nSERVICE=systemd-nspawn\nLEADER=%d\n%s",
	               h->db, more);
	put(h, "/run/systemd/machines/db", text);
}

static void host_down(struct host *h)
{
	char command[128];

	if (h->db)
		other_netns_end(h->db);
	(void)snprintf(command, sizeof(command), "rm -r %s", h->root);
	run(command);
}

/* Run a command with db's pid for %d. */
static void run_db(const struct host *h, const char *format)
{
	char command[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(command, sizeof(command), format, h->db, h->db);
#pragma GCC diagnostic pop
	run(command);
}

/* The container "web" and the parts of its plan that matter. */
struct web {
	struct container c;
	struct plan p;
	struct port ports[1];
};

static void web_new(struct web *w)
{
	static char name[] = "web";

	*w = (struct web){ .c.name = name, .p.name = name, .ports = { { .host = 8080, .guest = 80 } } };
	w->c.ports = w->ports;
	(void)netops_add(&w->p.prestart, NETOP_DELETE, "ve-web");
	(void)netops_add(&w->p.prestart, NETOP_DELETE, "vb-web");
	(void)netops_add(&w->p.prestart, NETOP_DELETE, "vx1");
	op(&w->p.init, "address eth0 10.0.0.2/24");
}

static int prestart(const struct host *h, struct web *w, struct err *e)
{
	int r = network_prestart(h->root, &w->c, &w->p, e);

	netops_done(&w->p.prestart);
	netops_done(&w->p.init);
	return r;
}

static void must_start(const struct host *h, struct web *w)
{
	struct err e;

	if (prestart(h, w, &e) < 0)
		fail_msg("%s", e.text);
}

static void must_refuse(const struct host *h, struct web *w, const char *sentence)
{
	struct err e = { 0 };

	assert_true(prestart(h, w, &e) < 0);
	assert_string_equal(e.text, sentence);
	assert_int_equal(e.status, STATUS_BUSY);
}

static void with_nothing_in_the_way_nothing_is_done(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	web_new(&w);
	must_start(&h, &w);
	host_down(&h);
}

static void stale_veths_are_removed_wherever_their_other_end_is(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	run("ip link add ve-web type veth peer name here");
	run_db(&h, "ip link add vx1 type veth peer name there netns %d");
	run("ip link add br0 type bridge; ip link add vb-web type veth peer name x; ip link set vb-web "
	    "master br0");
	web_new(&w);
	must_start(&h, &w);
	assert_not_told("ip -o link", "ve-web");
	assert_not_told("ip -o link", "vb-web");
	assert_not_told("ip -o link", "vx1");
	host_down(&h);
}

static void what_is_no_veth_is_refused_and_stays(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	run("ip link add ve-web type bridge; ip link add vx1 type veth peer name y");
	web_new(&w);
	must_refuse(&h, &w, "web: ve-web exists and is a bridge, not ours (rename it, or the container)");
	assert_told("ip -o link", "ve-web");
	assert_told("ip -o link", "vx1");
	host_down(&h);
}

static void a_link_of_a_running_machine_is_refused_by_that_machines_name(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	run_db(&h, "ip link add ve-web type veth peer name host0 netns %d");
	web_new(&w);
	must_refuse(&h, &w,
	            "web: link ve-web belongs to db, which runs (stop that, or change one of the names)");
	assert_told("ip -o link", "ve-web");
	host_down(&h);
}

static void an_address_that_a_running_machine_was_started_with_is_refused(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	put(&h, "/run/machdeck/db/guest/net", "up eth0\naddress eth0 10.0.0.2\n");
	web_new(&w);
	must_refuse(&h, &w,
	            "web: address 10.0.0.2 belongs to db, which runs (stop that, or change one of the "
	            "addresses)");
	host_down(&h);
}

static void an_address_that_is_seen_in_a_running_machine_is_refused(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	run_db(&h, "ip link add ve-db type veth peer name host0 netns %d && nsenter -t %d -n ip addr add "
	           "10.0.0.2/8 dev host0");
	web_new(&w);
	must_refuse(&h, &w,
	            "web: address 10.0.0.2 belongs to db, which runs (stop that, or change one of the "
	            "addresses)");
	host_down(&h);
}

static void a_port_of_a_running_machine_is_refused_also_before_it_forwards(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	put(&h, "/run/machdeck/db/plan.json",
	    "{\"name\":\"db\",\"argv\":[\"systemd-nspawn\",\"--port=tcp:8080:5432\"]}\n");
	web_new(&w);
	w.c.n_ports = 1;
	must_refuse(&h, &w,
	            "web: host port tcp:8080 belongs to db, which runs (stop that, or change HOST_PORT)");
	host_down(&h);
}

static void files_of_a_machine_that_is_gone_count_for_nothing(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	other_netns_end(h.db);
	h.db = 0;
	put(&h, "/run/machdeck/db/plan.json",
	    "{\"name\":\"db\",\"argv\":[\"systemd-nspawn\",\"--port=tcp:8080:5432\"]}\n");
	put(&h, "/run/machdeck/db/guest/net", "up eth0\naddress eth0 10.0.0.2\n");
	put(&h, "/run/machdeck/old/guest/net", "up eth0\naddress eth0 10.0.0.2\n");
	web_new(&w);
	w.c.n_ports = 1;
	must_start(&h, &w);
	host_down(&h);
}

static void a_missing_bridge_is_named(void **state)
{
	static char bridge[] = "br9";
	struct host h;
	struct web w;
	struct err e;

	(void)state;
	host_up(&h);
	web_new(&w);
	w.c.host_bridge = bridge;
	assert_int_equal(prestart(&h, &w, &e), -ENODEV);
	assert_string_equal(e.text, "web: bridge br9 is not there (create it, or change HOST_BRIDGE)");
	assert_int_equal(e.status, STATUS_NO_CONTAINER);
	host_down(&h);
}

/* ---- forwards */

#define MAP "nft list map ip io.systemd.nat map_port_ipport"

static void forward(const char *to)
{
	char command[512];

	if (system("nft list ruleset >/dev/null 2>&1") != 0)
		skip();
	(void)snprintf(command, sizeof(command),
	               "nft 'add table ip io.systemd.nat;"
	               "add map ip io.systemd.nat map_port_ipport { type inet_proto . inet_service : "
	               "ipv4_addr . inet_service; };"
	               "add element ip io.systemd.nat map_port_ipport { tcp . 8080 : %s . 80 };"
	               "add element ip io.systemd.nat map_port_ipport { tcp . 9090 : 10.0.0.77 . 80 }'",
	               to);
	run(command);
}

static void a_dead_forward_of_ours_is_deleted_and_no_other(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	forward("10.0.0.66");
	web_new(&w);
	w.c.n_ports = 1;
	must_start(&h, &w);
	assert_not_told(MAP, "8080");
	assert_told(MAP, "9090");
	host_down(&h);
}

static void a_living_forward_is_refused_and_nothing_is_removed(void **state)
{
	struct host h;
	struct web w;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	run_db(&h, "ip link add ve-db type veth peer name host0 netns %d && nsenter -t %d -n ip addr add "
	           "10.0.0.3/8 dev host0");
	run("ip link add ve-web type veth peer name x");
	forward("10.0.0.3");
	web_new(&w);
	w.c.n_ports = 1;
	must_refuse(&h, &w,
	            "web: host port tcp:8080 belongs to db, which runs (stop that, or change HOST_PORT)");
	assert_told(MAP, "8080");
	assert_told("ip -o link", "ve-web");
	host_down(&h);
}

static void after_the_end_dead_forwards_and_links_go_and_those_of_others_stay(void **state)
{
	struct host h;
	struct err e;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	put(&h, "/run/machdeck/web/plan.json",
	    "{\"argv\":[\"systemd-nspawn\",\"--port=tcp:8080:80\",\"--network-veth-extra=vx1\",\"--network-"
	    "veth-extra=vx2\"]}\n");
	run("ip link add ve-web type veth peer name x; ip link add vx2 type bridge");
	run_db(&h, "ip link add vx1 type veth peer name vx1 netns %d");
	forward("10.0.0.2");
	assert_int_equal(network_stopped(h.root, "web", &e), 0);
	assert_not_told(MAP, "8080");
	assert_told(MAP, "9090");
	assert_not_told("ip -o link", "ve-web");
	assert_told("ip -o link", "vx1");
	assert_told("ip -o link", "vx2");
	host_down(&h);
}

static void the_losers_stop_leaves_the_winners_forward(void **state)
{
	struct host h;
	struct err e;

	(void)state;
	host_up(&h);
	register_db(&h, "");
	run_db(&h, "ip link add ve-db type veth peer name host0 netns %d && nsenter -t %d -n ip addr add "
	           "10.0.0.3/8 dev host0");
	put(&h, "/run/machdeck/web/plan.json", "{\"argv\":[\"systemd-nspawn\",\"--port=tcp:8080:80\"]}\n");
	forward("10.0.0.3");
	assert_int_equal(network_stopped(h.root, "web", &e), 0);
	assert_told(MAP, "tcp . 8080 : 10.0.0.3 . 80");
	host_down(&h);
}

/* ---- the host's side */

static void host_ops(struct netops *ops)
{
	op(ops, "up ve-web");
	op(ops, "address ve-web 10.0.0.1");
	op(ops, "route ve-web 10.0.0.2");
}

static void the_hosts_side_is_brought_up_when_nobody_did(void **state)
{
	struct netops ops = { 0 };
	struct host h;
	struct err e;

	(void)state;
	host_up(&h);
	run("ip link add ve-web type veth peer name x");
	host_ops(&ops);
	assert_int_equal(network_host_up(h.root, "web", &ops, &e), 0);
	assert_told("ip -o addr show dev ve-web", "10.0.0.1/32");
	assert_told("ip route", "10.0.0.2 dev ve-web");
	netops_done(&ops);
	host_down(&h);
}

static void what_the_watcher_did_is_believed_of_the_same_links_only(void **state)
{
	struct netops ops = { 0 };
	struct host h;
	struct err e;
	struct nl nl;

	(void)state;
	host_up(&h);
	run("ip link add ve-web type veth peer name x");
	put(&h, "/run/machdeck/web/host", "");
	host_ops(&ops);
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	assert_false(network_is_done(h.root, &nl, "web", &ops));
	network_mark_done(h.root, &nl, "web", &ops, NULL);
	assert_true(network_is_done(h.root, &nl, "web", &ops));
	assert_int_equal(network_host_up(h.root, "web", &ops, &e), 0);
	assert_not_told("ip -o addr show dev ve-web", "10.0.0.1"); /* it was believed */
	run("ip link del ve-web; ip link add ve-web type veth peer name x");
	assert_false(network_is_done(h.root, &nl, "web", &ops));
	assert_int_equal(network_host_up(h.root, "web", &ops, &e), 0);
	assert_told("ip -o addr show dev ve-web", "10.0.0.1/32");
	network_mark_done(h.root, &nl, "web", &ops, &(struct err){ .text = "web: no" });
	assert_false(network_is_done(h.root, &nl, "web", &ops));
	nl_close(&nl);
	netops_done(&ops);
	host_down(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_nothing_in_the_way_nothing_is_done),
		cmocka_unit_test(stale_veths_are_removed_wherever_their_other_end_is),
		cmocka_unit_test(what_is_no_veth_is_refused_and_stays),
		cmocka_unit_test(a_link_of_a_running_machine_is_refused_by_that_machines_name),
		cmocka_unit_test(an_address_that_a_running_machine_was_started_with_is_refused),
		cmocka_unit_test(an_address_that_is_seen_in_a_running_machine_is_refused),
		cmocka_unit_test(a_port_of_a_running_machine_is_refused_also_before_it_forwards),
		cmocka_unit_test(files_of_a_machine_that_is_gone_count_for_nothing),
		cmocka_unit_test(a_missing_bridge_is_named),
		cmocka_unit_test(a_dead_forward_of_ours_is_deleted_and_no_other),
		cmocka_unit_test(a_living_forward_is_refused_and_nothing_is_removed),
		cmocka_unit_test(after_the_end_dead_forwards_and_links_go_and_those_of_others_stay),
		cmocka_unit_test(the_losers_stop_leaves_the_winners_forward),
		cmocka_unit_test(the_hosts_side_is_brought_up_when_nobody_did),
		cmocka_unit_test(what_the_watcher_did_is_believed_of_the_same_links_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

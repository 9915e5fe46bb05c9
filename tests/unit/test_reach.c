#include "decide/reach.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* web at 10.1.0.2 behind ve-web, the host at 10.1.0.1 and 192.168.1.10 on eth0; db beside it where there is a bridge. */
enum { LO, ETH0, VE_WEB, BR0, VB_DB, HOST_LINKS };

struct world {
	struct netmap map;
	struct netmap_space spaces[3];
	struct netmap_link host_links[HOST_LINKS], web_links[1], db_links[1];
	struct netmap_address host_addresses[3], web_addresses[1], db_addresses[1];
	struct netmap_route host_routes[3], web_routes[2], db_routes[1];
	struct netmap_listener listeners[1];
	struct reach_facts f;
	struct reach r;
};

static char seen[64][32];
static size_t n_seen;

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static struct netmap_link link_of(int index, const char *name, const char *kind)
{
	struct netmap_link l = { .index = index, .up = true, .carrier = true, .netnsid = NETMAP_HOST };

	(void)snprintf(l.name, sizeof(l.name), "%s", name);
	(void)snprintf(l.kind, sizeof(l.kind), "%s", kind);
	return l;
}

static struct netmap_address at(int link, const char *text)
{
	return (struct netmap_address){ .link = link, .addr = address(text) };
}

static struct netmap_route route(const char *to, int link, const char *gateway)
{
	return (struct netmap_route){ .to = address(to),
		                      .link = link,
		                      .gateway = gateway ? address(gateway) : (struct addr){ 0 },
		                      .type = RTN_UNICAST };
}

static struct netmap_space *web(struct world *w)
{
	return &w->spaces[2];
}

static void name_server(struct world *w, const char *text)
{
	strs_done(&web(w)->name_servers);
	strs_add(&web(w)->name_servers, text);
}

static struct world *well(void)
{
	static struct world w;

	strs_done(&w.spaces[2].name_servers);
	w = (struct world){ 0 };
	w.host_links[LO] = link_of(1, "lo", "");
	w.host_links[LO].loopback = true;
	w.host_links[ETH0] = link_of(2, "eth0", "");
	w.host_links[VE_WEB] = link_of(3, "ve-web", "veth");
	w.host_links[VE_WEB].peer = 2;
	w.host_links[VE_WEB].netnsid = 0;
	w.host_links[BR0] = link_of(4, "br0", "bridge");
	w.host_links[VB_DB] = link_of(5, "vb-db", "veth");
	w.host_links[VB_DB].peer = 2;
	w.host_links[VB_DB].netnsid = 1;
	w.web_links[0] = link_of(2, "eth0", "veth");
	w.web_links[0].peer = 3;
	w.db_links[0] = link_of(2, "eth0", "veth");
	w.db_links[0].peer = 5;
	w.host_addresses[0] = at(2, "192.168.1.10/24");
	w.host_addresses[1] = at(3, "10.1.0.1/32");
	w.web_addresses[0] = at(2, "10.1.0.2/32");
	w.db_addresses[0] = at(2, "10.5.0.3/24");
	w.host_routes[0] = route("10.1.0.2/32", 3, NULL);
	w.host_routes[1] = route("192.168.1.0/24", 2, NULL);
	w.host_routes[2] = route("0.0.0.0/0", 2, "192.168.1.1");
	w.web_routes[0] = route("10.1.0.1/32", 2, NULL);
	w.web_routes[1] = route("0.0.0.0/0", 2, "10.1.0.1");
	w.spaces[0] = (struct netmap_space){ .netnsid = NETMAP_HOST,
		                             .links = w.host_links,
		                             .n_links = HOST_LINKS,
		                             .addresses = w.host_addresses,
		                             .n_addresses = 2,
		                             .routes = w.host_routes,
		                             .n_routes = 3,
		                             .sysctls = { .forward4 = NETMAP_ON, .forward6 = NETMAP_ON } };
	w.spaces[2] = (struct netmap_space){ .machine = "web",
		                             .netnsid = 0,
		                             .links = w.web_links,
		                             .n_links = 1,
		                             .addresses = w.web_addresses,
		                             .n_addresses = 1,
		                             .routes = w.web_routes,
		                             .n_routes = 2 };
	w.spaces[1] = (struct netmap_space){ .machine = "db",
		                             .netnsid = 1,
		                             .links = w.db_links,
		                             .n_links = 1,
		                             .addresses = w.db_addresses,
		                             .n_addresses = 1 };
	w.map = (struct netmap){ .v = w.spaces, .n = 3 };
	w.f = (struct reach_facts){ .map = &w.map, .machine = "web", .masqueraded = DOCTOR_YES };
	name_server(&w, "9.9.9.9");
	return &w;
}

/* The same on br0, whose port vb-db is, too; the host has 10.5.0.1 there. */
static struct world *bridged(void)
{
	struct world *w = well();

	w->host_links[VE_WEB].master = w->host_links[VB_DB].master = 4;
	w->host_addresses[1] = at(4, "10.5.0.1/24");
	w->web_addresses[0] = at(2, "10.5.0.2/24");
	w->host_routes[0] = route("10.5.0.0/24", 4, NULL);
	w->web_routes[0] = route("10.5.0.0/24", 2, NULL);
	w->web_routes[1] = route("0.0.0.0/0", 2, "10.5.0.1");
	return w;
}

/* "STATE CAUSE: TEXT" */
static const char *judged(struct world *w, enum reach_target t)
{
	static char text[400];

	reach_judge(&w->f, &w->r);
	for (size_t i = 0; i < REACH_TARGETS && n_seen < COUNT(seen); i++)
		if (w->r.to[i].cause)
			(void)snprintf(seen[n_seen++], sizeof(seen[0]), "%s", w->r.to[i].cause);
	(void)snprintf(text, sizeof(text), "%s %s: %s", doctor_state_word(w->r.to[t].state),
	               w->r.to[t].cause ? w->r.to[t].cause : "-", w->r.to[t].text);
	return text;
}

static void what_can_be_reached_is_named(void **state)
{
	struct world *w = well();

	(void)state;
	assert_string_equal(judged(w, REACH_HOST), "good -: 10.1.0.1");
	assert_string_equal(judged(w, REACH_NEIGHBOURS), "idle -: it is on no bridge");
	assert_string_equal(judged(w, REACH_GATEWAY), "good -: 10.1.0.1, the host");
	assert_string_equal(judged(w, REACH_NAMES), "good -: 9.9.9.9");
	w = bridged();
	assert_string_equal(judged(w, REACH_HOST), "good -: 10.5.0.1");
	assert_string_equal(judged(w, REACH_NEIGHBOURS), "good -: db on br0");
	w->host_links[VB_DB].master = 0;
	assert_string_equal(judged(w, REACH_NEIGHBOURS), "idle -: nobody else is on br0");
}

static void one_that_does_not_run_or_shares_the_host_is_told(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.machine = "other";
	assert_string_equal(judged(w, REACH_HOST), "idle -: it does not run");
	w = well();
	web(w)->shares_host = true;
	assert_string_equal(judged(w, REACH_NAMES), "good -: it shares the host's network");
	w = well();
	web(w)->no_links = "what is inside takes root to see";
	assert_string_equal(judged(w, REACH_GATEWAY), "unknown -: what is inside takes root to see");
}

static void its_own_side_is_looked_at_first(void **state)
{
	struct world *w = well();

	(void)state;
	web(w)->n_addresses = 0;
	assert_non_null(strstr(judged(w, REACH_HOST), "broken no-address: web has no address"));
	w = well();
	w->web_links[0].up = false;
	assert_non_null(strstr(judged(w, REACH_GATEWAY), "broken guest-link-down: eth0 is down in web"));
	w = well();
	w->host_links[VE_WEB].up = false;
	assert_non_null(strstr(judged(w, REACH_HOST),
	                       "broken host-link-down: the host's end of its link, ve-web, is down"));
}

static void the_host_can_be_out_of_reach(void **state)
{
	struct world *w = well();

	(void)state;
	w->spaces[0].n_addresses = 1;
	assert_string_equal(
		judged(w, REACH_HOST),
		"broken no-host-address: the host has no address on ve-web, so there is nobody to reach");
	assert_non_null(strstr(judged(w, REACH_GATEWAY),
	                       "broken no-gateway: nobody has its gateway 10.1.0.1: the host's end"));
	w = well();
	web(w)->n_routes = 0;
	assert_non_null(strstr(judged(w, REACH_HOST), "broken no-route: web has no route to 10.1.0.1"));
	w = well();
	w->host_routes[0].link = 2;
	assert_non_null(strstr(judged(w, REACH_HOST),
	                       "broken no-route-back: the host has no route back to 10.1.0.2"));
	w = well();
	w->f.in.answer = FIREWALL_DROPS;
	(void)snprintf(w->f.in.where, sizeof(w->f.in.where), "chain input of table inet filter");
	assert_non_null(strstr(judged(w, REACH_HOST),
	                       "broken host-firewall: the host's firewall drops what comes from it"));
	w = well();
	w->web_links[0] = link_of(2, "mv-eth0", "macvlan");
	w->host_links[VE_WEB].netnsid = NETMAP_HOST;
	assert_non_null(strstr(judged(w, REACH_HOST), "broken macvlan: mv-eth0 is a macvlan"));
}

static void neighbours_of_another_network_are_told(void **state)
{
	struct world *w = bridged();

	(void)state;
	w->db_addresses[0] = at(2, "10.6.0.3/24");
	assert_string_equal(judged(w, REACH_NEIGHBOURS),
	                    "broken other-network: nobody of db on br0 is in the network of its "
	                    "10.5.0.2: look at the prefixes of LOCAL_ADDRESS=");
}

static void the_way_out_can_be_closed(void **state)
{
	struct world *w = well();

	(void)state;
	web(w)->n_routes = 1;
	assert_non_null(
		strstr(judged(w, REACH_GATEWAY), "broken no-default-route: no default route in the guest"));
	assert_string_equal(judged(w, REACH_NAMES),
	                    "broken no-route: web has no route to its name server 9.9.9.9");
	w = well();
	w->spaces[0].sysctls.forward4 = NETMAP_OFF;
	assert_non_null(strstr(judged(w, REACH_NAMES),
	                       "broken no-forwarding: 9.9.9.9 is beyond the host, where net.ipv4.ip_forward "
	                       "is 0"));
	w = well();
	w->spaces[0].n_routes = 2;
	assert_non_null(strstr(judged(w, REACH_NAMES), "broken host-no-default-route: "));
	w = well();
	w->f.masqueraded = DOCTOR_NO;
	assert_non_null(strstr(judged(w, REACH_NAMES),
	                       "unknown no-masquerade: 9.9.9.9: its address 10.1.0.2 is private and not "
	                       "masqueraded"));
}

static void a_name_server_can_be_nobody(void **state)
{
	struct world *w = well();

	(void)state;
	strs_done(&web(w)->name_servers);
	assert_string_equal(judged(w, REACH_NAMES),
	                    "broken no-name-server: there is no name server in its /etc/resolv.conf");
	web(w)->no_names_file = true;
	assert_non_null(
		strstr(judged(w, REACH_NAMES),
	               "broken no-name-server: no DNS file in the guest: it has no /etc/resolv.conf"));
	web(w)->no_names_file = false;
	name_server(w, "127.0.0.53");
	assert_non_null(strstr(judged(w, REACH_NAMES),
	                       "broken loopback-name-server: its resolv.conf names 127.0.0.53, and nobody "
	                       "listens there in web: it was copied from the host"));
	w->listeners[0] = (struct netmap_listener){ .udp = true, .at = address("127.0.0.53"), .port = 53 };
	web(w)->listeners = w->listeners;
	web(w)->n_listeners = 1;
	assert_string_equal(judged(w, REACH_NAMES), "good -: 127.0.0.53, inside");
	name_server(w, "10.1.0.1");
	assert_non_null(strstr(judged(w, REACH_NAMES),
	                       "broken no-listener: nobody listens on port 53 of its name server 10.1.0.1"));
}

static void an_attempt_counts_more_than_what_was_read(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.masqueraded = DOCTOR_NO;
	w->f.probes[REACH_NAMES] = REACH_ANSWERED;
	w->f.probe_ms[REACH_NAMES] = 12;
	assert_string_equal(judged(w, REACH_NAMES), "good -: 9.9.9.9 answered in 12 ms");
	w->f.probes[REACH_NAMES] = REACH_SILENT;
	assert_non_null(strstr(judged(w, REACH_NAMES),
	                       "broken no-answer: no answer; 9.9.9.9: its address 10.1.0.2 is private"));
	w->f.probes[REACH_HOST] = REACH_SILENT;
	assert_non_null(strstr(judged(w, REACH_HOST),
	                       "broken no-answer: 10.1.0.1 does not answer, and nothing that is seen"));
}

static void each_cause_had_an_example(void **state)
{
	const char *cause;

	(void)state;
	for (size_t i = 0; (cause = reach_cause(i)); i++) {
		size_t k = 0;

		while (k < n_seen && strcmp(seen[k], cause) != 0)
			k++;
		if (k == n_seen)
			fail_msg("no example of %s", cause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_reached_is_named),
		cmocka_unit_test(one_that_does_not_run_or_shares_the_host_is_told),
		cmocka_unit_test(its_own_side_is_looked_at_first),
		cmocka_unit_test(the_host_can_be_out_of_reach),
		cmocka_unit_test(neighbours_of_another_network_are_told),
		cmocka_unit_test(the_way_out_can_be_closed),
		cmocka_unit_test(a_name_server_can_be_nobody),
		cmocka_unit_test(an_attempt_counts_more_than_what_was_read),
		cmocka_unit_test(each_cause_had_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/mend.h"
#include "decide/nspawnmac.h"

enum { VE = 7, ETH = 2, BR = 9, NS = 3 };

/* web runs with ve-web and eth0, as it was started; each test takes something away. */
struct scene {
	struct netmap_space spaces[2];
	struct netmap map;
	struct netmap_link host[3], guest[1];
	struct netmap_address addresses[1], inside[1];
	struct netmap_route routes[1], ways[1];
	struct netmap_forward forwards[1];
	struct netops on_host, in_guest;
	struct strs masquerade;
	struct port ports[1];
	struct mend_wanted wanted;
	struct mending m;
};

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static void parse(struct netops *ops, const char *lines)
{
	assert_int_equal(netops_parse(lines, ops), 0);
}

static void setup(struct scene *s)
{
	*s = (struct scene){
		.host = { { .index = VE,
		            .name = "ve-web",
		            .kind = "veth",
		            .up = true,
		            .peer = ETH,
		            .netnsid = NS },
		          { .index = BR,
		            .name = "br0",
		            .kind = "bridge",
		            .up = true,
		            .netnsid = NETMAP_HOST } },
		.guest = { { .index = ETH,
		             .name = "eth0",
		             .kind = "veth",
		             .up = true,
		             .peer = VE,
		             .netnsid = NETMAP_HOST } },
		.addresses = { { .link = VE, .addr = addr_of("10.0.0.1") } },
		.inside = { { .link = ETH, .addr = addr_of("10.0.0.2") } },
		.routes = { { .to = addr_of("10.0.0.2"), .link = VE, .type = 1 } },
		.ways = { { .to = addr_of("0.0.0.0/0"),
		            .link = ETH,
		            .gateway = addr_of("10.0.0.1"),
		            .type = 1 } },
		.forwards = { { { .host = 8080, .guest = 80 }, addr_of("10.0.0.2") } },
		.ports = { { .host = 8080, .guest = 80 } },
	};
	parse(&s->on_host, "up ve-web\naddress ve-web 10.0.0.1\nroute ve-web 10.0.0.2\n");
	parse(&s->in_guest, "rename host0 eth0\nup eth0\naddress eth0 10.0.0.2\ndefault eth0 10.0.0.1\n");
	s->spaces[0] = (struct netmap_space){ .netnsid = NETMAP_HOST,
		                              .links = s->host,
		                              .n_links = 2,
		                              .addresses = s->addresses,
		                              .n_addresses = 1,
		                              .routes = s->routes,
		                              .n_routes = 1 };
	s->spaces[1] = (struct netmap_space){ .machine = "web",
		                              .netnsid = NS,
		                              .links = s->guest,
		                              .n_links = 1,
		                              .addresses = s->inside,
		                              .n_addresses = 1,
		                              .routes = s->ways,
		                              .n_routes = 1 };
	s->map = (struct netmap){ .v = s->spaces, .n = 2, .forwards = s->forwards, .n_forwards = 1 };
	s->wanted = (struct mend_wanted){ .machine = "web",
		                          .host = &s->on_host,
		                          .guest = &s->in_guest,
		                          .ports = s->ports,
		                          .n_ports = 1,
		                          .masquerade = &s->masquerade,
		                          .way_out_holds = true,
		                          .forwards_whole = { true, true } };
}

static void scene_done(struct scene *s)
{
	netops_done(&s->on_host);
	netops_done(&s->in_guest);
	strs_done(&s->masquerade);
	mending_done(&s->m);
}

static void assert_only(struct scene *s, const char *command, const char *reason)
{
	mend_decide(&s->map, &s->wanted, &s->m);
	assert_int_equal(s->m.cannot.n, 0);
	assert_int_equal(s->m.commands.n, 1);
	assert_string_equal(s->m.commands.v[0], command);
	assert_string_equal(s->m.reasons.v[0], reason);
}

static void assert_cannot(struct scene *s, const char *sentence)
{
	mend_decide(&s->map, &s->wanted, &s->m);
	assert_int_equal(s->m.host.n + s->m.n_add + s->m.n_gone, 0);
	assert_int_equal(s->m.cannot.n, 1);
	assert_string_equal(s->m.cannot.v[0], sentence);
}

static void what_is_whole_takes_no_step(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	mend_decide(&s.map, &s.wanted, &s.m);
	assert_true(mend_is_well(&s.m));
}

static void an_address_that_is_gone_comes_back_and_nothing_else(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.spaces[0].n_addresses = 0;
	assert_only(&s, "ip addr add 10.0.0.1 dev ve-web", "on the host: ve-web does not have 10.0.0.1");
	assert_int_equal(s.m.host.n, 1);
}

static void what_is_missing_inside_is_shown_as_done_inside(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.spaces[1].n_routes = 0;
	assert_only(&s,
	            "nsenter -t \"$(machinectl show -p Leader --value web)\" -n ip route add default via "
	            "10.0.0.1",
	            "in the guest: there is no default route by 10.0.0.1");
	assert_int_equal(s.m.guest.n, 1);
}

static void a_bridge_made_anew_gets_its_port(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	(void)strcpy(s.host[0].name, "vb-web");
	netops_done(&s.on_host);
	s.wanted.bridge = "br0";
	assert_only(&s, "ip link set dev vb-web master br0 up", "on the host: vb-web is no port of br0");
	mending_done(&s.m);
	s.host[0].master = BR;
	mend_decide(&s.map, &s.wanted, &s.m);
	assert_true(mend_is_well(&s.m));
	s.spaces[0].n_links = 1;
	assert_cannot(&s, "on the host: there is no bridge br0: create it, then mend again");
}

static void a_link_that_leads_elsewhere_is_left_alone(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.host[0].netnsid = NETMAP_NSID_OTHER;
	s.host[0].up = false;
	assert_cannot(&s, "on the host: the link ve-web does not lead into web, so it is left alone: "
	                  "machdeck restart web");
	mending_done(&s.m);
	s.spaces[0].n_links = 0;
	assert_cannot(&s, "on the host: there is no link ve-web: machdeck restart web makes it anew");
}

static void a_forward_that_is_gone_or_leads_to_nobody_is_made_anew(void **state)
{
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.map.n_forwards = 0;
	assert_only(&s, "nft add element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.0.0.2 . 80 }'",
	            "on the host: the forward of tcp 8080 is gone");
	mending_done(&s.m);
	s.map.n_forwards = 1;
	s.wanted.forwards_whole[MEND_V4] = false;
	assert_only(&s, "nft add element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.0.0.2 . 80 }'",
	            "on the host: the rules that lead to the forward of tcp 8080 are gone");
	mending_done(&s.m);
	s.forwards[0].to = addr_of("10.9.9.9");
	mend_decide(&s.map, &s.wanted, &s.m);
	assert_int_equal(s.m.n_gone, 1);
	assert_int_equal(s.m.n_add, 1);
	mending_done(&s.m);
	s.forwards[0].to = addr_of("10.0.0.1"); /* the host's */
	assert_cannot(&s, "tcp 8080 goes to the host itself (10.0.0.1): only one can have it");
}

static void what_can_not_be_seen_is_not_taken_for_missing(void **state)
{
	CLEANUP(scene_done) struct scene s;
	char no[] = "it takes root";

	(void)state;
	setup(&s);
	s.spaces[1].no_links = no;
	s.spaces[1].n_links = 0;
	assert_cannot(&s, "what is inside can not be seen: it takes root");
}

static void a_link_goes_only_when_nspawn_made_it_for_who_does_not_run(void **state)
{
	const uint8_t id[16] = "0123456789abcdef";
	struct strs busy = { 0 }, none = { 0 };
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.map.n = 1;
	s.map.n_forwards = 0;
	s.host[0].netnsid = NETMAP_NSID_OTHER;
	mend_leavings(&s.map, &none, &none, &none, id, &s.m);
	assert_int_equal(s.m.n_links, 0); /* another hardware address */
	assert_int_equal(s.m.cannot.n, 1);
	mending_done(&s.m);
	nspawnmac(id, "web", s.host[0].mac);
	strs_add(&busy, "web");
	mend_leavings(&s.map, &busy, &none, &none, id, &s.m);
	assert_true(mend_is_well(&s.m));
	mend_leavings(&s.map, &none, &none, &none, id, &s.m);
	assert_int_equal(s.m.n_links, 1);
	assert_int_equal(s.m.links[0], VE);
	mending_done(&s.m);
	(void)strcpy(s.host[0].kind, "dummy");
	mend_leavings(&s.map, &none, &none, &none, id, &s.m);
	assert_int_equal(s.m.n_links, 0);
	strs_done(&busy);
}

static void a_forward_that_a_machine_was_started_with_stays(void **state)
{
	const uint8_t id[16] = { 0 };
	struct strs with = { 0 }, none = { 0 };
	CLEANUP(scene_done) struct scene s;

	(void)state;
	setup(&s);
	s.map.n = 1; /* nobody is seen to have 10.0.0.2 */
	s.spaces[0].n_links = 0;
	strs_add(&with, "10.0.0.2");
	mend_leavings(&s.map, &none, &with, &none, id, &s.m);
	assert_true(mend_is_well(&s.m));
	mend_leavings(&s.map, &none, &none, &with, id, &s.m);
	assert_int_equal(s.m.n_gone, 1);
	assert_int_equal(s.m.leavers.n, 1);
	strs_done(&with);
}

/* As systemd-nspawn 252 gave it on a host of that id. */
static void the_hardware_address_is_the_one_that_nspawn_gives(void **state)
{
	static const uint8_t id[16] = { 0x03, 0x8c, 0x9d, 0x30, 0x99, 0xbd, 0x4e, 0x78,
		                        0xa6, 0xc9, 0x05, 0x32, 0x58, 0x85, 0x02, 0x25 };
	static const uint8_t seen[6] = { 0x4e, 0x7c, 0xc3, 0x82, 0xeb, 0x4d };
	uint8_t mac[6];

	(void)state;
	nspawnmac(id, "web", mac);
	assert_memory_equal(mac, seen, sizeof(seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_whole_takes_no_step),
		cmocka_unit_test(an_address_that_is_gone_comes_back_and_nothing_else),
		cmocka_unit_test(what_is_missing_inside_is_shown_as_done_inside),
		cmocka_unit_test(a_bridge_made_anew_gets_its_port),
		cmocka_unit_test(a_link_that_leads_elsewhere_is_left_alone),
		cmocka_unit_test(a_forward_that_is_gone_or_leads_to_nobody_is_made_anew),
		cmocka_unit_test(what_can_not_be_seen_is_not_taken_for_missing),
		cmocka_unit_test(a_link_goes_only_when_nspawn_made_it_for_who_does_not_run),
		cmocka_unit_test(a_forward_that_a_machine_was_started_with_stays),
		cmocka_unit_test(the_hardware_address_is_the_one_that_nspawn_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/netns.h"

#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/nft.h"
#include "drivers/nft_gateway.h"

/* What systemd-nspawn 252 makes, as `nft list ruleset` shows it (without its chains). */
static void make_maps(void)
{
	netns_new();
	if (system("command -v nft >/dev/null && nft list ruleset 2>/dev/null") != 0) {
		(void)fprintf(stderr, "SKIP: no nft command, or no nf_tables\n");
		skip();
	}
	run("nft 'add table ip io.systemd.nat; add table ip6 io.systemd.nat;"
	    "add map ip io.systemd.nat map_port_ipport { type inet_proto . inet_service : ipv4_addr . "
	    "inet_service; };"
	    "add map ip6 io.systemd.nat map_port_ipport { type inet_proto . inet_service : ipv6_addr . "
	    "inet_service; };"
	    "add element ip io.systemd.nat map_port_ipport { tcp . 8080 : 10.0.0.2 . 80 };"
	    "add element ip io.systemd.nat map_port_ipport { udp . 53 : 10.0.0.3 . 5353 };"
	    "add element ip6 io.systemd.nat map_port_ipport { tcp . 8080 : fc00::2 . 80 }'");
}

static const struct forward *find(const struct forwards *l, const char *port, const char *to)
{
	char text[PORT_TEXT_SIZE], addr[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < l->n; i++) {
		port_print(&l->v[i].port, text);
		addr_print(&l->v[i].to, false, addr);
		if (strcmp(text, port) == 0 && strcmp(addr, to) == 0)
			return &l->v[i];
	}
	return NULL;
}

static void forwards_of_both_families_are_read(void **state)
{
	struct forwards l;
	struct err e;

	(void)state;
	make_maps();
	assert_int_equal(nft_forwards(&l, &e), 0);
	assert_int_equal(l.n, 3);
	assert_non_null(find(&l, "tcp:8080:80", "10.0.0.2"));
	assert_non_null(find(&l, "udp:53:5353", "10.0.0.3"));
	assert_non_null(find(&l, "tcp:8080:80", "fc00::2"));
	free(l.v);
}

static void without_a_table_there_are_none(void **state)
{
	struct forwards l;
	struct err e;

	(void)state;
	netns_new();
	assert_int_equal(nft_forwards(&l, &e), 0);
	assert_int_equal(l.n, 0);
	free(l.v);
}

static void one_is_deleted_and_the_others_stay(void **state)
{
	struct forwards l;
	struct err e;

	(void)state;
	make_maps();
	assert_int_equal(nft_forwards(&l, &e), 0);
	assert_int_equal(nft_forward_delete(find(&l, "tcp:8080:80", "fc00::2"), l.generation, &e), 0);
	assert_not_told("nft list map ip6 io.systemd.nat map_port_ipport", "8080");
	assert_told("nft list map ip io.systemd.nat map_port_ipport", "tcp . 8080 : 10.0.0.2 . 80");
	free(l.v);
}

static void what_somebody_else_put_there_meanwhile_stays(void **state)
{
	struct forwards l;
	struct err e;

	(void)state;
	make_maps();
	assert_int_equal(nft_forwards(&l, &e), 0);
	run("nft delete element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.0.0.2 . 80 }'");
	run("nft add element ip io.systemd.nat map_port_ipport '{ tcp . 8080 : 10.0.0.9 . 80 }'");
	assert_int_equal(nft_forward_delete(find(&l, "tcp:8080:80", "10.0.0.2"), l.generation, &e), -EAGAIN);
	assert_told("nft list map ip io.systemd.nat map_port_ipport", "tcp . 8080 : 10.0.0.9 . 80");
	free(l.v);
}

static void parse_all(const char *const *texts, size_t n, struct addr *ret)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(addr_parse(texts[i], &ret[i], NULL), 0);
}

static void assert_set(const char *name, const char *const *texts, size_t n, bool changes)
{
	struct addr v[4];
	bool changed = !changes, holds = false;
	struct err e;

	parse_all(texts, n, v);
	assert_int_equal(nft_gateway_set(name, v, n, &changed, &e), 0);
	assert_int_equal(changed, changes);
	assert_int_equal(nft_gateway_holds(name, v, n, &holds, &e), 0);
	assert_true(holds);
}

static void a_way_out_is_made_once_and_goes_with_its_machine(void **state)
{
	static const char *const web[] = { "10.0.0.2", "fc00::2" }, *const db[] = { "10.0.0.3" };
	CLEANUP(strs_done) struct strs owners = { 0 };
	struct err e;

	(void)state;
	make_maps();
	assert_set("web", web, 2, true);
	assert_set("web", web, 2, false);
	assert_set("db", db, 1, true);
	assert_told("nft list table ip machdeck", "elements = { 10.0.0.2 comment \"web\",");
	assert_told("nft list table ip machdeck", "10.0.0.3 comment \"db\" }");
	assert_told("nft list table ip machdeck",
	            "type nat hook postrouting priority srcnat; policy accept;");
	assert_told("nft list table ip machdeck", "ip saddr @addresses ip daddr != @addresses masquerade");
	assert_told("nft list table ip6 machdeck", "ip6 saddr @addresses ip6 daddr != @addresses masquerade");
	assert_int_equal(nft_gateway_owners(&owners, &e), 0);
	assert_int_equal(owners.n, 2);
	assert_set("web", NULL, 0, true);
	assert_not_told("nft list tables", "ip6 machdeck");
	assert_told("nft list table ip machdeck", "elements = { 10.0.0.3 comment \"db\" }");
	assert_set("db", NULL, 0, true);
	assert_not_told("nft list tables", "machdeck");
	assert_set("db", NULL, 0, false);
}

static void other_tables_are_the_same_byte_by_byte(void **state)
{
	static const char *const web[] = { "10.0.0.2", "fc00::2" };
	char before[65536];

	(void)state;
	make_maps();
	run("nft 'add table inet mine; add chain inet mine c { type filter hook forward priority 0; }; add "
	    "rule inet mine c counter'");
	(void)snprintf(before, sizeof(before), "%s", told("nft -a list ruleset"));
	assert_set("web", web, 2, true);
	assert_set("web", NULL, 0, true);
	assert_string_equal(told("nft -a list ruleset"), before);
}

static void what_is_missing_of_a_way_out_comes_back(void **state)
{
	static const char *const web[] = { "10.0.0.2" };
	struct addr v[1];
	bool holds = true;
	struct err e;

	(void)state;
	make_maps();
	assert_set("web", web, 1, true);
	parse_all(web, 1, v);
	run("nft flush chain ip machdeck postrouting");
	assert_int_equal(nft_gateway_holds("web", v, 1, &holds, &e), 0);
	assert_false(holds);
	assert_set("web", web, 1, true);
	run("nft flush set ip machdeck addresses");
	assert_set("web", web, 1, true);
	run("nft flush ruleset");
	assert_set("web", web, 1, true);
	assert_set("next", web, 1, true); /* an address that changes hands */
	assert_told("nft list table ip machdeck", "10.0.0.2 comment \"next\"");
}

static void a_closed_gate_lets_no_way_out_be_made(void **state)
{
	static const char *const web[] = { "10.0.0.2" };
	struct addr v[1];
	struct err e;

	(void)state;
	make_maps();
	parse_all(web, 1, v);
	gate_close("a test");
	assert_int_equal(nft_gateway_set("web", v, 1, NULL, &e), -EPERM);
	gate_open();
	assert_string_equal(e.text, "web: cannot make its way out (nf_tables, table machdeck): web: cannot "
	                            "change its way out: read-only: a test");
	assert_not_told("nft list tables", "machdeck");
}

static struct forward forward_of(const char *port, const char *to)
{
	struct forward f = { 0 };

	assert_int_equal(port_parse(port, &f.port, NULL), 0);
	assert_int_equal(addr_parse(to, &f.to, NULL), 0);
	return f;
}

static void assert_whole(uint8_t family, bool wanted)
{
	struct err e;
	bool whole;

	assert_int_equal(nft_forwards_whole(family, &whole, &e), 0);
	assert_int_equal(whole, wanted);
}

static void a_table_of_forwards_that_was_flushed_comes_back_as_it_was(void **state)
{
	const struct forward four[] = { forward_of("tcp:8080:80", "10.0.0.2"),
		                        forward_of("udp:53:5353", "10.0.0.3") };
	const struct forward six[] = { forward_of("tcp:8080:80", "fc00::2") };
	char before[65536];
	struct err e;

	(void)state;
	netns_new();
	assert_whole(AF_INET, false);
	assert_int_equal(nft_forwards_mend(AF_INET, four, 2, NULL, 0, &e), 0);
	assert_int_equal(nft_forwards_mend(AF_INET6, six, 1, NULL, 0, &e), 0);
	assert_whole(AF_INET, true);
	assert_whole(AF_INET6, true);
	(void)snprintf(before, sizeof(before), "%s", told("nft list ruleset"));
	assert_told("nft list table ip io.systemd.nat",
	            "type inet_proto . inet_service : ipv4_addr . inet_service");
	assert_told("nft list table ip io.systemd.nat",
	            "fib daddr type local dnat ip to meta l4proto . th dport map @map_port_ipport");
	assert_told("nft list table ip io.systemd.nat", "ip daddr != 127.0.0.0/8 oif \"lo\" dnat ip to");
	assert_told("nft list table ip6 io.systemd.nat", "ip6 daddr != ::1 oif \"lo\" dnat ip6 to");
	assert_told("nft list table ip io.systemd.nat", "ip saddr @masq_saddr masquerade");
	run("nft flush chain ip io.systemd.nat prerouting");
	assert_whole(AF_INET, false);
	assert_int_equal(nft_forwards_mend(AF_INET, four, 2, NULL, 0, &e), 0);
	assert_string_equal(told("nft list ruleset"), before);
	run("nft delete element ip io.systemd.nat map_port_ipport '{ udp . 53 }'");
	assert_int_equal(nft_forwards_mend(AF_INET, four, 2, NULL, 0, &e), 0);
	assert_string_equal(told("nft list ruleset"), before);
}

static void a_forward_of_somebody_else_is_not_replaced(void **state)
{
	const struct forward mine[] = { forward_of("tcp:8080:80", "10.0.0.9") };
	const struct forward theirs[] = { forward_of("tcp:8080:80", "10.0.0.2") };
	struct err e;

	(void)state;
	make_maps();
	assert_int_equal(nft_forwards_mend(AF_INET, mine, 1, NULL, 0, &e), -EADDRINUSE);
	assert_told("nft list map ip io.systemd.nat map_port_ipport", "tcp . 8080 : 10.0.0.2 . 80");
	assert_int_equal(nft_forwards_mend(AF_INET, mine, 1, theirs, 1, &e), 0);
	assert_told("nft list map ip io.systemd.nat map_port_ipport", "tcp . 8080 : 10.0.0.9 . 80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_of_both_families_are_read),
		cmocka_unit_test(without_a_table_there_are_none),
		cmocka_unit_test(one_is_deleted_and_the_others_stay),
		cmocka_unit_test(what_somebody_else_put_there_meanwhile_stays),
		cmocka_unit_test(a_way_out_is_made_once_and_goes_with_its_machine),
		cmocka_unit_test(other_tables_are_the_same_byte_by_byte),
		cmocka_unit_test(what_is_missing_of_a_way_out_comes_back),
		cmocka_unit_test(a_closed_gate_lets_no_way_out_be_made),
		cmocka_unit_test(a_table_of_forwards_that_was_flushed_comes_back_as_it_was),
		cmocka_unit_test(a_forward_of_somebody_else_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

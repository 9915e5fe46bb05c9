#include "tests/unit/netns.h"

#include "drivers/nft.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_of_both_families_are_read),
		cmocka_unit_test(without_a_table_there_are_none),
		cmocka_unit_test(one_is_deleted_and_the_others_stay),
		cmocka_unit_test(what_somebody_else_put_there_meanwhile_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/netns.h"

#include <linux/netfilter.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decide/firewall.h"
#include "drivers/nft_rules.h"

/* A client's first packet on its way to 10.0.0.2:80 behind ve-web, as the forward hook sees it. */
static struct firewall_packet client(void)
{
	struct firewall_packet p = { .hook = FW_FORWARD,
		                     .family = AF_INET,
		                     .is_translated = true,
		                     .iif = 2,
		                     .iif_name = "eth0",
		                     .oif = 5,
		                     .oif_name = "ve-web",
		                     .to_port = 80 };

	assert_int_equal(addr_parse("10.0.0.2", &p.to, NULL), 0);
	return p;
}

/* What the rules of this nft script do with it. */
static struct firewall_verdict judged(const char *script, struct firewall_packet p)
{
	struct firewall f = { 0 };
	struct firewall_verdict v;
	struct err e;

	netns_new();
	if (system("command -v nft >/dev/null && nft list ruleset >/dev/null 2>&1") != 0) {
		(void)fprintf(stderr, "SKIP: no nft command, or no nf_tables\n");
		skip();
	}
	run("ip link add eth0 type veth peer name ve-web");
	run(script);
	assert_int_equal(nft_rules(-1, &f, &e), 0);
	firewall_judge(&f, &p, &v);
	firewall_done(&f);
	return v;
}

#define FORWARD(policy, rules)                                                                               \
	"nft 'table inet filter { set open { type inet_service; elements = { 80 } }; chain yes { accept; "   \
	"}; chain sub { " rules "; }; chain forward { type filter hook forward priority 0; policy " policy   \
	"; jump sub; }; }'"

static enum firewall_answer answer(const char *script)
{
	return judged(script, client()).answer;
}

static void no_filter_lets_everything_pass(void **state)
{
	(void)state;
	assert_int_equal(answer("true"), FIREWALL_PASSES);
	assert_int_equal(answer(FORWARD("accept", "counter")), FIREWALL_PASSES);
}

static void a_policy_drops_what_no_rule_accepts(void **state)
{
	struct firewall_verdict v;

	(void)state;
	v = judged("nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; "
	           "}; }'",
	           client());
	assert_int_equal(v.answer, FIREWALL_DROPS);
	assert_string_equal(v.where, "chain FORWARD of table ip filter (policy drop)");
	assert_int_equal(
		answer(FORWARD("drop", "ct state established,related accept; iifname \"docker0\" accept")),
		FIREWALL_DROPS);
}

static void a_rule_that_accepts_it_is_understood(void **state)
{
	static const char *const rules[] = {
		"ct status dnat accept",
		"tcp dport 80 accept",
		"oifname \"ve-*\" accept",
		"oifname \"ve-web\" ip daddr 10.0.0.0/24 accept",
		"ip daddr 10.0.0.0/25 counter accept",
		"ip daddr 10.0.0.2 tcp dport 1-100 accept",
		"ct state new,established accept",
		"meta nfproto ipv4 meta l4proto tcp iifname \"eth0\" log accept",
		"ip6 daddr fd00::2 drop; tcp dport != 81 accept",
		"tcp dport @open accept",
		"tcp dport { 22, 80, 443 } accept",
		"tcp dport { 22, 70-90 } accept",
		"ip daddr { 10.0.0.0/24, 10.9.0.0/16 } accept",
		"ip daddr != { 10.0.1.0/24, 10.9.0.0/16 } accept",
		"ct state vmap { new : accept, established : drop }",
		"iifname { \"eth0\", \"eth1\" } meta l4proto { tcp, udp } accept",
		"tcp dport vmap { 80 : jump yes, 81 : drop }",
	};
	char script[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		(void)snprintf(script, sizeof(script), FORWARD("drop", "%s"), rules[i]);
		if (answer(script) != FIREWALL_PASSES)
			fail_msg("it does not let pass: %s", rules[i]);
	}
}

static void a_rule_that_drops_it_is_named(void **state)
{
	struct firewall_verdict v;

	(void)state;
	v = judged(FORWARD("accept", "tcp dport 80 reject"), client());
	assert_int_equal(v.answer, FIREWALL_DROPS);
	assert_string_equal(v.where, "chain sub of table inet filter");
	assert_int_equal(
		answer(FORWARD("accept",
	                       "udp dport 80 drop; tcp dport 81 drop; ip daddr 10.0.0.3 drop; return; drop")),
		FIREWALL_PASSES);
}

static void what_is_not_understood_may_drop(void **state)
{
	(void)state;
	assert_int_equal(answer(FORWARD("drop", "tcp sport . tcp dport { 1 . 80 } accept")),
	                 FIREWALL_MAY_DROP);
	assert_int_equal(answer(FORWARD("accept", "limit rate 1/second drop")), FIREWALL_MAY_DROP);
	assert_int_equal(answer(FORWARD("accept", "ct state vmap { invalid : drop }")), FIREWALL_PASSES);
	assert_int_equal(answer(FORWARD("accept", "tcp dport { 70-79, 81-90 } drop")), FIREWALL_PASSES);
	assert_int_equal(answer(FORWARD("accept", "tcp dport { 70-80, 85 } drop")), FIREWALL_DROPS);
	assert_int_equal(answer(FORWARD("accept", "limit rate 1/second accept")), FIREWALL_PASSES);
	assert_int_equal(answer(FORWARD("drop", "limit rate 1/second drop")), FIREWALL_DROPS);
}

static void the_answer_to_a_client_is_another_packet(void **state)
{
	struct firewall_packet p = client();

	(void)state;
	p.is_reply = true;
	assert_int_equal(judged(FORWARD("drop", "ct state established accept"), p).answer, FIREWALL_PASSES);
	assert_int_equal(judged(FORWARD("drop", "ct state new accept"), p).answer, FIREWALL_DROPS);
}

static void chains_of_other_hooks_and_families_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(
		answer("nft 'table ip6 f { chain c { type filter hook forward priority 0; policy drop; }; }; "
	               "table ip g { chain c { type filter hook input priority 0; policy drop; }; }'"),
		FIREWALL_PASSES);
}

static void jumps_in_a_circle_come_to_an_end(void **state)
{
	struct fw_rule to_itself = { .verdict = FW_JUMP, .to = "c" };
	struct fw_chain chain = {
		.family = NFPROTO_INET, .name = "c", .hook = FW_FORWARD, .rules = &to_itself, .n = 1
	};
	const struct firewall f = { .v = &chain, .n = 1 };
	const struct firewall_packet p = client();
	struct firewall_verdict v;

	(void)state;
	firewall_judge(&f, &p, &v);
	assert_int_equal(v.answer, FIREWALL_MAY_DROP);
}

static void what_iptables_made_is_understood(void **state)
{
	struct firewall_packet reply = client();

	(void)state;
	reply.is_reply = true;
	if (system("command -v iptables-nft >/dev/null") != 0) {
		(void)fprintf(stderr, "SKIP: no iptables-nft command\n");
		skip();
	}
#define DROPPING "iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD "
	assert_int_equal(answer(DROPPING "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
	                 FIREWALL_DROPS);
	assert_int_equal(
		judged(DROPPING "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", reply).answer,
		FIREWALL_PASSES);
	assert_int_equal(answer(DROPPING "-m conntrack --ctstate NEW -p tcp -m tcp --dport 80 -m comment "
	                                 "--comment x -j ACCEPT"),
	                 FIREWALL_PASSES);
	assert_int_equal(answer(DROPPING "! -i docker0 -p tcp --dport 79:81 -j ACCEPT"), FIREWALL_PASSES);
	assert_int_equal(answer(DROPPING "-p tcp --dport 81 -j ACCEPT"), FIREWALL_DROPS);
	assert_int_equal(answer(DROPPING "-m addrtype --dst-type UNICAST -j ACCEPT"), FIREWALL_MAY_DROP);
	assert_int_equal(answer("iptables-nft -A FORWARD -p tcp --dport 80 -j REJECT"), FIREWALL_DROPS);
}

/* Each of 15 chains jumps 40 times to the next: 40 to the power of 15 ways. */
static void jumps_that_multiply_cost_no_time(void **state)
{
	enum { CHAINS = 15, JUMPS = 40 };
	static struct fw_rule rules[CHAINS][JUMPS];
	static struct fw_chain chains[CHAINS];
	const struct firewall f = { .v = chains, .n = CHAINS };
	const struct firewall_packet p = client();
	struct firewall_verdict v;

	(void)state;
	for (int i = 0; i < CHAINS; i++) {
		chains[i] = (struct fw_chain){ .family = NFPROTO_INET,
			                       .hook = i == 0 ? FW_FORWARD : FW_NO_HOOK,
			                       .rules = rules[i],
			                       .n = JUMPS };
		(void)snprintf(chains[i].name, sizeof(chains[i].name), "c%d", i);
		for (int k = 0; k < JUMPS && i + 1 < CHAINS; k++) {
			rules[i][k].verdict = FW_JUMP;
			(void)snprintf(rules[i][k].to, sizeof(rules[i][k].to), "c%d", i + 1);
		}
	}
	firewall_judge(&f, &p, &v);
	assert_int_equal(v.answer, FIREWALL_MAY_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_filter_lets_everything_pass),
		cmocka_unit_test(a_policy_drops_what_no_rule_accepts),
		cmocka_unit_test(a_rule_that_accepts_it_is_understood),
		cmocka_unit_test(a_rule_that_drops_it_is_named),
		cmocka_unit_test(what_is_not_understood_may_drop),
		cmocka_unit_test(the_answer_to_a_client_is_another_packet),
		cmocka_unit_test(chains_of_other_hooks_and_families_do_not_count),
		cmocka_unit_test(jumps_in_a_circle_come_to_an_end),
		cmocka_unit_test(what_iptables_made_is_understood),
		cmocka_unit_test(jumps_that_multiply_cost_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

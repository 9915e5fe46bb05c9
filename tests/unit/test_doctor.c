#include "decide/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A forward that is well, with all that it takes: 8080 of the host to 10.0.0.2:80 of web, where nginx listens. */
struct world {
	struct doctor_facts f;
	struct doctor_listener inside[4];
	struct doctor_listener outside;
	struct strs failed;
	struct diagnosis d;
};

static char seen[128][32]; /* the causes that tests had an example of */
static size_t n_seen;

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static struct doctor_way way(const char *guest)
{
	return (struct doctor_way){
		.configured = address(guest),
		.address = DOCTOR_ADDRESS_THERE,
		.guest = address(guest),
		.table = DOCTOR_TABLE_THERE,
		.has_rule = true,
		.to = address(guest),
		.to_port = 80,
		.owner = DOCTOR_OWNER_ITSELF,
		.routed = DOCTOR_YES,
		.routed_by = "ve-web",
		.forwarding = DOCTOR_YES,
		.default_route = DOCTOR_YES,
		.host_drops.answer = FIREWALL_PASSES,
		.guest_drops.answer = FIREWALL_PASSES,
	};
}

static void listens(struct world *w, const char *at, bool udp, uint16_t port)
{
	w->inside[w->f.n_listeners++] = (struct doctor_listener){ .udp = udp,
		                                                  .at = address(at),
		                                                  .port = port,
		                                                  .pid = 12,
		                                                  .process = "nginx",
		                                                  .unit = "nginx.service" };
}

static struct world *well(void)
{
	static struct world w;

	w = (struct world){ .f = {
				    .name = "web",
				    .state = MACHINE_RUNNING,
				    .up_usec = 60000000,
				    .port = { false, 8080, 80 },
				    .declared = true,
				    .file = "/etc/containers/web.conf",
				    .line = 4,
				    .link = "eth0",
				    .link_up = DOCTOR_YES,
				    .host_link = "ve-web",
				    .host_link_up = DOCTOR_YES,
				    .host_address = "192.168.1.10",
			    } };
	w.f.way[DOCTOR_V4] = way("10.0.0.2");
	w.f.way[DOCTOR_V6].table = DOCTOR_TABLE_GONE;
	w.f.listeners = w.inside;
	listens(&w, "0.0.0.0", false, 80);
	return &w;
}

static void see(const struct diagnosis *d)
{
	for (size_t i = 0; i < d->n && n_seen < COUNT(seen); i++)
		(void)snprintf(seen[n_seen++], sizeof(seen[0]), "%s", d->v[i].cause);
}

/* The first broken link, as "STEP CAUSE: SENTENCE"; "" when it is well. */
static const char *judged(struct world *w)
{
	static char text[600];
	const struct doctor_finding *first;

	doctor_judge(&w->f, &w->d);
	see(&w->d);
	first = doctor_first(&w->d);
	text[0] = '\0';
	if (first)
		(void)snprintf(text, sizeof(text), "%s %s: %s", doctor_step_word(first->step), first->cause,
		               first->text);
	assert_int_equal(first != NULL, w->d.state == DOCTOR_BROKEN);
	return text;
}

static bool notes(const struct world *w, const char *cause, const char *words)
{
	for (size_t i = 0; i < w->d.n; i++)
		if (strcmp(w->d.v[i].cause, cause) == 0 && !w->d.v[i].broken && strstr(w->d.v[i].text, words))
			return true;
	return false;
}

static void drops(struct firewall_verdict *v, enum firewall_answer answer, const char *where)
{
	v->answer = answer;
	(void)snprintf(v->where, sizeof(v->where), "%s", where);
}

/* ---- what is well */

static void a_forward_that_works_has_five_good_links(void **state)
{
	struct world *w = well();

	(void)state;
	assert_string_equal(judged(w), "");
	assert_int_equal(w->d.state, DOCTOR_GOOD);
	assert_int_equal(w->d.n, 0);
	for (size_t i = 0; i < DOCTOR_STEPS; i++)
		assert_int_equal(w->d.steps[i].state, DOCTOR_GOOD);
	assert_string_equal(w->d.steps[DOCTOR_DECLARED].text, "/etc/containers/web.conf:4");
	assert_string_equal(w->d.steps[DOCTOR_RULE].text, "10.0.0.2:80");
	assert_string_equal(w->d.steps[DOCTOR_ADDRESS].text, "10.0.0.2 on eth0");
	assert_string_equal(w->d.steps[DOCTOR_LISTENER].text, "0.0.0.0:80: nginx (pid 12, nginx.service)");
	assert_string_equal(w->d.steps[DOCTOR_CONNECTS].text, "nothing is in the way");
	w->f.connect = DOCTOR_CONNECTED;
	w->f.connected_to = "192.168.1.10:8080";
	w->f.connect_ms = 2;
	assert_string_equal(judged(w), "");
	assert_string_equal(w->d.steps[DOCTOR_CONNECTS].text, "192.168.1.10:8080 answered in 2 ms");
}

static void it_is_told_from_where_it_can_be_reached(void **state)
{
	struct world *w = well();

	(void)state;
	(void)judged(w);
	assert_int_equal(w->d.from[DOCTOR_LAN].state, DOCTOR_GOOD);
	assert_string_equal(w->d.from[DOCTOR_LAN].text, "192.168.1.10:8080");
	assert_int_equal(w->d.from[DOCTOR_HOST].state, DOCTOR_GOOD);
	assert_int_equal(w->d.from[DOCTOR_MACHINE].state, DOCTOR_GOOD);
	assert_int_equal(w->d.from[DOCTOR_LOOPBACK].state, DOCTOR_BROKEN);
	assert_string_equal(w->d.from[DOCTOR_LOOPBACK].text,
	                    "127.0.0.1 is not translated by nspawn: use 192.168.1.10");
	w->f.way[DOCTOR_V4].forwarding = DOCTOR_NO;
	(void)judged(w);
	assert_int_equal(w->d.from[DOCTOR_LAN].state, DOCTOR_BROKEN);
	assert_int_equal(w->d.from[DOCTOR_HOST].state, DOCTOR_GOOD);
}

static void who_stopped_it_is_not_told_that_it_is_broken(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.state = MACHINE_STOPPED;
	w->f.way[DOCTOR_V4] =
		(struct doctor_way){ .table = DOCTOR_TABLE_THERE, .configured = address("10.0.0.2") };
	w->f.n_listeners = 0;
	assert_string_equal(judged(w), "");
	assert_int_equal(w->d.state, DOCTOR_IDLE);
	assert_true(notes(w, "stopped", "web is stopped, so nothing is forwarded (machdeck start web)"));
}

static void what_can_not_be_seen_is_unknown_and_not_broken(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.way[DOCTOR_V4] = (struct doctor_way){ 0 };
	w->f.no_rules = "the kernel's rules take root (CAP_NET_ADMIN) to see";
	w->f.no_guest = w->f.no_listeners = "what is inside takes root to see";
	w->f.n_listeners = 0;
	assert_string_equal(judged(w), "");
	assert_int_equal(w->d.state, DOCTOR_UNKNOWN);
	assert_int_equal(w->d.steps[DOCTOR_RULE].state, DOCTOR_UNKNOWN);
	assert_string_equal(w->d.steps[DOCTOR_LISTENER].text, "what is inside takes root to see");
}

static void an_ipv6_address_that_nobody_asked_for_breaks_nothing(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.way[DOCTOR_V6] = way("fd00::2");
	w->f.way[DOCTOR_V6].configured = (struct addr){ 0 };
	w->f.way[DOCTOR_V6].forwarding = w->f.way[DOCTOR_V6].default_route = DOCTOR_NO;
	assert_string_equal(judged(w), "");
	assert_int_equal(w->d.state, DOCTOR_GOOD);
	assert_true(notes(w, "ipv6-open", "it is open over IPv6, too, to [fd00::2]:80"));
	assert_true(notes(w, "no-forwarding", "net.ipv6.conf.all.forwarding is 0"));
}

static void a_listener_on_all_of_ipv6_takes_ipv4_too(void **state)
{
	const struct addr v4 = address("10.0.0.2");
	struct doctor_listener l = { .at = address("::"), .port = 80 };

	(void)state;
	assert_true(doctor_serves(&l, false, &v4, 80));
	assert_false(doctor_serves(&l, false, &v4, 81));
	assert_false(doctor_serves(&l, true, &v4, 80));
	l.v6_only = true;
	assert_false(doctor_serves(&l, false, &v4, 80));
}

/* ---- one example of each cause */

static void what_the_conf_says_can_be_wrong(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.shares_host = true;
	assert_non_null(strstr(judged(w), "declared shared-network: web shares the host's network"));
	w = well();
	w->f.bad_conf = true;
	w->f.reason = "/etc/containers/web.conf:2:1: no '='";
	assert_string_equal(judged(w), "declared bad-conf: the conf can not be used, so nothing of it holds: "
	                               "/etc/containers/web.conf:2:1: no '='");
	w = well();
	w->outside = (struct doctor_listener){
		.at = address("0.0.0.0"), .port = 8080, .pid = 88, .process = "sshd"
	};
	w->f.host = &w->outside;
	assert_string_equal(
		judged(w),
		"declared host-listener: host port 8080 is taken by sshd (pid 88): give one of the "
		"two another port (HOST_PORT=)");
	assert_int_equal(w->d.from[DOCTOR_LAN].state, DOCTOR_GOOD);
	assert_int_equal(w->d.from[DOCTOR_LOOPBACK].state, DOCTOR_BROKEN);
	w = well();
	w->outside = (struct doctor_listener){
		.at = address("127.0.0.1"), .port = 8080, .pid = 88, .process = "sshd"
	};
	w->f.local = &w->outside;
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "host-loopback", "127.0.0.1:8080 on the host meets sshd (pid 88), not web"));
	w = well();
	w->f.declared = false;
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "not-declared", ".nspawn"));
	w = well();
	w->f.rival = "db";
	w->f.rival_runs = true;
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "rival", "db wants tcp 8080, too, and takes the rule along when it stops"));
}

static void a_rule_can_lead_elsewhere(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.way[DOCTOR_V4].to = address("10.0.0.3");
	w->f.way[DOCTOR_V4].owner = DOCTOR_OWNER_OTHER;
	w->f.way[DOCTOR_V4].other = "db";
	assert_non_null(strstr(judged(w),
	                       "rule other-machine: tcp 8080 goes to db (10.0.0.3:80), which had it first"));
	w->f.way[DOCTOR_V4].owner = DOCTOR_OWNER_NOBODY;
	assert_string_equal(
		judged(w),
		"rule dead-address: tcp 8080 goes to 10.0.0.3:80, which nobody has: a rule that an "
		"unclean end left behind (machdeck restart web)");
	w->f.state = MACHINE_STOPPED;
	assert_non_null(strstr(judged(w),
	                       "rule left-over: a rule was left behind by an unclean end: tcp 8080 goes to "
	                       "10.0.0.3:80, where nobody is"));
	assert_non_null(
		strstr(judged(w), "nft delete element ip io.systemd.nat map_port_ipport '{ tcp . 8080 }'"));
	w = well();
	w->f.way[DOCTOR_V4].to_port = 81;
	assert_non_null(
		strstr(judged(w), "rule other-port: the conf says port 80 inside, and the rule leads to 81"));
	w = well();
	w->f.way[DOCTOR_V4].to = w->f.way[DOCTOR_V4].guest = address("10.0.0.1");
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "other-own-address", "it goes to 10.0.0.1, not to 10.0.0.2"));
}

static void a_rule_can_be_missing(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.way[DOCTOR_V4].has_rule = false;
	assert_non_null(strstr(judged(w),
	                       "rule rule-gone: the kernel has no rule for tcp 8080 although web has its "
	                       "address, 10.0.0.2"));
	w->f.rival = "db";
	assert_non_null(strstr(judged(w),
	                       "rule loser-stopped: the rule is gone: db, which wants the same port, took it "
	                       "along when it stopped"));
	w->f.way[DOCTOR_V4].table = DOCTOR_TABLE_GONE;
	assert_non_null(strstr(judged(w), "rule table-gone: the table ip io.systemd.nat is gone"));
	w->f.is_newer = true;
	assert_non_null(
		strstr(judged(w), "rule newer-conf: it is in the conf, but web was started without it"));
	w->f.way[DOCTOR_V4].table = DOCTOR_TABLE_IMPOSSIBLE;
	assert_non_null(strstr(judged(w), "rule no-nf-tables: this kernel has no nf_tables"));
	w = well();
	w->f.way[DOCTOR_V4].table = DOCTOR_TABLE_HOLLOW;
	assert_non_null(
		strstr(judged(w), "rule table-flushed: the chains of the table ip io.systemd.nat are empty"));
	w = well();
	w->f.way[DOCTOR_V4].has_rule = false;
	w->f.state = MACHINE_FAILED;
	w->f.reason = "out of memory";
	assert_string_equal(judged(w),
	                    "rule not-running: web does not run, so nothing is forwarded: out of memory");
	w->f.state = MACHINE_STARTING;
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "starting", "web is still starting"));
}

static struct world *without_address(void)
{
	struct world *w = well();

	w->f.way[DOCTOR_V4].has_rule = false;
	w->f.way[DOCTOR_V4].address = DOCTOR_ADDRESS_NONE;
	w->f.way[DOCTOR_V4].guest = (struct addr){ 0 };
	return w;
}

static void an_address_can_be_missing(void **state)
{
	struct world *w = without_address();

	(void)state;
	assert_string_equal(judged(w),
	                    "address address-lost: 10.0.0.2 is configured, and web does not have it: it was "
	                    "removed inside (machdeck mend web)");
	assert_int_equal(w->d.steps[DOCTOR_RULE].state, DOCTOR_IDLE);
	w->f.way[DOCTOR_V4].configured = (struct addr){ 0 };
	assert_non_null(strstr(judged(w),
	                       "address no-address: web has no address, and without one there is no rule"));
	w->f.link_up = DOCTOR_NO;
	assert_string_equal(
		judged(w),
		"address guest-link-down: eth0 is down in web (machdeck run web -- ip link set eth0 "
		"up)");
	w->f.host_link_up = DOCTOR_NO;
	assert_non_null(
		strstr(judged(w), "address host-link-down: the host's end of its link, ve-web, is down"));
	w->f.bridge = "br0";
	w->f.bridged = DOCTOR_NO;
	w->f.host_link = "vb-web";
	assert_string_equal(judged(w), "address bridge-lost: vb-web is no port of br0: the bridge was made "
	                               "anew since, or somebody took it out "
	                               "(machdeck mend web: ip link set vb-web master br0)");
	w->f.way[DOCTOR_V4].routed = DOCTOR_NO;
	assert_null(strstr(judged(w), "no-host-route"));
	w = well();
	w->f.state = MACHINE_STOPPED;
	w->f.way[DOCTOR_V4].has_rule = false;
	w->f.link_is_left = true;
	assert_non_null(
		strstr(judged(w), "address link-held: ve-web is still there though web does not run"));
}

static void ipv6_can_wait_for_its_address(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.way[DOCTOR_V6] =
		(struct doctor_way){ .configured = address("fd00::2"), .table = DOCTOR_TABLE_THERE };
	assert_non_null(
		strstr(judged(w), "address address-lost: IPv6 waits for an address: fd00::2 is configured"));
	w->f.link_without_ipv6 = true;
	assert_non_null(strstr(
		judged(w),
		"address ipv6-off: fd00::2 is configured, and net.ipv6.conf.eth0.disable_ipv6 is 1 in web"));
	w->f.way[DOCTOR_V6].address = DOCTOR_ADDRESS_WAITS;
	w->f.way[DOCTOR_V6].guest = address("fd00::2");
	assert_non_null(
		strstr(judged(w), "address address-waits: IPv6 waits for its address: fd00::2 is tentative"));
	w->f.up_usec = 1000000;
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "address-waits", "fd00::2 is tentative"));
	w->f.way[DOCTOR_V6].address = DOCTOR_ADDRESS_DUPLICATE;
	assert_non_null(strstr(judged(w), "address address-twice: somebody else on its link has fd00::2"));
}

static void who_listens_can_be_missing_or_elsewhere(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.n_listeners = 0;
	assert_string_equal(judged(w),
	                    "listener no-listener: nothing listens on 80 in web: start what is to serve it");
	listens(w, "0.0.0.0", false, 8000);
	assert_non_null(
		strstr(judged(w), "nothing listens on 80 in web, which listens on 8000: start what is to"));
	listens(w, "0.0.0.0", true, 80);
	assert_non_null(strstr(judged(w),
	                       "listener other-protocol: nothing listens on tcp 80 in web; nginx (pid 12, "
	                       "nginx.service) listens on udp 80: is HOST_PORT=udp:8080:80 meant?"));
	strs_add(&w->failed, "nginx.service");
	w->f.failed_units = &w->failed;
	assert_non_null(strstr(judged(w),
	                       "listener unit-failed: nothing listens on 80 in web; nginx.service is failed: "
	                       "start it"));
	strs_done(&w->failed);
	w = well();
	w->f.n_listeners = 0;
	listens(w, "127.0.0.1", false, 80);
	assert_string_equal(judged(w),
	                    "listener loopback-only: guest listens on 127.0.0.1:80 only: nginx (pid 12, "
	                    "nginx.service) must listen on 10.0.0.2, or on all addresses");
	w->inside[0].at = address("10.9.9.9");
	assert_non_null(strstr(
		judged(w), "listener other-address: guest listens on 10.9.9.9:80, and the rule leads to"));
	w->inside[0].at = address("::");
	w->inside[0].v6_only = true;
	assert_non_null(strstr(judged(w), "listener other-family: guest listens on [::]:80, on IPv6 only"));
}

static void the_way_can_be_closed(void **state)
{
	struct world *w = well();
	struct doctor_way *v4 = &w->f.way[DOCTOR_V4];

	(void)state;
	v4->routed = DOCTOR_NO;
	assert_non_null(strstr(
		judged(w), "connects no-host-route: the host's route to 10.0.0.2 goes by ve-web, which is"));
	v4->routed_by = NULL;
	assert_non_null(strstr(judged(w),
	                       "the host has no route to 10.0.0.2 (ip route replace 10.0.0.2 dev ve-web)"));
	*v4 = way("10.0.0.2");
	v4->macvlan = "mv-eth1";
	assert_non_null(strstr(judged(w), "connects macvlan: mv-eth1 in web is a macvlan"));
	*v4 = way("10.0.0.2");
	v4->host_end = address("10.0.0.1");
	v4->host_end_there = DOCTOR_NO;
	assert_non_null(strstr(
		judged(w),
		"connects host-address-lost: 10.0.0.1 is configured for the host's end, ve-web, and is not "
		"there: answers find no way (ip addr add 10.0.0.1 dev ve-web)"));
	w->f.manager = "NetworkManager";
	assert_non_null(strstr(judged(w), "is not there, which NetworkManager manages: answers"));
	*v4 = way("10.0.0.2");
	v4->default_route = DOCTOR_NO;
	assert_non_null(strstr(judged(w), "connects no-default-route: no default route in the guest"));
	*v4 = way("10.0.0.2");
	v4->forwarding = DOCTOR_NO;
	assert_non_null(
		strstr(judged(w), "connects no-forwarding: net.ipv4.ip_forward is 0: only the host itself"));
	*v4 = way("10.0.0.2");
	v4->strict_link = "eth0";
	assert_non_null(strstr(judged(w), "connects rp-filter: rp_filter is 1 on eth0 in web"));
}

static void a_firewall_can_drop_it(void **state)
{
	struct world *w = well();
	struct doctor_way *v4 = &w->f.way[DOCTOR_V4];

	(void)state;
	drops(&v4->host_drops, FIREWALL_DROPS, "chain FORWARD of table ip filter (policy drop)");
	assert_non_null(
		strstr(judged(w),
	               "connects host-firewall: the host's firewall drops what is forwarded to web: chain "
	               "FORWARD of table ip filter (policy drop)"));
	drops(&v4->host_drops, FIREWALL_MAY_DROP, "chain FORWARD of table ip filter (policy drop)");
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "host-firewall", "may drop"));
	assert_int_equal(w->d.state, DOCTOR_UNKNOWN);
	drops(&v4->host_drops, FIREWALL_PASSES, "");
	drops(&v4->guest_drops, FIREWALL_DROPS, "chain input of table inet filter");
	assert_non_null(strstr(
		judged(w), "connects guest-firewall: web's own firewall drops it: chain input of table inet "
			   "filter; accept tcp dport 80 inside"));
	drops(&v4->guest_drops, FIREWALL_MAY_DROP, "chain input of table inet filter");
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "guest-firewall", "may drop"));
	w = well();
	w->f.legacy_tables = "filter nat";
	assert_string_equal(judged(w), "");
	assert_true(notes(w, "two-firewalls", "iptables and nft are both used"));
}

static void an_attempt_is_told_when_nothing_else_explains_it(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.connected_to = "192.168.1.10:8080";
	w->f.connect = DOCTOR_REFUSED;
	assert_non_null(strstr(judged(w), "connects refused: a connection to 192.168.1.10:8080 was refused"));
	w->f.connect = DOCTOR_TIMED_OUT;
	w->f.connect_ms = 1000;
	assert_non_null(strstr(
		judged(w), "connects no-answer: a connection to 192.168.1.10:8080 was not answered within "
			   "1000 ms"));
	w->f.direct_to = "10.0.0.2:80";
	w->f.direct = DOCTOR_TIMED_OUT;
	assert_non_null(strstr(judged(w), "; 10.0.0.2:80 does not answer either"));
	w->f.direct = DOCTOR_REFUSED;
	assert_non_null(strstr(judged(w), "; 10.0.0.2:80 refuses it, too"));
	w->f.direct = DOCTOR_CONNECTED;
	assert_non_null(strstr(judged(w), "; past the forward, 10.0.0.2:80 answers"));
	w->f.connect = DOCTOR_UNREACHABLE;
	assert_non_null(strstr(judged(w), "connects unreachable: there is no way to 192.168.1.10:8080"));
	w->f.n_listeners = 0;
	assert_non_null(strstr(judged(w), "listener no-listener: "));
	assert_int_equal(w->d.n, 1);
}

static void of_udp_silence_is_no_fault_and_a_refusal_is(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.port.udp = w->inside[0].udp = true;
	w->f.connected_to = "192.168.1.10:8080";
	w->f.connect = DOCTOR_SILENT;
	w->f.connect_ms = 1000;
	assert_string_equal(judged(w), "");
	assert_string_equal(w->d.steps[DOCTOR_CONNECTS].text,
	                    "192.168.1.10:8080: nobody refused it in 1000 ms, and more udp does not tell");
	w->f.connect = DOCTOR_REFUSED;
	assert_non_null(strstr(judged(w), "connects refused: a datagram to 192.168.1.10:8080 was refused"));
}

static void the_first_broken_link_comes_first(void **state)
{
	struct world *w = without_address();

	(void)state;
	w->f.n_listeners = 0;
	w->outside =
		(struct doctor_listener){ .at = address("::"), .port = 8080, .pid = 88, .process = "sshd" };
	w->f.host = &w->outside;
	w->f.rival = "db";
	assert_non_null(strstr(judged(w), "declared host-listener"));
	assert_int_equal(w->d.v[1].step, DOCTOR_ADDRESS);
	assert_int_equal(w->d.steps[DOCTOR_CONNECTS].state, DOCTOR_IDLE);
}

static void hostile_names_are_shown_safely(void **state)
{
	struct world *w = well();

	(void)state;
	w->f.n_listeners = 0;
	strs_add(&w->failed, "evil\x1b[2J.service");
	w->f.failed_units = &w->failed;
	assert_non_null(strstr(judged(w), "evil\\x1b[2J.service is failed"));
	strs_done(&w->failed);
	w = well();
	w->inside[0].process = "a\nb\x1b";
	(void)judged(w);
	assert_string_equal(w->d.steps[DOCTOR_LISTENER].text,
	                    "0.0.0.0:80: a\\x0ab\\x1b (pid 12, nginx.service)");
}

static void each_cause_had_an_example(void **state)
{
	const char *cause;

	(void)state;
	for (size_t i = 0; (cause = doctor_cause(i)); i++) {
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
		cmocka_unit_test(a_forward_that_works_has_five_good_links),
		cmocka_unit_test(it_is_told_from_where_it_can_be_reached),
		cmocka_unit_test(who_stopped_it_is_not_told_that_it_is_broken),
		cmocka_unit_test(what_can_not_be_seen_is_unknown_and_not_broken),
		cmocka_unit_test(an_ipv6_address_that_nobody_asked_for_breaks_nothing),
		cmocka_unit_test(a_listener_on_all_of_ipv6_takes_ipv4_too),
		cmocka_unit_test(what_the_conf_says_can_be_wrong),
		cmocka_unit_test(a_rule_can_lead_elsewhere),
		cmocka_unit_test(a_rule_can_be_missing),
		cmocka_unit_test(an_address_can_be_missing),
		cmocka_unit_test(ipv6_can_wait_for_its_address),
		cmocka_unit_test(who_listens_can_be_missing_or_elsewhere),
		cmocka_unit_test(the_way_can_be_closed),
		cmocka_unit_test(a_firewall_can_drop_it),
		cmocka_unit_test(an_attempt_is_told_when_nothing_else_explains_it),
		cmocka_unit_test(of_udp_silence_is_no_fault_and_a_refusal_is),
		cmocka_unit_test(the_first_broken_link_comes_first),
		cmocka_unit_test(hostile_names_are_shown_safely),
		cmocka_unit_test(each_cause_had_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

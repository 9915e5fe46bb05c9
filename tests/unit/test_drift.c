#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/change.h"
#include "decide/conf.h"
#include "decide/drift.h"
#include "words/netmap_change.h"

#define LINK   "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n"
#define BRIDGE "PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.2/24\n"
#define NIX    "SYSTEM_PATH=/nix/store/a\n"

static struct plan plan_of(const char *conf, const char *system)
{
	const struct facts facts = { .path = "/bin", .system = system };
	struct container c = { 0 };
	struct plan p = { 0 };
	struct err e;

	if (conf_read("conf", "web", conf, strlen(conf), &c, NULL, &e) < 0 ||
	    plan_build(&c, &facts, &p, &e) < 0)
		fail_msg("%s", e.text);
	container_done(&c);
	return p;
}

static struct started parsed(const struct buf *json, const struct netops *host, const struct netops *guest)
{
	const struct netops *sides[] = { host, guest };
	CLEANUP(buf_done) struct buf first = { 0 }, second = { 0 };
	struct buf *texts[] = { &first, &second };
	struct started s = { 0 };
	struct err e;

	for (size_t side = 0; side < COUNT(sides); side++)
		for (size_t i = 0; i < sides[side]->n; i++) {
			char line[512];

			netop_line(&sides[side]->v[i], line, sizeof(line));
			buf_addf(texts[side], "%s\n", line);
		}
	if (started_parse(buf_text(json), buf_text(&first), buf_text(&second), &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static struct started started_with(const struct plan *p, struct buf *json)
{
	plan_json(p, json);
	return parsed(json, &p->poststart, &p->init);
}

static enum drift_cure verdict(const struct started *was, const struct plan *now, struct change *ret,
                               char first[256])
{
	CLEANUP(drift_done) struct drift d = { 0 };
	struct err e;

	if (change_decide(was, now, ret, &e) < 0)
		fail_msg("%s", e.text);
	drift_decide("web", was, ret, NULL, &d);
	assert_false(d.bad);
	(void)snprintf(first, 256, "%s", d.n > 0 ? d.v[0].text : "");
	return drift_verdict(&d);
}

/* ---- a conf that changed since the start */

static const struct pair {
	const char *was, *now, *was_system, *now_system;
	enum drift_cure cure;
	const char *about; /* in the first difference */
} pairs[] = {
	/* nothing to do: what only counts at the next start, or says the same */
	{ LINK, LINK, NULL, NULL, DRIFT_NONE, "" },
	{ "", "", NULL, NULL, DRIFT_NONE, "" },
	{ LINK, "# a comment\n" LINK, NULL, NULL, DRIFT_NONE, "" },
	{ LINK, LINK "AUTO_START=1\n", NULL, NULL, DRIFT_NONE, "" },
	{ LINK, LINK "TIMEOUT_START_SEC=5min\n", NULL, NULL, DRIFT_NONE, "" },
	{ LINK, LINK "EPHEMERAL=0\n", NULL, NULL, DRIFT_NONE, "" },
	{ LINK "HOST_PORT=8080:80\n", LINK "HOST_PORT=tcp:8080:80\n", NULL, NULL, DRIFT_NONE, "" },
	{ "INIT=/sbin/init\n", "", NULL, NULL, DRIFT_NONE, "" },
	{ NIX, NIX, "/nix/store/a", "/nix/store/a", DRIFT_NONE, "" },
	{ NIX, "SYSTEM_PATH=/profile\n", "/nix/store/a", "/nix/store/a", DRIFT_NONE, "" },

	/* a reload is enough */
	{ LINK, "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.3\n", NULL, NULL,
	  DRIFT_RELOAD, "10.0.0" },
	{ LINK, "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.9\nLOCAL_ADDRESS=10.0.0.2\n", NULL, NULL,
	  DRIFT_RELOAD, "10.0.0" },
	{ LINK, LINK "HOST_ADDRESS6=fc00::1\nLOCAL_ADDRESS6=fc00::2\n", NULL, NULL, DRIFT_RELOAD, "" },
	{ LINK "HOST_ADDRESS6=fc00::1\nLOCAL_ADDRESS6=fc00::2\n", LINK, NULL, NULL, DRIFT_RELOAD, "" },
	{ LINK, LINK "MASQUERADE=1\n", NULL, NULL, DRIFT_RELOAD, "MASQUERADE" },
	{ LINK "MASQUERADE=1\n", LINK, NULL, NULL, DRIFT_RELOAD, "MASQUERADE" },
	{ BRIDGE, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br1\nLOCAL_ADDRESS=10.0.0.2/24\n", NULL, NULL, DRIFT_RELOAD,
	  "br1" },
	{ BRIDGE, "PRIVATE_NETWORK=1\nHOST_BRIDGE=br0\nLOCAL_ADDRESS=10.0.0.3/24\n", NULL, NULL, DRIFT_RELOAD,
	  "10.0.0" },
	{ BRIDGE, BRIDGE "HOST_ADDRESS=10.0.0.1\n", NULL, NULL, DRIFT_RELOAD, "10.0.0.1" },
	{ LINK "EXTRA_VETHS=\"vx1,hostBridge=br5\"\n", LINK "EXTRA_VETHS=\"vx1,hostAddress=10.1.0.1\"\n",
	  NULL, NULL, DRIFT_RELOAD, "vx1" },
	{ LINK, LINK "LOCAL_MAC_ADDRESS=02:00:00:00:00:01\n", NULL, NULL, DRIFT_RELOAD, "02:00:00:00:00:01" },
	{ NIX, "SYSTEM_PATH=/nix/store/b\n", NULL, NULL, DRIFT_RELOAD, "another system" },
	{ NIX, NIX, "/nix/store/a1", "/nix/store/a2", DRIFT_RELOAD, "another system" },

	/* a restart is needed */
	{ LINK, LINK "HOST_PORT=8080:80\n", NULL, NULL, DRIFT_RESTART, "HOST_PORT" },
	{ LINK "HOST_PORT=8080:80\n", LINK "HOST_PORT=8081:80\n", NULL, NULL, DRIFT_RESTART, "HOST_PORT" },
	{ LINK "HOST_PORT=8080:80\n", LINK, NULL, NULL, DRIFT_RESTART, "HOST_PORT" },
	{ LINK "HOST_PORT=8080:80\n", "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.0.0.3\nHOST_PORT=8080:81\n", NULL,
	  NULL, DRIFT_RESTART, "HOST_PORT" },
	{ "", "PRIVATE_NETWORK=1\n", NULL, NULL, DRIFT_RESTART, "PRIVATE_NETWORK" },
	{ LINK, "", NULL, NULL, DRIFT_RESTART, "whether it has addresses" },
	{ LINK, BRIDGE, NULL, NULL, DRIFT_RESTART, "HOST_BRIDGE" },
	{ BRIDGE, LINK, NULL, NULL, DRIFT_RESTART, "HOST_BRIDGE" },
	{ "", "NETWORK_NAMESPACE_PATH=/run/netns/x\n", NULL, NULL, DRIFT_RESTART, "NETWORK_NAMESPACE_PATH" },
	{ LINK, LINK "INTERFACES=dummy7\n", NULL, NULL, DRIFT_RESTART, "INTERFACES" },
	{ LINK, LINK "MACVLANS=dummy7\n", NULL, NULL, DRIFT_RESTART, "MACVLANS" },
	{ LINK, LINK "EXTRA_VETHS=\"vx1,hostAddress=10.1.0.1\"\n", NULL, NULL, DRIFT_RESTART, "EXTRA_VETHS" },
	{ LINK "EXTRA_VETHS=\"vx1,hostAddress=10.1.0.1\"\n", LINK, NULL, NULL, DRIFT_RESTART, "EXTRA_VETHS" },
	{ LINK "LOCAL_MAC_ADDRESS=02:00:00:00:00:01\n", LINK, NULL, NULL, DRIFT_RESTART,
	  "LOCAL_MAC_ADDRESS" },
	{ LINK, LINK "PRIVATE_USERS=pick\n", NULL, NULL, DRIFT_RESTART, "PRIVATE_USERS" },
	{ LINK, LINK "ADDITIONAL_CAPABILITIES=CAP_SYS_TIME\n", NULL, NULL, DRIFT_RESTART,
	  "ADDITIONAL_CAPABILITIES" },
	{ LINK, LINK "ALLOWED_DEVICES=/dev/kvm:rw\n", NULL, NULL, DRIFT_RESTART, "ALLOWED_DEVICES" },
	{ LINK, LINK "ENABLE_TUN=1\n", NULL, NULL, DRIFT_RESTART, "" },
	{ LINK, LINK "TMPFS=/scratch\n", NULL, NULL, DRIFT_RESTART, "TMPFS" },
	{ LINK, LINK "EPHEMERAL=1\n", NULL, NULL, DRIFT_RESTART, "EPHEMERAL" },
	{ LINK, LINK "EXTRA_NSPAWN_FLAGS=--bind=/srv\n", NULL, NULL, DRIFT_RESTART, "bind mounts" },
	{ LINK, LINK "EXTRA_NSPAWN_FLAGS=--bind-ro=/srv\n", NULL, NULL, DRIFT_RESTART, "bind mounts" },
	{ LINK, LINK "EXTRA_NSPAWN_FLAGS=--read-only\n", NULL, NULL, DRIFT_RESTART, "EXTRA_NSPAWN_FLAGS" },
	{ LINK, LINK "EXTRA_NSPAWN_FLAGS=--setenv=A=B\n", NULL, NULL, DRIFT_RESTART, "EXTRA_NSPAWN_FLAGS" },
	{ LINK "EXTRA_NSPAWN_FLAGS='--setenv A=B'\n", LINK "EXTRA_NSPAWN_FLAGS=--setenv=A=C\n", NULL, NULL,
	  DRIFT_RESTART, "A=C" },
	{ LINK "EXTRA_NSPAWN_FLAGS='--setenv A=B'\n", LINK "EXTRA_NSPAWN_FLAGS=--setenv=A=B\n", NULL, NULL,
	  DRIFT_NONE, "" },
	{ LINK, LINK "INIT=/bin/sh\n", NULL, NULL, DRIFT_RESTART, "INIT" },
	{ LINK, LINK "RELEASE=2014\n", NULL, NULL, DRIFT_RESTART, "" },
	{ "INIT=/sbin/init\n", NIX, NULL, NULL, DRIFT_RESTART, "" },
};

/* As a reload leaves it, or a start with what is configured now. */
static struct started afterwards(const struct pair *t, const struct change *c, const struct buf *json,
                                 const struct plan *now)
{
	CLEANUP(buf_done) struct buf now_json = { 0 }, noted = { 0 };
	struct err e;

	if (t->cure == DRIFT_RESTART)
		return started_with(now, &now_json);
	plan_json(now, &now_json);
	if (change_note(buf_text(json), buf_text(&now_json), c, &noted, &e) < 0)
		fail_msg("%s", e.text);
	return parsed(&noted, &c->host_after, &c->guest_after);
}

static void what_helps_is_told_and_done_it_helps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct pair *t = &pairs[i];
		CLEANUP(plan_done)
		struct plan before = plan_of(t->was, t->was_system), now = plan_of(t->now, t->now_system);
		CLEANUP(buf_done) struct buf json = { 0 };
		CLEANUP(started_done) struct started was = started_with(&before, &json), then = { 0 };
		CLEANUP(change_done) struct change c = { 0 }, rest = { 0 };
		char first[256];
		enum drift_cure cure = verdict(&was, &now, &c, first);

		if (cure != t->cure || !strstr(first, t->about))
			fail_msg("pair %zu: %s (%s), not %s (%s)\n%s---\n%s", i, drift_cure_word(cure), first,
			         drift_cure_word(t->cure), t->about, t->was, t->now);
		if (t->cure == DRIFT_NONE)
			continue;
		then = afterwards(t, &c, &json, &now);
		cure = verdict(&then, &now, &rest, first);
		if (cure != DRIFT_NONE)
			fail_msg("pair %zu: after a %s: %s (%s)", i, drift_cure_word(t->cure),
			         drift_cure_word(cure), first);
	}
}

static void what_a_reload_did_is_noted_beside_what_waits_for_a_restart(void **state)
{
	CLEANUP(plan_done) struct plan before = plan_of(NIX LINK, "/nix/store/a1");
	CLEANUP(plan_done) struct plan now = plan_of(NIX LINK "HOST_PORT=8080:80\n", "/nix/store/a2");
	CLEANUP(buf_done) struct buf json = { 0 }, now_json = { 0 }, noted = { 0 };
	CLEANUP(started_done) struct started was = started_with(&before, &json), then = { 0 };
	CLEANUP(change_done) struct change c = { 0 }, rest = { 0 };
	struct err e;

	(void)state;
	plan_json(&now, &now_json);
	assert_int_equal(change_decide(&was, &now, &c, &e), 0);
	assert_string_equal(c.system_now, "/nix/store/a2");
	assert_int_equal(change_note(buf_text(&json), buf_text(&now_json), &c, &noted, &e), 0);
	then = parsed(&noted, &c.host_after, &c.guest_after);
	assert_int_equal(change_decide(&then, &now, &rest, &e), 0);
	assert_null(rest.system_now);
	assert_int_equal(rest.restart.n, 1);
}

static void directives_of_the_unit_are_compared_one_by_one(void **state)
{
	CLEANUP(plan_done) struct plan before = plan_of("", NULL), now = plan_of("RELEASE=2014\n", NULL);
	CLEANUP(buf_done) struct buf json = { 0 }, now_json = { 0 };
	CLEANUP(started_done)
	struct started was = started_with(&before, &json), other = started_with(&now, &now_json);
	CLEANUP(change_done) struct change c = { 0 }, back = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(change_decide(&was, &now, &c, &e), 0);
	assert_true(strs_has(&c.restart, "DevicePolicy: runs with closed, configured is none"));
	assert_int_equal(change_decide(&other, &before, &back, &e), 0);
	assert_true(strs_has(&back.restart, "DevicePolicy: runs with none, configured is closed"));
}

/* ---- what is seen since the start */

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return a;
}

static void put_link(struct netmap_space *s, int index, const char *name, int master)
{
	struct netmap_link l = { .index = index, .netnsid = NETMAP_HOST, .up = true, .master = master };

	(void)snprintf(l.name, sizeof(l.name), "%s", name);
	assert_true(netmap_put_link(s, &l));
}

static void put_address(struct netmap_space *s, int link, const char *text)
{
	const struct netmap_address a = { .link = link, .addr = addr(text) };

	assert_true(netmap_put_address(s, &a));
}

static void drop_address(struct netmap_space *s, int link, const char *text)
{
	const struct netmap_address a = { .link = link, .addr = addr(text) };

	netmap_drop_address(s, &a);
}

static struct netmap_route route(const char *to, const char *via, int link)
{
	struct netmap_route r = { .to = addr(to), .link = link, .type = RTN_UNICAST };

	if (via)
		r.gateway = addr(via);
	return r;
}

static void put_route(struct netmap_space *s, const char *to, const char *via, int link)
{
	struct netmap_route r = route(to, via, link);

	assert_true(netmap_put_route(s, &r));
}

static void drop_route(struct netmap_space *s, const char *to, const char *via, int link)
{
	struct netmap_route r = route(to, via, link);

	netmap_drop_route(s, &r);
}

enum { UPLINK = 2, BR0, ITS, EXTRA, BR5 };

/* As a start leaves it: web has a link, an extra one on a bridge, and a forwarded port. */
static struct netmap healthy(bool bridged)
{
	struct netmap m = { .v = calloc(2, sizeof(*m.v)),
		            .n = 2,
		            .forwards = calloc(1, sizeof(*m.forwards)) };
	struct netmap_space *host = &m.v[0], *web = &m.v[1];

	assert_true(m.v && m.forwards);
	host->netnsid = NETMAP_HOST;
	web->netnsid = 4;
	memcpy(web->machine, "web", 4);
	put_link(host, UPLINK, "eth0", 0);
	put_link(host, BR0, "br0", 0);
	put_link(host, BR5, "br5", 0);
	put_link(host, ITS, bridged ? "vb-web" : "ve-web", bridged ? BR0 : 0);
	put_link(host, EXTRA, "vx1", BR5);
	put_link(web, 1, "eth0", 0);
	put_link(web, 2, "vx1", 0);
	put_address(web, 1, bridged ? "10.0.0.2/24" : "10.0.0.2");
	if (!bridged) {
		put_address(host, ITS, "10.0.0.1");
		put_route(host, "10.0.0.2", NULL, ITS);
		put_route(web, "10.0.0.1", NULL, 1);
		put_route(web, "0.0.0.0/0", "10.0.0.1", 1);
	}
	assert_int_equal(port_parse("tcp:8080:80", &m.forwards[0].port, NULL), 0);
	m.forwards[0].to = addr("10.0.0.2");
	m.n_forwards = 1;
	return m;
}

static void break_nothing(struct netmap *m)
{
	(void)m;
}

static void break_host_address(struct netmap *m)
{
	drop_address(&m->v[0], ITS, "10.0.0.1");
	put_route(&m->v[0], "10.0.0.2", NULL, ITS); /* that it went with its address is not what is asked */
}

static void break_host_route(struct netmap *m)
{
	drop_route(&m->v[0], "10.0.0.2", NULL, ITS);
}

static void break_guest_address(struct netmap *m)
{
	drop_address(&m->v[1], 1, "10.0.0.2");
	m->n_forwards = 0;
}

static void break_default_route(struct netmap *m)
{
	drop_route(&m->v[1], "0.0.0.0/0", "10.0.0.1", 1);
}

static void break_rule(struct netmap *m)
{
	m->n_forwards = 0;
}

static void turn_rule_elsewhere(struct netmap *m)
{
	m->forwards[0].to = addr("10.0.0.77");
}

static void take_down(struct netmap *m)
{
	put_link(&m->v[0], ITS, "ve-web", 0);
	m->v[0].links[netmap_link(&m->v[0], ITS) - m->v[0].links].up = false;
}

static void leave_bridge(struct netmap *m)
{
	put_link(&m->v[0], ITS, "vb-web", 0);
}

static void delete_bridge(struct netmap *m)
{
	put_link(&m->v[0], ITS, "vb-web", 0);
	netmap_drop_link(&m->v[0], BR0);
}

static void leave_extra_bridge(struct netmap *m)
{
	put_link(&m->v[0], EXTRA, "vx1", 0);
}

static void delete_link(struct netmap *m)
{
	netmap_drop_link(&m->v[0], ITS);
}

static void delete_extra_link(struct netmap *m)
{
	netmap_drop_link(&m->v[0], EXTRA);
	netmap_drop_link(&m->v[1], 2);
}

static const struct live {
	bool bridged;
	void (*happens)(struct netmap *m);
	enum drift_cure cure;
	const char *text;
} lives[] = {
	{ false, break_nothing, DRIFT_NONE, "" },
	{ true, break_nothing, DRIFT_NONE, "" },
	{ false, break_host_address, DRIFT_MEND, "on the host: 10.0.0.1 is not on ve-web" },
	{ false, break_host_route, DRIFT_MEND, "on the host: no route to 10.0.0.2 over ve-web" },
	{ false, break_guest_address, DRIFT_MEND, "inside: 10.0.0.2 is not on eth0" },
	{ false, break_default_route, DRIFT_MEND, "inside: no default route by 10.0.0.1" },
	{ false, break_rule, DRIFT_MEND, "tcp:8080:80 is not forwarded to 10.0.0.2" },
	{ false, turn_rule_elsewhere, DRIFT_MEND, "tcp:8080:80 is not forwarded to 10.0.0.2" },
	{ false, take_down, DRIFT_MEND, "on the host: ve-web is down" },
	{ true, leave_bridge, DRIFT_MEND, "vb-web is no port of br0" },
	{ true, delete_bridge, DRIFT_MEND, "bridge br0 is not there: make it, then mend" },
	{ true, leave_extra_bridge, DRIFT_MEND, "vx1 is no port of br5" },
	{ true, delete_link, DRIFT_RESTART, "on the host: the link vb-web is gone" },
	{ false, delete_link, DRIFT_RESTART, "on the host: the link ve-web is gone" },
	{ true, delete_extra_link, DRIFT_RESTART, "on the host: the link vx1 is gone" },
};

static void look(const char *conf, const struct netmap *m, struct drift *ret)
{
	CLEANUP(plan_done) struct plan p = plan_of(conf, NULL);
	CLEANUP(buf_done) struct buf json = { 0 };
	CLEANUP(started_done) struct started was = started_with(&p, &json);
	CLEANUP(change_done) struct change c = { 0 };
	struct err e;

	assert_int_equal(change_decide(&was, &p, &c, &e), 0);
	drift_decide("web", &was, &c, m, ret);
	assert_false(ret->bad);
}

static const char *conf_of(bool bridged)
{
	return bridged ? BRIDGE "HOST_PORT=8080:80\nEXTRA_VETHS=\"vx1,hostBridge=br5\"\n"
	               : LINK "HOST_PORT=8080:80\nEXTRA_VETHS=\"vx1,hostBridge=br5\"\n";
}

static void what_was_taken_away_is_told_with_what_puts_it_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++) {
		const struct live *t = &lives[i];
		CLEANUP(netmap_done) struct netmap m = healthy(t->bridged);
		CLEANUP(drift_done) struct drift d = { 0 };

		t->happens(&m);
		look(conf_of(t->bridged), &m, &d);
		if (drift_verdict(&d) != t->cure || strcmp(d.n > 0 ? d.v[0].text : "", t->text) != 0)
			fail_msg("case %zu: %s: %s", i, drift_cure_word(drift_verdict(&d)),
			         d.n > 0 ? d.v[0].text : "");
	}
}

static void what_is_not_seen_is_no_difference(void **state)
{
	CLEANUP(netmap_done) struct netmap m = healthy(false);
	CLEANUP(drift_done) struct drift d = { 0 };

	(void)state;
	m.v[1].no_links = strdup("that takes CAP_NET_ADMIN");
	m.no_forwards = strdup("that takes CAP_NET_ADMIN");
	look(conf_of(false), &m, &d);
	assert_int_equal(drift_verdict(&d), DRIFT_NONE);
	assert_int_equal(d.unseen.n, 1);
	assert_string_equal(d.unseen.v[0], "the network inside: that takes CAP_NET_ADMIN");
}

static void of_what_somebody_else_started_it_says_that_nothing_is_compared(void **state)
{
	CLEANUP(drift_done) struct drift d = { 0 };

	(void)state;
	drift_decide("web", NULL, NULL, NULL, &d);
	assert_int_equal(drift_verdict(&d), DRIFT_NONE);
	assert_int_equal(d.unseen.n, 1);
}

/* What systemd has of a unit made of CONF, with one thing that is otherwise. */
static struct drift unit_of(const char *conf, const struct unit_live *live)
{
	CLEANUP(plan_done) struct plan p = plan_of(conf, NULL);
	struct drift d = { 0 };

	drift_unit(&p, live, &d);
	assert_false(d.bad);
	return d;
}

static void what_systemd_has_of_the_unit_is_compared(void **state)
{
	static const char conf[] =
		LINK "MEMORY_MAX=512M\nCPU_QUOTA=150%\nTASKS_MAX=10%\nTIMEOUT_START_SEC=2min 30s\n"
		     "ALLOWED_DEVICES=/dev/fuse:rw\n";
	char fuse[] = "/dev/fuse rw", *devices[] = { fuse, NULL };
	const struct unit_live same = { .limits = { 512 << 20, 1500000, 7, UINT64_MAX },
		                        .start_timeout_usec = 150000000,
		                        .devices = { devices, 1, false },
		                        .needs_reload = true };
	struct unit_live live = same;
	struct drift d = unit_of(conf, &live);

	(void)state;
	assert_int_equal(d.n, 0);
	live.limits[LIMIT_MEMORY] = 100 << 20;
	live.start_timeout_usec = UINT64_MAX;
	live.devices.n = 0;
	d = unit_of(conf, &live);
	assert_int_equal(d.n, 3);
	assert_int_equal(drift_verdict(&d), DRIFT_REREAD);
	assert_string_equal(d.v[0].text, "MemoryMax: systemd has not read the unit anew");
	assert_string_equal(d.v[0].configured, "512M");
	assert_string_equal(d.v[0].live, "104857600");
	drift_done(&d);
	live.live_limits = 1U << LIMIT_MEMORY; /* reading anew changes nothing of that */
	d = unit_of(conf, &live);
	assert_int_equal(d.n, 3);
	drift_done(&d);
	live.needs_reload = false;
	d = unit_of(conf, &live);
	assert_int_equal(d.n, 1);
	assert_int_equal(drift_verdict(&d), DRIFT_LIVE);
	assert_string_equal(
		d.v[0].text,
		"MemoryMax: somebody set another one live, until it stops (machdeck limit --runtime)");
	drift_done(&d);
	live.live_limits = 0;
	live.kept_limits = 1U << LIMIT_MEMORY;
	d = unit_of(conf, &live);
	assert_string_equal(d.v[0].text,
	                    "MemoryMax: somebody set another one live, for good (systemctl set-property)");
	drift_done(&d);
	live.kept_limits = 0; /* a drop-in of the administrator's */
	d = unit_of(conf, &live);
	assert_int_equal(d.n, 0);
}

static void what_is_not_configured_is_nobody_s_until_it_is_set_live(void **state)
{
	struct unit_live live = { .limits = { 1, 1, 1, 1 }, .needs_reload = true };
	struct drift d = unit_of(LINK, &live);

	(void)state;
	for (size_t i = 0; i < d.n; i++)
		assert_null(strstr(d.v[i].text, "Max"));
	drift_done(&d);
	live = (struct unit_live){ .limits = { UINT64_MAX, UINT64_MAX, 7, UINT64_MAX },
		                   .live_limits = 1U << LIMIT_TASKS };
	d = unit_of(LINK, &live);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.v[0].text,
	                    "TasksMax: somebody set one live, until it stops (machdeck limit --runtime)");
	assert_null(d.v[0].configured);
	assert_string_equal(d.v[0].live, "7");
	drift_done(&d);
}

static void the_signal_that_ends_it_is_compared(void **state)
{
	struct unit_live live = { .limits = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
		                  .start_timeout_usec = 60000000,
		                  .kill_signal = SIGWINCH };
	struct drift d = unit_of(LINK, &live);

	(void)state;
	assert_int_equal(d.n, 0); /* a drop-in of the administrator's */
	live.needs_reload = true;
	d = unit_of(LINK, &live);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.v[0].text, "KillSignal: systemd has not read the unit anew");
	assert_string_equal(d.v[0].configured, "TERM");
	assert_string_equal(d.v[0].live, "WINCH");
	drift_done(&d);
	live.kill_signal = SIGTERM;
	d = unit_of(LINK, &live);
	assert_int_equal(d.n, 0);
}

static void the_strongest_cure_comes_first(void **state)
{
	CLEANUP(plan_done) struct plan before = plan_of(LINK, NULL);
	CLEANUP(plan_done) struct plan now = plan_of(LINK "MASQUERADE=1\nHOST_PORT=8080:80\n", NULL);
	CLEANUP(netmap_done) struct netmap m = healthy(false);
	CLEANUP(buf_done) struct buf json = { 0 };
	CLEANUP(started_done) struct started was = started_with(&before, &json);
	CLEANUP(change_done) struct change c = { 0 };
	CLEANUP(drift_done) struct drift d = { 0 };
	struct err e;

	(void)state;
	break_default_route(&m);
	assert_int_equal(change_decide(&was, &now, &c, &e), 0);
	drift_decide("web", &was, &c, &m, &d);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.v[0].cure, DRIFT_RESTART);
	assert_string_equal(d.v[0].started, "none");
	assert_string_equal(d.v[0].configured, "tcp:8080:80");
	assert_int_equal(d.v[1].cure, DRIFT_RELOAD);
	assert_string_equal(d.v[1].started, "none");
	assert_string_equal(d.v[1].configured, "10.0.0.2");
	assert_int_equal(d.v[2].cure, DRIFT_MEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_helps_is_told_and_done_it_helps),
		cmocka_unit_test(what_a_reload_did_is_noted_beside_what_waits_for_a_restart),
		cmocka_unit_test(directives_of_the_unit_are_compared_one_by_one),
		cmocka_unit_test(what_was_taken_away_is_told_with_what_puts_it_back),
		cmocka_unit_test(what_is_not_seen_is_no_difference),
		cmocka_unit_test(of_what_somebody_else_started_it_says_that_nothing_is_compared),
		cmocka_unit_test(what_systemd_has_of_the_unit_is_compared),
		cmocka_unit_test(what_is_not_configured_is_nobody_s_until_it_is_set_live),
		cmocka_unit_test(the_signal_that_ends_it_is_compared),
		cmocka_unit_test(the_strongest_cure_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

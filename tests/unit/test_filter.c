#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/filter.h"
#include "ui/fuzzy.h"

#define NOW 1700000000000000ull

static bool passes(const char *text, const struct machine *m, const struct stats *s)
{
	struct filter f;
	struct err e = { 0 };

	if (filter_parse(text, &f, NULL, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return filter_match(&f, m, s, NOW);
}

static char *ports[] = { "tcp:8080:80", "udp:53:5353", NULL };
static char *addresses[] = { "10.0.0.2", "fe80::1", NULL };
static char *failed_units[] = { "rspamd.service", NULL };
static char web_name[] = "web-01", os[] = "Debian GNU/Linux 12 (bookworm)", reason[] = "out of memory";
static char unit[] = "container@web-01.service";

static const struct machine web = {
	.name = web_name,
	.kind = MACHINE_CONTAINER,
	.state = MACHINE_RUNNING,
	.since_usec = NOW - 600ull * 1000000,
	.ports = { ports, 2, false },
	.addresses = { addresses, 2, false },
	.os = os,
	.unit = unit,
	.auto_start = true,
};
static const struct stats figures = {
	.at_usec = NOW,
	.cpu = 72.5f,
	.memory = 2ull << 30,
	.memory_limit = STATS_UNKNOWN,
	.tasks = 40,
	.swap = STATS_UNKNOWN,
	.links = { { .name = "ve-web-01" } },
	.n_links = 1,
};

static void every_kind_of_term_holds_when_it_is_so(void **state)
{
	static const char *const yes[] = {
		"",
		"  ",
		"web",
		"WEB state:run",
		"state:up",
		"!state:failed",
		"!!web",
		"port:8080",
		"port:80",
		"port=53",
		"cpu>50",
		"cpu>=72.5",
		"cpu<100 mem>1G mem<=2g",
		"tasks=40",
		"net:ve-",
		"os:debian",
		"os:\"linux 12\"",
		"kind:cont",
		"addr:10.0.0",
		"auto:y",
		"unit:container@",
		"up>5m up<1h",
		"~wb1",
		"!~bw",
		"!lab",
		"-01",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		if (!passes(yes[i], &web, &figures))
			fail_msg("%s", yes[i]);
}

static void a_term_that_is_not_so_hides_the_machine(void **state)
{
	static const char *const no[] = {
		"lab",       "!web",           "web lab",     "state:failed", "state:off",
		"state:bad", "state:degraded", "port:443",    "cpu<50",       "!cpu>50",
		"mem>4G",    "net:br0",        "os:arch",     "kind:vm",      "auto:no",
		"up>1h",     "~b1w",           "cause:oom",   "why:memory",   "limit>0",
		"limit<1T",  "swap=0",         "unit:rspamd",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++)
		if (passes(no[i], &web, &figures))
			fail_msg("%s", no[i]);
}

static void what_is_not_known_never_holds(void **state)
{
	(void)state;
	assert_false(passes("cpu>0", &web, NULL));
	assert_false(passes("cpu<1", &web, NULL));
	assert_false(passes("mem>=0", &web, &(struct stats){ .memory = 5 })); /* no sample yet */
	assert_true(passes("!cpu>0", &web, NULL));
}

static void a_running_machine_with_failed_units_is_degraded_and_bad(void **state)
{
	struct machine m = web;

	(void)state;
	m.guest_failed = (struct strs){ failed_units, 1, false };
	m.reason = reason;
	m.cause = "oom-kill";
	assert_true(passes("state:degraded state:bad cause:oom why:memory unit:rspamd", &m, NULL));
}

static void a_term_that_is_being_typed_hides_nothing(void **state)
{
	static const char *const typed[] = { "state:", "cpu>", "cpu>=", "!", "~", "os:\"deb", "web state:" };

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++)
		assert_true(passes(typed[i], &web, NULL));
}

static void a_wrong_term_is_named_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *part;
	} wrong[] = {
		{ "web foo:1", 4, "foo: there is nothing of that name" },
		{ "state:happy", 6, "there is no such state" },
		{ "kind:pod", 5, "there is no such kind" },
		{ "port:http", 5, "a port is a number" },
		{ "port:99999", 5, "a port is a number" },
		{ "port>5", 4, "only ':' fits" },
		{ "cpu>lots", 4, "a number is wanted" },
		{ "cpu>5G", 4, "a number is wanted" },
		{ "mem>1Q", 4, "a size is wanted" },
		{ "up>1y", 3, "a time is wanted" },
		{ "auto:maybe", 5, "yes or no" },
		{ "a b c d e f g h i j k l m n o p q", 32, "too many terms" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct filter f = { .n = 77 };
		struct err e = { 0 };
		size_t at = 99;

		assert_int_equal(filter_parse(wrong[i].text, &f, &at, &e), -EINVAL);
		assert_int_equal(at, wrong[i].at);
		if (!strstr(e.text, wrong[i].part))
			fail_msg("%s", e.text);
		assert_int_equal(f.n, 77);
	}
}

static void garbage_is_refused_or_matched_but_never_breaks(void **state)
{
	static const char letters[] = "!~:<>=\" \xff\x1b stateport0129GMcpu";
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[24] = { 0 };
		struct filter f;

		for (size_t j = 0; j < sizeof(text) - 1; j++) {
			seed = seed * 1664525 + 1013904223;
			text[j] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		if (filter_parse(text, &f, NULL, NULL) == 0)
			(void)filter_match(&f, &web, &figures, NOW);
	}
}

static void letters_in_their_order_fit_and_others_do_not(void **state)
{
	uint8_t at[FUZZY_PATTERN];
	size_t n;

	(void)state;
	assert_int_equal(fuzzy_score("", "anything", at, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(fuzzy_score("xyz", "start web", at, &n), -1);
	assert_int_equal(fuzzy_score("a", "", at, &n), -1);
	assert_true(fuzzy_score("sw 1", "Start web-01", at, &n) > 0);
	assert_int_equal(n, 3);
	assert_int_equal(at[0], 0);
	assert_int_equal(at[1], 6);
	assert_int_equal(at[2], 11);
}

static void beginnings_and_neighbours_are_better(void **state)
{
	(void)state;
	assert_true(fuzzy_score("re", "restart", NULL, NULL) >
	            fuzzy_score("re", "terminate all now, forever", NULL, NULL));
	assert_true(fuzzy_score("rw", "reload web", NULL, NULL) > fuzzy_score("rw", "firewall", NULL, NULL));
	assert_true(fuzzy_score("web", "web-01", NULL, NULL) > fuzzy_score("web", "my-w-e-b", NULL, NULL));
	assert_true(fuzzy_score("web", "my web", NULL, NULL) > fuzzy_score("web", "cobweb", NULL, NULL));
}

static void what_it_needs_to_know_is_told(void **state)
{
	static const struct {
		const char *text;
		bool wanted;
	} cases[] = {
		{ "", false },      { "web up>5m", false }, { "port:80 state:up", false }, { "cpu>50", true },
		{ "!oom=0", true }, { "web mem<1G", true }, { "limit>1 io>1 rx>1", true },
	};
	struct filter f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(filter_parse(cases[i].text, &f, NULL, NULL), 0);
		assert_int_equal(filter_needs_stats(&f), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_term_holds_when_it_is_so),
		cmocka_unit_test(a_term_that_is_not_so_hides_the_machine),
		cmocka_unit_test(what_is_not_known_never_holds),
		cmocka_unit_test(a_running_machine_with_failed_units_is_degraded_and_bad),
		cmocka_unit_test(a_term_that_is_being_typed_hides_nothing),
		cmocka_unit_test(a_wrong_term_is_named_with_its_place),
		cmocka_unit_test(garbage_is_refused_or_matched_but_never_breaks),
		cmocka_unit_test(letters_in_their_order_fit_and_others_do_not),
		cmocka_unit_test(beginnings_and_neighbours_are_better),
		cmocka_unit_test(what_it_needs_to_know_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "decide/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define NOW 1700000000000000ull

static struct machine before[4], after[4];
static struct snapshot old, new;

static int begin(void **state)
{
	(void)state;
	memset(before, 0, sizeof(before));
	memset(after, 0, sizeof(after));
	old = (struct snapshot){ .v = before, .taken_usec = NOW - 1000000 };
	new = (struct snapshot){ .v = after, .taken_usec = NOW };
	return 0;
}

static void done(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		machine_done(&s->v[i]);
	s->n = 0;
}

static int end(void **state)
{
	(void)state;
	done(&old);
	done(&new);
	return 0;
}

static struct machine *add(struct snapshot *to, const char *name, enum machine_state state)
{
	struct machine *m = &to->v[to->n++];

	*m = (struct machine){ .name = strdup(name), .state = state, .netnsid = -1 };
	return m;
}

/* Both times the same configured machine; ret is what is seen after. */
static struct machine *twice(enum machine_state was, enum machine_state is)
{
	add(&old, "web", was)->configured = true;
	add(&new, "web", is)->configured = true;
	return &new.v[new.n - 1];
}

/* The events as lines "NAME KIND[!] TEXT". */
static char *told(void)
{
	static char text[2048];
	CLEANUP(buf_done) struct buf all = { 0 };
	CLEANUP(events_done) struct events e = { 0 };

	diff_snapshots(&old, &new, &e);
	assert_false(e.bad);
	for (size_t i = 0; i < e.n; i++) {
		assert_int_equal(e.v[i].usec, NOW);
		buf_addf(&all, "%s%s %s%s %s", i > 0 ? "\n" : "", e.v[i].name, event_kind_word(e.v[i].kind),
		         e.v[i].bad ? "!" : "", e.v[i].text);
	}
	(void)snprintf(text, sizeof(text), "%s", buf_text(&all));
	return text;
}

static void nothing_changed_is_no_event(void **state)
{
	(void)state;
	twice(MACHINE_RUNNING, MACHINE_RUNNING);
	assert_string_equal(told(), "");
}

static void a_failure_is_told_with_its_reason(void **state)
{
	(void)state;
	twice(MACHINE_RUNNING, MACHINE_FAILED)->reason = strdup("out of memory");
	assert_string_equal(told(), "web state! failed: out of memory");
}

static void a_reason_that_comes_later_is_an_event_of_its_own(void **state)
{
	(void)state;
	twice(MACHINE_FAILED, MACHINE_FAILED)->reason = strdup("exit status 7");
	assert_string_equal(told(), "web unit! exit status 7");
}

static void a_reason_of_one_that_runs_belongs_to_no_failure(void **state)
{
	(void)state;
	twice(MACHINE_STARTING, MACHINE_RUNNING)->reason = strdup("its last reload failed");
	assert_string_equal(told(), "web state running");
}

static void an_unknown_state_is_no_change(void **state)
{
	(void)state;
	twice(MACHINE_RUNNING, MACHINE_UNKNOWN);
	assert_string_equal(told(), "");
}

static void what_was_known_before_an_outage_is_compared_with_what_is_known_after(void **state)
{
	struct snapshot kept, outage = new;

	(void)state;
	twice(MACHINE_RUNNING, MACHINE_UNKNOWN);
	strs_add(&old.v[0].addresses, "10.0.0.2");
	old.v[0].addresses_seen = true;
	outage.n = 1;
	assert_true(diff_known(&old, &outage, &kept));
	assert_int_equal(kept.v[0].state, MACHINE_RUNNING);
	assert_true(kept.v[0].addresses_seen);
	assert_string_equal(kept.v[0].addresses.v[0], "10.0.0.2");
	snapshot_done(&kept);
}

static void a_restart_between_two_looks_is_seen_by_its_leader(void **state)
{
	(void)state;
	twice(MACHINE_RUNNING, MACHINE_RUNNING)->leader = 12;
	old.v[0].leader = 11;
	assert_string_equal(told(), "web state running again, as another process (12)");
}

static void addresses_come_and_go_while_they_are_seen(void **state)
{
	struct machine *m = twice(MACHINE_RUNNING, MACHINE_RUNNING);

	(void)state;
	strs_add(&old.v[0].addresses, "10.0.0.2");
	old.v[0].addresses_seen = true;
	m->addresses_seen = true;
	assert_string_equal(told(), "web address! lost address 10.0.0.2, and has none now");
	strs_add(&m->addresses, "10.0.0.3");
	assert_string_equal(told(), "web address has address 10.0.0.3\nweb address lost address 10.0.0.2");
	m->addresses_seen = false;
	assert_string_equal(told(), "");
}

static void a_start_tells_the_address_and_a_stop_does_not(void **state)
{
	struct machine *m = twice(MACHINE_STOPPED, MACHINE_RUNNING);

	(void)state;
	strs_add(&old.v[0].addresses, "10.0.0.2"); /* as configured */
	strs_add(&m->addresses, "10.0.0.2");
	m->addresses_seen = true;
	assert_string_equal(told(), "web state running\nweb address has address 10.0.0.2");
	m->state = MACHINE_STOPPED;
	m->addresses_seen = false;
	old.v[0].state = MACHINE_RUNNING;
	old.v[0].addresses_seen = true;
	assert_string_equal(told(), "web state stopped");
}

static void a_conf_is_made_changed_broken_mended_and_taken_away(void **state)
{
	struct machine *m = add(&new, "web", MACHINE_STOPPED);

	(void)state;
	m->configured = true;
	m->conf_hash = 1;
	assert_string_equal(told(), "web conf the conf was made");
	add(&old, "web", MACHINE_STOPPED)->configured = true;
	old.v[0].conf_hash = 2;
	assert_string_equal(told(), "web conf the conf was changed");
	m->bad_conf = true;
	m->reason = strdup("web.conf:1:1: no");
	assert_string_equal(told(), "web conf! the conf was changed and can not be used: web.conf:1:1: no");
	old.v[0].bad_conf = true;
	m->bad_conf = false;
	assert_string_equal(told(), "web conf the conf was changed and can be used again");
	machine_done(m);
	new.n = 0;
	assert_string_equal(told(), "web conf the conf was taken away");
}

static void ports_are_those_of_the_conf(void **state)
{
	struct machine *m = twice(MACHINE_RUNNING, MACHINE_RUNNING);

	(void)state;
	strs_add(&m->ports, "tcp:8080:80");
	strs_add(&old.v[0].ports, "tcp:25:25");
	assert_string_equal(told(), "web port tcp:8080:80 is forwarded by its conf\n"
	                            "web port tcp:25:25 is forwarded no more");
}

static void units_that_fail_inside_are_told_while_it_runs(void **state)
{
	struct machine *m = twice(MACHINE_RUNNING, MACHINE_RUNNING);

	(void)state;
	strs_add(&m->guest_failed, "nginx.service");
	strs_add(&old.v[0].guest_failed, "old.service");
	assert_string_equal(
		told(), "web unit! nginx.service failed inside\nweb unit old.service failed inside no more");
	m->state = MACHINE_STOPPED;
	assert_string_equal(told(), "web state stopped");
}

static void machines_come_and_go_in_the_order_of_names(void **state)
{
	(void)state;
	add(&old, "a", MACHINE_RUNNING);
	add(&old, "c", MACHINE_RUNNING);
	add(&new, "b", MACHINE_RUNNING)->kind = MACHINE_VM;
	add(&new, "c", MACHINE_RUNNING);
	add(&new, "d", MACHINE_STOPPED)->kind = MACHINE_IMAGE;
	assert_string_equal(told(), "a state is gone\nb state running\nd state is here: image, stopped");
}

static void what_could_not_be_asked_is_the_hosts(void **state)
{
	char lost[] = "states are old: the bus is gone";

	(void)state;
	new.stale = lost;
	assert_string_equal(told(), " unit! states are old: the bus is gone");
	old.stale = lost;
	assert_string_equal(told(), "");
	new.stale = NULL;
	assert_string_equal(told(), " unit everything can be asked again");
}

static void hostile_text_is_printable(void **state)
{
	(void)state;
	twice(MACHINE_RUNNING, MACHINE_FAILED)->reason = strdup("\x1b[2Jgone\n");
	assert_string_equal(told(), "web state! failed: \\x1b[2Jgone\\x0a");
}

/* What is told when a machine's count goes from one to the other. */
static const char *oom(uint64_t from, uint64_t to)
{
	static char text[128];
	struct stats s[] = { { .name = "web", .oom_kills = from }, { .name = "web", .oom_kills = to } };
	const struct stats_table was = { &s[0], 1 }, is = { &s[1], 1 };
	CLEANUP(events_done) struct events e = { 0 };

	diff_stats(&was, &is, NOW, &e);
	(void)snprintf(text, sizeof(text), "%s", e.n > 0 ? e.v[0].text : "");
	assert_true(e.n == 0 || (e.v[0].bad && e.v[0].kind == EVENT_OOM && e.v[0].usec == NOW));
	return text;
}

static void kills_for_want_of_memory_are_counted(void **state)
{
	(void)state;
	assert_string_equal(oom(0, 0), "");
	assert_string_equal(oom(0, 1), "out of memory: the kernel killed a process");
	assert_string_equal(oom(1, 4), "out of memory: the kernel killed 3 processes");
	assert_string_equal(oom(5, 2), "out of memory: the kernel killed 2 processes");
	assert_string_equal(oom(STATS_UNKNOWN, 2), "");
	assert_string_equal(oom(2, STATS_UNKNOWN), "");
	assert_string_equal(oom(2, 0), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_changed_is_no_event),
		TEST(a_failure_is_told_with_its_reason),
		TEST(a_reason_that_comes_later_is_an_event_of_its_own),
		TEST(a_reason_of_one_that_runs_belongs_to_no_failure),
		TEST(an_unknown_state_is_no_change),
		TEST(what_was_known_before_an_outage_is_compared_with_what_is_known_after),
		TEST(a_restart_between_two_looks_is_seen_by_its_leader),
		TEST(addresses_come_and_go_while_they_are_seen),
		TEST(a_start_tells_the_address_and_a_stop_does_not),
		TEST(a_conf_is_made_changed_broken_mended_and_taken_away),
		TEST(ports_are_those_of_the_conf),
		TEST(units_that_fail_inside_are_told_while_it_runs),
		TEST(machines_come_and_go_in_the_order_of_names),
		TEST(what_could_not_be_asked_is_the_hosts),
		TEST(hostile_text_is_printable),
		TEST(kills_for_want_of_memory_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

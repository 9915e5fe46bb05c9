#include "engine/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct timeline *t;
static size_t told;

static void on_fresh(const struct events *fresh, void *arg)
{
	(void)arg;
	told += fresh->n;
}

static int begin(void **state)
{
	(void)state;
	told = 0;
	return timeline_new(NULL, on_fresh, NULL, &t, NULL);
}

static int end(void **state)
{
	(void)state;
	timeline_free(t);
	return 0;
}

/* The next look at "web". */
static void look(enum machine_state state, uint64_t usec)
{
	char name[] = "web", why[] = "it crashed";
	struct machine m = { .name = name, .state = state, .netnsid = -1 };
	const struct snapshot s = { .v = &m, .n = 1, .taken_usec = usec };

	if (state == MACHINE_FAILED)
		m.reason = why;
	timeline_snapshot(t, &s);
}

static void add(uint64_t usec, const char *name, const char *text)
{
	CLEANUP(events_done) struct events e = { 0 };

	events_add(&e, usec, name, EVENT_UNIT, false, "%s", text);
	timeline_add(t, &e);
}

static void the_first_look_is_no_event(void **state)
{
	(void)state;
	look(MACHINE_FAILED, 1);
	assert_int_equal(timeline_events(t)->n, 0);
	look(MACHINE_RUNNING, 2);
	assert_int_equal(timeline_events(t)->n, 1);
	assert_string_equal(timeline_events(t)->v[0].text, "running");
	assert_int_equal(told, 1);
	assert_null(timeline_note(t));
}

static void an_outage_in_between_hides_no_failure(void **state)
{
	(void)state;
	look(MACHINE_RUNNING, 1);
	look(MACHINE_UNKNOWN, 2);
	look(MACHINE_UNKNOWN, 3);
	look(MACHINE_FAILED, 4);
	assert_int_equal(timeline_events(t)->n, 1);
	assert_string_equal(timeline_events(t)->v[0].text, "failed: it crashed");
	look(MACHINE_UNKNOWN, 5);
	look(MACHINE_FAILED, 6);
	assert_int_equal(timeline_events(t)->n, 1);
}

static void what_the_journal_tells_later_is_before_what_was_seen(void **state)
{
	(void)state;
	add(10, "web", "c");
	add(5, "web", "a");
	add(7, "db", "b");
	assert_string_equal(timeline_events(t)->v[0].text, "a");
	assert_string_equal(timeline_events(t)->v[1].text, "b");
	assert_string_equal(timeline_events(t)->v[2].text, "c");
}

static void it_is_bounded_and_keeps_the_newest(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 3 * TIMELINE_MAX; i++) {
		add(i, "web", "x");
		assert_true(timeline_events(t)->n <= TIMELINE_MAX);
	}
	assert_true(timeline_events(t)->n >= TIMELINE_MAX / 2);
	assert_int_equal(timeline_events(t)->v[timeline_events(t)->n - 1].usec, 3 * TIMELINE_MAX);
}

static void more_at_once_than_it_holds_is_cut_at_the_old_end(void **state)
{
	CLEANUP(events_done) struct events e = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= TIMELINE_MAX + 5; i++)
		events_add(&e, i, "web", EVENT_UNIT, false, "x");
	timeline_add(t, &e);
	assert_int_equal(timeline_events(t)->n, TIMELINE_MAX);
	assert_int_equal(timeline_events(t)->v[0].usec, 6);
}

static void kills_are_told_between_two_samples(void **state)
{
	struct stats s = { .name = "web" };
	const struct stats_table table = { &s, 1 };

	(void)state;
	s.oom_kills = 4;
	timeline_stats(t, &table, 1);
	timeline_stats(t, &table, 2);
	assert_int_equal(timeline_events(t)->n, 0);
	s.oom_kills = 5;
	timeline_stats(t, &table, 3);
	assert_int_equal(timeline_events(t)->n, 1);
	assert_int_equal(timeline_events(t)->v[0].kind, EVENT_OOM);
}

/* Whatever this host's journal is, the answer comes once, and in time. */
static void on_answer(const struct events *fresh, void *arg)
{
	(void)fresh;
	assert_int_equal(sd_event_exit(arg, 0), 0);
}

static void the_journal_answers_or_the_note_says_why_not(void **state)
{
	struct timeline *real;
	sd_event *loop;

	(void)state;
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(timeline_new(loop, on_answer, loop, &real, NULL), 0);
	timeline_free(real); /* while it is asked */
	assert_int_equal(timeline_new(loop, on_answer, loop, &real, NULL), 0);
	assert_string_equal(timeline_note(real), "the journal is being read");
	assert_int_equal(sd_event_loop(loop), 0);
	if (timeline_note(real))
		assert_non_null(
			strstr(timeline_note(real), "what happened before is not known: the journal "));
	timeline_free(real);
	sd_event_unref(loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_look_is_no_event),
		TEST(an_outage_in_between_hides_no_failure),
		TEST(what_the_journal_tells_later_is_before_what_was_seen),
		TEST(it_is_bounded_and_keeps_the_newest),
		TEST(more_at_once_than_it_holds_is_cut_at_the_old_end),
		TEST(kills_are_told_between_two_samples),
		TEST(the_journal_answers_or_the_note_says_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

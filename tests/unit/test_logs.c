#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "engine/logs.h"

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	return sd_event_exit(arg, -ETIMEDOUT);
}

struct fixture {
	sd_event *loop;
	struct logs *logs;
	bool goes_on;
};

static void on_changed(void *arg)
{
	struct fixture *f = arg;

	if (!f->goes_on && logs_caught_up(f->logs))
		(void)sd_event_exit(f->loop, 0);
}

static void set_up(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	assert_int_equal(sd_event_new(&f->loop), 0);
	assert_int_equal(
		sd_event_add_time_relative(f->loop, NULL, CLOCK_MONOTONIC, 10000000, 0, on_deadline, f->loop),
		0);
}

static void tear_down(struct fixture *f)
{
	logs_free(f->logs);
	sd_event_unref(f->loop);
}

static void a_machine_that_is_nowhere_has_an_empty_log(void **state)
{
	const struct logs_target targets[] = { { "nowhere-1", "container@nowhere-1.service", NULL },
		                               { "nowhere-2", NULL, "/var/lib/machines/nowhere-2" } };
	CLEANUP(tear_down) struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(logs_open(f.loop, targets, 2, 10, on_changed, &f, &f.logs, NULL), 0);
	assert_false(logs_caught_up(f.logs));
	assert_int_equal(sd_event_loop(f.loop), 0);
	assert_true(logs_caught_up(f.logs));
	assert_int_equal(logs_ring(f.logs)->received, 0);
	assert_int_equal(logs_names(f.logs)->n, 2);
	assert_string_equal(logs_names(f.logs)->v[1], "nowhere-2");
}

static void a_follower_can_be_dropped_at_any_moment(void **state)
{
	const struct logs_target target = { "nowhere", "container@nowhere.service", NULL };

	(void)state;
	for (int turns = 0; turns < 5; turns++) {
		CLEANUP(tear_down) struct fixture f;

		set_up(&f);
		f.goes_on = true;
		assert_int_equal(logs_open(f.loop, &target, 1, 10, on_changed, &f, &f.logs, NULL), 0);
		for (int i = 0; i < turns; i++)
			assert_true(sd_event_run(f.loop, 20000) >= 0);
	}
}

static void too_many_machines_are_refused(void **state)
{
	static struct logs_target targets[LOGS_TARGETS_MAX + 1];
	CLEANUP(tear_down) struct fixture f;
	struct err e = { 0 };

	(void)state;
	set_up(&f);
	for (size_t i = 0; i < COUNT(targets); i++)
		targets[i].name = "nowhere";
	assert_int_equal(logs_open(f.loop, targets, COUNT(targets), 10, on_changed, &f, &f.logs, &e), -E2BIG);
	assert_non_null(strstr(e.text, "at most 64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_that_is_nowhere_has_an_empty_log),
		cmocka_unit_test(a_follower_can_be_dropped_at_any_moment),
		cmocka_unit_test(too_many_machines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

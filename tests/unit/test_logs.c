#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/journal_follow.h"
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

/* ---- a reader that can not be made again */

struct followed {
	sd_event *loop;
	enum journal_state state;
	char text[ERR_TEXT_MAX];
	bool caught_up;
};

static void on_record(const struct logrec *rec, void *arg)
{
	(void)rec, (void)arg;
}

static void on_state(size_t place, bool guest, enum journal_state state, const char *text, void *arg)
{
	struct followed *f = arg;

	(void)place;
	if (!guest)
		return;
	f->state = state;
	(void)snprintf(f->text, sizeof(f->text), "%s", text);
}

static void on_caught_up(void *arg)
{
	((struct followed *)arg)->caught_up = true;
}

static void on_turn(void *arg)
{
	(void)arg;
}

static void run_until(struct followed *f, bool (*is_so)(const struct followed *f))
{
	while (!is_so(f)) {
		assert_true(sd_event_run(f->loop, UINT64_MAX) >= 0);
		assert_int_not_equal(sd_event_get_state(f->loop), SD_EVENT_FINISHED);
	}
}

static bool is_read(const struct followed *f)
{
	return f->caught_up && f->state == JOURNAL_MISSING;
}

static bool is_broken(const struct followed *f)
{
	return f->state == JOURNAL_BROKEN;
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void a_reader_that_can_not_be_made_is_told_and_tried_again(void **state)
{
	const struct journal_place place = { "nowhere", NULL, NULL };
	struct followed f = { 0 };
	const struct journal_sink sink = { on_record, on_state, on_caught_up, on_turn, &f };
	struct journal_follow *follow = NULL;
	struct rlimit before, few;
	int free_before;

	(void)state;
	assert_int_equal(sd_event_new(&f.loop), 0);
	assert_int_equal(
		sd_event_add_time_relative(f.loop, NULL, CLOCK_MONOTONIC, 10000000, 0, on_deadline, f.loop),
		0);
	assert_int_equal(journal_follow(f.loop, &place, 1, 10, &sink, &follow, NULL), 0);
	run_until(&f, is_read);
	free_before = lowest_free();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ (rlim_t)free_before, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	journal_follow_again(follow);
	run_until(&f, is_broken);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(f.text, "cannot make a pipe: Too many open files"));
	journal_follow_again(follow);
	run_until(&f, is_read);
	assert_int_equal(lowest_free(), free_before);
	journal_follow_free(follow);
	sd_event_unref(f.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_that_is_nowhere_has_an_empty_log),
		cmocka_unit_test(a_follower_can_be_dropped_at_any_moment),
		cmocka_unit_test(too_many_machines_are_refused),
		cmocka_unit_test(a_reader_that_can_not_be_made_is_told_and_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

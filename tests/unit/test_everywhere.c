#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/gate.h"
#include "drivers/enter.h"
#include "engine/everywhere.h"
#include "tests/unit/systemd1.h"

/* In place of the real one, in the child of each: the machine's name says what happens in it. */
int enter_run(const char *name, char *const argv[], int copy, struct err *e)
{
	(void)copy;
	if (strcmp(name, "gone") == 0)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "gone: not running");
	if (strcmp(name, "absent") == 0)
		return err_set(e, (enum status)127, ENOENT, "absent: cannot run %s in it", argv[0]);
	if (strcmp(name, "hangs") == 0)
		(void)pause();
	if (strcmp(name, "dies") == 0)
		raise(SIGKILL);
	if (strcmp(name, "floods") == 0)
		for (int i = 0; i < 20000; i++)
			(void)!write(i & 1, "0123456789", 10); /* of them stdin is /dev/null */
	(void)!write(1, name, strlen(name));
	(void)!write(2, "!", 1);
	return argv[1] ? 3 : 0;
}

struct seen {
	sd_event *loop;
	size_t n; /* of machines whose number is counted */
	unsigned most, changes;
	bool ended;
};

static void on_change(struct everywhere *w, size_t i, void *arg)
{
	struct seen *s = arg;

	(void)i;
	s->changes++;
	if (everywhere_ended(w)) {
		s->ended = true;
		(void)sd_event_exit(s->loop, 0);
	}
}

static char word[] = "cmd", word2[] = "arg";

static void every_end_is_told_and_a_hanging_one_holds_up_nobody(void **state)
{
	static const char *const names[] = { "web", "gone", "hangs", "dies", "floods", "absent" };
	char *const argv[] = { word, word2, NULL };
	const struct everywhere_result *x;
	struct everywhere *w;
	struct seen s = { 0 };
	struct err e;

	(void)state;
	OK(sd_event_new(&s.loop));
	OK(everywhere_begin(s.loop, names, COUNT(names), argv, 2000000, on_change, &s, &w, &e));
	assert_int_equal(s.changes, 0);
	OK(sd_event_loop(s.loop));
	assert_true(s.ended);
	x = everywhere_result(w, 0);
	assert_int_equal(x->status, 3);
	assert_string_equal(buf_text(&x->output), "web!");
	x = everywhere_result(w, 1);
	assert_true(x->status < 0);
	assert_string_equal(x->e.text, "gone: not running");
	x = everywhere_result(w, 2);
	assert_int_equal(x->status, -ETIMEDOUT);
	assert_int_equal(x->e.status, STATUS_DEADLINE);
	assert_true(x->ended_usec - x->began_usec < 10 * BUS_SECOND);
	assert_int_equal(everywhere_result(w, 3)->status, 137);
	x = everywhere_result(w, 4);
	assert_int_equal(x->status, 3);
	assert_int_equal(x->output.len, EVERYWHERE_OUTPUT_MAX);
	assert_true(x->cut);
	x = everywhere_result(w, 5);
	assert_int_equal(x->status, 127);
	assert_string_equal(x->e.text, "absent: cannot run cmd in it");
	everywhere_free(w);
	sd_event_unref(s.loop);
}

static void count_running(struct everywhere *w, size_t i, void *arg)
{
	struct seen *s = arg;
	unsigned running = 0;

	(void)i;
	for (size_t k = 0; k < s->n; k++)
		running += everywhere_result(w, k)->begun && !everywhere_result(w, k)->ended;
	s->most = running > s->most ? running : s->most;
	if (everywhere_ended(w))
		(void)sd_event_exit(s->loop, 0);
}

static void no_more_than_eight_run_at_once(void **state)
{
	char *const argv[] = { word, NULL };
	const char *names[20];
	struct everywhere *w;
	struct seen s = { .n = COUNT(names) };
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		names[i] = "web";
	OK(sd_event_new(&s.loop));
	OK(everywhere_begin(s.loop, names, COUNT(names), argv, 5000000, count_running, &s, &w, &e));
	OK(sd_event_loop(s.loop));
	assert_int_equal(s.most, EVERYWHERE_AT_ONCE);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(everywhere_result(w, i)->status, 0);
	everywhere_free(w);
	sd_event_unref(s.loop);
}

static void it_can_be_freed_at_any_moment(void **state)
{
	static const char *const names[] = { "hangs", "web", "hangs" };
	char *const argv[] = { word, NULL };

	(void)state;
	for (int turns = 0; turns < 5; turns++) {
		struct everywhere *w;
		struct seen s = { 0 };
		struct err e;

		OK(sd_event_new(&s.loop));
		OK(everywhere_begin(s.loop, names, 3, argv, BUS_SECOND, count_running, &s, &w, &e));
		for (int i = 0; i < turns; i++)
			OK(sd_event_run(s.loop, BUS_SECOND / 100));
		everywhere_free(w);
		for (int i = 0; i < 3; i++)
			OK(sd_event_run(s.loop, BUS_SECOND / 100));
		sd_event_unref(s.loop);
	}
}

static void a_closed_gate_runs_nothing(void **state)
{
	char *const argv[] = { word, NULL };
	struct everywhere *w;
	struct err e;

	(void)state;
	gate_close("a test");
	assert_int_equal(everywhere_begin(NULL, NULL, 0, argv, 1, on_change, NULL, &w, &e), -EPERM);
	gate_open();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_is_told_and_a_hanging_one_holds_up_nobody),
		cmocka_unit_test(no_more_than_eight_run_at_once),
		cmocka_unit_test(it_can_be_freed_at_any_moment),
		cmocka_unit_test(a_closed_gate_runs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "drivers/child.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static sd_event *loop;
static struct child *child;
static bool told;
static int result;
static char answer[64];
static struct err said;

static void on_done(int r, char *text, size_t len, const struct err *e, void *arg)
{
	assert_ptr_equal(arg, &loop);
	told = true;
	result = r;
	assert_int_equal(strlen(text), len);
	(void)snprintf(answer, sizeof(answer), "%s", text);
	said = *e;
}

static int begin(void **state)
{
	(void)state;
	told = false;
	return sd_event_new(&loop);
}

static int end(void **state)
{
	(void)state;
	sd_event_unref(loop);
	return 0;
}

static int start(child_fn *fn, uint64_t deadline_usec)
{
	return child_start(loop, "the child", fn, answer, deadline_usec, 16, on_done, &loop, &child, NULL);
}

static void run(void)
{
	for (int i = 0; i < 500 && !told; i++)
		assert_true(sd_event_run(loop, 10000) >= 0);
	assert_true(told);
}

static int speak(int out, void *arg)
{
	(void)arg;
	return write(out, "hello", 5) == 5 ? 3 : 4;
}

static int flood(int out, void *arg)
{
	(void)arg;
	while (write(out, "hello", 5) == 5)
		;
	return 0;
}

static int hang(int out, void *arg)
{
	(void)out, (void)arg;
	return pause();
}

static int die(int out, void *arg)
{
	(void)out, (void)arg;
	return raise(SIGBUS);
}

static void what_it_says_comes_with_its_exit_status(void **state)
{
	(void)state;
	assert_int_equal(start(speak, 5000000), 0);
	run();
	assert_int_equal(result, 3);
	assert_string_equal(answer, "hello");
}

static void assert_no_child_is_left(void)
{
	siginfo_t info;

	for (int i = 0; i < 1000 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0; i++)
		assert_true(sd_event_run(loop, 10000) >= 0);
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1);
	assert_int_equal(errno, ECHILD);
}

static void one_that_floods_is_ended(void **state)
{
	(void)state;
	assert_int_equal(start(flood, 5000000), 0);
	run();
	assert_int_equal(result, -EFBIG);
	assert_no_child_is_left();
}

static void one_that_hangs_costs_its_deadline_and_leaves_no_zombie(void **state)
{
	(void)state;
	assert_int_equal(start(hang, 20000), 0);
	run();
	assert_int_equal(result, -ETIMEDOUT);
	assert_no_child_is_left();
}

static void a_signal_that_ends_it_is_named(void **state)
{
	(void)state;
	assert_int_equal(start(die, 5000000), 0);
	run();
	assert_int_equal(result, -EIO);
	assert_string_equal(said.text, "the child was killed by signal 7");
}

static void one_that_is_cancelled_is_never_heard_of(void **state)
{
	(void)state;
	assert_int_equal(start(speak, 5000000), 0);
	child_cancel(child);
	for (int i = 0; i < 10; i++)
		assert_true(sd_event_run(loop, 5000) >= 0);
	assert_false(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_says_comes_with_its_exit_status, begin, end),
		cmocka_unit_test_setup_teardown(one_that_floods_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(one_that_hangs_costs_its_deadline_and_leaves_no_zombie, begin,
		                                end),
		cmocka_unit_test_setup_teardown(a_signal_that_ends_it_is_named, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_cancelled_is_never_heard_of, begin, end),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}

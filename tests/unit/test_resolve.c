#include "drivers/resolve.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void what_the_host_calls_itself_is_known_without_a_server(void **state)
{
	char localhost[] = "localhost", nobody[] = "nobody.invalid";
	char *list[] = { localhost, nobody, NULL };
	const struct strs names = { list, 2, false };
	CLEANUP(strs_done) struct strs found = { 0 };
	struct err e;

	(void)state;
	if (resolve_wait(&names, RESOLVE_HERE, 20000000, &found, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(strs_has(&found, "localhost 127.0.0.1") || strs_has(&found, "localhost ::1"));
	for (size_t i = 0; i < found.n; i++)
		assert_int_equal(found.v[i][0], 'l');
}

static void no_names_are_no_question(void **state)
{
	const struct strs names = { 0 };
	CLEANUP(strs_done) struct strs found = { 0 };

	(void)state;
	assert_int_equal(resolve_wait(&names, RESOLVE_HERE, 20000000, &found, NULL), 0);
	assert_int_equal(found.n, 0);
}

static void not_called(int r, const struct strs *found, const struct err *e, void *arg)
{
	(void)r, (void)found, (void)e, (void)arg;
	fail();
}

static void who_cancels_is_not_told(void **state)
{
	char localhost[] = "localhost";
	char *list[] = { localhost, NULL };
	const struct strs names = { list, 1, false };
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	struct resolve *q;
	siginfo_t child;

	(void)state;
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(resolve_start(loop, &names, RESOLVE_ALL, 20000000, not_called, NULL, &q, NULL), 0);
	resolve_cancel(q);
	do
		assert_true(sd_event_run(loop, 10000) >= 0);
	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0); /* until the child is gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_host_calls_itself_is_known_without_a_server),
		cmocka_unit_test(no_names_are_no_question),
		cmocka_unit_test(who_cancels_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

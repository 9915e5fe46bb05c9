/* A verb in a process of its own: what it says, its end, and giving up; and running a program of the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/process.h"
#include "drivers/program.h"
#include "engine/errand.h"

static char script[] = "/tmp/machdeck-errand.XXXXXX";
static sd_event *loop;
static struct {
	struct strs said, warnings;
	char result[128];
	int r, calls;
	struct err e;
	struct errand *cancel_at_first; /* line */
} seen;

static void on_said(const char *line, void *arg)
{
	(void)arg;
	strs_add(&seen.said, line);
	if (seen.cancel_at_first && seen.said.n == 1)
		errand_cancel(seen.cancel_at_first);
}

static void on_done(int r, const char *result, const struct strs *warnings, const struct err *e, void *arg)
{
	(void)arg;
	seen.r = r;
	seen.calls++;
	(void)snprintf(seen.result, sizeof(seen.result), "%s", result);
	strs_add_all(&seen.warnings, warnings);
	if (r < 0)
		seen.e = *e;
	(void)sd_event_exit(loop, 0);
}

static void program_is(const char *text)
{
	int fd = open(script, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(write(fd, "#!/bin/sh\n", 10) == 10 &&
	            write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
}

static void run(const char *text, bool cancel)
{
	struct strs words = { 0 };
	struct errand *x = NULL;
	struct err e;

	program_is(text);
	strs_done(&seen.said);
	strs_done(&seen.warnings);
	memset(&seen, 0, sizeof(seen));
	assert_true(sd_event_new(&loop) >= 0);
	strs_add(&words, "destroy");
	strs_add(&words, "--yes");
	strs_add(&words, "a b");
	assert_int_equal(errand_begin(loop, script, &words, on_said, on_done, NULL, &x, &e), 0);
	seen.cancel_at_first = cancel ? x : NULL;
	assert_true(sd_event_loop(loop) >= 0);
	loop = sd_event_unref(loop);
	strs_done(&words);
	assert_int_equal(seen.calls, 1);
}

static void its_words_are_told_apart(void **state)
{
	(void)state;
	run("echo \"progress: $1 $2 $3 ($4)\" >&2; echo 'progress: two' >&2; echo 'machdeck: warning: "
	    "careful' >&2; echo done\n",
	    false);
	assert_int_equal(seen.r, 0);
	assert_string_equal(seen.result, "done");
	assert_int_equal(seen.said.n, 2);
	assert_string_equal(seen.said.v[0], "destroy --progress --yes (a b)");
	assert_int_equal(seen.warnings.n, 1);
	assert_string_equal(seen.warnings.v[0], "careful");
}

static void a_failure_has_the_verbs_sentence_and_status(void **state)
{
	(void)state;
	run("echo 'machdeck: cannot destroy web: still mounted' >&2; exit 75\n", false);
	assert_int_equal(seen.r, -EIO);
	assert_int_equal(seen.e.status, STATUS_BUSY);
	assert_string_equal(seen.e.text, "cannot destroy web: still mounted");
	run("kill -9 $$\n", false);
	assert_string_equal(seen.e.text, "it was killed by signal 9");
}

static void hostile_words_are_made_printable(void **state)
{
	(void)state;
	run("printf 'progress: a\\033[31m\\n' >&2\n", false);
	assert_string_equal(seen.said.v[0], "a\\x1b[31m");
}

static void cancelled_it_undoes_and_says_so(void **state)
{
	(void)state;
	run("trap 'echo \"machdeck: undone\" >&2; exit 1' TERM; echo 'progress: x' >&2; while :; do sleep "
	    "0.01; done\n",
	    true);
	assert_int_equal(seen.r, -ECANCELED);
	assert_string_equal(seen.e.text, "undone");
}

static void behind_a_closed_gate_nothing_begins(void **state)
{
	struct strs words = { 0 };
	struct errand *x = NULL;
	struct err e;

	(void)state;
	strs_add(&words, "destroy");
	gate_close("a test");
	assert_int_equal(errand_begin(NULL, script, &words, on_said, on_done, NULL, &x, &e), -EPERM);
	gate_open();
	strs_done(&words);
}

/* --- drivers/program */

static void note(const char *text, void *arg)
{
	strs_add(arg, text);
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

static int run_program(const char *command, const char *only_writes, const struct progress *p, struct err *e)
{
	struct strs argv = { 0 };
	const struct program program = {
		.argv = &argv, .only_writes = only_writes, .limit_s = 5, .remedy = "install it"
	};
	int r;

	strs_add(&argv, "sh");
	strs_add(&argv, "-c");
	strs_add(&argv, command);
	r = program_run(&program, p, e);
	strs_done(&argv);
	return r;
}

static void a_program_is_followed_line_by_line(void **state)
{
	struct strs lines = { 0 };
	const struct progress p = { .say = note, .arg = &lines };
	struct err e = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip(); /* what it may run is root's own */
	assert_int_equal(run_program("echo a; echo; printf 'b\\rc\\n'; echo $FOO$HOME", NULL, &p, &e), 0);
	assert_int_equal(lines.n, 4);
	assert_string_equal(lines.v[2], "sh: c");
	assert_string_equal(lines.v[3], "sh: /root");
	strs_done(&lines);
	assert_int_equal(run_program("echo no; exit 3", NULL, NULL, &e), -EIO);
	assert_string_equal(e.text, "sh ended with status 3: no");
}

static void a_cancelled_program_ends_with_its_children(void **state)
{
	const struct progress p = { .stopped = at_once };
	struct err e = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_program("sleep 60 & wait", NULL, &p, &e), -ECANCELED);
}

static void a_program_that_is_shut_in_writes_nowhere_else(void **state)
{
	char folder[] = "/tmp/machdeck-only.XXXXXX", command[256], path[64];
	struct err e = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	(void)snprintf(command, sizeof(command),
	               "echo x >%s/in && ! echo x >/tmp/machdeck-out 2>/dev/null && ! ip link 2>/dev/null | "
	               "grep -q eth0",
	               folder);
	if (run_program(command, folder, NULL, &e) < 0)
		fail_msg("%s", e.text);
	(void)snprintf(path, sizeof(path), "%s/in", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(access("/tmp/machdeck-out", F_OK), -1);
}

static void a_program_that_is_missing_is_named_with_the_remedy(void **state)
{
	struct strs argv = { 0 };
	const struct program program = { .argv = &argv, .limit_s = 5, .remedy = "install it" };
	struct err e = { 0 };

	(void)state;
	strs_add(&argv, "no-such-program");
	assert_int_equal(program_run(&program, NULL, &e), -ENOENT);
	assert_string_equal(e.text, "no-such-program is not on this host (install it)");
	strs_done(&argv);
}

static int make_script(void **state)
{
	int fd = mkstemp(script);

	(void)state;
	close(fd);
	return fd < 0 ? -1 : 0;
}

static int remove_script(void **state)
{
	(void)state;
	strs_done(&seen.said);
	strs_done(&seen.warnings);
	return unlink(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_words_are_told_apart),
		cmocka_unit_test(a_failure_has_the_verbs_sentence_and_status),
		cmocka_unit_test(hostile_words_are_made_printable),
		cmocka_unit_test(cancelled_it_undoes_and_says_so),
		cmocka_unit_test(behind_a_closed_gate_nothing_begins),
		cmocka_unit_test(a_program_is_followed_line_by_line),
		cmocka_unit_test(a_cancelled_program_ends_with_its_children),
		cmocka_unit_test(a_program_that_is_shut_in_writes_nowhere_else),
		cmocka_unit_test(a_program_that_is_missing_is_named_with_the_remedy),
	};

	if (process_open(getpid()) < 0) {
		puts("SKIP: no pidfd_open here (valgrind does not know it)");
		return 77;
	}
	return cmocka_run_group_tests(tests, make_script, remove_script);
}

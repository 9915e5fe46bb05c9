#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/relay.h"

#define PRINTED (3u << 20)

/* What a guest's process is that never stops talking. */
static _Noreturn void print_much(int out)
{
	static char bytes[65536];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t n = 0; n < PRINTED; n += sizeof(bytes))
		if (write(out, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
			_exit(1);
	_exit(0);
}

/* With `out` as our own standard output: the exit status of what was run. */
static int run_with(int out, int copy)
{
	struct relay r;
	pid_t pid;
	int status;

	if (dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0) < 0 || dup2(out, 1) < 0 ||
	    relay_prepare(copy, &r, NULL) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		print_much(r.stdio[1]);
	status = relay_started(&r, -1, NULL) < 0 ? -1 : relay_until_end(&r, pid, NULL);
	relay_done(&r);
	return status;
}

static void all_is_passed_on_and_a_copy_has_an_end(void **state)
{
	CLEANUP(close_p) int out = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	CLEANUP(close_p) int copy = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct stat passed, copied;
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(run_with(out, copy));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fstat(out, &passed), 0);
	assert_int_equal(fstat(copy, &copied), 0);
	assert_int_equal(passed.st_size, PRINTED);
	assert_int_equal(copied.st_size, RELAY_COPY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_passed_on_and_a_copy_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

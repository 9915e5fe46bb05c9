#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/confine.h"

static char dir[] = "/tmp/confine-XXXXXX";

static const char *path(const char *leaf)
{
	static char text[96];

	(void)snprintf(text, sizeof(text), "%s/%s", dir, leaf);
	return text;
}

/* What is tried in a child, which can not take its confinement off again: its number tells what went wrong.
 */
typedef int tried_fn(void);

static void in_child(tried_fn *tried)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(tried());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int no_calls(void)
{
	char *const argv[] = { (char[]){ "false" }, NULL };
	char key = 'x';
	pid_t pid;

	if (confine_calls(true, NULL) < 0)
		return 1;
	if (execv("/bin/false", argv) == 0 || errno != EPERM)
		return 2;
	if (unshare(CLONE_NEWUSER) == 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return 3;
	if (kill(-1, 0) == 0 || errno != EPERM)
		return 4;
	if (ioctl(0, TIOCSTI, &key) == 0 || errno != EPERM)
		return 5;
	if (open(path("new"), O_WRONLY | O_CREAT, 0600) >= 0 || open(path("old"), O_RDWR) >= 0)
		return 6;
	if (unlink(path("old")) == 0 || unlinkat(AT_FDCWD, path("old"), 0) == 0 || chmod(path("old"), 0) == 0)
		return 7;
	if (open(path("old"), O_RDONLY) < 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0 ||
	    socket(AF_NETLINK, SOCK_RAW, 0) < 0)
		return 9;
	pid = fork(); /* the journal's reader */
	if (pid == 0)
		(void)pause();
	if (pid < 0 || kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid)
		return 10;
	return 0;
}

static void what_a_reader_never_needs_is_refused_and_the_rest_works(void **state)
{
	(void)state;
	in_child(no_calls);
}

static int no_files(void)
{
	int r = confine_files(path("state"), NULL);

	if (r == 0)
		return 77;
	if (r < 0)
		return 1;
	if (open(path("new"), O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
		return 2;
	if (open(path("old"), O_WRONLY) >= 0 || unlink(path("old")) == 0 || mkdir(path("folder"), 0700) == 0)
		return 3;
	if (open(path("old"), O_RDONLY) < 0 || open("/dev/null", O_RDWR) < 0)
		return 4;
	if (open(path("state/new"), O_WRONLY | O_CREAT, 0600) < 0 || unlink(path("state/new")) < 0)
		return 5;
	if (kill(getppid(), 0) ==
	    0) /* a newer kernel keeps signals inside; an older one leaves that to rights */
		return 0;
	return errno == EPERM ? 0 : 6;
}

static void files_are_written_only_below_the_folder_that_was_named(void **state)
{
	(void)state;
	in_child(no_files);
}

static int no_root(void)
{
	char status[4096];
	int fd, n;

	if (geteuid() != 0)
		return 77;
	if (confine_user(65534, 65534, (gid_t)-1, NULL) < 0)
		return 1;
	fd = open("/proc/thread-self/status", O_RDONLY);
	n = fd < 0 ? -1 : (int)read(fd, status, sizeof(status) - 1);
	if (n < 0)
		return 2;
	status[n] = '\0';
	if (!strstr(status, "\nCapEff:\t0000000000000000") || !strstr(status, "\nCapBnd:\t0000000000000000"))
		return 3;
	return strstr(status, "\nNoNewPrivs:\t1") && getuid() == 65534 && getgroups(0, NULL) == 0 ? 0 : 4;
}

static void root_s_rights_are_gone_for_good(void **state)
{
	(void)state;
	in_child(no_root);
}

static int make_folder(void **state)
{
	(void)state;
	return !mkdtemp(dir) || mkdir(path("state"), 0700) < 0 ||
	       close(open(path("old"), O_CREAT | O_WRONLY, 0600));
}

static int remove_folder(void **state)
{
	(void)state;
	return unlink(path("old")) || rmdir(path("state")) || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_reader_never_needs_is_refused_and_the_rest_works),
		cmocka_unit_test(files_are_written_only_below_the_folder_that_was_named),
		cmocka_unit_test(root_s_rights_are_gone_for_good),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* What holds READY=1 back: a manager of our own, and a main process that says what systemd-nspawn says, as root of a host of
 * our own. */
#include "tests/unit/fakehost.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "drivers/readiness.h"

#define FOLDER  "/run/machdeck/web"
#define OURS    FOLDER "/notify"
#define MANAGER "/run/manager"

static int manager, to_fork[2], to_main[2]; /* a byte lets it go on */
static pid_t scene, main_seen;
static char heard[READINESS_MESSAGE + 1];

static void send_to(const char *path, const char *message)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	(void)sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to));
}

static void say(const char *message)
{
	send_to(getenv("NOTIFY_SOCKET"), message);
}

/* The manager hears something within so many ms: who says it is returned, 0 when nobody does. */
static pid_t hear(int ms)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec bytes = { .iov_base = heard, .iov_len = sizeof(heard) - 1 };
	struct msghdr m = {
		.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct ucred who;
	ssize_t len;

	assert_int_equal(setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	len = recvmsg(manager, &m, 0);
	heard[len < 0 ? 0 : len] = '\0';
	if (len < 0)
		return 0;
	memcpy(&who, CMSG_DATA(&control.head), sizeof(who));
	return who.pid;
}

static void expect(const char *message)
{
	assert_int_equal(hear(10000), main_seen);
	assert_string_equal(heard, message);
}

static void wait_in(const int *which)
{
	char byte;

	if (read(which[0], &byte, 1) < 0)
		_exit(98);
}

static void let_go(const int *which)
{
	assert_int_equal(write(which[1], "", 1), 1);
}

/* main_process runs below a PID 1 that reaps, in a PID namespace where that is needed to speak for others. How it
 * ended comes from main_end(). */
static void begin(void (*main_process)(void))
{
	scene = fork();
	if (scene == 0) {
		int status = 0, last = 0;
		pid_t first;

		if (!fakehost_is_root && unshare(CLONE_NEWPID) < 0)
			_exit(99);
		if (fork() > 0) {
			(void)wait(&status);
			_exit(WEXITSTATUS(status));
		}
		first = fork();
		if (first == 0) {
			(void)alarm(30); /* and not for ever */
			say("HELLO=1");
			main_process();
			_exit(0);
		}
		for (pid_t pid; (pid = wait(&status)) > 0;)
			if (pid == first)
				last = WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
		_exit(last);
	}
	main_seen = hear(10000);
	assert_string_equal(heard, "HELLO=1");
}

/* Its exit status, or 100 and the signal. */
static int main_end(void)
{
	int status;

	assert_int_equal(waitpid(scene, &status, 0), scene);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int set_up(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = MANAGER };
	int yes = 1;

	(void)state;
	(void)mkdir("/run", 0755);
	(void)mkdir("/run/machdeck", 0755);
	(void)mkdir(FOLDER, 0755);
	(void)unlink(MANAGER);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return manager < 0 || bind(manager, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	       setsockopt(manager, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0 || pipe(to_fork) < 0 ||
	       pipe(to_main) < 0 || setenv("NOTIFY_SOCKET", MANAGER, 1) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(manager);
	for (size_t i = 0; i < 2; i++) {
		close(to_fork[i]);
		close(to_main[i]);
	}
	return 0;
}

/* ---- the cases */

/* What the fork does when the host's side is up only at a word of ours. */
static void hold_until_go(struct readiness *r)
{
	struct err e;

	(void)alarm(30); /* that of who forked is not its */
	if (readiness_wait(r, &e) < 0)
		_exit(1);
	wait_in(to_fork);
	_exit(readiness_pass(r, &e) < 0);
}

static void get_ready(void)
{
	struct readiness r;
	struct err e;

	if (readiness_fork(FOLDER, &r, &e) == 1)
		hold_until_go(&r);
	say("STATUS=READY=1 is near");
	say("READY=10");
	say("STATUS=up\nREADY=1\nX_LEADER=2");
	wait_in(to_main);
	say("STATUS=later");
	_exit(7);
}

static void the_word_comes_when_the_host_is_ready_and_all_else_at_once(void **state)
{
	char link[64] = "";
	struct stat st;

	(void)state;
	(void)umask(0);
	begin(get_ready);
	expect("STATUS=READY=1 is near");
	assert_int_equal(stat(OURS, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	expect("READY=10");
	assert_int_equal(hear(100), 0);
	let_go(to_fork);
	expect("STATUS=up\nREADY=1\nX_LEADER=2");
	for (int i = 0; i < 1000 && readlink(OURS, link, sizeof(link) - 1) < 0; i++)
		(void)usleep(10000);
	assert_string_equal(link, MANAGER);
	let_go(to_main);
	expect("STATUS=later");
	assert_int_equal(main_end(), 7);
}

static void get_killed(void)
{
	struct readiness r;
	struct err e;

	if (readiness_fork(FOLDER, &r, &e) == 1) {
		(void)readiness_wait(&r, &e);
		(void)raise(SIGKILL);
	}
	close(r.alarm[0]); /* as execve(2) does */
	close(r.alarm[1]);
	say("READY=1");
	wait_in(to_main);
}

static void a_fork_that_is_killed_takes_the_container_with_it(void **state)
{
	(void)state;
	begin(get_killed);
	assert_int_equal(main_end(), 100 + SIGKILL);
	assert_int_equal(hear(1), 0);
}

/* It hears the signal, but has more to say before it is done than the socket takes. */
static void stop_slowly(void)
{
	struct readiness r;
	sigset_t term;
	int sig;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	if (readiness_fork(FOLDER, &r, NULL) == 1) {
		readiness_stop(&r, "its host fails");
		_exit(1);
	}
	close(r.alarm[0]); /* as execve(2) does */
	close(r.alarm[1]);
	(void)sigwait(&term, &sig);
	for (int i = 0; i < 1000; i++)
		say("STATUS=stopping");
	wait_in(to_main);
	_exit(7);
}

static void one_whose_host_fails_is_stopped_in_peace(void **state)
{
	(void)state;
	begin(stop_slowly);
	expect("STATUS=machdeck: its host fails");
	assert_int_equal(hear(100), 0);
	let_go(to_main);
	assert_int_equal(main_end(), 7);
}

static void end_at_once(void)
{
	struct readiness r;
	struct err e;

	if (readiness_fork(FOLDER, &r, &e) == 1) {
		int got = readiness_wait(&r, &e);

		send_to(MANAGER, got == -ESRCH ? "it has ended" : e.text);
		_exit(0);
	}
	say("STATUS=bye");
	wait_in(to_main);
	_exit(3);
}

static void a_container_that_ends_before_it_was_ready_is_noticed(void **state)
{
	(void)state;
	begin(end_at_once);
	expect("STATUS=bye");
	let_go(to_main);
	assert_int_not_equal(hear(10000), 0);
	assert_string_equal(heard, "it has ended");
	assert_int_equal(main_end(), 3);
}

/* Ready at once, as with --notify-ready=no, but the guest has a way of its own to tell. */
static void talk_on(void)
{
	struct readiness r;
	struct err e;

	if (readiness_fork(FOLDER, &r, &e) == 1)
		_exit(readiness_wait(&r, &e) < 0 || readiness_wait_for(&r, to_fork[0], &e) < 0 ||
		      readiness_pass(&r, &e) < 0);
	say("READY=1\nSTATUS=first");
	for (int i = 0; i < 1000; i++)
		say(i % 2 ? "STATUS=again and again" : "READY=1");
	say("STATUS=said all");
	wait_in(to_main);
}

static void nobody_is_kept_waiting_with_what_he_says_while_a_guest_gets_ready(void **state)
{
	(void)state;
	begin(talk_on);
	for (int i = 0; i < 500; i++)
		expect("STATUS=again and again");
	expect("STATUS=said all");
	assert_int_equal(hear(100), 0);
	let_go(to_fork);
	expect("READY=1");
	let_go(to_main);
	assert_int_equal(main_end(), 0);
}

/* What a fork that waits for something else hears of the end. */
static void end_while_waited_for(void)
{
	struct readiness r;
	struct err e;

	if (readiness_fork(FOLDER, &r, &e) == 1) {
		int got = readiness_wait(&r, &e) < 0 ? 0 : readiness_wait_for(&r, to_fork[0], &e);

		send_to(MANAGER, got == -ESRCH ? "it has ended" : e.text);
		_exit(0);
	}
	say("READY=1");
}

static void a_container_that_ends_before_its_guest_was_ready_is_noticed(void **state)
{
	(void)state;
	begin(end_while_waited_for);
	assert_int_not_equal(hear(10000), 0);
	assert_string_equal(heard, "it has ended");
	assert_int_equal(main_end(), 0);
}

static void where_nobody_waits_nothing_is_forked(void **state)
{
	static const char *const values[] = { NULL, "@abstract", "vsock:2:1" };
	struct readiness r;
	struct err e;

	(void)state;
	(void)unlink(OURS);
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_int_equal(
			values[i] ? setenv("NOTIFY_SOCKET", values[i], 1) : unsetenv("NOTIFY_SOCKET"), 0);
		assert_int_equal(readiness_fork(FOLDER, &r, &e), 0);
		assert_int_equal(access(OURS, F_OK), -1);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
}

static void what_cannot_be_made_is_told(void **state)
{
	struct readiness r;
	struct err e;

	(void)state;
	assert_int_equal(readiness_fork("/run/nowhere", &r, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/run/nowhere"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int all(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_word_comes_when_the_host_is_ready_and_all_else_at_once),
		CASE(a_fork_that_is_killed_takes_the_container_with_it),
		CASE(one_whose_host_fails_is_stopped_in_peace),
		CASE(a_container_that_ends_before_it_was_ready_is_noticed),
		CASE(nobody_is_kept_waiting_with_what_he_says_while_a_guest_gets_ready),
		CASE(a_container_that_ends_before_its_guest_was_ready_is_noticed),
		CASE(where_nobody_waits_nothing_is_forked),
		CASE(what_cannot_be_made_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return fakehost_run(all);
}

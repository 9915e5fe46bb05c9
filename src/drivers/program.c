#include "drivers/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gate.h"
#include "base/process.h"
#include "drivers/child.h"
#include "drivers/files.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"
#define TICK_MS      100
#define KILL_AFTER_S 5
#define LAST_LINES   4
#define ERROR_WORD   "error:"

int program_find(const char *name, char **ret, struct err *e)
{
	CLEANUP(strs_done) struct strs folders = { 0 };
	const char *path = getenv("PATH");

	strs_split(&folders, path && *path ? path : DEFAULT_PATH, ":");
	if (folders.bad)
		return err_no_memory(e);
	for (size_t i = 0; i < folders.n; i++) {
		CLEANUP(free_p) char *file = NULL;
		CLEANUP(close_p) int fd = -1;
		int r;

		if (folders.v[i][0] != '/')
			continue;
		if (asprintf(&file, "%s/%s", folders.v[i], name) < 0)
			return file = NULL, err_no_memory(e);
		if (access(file, X_OK) < 0)
			continue;
		r = files_open("", file, O_RDONLY, &fd, e);
		if (r < 0)
			return r;
		*ret = take_p(&file);
		return 0;
	}
	return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s is not on this host", name);
}

static void build_environment(struct strs *ret)
{
	static const char *const passed[] = { "http_proxy",        "https_proxy",      "ftp_proxy",
		                              "no_proxy",          "HTTP_PROXY",       "HTTPS_PROXY",
		                              "NO_PROXY",          "NIX_PATH",         "NIX_REMOTE",
		                              "NIX_CONFIG",        "NIX_PROFILES",     "SSL_CERT_FILE",
		                              "NIX_SSL_CERT_FILE", "SOURCE_DATE_EPOCH" };
	const char *path = getenv("PATH"), *home = getenv("HOME");

	strs_addf(ret, "PATH=%s", path && *path ? path : DEFAULT_PATH);
	strs_add(ret, "LANG=C.UTF-8");
	strs_addf(ret, "HOME=%s", geteuid() == 0 || !home ? "/root" : home);
	for (size_t i = 0; i < COUNT(passed); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			strs_addf(ret, "%s=%s", passed[i], value);
	}
}

/* All mounts, but one, become read-only, for this process and its children. */
static int write_only_to(const char *folder)
{
	struct mount_attr no_writing = { .attr_set = MOUNT_ATTR_RDONLY },
			  writing = { .attr_clr = MOUNT_ATTR_RDONLY };

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    (*folder && mount(folder, folder, NULL, MS_BIND, NULL) < 0) ||
	    syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &no_writing, sizeof(no_writing)) < 0 ||
	    (*folder && syscall(SYS_mount_setattr, AT_FDCWD, folder, 0, &writing, sizeof(writing)) < 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static void complain(const char *what, int errnum)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errnum));
	_exit(127);
}

static _Noreturn void become(const struct program *p, const char *file, struct strs *environment, int out,
                             int answer)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

	child_become();
	if (setpgid(0, 0) < 0 || chdir(p->folder ? p->folder : "/") < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(answer, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(127);
	umask(022);
	r = p->only_writes ? write_only_to(p->only_writes) : 0;
	if (r < 0 && (r != -EPERM ||
	              *p->only_writes)) /* where root may not do that, what writes nothing writes nothing */
		complain("cannot shut it in", -r);
	(void)execve(file, p->argv->v, environment->v);
	complain(file, errno);
	_exit(127);
}

struct running {
	const struct program *program;
	const struct progress *progress;
	pid_t pid;
	int out, answer, pidfd;
	char line[PROGRAM_LINE_MAX];
	size_t len;
	struct strs last; /* lines */
	bool flooded;     /* by its answer */
	bool told;        /* those begin with what it calls an error */
};

static void running_done(struct running *x)
{
	close_p(&x->out);
	close_p(&x->answer);
	close_p(&x->pidfd);
	strs_done(&x->last);
}

static void end_line(struct running *x)
{
	x->line[x->len] = '\0';
	x->len = 0;
	if (!x->line[strspn(x->line, " \t")])
		return;
	progress_say(x->progress, "%s: %s", x->program->argv->v[0], x->line);
	if (strncmp(x->line + strspn(x->line, " \t"), ERROR_WORD, strlen(ERROR_WORD)) == 0) {
		strs_done(&x->last);
		x->told = true;
	}
	if (x->last.n == LAST_LINES && x->told)
		return;
	if (x->last.n == LAST_LINES) {
		free(x->last.v[0]);
		memmove(x->last.v, x->last.v + 1, (LAST_LINES - 1) * sizeof(*x->last.v));
		x->last.v[--x->last.n] = NULL;
	}
	strs_add(&x->last, x->line);
}

/* False: nobody writes any more. */
static bool read_output(struct running *x)
{
	char chunk[4096];
	ssize_t n = read(x->out, chunk, sizeof(chunk));

	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] == '\n' || chunk[i] == '\r')
			end_line(x);
		else if (x->len + 1 < sizeof(x->line))
			x->line[x->len++] = chunk[i];
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* False: nobody writes any more, or too much was. */
static bool read_answer(struct running *x)
{
	struct buf *to = x->program->answer;
	char chunk[16384];
	ssize_t n = read(x->answer, chunk, sizeof(chunk));

	if (n > 0)
		buf_add(to, chunk, (size_t)n);
	x->flooded |= to->len > x->program->answer_max;
	return !x->flooded && (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
}

static void end_it(const struct running *x)
{
	struct pollfd ended = { .fd = x->pidfd, .events = POLLIN };

	(void)kill(-x->pid, SIGTERM);
	if (poll(&ended, 1, KILL_AFTER_S * 1000) <= 0)
		(void)kill(x->pid, SIGKILL);
	(void)kill(-x->pid, SIGKILL);
}

/* Until it has ended or is to be ended. */
static int follow(struct running *x, struct err *e)
{
	const char *name = x->program->argv->v[0];
	uint64_t heard = clock_usec(CLOCK_MONOTONIC);
	bool open = true, answering = x->program->answer != NULL;

	for (;;) {
		struct pollfd fds[] = { { .fd = x->pidfd, .events = POLLIN },
			                { .fd = open ? x->out : -1, .events = POLLIN },
			                { .fd = answering ? x->answer : -1, .events = POLLIN } };

		(void)poll(fds, COUNT(fds), TICK_MS);
		if (fds[1].revents) {
			open = read_output(x);
			heard = x->program->answer ? heard : clock_usec(CLOCK_MONOTONIC);
		}
		if (answering && fds[2].revents)
			answering = read_answer(x);
		if (x->flooded) {
			end_it(x);
			return err_set(e, STATUS_DATA, EFBIG, "%s answers with more than %zu bytes", name,
			               x->program->answer_max);
		}
		if (fds[0].revents && !fds[1].revents && !fds[2].revents)
			return 0;
		if (progress_stopped(x->progress)) {
			end_it(x);
			return err_set(e, STATUS_FAILED, ECANCELED, "%s was cancelled", name);
		}
		if (clock_usec(CLOCK_MONOTONIC) - heard > x->program->limit_s * 1000000ULL) {
			end_it(x);
			return err_set(e, STATUS_DEADLINE, ETIMEDOUT,
			               x->program->answer ? "%s did not end within %u s"
			                                  : "%s did nothing for %u s",
			               name, x->program->limit_s);
		}
	}
}

static int result_of(struct running *x, int status, struct err *e)
{
	CLEANUP(free_p) char *said = NULL;
	const char *name = x->program->argv->v[0];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	end_line(x);
	said = strs_join(&x->last, " / ");
	if (WIFSIGNALED(status))
		return err_set(e, STATUS_FAILED, EIO, "%s was killed by signal %d: %s", name,
		               WTERMSIG(status), said ? said : "");
	return err_set(e, STATUS_FAILED, EIO, "%s ended with status %d: %s", name, WEXITSTATUS(status),
	               said ? said : "");
}

int program_run(const struct program *p, const struct progress *progress, struct err *e)
{
	CLEANUP(running_done)
	struct running x = { .program = p, .progress = progress, .out = -1, .answer = -1, .pidfd = -1 };
	CLEANUP(strs_done) struct strs environment = { 0 };
	CLEANUP(free_p) char *file = NULL;
	int pipe[2], answer[2] = { -1, -1 }, status = 0, r = gate_ask(e, "cannot run %s", p->argv->v[0]);

	if (r == 0)
		r = program_find(p->argv->v[0], &file, e);
	if (r < 0 || !file)
		return r == -ENOENT && p->remedy
		               ? err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s is not on this host (%s)",
		                         p->argv->v[0], p->remedy)
		               : r;
	build_environment(&environment);
	if (environment.bad || p->argv->bad)
		return err_no_memory(e);
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	x.out = pipe[0];
	if (p->answer && pipe2(answer, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(pipe[1]);
		return err_sys(e, errno, "cannot make a pipe");
	}
	x.answer = answer[0];
	x.pid = fork();
	if (x.pid == 0) {
		(void)fcntl(pipe[1], F_SETFL, 0);
		if (p->answer)
			(void)fcntl(answer[1], F_SETFL, 0);
		become(p, file, &environment, pipe[1], p->answer ? answer[1] : pipe[1]);
	}
	close(pipe[1]);
	close_p(&answer[1]);
	if (x.pid < 0)
		return err_sys(e, errno, "cannot make a process");
	x.pidfd = process_open(x.pid);
	r = x.pidfd < 0 ? err_sys(e, errno, "cannot follow %s", p->argv->v[0]) : follow(&x, e);
	if (r < 0)
		(void)kill(x.pid, SIGKILL);
	while (waitpid(x.pid, &status, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : result_of(&x, status, e);
}

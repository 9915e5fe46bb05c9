#include "engine/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/gate.h"
#include "base/process.h"
#include "base/text.h"
#include "drivers/child.h"

#define RESULT_MAX 65536
#define PROGRESS   "progress: "
#define OURS       "machdeck: "
#define WARNING    "warning: "

struct errand {
	errand_said_fn *said;
	errand_done_fn *done;
	void *arg;
	pid_t pid;
	int pidfd, out, err;
	sd_event_source *ended, *out_io, *err_io;
	struct buf result;
	char line[ERRAND_LINE_MAX];
	size_t len;
	struct strs warnings;
	char *why; /* the sentence it failed with; NULL: none yet */
	bool cancelled;
};

static void let_go(struct errand *x)
{
	sd_event_source_disable_unref(x->ended);
	sd_event_source_disable_unref(x->out_io);
	sd_event_source_disable_unref(x->err_io);
	close_p(&x->pidfd);
	close_p(&x->out);
	close_p(&x->err);
	buf_done(&x->result);
	strs_done(&x->warnings);
	free(x->why);
	free(x);
}

/* ---- what it says */

static bool begins(const char **text, const char *with)
{
	if (strncmp(*text, with, strlen(with)) != 0)
		return false;
	*text += strlen(with);
	return true;
}

static void take_line(struct errand *x)
{
	char shown[ERRAND_LINE_MAX];
	const char *text = shown;

	text_printable(shown, sizeof(shown), x->line, x->len);
	x->len = 0;
	if (begins(&text, PROGRESS)) {
		if (x->said)
			x->said(text, x->arg);
	} else if (begins(&text, OURS) && begins(&text, WARNING)) {
		strs_add(&x->warnings, text);
	} else if (text != shown) {
		free(x->why);
		x->why = strdup(text);
	}
}

static int read_errors(struct errand *x)
{
	char chunk[4096];
	ssize_t n = read(x->err, chunk, sizeof(chunk));

	for (ssize_t i = 0; i < n; i++) {
		if (chunk[i] == '\n')
			take_line(x);
		else if (x->len < sizeof(x->line))
			x->line[x->len++] = chunk[i];
	}
	return (int)n;
}

static int read_result(struct errand *x)
{
	char chunk[4096];
	ssize_t n = read(x->out, chunk, sizeof(chunk));

	if (n > 0 && x->result.len + (size_t)n <= RESULT_MAX)
		buf_add(&x->result, chunk, (size_t)n);
	return (int)n;
}

static int on_output(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct errand *x = arg;
	int n = fd == x->err ? read_errors(x) : read_result(x);

	(void)events;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	return sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

/* ---- its end */

static int judge(struct errand *x, const siginfo_t *info, struct err *e)
{
	enum status status = info->si_code == CLD_EXITED ? (enum status)info->si_status : STATUS_FAILED;

	if (info->si_code == CLD_EXITED && status == STATUS_DONE)
		return 0;
	if (x->cancelled)
		return err_set(e, status, ECANCELED, "%s", x->why ? x->why : "it was cancelled");
	if (info->si_code != CLD_EXITED)
		return err_set(e, STATUS_FAILED, EIO, "it was killed by signal %d", info->si_status);
	return err_set(e, status, EIO, "%s", x->why ? x->why : "it failed without a word");
}

static int on_end(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct errand *x = arg;
	siginfo_t info = { 0 };
	struct err e = { 0 };
	int r;

	(void)s, (void)fd, (void)events;
	while (read_errors(x) > 0)
		;
	while (read_result(x) > 0)
		;
	(void)waitid(P_PIDFD, (id_t)x->pidfd, &info, WEXITED);
	r = judge(x, &info, &e);
	while (x->result.len > 0 && x->result.p[x->result.len - 1] == '\n')
		x->result.p[--x->result.len] = '\0';
	if (x->done)
		x->done(r, buf_text(&x->result), &x->warnings, &e, x->arg);
	let_go(x);
	return 0;
}

/* ---- its beginning */

static _Noreturn void become(const char *program, char **argv, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	child_become();
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* so that it undoes what it began */
	if (setpgid(0, 0) < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		_exit(STATUS_SYSTEM);
	(void)execv(program, argv);
	_exit(STATUS_SYSTEM);
}

static int start(sd_event *loop, struct errand *x, const char *program, struct strs *argv, struct err *e)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, r;

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = err_sys(e, errno, "cannot make a pipe");
		close_p(&out[0]);
		close_p(&out[1]);
		return r;
	}
	x->out = out[0];
	x->err = err[0];
	x->pid = fork();
	if (x->pid == 0) {
		(void)fcntl(out[1], F_SETFL, 0);
		(void)fcntl(err[1], F_SETFL, 0);
		become(program, argv->v, out[1], err[1]);
	}
	close(out[1]);
	close(err[1]);
	if (x->pid < 0)
		return err_sys(e, errno, "cannot make a process");
	x->pidfd = process_open(x->pid);
	r = x->pidfd < 0 ? -errno : sd_event_add_io(loop, &x->ended, x->pidfd, EPOLLIN, on_end, x);
	if (r >= 0)
		r = sd_event_add_io(loop, &x->out_io, x->out, EPOLLIN, on_output, x);
	if (r >= 0)
		r = sd_event_add_io(loop, &x->err_io, x->err, EPOLLIN, on_output, x);
	if (r >= 0)
		return 0;
	(void)kill(x->pid, SIGKILL);
	(void)waitpid(x->pid, NULL, 0);
	return err_sys(e, -r, "cannot follow a process");
}

int errand_begin(sd_event *loop, const char *program, const struct strs *words, errand_said_fn *said,
                 errand_done_fn *done, void *arg, struct errand **ret, struct err *e)
{
	CLEANUP(strs_done) struct strs argv = { 0 };
	struct errand *x;
	int r = gate_ask(e, "cannot %s", words->n > 0 ? words->v[0] : "do nothing");

	if (r < 0)
		return r;
	strs_add(&argv, "machdeck");
	for (size_t i = 0; i < words->n; i++) {
		strs_add(&argv, words->v[i]);
		if (i == 0)
			strs_add(&argv, "--progress");
	}
	x = calloc(1, sizeof(*x));
	if (!x || argv.bad || words->bad) {
		free(x);
		return err_no_memory(e);
	}
	*x = (struct errand){ .said = said, .done = done, .arg = arg, .pidfd = -1, .out = -1, .err = -1 };
	r = start(loop, x, program ? program : "/proc/self/exe", &argv, e);
	if (r < 0) {
		let_go(x);
		return r;
	}
	*ret = x;
	return 0;
}

void errand_cancel(struct errand *x)
{
	(void)kill(x->pid, x->cancelled ? SIGKILL : SIGTERM);
	x->cancelled = true;
}

void errand_free(struct errand *x)
{
	if (!x)
		return;
	errand_cancel(x);
	x->said = NULL;
	x->done = NULL;
}

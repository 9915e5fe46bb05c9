#include "drivers/journal_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { READER_DONE, READER_FAILED, READER_DENIED }; /* how the child ends */

/* ---- the child */

const char *journal_field(sd_journal *j, const char *name, size_t *ret_len)
{
	size_t skip = strlen(name) + 1;
	const void *data;
	size_t len;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return NULL;
	*ret_len = len - skip;
	return (const char *)data + skip;
}

void journal_match(sd_journal *j, const char *key, const char *value)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s=%s", key, value);
	(void)sd_journal_add_match(j, text, 0);
}

static int run(journal_look_fn *look, int out, const void *question)
{
	sd_journal *j;
	FILE *f = fdopen(out, "w");

	if (!f || sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
		return READER_FAILED;
	if (sd_journal_has_persistent_files(j) <= 0 && sd_journal_has_runtime_files(j) <= 0)
		return READER_DENIED;
	return look(j, f, question) == 0 && fflush(f) == 0 ? READER_DONE : READER_FAILED;
}

void journal_child_become(void)
{
	static const struct rlimit none = { 0, 0 };
	sigset_t all;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CORE, &none);
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

/* ---- the parent */

struct journal_child {
	journal_answer_fn *answered;
	void *arg;
	pid_t child; /* 0: already waited for */
	int pipe;
	struct buf answer;
	size_t max;
	sd_event_source *io, *deadline;
};

/* Ends the child and returns how it ended. */
static int reap(struct journal_child *c, bool kill_it)
{
	int status = 0;

	if (c->child == 0)
		return 0;
	if (kill_it)
		(void)kill(c->child, SIGKILL);
	while (waitpid(c->child, &status, 0) < 0 && errno == EINTR)
		;
	c->child = 0;
	return status;
}

void journal_child_cancel(struct journal_child *c)
{
	if (!c)
		return;
	(void)reap(c, true);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->deadline);
	close_p(&c->pipe);
	buf_done(&c->answer);
	free(c);
}

static int judge(int status, struct err *e)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == READER_DONE)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == READER_DENIED)
		return err_set(e, STATUS_NOT_PERMITTED, EACCES,
		               "the journal can not be read (run as root, or join the "
		               "group systemd-journal)");
	if (WIFSIGNALED(status))
		return err_set(e, STATUS_IO, EIO,
		               "the journal's reader was killed by signal %d (was a journal file "
		               "truncated?)",
		               WTERMSIG(status));
	return err_set(e, STATUS_IO, EIO, "the journal can not be opened");
}

static void finish(struct journal_child *c, int r, struct err *e)
{
	char nothing[] = "";
	journal_answer_fn *answered = c->answered;
	void *arg = c->arg;
	struct buf answer = c->answer;

	c->answer = (struct buf){ 0 };
	if (r == 0 && answer.bad)
		r = err_no_memory(e);
	journal_child_cancel(c);
	answered(r, r == 0 && answer.p ? answer.p : nothing, e, arg);
	buf_done(&answer);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct journal_child *c = arg;
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	struct err e;

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && c->answer.len < c->max) {
		buf_add(&c->answer, chunk, (size_t)n);
		return 0;
	}
	finish(c, judge(reap(c, n > 0), &e), &e);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct journal_child *c = arg;
	struct err e;

	(void)s;
	(void)usec;
	finish(c, err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "the journal could not be read within 2 s"), &e);
	return 0;
}

static int start(struct journal_child *c, sd_event *loop, journal_look_fn *look, const void *question,
                 struct err *e)
{
	CLEANUP(close_p) int out = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	c->pipe = fds[0];
	out = fds[1];
	c->child = fork();
	if (c->child < 0) {
		c->child = 0;
		return err_sys(e, errno, "cannot make a process");
	}
	if (c->child == 0) {
		journal_child_become();
		_exit(run(look, out, question));
	}
	(void)fcntl(c->pipe, F_SETFL, O_NONBLOCK);
	r = sd_event_add_io(loop, &c->io, c->pipe, EPOLLIN, on_readable, c);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &c->deadline, CLOCK_MONOTONIC, JOURNAL_CHILD_USEC, 10000,
		                               on_deadline, c);
	return r < 0 ? err_sys(e, -r, "cannot wait for the journal") : 0;
}

int journal_child_ask(sd_event *loop, journal_look_fn *look, const void *question, size_t max,
                      journal_answer_fn *answered, void *arg, struct journal_child **ret, struct err *e)
{
	struct journal_child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_no_memory(e);
	*c = (struct journal_child){ .answered = answered, .arg = arg, .pipe = -1, .max = max };
	r = start(c, loop, look, question, e);
	if (r < 0) {
		journal_child_cancel(c);
		return r;
	}
	*ret = c;
	return 0;
}

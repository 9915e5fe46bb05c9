#include "drivers/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"

#define DEADLINE_USEC 2000000
#define LOOK_AT_MAX   5000     /* entries a reader walks back over */
#define ANSWER_MAX    1048576  /* bytes */
#define OOM_LEAD_USEC 60000000 /* how long before the unit's lines the kernel's are looked for */

enum { READER_DONE, READER_FAILED, READER_DENIED }; /* how the child ends */

/* ---- the child */

/* The value of the entry's field; it lives until the next call. */
static const char *field(sd_journal *j, const char *name, size_t *ret_len)
{
	size_t skip = strlen(name) + 1;
	const void *data;
	size_t len;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return NULL;
	*ret_len = len - skip;
	return (const char *)data + skip;
}

static bool field_is(sd_journal *j, const char *name, const char *value)
{
	size_t len;
	const char *p = field(j, name, &len);

	return p && len == strlen(value) && memcmp(p, value, len) == 0;
}

/* Of what PID 1 says only notices and worse: "Failed with result", not "Starting". */
static bool is_routine(sd_journal *j)
{
	size_t len;
	const char *priority = field(j, "PRIORITY", &len);

	return priority && len == 1 && *priority > '5';
}

/* What systemd-nspawn prints at each start. */
static bool is_greeting(const char *text)
{
	return strncmp(text, "Spawning container ", strlen("Spawning container ")) == 0 ||
	       strncmp(text, "Press ^] three times ", strlen("Press ^] three times ")) == 0;
}

static void take_entry(sd_journal *j, struct loglines *found)
{
	bool from_systemd = field_is(j, "_PID", "1");
	char text[LOGLINE_SIZE];
	const char *message;
	uint64_t usec = 0;
	size_t len;

	if (from_systemd && is_routine(j))
		return;
	message = field(j, "MESSAGE", &len);
	if (!message || logline_clean(text, message, len) == 0 || is_greeting(text))
		return;
	(void)sd_journal_get_realtime_usec(j, &usec);
	loglines_add(found, usec, from_systemd, text);
}

static void match(sd_journal *j, const char *key, const char *value)
{
	char text[300];

	(void)snprintf(text, sizeof(text), "%s=%s", key, value);
	(void)sd_journal_add_match(j, text, 0);
}

static bool tells_of_oom(const struct loglines *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].from_systemd && strstr(found->v[i].text, "oom-kill"))
			return true;
	return false;
}

/* The kernel's last word on a process that was killed in the unit; among the unit's lines as the oldest one,
 * as which it came. */
static void take_oom(sd_journal *j, const char *unit, struct loglines *found)
{
	static const char start[] = "oom-kill:";
	uint64_t first = found->v[found->n - 1].usec, usec = 0;

	sd_journal_flush_matches(j);
	match(j, "_TRANSPORT", "kernel");
	if (sd_journal_seek_tail(j) < 0)
		return;
	for (int i = 0; i < LOOK_AT_MAX && sd_journal_previous(j) > 0; i++) {
		char text[LOGLINE_SIZE] = "kernel: ";
		const char *message;
		size_t len;

		(void)sd_journal_get_realtime_usec(j, &usec);
		if (usec + OOM_LEAD_USEC < first)
			return;
		message = field(j, "MESSAGE", &len);
		if (!message || len < strlen(start) || memcmp(message, start, strlen(start)) != 0 ||
		    !memmem(message, len, unit, strlen(unit)))
			continue;
		(void)snprintf(text, sizeof(text), "kernel: %.*s", (int)len, message);
		loglines_add(found, usec, true, text);
		return;
	}
}

static int reader(int out, const char *unit, const char *invocation, size_t n)
{
	struct loglines found = { 0 };
	sd_journal *j;
	FILE *f;

	if (sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY) < 0)
		return READER_FAILED;
	if (sd_journal_has_persistent_files(j) <= 0 && sd_journal_has_runtime_files(j) <= 0)
		return READER_DENIED;
	(void)sd_journal_set_data_threshold(j, 4 * LOGLINE_SIZE);
	match(j, "_SYSTEMD_UNIT", unit);
	if (*invocation)
		match(j, "_SYSTEMD_INVOCATION_ID", invocation);
	(void)sd_journal_add_disjunction(j);
	match(j, "UNIT", unit);
	match(j, "_PID", "1");
	if (*invocation)
		match(j, "INVOCATION_ID", invocation);

	if (sd_journal_seek_tail(j) < 0)
		return READER_FAILED;
	for (int i = 0; i < LOOK_AT_MAX && found.n < n && sd_journal_previous(j) > 0; i++)
		take_entry(j, &found);
	if (tells_of_oom(&found))
		take_oom(j, unit, &found);
	f = fdopen(out, "w");
	if (!f || found.bad)
		return READER_FAILED;
	for (size_t i = found.n; i > 0; i--)
		(void)fprintf(f, "%" PRIu64 " %c%s\n", found.v[i - 1].usec,
		              found.v[i - 1].from_systemd ? 's' : 'u', found.v[i - 1].text);
	return fflush(f) == 0 ? READER_DONE : READER_FAILED;
}

/* The child dies with its parent, leaves no core, and has no handler or blocked signal of the parent's. */
static void become_reader(void)
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

struct journal_tail {
	journal_done_fn *done;
	void *arg;
	pid_t child; /* 0: already waited for */
	int pipe;
	struct buf answer;
	sd_event_source *io, *deadline;
};

/* Ends the child and returns how it ended. */
static int reap(struct journal_tail *t, bool kill_it)
{
	int status = 0;

	if (t->child == 0)
		return 0;
	if (kill_it)
		(void)kill(t->child, SIGKILL);
	while (waitpid(t->child, &status, 0) < 0 && errno == EINTR)
		;
	t->child = 0;
	return status;
}

void journal_tail_cancel(struct journal_tail *t)
{
	if (!t)
		return;
	(void)reap(t, true);
	sd_event_source_disable_unref(t->io);
	sd_event_source_disable_unref(t->deadline);
	close_p(&t->pipe);
	buf_done(&t->answer);
	free(t);
}

static void parse(char *text, struct loglines *ret)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *origin = strchr(line, ' ');
		uint64_t usec;

		if (!origin || !origin[1])
			continue;
		*origin++ = '\0';
		if (num_parse(line, 0, UINT64_MAX, &usec) == 0)
			loglines_add(ret, usec, *origin == 's', origin + 1);
	}
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

static void finish(struct journal_tail *t, int r, struct err *e)
{
	CLEANUP(loglines_done) struct loglines lines = { 0 };
	journal_done_fn *done = t->done;
	void *arg = t->arg;

	if (r == 0 && t->answer.p)
		parse(t->answer.p, &lines);
	if (r == 0 && (t->answer.bad || lines.bad))
		r = err_no_memory(e);
	journal_tail_cancel(t);
	done(r, &lines, e, arg);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct journal_tail *t = arg;
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	struct err e;

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && t->answer.len < ANSWER_MAX) {
		buf_add(&t->answer, chunk, (size_t)n);
		return 0;
	}
	finish(t, judge(reap(t, n > 0), &e), &e);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct journal_tail *t = arg;
	struct err e;

	(void)s;
	(void)usec;
	finish(t, err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "the journal could not be read within 2 s"), &e);
	return 0;
}

static int start(struct journal_tail *t, sd_event *loop, const char *unit, const char *invocation, size_t n,
                 struct err *e)
{
	CLEANUP(close_p) int out = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	t->pipe = fds[0];
	out = fds[1];
	t->child = fork();
	if (t->child < 0) {
		t->child = 0;
		return err_sys(e, errno, "cannot make a process");
	}
	if (t->child == 0) {
		become_reader();
		_exit(reader(out, unit, invocation, n));
	}
	(void)fcntl(t->pipe, F_SETFL, O_NONBLOCK);
	r = sd_event_add_io(loop, &t->io, t->pipe, EPOLLIN, on_readable, t);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &t->deadline, CLOCK_MONOTONIC, DEADLINE_USEC, 10000,
		                               on_deadline, t);
	return r < 0 ? err_sys(e, -r, "cannot wait for the journal") : 0;
}

int journal_tail(sd_event *loop, const char *unit, const char *invocation, size_t n, journal_done_fn *done,
                 void *arg, struct journal_tail **ret, struct err *e)
{
	struct journal_tail *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_no_memory(e);
	t->done = done;
	t->arg = arg;
	t->pipe = -1;
	r = start(t, loop, unit, invocation, n, e);
	if (r < 0) {
		journal_tail_cancel(t);
		return r;
	}
	*ret = t;
	return 0;
}

/* A child for each machine, since entering one changes the process that does. It gets a pipe for the output
 * and one for what could not be done; when it dies, so does the command (enter.h). */
#include "engine/everywhere.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gate.h"
#include "base/num.h"
#include "base/process.h"
#include "base/strs.h"
#include "drivers/enter.h"
#include "drivers/machined_ask.h"

#define ENDING_LIMIT (2 * 1000000ULL) /* for output that others still hold open */

struct one {
	struct everywhere *all;
	struct everywhere_result result;
	pid_t pid;
	int process, output, failure; /* a pidfd, and our ends of the pipes; -1 */
	bool late;                    /* it was killed at its deadline */
	sd_event_source *process_io, *output_io, *timer;
};

struct everywhere {
	sd_event *loop;
	struct strs argv;
	uint64_t limit_usec;
	everywhere_changed_fn *changed;
	void *arg;
	struct one *v;
	size_t n, n_running, n_ended;
	sd_event_source *first;
};

static void begin_more(struct everywhere *w);

/* ---- the child */

/* What the shell in there says last: systemd-machined gives a pty, and tells no exit status. */
#define LAST_SIZE 8 /* "\n\036255" */

struct tail { /* what was read last and is not passed on yet */
	char bytes[LAST_SIZE + 4096];
	size_t n;
};

static bool pass_on(struct tail *t, const char *bytes, size_t n)
{
	size_t all = t->n + n, more = all > LAST_SIZE ? all - LAST_SIZE : 0;

	memcpy(t->bytes + t->n, bytes, n);
	if (write(STDOUT_FILENO, t->bytes, more) < 0)
		return false;
	memmove(t->bytes, t->bytes + more, all - more);
	t->n = all - more;
	return true;
}

static int read_last(struct tail *t, const char *name, struct err *e)
{
	char *mark = memrchr(t->bytes, '\036', t->n);
	size_t kept = mark && mark > t->bytes && mark[-1] == '\n' ? (size_t)(mark - 1 - t->bytes) : t->n;
	uint64_t status;

	t->bytes[t->n] = '\0';
	(void)!write(STDOUT_FILENO, t->bytes, kept);
	if (kept == t->n || num_parse(mark + 1, 0, 255, &status) < 0)
		return err_set(e, STATUS_FAILED, EPIPE, "%s: how the command ended is not known", name);
	return (int)status;
}

static int run_by_machined(const char *name, char *const argv[], struct err *e)
{
	char sh[] = "/bin/sh", c[] = "-c",
	     script[] = "stty -opost -echo 2>/dev/null; \"$@\"; printf '\\n\\036%d' $?";
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(close_p) int pty = -1;
	struct tail last = { .n = 0 };
	char bytes[4096];
	ssize_t n;
	int r;

	strs_add(&words, sh);
	strs_add(&words, sh);
	strs_add(&words, c);
	strs_add(&words, script);
	strs_add(&words, "machdeck");
	for (size_t i = 0; argv[i]; i++)
		strs_add(&words, argv[i]);
	if (words.bad)
		return err_no_memory(e);
	r = machined_await(MACHINED_SHELL, name, words.v, &pty, e);
	if (r < 0)
		return r;
	(void)fcntl(pty, F_SETFL, 0);
	while ((n = read(pty, bytes, sizeof(bytes))) > 0)
		if (!pass_on(&last, bytes, (size_t)n))
			break;
	return read_last(&last, name, e);
}

static _Noreturn void child(const char *name, char *const argv[], int output, int failure)
{
	struct err e = { 0 };
	sigset_t none;
	int null, r;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setsid(); /* our terminal is not its own, nor is a ^C there */
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    dup3(failure, 3, O_CLOEXEC) < 0)
		_exit(STATUS_SYSTEM);
	(void)close_range(4, ~0U, 0);
	r = geteuid() == 0 ? enter_run(name, argv, -1, &e) : run_by_machined(name, argv, &e);
	if (r >= 0)
		_exit(r);
	e.status = e.status ? e.status : STATUS_SYSTEM;
	(void)!write(3, &e, sizeof(e));
	_exit((int)e.status);
}

/* ---- its end */

static void close_one(struct one *o)
{
	o->process_io = sd_event_source_disable_unref(o->process_io);
	o->output_io = sd_event_source_disable_unref(o->output_io);
	o->timer = sd_event_source_disable_unref(o->timer);
	close_p(&o->process);
	close_p(&o->output);
	close_p(&o->failure);
	o->process = o->output = o->failure = -1;
}

static void tell(struct one *o)
{
	o->all->changed(o->all, (size_t)(o - o->all->v), o->all->arg);
}

static void end(struct one *o)
{
	struct everywhere *w = o->all;

	close_one(o);
	o->result.ended = true;
	o->result.ended_usec = clock_usec(CLOCK_MONOTONIC);
	w->n_ended++;
	if (o->result.begun)
		w->n_running--;
	tell(o);
	begin_more(w);
}

static void set_status(struct one *o)
{
	struct everywhere_result *x = &o->result;
	siginfo_t how = { 0 };

	if (waitid(P_PID, (id_t)o->pid, &how, WEXITED | WNOHANG) < 0)
		x->status = err_sys(&x->e, errno, "%s: cannot wait for the command", x->name);
	else if (o->late)
		x->status = err_set(&x->e, STATUS_DEADLINE, ETIMEDOUT, "%s: it did not end within %ju s",
		                    x->name, (uintmax_t)(o->all->limit_usec / 1000000));
	else if (read(o->failure, &x->e, sizeof(x->e)) == sizeof(x->e))
		x->status = x->e.status == (enum status)127 ? 127 : -EIO;
	else
		x->status = how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;
}

static void take_output(struct one *o, const char *bytes, size_t n)
{
	struct buf *b = &o->result.output;
	size_t room = EVERYWHERE_OUTPUT_MAX - b->len;

	buf_add(b, bytes, n < room ? n : room);
	o->result.cut |= n > room;
}

/* Returns false when there is no more to come. */
static bool read_output(struct one *o)
{
	char bytes[16384];
	ssize_t n = read(o->output, bytes, sizeof(bytes));

	if (n > 0)
		take_output(o, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static int on_output(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct one *o = arg;

	(void)s, (void)fd, (void)events;
	if (read_output(o)) {
		tell(o);
		return 0;
	}
	o->output_io = sd_event_source_disable_unref(o->output_io);
	if (o->process < 0)
		end(o);
	return 0;
}

/* The command has ended; what it started may hold its output open for ever. */
static int on_process(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct one *o = arg;

	(void)s, (void)fd, (void)events;
	set_status(o);
	o->process_io = sd_event_source_disable_unref(o->process_io);
	close_p(&o->process);
	o->process = -1;
	if (!o->output_io || o->late) {
		end(o);
		return 0;
	}
	(void)sd_event_source_set_time_relative(o->timer, ENDING_LIMIT);
	(void)sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
	return 0;
}

static void kill_one(const struct one *o)
{
	(void)syscall(SYS_pidfd_send_signal, o->process, SIGKILL, NULL, 0);
}

static int on_timer(sd_event_source *s, uint64_t now, void *arg)
{
	struct one *o = arg;

	(void)s, (void)now;
	if (o->process < 0) {
		end(o);
		return 0;
	}
	o->late = true;
	kill_one(o);
	return 0;
}

/* ---- its beginning */

static int fork_one(struct one *o)
{
	int output[2], failure[2], r;

	if (pipe2(output, O_CLOEXEC) < 0)
		return -errno;
	o->output = output[0];
	if (pipe2(failure, O_CLOEXEC) < 0) {
		close(output[1]);
		return -errno;
	}
	o->failure = failure[0];
	o->pid = fork();
	if (o->pid == 0)
		child(o->result.name, o->all->argv.v, output[1], failure[1]);
	close(output[1]);
	close(failure[1]);
	if (o->pid < 0)
		return -EAGAIN;
	(void)fcntl(o->output, F_SETFL, O_NONBLOCK);
	(void)fcntl(o->failure, F_SETFL, O_NONBLOCK);
	o->process = process_open(o->pid);
	if (o->process >= 0)
		return 0;
	r = -errno;
	(void)kill(o->pid, SIGKILL);
	return r;
}

static int begin_one(struct one *o)
{
	sd_event *loop = o->all->loop;
	int r = fork_one(o);

	if (r >= 0)
		r = sd_event_add_io(loop, &o->process_io, o->process, EPOLLIN, on_process, o);
	if (r >= 0)
		r = sd_event_add_io(loop, &o->output_io, o->output, EPOLLIN, on_output, o);
	/* First what it said, then that it ended. */
	if (r >= 0)
		r = sd_event_source_set_priority(o->process_io, SD_EVENT_PRIORITY_NORMAL + 10);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &o->timer, CLOCK_MONOTONIC, o->all->limit_usec, 1000,
		                               on_timer, o);
	return r;
}

static void begin_more(struct everywhere *w)
{
	for (size_t i = 0; i < w->n && w->n_running < EVERYWHERE_AT_ONCE; i++) {
		struct one *o = &w->v[i];
		int r;

		if (o->result.begun || o->result.ended)
			continue;
		o->result.begun = true;
		o->result.began_usec = clock_usec(CLOCK_MONOTONIC);
		w->n_running++;
		r = begin_one(o);
		if (r < 0) {
			o->result.status =
				err_sys(&o->result.e, -r, "%s: cannot start a process", o->result.name);
			end(o);
			return; /* which came back here */
		}
		tell(o);
	}
}

static int on_first(sd_event_source *s, void *arg)
{
	(void)s;
	begin_more(arg);
	return 0;
}

/* ---- the face */

int everywhere_begin(sd_event *loop, const char *const *names, size_t n, char *const argv[],
                     uint64_t limit_usec, everywhere_changed_fn *changed, void *arg, struct everywhere **ret,
                     struct err *e)
{
	struct everywhere *w;
	int r = gate_ask(e, "cannot run a command in machines");

	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_no_memory(e);
	*w = (struct everywhere){
		.loop = loop, .limit_usec = limit_usec, .changed = changed, .arg = arg, .n = n
	};
	for (size_t i = 0; argv[i]; i++)
		strs_add(&w->argv, argv[i]);
	w->v = calloc(n + 1, sizeof(*w->v));
	for (size_t i = 0; w->v && i < n; i++) {
		w->v[i] = (struct one){ .all = w, .process = -1, .output = -1, .failure = -1 };
		(void)snprintf(w->v[i].result.name, sizeof(w->v[i].result.name), "%s", names[i]);
	}
	r = w->v && !w->argv.bad ? sd_event_add_defer(loop, &w->first, on_first, w) : -ENOMEM;
	if (r < 0) {
		everywhere_free(w);
		return err_no_memory(e);
	}
	*ret = w;
	return 0;
}

const struct everywhere_result *everywhere_result(const struct everywhere *w, size_t i)
{
	return &w->v[i].result;
}

bool everywhere_ended(const struct everywhere *w)
{
	return w->n_ended == w->n;
}

static int on_reaped(sd_event_source *s, const siginfo_t *how, void *arg)
{
	(void)s, (void)how, (void)arg;
	return 0;
}

/* A killed child is waited for when it has ended, not now. */
static void leave_to_loop(struct everywhere *w, struct one *o)
{
	sd_event_source *s = NULL;

	if (sd_event_add_child_pidfd(w->loop, &s, o->process, WEXITED, on_reaped, NULL) < 0)
		return;
	(void)sd_event_source_set_child_pidfd_own(s, true);
	o->process = -1;
	(void)sd_event_source_set_floating(s, true);
	sd_event_source_unref(s);
}

void everywhere_free(struct everywhere *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->v && i < w->n; i++) {
		if (w->v[i].process >= 0) {
			kill_one(&w->v[i]);
			leave_to_loop(w, &w->v[i]);
		}
		close_one(&w->v[i]);
		buf_done(&w->v[i].result.output);
	}
	sd_event_source_disable_unref(w->first);
	strs_done(&w->argv);
	free(w->v);
	free(w);
}

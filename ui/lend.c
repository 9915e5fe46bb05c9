#include "ui/lend.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "engine/session.h"

/* What the child does with the terminal; returns its exit status. */
typedef int lend_task_fn(const void *what);

struct lend {
	struct terminal *term;
	pid_t pid;
	int fd; /* pidfd */
	sd_event_source *ended;
	lend_done_fn *done;
	void *arg;
};

/* ---- in the child */

static void wait_for_a_key(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char byte;

	fputs("Press Enter to go back to machdeck.\n", stderr);
	if (poll(&in, 1, -1) > 0)
		(void)!read(STDIN_FILENO, &byte, 1);
}

static void say(const char *sentence)
{
	fprintf(stderr, "%s\n", sentence);
}

struct session {
	const char *name;
	bool login;
};

static int run_session(const void *what)
{
	const struct session *s = what;
	struct err e = { 0 };
	int r = s->login ? session_login(s->name, say, &e) : session_shell(s->name, say, &e);

	if (r >= 0)
		return r;
	fprintf(stderr, "machdeck: %s\n", e.text);
	wait_for_a_key();
	return STATUS_FAILED;
}

/* As root no program of the caller's choice, and none that starts others (CVE-2023-26604). */
static int run_pager(const void *what)
{
	const char *wanted = geteuid() == 0 ? NULL : getenv("SYSTEMD_PAGER");

	if (!wanted && geteuid() != 0)
		wanted = getenv("PAGER");
	if (dup2(*(const int *)what, STDIN_FILENO) < 0)
		return STATUS_SYSTEM;
	setenv("LESSSECURE", "1", 1);
	setenv("LESS", "FRSXMK", 1);
	if (wanted && *wanted)
		execlp("sh", "sh", "-c", wanted, (char *)NULL);
	execlp("less", "less", (char *)NULL);
	execlp("more", "more", (char *)NULL);
	fputs("machdeck: there is no pager: install less\n", stderr);
	return STATUS_FAILED;
}

static int run_editor(const void *what)
{
	int status = STATUS_SYSTEM;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/proc/self/exe", "machdeck", "edit", (const char *)what, (char *)NULL);
		_exit(STATUS_SYSTEM);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	wait_for_a_key();
	return status == 0 ? STATUS_DONE : STATUS_FAILED;
}

static void become_ordinary(void)
{
	sigset_t none;

	(void)setpgid(0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- in the dashboard */

void lend_free(struct lend *l)
{
	if (!l)
		return;
	if (l->fd >= 0 && l->pid > 0) {
		(void)kill(-l->pid, SIGHUP);
		(void)kill(-l->pid, SIGCONT);
	}
	sd_event_source_disable_unref(l->ended);
	close_p(&l->fd);
	free(l);
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct lend *l = arg;
	int status = 0;

	(void)source, (void)fd, (void)events;
	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	l->pid = 0;
	l->done(status, NULL, l->arg);
	lend_free(l);
	return 0;
}

static int lend(sd_event *loop, struct terminal *t, lend_task_fn *task, const void *what, lend_done_fn *done,
                void *arg, struct lend **ret, struct err *e)
{
	struct lend *l = calloc(1, sizeof(*l));
	int r = 0;

	if (!l)
		return err_no_memory(e);
	*l = (struct lend){ .term = t, .fd = -1, .done = done, .arg = arg };
	term_lend(t);
	l->pid = fork();
	if (l->pid == 0) {
		become_ordinary();
		_exit(task(what));
	}
	if (l->pid > 0)
		l->fd = process_open(l->pid);
	if (l->fd < 0)
		r = err_sys(e, errno, "cannot start a child for the terminal");
	if (r >= 0)
		r = term_lend_to(t, l->pid, e);
	if (r >= 0) {
		r = sd_event_add_io(loop, &l->ended, l->fd, EPOLLIN, on_ended, l);
		if (r < 0)
			(void)err_sys(e, -r, "cannot wait for a child");
	}
	if (r < 0) {
		lend_free(l);
		(void)term_take_back(t);
		return r;
	}
	*ret = l;
	return 0;
}

int lend_session(sd_event *loop, struct terminal *t, const char *name, bool login, lend_done_fn *done,
                 void *arg, struct lend **ret, struct err *e)
{
	const struct session s = { name, login };

	return lend(loop, t, run_session, &s, done, arg, ret, e);
}

int lend_pager(sd_event *loop, struct terminal *t, const struct buf *text, lend_done_fn *done, void *arg,
               struct lend **ret, struct err *e)
{
	CLEANUP(close_p) int fd = memfd_create("machdeck", MFD_CLOEXEC);

	if (fd < 0 || write(fd, buf_text(text), text->len) != (ssize_t)text->len ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "cannot hand the text to a pager");
	return lend(loop, t, run_pager, &fd, done, arg, ret, e);
}

int lend_editor(sd_event *loop, struct terminal *t, const char *name, lend_done_fn *done, void *arg,
                struct lend **ret, struct err *e)
{
	return lend(loop, t, run_editor, name, done, arg, ret, e);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ui/restore.h"
#include "ui/term.h"
#include "ui/termseq.h"

#define DEADLINE_MSEC 10000

static struct terminal *term;

/* What a child does on a terminal of its own; its return value is the exit status. */
typedef int scene_fn(void);

static int opened(const char *type)
{
	struct err e = { 0 };

	if (type)
		setenv("TERM", type, 1);
	else
		unsetenv("TERM");
	return term_open(eventfd(0, EFD_CLOEXEC), &term, &e);
}

static void play(scene_fn *scene)
{
	static const char *const names[] = { "NO_COLOR", "SYSTEMD_COLORS", "TMUX" };

	for (size_t i = 0; i < COUNT(names); i++)
		unsetenv(names[i]);
	signal(SIGTTOU, SIG_DFL);
	_exit(scene());
}

/* Runs the scene and returns its status as of wait(); what it wrote is in ret. */
static int run(scene_fn *scene, struct buf *ret)
{
	struct winsize size = { .ws_row = 5, .ws_col = 20 };
	int master, status = 0;
	pid_t child = forkpty(&master, NULL, NULL, &size);

	assert_true(child >= 0);
	if (child == 0)
		play(scene);
	for (;;) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		char bytes[4096];
		ssize_t n = poll(&p, 1, DEADLINE_MSEC) > 0 ? read(master, bytes, sizeof(bytes)) : 0;

		if (n == 0)
			kill(child, SIGKILL);
		if (n <= 0)
			break;
		buf_add(ret, bytes, (size_t)n);
	}
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_exit(scene_fn *scene, struct buf *ret)
{
	int status = run(scene, ret);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status 0x%x", status);
}

static void assert_order(const struct buf *b, const char *first, const char *second)
{
	const char *a = strstr(buf_text(b), first);

	assert_non_null(a);
	assert_non_null(strstr(a, second));
}

static int draw(const char *text, bool repaint)
{
	CLEANUP(grid_done) struct grid g = { 0 };
	struct err e = { 0 };

	if (grid_init(&g, 20, 5, true) < 0)
		return -ENOMEM;
	grid_text(&g, 0, 0, 20, STYLE_BAD, text);
	if (term_draw(term, &g, repaint, &e) < 0)
		return -1;
	while (term_flush(term) == 0)
		;
	return 0;
}

static int scene_modes(void)
{
	if (opened("xterm-256color") < 0 || !term_set_mouse(term, true))
		return 1;
	term_flush(term);
	term_suspend(term);
	term_resume(term);
	term_flush(term);
	term_close(term);
	return 0;
}

static void every_mode_is_set_again_after_a_pause_and_off_at_the_end(void **state)
{
	static const char *const modes[][2] = { { TERMSEQ_PASTE_ON, TERMSEQ_PASTE_OFF },
		                                { TERMSEQ_MOUSE_ON, TERMSEQ_MOUSE_OFF } };
	CLEANUP(buf_done) struct buf out = { 0 };

	(void)state;
	assert_exit(scene_modes, &out);
	for (size_t i = 0; i < COUNT(modes); i++) {
		const char *on = strstr(buf_text(&out), modes[i][0]), *off;

		assert_non_null(on);
		off = strstr(on, modes[i][1]);
		assert_non_null(off);
		on = strstr(off, modes[i][0]);
		assert_non_null(on);
		assert_non_null(strstr(on, modes[i][1]));
	}
}

static int scene_crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	if (opened("xterm-256color") < 0 || !term_set_mouse(term, true))
		return 1;
	term_use_sync(term);
	if (draw("here", true) < 0)
		return 1;
	raise(SIGSEGV);
	return 0;
}

static void every_mode_is_off_after_a_crash(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	int status = run(scene_crash, &out);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_order(&out, "here", TERMSEQ_SYNC_OFF TERMSEQ_MOUSE_OFF);
	assert_order(&out, "here", TERMSEQ_PASTE_OFF);
}

static int scene_sync(void)
{
	if (opened("xterm-256color") < 0 || !term_ask_sync(term))
		return 1;
	term_use_sync(term);
	if (draw("one", true) < 0 || draw("one", false) < 0 || draw("two", false) < 0)
		return 1;
	term_close(term);
	return 0;
}

static void frames_are_framed_only_where_the_terminal_said_so(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 }, plain = { 0 };
	size_t n = 0;

	(void)state;
	assert_exit(scene_sync, &out);
	assert_order(&out, TERMSEQ_SYNC_ASK, TERMSEQ_SYNC_ON);
	for (const char *at = buf_text(&out); (at = strstr(at, TERMSEQ_SYNC_ON)); at++)
		n++;
	assert_int_equal(n, 2); /* nothing for the frame in which nothing changed */
	run(scene_modes, &plain);
	assert_null(strstr(buf_text(&plain), TERMSEQ_SYNC_ON));
}

static int scene_theme(void)
{
	if (opened("xterm-256color") < 0)
		return 1;
	term_set_theme(term, THEME_HIGH_CONTRAST, THEME_COLOR_AUTO);
	if (draw("loud", true) < 0)
		return 2;
	term_set_theme(term, THEME_HIGH_CONTRAST, THEME_COLOR_NEVER);
	if (draw("plain", true) < 0)
		return 3;
	term_close(term);
	return 0;
}

static void a_theme_is_changed_while_it_runs(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };

	(void)state;
	assert_exit(scene_theme, &out);
	assert_order(&out, "48;5;124m", "loud");
	assert_order(&out, "loud", "plain");
	assert_null(strstr(strstr(buf_text(&out), "loud"), "48;5;124m"));
}

static int scene_types(void)
{
	static const char *const lines[] = { "dumb", "../x", "x\033y" };
	struct terminal *t;

	for (size_t i = 0; i < COUNT(lines); i++)
		if (opened(lines[i]) != -ENOTSUP)
			return 1;
	if (opened(NULL) < 0 || !strstr(term_note(term), "is not set: taken for xterm-256color"))
		return 2;
	t = term;
	term_close(t);
	if (opened("xterm-nobody-has") < 0 || !strstr(term_note(term), "'xterm-nobody-has' is not known"))
		return 3;
	term_close(term);
	if (opened("vt100") < 0 || term_note(term) || term_set_mouse(term, true) || term_ask_sync(term) ||
	    term_copy(term, "x", 1))
		return 4;
	term_close(term);
	return 0;
}

static void a_type_that_is_missing_is_guessed_and_a_dumb_one_is_for_lines(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };

	(void)state;
	assert_exit(scene_types, &out);
}

/* The child's child: it has the terminal, cooked, and stderr is the terminal. It reads at once, too early. */
static int borrower(void)
{
	struct termios now;
	char c;

	signal(SIGTTIN, SIG_DFL);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	(void)!read(STDIN_FILENO, &c, 1);
	if (tcgetattr(STDIN_FILENO, &now) < 0)
		return 1;
	if (tcgetpgrp(STDIN_FILENO) != getpgrp() || !(now.c_lflag & ICANON) || !isatty(STDERR_FILENO))
		return 2;
	now.c_lflag &= ~(tcflag_t)ECHO; /* left behind by a program that does not tidy up */
	tcsetattr(STDIN_FILENO, TCSANOW, &now);
	return 0;
}

static int scene_lend(void)
{
	struct termios before, after;
	struct err e = { 0 };
	int status = 0;
	pid_t child;

	if (tcgetattr(STDIN_FILENO, &before) < 0 || opened("xterm") < 0)
		return 1;
	term_flush(term);
	term_lend(term);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		_exit(borrower());
	}
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		return 2;
	if (term_lend_to(term, child, &e) < 0)
		return 3;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return 4;
	if (!term_take_back(term) || tcgetpgrp(STDIN_FILENO) != getpgrp() || isatty(STDERR_FILENO))
		return 5;
	if (draw("mine again", true) < 0)
		return 6;
	term_close(term);
	if (tcgetattr(STDIN_FILENO, &after) < 0 || after.c_lflag != before.c_lflag)
		return 7;
	return 0;
}

static void a_child_gets_the_terminal_and_gives_it_back(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };

	(void)state;
	assert_exit(scene_lend, &out);
	assert_order(&out, TERMSEQ_PASTE_OFF, TERMSEQ_PASTE_ON);
	assert_order(&out, TERMSEQ_PASTE_ON, "mine again");
}

static void copied_text_passes_through_what_is_between(void **state)
{
	CLEANUP(buf_done) struct buf xterm = { 0 }, tmux = { 0 }, screen = { 0 }, none = { 0 };
	static char big[TERMSEQ_COPY_MAX + 1];
	size_t ends = 0;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_true(termseq_copy(&xterm, "xterm-256color", false, "10.0.0.2", 8));
	assert_string_equal(buf_text(&xterm), "\x1b]52;c;MTAuMC4wLjI=\a");
	assert_true(termseq_copy(&tmux, "screen-256color", true, "a", 1));
	assert_string_equal(buf_text(&tmux), "\x1b]52;c;YQ==\a\x1bPtmux;\x1b\x1b]52;c;YQ==\a\x1b\\");
	assert_true(termseq_copy(&screen, "screen", false, big, 1000));
	for (const char *at = buf_text(&screen); (at = strstr(at, "\x1b\\")); at++)
		ends++;
	assert_int_equal(ends, (7 + 1336 + 1 + 239) / 240);
	assert_false(termseq_copy(&none, "linux", false, "a", 1));
	assert_false(termseq_copy(&none, "xterm", false, "", 0));
	assert_false(termseq_copy(&none, "xterm", false, big, sizeof(big)));
	assert_int_equal(none.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_is_set_again_after_a_pause_and_off_at_the_end),
		cmocka_unit_test(every_mode_is_off_after_a_crash),
		cmocka_unit_test(frames_are_framed_only_where_the_terminal_said_so),
		cmocka_unit_test(a_theme_is_changed_while_it_runs),
		cmocka_unit_test(a_type_that_is_missing_is_guessed_and_a_dumb_one_is_for_lines),
		cmocka_unit_test(a_child_gets_the_terminal_and_gives_it_back),
		cmocka_unit_test(copied_text_passes_through_what_is_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

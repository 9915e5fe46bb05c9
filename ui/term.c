#include "ui/term.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ui/restore.h"
#include "ui/termseq.h"

#define LAST_WORDS_MSEC 500
#define STDERR_KEPT     4096 /* bytes of what was written to stderr meanwhile that are shown at the end */

struct terminal {
	int fd; /* the terminal, on a file description of our own: O_NONBLOCK does not reach the shell's */
	int memory;                       /* what curses writes to */
	int stderr_memory, stderr_before; /* -1: stderr is no terminal and was left alone */
	FILE *memory_file;
	SCREEN *curses;
	struct termios before, during;
	struct buf enter, leave; /* bytes that take over and give back */
	struct buf out;          /* waits to be sent, from sent on */
	size_t sent;
	uint64_t bytes;   /* ever */
	char type[65];    /* what terminfo knows it as */
	char sync[2][32]; /* what begins and ends a frame; "": nothing */
	bool locale_is_ascii, only_ascii;
	bool taken;  /* it is ours just now */
	bool modern; /* knows the private modes */
	bool mouse;  /* is wanted */
	char note[160];
	attr_t attributes[STYLE_COUNT];
	short pairs[STYLE_COUNT];
};

static bool is_known(const struct terminal *t, const char *name)
{
	int ignored;

	if (setupterm(name, t->memory, &ignored) != OK)
		return false;
	del_curterm(cur_term);
	return true;
}

static int only_lines(struct err *e, const char *name)
{
	return err_set(e, STATUS_UNSAFE_HOST, ENOTSUP,
	               "the terminal type TERM='%.64s' can not show the dashboard (try TERM=xterm, or "
	               "`machdeck list`)",
	               name);
}

/* The type to take it for. One that is not set, or that terminfo does not have, is taken for an xterm, as
 * nearly all of them are. */
static int choose_type(struct terminal *t, struct err *e)
{
	static const char *const guesses[] = { "xterm-256color", "xterm", "vt100" };
	const char *name = getenv("TERM"), *taken = name;
	bool unset = !name || !*name;

	if (!unset && (!termseq_is_name(name) || !strcmp(name, "dumb")))
		return only_lines(e, name);
	for (size_t i = 0; i < COUNT(guesses) && (!taken || !*taken || !is_known(t, taken)); i++) {
		taken = guesses[i];
		(void)snprintf(t->note, sizeof(t->note),
		               unset ? "the terminal type TERM is not set%.0s: taken for %s"
		                     : "the terminal type '%s' is not known here: taken for %s",
		               unset ? "" : name, taken);
	}
	(void)snprintf(t->type, sizeof(t->type), "%s", taken);
	return 0;
}

static int open_curses(struct terminal *t, struct err *e)
{
	struct sigaction stop, size;
	int r = choose_type(t, e);

	if (r < 0)
		return r;
	sigaction(SIGTSTP, NULL, &stop);
	sigaction(SIGWINCH, NULL, &size);
	unsetenv("LINES"); /* the size is the terminal's, not the caller's */
	unsetenv("COLUMNS");
	t->curses = newterm(t->type, t->memory_file, t->memory_file);
	if (!t->curses || !tigetstr("cup") || tigetstr("cup") == (char *)-1)
		return only_lines(e, t->type);
	sigaction(SIGTSTP, &stop, NULL); /* not curses' ways, the loop has its own */
	sigaction(SIGWINCH, &size, NULL);
	nonl();
	return 0;
}

static struct buf *capability_to;

static int put_capability(int byte)
{
	char c = (char)byte;

	buf_add(capability_to, &c, 1);
	return byte;
}

static bool add_capability(struct buf *b, const char *name)
{
	const char *value = tigetstr(name);

	if (!value || value == (char *)-1)
		return false;
	capability_to = b;
	tputs(value, 1, put_capability);
	return true;
}

static void build_enter_and_leave(struct terminal *t)
{
	add_capability(&t->enter, "smcup");
	buf_puts(&t->enter, TERMSEQ_PASTE_ON);
	if (t->modern) {
		buf_puts(&t->leave, "\x1b\\"); /* ends what was broken off in the middle */
		buf_puts(&t->leave, TERMSEQ_SYNC_OFF TERMSEQ_MOUSE_OFF);
	}
	buf_puts(&t->leave, TERMSEQ_PASTE_OFF);
	add_capability(&t->leave, "sgr0");
	add_capability(&t->leave, "op");
	add_capability(&t->leave, "cnorm");
	if (!add_capability(&t->leave, "rmcup"))
		add_capability(&t->leave,
		               "clear"); /* no second screen (linux): not half a list above the prompt */
}

/* terminfo's name for it is tmux's own: user_caps(5), tmux(1) Sync. */
static void find_sync(struct terminal *t)
{
	const char *value = tigetstr("Sync");

	for (int i = 0; i < 2 && value && value != (char *)-1; i++) {
		const char *made = tiparm(value, i + 1);

		(void)snprintf(t->sync[i], sizeof(t->sync[i]), "%s", made ? made : "");
	}
}

static attr_t attributes_of(const struct terminal *t, unsigned attributes)
{
	bool dims =
		strncmp(t->type, "linux", 5) != 0; /* there it is bright black, or the dark blue of some */

	return (attributes & THEME_BOLD ? A_BOLD : 0) | (attributes & THEME_DIM && dims ? A_DIM : 0) |
	       (attributes & THEME_UNDERLINE ? A_UNDERLINE : 0) |
	       (attributes & THEME_REVERSE ? A_REVERSE : 0);
}

void term_set_theme(struct terminal *t, enum theme theme, enum theme_color color)
{
	const struct theme_wishes w = { color, getenv("SYSTEMD_COLORS"), getenv("NO_COLOR"), t->type,
		                        has_colors() ? COLORS : 0 };
	bool colours = has_colors() && start_color() == OK && use_default_colors() == OK;
	int depth = colours ? theme_depth(&w) : 0;

	for (int i = 0; i < STYLE_COUNT; i++) {
		struct look l = theme_look(theme, (enum style)i, depth);

		t->attributes[i] = attributes_of(t, l.attributes);
		t->pairs[i] = 0;
		if ((l.fg >= 0 || l.bg >= 0) && init_pair((short)(i + 1), (short)l.fg, (short)l.bg) == OK)
			t->pairs[i] = (short)(i + 1);
	}
}

/* What curses has written since the last call, appended to to (NULL: dropped). */
static void collect(struct terminal *t, struct buf *to)
{
	off_t size = lseek(t->memory, 0, SEEK_END), at = 0;
	char part[4096];

	while (to && at < size) {
		ssize_t n = pread(t->memory, part, sizeof(part), at);

		if (n <= 0)
			break;
		buf_add(to, part, (size_t)n);
		at += n;
	}
	if (ftruncate(t->memory, 0) < 0 || lseek(t->memory, 0, SEEK_SET) < 0)
		t->out.bad = true;
}

/* Whatever libraries print would be drawn over the screen. */
static void keep_stderr_aside(struct terminal *t)
{
	if (!isatty(STDERR_FILENO))
		return;
	t->stderr_memory = memfd_create("stderr", MFD_CLOEXEC);
	t->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (t->stderr_memory >= 0 && t->stderr_before >= 0)
		dup2(t->stderr_memory, STDERR_FILENO);
}

static void give_stderr_back(struct terminal *t)
{
	char said[STDERR_KEPT];
	ssize_t n;

	if (t->stderr_before < 0 || t->stderr_memory < 0)
		return;
	dup2(t->stderr_before, STDERR_FILENO);
	n = pread(t->stderr_memory, said, sizeof(said), 0);
	if (n > 0)
		fwrite(said, 1, (size_t)n, stderr);
}

static void set_modes(struct terminal *t)
{
	t->during = t->before;
	t->during.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON | BRKINT);
	t->during.c_oflag &= ~(tcflag_t)OPOST;
	t->during.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	t->during.c_cc[VMIN] = 1;
	t->during.c_cc[VTIME] = 0;
	t->during.c_cc[VINTR] = _POSIX_VDISABLE; /* Ctrl-C is a key like others: it closes a question first */
}

/* The terminal behind stdout on a description of our own. */
static int open_terminal(void)
{
	int fd = open("/proc/self/fd/1", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) /* somebody else's terminal, after su: it still is ours to control */
		fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static void term_free(struct terminal *t)
{
	if (t->curses)
		delscreen(t->curses);
	if (t->memory_file)
		fclose(t->memory_file);
	else if (t->memory >= 0)
		close(t->memory);
	close_p(&t->fd);
	close_p(&t->stderr_memory);
	close_p(&t->stderr_before);
	buf_done(&t->enter);
	buf_done(&t->leave);
	buf_done(&t->out);
	free(t);
}

static void term_free_p(struct terminal **t)
{
	if (*t)
		term_free(*t);
}

int term_open(int wake_fd, struct terminal **ret, struct err *e)
{
	CLEANUP(term_free_p) struct terminal *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_no_memory(e);
	t->stderr_memory = t->stderr_before = -1;
	t->fd = open_terminal();
	t->memory = memfd_create("screen", MFD_CLOEXEC);
	t->memory_file = t->memory >= 0 ? fdopen(t->memory, "r+") : NULL;
	if (t->fd < 0 || !t->memory_file || tcgetattr(t->fd, &t->before) < 0)
		return err_sys(e, errno, "cannot take over the terminal");
	t->locale_is_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	r = open_curses(t, e);
	if (r < 0)
		return r;
	t->modern = termseq_is_modern(t->type);
	term_set_theme(t, THEME_DEFAULT, THEME_COLOR_AUTO);
	find_sync(t);
	build_enter_and_leave(t);
	doupdate();
	collect(t, NULL); /* taking over is done by what we built: it must be undone in handlers too */
	if (t->enter.bad || t->leave.bad)
		return err_no_memory(e);
	if (t->leave.len > RESTORE_BYTES_MAX)
		return only_lines(e, t->type);

	keep_stderr_aside(t);
	set_modes(t);
	restore_arm(t->fd, &t->before, t->leave.p, t->leave.len, wake_fd);
	tcsetattr(t->fd, TCSANOW, &t->during); /* in the background this stops us, as it does everybody */
	term_resume(t);
	*ret = take_p(&t);
	return 0;
}

static void give_back(struct terminal *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLOUT };

	if (!t->taken || restore_is_background(t->fd)) /* the shell has it already */
		return;
	t->taken = false;
	t->out.len = t->sent = 0;
	buf_add(&t->out, t->leave.p, t->leave.len);
	while (term_flush(t) == 0)
		if (poll(&p, 1, LAST_WORDS_MSEC) <= 0)
			break;
	tcsetattr(t->fd, TCSANOW, &t->before);
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	give_back(t);
	restore_disarm();
	give_stderr_back(t);
	term_free(t);
}

const char *term_note(const struct terminal *t)
{
	return t->note[0] ? t->note : NULL;
}

void term_set_ascii(struct terminal *t, bool ascii)
{
	t->only_ascii = ascii;
}

bool term_is_ascii(const struct terminal *t)
{
	return t->locale_is_ascii || t->only_ascii;
}

bool term_has_blocks(const struct terminal *t)
{
	return !term_is_ascii(t) && strncmp(t->type, "linux", 5) != 0; /* 512 glyphs, two of the bars */
}

/* A mode that is on or off, now and after each time the terminal was given away. */
bool term_set_mouse(struct terminal *t, bool on)
{
	if (!t->modern)
		return false;
	if (t->mouse != on && t->taken)
		buf_puts(&t->out, on ? TERMSEQ_MOUSE_ON : TERMSEQ_MOUSE_OFF);
	t->mouse = on;
	return true;
}

bool term_ask_sync(struct terminal *t)
{
	if (!t->modern || t->sync[0][0] || !t->taken)
		return false;
	buf_puts(&t->out, TERMSEQ_SYNC_ASK);
	return true;
}

void term_use_sync(struct terminal *t)
{
	(void)snprintf(t->sync[0], sizeof(t->sync[0]), "%s", TERMSEQ_SYNC_ON);
	(void)snprintf(t->sync[1], sizeof(t->sync[1]), "%s", TERMSEQ_SYNC_OFF);
}

bool term_copy(struct terminal *t, const char *text, size_t len)
{
	return t->taken && termseq_copy(&t->out, t->type, getenv("TMUX") != NULL, text, len);
}

int term_input_fd(const struct terminal *t)
{
	(void)t;
	return STDIN_FILENO;
}

int term_output_fd(const struct terminal *t)
{
	return t->fd;
}

void term_size(const struct terminal *t, int *ret_w, int *ret_h)
{
	struct winsize size = { 0 };

	if (ioctl(t->fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){ .ws_col = 80, .ws_row = 24 }; /* a serial line does not know */
	*ret_w = size.ws_col < GRID_MAX ? size.ws_col : GRID_MAX;
	*ret_h = size.ws_row < GRID_MAX ? size.ws_row : GRID_MAX;
}

size_t term_read(struct terminal *t, unsigned char *ret, size_t size)
{
	ssize_t n;

	do
		n = read(term_input_fd(t), ret, size);
	while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

bool term_has_input(const struct terminal *t)
{
	struct pollfd p = { .fd = term_input_fd(t), .events = POLLIN };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

/* A row for curses; ret has room for all its cells. Returns how many there are: a wide character is one. What
 * the C library takes for another width than we do would shift the line, and becomes "?". */
static int row_for_curses(const struct terminal *t, const struct grid *g, int y, cchar_t *ret)
{
	const struct cell *row = &g->cells[(size_t)y * (size_t)g->w];
	int n = 0;

	for (int x = 0; x < g->w; x++) {
		attr_t attributes = t->attributes[row[x].style] ^ (row[x].picked ? A_REVERSE : A_NORMAL);
		int width = x + 1 < g->w && !row[x + 1].text[0] ? 2 : 1;
		wchar_t text[2] = { L'?' };
		uint32_t code = 0;

		if (text_decode(row[x].text, strlen(row[x].text), &code) > 0 &&
		    wcwidth((wchar_t)code) == width)
			text[0] = (wchar_t)code;
		setcchar(&ret[n++], text, attributes, t->pairs[row[x].style], NULL);
		if (width == 2 && text[0] != L'?')
			x++;
	}
	return n;
}

int term_draw(struct terminal *t, const struct grid *g, bool repaint, struct err *e)
{
	cchar_t cells[GRID_MAX];
	size_t begun, opened;

	if (LINES != g->h || COLS != g->w)
		resizeterm(g->h, g->w);
	for (int y = 0; y < g->h; y++) {
		int n = row_for_curses(t, g, y, cells);

		mvadd_wchnstr(y, 0, cells, n);
	}
	move(g->cursor_y, g->cursor_x);
	if (repaint)
		clearok(curscr, TRUE);
	refresh();
	begun = t->out.len;
	buf_puts(&t->out, t->sync[0]);
	opened = t->out.len;
	collect(t, &t->out);
	if (t->out.len > opened)
		buf_puts(&t->out, t->sync[1]);
	else
		t->out.len = begun; /* nothing changed */
	return t->out.bad ? err_no_memory(e) : 0;
}

void term_bell(struct terminal *t)
{
	buf_puts(&t->out, "\a");
}

uint64_t term_bytes(const struct terminal *t)
{
	return t->bytes;
}

int term_flush(struct terminal *t)
{
	while (t->sent < t->out.len) {
		ssize_t n = write(t->fd, t->out.p + t->sent, t->out.len - t->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return -errno;
		t->sent += (size_t)n;
		t->bytes += (uint64_t)n;
	}
	t->sent = t->out.len = 0;
	return 1;
}

void term_suspend(struct terminal *t)
{
	give_back(t);
	t->taken = false;
}

bool term_resume(struct terminal *t)
{
	if (restore_is_background(t->fd))
		return false;
	tcsetattr(t->fd, TCSANOW, &t->during);
	if (!t->taken) { /* twice, and xterm would forget where its cursor was before the first time */
		buf_add(&t->out, t->enter.p, t->enter.len);
		buf_puts(&t->out, t->mouse ? TERMSEQ_MOUSE_ON : "");
	}
	t->taken = true;
	return true;
}

/* Makes group the foreground's, also when we are in the background ourselves. */
static int give_foreground(const struct terminal *t, pid_t group)
{
	sigset_t ttou, before;
	int r;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &before);
	r = tcsetpgrp(t->fd, group) < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

void term_lend(struct terminal *t)
{
	term_suspend(t);
	if (t->stderr_before >= 0)
		dup2(t->stderr_before, STDERR_FILENO);
}

int term_lend_to(struct terminal *t, pid_t group, struct err *e)
{
	int r = give_foreground(t, group);

	if (r < 0)
		return err_sys(e, -r, "cannot give the terminal to another program");
	kill(-group, SIGCONT);
	return 0;
}

bool term_take_back(struct terminal *t)
{
	if (t->stderr_before >= 0 && t->stderr_memory >= 0)
		dup2(t->stderr_memory, STDERR_FILENO);
	(void)give_foreground(t, getpgrp()); /* fails where there are no jobs: then it always was ours */
	return term_resume(t);
}

/* ptydrive - runs a program on a terminal of its own and measures it:
 *
 *	ptydrive [-s 80x24] [-t TERM] [-T] PROGRAM [ARG]... <SCRIPT
 *
 * -T: without TERM. Prints a line "NAME VALUE" a figure. Ends with 1 when something did not hold, and says
 * what. Any program will do. The script, a line a command:
 *
 *	start                  start it (the first command does, except deaths)
 *	first TEXT             until TEXT is on the screen: first_byte_ms, first_data_ms
 *	wait TEXT, gone TEXT   until the screen has it, has it no more; 10 s
 *	press KEY...           one after the other, each answered: k Up Enter Esc Tab Space C-l F1 \x1b[<0;1;1M
 *	write KEY...           the same at once, without waiting for an answer
 *	key NAME TIMES KEY...  these keys in turn: NAME_bytes, _bytes_max, _first_ms, _last_ms, _last_ms_max
 *	toggle NAME TIMES KEY TEXT  until KEY brings TEXT onto the screen, and Esc takes it away, whatever else is
 *	                       written meanwhile: NAME_ms, NAME_ms_max
 *	idle NAME SECONDS      NAME_cpu_percent, _wakeups_per_s, _bytes_per_s, _children
 *	rest MSEC              read what comes
 *	memory NAME            NAME_rss_mb, NAME_private_mb
 *	event NAME TEXT<TAB>CMD  from the end of that shell command until TEXT is there: NAME_ms
 *	size WxH               resize
 *	storm NAME TIMES       so many random sizes, as fast as can be
 *	random NAME TIMES      so many random keys, pastes, clicks and broken sequences
 *	paste BYTES TEXT       paste so many bytes, the text again and again; \r is Enter
 *	stall, read            stop reading what it writes; go on
 *	slow NAME BYTES SECONDS  read no more than so many bytes a second: NAME_bytes
 *	signal TERM            send it one
 *	close                  close the terminal, as a lost ssh does
 *	ended NAME SECONDS     it must end by then: NAME_ms, NAME_status (128+n: by signal n)
 *	restored               it ended, and the terminal is as before: its settings, no mode left on
 *	audit NAME             NAME_sequences, NAME_unknown
 *	deaths NAME SIGNAL TIMES  start it, kill it at a random moment, see whether the terminal is restored:
 *	                       NAME_restored, NAME_ms_max
 *	print                  the screen, to stderr
 *	sh CMD                 a shell command, with the program's PID in $PID */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

#include "base/cleanup.h"
#include "tests/tools/escapes.h"

#define PATIENCE_MSEC 10000
#define QUIET_MSEC    25 /* nothing came for so long: the answer to a key is complete */
#define SAMPLES_MAX   1000
#define CELLS_MAX     (500 * 200)

struct session {
	char *const *program;
	const char *term;
	int w, h;
	int master, slave;
	struct termios before;
	pid_t pid; /* 0: it does not run */
	int status;
	double started, first_byte, ended;
	VTerm *vt;
	VTermScreen *screen;
	struct escapes escapes;
	unsigned long bytes;
	double last_byte;
	bool stalled;
	size_t take_max; /* bytes at once; 0: all that is there */
	int line;
};

static bool failed;

static double now_msec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void __attribute__((format(printf, 2, 3))) complain(const struct session *s, const char *format, ...)
{
	va_list ap;

	failed = true;
	fprintf(stderr, "ptydrive: line %d: ", s->line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void figure(const char *name, const char *what, double value)
{
	printf("%s%s %.3f\n", name, what, value);
	fflush(stdout);
}

/* ---- the terminal */

static void new_screen(struct session *s)
{
	if (s->vt)
		vterm_free(s->vt);
	s->vt = vterm_new(s->h, s->w);
	vterm_set_utf8(s->vt, 1);
	s->screen = vterm_obtain_screen(s->vt);
	vterm_screen_enable_altscreen(s->screen, 1);
	vterm_screen_reset(s->screen, 1);
	s->escapes = (struct escapes){ 0 };
}

static const char *screen_text(const struct session *s)
{
	static char text[4 * CELLS_MAX + 1];
	size_t n = 0;

	for (int y = 0; y < s->h && n + 8192 < sizeof(text); y++) {
		n += vterm_screen_get_text(s->screen, text + n, sizeof(text) - n - 2,
		                           (VTermRect){ .start_row = y, .end_row = y + 1, .end_col = s->w });
		text[n++] = '\n';
	}
	text[n] = '\0';
	return text;
}

static bool shows(const struct session *s, const char *text)
{
	return strstr(screen_text(s), text);
}

static void print_screen(const struct session *s)
{
	fprintf(stderr, "--- %dx%d\n%s---\n", s->w, s->h, screen_text(s));
}

/* What the terminal answers to questions goes back. */
static void answer(struct session *s)
{
	char bytes[256];
	size_t n = vterm_output_read(s->vt, bytes, sizeof(bytes));

	if (n > 0 && write(s->master, bytes, n) < 0 && errno != EAGAIN)
		complain(s, "cannot answer: %s", strerror(errno));
}

static bool reap(struct session *s)
{
	if (s->pid && waitpid(s->pid, &s->status, WNOHANG) == s->pid) {
		s->pid = 0;
		s->ended = now_msec();
	}
	return !s->pid;
}

/* Take what came within msec; false: nothing did. */
static bool take(struct session *s, double msec)
{
	struct pollfd p = { .fd = s->stalled ? -1 : s->master, .events = POLLIN };
	char bytes[65536];
	ssize_t n;

	if (poll(&p, 1, msec < 1 ? 1 : (int)msec) <= 0 || !(p.revents & POLLIN))
		return false;
	n = read(s->master, bytes, s->take_max ? s->take_max : sizeof(bytes));
	if (n <= 0)
		return false;
	s->last_byte = now_msec();
	if (s->bytes == 0)
		s->first_byte = s->last_byte;
	s->bytes += (unsigned long)n;
	escapes_read(&s->escapes, bytes, (size_t)n);
	(void)vterm_input_write(s->vt, bytes, (size_t)n);
	answer(s);
	return true;
}

/* Read until nothing came for a while, or until the deadline. */
static void settle(struct session *s, double quiet_msec)
{
	double until = now_msec() + PATIENCE_MSEC;

	while (take(s, quiet_msec) && now_msec() < until)
		;
}

static void rest(struct session *s, double msec)
{
	double until = now_msec() + msec;

	while (now_msec() < until)
		(void)take(s, until - now_msec());
}

static bool await(struct session *s, const char *text, bool there)
{
	double until = now_msec() + PATIENCE_MSEC;

	while (shows(s, text) != there) {
		if (now_msec() < until && !reap(s)) {
			(void)take(s, 20);
			continue;
		}
		complain(s, s->pid ? "'%s' did not %s" : "it ended; '%s' did not %s", text,
		         there ? "come" : "go");
		print_screen(s);
		return false;
	}
	return true;
}

/* ---- the program */

static void run_program(const struct session *s, int slave)
{
	setsid();
	ioctl(slave, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		dup2(slave, fd);
	if (slave > 2)
		close(slave);
	if (s->term)
		setenv("TERM", s->term, 1);
	else
		unsetenv("TERM");
	unsetenv("TMUX");
	unsetenv("LINES");
	unsetenv("COLUMNS");
	execvp(s->program[0], s->program);
	fprintf(stderr, "cannot run %s: %s\n", s->program[0], strerror(errno));
	_exit(127);
}

static void start(struct session *s)
{
	struct winsize size = { .ws_row = (unsigned short)s->h, .ws_col = (unsigned short)s->w };

	if (s->pid)
		return;
	close_p(&s->master);
	close_p(&s->slave);
	if (openpty(&s->master, &s->slave, NULL, NULL, &size) < 0) {
		perror("ptydrive: cannot make a terminal");
		exit(71);
	}
	fcntl(s->master, F_SETFD, FD_CLOEXEC);
	fcntl(s->master, F_SETFL, O_NONBLOCK);
	fcntl(s->slave, F_SETFD, FD_CLOEXEC);
	tcgetattr(s->slave, &s->before);
	new_screen(s);
	s->bytes = 0;
	s->status = -1;
	s->stalled = false;
	s->started = now_msec();
	s->pid = fork();
	if (s->pid == 0)
		run_program(s, s->slave);
	if (s->pid < 0) {
		perror("ptydrive: cannot start it");
		exit(71);
	}
}

static bool await_end(struct session *s, double msec)
{
	double until = now_msec() + msec;

	while (!reap(s) && now_msec() < until)
		(void)take(s, 1);
	while (s->master >= 0 && !s->stalled && take(s, 1))
		;
	return !s->pid;
}

static int exit_status(const struct session *s)
{
	return WIFSIGNALED(s->status) ? 128 + WTERMSIG(s->status) : WEXITSTATUS(s->status);
}

/* Why the terminal is not as it was, or NULL. */
static const char *not_restored(const struct session *s)
{
	struct termios after;
	const char *left = escapes_left(&s->escapes);

	if (left)
		return left;
	if (tcgetattr(s->slave, &after) < 0 || after.c_iflag != s->before.c_iflag ||
	    after.c_oflag != s->before.c_oflag || after.c_lflag != s->before.c_lflag ||
	    after.c_cflag != s->before.c_cflag || memcmp(after.c_cc, s->before.c_cc, sizeof(after.c_cc)) != 0)
		return "other settings (stty)";
	return NULL;
}

/* ---- what the kernel knows of it */

static double field_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[256];
	double value = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			value += strtod(line + strlen(name), NULL);
	if (f)
		fclose(f);
	return value;
}

struct used {
	double at_msec, cpu_nsec, switches;
	unsigned long bytes;
};

/* All its threads. */
static struct used used(const struct session *s)
{
	struct used u = { .at_msec = now_msec(), .bytes = s->bytes };
	char path[64 + 256];
	struct dirent *d;

	snprintf(path, sizeof(path), "/proc/%d/task", s->pid);
	CLEANUP(closedir_p) DIR *tasks = opendir(path);
	while (tasks && (d = readdir(tasks))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", s->pid, d->d_name);
		u.cpu_nsec += field_of(path, "");
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", s->pid, d->d_name);
		u.switches += field_of(path, "voluntary_ctxt_switches:");
	}
	return u;
}

static unsigned children(const struct session *s)
{
	char path[64];
	unsigned n = 0;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", s->pid, s->pid);
	FILE *f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		n++;
	if (f)
		fclose(f);
	return n;
}

/* ---- keys */

static const struct {
	const char *name, *bytes;
} named_keys[] = {
	{ "Up", "\x1bOA" },    { "Down", "\x1bOB" },    { "Right", "\x1bOC" }, { "Left", "\x1bOD" },
	{ "PgUp", "\x1b[5~" }, { "PgDn", "\x1b[6~" },   { "Home", "\x1bOH" },  { "End", "\x1bOF" },
	{ "Enter", "\r" },     { "Esc", "\x1b" },       { "Tab", "\t" },       { "Space", " " },
	{ "F1", "\x1bOP" },    { "Backspace", "\x7f" },
};

static void write_key(struct session *s, const char *key)
{
	char bytes[256];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(named_keys); i++)
		if (!strcmp(named_keys[i].name, key))
			key = named_keys[i].bytes;
	if (!strncmp(key, "C-", 2) && key[2] && !key[3]) {
		bytes[n++] = (char)(toupper((unsigned char)key[2]) & 0x1f);
		key = "";
	}
	for (; *key && n < sizeof(bytes); key++) {
		unsigned hex;

		if (sscanf(key, "\\x%2x", &hex) == 1) {
			bytes[n++] = (char)hex;
			key += 3;
		} else {
			bytes[n++] = *key;
		}
	}
	if (write(s->master, bytes, n) != (ssize_t)n)
		complain(s, "cannot write a key: %s", strerror(errno));
}

/* ---- commands */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return n ? v[n / 2] : 0;
}

static void do_first(struct session *s, char *text)
{
	start(s);
	if (!await(s, text, true))
		return;
	figure("first", "_byte_ms", s->first_byte - s->started);
	figure("first", "_data_ms", s->last_byte - s->started);
	settle(s, 100);
}

static void do_press(struct session *s, char *keys)
{
	for (char *save, *key = strtok_r(keys, " ", &save); key; key = strtok_r(NULL, " ", &save)) {
		write_key(s, key);
		settle(s, !strcmp(key, "Esc") ? 120 : QUIET_MSEC);
	}
}

static void do_write(struct session *s, char *keys)
{
	for (char *save, *key = strtok_r(keys, " ", &save); key; key = strtok_r(NULL, " ", &save))
		write_key(s, key);
}

static void do_key(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *times = strtok_r(NULL, " ", &save), *keys[64];
	size_t n_keys = 0, n = 0, answered = 0;
	double bytes[SAMPLES_MAX], first[SAMPLES_MAX], last[SAMPLES_MAX];
	size_t total = times ? strtoul(times, NULL, 10) : 0;

	while (n_keys < COUNT(keys) && (keys[n_keys] = strtok_r(NULL, " ", &save)))
		n_keys++;
	if (n_keys == 0 || total == 0 || total > SAMPLES_MAX) {
		complain(s, "key NAME TIMES KEY...");
		return;
	}
	for (; n < total; n++) {
		unsigned long before = s->bytes;
		double at = now_msec();

		write_key(s, keys[n % n_keys]);
		if (take(s, 500)) {
			first[answered] = s->last_byte - at;
			settle(s, QUIET_MSEC);
			last[answered++] = s->last_byte - at;
		}
		bytes[n] = (double)(s->bytes - before);
	}
	figure(name, "_bytes", median(bytes, n));
	figure(name, "_bytes_max", bytes[n - 1]);
	figure(name, "_unanswered", (double)(n - answered));
	figure(name, "_first_ms", median(first, answered));
	figure(name, "_last_ms", median(last, answered));
	figure(name, "_last_ms_max", answered ? last[answered - 1] : 0);
}

static bool until_it(struct session *s, const char *text, bool there, double *took)
{
	double at = now_msec(), until = at + PATIENCE_MSEC;

	while (shows(s, text) != there && now_msec() < until && !reap(s))
		(void)take(s, 5);
	*took = now_msec() - at;
	if (shows(s, text) == there)
		return true;
	complain(s, "'%s' did not %s", text, there ? "come" : "go");
	print_screen(s);
	return false;
}

static void do_toggle(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *times = strtok_r(NULL, " ", &save),
		    *key = strtok_r(NULL, " ", &save), *text = strtok_r(NULL, "", &save);
	unsigned long n = times ? strtoul(times, NULL, 10) : 1;
	double took[2 * SAMPLES_MAX];
	size_t answered = 0;

	while (answered + 2 <= 2 * n && answered + 2 <= COUNT(took)) {
		write_key(s, key);
		if (!until_it(s, text, true, &took[answered++]))
			return;
		write_key(s, "Esc");
		if (!until_it(s, text, false, &took[answered++]))
			return;
	}
	figure(name, "_ms", median(took, answered));
	figure(name, "_ms_max", answered ? took[answered - 1] : 0);
}

static void do_idle(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *seconds = strtok_r(NULL, " ", &save);
	double until = now_msec() + (seconds ? strtod(seconds, NULL) : 10) * 1000;
	struct used a = used(s), b;
	unsigned most = 0;

	while (now_msec() < until) {
		double left = until - now_msec();

		(void)take(s, left < 100 ? left : 100);
		if (children(s) > most)
			most = children(s);
	}
	if (reap(s)) {
		complain(s, "it ended while idle");
		return;
	}
	b = used(s);
	double seconds_past = (b.at_msec - a.at_msec) / 1e3;
	figure(name, "_cpu_percent", (b.cpu_nsec - a.cpu_nsec) / 1e7 / seconds_past);
	figure(name, "_wakeups_per_s", (b.switches - a.switches) / seconds_past);
	figure(name, "_bytes_per_s", (double)(b.bytes - a.bytes) / seconds_past);
	figure(name, "_children", most);
}

static void do_memory(struct session *s, char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", s->pid);
	figure(name, "_rss_mb", field_of(path, "Rss:") / 1024);
	figure(name, "_private_mb",
	       (field_of(path, "Private_Dirty:") + field_of(path, "Private_Clean:")) / 1024);
}

static int shell(const struct session *s, const char *command)
{
	char pid[32];
	pid_t child;
	int status = -1;

	snprintf(pid, sizeof(pid), "%d", s->pid);
	child = fork();
	if (child == 0) {
		setenv("PID", pid, 1);
		dup2(2, 1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The terminal is read meanwhile, so a thread of its own runs the command: here a process that tells when. */
static void do_event(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *text = strtok_r(NULL, "\t", &save),
		    *command = strtok_r(NULL, "", &save);
	double ended = 0, shown = 0, until = now_msec() + PATIENCE_MSEC;
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(shell(s, command ? command : "false") == 0 ? 0 : 1);
	while ((ended <= 0 || shown <= 0) && now_msec() < until) {
		if (ended <= 0 && waitpid(child, &status, WNOHANG) == child)
			ended = now_msec();
		if (take(s, 1) && shown <= 0 && shows(s, text))
			shown = s->last_byte;
	}
	if (shown <= 0) {
		complain(s, "'%s' did not come", text);
		print_screen(s);
		return;
	}
	figure(name, "_ms", shown > ended ? shown - ended : 0);
}

static void do_size(struct session *s, char *args)
{
	struct winsize size = { 0 };

	if (sscanf(args, "%hux%hu", &size.ws_col, &size.ws_row) != 2) {
		complain(s, "a size is like 80x24");
		return;
	}
	if (size.ws_col > 0 && size.ws_row > 0) {
		s->w = size.ws_col;
		s->h = size.ws_row;
		vterm_set_size(s->vt, s->h, s->w);
	}
	ioctl(s->master, TIOCSWINSZ, &size);
	settle(s, 60);
}

static void do_storm(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *times = strtok_r(NULL, " ", &save);
	unsigned long n = times ? strtoul(times, NULL, 10) : 100;
	double at = now_msec();

	for (unsigned long i = 0; i < n && !reap(s); i++) {
		struct winsize size = { .ws_col = (unsigned short)(random() % 501),
			                .ws_row = (unsigned short)(random() % 201) };

		ioctl(s->master, TIOCSWINSZ, &size);
		(void)take(s, 1);
	}
	if (reap(s))
		complain(s, "it ended, status %d", exit_status(s));
	figure(name, "_ms", now_msec() - at);
}

/* Keys, and what a terminal may send when it is not well. Ctrl-C, Ctrl-\\ and q leave, Ctrl-Z stops: these are not sent. */
static size_t random_keys(char ret[static 64])
{
	static const char *const broken[] = {
		"\x1b[200~sxKy\ry\x1b[201~",
		"\x1b[<0;9;9M",
		"\x1b[<64;3;3M",
		"\x1b[<2;7;",
		"\x1b[",
		"\x1b]52;c;eA==\a",
		"\x1bP+q\x1b\\",
		"\xff\xfe",
		"\xe2\x82",
		"\x1b[99999999999m",
	};
	size_t n = (size_t)random() % (2 * COUNT(broken) + 80);

	if (n < COUNT(broken))
		return (size_t)snprintf(ret, 64, "%s", broken[n]);
	if (n < 2 * COUNT(broken))
		return (size_t)snprintf(ret, 64, "%s", named_keys[n % COUNT(named_keys)].bytes);
	ret[0] = (char)(random() % 127);
	if (ret[0] == 'q' || ret[0] == 3 || ret[0] == 26 || ret[0] == 28)
		ret[0] = 'y';
	return 1;
}

static void do_random(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *times = strtok_r(NULL, " ", &save), bytes[64];
	unsigned long n = times ? strtoul(times, NULL, 10) : 1000, i = 0;
	double at = now_msec();

	for (; i < n && !reap(s) && s->master >= 0; i++) {
		size_t len = random_keys(bytes);

		while (write(s->master, bytes, len) < 0 && errno == EAGAIN && !reap(s))
			(void)take(s, 5);
		if (i % 16 == 0)
			(void)take(s, 5);
	}
	settle(s, 200);
	if (reap(s))
		complain(s, "it ended, status %d", exit_status(s));
	figure(name, "_keys", (double)i);
	figure(name, "_ms", now_msec() - at);
}

static void do_slow(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *rate = strtok_r(NULL, " ", &save),
		    *seconds = strtok_r(NULL, " ", &save);
	double until = now_msec() + (seconds ? strtod(seconds, NULL) : 1) * 1000;
	size_t most = rate ? strtoul(rate, NULL, 10) / 20 : 15;
	unsigned long before = s->bytes;

	s->take_max = most > 0 ? most : 1;
	while (now_msec() < until && !reap(s)) {
		(void)take(s, 50);
		usleep(50000);
	}
	s->take_max = 0;
	figure(name, "_bytes", (double)(s->bytes - before));
}

/* Bracketed, as terminals do it that know how. */
static void do_paste(struct session *s, char *args)
{
	static char bytes[65536];
	char *text, *enter;
	size_t most = strtoul(args, &text, 10), n;

	text += strspn(text, " ");
	while ((enter = strstr(text, "\\r"))) {
		*enter = '\r';
		memmove(enter + 1, enter + 2, strlen(enter + 2) + 1);
	}
	if (!*text || most < 1 || most > sizeof(bytes) - 16) {
		complain(s, "paste takes a number of bytes and a text");
		return;
	}
	n = (size_t)sprintf(bytes, "\x1b[200~");
	for (size_t i = 0; i < most; i++)
		bytes[n++] = text[i % strlen(text)];
	n += (size_t)sprintf(bytes + n, "\x1b[201~");
	for (size_t sent = 0; sent < n && !reap(s);) {
		ssize_t len = write(s->master, bytes + sent, n - sent);

		sent += len > 0 ? (size_t)len : 0;
		(void)take(s, 1);
	}
	settle(s, 60);
}

static void do_signal(struct session *s, char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "TERM", SIGTERM }, { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },
		{ "SEGV", SIGSEGV }, { "ABRT", SIGABRT }, { "BUS", SIGBUS },   { "KILL", SIGKILL },
		{ "STOP", SIGSTOP }, { "CONT", SIGCONT }, { "TSTP", SIGTSTP }, { "WINCH", SIGWINCH }
	};

	for (size_t i = 0; i < COUNT(signals); i++)
		if (!strcmp(signals[i].name, name) && s->pid)
			kill(s->pid, signals[i].number);
}

static void do_ended(struct session *s, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *seconds = strtok_r(NULL, " ", &save);
	double at = now_msec();

	if (!await_end(s, seconds ? strtod(seconds, NULL) * 1000 : 1000)) {
		complain(s, "it did not end within %s s", seconds ? seconds : "1");
		return;
	}
	figure(name, "_ms", s->ended > at ? s->ended - at : 0);
	figure(name, "_status", exit_status(s));
}

static void do_deaths(struct session *s, char *args)
{
	static const char *const keys[] = { "j", "k",     "Tab", "?", "Esc",  "/",
		                            "2", "Enter", "q",   "x", "Down", "m" };
	char *save, *name = strtok_r(args, " ", &save), *sign = strtok_r(NULL, " ", &save),
		    *times = strtok_r(NULL, " ", &save);
	unsigned long n = times ? strtoul(times, NULL, 10) : 1, restored = 0;
	double slowest = 0;

	for (unsigned long i = 0; i < n; i++) {
		double until, at;
		const char *left;

		start(s);
		until = now_msec() + (double)(random() % 60);
		while (s->bytes == 0 && !reap(s))
			(void)take(s, 100);
		while (now_msec() < until && !reap(s)) {
			write_key(s, keys[(size_t)random() % COUNT(keys)]);
			(void)take(s, 3);
		}
		at = now_msec();
		do_signal(s, sign);
		if (!await_end(s, 3000)) {
			complain(s, "SIG%s did not end it", sign);
			return;
		}
		if (s->ended - at > slowest)
			slowest = s->ended - at;
		left = not_restored(s);
		restored += left == NULL;
		if (left)
			complain(s, "death %lu by SIG%s (status %d) left: %s", i, sign, exit_status(s), left);
	}
	figure(name, "_restored", (double)restored);
	figure(name, "_ms_max", slowest);
}

static void do_audit(struct session *s, char *name)
{
	figure(name, "_sequences", (double)s->escapes.sequences);
	figure(name, "_unknown", (double)s->escapes.unknown);
	if (s->escapes.unknown)
		complain(s, "an unknown sequence: %s", s->escapes.first_unknown);
}

static void do_restored(struct session *s)
{
	const char *left = s->pid ? "it runs" : not_restored(s);

	if (left)
		complain(s, "left: %s", left);
}

static void run_line(struct session *s, char *line)
{
	char *args = line + strcspn(line, " ");

	if (*args)
		*args++ = '\0';
	if (strcmp(line, "deaths") != 0 && s->status == -2)
		start(s);
	if (!strcmp(line, "start"))
		start(s);
	else if (!strcmp(line, "first"))
		do_first(s, args);
	else if (!strcmp(line, "wait"))
		(void)await(s, args, true);
	else if (!strcmp(line, "gone"))
		(void)await(s, args, false);
	else if (!strcmp(line, "press"))
		do_press(s, args);
	else if (!strcmp(line, "write"))
		do_write(s, args);
	else if (!strcmp(line, "key"))
		do_key(s, args);
	else if (!strcmp(line, "idle"))
		do_idle(s, args);
	else if (!strcmp(line, "rest"))
		rest(s, strtod(args, NULL));
	else if (!strcmp(line, "memory"))
		do_memory(s, args);
	else if (!strcmp(line, "event"))
		do_event(s, args);
	else if (!strcmp(line, "size"))
		do_size(s, args);
	else if (!strcmp(line, "storm"))
		do_storm(s, args);
	else if (!strcmp(line, "random"))
		do_random(s, args);
	else if (!strcmp(line, "toggle"))
		do_toggle(s, args);
	else if (!strcmp(line, "slow"))
		do_slow(s, args);
	else if (!strcmp(line, "paste"))
		do_paste(s, args);
	else if (!strcmp(line, "stall") || !strcmp(line, "read"))
		s->stalled = line[0] == 's';
	else if (!strcmp(line, "signal"))
		do_signal(s, args);
	else if (!strcmp(line, "close"))
		close_p(&s->master), s->master = -1;
	else if (!strcmp(line, "ended"))
		do_ended(s, args);
	else if (!strcmp(line, "restored"))
		do_restored(s);
	else if (!strcmp(line, "audit"))
		do_audit(s, args);
	else if (!strcmp(line, "deaths"))
		do_deaths(s, args);
	else if (!strcmp(line, "print"))
		print_screen(s);
	else if (!strcmp(line, "sh"))
		(void)shell(s, args);
	else
		complain(s, "there is no command '%s'", line);
}

int main(int argc, char **argv)
{
	struct session s = {
		.term = "xterm-256color", .w = 80, .h = 24, .master = -1, .slave = -1, .status = -2
	};
	char line[4096];
	int c;

	while ((c = getopt(argc, argv, "+s:t:T")) != -1) {
		if (c == 's' && sscanf(optarg, "%dx%d", &s.w, &s.h) == 2)
			continue;
		if (c == '?' || c == 's')
			return 64;
		s.term = c == 't' ? optarg : NULL;
	}
	s.program = argv + optind;
	if (!*s.program) {
		fprintf(stderr, "usage: ptydrive [-s WxH] [-t TERM] [-T] PROGRAM [ARG]... <SCRIPT\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	srandom((unsigned)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		s.line++;
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			run_line(&s, line);
	}
	close_p(&s.master);
	if (s.pid && (s.master = -1, !await_end(&s, 1000)))
		kill(s.pid, SIGKILL);
	return failed;
}

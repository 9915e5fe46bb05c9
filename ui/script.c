#include "ui/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "ui/doer.h"
#include "ui/frame.h"
#include "ui/input.h"
#include "ui/rights.h"
#include "ui/setup.h"

#define SCRIPT_MAX   65536    /* bytes */
#define WAIT_USEC    10000000 /* for a text */
#define READING_USEC 1000000  /* what a person takes for a question */

struct script {
	const struct dashboard_options *o;
	const char *file;
	size_t line;
	sd_event *loop;
	struct source *source;
	struct doer *doer;
	struct rights *rights;
	struct app app;
	struct setup setup;
	int w, h;
	bool quit;
	bool pretends;       /* questions and jobs come up on a tape, and nothing is done */
	uint64_t ahead_usec; /* time that reading took */
};

static uint64_t clock_of(const struct script *s)
{
	return source_clock(s->source) + s->ahead_usec;
}

static void on_change(void *arg)
{
	(void)arg; /* each command draws anew */
}

/* The screen as golden files have it. */
static int look(struct script *s, struct buf *ret, struct err *e)
{
	CLEANUP(grid_done) struct grid g = { 0 };
	CLEANUP(view_done) struct view v = { 0 };

	ret->len = 0;
	if (grid_init(&g, s->w, s->h, s->app.ascii) < 0)
		return err_no_memory(e);
	doer_look(s->doer);
	frame_draw(&s->app, source_world(s->source), clock_of(s), &g, &v);
	frame_want(&s->app, s->source, &g, &v);
	grid_print(&g, ret);
	app_shown(&s->app, clock_of(s));
	return v.bad || ret->bad ? err_no_memory(e) : 0;
}

static int turn(struct script *s, uint64_t usec, struct err *e)
{
	int r = sd_event_run(s->loop, usec);

	return r < 0 ? err_sys(e, -r, "the event loop broke") : 0;
}

static int press(struct script *s, int key, struct err *e)
{
	CLEANUP(buf_done) struct buf screen = { 0 };
	struct app_command c;

	app_follow(&s->app, source_world(s->source));
	app_key(&s->app, source_world(s->source), key, clock_of(s));
	while (app_next(&s->app, &c)) {
		s->quit |= c.what == APP_QUIT;
		if (!s->pretends)
			doer_do(s->doer, source_world(s->source), &c);
		app_command_done(&c);
	}
	if (app_screen(&s->app) == SCREEN_CONFIRM || s->app.prompt == PROMPT_NAME) {
		int r = look(s, &screen, e);

		s->ahead_usec += READING_USEC;
		return r;
	}
	return look(s, &screen, e);
}

/* ---- commands; args is the rest of the line */

static int set_size(struct script *s, char *args, struct err *e)
{
	char *x = strchr(args, 'x');
	uint64_t w, h;

	if (x)
		*x = '\0';
	if (!x || num_parse(args, 1, GRID_MAX, &w) < 0 || num_parse(x + 1, 1, GRID_MAX, &h) < 0)
		return err_set(e, STATUS_DATA, EINVAL, "a size is like 80x24");
	s->w = (int)w;
	s->h = (int)h;
	return 0;
}

static int set_ascii(struct script *s, char *args, struct err *e)
{
	(void)args, (void)e;
	s->app.ascii = true;
	return 0;
}

static int set_utf8(struct script *s, char *args, struct err *e)
{
	(void)args, (void)e;
	s->app.ascii = false;
	return 0;
}

static int pretend(struct script *s, char *args, struct err *e)
{
	(void)args;
	if (!s->o->source.replay)
		return err_set(e, STATUS_DATA, EINVAL,
		               "pretend is for tapes (--replay): this is a real host");
	s->pretends = true;
	s->app.read_only = NULL;
	return 0;
}

static int press_keys(struct script *s, char *args, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	int r = 0;

	strs_split(&names, args, " \t");
	for (size_t i = 0; i < names.n && r >= 0 && !s->quit; i++) {
		int key = keys_parse(names.v[i], strlen(names.v[i]));

		if (key == INPUT_NONE)
			return err_set(e, STATUS_DATA, EINVAL, "there is no key '%s'", names.v[i]);
		r = press(s, key, e);
	}
	return r;
}

static int type_text(struct script *s, const char *text, int flag, struct err *e)
{
	int r = 0;

	while (*text && r >= 0) {
		uint32_t code = 0;
		size_t n = text_decode(text, strlen(text), &code);

		if (n == 0)
			return err_set(e, STATUS_DATA, EINVAL, "this is not UTF-8");
		r = press(s, (int)code | flag, e);
		text += n;
	}
	return r;
}

static int type(struct script *s, char *args, struct err *e)
{
	return type_text(s, args, 0, e);
}

static int paste(struct script *s, char *args, struct err *e)
{
	int r = type_text(s, args, INPUT_PASTED, e);

	return r < 0 ? r : press(s, INPUT_PASTE, e);
}

static int step(struct script *s, char *args, struct err *e)
{
	uint64_t n = 1;

	if (*args && num_parse(args, 1, 100000, &n) < 0)
		return err_set(e, STATUS_DATA, EINVAL, "'%s' is no number of moments", args);
	while (n-- > 0 && source_step(s->source))
		;
	return 0;
}

static int rest(struct script *s, char *args, struct err *e)
{
	CLEANUP(buf_done) struct buf screen = { 0 };
	uint64_t msec, until;
	int r;

	if (num_parse(args, 1, 600000, &msec) < 0)
		return err_set(e, STATUS_DATA, EINVAL, "'%s' is no number of milliseconds", args);
	until = frame_monotonic() + msec * 1000;
	while ((r = look(s, &screen, e)) >= 0 && frame_monotonic() < until) {
		r = turn(s, until - frame_monotonic(), e);
		if (r < 0)
			break;
	}
	return r;
}

static void print_rows(const struct buf *screen)
{
	const char *line = buf_text(screen);

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (*line == '|')
			printf("%.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static int await(struct script *s, char *args, struct err *e)
{
	CLEANUP(buf_done) struct buf screen = { 0 };
	uint64_t until = frame_monotonic() + WAIT_USEC;
	int r;

	while ((r = look(s, &screen, e)) >= 0 && !strstr(buf_text(&screen), args)) {
		if (frame_monotonic() >= until) {
			print_rows(&screen);
			return err_set(e, STATUS_DEADLINE, ETIMEDOUT,
			               "'%s' did not come onto the screen that is printed", args);
		}
		r = turn(s, 20000, e);
		if (r < 0)
			return r;
	}
	return r;
}

static int show(struct script *s, char *args, struct err *e)
{
	CLEANUP(buf_done) struct buf screen = { 0 };
	int r = look(s, &screen, e);

	(void)args;
	if (r >= 0)
		print_rows(&screen);
	return r;
}

static int save(struct script *s, char *args, struct err *e)
{
	CLEANUP(buf_done) struct buf screen = { 0 };
	int r = look(s, &screen, e);
	FILE *f = r >= 0 ? fopen(args, "we") : NULL;

	if (r < 0)
		return r;
	if (!f)
		return err_sys(e, errno, "cannot write '%s'", args);
	fputs(buf_text(&screen), f);
	return fclose(f) == 0 ? 0 : err_sys(e, errno, "cannot write '%s'", args);
}

static const struct {
	const char *word;
	int (*run)(struct script *s, char *args, struct err *e);
} commands[] = {
	{ "size", set_size }, { "ascii", set_ascii }, { "utf8", set_utf8 }, { "key", press_keys },
	{ "type", type },     { "paste", paste },     { "step", step },     { "wait", await },
	{ "rest", rest },     { "show", show },       { "save", save },     { "pretend", pretend },
};

static int run_line(struct script *s, char *line, struct err *e)
{
	size_t len = strcspn(line, " \t");
	char *args = line + len + strspn(line + len, " \t");

	if (!*line || *line == '#')
		return 0;
	line[len] = '\0';
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(commands[i].word, line))
			return commands[i].run(s, args, e);
	return err_set(e, STATUS_DATA, EINVAL, "there is no command '%s'", line);
}

/* ---- all of it */

static int read_script(const char *path, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char bytes[4096];
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno, "cannot open the script '%s'", path);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0 && ret->len < SCRIPT_MAX)
		buf_add(ret, bytes, (size_t)n);
	if (n < 0)
		return err_sys(e, errno, "cannot read the script '%s'", path);
	return ret->bad ? err_no_memory(e) : 0;
}

static void tear_down(struct script *s)
{
	rights_free(s->rights);
	doer_free(s->doer);
	source_free(s->source);
	sd_event_unref(s->loop);
	app_done(&s->app);
	setup_done(&s->setup);
}

int script_run(const struct dashboard_options *o, struct err *e)
{
	CLEANUP(tear_down) struct script s = { .o = o, .w = 80, .h = 24 };
	CLEANUP(buf_done) struct buf text = { 0 };
	int r = read_script(o->script, &text, e);
	char *line, *rest_of;

	if (r < 0)
		return r;
	app_init(&s.app);
	r = setup_load(&s.setup, o, &s.app, e);
	if (r < 0)
		return r;
	r = sd_event_new(&s.loop);
	if (r < 0)
		return err_sys(e, -r, "cannot set up the event loop");
	r = rights_begin(s.loop, o, &s.setup, &s.app, on_change, &s, &s.rights, e);
	if (r >= 0)
		r = source_new(s.loop, &o->source, on_change, &s, &s.source, e);
	if (r >= 0)
		r = doer_new(s.loop, &s.app, on_change, &s, &s.doer, e);
	for (line = text.p; r >= 0 && line && !s.quit; line = rest_of) {
		rest_of = strchr(line, '\n');
		if (rest_of)
			*rest_of++ = '\0';
		s.line++;
		r = run_line(&s, line, e);
	}
	return r < 0 ? err_wrap(e, r, "%s:%zu", o->script, s.line) : 0;
}

/* One thread, one loop. Handlers take in what happened and mark the screen as old; a post source draws it
 * once a turn: the first change at once, then at most every FRAME_USEC (what a key asked for comes earlier), and never
 * while the terminal still reads the last one. */
#include "ui/dashboard.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/journal_say.h"
#include "ui/app.h"
#include "ui/click.h"
#include "ui/doer.h"
#include "ui/frame.h"
#include "ui/input.h"
#include "ui/lend.h"
#include "ui/restore.h"
#include "ui/rights.h"
#include "ui/self.h"
#include "ui/setup.h"
#include "ui/source.h"
#include "ui/term.h"

#define FRAME_USEC        16000
#define EARLY_FRAMES      2      /* in one FRAME_USEC after a key */
#define FIRST_ANSWER_USEC 100000 /* systemd may take this long before we show that it has not answered */

struct dashboard {
	const struct dashboard_options *options;
	sd_event *loop;
	struct terminal *term;
	struct source *source;
	struct doer *doer;
	struct rights *rights;
	struct app app;
	struct setup setup;
	struct input input;
	struct input_click click;
	struct lend *lend; /* who has the terminal; NULL: we */
	int wake_fd;       /* readable when a signal asks us to end */
	sd_event_source *keys;
	sd_event_source *output; /* the terminal takes more; enabled while something waits */
	sd_event_source *input_timer, *frame, *tick, *lock; /* one shot each */
	uint64_t last_frame_usec, key_usec;                 /* CLOCK_MONOTONIC */
	uint64_t hold_usec;                                 /* no frame before, unless all is known anew */
	bool dirty, repaint;                                /* the screen is old; all of it */
	unsigned early;     /* frames that need not wait for their time: a key asked for what they show */
	bool waiting, away; /* the terminal still reads the last frame; the shell has it */
};

static void terminal_gone(struct dashboard *d)
{
	sd_event_exit(d->loop, 128 + SIGHUP);
}

static void shoot_at(sd_event_source *timer, uint64_t at_usec)
{
	sd_event_source_set_time(timer, at_usec);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* --- drawing --- */

static void send(struct dashboard *d)
{
	int r = term_flush(d->term);

	if (r < 0) {
		terminal_gone(d);
		return;
	}
	d->waiting = r == 0;
	sd_event_source_set_enabled(d->output, d->waiting ? SD_EVENT_ON : SD_EVENT_OFF);
	if (!d->waiting)
		app_shown(&d->app, source_clock(d->source));
}

/* What is shown changes next when its unit of time is over, as the clock on the wall counts. */
static void plan_tick(struct dashboard *d, uint64_t tick_usec)
{
	uint64_t real = clock_usec(CLOCK_REALTIME);

	if (tick_usec == 0)
		sd_event_source_set_enabled(d->tick, SD_EVENT_OFF);
	else
		shoot_at(d->tick, clock_usec(CLOCK_MONOTONIC) + tick_usec - real % tick_usec);
}

static int draw(struct dashboard *d, struct err *e)
{
	CLEANUP(grid_done) struct grid g = { 0 };
	CLEANUP(view_done) struct view v = { 0 };
	int w, h, r;

	term_size(d->term, &w, &h);
	if (grid_init(&g, w, h, term_is_ascii(d->term)) < 0)
		return err_no_memory(e);
	if (d->doer)
		doer_look(d->doer);
	if (d->app.text == APP_TEXT_SELF)
		self_measure(&d->app.self, term_bytes(d->term));
	d->app.self.frames++;
	frame_draw(&d->app, source_world(d->source), source_clock(d->source), &g, &v);
	r = term_draw(d->term, &g, d->repaint, e);
	if (r < 0)
		return r;
	if (d->app.rings && d->setup.now.number[SETTING_BELL])
		term_bell(d->term);
	d->app.rings = false;
	if (d->source)
		frame_want(&d->app, d->source, &g, &v);
	plan_tick(d, frame_tick(&d->app, &g, &v));
	d->dirty = d->repaint = false;
	d->last_frame_usec = d->source ? clock_usec(CLOCK_MONOTONIC) : 0;
	send(d);
	return 0;
}

/* The answers to a key, as of systemd and the kernel, come in one by one and at once. */
static void expect_answers(struct dashboard *d)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (now < d->key_usec + FRAME_USEC)
		return;
	d->key_usec = now;
	d->early = EARLY_FRAMES;
}

/* The screen is old. */
static void touch(struct dashboard *d)
{
	uint64_t due = d->last_frame_usec + FRAME_USEC, now = clock_usec(CLOCK_MONOTONIC);
	struct err e;

	d->dirty = true;
	if (d->waiting || d->away)
		return;
	if (now < d->hold_usec && d->source && !source_is_settled(d->source)) {
		shoot_at(d->frame, d->hold_usec);
		return;
	}
	if (now < due && d->early == 0) {
		shoot_at(d->frame, due);
		return;
	}
	d->early -= now < due;
	if (draw(d, &e) < 0)
		app_say(&d->app, STYLE_BAD, 0, "%s", e.text); /* out of memory: the next event tries again */
}

static int on_time(sd_event_source *source, uint64_t at_usec, void *arg)
{
	(void)source, (void)at_usec;
	touch(arg);
	return 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct dashboard *d = arg;

	(void)source, (void)fd;
	if (events & (EPOLLHUP | EPOLLERR)) {
		terminal_gone(d);
		return 0;
	}
	send(d);
	if (!d->waiting && d->dirty)
		touch(d);
	return 0;
}

static void on_change(void *arg)
{
	touch(arg);
}

/* --- keys --- */

static void on_back(int status, const struct err *e, void *arg)
{
	struct dashboard *d = arg;

	(void)status, (void)e;
	d->lend = NULL;
	d->away = !term_take_back(d->term);
	sd_event_source_set_enabled(d->keys, SD_EVENT_ON);
	d->repaint = true;
	touch(d);
}

static void lend_terminal(struct dashboard *d, const struct app_command *c)
{
	const struct world *w = source_world(d->source);
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;
	int r;

	if (c->what == APP_PAGE_LOGS && w->logs)
		logview_save(w->logs, &text);
	sd_event_source_set_enabled(d->keys, SD_EVENT_OFF);
	d->away = true;
	if (c->what == APP_SESSION && !strcmp(c->text, "edit"))
		r = lend_editor(d->loop, d->term, c->name, on_back, d, &d->lend, &e);
	else if (c->what == APP_SESSION)
		r = lend_session(d->loop, d->term, c->name, !strcmp(c->text, "login"), on_back, d, &d->lend,
		                 &e);
	else
		r = lend_pager(d->loop, d->term, &text, on_back, d, &d->lend, &e);
	if (r >= 0)
		return;
	app_say(&d->app, STYLE_BAD, source_clock(d->source), "%s", e.text);
	on_back(0, &e, d);
}

static void take_theme(struct dashboard *d)
{
	enum theme_color color = (enum theme_color)d->setup.now.number[SETTING_COLOR];

	if (d->options->color)
		color = d->options->color - 1;
	term_set_theme(d->term, d->app.theme, color);
	d->repaint = true;
}

static void copy(struct dashboard *d, const char *text)
{
	if (!term_copy(d->term, text, strlen(text)))
		app_say(&d->app, STYLE_TEXT, 0, "this terminal has no clipboard for programs");
}

static void reread(struct dashboard *d)
{
	struct err e;

	if (d->options->source.replay || d->options->source.record) {
		app_say(&d->app, STYLE_TEXT, 0, "a tape goes on as it is");
		return;
	}

	source_free(d->source);
	d->source = NULL;
	d->hold_usec = clock_usec(CLOCK_MONOTONIC) + FIRST_ANSWER_USEC;
	if (source_new(d->loop, &d->options->source, on_change, d, &d->source, &e) < 0)
		app_say(&d->app, STYLE_BAD, 0, "%s", e.text);
}

/* Whether the keys that are waiting are to be forgotten. */
static bool obey(struct dashboard *d, const struct app_command *c)
{
	switch (c->what) {
	case APP_FLUSH_INPUT:
		return true;
	case APP_REPAINT:
		d->repaint = true;
		break;
	case APP_QUIT:
		sd_event_exit(d->loop, STATUS_DONE);
		break;
	case APP_SESSION:
	case APP_PAGE_LOGS:
		lend_terminal(d, c);
		break;
	case APP_COPY:
		copy(d, c->text);
		break;
	case APP_MOUSE:
		(void)term_set_mouse(d->term, d->app.mouse);
		break;
	case APP_THEME:
		take_theme(d);
		break;
	case APP_REREAD:
		reread(d);
		break;
	case APP_NOTHING:
	case APP_SAVE_LOGS:
	case APP_RUN:
	case APP_LOCK:
	case APP_CONTROL:
	case APP_PREVIEW:
	case APP_CANCEL:
	case APP_ERRAND:
	case APP_ERRAND_LOOK:
	case APP_ERRAND_CANCEL:
	case APP_FORM_OPEN:
	case APP_FORM_JUDGE:
	case APP_FORM_TYPED:
	case APP_FORM_PREVIEW:
	case APP_FORM_PLAN:
	case APP_FORM_WRITE:
	case APP_FORM_SETTLED:
	case APP_FORM_SAVE:
	case APP_FORM_PATHS:
	case APP_FORM_CLOSE:
		doer_do(d->doer, source_world(d->source), c);
		break;
	}
	return false;
}

/* When nobody has pressed a key for long enough: once, so that it costs nothing in between. */
static void plan_lock(struct dashboard *d)
{
	if (d->app.lock_usec > 0 && !d->app.read_only)
		shoot_at(d->lock, clock_usec(CLOCK_MONOTONIC) + d->app.lock_usec);
}

static bool obey_all(struct dashboard *d)
{
	struct app_command c;
	bool forget = false;

	d->dirty = true;
	while (app_next(&d->app, &c)) {
		forget |= obey(d, &c);
		app_command_done(&c);
	}
	return forget;
}

static bool press_mouse(struct dashboard *d)
{
	CLEANUP(grid_done) struct grid g = { 0 };
	CLEANUP(view_done) struct view v = { 0 };
	const struct world *w = source_world(d->source);
	bool twice = input_is_double(&d->click, &d->input.mouse, clock_usec(CLOCK_MONOTONIC));
	int columns, rows;

	term_size(d->term, &columns, &rows);
	if (grid_init(&g, columns, rows, term_is_ascii(d->term)) < 0)
		return false;
	frame_draw(&d->app, w, source_clock(d->source), &g, &v);
	click(&d->app, w, &g, &v, &d->input.mouse, twice, source_clock(d->source));
	return obey_all(d);
}

static bool press(struct dashboard *d, int key)
{
	const struct world *w = source_world(d->source);

	switch (key) {
	case INPUT_NONE:
	case INPUT_FOCUS_IN:
	case INPUT_FOCUS_OUT:
		return false;
	case INPUT_SYNC_KNOWN:
		term_use_sync(d->term);
		return false;
	case INPUT_MOUSE:
		return press_mouse(d);
	default:
		app_follow(&d->app, w);
		app_key(&d->app, w, key, source_clock(d->source));
		return obey_all(d);
	}
}

static int on_idle(sd_event_source *source, uint64_t at_usec, void *arg)
{
	struct dashboard *d = arg;

	(void)source, (void)at_usec;
	if (app_idle(&d->app, source_clock(d->source))) {
		(void)obey_all(d);
		touch(d);
	}
	return 0;
}

/* Keys that are forgotten still go through the decoder, so that no sequence is torn apart. */
static int on_input(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct dashboard *d = arg;
	unsigned char bytes[4096];
	bool forget = false;
	unsigned wait;

	(void)source, (void)fd, (void)events;
	do {
		size_t n = term_read(d->term, bytes, sizeof(bytes));

		if (n == 0) {
			terminal_gone(d);
			return 0;
		}
		for (size_t i = 0; i < n; i++) {
			int key = input_byte(&d->input, bytes[i]);

			if (!forget)
				forget = press(d, key);
		}
	} while (forget && term_has_input(d->term));
	plan_lock(d);

	wait = input_timeout(&d->input);
	if (wait > 0)
		shoot_at(d->input_timer, clock_usec(CLOCK_MONOTONIC) + wait * 1000ull);
	else
		sd_event_source_set_enabled(d->input_timer, SD_EVENT_OFF);
	expect_answers(d);
	if (d->dirty)
		touch(d);
	return 0;
}

static int on_input_timeout(sd_event_source *source, uint64_t at_usec, void *arg)
{
	struct dashboard *d = arg;

	(void)source, (void)at_usec;
	press(d, input_expire(&d->input));
	if (d->dirty)
		touch(d);
	return 0;
}

/* --- signals --- */

static int on_end(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct dashboard *d = arg;

	(void)source, (void)fd, (void)events;
	return sd_event_exit(d->loop, 128 + restore_signal());
}

/* Stopped the way the shell expects it; where there is nobody to continue us the kernel ignores it. */
static void stop_ourselves(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *arg)
{
	struct dashboard *d = arg;

	(void)source;
	if (si->ssi_signo == SIGTSTP) {
		term_suspend(d->term);
		stop_ourselves();
	}
	if (si->ssi_signo != SIGWINCH) {
		d->away = !term_resume(d->term);
		d->repaint = true;
	}
	touch(d);
	return 0;
}

/* --- set-up --- */

static int add_sources(struct dashboard *d)
{
	static const int signals[] = { SIGWINCH, SIGTSTP, SIGCONT };
	int r = 0;

	for (size_t i = 0; i < COUNT(signals) && r >= 0; i++)
		r = sd_event_add_signal(d->loop, NULL, signals[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal, d);
	if (r >= 0)
		r = sd_event_add_io(d->loop, NULL, d->wake_fd, EPOLLIN, on_end, d);
	if (r >= 0)
		r = sd_event_add_io(d->loop, &d->keys, term_input_fd(d->term), EPOLLIN, on_input, d);
	if (r >= 0)
		r = sd_event_source_set_priority(d->keys, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_add_io(d->loop, &d->output, term_output_fd(d->term), EPOLLOUT, on_output, d);
	if (r >= 0)
		r = sd_event_add_time(d->loop, &d->input_timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
		                      on_input_timeout, d);
	if (r >= 0)
		r = sd_event_add_time(d->loop, &d->frame, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_time, d);
	if (r >= 0)
		r = sd_event_add_time(d->loop, &d->lock, CLOCK_MONOTONIC, UINT64_MAX, 1000000, on_idle, d);
	if (r >= 0)
		r = sd_event_add_time(d->loop, &d->tick, CLOCK_MONOTONIC, UINT64_MAX, 50000, on_time, d);
	return r;
}

/* In a small pane that is only looked at, the terminal's own selection is worth more. */
static void choose_mouse(struct dashboard *d)
{
	int w, h;

	term_size(d->term, &w, &h);
	if (setup_mouse_is_auto(&d->setup) && d->app.read_only && (w < 60 || h < 12))
		d->app.mouse = false;
	if (d->app.mouse)
		(void)term_set_mouse(d->term, true);
}

static int set_up(struct dashboard *d, struct err *e)
{
	int r;

	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->wake_fd < 0)
		return err_sys(e, errno, "cannot set up signals");
	r = sd_event_new(&d->loop);
	if (r < 0)
		return err_sys(e, -r, "cannot set up the event loop");
	app_init(&d->app);
	r = setup_load(&d->setup, d->options, &d->app, e);
	if (r < 0)
		return r;
	r = term_open(d->wake_fd, &d->term, e);
	if (r < 0)
		return r;
	r = add_sources(d);
	if (r < 0)
		return err_sys(e, -r, "cannot watch the terminal");
	d->input.escape_msec = input_escape_msec((unsigned)d->setup.now.number[SETTING_ESCDELAY],
	                                         getenv("ESCDELAY"), getenv("SSH_CONNECTION"));
	(void)term_ask_sync(d->term);
	term_set_ascii(d->term, d->app.ascii);
	d->app.ascii = term_is_ascii(d->term) || !term_has_blocks(d->term);
	take_theme(d);
	if (term_note(d->term))
		app_say(&d->app, STYLE_TEXT, 0, "%s", term_note(d->term));
	d->repaint = true;
	r = draw(d, e); /* something to look at, however long the system takes to answer */
	if (r < 0)
		return r;
	r = rights_begin(d->loop, d->options, &d->setup, &d->app, on_change, d, &d->rights, e);
	if (r < 0)
		return r;
	choose_mouse(d);
	r = source_new(d->loop, &d->options->source, on_change, d, &d->source, e);
	if (r >= 0)
		r = doer_new(d->loop, &d->app, on_change, d, &d->doer, e);
	if (r < 0)
		return r;
	d->app.self.since_usec = source_clock(d->source);
	plan_lock(d);
	shoot_at(d->frame, clock_usec(CLOCK_MONOTONIC) + FIRST_ANSWER_USEC);
	return 0;
}

/* On a terminal that is gone nobody reads it: then the journal has it. */
static void tell_left(const struct app *a)
{
	CLEANUP(strs_done) struct strs left = { 0 };

	app_errands_left(a, &left);
	for (size_t i = 0; i < left.n; i++) {
		fprintf(stderr, "machdeck: %s\n", left.v[i]);
		journal_say(NULL, left.v[i]);
	}
}

static void tear_down(struct dashboard *d)
{
	if (d->source)
		setup_remember(&d->setup, &d->app);
	lend_free(d->lend);
	rights_free(d->rights);
	doer_free(d->doer);
	source_free(d->source);
	sd_event_source_unref(d->keys);
	sd_event_source_unref(d->output);
	sd_event_source_unref(d->input_timer);
	sd_event_source_unref(d->frame);
	sd_event_source_unref(d->tick);
	sd_event_source_unref(d->lock);
	term_close(d->term);
	tell_left(&d->app);
	sd_event_unref(d->loop);
	close_p(&d->wake_fd);
	app_done(&d->app);
	setup_done(&d->setup);
}

int dashboard_run(const struct dashboard_options *o, struct err *e)
{
	CLEANUP(tear_down) struct dashboard d = { .options = o, .wake_fd = -1 };
	int r = set_up(&d, e);

	if (r < 0)
		return r;
	r = sd_event_loop(d.loop);
	return r < 0 ? err_sys(e, -r, "the event loop broke") : r;
}

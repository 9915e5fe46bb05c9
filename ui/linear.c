#include "ui/linear.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "engine/timeline.h"
#include "ui/doer_errand.h"
#include "ui/doer_form.h"
#include "ui/rights.h"
#include "ui/setfile.h"
#include "ui/source.h"
#include "ui/talk.h"

#define PERIOD_USEC 10000000

struct linear;

struct job {
	struct job *next;
	struct linear *l;
	char name[NAME_MACHINE_MAX + 1];
	enum control_verb verb;
	struct control *control;
};

struct linear {
	sd_event *loop;
	struct source *source;
	struct timeline *timeline;
	struct talk talk;
	struct app app; /* of it the form, and what errands ask */
	struct doer_form *form;
	struct doer_errands *errands;
	bool saves;
	struct job *jobs;
	char line[LINE_SIZE];
	size_t len;
	bool cut;           /* it was longer */
	bool begun, at_end; /* all is known; the input has ended */
};

static void say(struct linear *l, struct buf *out)
{
	if (fputs(buf_text(out), stdout) < 0 || fflush(stdout) != 0)
		(void)sd_event_exit(l->loop, STATUS_IO);
}

static void leave_when_done(struct linear *l)
{
	if (l->at_end && l->begun && !l->jobs && !l->saves && l->app.n_jobs == 0 && !l->app.wish.looks)
		(void)sd_event_exit(l->loop, STATUS_DONE);
}

/* ---- actions */

static void forget_job(struct job *j)
{
	struct job **link = &j->l->jobs;

	while (*link != j)
		link = &(*link)->next;
	*link = j->next;
	free(j);
}

static void on_job_done(int r, const struct err *e, void *arg)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	char text[ERR_TEXT_MAX + NAME_MACHINE_MAX + 32];
	struct job *j = arg;
	struct linear *l = j->l;

	if (r < 0)
		(void)snprintf(text, sizeof(text), "Attention. %s: %s", j->name, e->text);
	else
		(void)snprintf(text, sizeof(text), "%s: %s.%s%s", j->name, control_did(j->verb),
		               e ? " Attention. " : "", e ? e->text : "");
	forget_job(j);
	talk_say(&l->talk, text, &out);
	say(l, &out);
	leave_when_done(l);
}

static void begin_job(struct linear *l, const struct talk_command *c)
{
	struct job *j = calloc(1, sizeof(*j));
	struct err e = { 0 };
	int r;

	if (!j)
		return;
	j->l = l;
	j->verb = c->verb;
	memcpy(j->name, c->name, sizeof(j->name));
	j->next = l->jobs;
	l->jobs = j;
	r = control_begin(l->loop, c->verb, c->name, on_job_done, j, &j->control, &e);
	if (r < 0)
		on_job_done(r, &e, j);
}

/* ---- a form */

/* What the form had to say of the last thing that was done; "" then. */
static void take_message(struct linear *l, char ret[static ERR_TEXT_MAX])
{
	(void)snprintf(ret, ERR_TEXT_MAX, "%s", l->app.message.text);
	l->app.message.text[0] = '\0';
}

/* Later: it was saved, or not; or what was typed could not be kept. */
static void on_form(void *arg)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct linear *l = arg;
	char said[ERR_TEXT_MAX];

	take_message(l, said);
	if (!*said)
		return;
	l->saves = false;
	l->talk.edits.asks = TALK_FORM_ROW;
	if (l->app.menu == MENU_CLASH)
		talk_clashed(&l->talk, said, &out);
	else
		talk_say(&l->talk, said, &out);
	l->app.menu = MENU_NONE;
	say(l, &out);
	leave_when_done(l);
}

static void do_form(struct linear *l, const struct talk_command *c);

/* What else the app wants is a screen's. */
static void do_errands(struct linear *l)
{
	struct app_command c;

	while (app_next(&l->app, &c)) {
		struct talk_command form = { .form = c.what };

		memcpy(form.name, c.name, sizeof(form.name));
		if (c.what == APP_ERRAND || c.what == APP_ERRAND_LOOK)
			doer_errands_do(l->errands, source_world(l->source), &c);
		app_command_done(&c);
		if (form.form == APP_FORM_OPEN) /* of what was made for it */
			do_form(l, &form);
	}
}

static void on_errand(void *arg)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct linear *l = arg;

	talk_errands(&l->talk, source_world(l->source), source_clock(l->source), &out);
	say(l, &out);
	do_errands(l);
	leave_when_done(l);
}

static void do_form(struct linear *l, const struct talk_command *c)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct app_command command = { .what = c->form, .text = l->talk.edits.file };
	char said[ERR_TEXT_MAX];

	memcpy(command.name, c->name, sizeof(command.name));
	doer_form_do(l->form, source_world(l->source), &command);
	if (c->form == APP_FORM_CLOSE)
		form_close(&l->app.form);
	l->saves = c->form == APP_FORM_SAVE && l->app.message.style != STYLE_BAD;
	if (c->form == APP_FORM_SAVE && !l->saves)
		l->talk.edits.asks = TALK_FORM_ROW;
	do_errands(l);
	take_message(l, said);
	talk_formed(&l->talk, c->form, said, &l->app.results, &out);
	say(l, &out);
}

/* ---- what is typed */

static void want(struct linear *l)
{
	const struct snapshot *s = source_world(l->source)->s;
	const struct machine **seen = calloc(s->n + 1, sizeof(*seen));
	struct source_wanted w = { .seen = seen,
		                   .n_seen = s->n,
		                   .period_usec = PERIOD_USEC,
		                   .network = app_wants_network(&l->app),
		                   .drifts = *l->talk.chosen };

	for (size_t i = 0; seen && i < s->n; i++)
		seen[i] = &s->v[i];
	if (seen)
		source_want(l->source, &w);
	free(seen);
}

static void refuse_line(struct linear *l)
{
	CLEANUP(buf_done) struct buf out = { 0 };

	l->cut = false;
	l->len = 0;
	talk_say(&l->talk, "Nothing is done: that line is too long.", &out);
	say(l, &out);
}

static void take_line(struct linear *l)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct talk_command c;

	if (l->cut) {
		refuse_line(l);
		return;
	}

	while (l->len > 0 && strchr(" \t\r", l->line[l->len - 1]))
		l->len--;
	l->line[l->len] = '\0';
	l->len = 0;
	c = talk_line(&l->talk, source_world(l->source), source_clock(l->source),
	              l->line + strspn(l->line, " \t"), &out);
	say(l, &out);
	if (c.quit && !app_errand_holds(&l->app))
		(void)sd_event_exit(l->loop, STATUS_DONE);
	if (c.act)
		begin_job(l, &c);
	if (c.form != APP_NOTHING)
		do_form(l, &c);
	do_errands(l);
	want(l);
	if (c.quit)
		on_errand(l);
}

static int on_input(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct linear *l = arg;
	char bytes[1024];
	ssize_t n;

	(void)events;
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	for (ssize_t i = 0; i < n && sd_event_get_state(l->loop) != SD_EVENT_EXITING; i++) {
		if (bytes[i] == '\n')
			take_line(l);
		else if (l->len + 1 < sizeof(l->line))
			l->line[l->len++] = bytes[i];
		else
			l->cut = true;
	}
	if (n <= 0) {
		l->at_end = true;
		(void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
		leave_when_done(l);
	}
	return 0;
}

/* A file can not be waited for: it is there. */
static int on_file(sd_event_source *s, void *arg)
{
	return on_input(s, STDIN_FILENO, 0, arg);
}

/* ---- what happens */

static void on_fresh(const struct events *fresh, void *arg)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct linear *l = arg;

	talk_events(&l->talk, source_world(l->source), fresh, &out);
	say(l, &out);
}

static int listen_to(struct linear *l)
{
	int r = sd_event_add_io(l->loop, NULL, STDIN_FILENO, EPOLLIN, on_input, l);

	if (r != -EPERM)
		return r;
	r = sd_event_add_defer(l->loop, NULL, on_file, l);
	return r;
}

static void on_change(void *arg)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct linear *l = arg;

	if (!l->source || (!l->begun && !source_is_settled(l->source)))
		return;
	want(l);
	timeline_snapshot(l->timeline, source_world(l->source)->s);
	if (l->begun)
		return;
	l->begun = true;
	talk_begin(&l->talk, source_world(l->source), source_clock(l->source), &out);
	say(l, &out);
	if (listen_to(l) < 0)
		(void)sd_event_exit(l->loop, STATUS_IO);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 128 + (int)si->ssi_signo);
}

static int give_up_rights(const struct dashboard_options *o, struct err *e)
{
	CLEANUP(strs_done) struct strs unsaid = { 0 };
	struct setfile_places places;
	struct settings files, now;

	setfile_find(geteuid(), getenv("HOME"), getenv("XDG_CONFIG_HOME"), getenv("XDG_STATE_HOME"), &places);
	setfile_load(&places, &files, &now, &unsaid);
	return rights_give_up(o, &now, e);
}

static int set_up(struct linear *l, const struct dashboard_options *o, struct err *e)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	int r = sd_event_new(&l->loop);

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(ends) && r >= 0; i++)
		r = sd_event_add_signal(l->loop, NULL, ends[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal, NULL);
	if (r < 0)
		return err_sys(e, -r, "cannot set up the event loop");
	r = give_up_rights(o, e); /* before the first connection */
	if (r >= 0)
		r = timeline_new(NULL, on_fresh, l, &l->timeline, e);
	if (r >= 0)
		r = doer_form_new(l->loop, &l->app, on_form, l, &l->form, e);
	if (r >= 0)
		r = doer_errands_new(l->loop, &l->app, on_errand, l, &l->errands, e);
	if (r >= 0)
		r = source_new(l->loop, &o->source, on_change, l, &l->source, e);
	if (r < 0)
		return r;
	l->talk.app = &l->app;
	l->app.lines = true;
	if (source_is_tape(l->source))
		gate_seal("it is a recording");
	l->talk.locked = gate_is_open() ? NULL : gate_reason();
	l->app.read_only = l->talk.locked;
	on_change(l);
	return 0;
}

static void tell_left(const struct app *a)
{
	CLEANUP(strs_done) struct strs left = { 0 };

	app_errands_left(a, &left);
	for (size_t i = 0; i < left.n; i++)
		fprintf(stderr, "machdeck: %s\n", left.v[i]);
}

static void tear_down(struct linear *l)
{
	while (l->jobs) {
		control_cancel(l->jobs->control);
		forget_job(l->jobs);
	}
	source_free(l->source);
	timeline_free(l->timeline);
	talk_done(&l->talk);
	doer_errands_free(l->errands);
	doer_form_free(l->form);
	tell_left(&l->app);
	app_done(&l->app);
	sd_event_unref(l->loop);
}

int linear_run(const struct dashboard_options *o, struct err *e)
{
	CLEANUP(tear_down) struct linear l = { 0 };
	int r;

	app_init(&l.app);
	r = set_up(&l, o, e);
	if (r < 0)
		return r;
	r = sd_event_loop(l.loop);
	return r < 0 ? err_sys(e, -r, "the event loop broke") : r;
}

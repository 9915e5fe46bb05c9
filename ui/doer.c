#include "ui/doer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/child.h"
#include "engine/everywhere.h"
#include "engine/mend.h"
#include "engine/recorder.h"
#include "ui/doer_errand.h"
#include "ui/doer_form.h"

#define RUN_USEC      60000000 /* a command may take */
#define PREVIEW_USEC  5000000
#define PREVIEW_MAX   65536
#define NOTHING_TO_DO 2 /* what the look ends with */

struct job {
	struct job *next;
	struct doer *d;
	char name[NAME_MACHINE_MAX + 1];
	enum control_verb verb;
	struct control *control;
};

struct doer {
	sd_event *loop;
	struct app *app;
	doer_changed_fn *changed;
	void *arg;
	struct job *jobs;
	struct doer_form *form;
	struct doer_errands *errands;
	struct everywhere *everywhere;
	size_t n_everywhere;
	struct child *preview; /* NULL: none is being read */
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int doer_new(sd_event *loop, struct app *app, doer_changed_fn *changed, void *arg, struct doer **ret,
             struct err *e)
{
	struct doer *d = calloc(1, sizeof(*d));

	if (!d)
		return err_no_memory(e);
	d->loop = loop;
	d->app = app;
	d->changed = changed;
	d->arg = arg;
	if (doer_form_new(loop, app, changed, arg, &d->form, e) < 0 ||
	    doer_errands_new(loop, app, changed, arg, &d->errands, e) < 0) {
		doer_free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

static void forget_job(struct job *j)
{
	struct job **link = &j->d->jobs;

	while (*link != j)
		link = &(*link)->next;
	*link = j->next;
	free(j);
}

void doer_free(struct doer *d)
{
	if (!d)
		return;
	while (d->jobs) {
		control_cancel(d->jobs->control);
		forget_job(d->jobs);
	}
	everywhere_free(d->everywhere);
	child_cancel(d->preview);
	doer_form_free(d->form);
	doer_errands_free(d->errands);
	free(d);
}

static void on_job_done(int r, const struct err *e, void *arg)
{
	struct job *j = arg;
	struct doer *d = j->d;

	app_result(d->app, j->name, j->verb, r, e, now_usec());
	forget_job(j);
	d->changed(d->arg);
}

static void begin_job(struct doer *d, const struct app_command *c)
{
	struct job *j = calloc(1, sizeof(*j));
	struct err e = { 0 };
	int r;

	if (!j) {
		r = err_no_memory(&e);
		app_result(d->app, c->name, c->verb, r, &e, now_usec());
		return;
	}
	j->d = d;
	j->verb = c->verb;
	memcpy(j->name, c->name, sizeof(j->name));
	j->next = d->jobs;
	d->jobs = j;
	r = control_begin(d->loop, c->verb, c->name, on_job_done, j, &j->control, &e);
	if (r < 0)
		on_job_done(r, &e, j);
}

static void cancel_job(struct doer *d, const struct app_command *c)
{
	for (struct job *j = d->jobs; j; j = j->next)
		if (!strcmp(j->name, c->name) && j->verb == c->verb)
			control_cancel_job(j->control);
}

/* ---- what a verb would do */

static int write_preview(int out, void *arg)
{
	const struct strs *names = arg;
	CLEANUP(buf_done) struct buf text = { 0 };
	size_t well = 0;

	for (size_t i = 0; i < names->n; i++) {
		CLEANUP(mending_done) struct mending m = { 0 };
		struct err e;

		if (mend_look(names->v[i], &m, &e) < 0)
			buf_addf(&text, "# %s\n", e.text);
		else if (mend_is_well(&m) && ++well)
			buf_addf(&text, "# %s: nothing is missing\n", names->v[i]);
		else
			mend_describe(&m, &text);
	}
	if (well == names->n)
		return NOTHING_TO_DO;
	return text.bad || write(out, buf_text(&text), text.len) != (ssize_t)text.len;
}

static void on_preview(int r, char *text, size_t len, const struct err *e, void *arg)
{
	struct doer *d = arg;

	(void)len;
	d->preview = NULL;
	if (r == NOTHING_TO_DO)
		app_nothing_to_do(d->app, CONTROL_MEND);
	else
		app_preview(d->app, CONTROL_MEND,
		            r == 0  ? text
		            : r < 0 ? e->text
		                    : "# what is missing can not be read");
	d->changed(d->arg);
}

static void begin_preview(struct doer *d, const struct app_command *c)
{
	struct err e;

	child_cancel(take_p(&d->preview));
	if (child_start(d->loop, "the look at what is missing", write_preview, (void *)(uintptr_t)&c->names,
	                PREVIEW_USEC, PREVIEW_MAX, on_preview, d, &d->preview, &e) < 0)
		app_preview(d->app, c->verb, e.text);
}

void doer_look(struct doer *d)
{
	struct control_look look;

	for (struct job *j = d->jobs; j; j = j->next) {
		control_look(j->control, &look);
		app_progress(d->app, j->name, j->verb, look.waits_for, look.limit_usec);
	}
}

/* ---- one command in several machines */

static void show_output(struct doc *d, const struct everywhere_result *r)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	size_t len = r->output.len;

	while (len > 0 && r->output.p[len - 1] == '\n')
		len--;
	buf_add(&text, r->output.p, len);
	if (len > 0 && !memchr(text.p, '\n', len)) /* a line of its own is not needed */
		doc_add(d, STYLE_TEXT, "  %s", buf_text(&text));
	else
		doc_text(d, STYLE_TEXT, buf_text(&text));
	if (r->cut)
		doc_line(d, STYLE_DIM, "there was more, which is left out");
}

static void show_result(struct doc *d, const struct everywhere_result *r)
{
	doc_line(d, STYLE_STRONG, "%-20s ", r->name);
	if (!r->begun)
		doc_add(d, STYLE_DIM, "waits");
	else if (!r->ended)
		doc_add(d, STYLE_BUSY, "runs…");
	else if (r->status < 0)
		doc_add(d, STYLE_BAD, "%s", r->e.text);
	else
		doc_add(d, r->status == 0 ? STYLE_GOOD : STYLE_BAD, "%3d", r->status);
	if (r->output.len > 0)
		show_output(d, r);
}

static void on_everywhere(struct everywhere *w, size_t changed, void *arg)
{
	struct doer *d = arg;

	(void)changed;
	doc_done(&d->app->results);
	for (size_t i = 0; i < d->n_everywhere; i++)
		show_result(&d->app->results, everywhere_result(w, i));
	if (everywhere_ended(w))
		app_say(d->app, STYLE_GOOD, now_usec(), "%s: done", d->app->results_title);
	d->changed(d->arg);
}

static void run_everywhere(struct doer *d, const struct app_command *c)
{
	char shell[] = "/bin/sh", option[] = "-c", *argv[] = { shell, option, c->text, NULL };
	struct err e;

	everywhere_free(d->everywhere);
	d->everywhere = NULL;
	d->n_everywhere = c->names.n;
	(void)snprintf(d->app->results_title, sizeof(d->app->results_title), "%s in %zu machine%s", c->text,
	               c->names.n, c->names.n == 1 ? "" : "s");
	if (everywhere_begin(d->loop, (const char *const *)c->names.v, c->names.n, argv, RUN_USEC,
	                     on_everywhere, d, &d->everywhere, &e) < 0) {
		app_say(d->app, STYLE_BAD, now_usec(), "%s", e.text);
		return;
	}
	d->app->text = APP_TEXT_RESULTS;
	d->app->text_top = 0;
	on_everywhere(d->everywhere, 0, d);
}

/* ---- logs */

static void save_logs(struct doer *d, const struct app_command *c, const struct logview *logs)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(close_p) int fd = -1;
	struct err e;

	if (!logs)
		return;
	logview_save(logs, &text);
	if (recorder_create(c->text, &fd, &e) < 0)
		app_say(d->app, STYLE_BAD, now_usec(), "%s", e.text);
	else if (text.bad || write(fd, buf_text(&text), text.len) != (ssize_t)text.len)
		app_say(d->app, STYLE_BAD, now_usec(), "cannot write all of '%s': %s", c->text,
		        strerror(errno));
	else
		app_say(d->app, STYLE_GOOD, now_usec(), "saved in %s: %zu bytes", c->text, text.len);
}

void doer_do(struct doer *d, const struct world *w, const struct app_command *c)
{
	switch (c->what) {
	case APP_CONTROL:
		begin_job(d, c);
		break;
	case APP_PREVIEW:
		begin_preview(d, c);
		break;
	case APP_CANCEL:
		cancel_job(d, c);
		break;
	case APP_ERRAND:
	case APP_ERRAND_LOOK:
	case APP_ERRAND_CANCEL:
		doer_errands_do(d->errands, w, c);
		break;
	case APP_LOCK:
		if (d->app->locked)
			gate_close(d->app->lock_why);
		else
			gate_open();
		break;
	case APP_RUN:
		run_everywhere(d, c);
		break;
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
		doer_form_do(d->form, w, c);
		break;
	case APP_SAVE_LOGS:
		save_logs(d, c, w->logs);
		break;
	case APP_SESSION:
	case APP_COPY:
	case APP_PAGE_LOGS:
	case APP_NOTHING:
	case APP_FLUSH_INPUT:
	case APP_MOUSE:
	case APP_THEME:
	case APP_REREAD:
	case APP_REPAINT:
	case APP_QUIT:
		break;
	}
}

#include "ui/doer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/gate.h"

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

void doer_look(struct doer *d)
{
	struct control_look look;

	for (struct job *j = d->jobs; j; j = j->next) {
		control_look(j->control, &look);
		app_progress(d->app, j->name, j->verb, look.waits_for, look.limit_usec);
	}
}

void doer_do(struct doer *d, const struct app_command *c)
{
	switch (c->what) {
	case APP_CONTROL:
		begin_job(d, c);
		break;
	case APP_CANCEL:
		cancel_job(d, c);
		break;
	case APP_LOCK:
		if (d->app->locked)
			gate_close("locked; u unlocks");
		else
			gate_open();
		break;
	case APP_RUN:
	case APP_SESSION:
	case APP_COPY:
	case APP_SAVE_LOGS:
	case APP_PAGE_LOGS:
	case APP_NOTHING:
	case APP_FLUSH_INPUT:
	case APP_MOUSE:
	case APP_REREAD:
	case APP_REPAINT:
	case APP_QUIT:
		break;
	}
}

#include "ui/doer_errand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "engine/errand.h"
#include "engine/places.h"

struct running {
	struct running *next;
	struct doer_errands *d;
	char name[NAME_MACHINE_MAX + 1];
	enum app_errand looks; /* it only looks what that would do; NONE: it does it */
	struct errand *errand;
};

struct doer_errands {
	sd_event *loop;
	struct app *app;
	doer_errands_changed_fn *changed;
	void *arg;
	struct running *running;
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int doer_errands_new(sd_event *loop, struct app *app, doer_errands_changed_fn *changed, void *arg,
                     struct doer_errands **ret, struct err *e)
{
	struct doer_errands *d = calloc(1, sizeof(*d));

	if (!d)
		return err_no_memory(e);
	*d = (struct doer_errands){ .loop = loop, .app = app, .changed = changed, .arg = arg };
	*ret = d;
	return 0;
}

static void forget(struct running *x)
{
	struct running **link = &x->d->running;

	while (*link != x)
		link = &(*link)->next;
	*link = x->next;
	free(x);
}

void doer_errands_free(struct doer_errands *d)
{
	if (!d)
		return;
	while (d->running) {
		errand_free(d->running->errand);
		forget(d->running);
	}
	free(d);
}

static void on_said(const char *line, void *arg)
{
	struct running *x = arg;

	if (x->looks != ERRAND_NONE)
		return;
	app_errand_progress(x->d->app, x->name, line);
	x->d->changed(x->d->arg);
}

/* What it warns of stands above what it would do; the list of states is no such text. */
static void tell_looked(const struct running *x, int r, const char *result, const struct strs *warnings,
                        const struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; warnings && i < warnings->n && x->looks != ERRAND_RESTORE; i++)
		buf_addf(&text, "# warning: %s\n", warnings->v[i]);
	buf_puts(&text, result);
	app_errand_looked(x->d->app, x->looks, x->name, r, text.bad ? result : buf_text(&text), e);
}

static void on_done(int r, const char *result, const struct strs *warnings, const struct err *e, void *arg)
{
	struct running *x = arg;
	struct doer_errands *d = x->d;

	if (x->looks != ERRAND_NONE)
		tell_looked(x, r, result, warnings, e);
	else
		app_errand_result(d->app, x->name, r, result, warnings, e, now_usec());
	forget(x);
	d->changed(d->arg);
}

static void begin(struct doer_errands *d, const char *name, enum app_errand looks, const struct strs *words)
{
	struct running *x = calloc(1, sizeof(*x));
	struct err e = { 0 };
	int r;

	if (!x) {
		r = err_no_memory(&e);
		app_errand_result(d->app, name, r, "", NULL, &e, now_usec());
		return;
	}
	x->d = d;
	x->looks = looks;
	memcpy(x->name, name, sizeof(x->name));
	x->next = d->running;
	d->running = x;
	r = errand_begin(d->loop, NULL, words, on_said, on_done, x, &x->errand, &e);
	if (r < 0)
		on_done(r, "", NULL, &e, x);
}

/* Another name changes the conf, wherever it is declared. */
static void look_rename(struct doer_errands *d, const char *name)
{
	struct places places;
	struct err e;
	int r = places_find(name, &places, &e);

	if (r >= 0)
		r = places_own_conf(&places, "rename", &e);
	app_errand_looked(d->app, ERRAND_RENAME, name, r, "", &e);
}

static void cancel(struct doer_errands *d, const char *name)
{
	for (struct running *x = d->running; x; x = x->next)
		if (x->looks == ERRAND_NONE && strcmp(x->name, name) == 0)
			errand_cancel(x->errand);
}

void doer_errands_do(struct doer_errands *d, const struct world *w, const struct app_command *c)
{
	struct err e = { 0 };

	if (w->is_tape) {
		int r = err_set(&e, STATUS_NOT_PERMITTED, EPERM,
		                "this is a tape: nothing of it can be changed");

		app_errand_looked(d->app, d->app->wish.errand, c->name, r, "", &e);
		app_errand_result(d->app, c->name, r, "", NULL, &e, now_usec());
	} else if (c->what == APP_ERRAND_LOOK && c->names.n == 0) {
		look_rename(d, c->name);
	} else if (c->what == APP_ERRAND_LOOK) {
		begin(d, c->name, d->app->wish.errand, &c->names);
	} else if (c->what == APP_ERRAND_CANCEL) {
		cancel(d, c->name);
	} else {
		begin(d, c->name, ERRAND_NONE, &c->names);
	}
}

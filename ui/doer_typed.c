#include "ui/doer_typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/aside.h"
#include "drivers/child.h"

#define REST_USEC  200000 /* nothing is typed */
#define JUDGE_USEC 5000000
#define DRAFT_USEC 30000000
#define LEAVE_MS   2000

struct doer_typed {
	sd_event *loop;
	struct app *app;
	const struct edit *edit;
	doer_form_changed_fn *changed;
	void *arg;
	sd_event_source *rest; /* one shot */
	struct child *judging;
	char judged[LINE_SIZE]; /* what that one looks at */
	struct aside *drafting;
	char name[NAME_MACHINE_MAX + 1]; /* whose draft that one writes */
	bool stale;                      /* the draft is not what is typed */
};

/* ---- the text, with the value that is being typed */

static bool is_typing(const struct app *a)
{
	return a->prompt == PROMPT_FIELD && a->line.text[0];
}

static const char *typed(const struct app *a)
{
	return is_typing(a) ? a->line.text : "";
}

static int with_typed(const struct app *a, struct buf *ret, struct err *e)
{
	return form_with(&a->form, a->form.field, a->form.item, a->line.text, ret, e);
}

static bool is_ours(const struct doer_typed *t)
{
	return t->app->form.open && t->edit->hold.fd >= 0;
}

/* ---- the draft */

/* In the process aside. */
static int save_draft(void *arg, struct err *e)
{
	const struct app *a = arg;
	const struct form *f = &a->form;
	CLEANUP(buf_done) struct buf with = { 0 };
	const struct buf *text = is_typing(a) && with_typed(a, &with, NULL) == 0 ? &with : &f->text;

	return buf_same(text, &f->base) ? edit_draft_drop(f->name, e)
	                                : edit_draft_save(f->name, &f->base, text, e);
}

static void on_draft(int r, const struct err *e, void *arg)
{
	struct doer_typed *t = arg;

	t->drafting = NULL;
	if (!is_ours(t) || strcmp(t->name, t->app->form.name) != 0)
		(void)edit_draft_drop(t->name, NULL); /* it was closed meanwhile */
	else if (t->stale)
		doer_typed_keep(t);
	if (r < 0)
		app_say(t->app, STYLE_BAD, clock_usec(CLOCK_REALTIME), "%s", e->text);
	t->changed(t->arg);
}

static void begin_draft(struct doer_typed *t, sd_event *loop)
{
	struct err e;

	t->stale = is_ours(t);
	if (!t->stale || t->drafting)
		return;
	if (aside_begin(loop, save_draft, t->app, DRAFT_USEC, on_draft, t, &t->drafting, &e) < 0) {
		app_say(t->app, STYLE_BAD, clock_usec(CLOCK_REALTIME), "%s", e.text);
		return;
	}
	memcpy(t->name, t->app->form.name, sizeof(t->name));
	t->stale = false;
}

void doer_typed_keep(struct doer_typed *t)
{
	begin_draft(t, t->loop);
}

void doer_typed_drop(struct doer_typed *t, const char *name)
{
	(void)edit_draft_drop(name, NULL);
	t->stale = false;
}

/* ---- the judgement */

/* In the child: a letter for how bad it is, and the sentence. Of what was taken all but the paths is known already. */
static int judge(int out, void *arg)
{
	const struct doer_typed *t = arg;
	bool typing = is_typing(t->app);
	CLEANUP(buf_done) struct buf with = { 0 };
	CLEANUP(strs_done) struct strs odd = { 0 };
	const struct buf *text = typing ? &with : &t->app->form.text;
	const char *why = NULL;
	struct err e;

	if (typing && (with_typed(t->app, &with, &e) < 0 || edit_judge(t->edit, &with, NULL, &e) < 0))
		why = e.text;
	else if (typing)
		edit_fit(t->edit, text, &odd);
	if (!why)
		edit_paths(t->edit, text, &odd);
	if (!why && odd.n == 0)
		return 0;
	(void)dprintf(out, "%c%.*s", why ? '!' : '?', ERR_TEXT_MAX - 2, why ? why : odd.v[0]);
	return 0;
}

static void on_judged(int r, char *text, size_t len, const struct err *e, void *arg)
{
	struct doer_typed *t = arg;
	struct form *f = &t->app->form;

	(void)e;
	t->judging = NULL;
	if (r != 0 || len < 2 || !is_ours(t) || strcmp(t->judged, typed(t->app)) != 0)
		return;
	if (is_typing(t->app))
		app_form_told(t->app, *text == '!' ? STYLE_BAD : STYLE_BUSY, text + 1);
	else if (!f->problem[0] && !f->odd[0])
		(void)snprintf(f->odd, sizeof(f->odd), "%s", text + 1);
	t->changed(t->arg);
}

static bool can_be_judged(const struct app *a)
{
	return is_typing(a) || (form_is_dirty(&a->form) && !a->form.problem[0]);
}

static int on_rest(sd_event_source *s, uint64_t now, void *arg)
{
	struct doer_typed *t = arg;

	(void)s, (void)now;
	if (!is_ours(t))
		return 0;
	if (t->stale)
		doer_typed_keep(t);
	if (!can_be_judged(t->app))
		return 0;
	(void)snprintf(t->judged, sizeof(t->judged), "%s", typed(t->app));
	(void)child_start(t->loop, "the judgement of what is typed", judge, t, JUDGE_USEC, ERR_TEXT_MAX,
	                  on_judged, t, &t->judging, NULL);
	return 0;
}

static void when_it_rests(struct doer_typed *t)
{
	child_cancel(take_p(&t->judging));
	(void)sd_event_source_set_time_relative(t->rest, REST_USEC);
	(void)sd_event_source_set_enabled(t->rest, SD_EVENT_ONESHOT);
}

void doer_typed_taken(struct doer_typed *t)
{
	doer_typed_keep(t);
	when_it_rests(t);
}

void doer_typed_soon(struct doer_typed *t)
{
	t->stale = is_ours(t);
	when_it_rests(t);
}

/* ---- its life */

int doer_typed_new(sd_event *loop, struct app *app, const struct edit *edit, doer_form_changed_fn *changed,
                   void *arg, struct doer_typed **ret, struct err *e)
{
	struct doer_typed *t = calloc(1, sizeof(*t));

	if (!t)
		return err_no_memory(e);
	*t = (struct doer_typed){ .loop = loop, .app = app, .edit = edit, .changed = changed, .arg = arg };
	if (sd_event_add_time(loop, &t->rest, CLOCK_MONOTONIC, 0, 1000, on_rest, t) < 0) {
		free(t);
		return err_no_memory(e);
	}
	(void)sd_event_source_set_enabled(t->rest, SD_EVENT_OFF);
	*ret = t;
	return 0;
}

void doer_typed_free(struct doer_typed *t)
{
	if (!t)
		return;
	child_cancel(t->judging);
	if (t->drafting) {
		aside_wait(take_p(&t->drafting), LEAVE_MS);
		if (!is_ours(t))
			(void)edit_draft_drop(t->name, NULL);
	}
	if (t->stale) {
		begin_draft(t, NULL);
		aside_wait(take_p(&t->drafting), LEAVE_MS);
	}
	sd_event_source_disable_unref(t->rest);
	free(t);
}

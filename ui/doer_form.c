#include "ui/doer_form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/aside.h"
#include "engine/edit.h"
#include "ui/doer_choices.h"
#include "ui/doer_paths.h"

#define SAVE_USEC  120000000
#define DRAFT_USEC 30000000

struct doer_form {
	sd_event *loop;
	struct app *app;
	doer_form_changed_fn *changed;
	void *arg;
	struct edit edit; /* dir -1: none is open */
	struct aside *saving, *drafting;
	struct doer_paths *paths;
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int doer_form_new(sd_event *loop, struct app *app, doer_form_changed_fn *changed, void *arg, struct doer_form **ret,
                  struct err *e)
{
	struct doer_form *f = calloc(1, sizeof(*f));

	if (!f)
		return err_no_memory(e);
	*f = (struct doer_form){ .loop = loop, .app = app, .changed = changed, .arg = arg };
	f->edit = (struct edit){ .hold.fd = -1, .dir = -1 };
	*ret = f;
	return 0;
}

static void let_go(struct doer_form *f)
{
	edit_done(&f->edit);
	f->edit = (struct edit){ .hold.fd = -1, .dir = -1 };
}

void doer_form_free(struct doer_form *f)
{
	if (!f)
		return;
	aside_forget(f->saving);
	aside_forget(f->drafting);
	doer_paths_free(f->paths);
	let_go(f);
	free(f);
}

/* ---- begin */

static void say(struct doer_form *f, enum style style, const char *text)
{
	app_say(f->app, style, now_usec(), "%s", text);
}

static void take_draft(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf draft = { 0 };
	struct form *form = &f->app->form;

	if (edit_draft_read(form->name, &draft, NULL) < 0)
		return;
	buf_done(&form->text);
	form->text = draft;
	draft = (struct buf){ 0 };
	if (form_is_dirty(form))
		say(f, STYLE_BUSY, "what was typed before and not saved is back: S saves, Q forgets it");
}

static void judge(struct doer_form *f)
{
	CLEANUP(strs_done) struct strs odd = { 0 };
	struct form *form = &f->app->form;
	struct err e;

	form->problem[0] = form->odd[0] = '\0';
	if (edit_judge(&f->edit, &form->text, NULL, &e) < 0)
		(void)snprintf(form->problem, sizeof(form->problem), "%s", e.text);
	else if (form_is_dirty(form))
		edit_fit(&f->edit, &form->text, &odd);
	if (odd.n > 0)
		(void)snprintf(form->odd, sizeof(form->odd), "%s", odd.v[0]);
}

static void begin(struct doer_form *f, const struct world *w, const char *name)
{
	struct err e;

	if (w->is_tape) {
		say(f, STYLE_TEXT, "a tape has no confs");
		return;
	}
	if (f->saving || edit_begin(name, 0, &f->edit, &e) < 0) {
		say(f, STYLE_BAD, f->saving ? "the last form is still being saved" : e.text);
		return;
	}
	form_open(&f->app->form, name, &f->edit.old);
	doer_choices(w->s, name, f->app->form.choices);
	take_draft(f);
	judge(f);
	app_open_menu(f->app, MENU_FORM);
	f->app->menu_row = 1;
}

/* ---- what was typed */


static int save_draft(void *arg, struct err *e)
{
	const struct form *form = arg;

	return form_is_dirty(form) ? edit_draft_save(form->name, &form->text, e) : edit_draft_drop(form->name, e);
}

static void on_draft(int r, const struct err *e, void *arg)
{
	struct doer_form *f = arg;

	f->drafting = NULL;
	if (r < 0)
		app_say(f->app, STYLE_BAD, now_usec(), "%s", e->text);
	f->changed(f->arg);
}

static void keep_draft(struct doer_form *f)
{
	struct err e;

	if (!f->drafting &&
	    aside_begin(f->loop, save_draft, &f->app->form, DRAFT_USEC, on_draft, f, &f->drafting, &e) < 0)
		say(f, STYLE_BAD, e.text);
}

/* Once: below what a person typed, above what follows from it. */
static void show_odd(struct doc *d, struct strs *odd)
{
	for (size_t i = 0; i < odd->n; i++)
		doc_line(d, STYLE_BUSY, "%s", odd->v[i]);
	strs_done(odd);
}

static void preview(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf diff = { 0 };
	CLEANUP(strs_done) struct strs odd = { 0 };
	struct app *a = f->app;
	struct err e;

	if (!form_is_dirty(&a->form)) {
		say(f, STYLE_TEXT, "nothing is changed");
		return;
	}
	if (edit_judge(&f->edit, &a->form.text, NULL, &e) < 0 ||
	    edit_preview(&f->edit, &a->form.text, &diff, &e) < 0) {
		say(f, STYLE_BAD, e.text);
		return;
	}
	edit_fit(&f->edit, &a->form.text, &odd);
	doc_done(&a->results);
	for (const char *at = buf_text(&diff); *at;) {
		size_t n = strcspn(at, "\n");

		if (strncmp(at, "--- its plan", n) == 0)
			show_odd(&a->results, &odd);
		doc_line(&a->results, *at == '+' ? STYLE_GOOD : *at == '-' ? STYLE_BAD : STYLE_TEXT, "%.*s", (int)n, at);
		at += n + (at[n] == '\n');
	}
	show_odd(&a->results, &odd);
	a->form.previews = true;
	a->menu = MENU_NONE;
	a->text = APP_TEXT_SAVE;
	a->offered_usec = 0;
	a->text_top = 0;
	app_todo(a, APP_FLUSH_INPUT, CONTROL_START, NULL, NULL, NULL);
}

/* ---- paths */

static void on_paths(int r, const char *within, struct strs *choices, const struct err *e, void *arg)
{
	struct doer_form *f = arg;

	f->paths = NULL;
	if (r < 0)
		say(f, STYLE_BAD, e->text);
	else if (f->app->form.open)
		app_form_paths(f->app, within, choices);
	f->changed(f->arg);
}

static void read_paths(struct doer_form *f, const char *within)
{
	struct err e;
	size_t begin;

	doer_paths_free(f->paths);
	f->paths = NULL;
	if (form_folder(f->app->form.field, within, &begin) > 0 &&
	    doer_paths_new(f->loop, within, begin, on_paths, f, &f->paths, &e) < 0)
		say(f, STYLE_BAD, e.text);
}

/* ---- saving */

/* In the process aside; returns what is to be done then. */
static int save(void *arg, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 }, because = { 0 };
	CLEANUP(free_p) char *joined = NULL;
	struct doer_form *f = arg;
	struct err lost;
	int r = edit_save(&f->edit, &f->app->form.text, &warnings, e);

	if (r < 0)
		return r;
	if (edit_draft_drop(f->edit.places.name, &lost) < 0)
		strs_add(&warnings, lost.text);
	joined = strs_join(&warnings, "; ");
	(void)snprintf(e->text, sizeof(e->text), "%s", joined ? joined : "");
	return (int)edit_verdict(&f->edit, &because);
}

/* Whether others changed the same keys meanwhile. */
static bool is_clash(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf theirs = { 0 };

	return edit_meanwhile(&f->edit, &theirs, NULL) == 0 && form_clash(&f->app->form, &theirs, NULL) == 0 &&
	       f->app->form.clashes.n > 0;
}

/* The form goes on from what others saved. */
static void settled(struct doer_form *f)
{
	struct form *form = &f->app->form;

	buf_done(&f->edit.old);
	buf_add(&f->edit.old, buf_text(&form->base), form->base.len);
	judge(f);
	keep_draft(f);
	say(f, STYLE_TEXT, form_is_dirty(form) ? "S saves what is left of yours" : "it is as others left it");
}

static void on_saved(int r, const struct err *e, void *arg)
{
	static const char *const then[] = {
		[EDIT_NOTHING] = "saved; nothing else is to be done",
		[EDIT_RELOAD] = "saved; a reload applies it: r",
		[EDIT_RESTART] = "saved; it takes a restart: R (D says why)",
	};
	struct doer_form *f = arg;

	f->saving = NULL;
	if (r == -EBUSY && is_clash(f)) {
		app_say(f->app, STYLE_BAD, now_usec(), "not saved: %s", e->text);
		app_form_clashed(f->app);
	} else if (r < 0) {
		app_say(f->app, STYLE_BAD, now_usec(), "not saved: %s", e->text);
	} else {
		app_say(f->app, e ? STYLE_BUSY : STYLE_GOOD, now_usec(), "%s: %s%s%s", f->app->form.name, then[r],
		        e ? "; " : "", e ? e->text : "");
		f->app->menu = MENU_NONE;
		form_close(&f->app->form);
		let_go(f);
	}
	f->changed(f->arg);
}

static void begin_save(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	struct err e;

	if (f->saving)
		return;
	buf_addf(&command, "machdeck edit %s", f->app->form.name);
	(void)app_log(f->app, now_usec(), buf_text(&command));
	say(f, STYLE_BUSY, "saving ...");
	if (aside_begin(f->loop, save, f, SAVE_USEC, on_saved, f, &f->saving, &e) < 0)
		say(f, STYLE_BAD, e.text);
}

void doer_form_do(struct doer_form *f, const struct world *w, const struct app_command *c)
{
	if (c->what == APP_FORM_OPEN)
		begin(f, w, c->name);
	else if (f->edit.dir < 0)
		return;
	else if (c->what == APP_FORM_PREVIEW)
		preview(f);
	else if (c->what == APP_FORM_SETTLED)
		settled(f);
	else if (c->what == APP_FORM_PATHS)
		read_paths(f, c->text);
	else if (c->what == APP_FORM_SAVE)
		begin_save(f);
	else if (c->what == APP_FORM_JUDGE) {
		judge(f);
		keep_draft(f);
	} else if (c->what == APP_FORM_CLOSE) {
		(void)edit_draft_drop(c->name, NULL);
		let_go(f);
	}
}

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
#include "drivers/child.h"
#include "engine/edit.h"
#include "engine/recorder.h"
#include "ui/doer_choices.h"
#include "ui/doer_paths.h"
#include "ui/doer_typed.h"

#define SAVE_USEC 120000000
#define HELD_USEC (30 * 86400 * 1000000ULL) /* somebody else may leave a form open for long */

struct doer_form {
	sd_event *loop;
	struct app *app;
	doer_form_changed_fn *changed;
	void *arg;
	struct edit edit; /* dir -1: none is open */
	struct aside *saving;
	struct doer_typed *typed;
	struct doer_paths *paths;
	struct child *waiting; /* for who edits what is looked at; NULL: for nobody */
};

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int doer_form_new(sd_event *loop, struct app *app, doer_form_changed_fn *changed, void *arg,
                  struct doer_form **ret, struct err *e)
{
	struct doer_form *f = calloc(1, sizeof(*f));

	if (!f)
		return err_no_memory(e);
	*f = (struct doer_form){ .loop = loop, .app = app, .changed = changed, .arg = arg };
	f->edit = (struct edit){ .hold.fd = -1, .dir = -1 };
	if (doer_typed_new(loop, app, &f->edit, changed, arg, &f->typed, e) < 0) {
		free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

static void let_go(struct doer_form *f)
{
	child_cancel(take_p(&f->waiting));
	edit_done(&f->edit);
	f->edit = (struct edit){ .hold.fd = -1, .dir = -1 };
}

void doer_form_free(struct doer_form *f)
{
	if (!f)
		return;
	doer_typed_free(f->typed);
	aside_forget(f->saving);
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

	if (edit_draft_take(&f->edit, &draft, NULL) < 0)
		return;
	buf_done(&form->text);
	form->text = draft;
	draft = (struct buf){ 0 };
	if (form_is_dirty(form))
		say(f, STYLE_BUSY,
		    f->app->lines ? "what was typed before and not saved is back: s saves, b forgets it"
		                  : "what was typed before and not saved is back: S saves, Q forgets it");
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

/* ---- what another one edits is looked at */

static void say_briefly(struct doer_form *f, enum style style, const char *text)
{
	say(f, style, text);
	f->app->message.brief = true;
}

/* And what lies over it. */
static void close_form(struct app *a)
{
	if (!a->form.open)
		return;
	if (a->text == APP_TEXT_FORM_PLAN || a->text == APP_TEXT_SAVE)
		a->text = APP_TEXT_NONE;
	a->prompt = PROMPT_NONE;
	a->menu = MENU_NONE;
	form_close(&a->form);
}

static void leave(struct doer_form *f)
{
	close_form(f->app);
	let_go(f);
}

static int wait_until_free(int out, void *arg)
{
	(void)out;
	return hold_wait(arg, NULL) < 0;
}

/* As it is now, on the same row. */
static void on_free(int r, char *text, size_t len, const struct err *e, void *arg)
{
	CLEANUP(buf_done) struct buf now = { 0 };
	struct doer_form *f = arg;
	struct form *form = &f->app->form;
	struct err why;

	(void)text, (void)len, (void)e;
	f->waiting = NULL;
	if (r != 0) /* e tries it all the same */
		return;
	if (edit_meanwhile(&f->edit, &now, &why) < 0) {
		say(f, STYLE_BAD, why.text);
		leave(f);
	} else {
		form->freed = true;
		form_reread(form, &now);
		judge(f);
		say_briefly(f, STYLE_GOOD, "nobody else edits it any more: e edits it");
	}
	f->changed(f->arg);
}

/* -EBUSY: who has it does something else than editing it. */
static int look(struct doer_form *f, const char *name, const struct hold_who *who, struct err *e)
{
	int r = edit_look(name, &f->edit, e);

	if (r < 0)
		return r;
	form_open(&f->app->form, name, &f->edit.old);
	form_hold(&f->app->form, who->pid, who->login, who->since);
	r = child_start(f->loop, "the wait for its end", wait_until_free, f->app->form.name, HELD_USEC, 0,
	                on_free, f, &f->waiting, e);
	return r < 0 ? r : 0;
}

static int begin_or_look(struct doer_form *f, const char *name, struct err *e)
{
	struct hold_who who;
	int r = edit_begin(name, 0, &f->edit, e);

	if (r == 0)
		form_open(&f->app->form, name, &f->edit.old);
	return r == -EBUSY && hold_who(name, &who) && who.edits ? look(f, name, &who, e) : r;
}

static void tell_begun(struct doer_form *f, bool again)
{
	const struct form *form = &f->app->form;
	char text[ERR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s is being edited by %s; you can look, not change", form->name,
	               form->held);
	if (form->held[0])
		say_briefly(f, STYLE_BUSY, text);
	else if (again)
		say_briefly(f, STYLE_GOOD, "it is yours to edit now");
}

static void begin(struct doer_form *f, const struct world *w, const char *name)
{
	bool again = f->app->form.open; /* it was looked at */
	struct err e;

	if (w->is_tape) {
		say(f, STYLE_TEXT, "a tape has no confs");
		return;
	}
	if (f->saving) {
		say(f, STYLE_BAD, "the last form is still being saved");
		return;
	}
	let_go(f);
	if (begin_or_look(f, name, &e) < 0) {
		say(f, STYLE_BAD, e.text);
		if (again)
			leave(f);
		return;
	}
	doer_choices(w->s, name, f->app->form.choices);
	tell_begun(f, again);
	if (!f->app->form.held[0])
		take_draft(f);
	judge(f);
	if (again)
		return;
	app_open_menu(f->app, MENU_FORM);
	f->app->menu_row = 1;
}

/* ---- what would be saved */

/* Once: below what a person typed, above what follows from it. */
static void show_odd(struct doc *d, struct strs *odd)
{
	for (size_t i = 0; i < odd->n; i++)
		doc_line(d, STYLE_BUSY, "%s", odd->v[i]);
	strs_done(odd);
}

/* What would follow, before it is saved. */
static void show_verdict(const struct doer_form *f, struct doc *d)
{
	static const char *const words[] = {
		[EDIT_NOTHING] = "then there would be nothing else to do",
		[EDIT_RELOAD] = "then a reload would apply it",
		[EDIT_RESTART] = "then a restart would be needed",
	};
	CLEANUP(strs_done) struct strs because = { 0 };
	enum edit_verdict v = edit_verdict(&f->edit, &f->app->form.text, &because);

	doc_line(d, v == EDIT_RESTART ? STYLE_BUSY : STYLE_TEXT, "%s", words[v]);
	for (size_t i = 0; i < because.n; i++)
		doc_line(d, STYLE_DIM, "  %s", because.v[i]);
}

static void preview(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf diff = { 0 };
	CLEANUP(strs_done) struct strs odd = { 0 };
	struct app *a = f->app;
	struct err e;

	if (!form_is_dirty(&a->form)) {
		say_briefly(f, STYLE_BUSY, "nothing is changed");
		return;
	}
	if (edit_judge(&f->edit, &a->form.text, NULL, &e) < 0 ||
	    edit_preview(&f->edit, &a->form.text, &diff, &e) < 0) {
		say(f, STYLE_BAD, e.text);
		return;
	}
	edit_fit(&f->edit, &a->form.text, &odd);
	if (a->form.odd[0] && !strs_has(&odd, a->form.odd)) /* of its paths */
		strs_add(&odd, a->form.odd);
	doc_done(&a->results);
	for (const char *at = buf_text(&diff); *at;) {
		size_t n = strcspn(at, "\n");

		if (strncmp(at, "--- its plan", n) == 0)
			show_odd(&a->results, &odd);
		doc_line(&a->results,
		         *at == '+'   ? STYLE_GOOD
		         : *at == '-' ? STYLE_BAD
		                      : STYLE_TEXT,
		         "%.*s", (int)n, at);
		at += n + (at[n] == '\n');
	}
	show_odd(&a->results, &odd);
	show_verdict(f, &a->results);
	app_form_show(a, APP_TEXT_SAVE);
	a->offered_usec = 0;
	app_todo(a, APP_FLUSH_INPUT, CONTROL_START, NULL, NULL, NULL);
}

static void show_plan(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf plan = { 0 };
	struct app *a = f->app;
	struct err e;

	if (edit_plan(&f->edit, &a->form.text, &plan, &e) < 0) {
		say(f, STYLE_BAD, e.text);
		return;
	}
	doc_done(&a->results);
	doc_text(&a->results, STYLE_TEXT, buf_text(&plan));
	app_form_show(a, APP_TEXT_FORM_PLAN);
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
	int r;

	edit_paths(&f->edit, &f->app->form.text, &warnings);
	r = edit_save(&f->edit, &f->app->form.text, &warnings, e);
	if (r < 0)
		return r;
	if (edit_draft_drop(f->edit.places.name, &lost) < 0)
		strs_add(&warnings, lost.text);
	joined = strs_join(&warnings, "; ");
	(void)snprintf(e->text, sizeof(e->text), "%s", joined ? joined : "");
	return (int)edit_verdict(&f->edit, NULL, &because);
}

/* Whether others changed the same keys meanwhile. */
static bool is_clash(struct doer_form *f)
{
	CLEANUP(buf_done) struct buf theirs = { 0 };

	return edit_meanwhile(&f->edit, &theirs, NULL) == 0 &&
	       form_clash(&f->app->form, &theirs, NULL) == 0 && f->app->form.clashes.n > 0;
}

/* Its conf was removed, or is no file any more. */
static bool is_gone(const struct doer_form *f)
{
	CLEANUP(buf_done) struct buf now = { 0 };

	return edit_meanwhile(&f->edit, &now, NULL) < 0;
}

static void write_elsewhere(struct doer_form *f, const char *path)
{
	const struct buf *text = &f->app->form.text;
	CLEANUP(close_p) int fd = -1;
	struct err e;

	if (recorder_create(path, &fd, &e) < 0)
		say(f, STYLE_BAD, e.text);
	else if (write(fd, buf_text(text), text->len) != (ssize_t)text->len)
		app_say(f->app, STYLE_BAD, now_usec(), "cannot write all of '%s': %s", path, strerror(errno));
	else
		app_say(f->app, STYLE_GOOD, now_usec(), "written to %s; the conf itself is as it was", path);
}

/* The form goes on from what others saved. */
static void settled(struct doer_form *f)
{
	struct form *form = &f->app->form;

	buf_done(&f->edit.old);
	buf_add(&f->edit.old, buf_text(&form->base), form->base.len);
	judge(f);
	doer_typed_keep(f->typed);
	say_briefly(f, STYLE_BUSY,
	            !form_is_dirty(form) ? "it is as others left it"
	            : f->app->lines      ? "s saves what is left of yours"
	                                 : "S saves what is left of yours");
}

static void on_saved(int r, const struct err *e, void *arg)
{
	static const char *const then[] = {
		[EDIT_NOTHING] = "saved; nothing else to do",
		[EDIT_RELOAD] = "saved; a reload applies it",
		[EDIT_RESTART] = "saved; restart needed",
	};
	static const char *const keys[] = {
		[EDIT_NOTHING] = "", [EDIT_RELOAD] = ": r", [EDIT_RESTART] = ": R (D says why)"
	};
	struct doer_form *f = arg;
	struct form *form = &f->app->form;
	const char *name = f->edit.places.name;

	f->saving = NULL;
	form->saving = false;
	if (r >= 0 || r == -EINPROGRESS)
		doer_typed_drop(f->typed, name);
	if (r == -EBUSY && form->open && is_clash(f)) {
		app_say(f->app, STYLE_BAD, now_usec(), "not saved: %s", e->text);
		app_form_clashed(f->app);
	} else if (r < 0 && r != -EINPROGRESS && form->open) {
		app_say(f->app, STYLE_BAD, now_usec(), "not saved: %s%s", e->text,
		        !is_gone(f)     ? ""
		        : f->app->lines ? "; w and a file writes it there"
		                        : "; W writes it to another file");
	} else if (r < 0) {
		app_say(f->app, STYLE_BAD, now_usec(), "%s%s%s", r == -EINPROGRESS ? "" : name,
		        r == -EINPROGRESS ? "" : ": not saved: ", e->text);
		leave(f);
	} else {
		app_say(f->app, e ? STYLE_BUSY : STYLE_GOOD, now_usec(), "%s: %s%s%s%s", name, then[r],
		        f->app->lines ? "" : keys[r], e ? "; " : "", e ? e->text : "");
		leave(f);
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
	f->app->form.saving = f->saving;
}

void doer_form_do(struct doer_form *f, const struct world *w, const struct app_command *c)
{
	if (c->what == APP_FORM_OPEN)
		begin(f, w, c->name);
	else if (f->edit.dir < 0)
		return;
	else if (c->what == APP_FORM_PREVIEW)
		preview(f);
	else if (c->what == APP_FORM_PLAN)
		show_plan(f);
	else if (c->what == APP_FORM_SETTLED)
		settled(f);
	else if (c->what == APP_FORM_PATHS)
		read_paths(f, c->text);
	else if (c->what == APP_FORM_WRITE)
		write_elsewhere(f, c->text);
	else if (c->what == APP_FORM_SAVE)
		begin_save(f);
	else if (c->what == APP_FORM_JUDGE) {
		judge(f);
		doer_typed_taken(f->typed);
	} else if (c->what == APP_FORM_TYPED)
		doer_typed_soon(f->typed);
	else if (c->what == APP_FORM_CLOSE && !f->saving) { /* else when that has ended */
		if (f->edit.hold.fd >= 0)                   /* else it is who edits it that has one */
			doer_typed_drop(f->typed, c->name);
		let_go(f);
	}
}

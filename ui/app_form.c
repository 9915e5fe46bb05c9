/* A conf as a form: rows, a line for the value, what speaks against it, and saving it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"

/* The row that is marked; false: it is a heading. */
static bool picked(const struct app *a, struct form_row *ret)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };

	form_rows(&a->form, &rows);
	if (a->menu_row >= rows.n)
		return false;
	*ret = rows.v[a->menu_row];
	ret->value = NULL; /* goes with the rows */
	return ret->kind != FORM_GROUP;
}

static void edit_value(struct app *a)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	const struct form_row *row;
	size_t at = a->menu_row;

	form_rows(&a->form, &rows);
	row = at < rows.n ? &rows.v[at] : NULL;
	if (!row || row->kind == FORM_GROUP)
		return;
	if (row->value && strlen(row->value) >= LINE_SIZE) {
		app_say(a, STYLE_BUSY, 0, "it is too long to be typed here: E opens the conf in your editor");
		return;
	}
	a->form.field = row->field;
	a->form.item = row->item;
	app_open_prompt(a, PROMPT_FIELD, row->value ? row->value : "");
	a->menu_row = at;
	a->typed[0] = '\0'; /* the choices are all of them until something is typed */
	app_say(a, STYLE_TEXT, 0, "%s", form_help(row->field));
}

static void changed(struct app *a)
{
	a->form.problem[0] = a->form.odd[0] = '\0';
	app_todo(a, APP_FORM_JUDGE, CONTROL_START, a->form.name, NULL, NULL);
}

/* Without the place in the conf: one is there. */
static void say_why(struct app *a, enum style style, size_t field, const char *why)
{
	char place[64];
	const char *at;

	(void)snprintf(place, sizeof(place), ": %s: ", form_key(field));
	at = strstr(why, place);
	app_say(a, style, 0, "%s", at ? at + strlen(place) : why);
}

static void refuse(struct app *a, size_t field, const char *why)
{
	say_why(a, STYLE_BAD, field, why);
}

void app_form_take(struct app *a, const char *text)
{
	struct err e;

	if (form_set(&a->form, a->form.field, a->form.item, text, &e) == 0) {
		app_say(a, STYLE_TEXT, 0, "%s", ""); /* what speaks against all of it is said then */
		changed(a);
		return;
	}
	refuse(a, a->form.field, e.text);
	a->prompt = PROMPT_FIELD; /* with what was typed */
}

void app_form_typed(struct app *a, bool pasted)
{
	struct err e;

	memcpy(a->typed, a->line.text, sizeof(a->typed));
	if (!pasted && a->line.text[0] &&
	    form_try(&a->form, a->form.field, a->form.item, a->line.text, &e) < 0)
		refuse(a, a->form.field, e.text);
	else
		app_say(a, STYLE_TEXT, 0, "%s", form_help(a->form.field));
	app_todo(a, APP_FORM_TYPED, CONTROL_START, a->form.name, NULL, NULL);
}

void app_form_told(struct app *a, enum style style, const char *why)
{
	say_why(a, style, a->form.field, why);
}

/* Whether the paths that are there are those of the folder that was typed; else they are asked for. */
static bool has_paths(struct app *a)
{
	size_t begin, len = form_folder(a->form.field, a->typed, &begin);
	CLEANUP(free_p) char *within = strndup(a->typed, len);

	if (len == 0 || !within || (a->form.within && strcmp(a->form.within, within) == 0))
		return true;
	app_todo(a, APP_FORM_PATHS, CONTROL_START, a->form.name, within, NULL);
	return false;
}

void app_form_complete(struct app *a)
{
	const char *next;

	if (a->prompt != PROMPT_FIELD || !has_paths(a))
		return;
	next = form_complete(&a->form, a->form.field, a->typed, a->line.text);
	if (!next)
		return;
	line_set(&a->line, next);
	app_todo(a, APP_FORM_TYPED, CONTROL_START, a->form.name, NULL, NULL);
}

void app_form_paths(struct app *a, const char *within, struct strs *choices)
{
	struct form *f = &a->form;

	strs_done(&f->choices[CHOICE_PATH]);
	f->choices[CHOICE_PATH] = *choices;
	*choices = (struct strs){ 0 };
	free(f->within);
	f->within = strdup(within);
	if (f->within && strncmp(a->typed, within, strlen(within)) == 0)
		app_form_complete(a);
}

static void take_out(struct app *a)
{
	struct form_row row;
	struct err e;

	if (!picked(a, &row) || row.kind == FORM_ADD)
		return;
	if (form_set(&a->form, row.field, row.item, NULL, &e) < 0)
		refuse(a, row.field, e.text);
	else
		changed(a);
}

static bool may_change(struct app *a)
{
	char why[ERR_TEXT_MAX];

	if (!form_why_not(&a->form, why))
		return true;
	app_say(a, STYLE_BUSY, 0, "%s", why);
	a->message.brief = true;
	return false;
}

static void leave(struct app *a)
{
	a->menu = MENU_NONE;
	app_say(a, STYLE_TEXT, 0, "%s", ""); /* what was said was of the form */
	app_todo(a, APP_FORM_CLOSE, CONTROL_START, a->form.name, NULL, NULL);
	form_close(&a->form);
}

void app_form_show(struct app *a, enum app_text text)
{
	a->form.previews = true;
	a->form.row = a->menu_row;
	a->menu = MENU_NONE;
	a->text = text;
	a->text_top = 0;
}

static void back_to_form(struct app *a)
{
	a->form.previews = false;
	a->text = APP_TEXT_NONE;
	a->menu = MENU_FORM;
	a->menu_row = a->form.row;
}

void app_form_clashed(struct app *a)
{
	app_open_menu(a, MENU_CLASH);
	a->menu_row = a->form.clashes.n; /* past the heads: back, which changes nothing */
}

static void settle(struct app *a, bool ours)
{
	struct err e;

	if (form_settle(&a->form, ours, &e) < 0)
		app_say(a, STYLE_BAD, 0, "%s", e.text);
	else
		app_todo(a, APP_FORM_SETTLED, CONTROL_START, a->form.name, NULL, NULL);
}

static void open_over(struct app *a, enum app_prompt prompt)
{
	size_t row = a->menu_row;

	app_open_prompt(a, prompt, "");
	a->menu_row = row;
}

void app_form_settle(struct app *a, size_t row)
{
	size_t choice = row - a->form.clashes.n;

	if (row < a->form.clashes.n)
		return;
	if (choice == 2) {
		open_over(a, PROMPT_YOURS);
		return;
	}
	a->menu = MENU_FORM;
	a->menu_row = 1;
	if (choice == 1)
		settle(a, false);
}

void app_form_overwrite(struct app *a, const char *text)
{
	if (strcmp(text, "yours") != 0) {
		app_say(a, STYLE_TEXT, 0, "nothing was done: yours was not typed");
		return;
	}
	a->menu = MENU_FORM;
	a->menu_row = 1;
	settle(a, true);
}

bool app_form_act(struct app *a, enum action action)
{
	if (!a->form.open)
		return false;
	if (a->form.previews) {
		if (action == ACTION_FORM_COMMIT)
			app_todo(a, APP_FORM_SAVE, CONTROL_START, a->form.name, NULL, NULL);
		if (action == ACTION_FORM_COMMIT || action == ACTION_CLOSE)
			back_to_form(a);
		return action == ACTION_FORM_COMMIT || action == ACTION_CLOSE;
	}
	if ((action == ACTION_CHOOSE || action == ACTION_DROP_VALUE || action == ACTION_FORM_SAVE) &&
	    !may_change(a))
		return true;
	if (action == ACTION_CHOOSE)
		edit_value(a);
	else if (action == ACTION_DROP_VALUE)
		take_out(a);
	else if (action == ACTION_FORM_SAVE)
		app_todo(a, APP_FORM_PREVIEW, CONTROL_START, a->form.name, NULL, NULL);
	else if (action == ACTION_FORM_PLAN)
		app_todo(a, APP_FORM_PLAN, CONTROL_START, a->form.name, NULL, NULL);
	else if (action == ACTION_FORM_WRITE)
		open_over(a, PROMPT_SAVE);
	else if (action == ACTION_FORM_TAKE && a->form.held[0])
		app_todo(a, APP_FORM_OPEN, CONTROL_START, a->form.name, NULL, NULL);
	else if (action == ACTION_FORM_DISCARD ||
	         (action == ACTION_CLOSE && (a->form.saving || !form_is_dirty(&a->form))))
		leave(a);
	else if (action == ACTION_CLOSE)
		app_say(a, STYLE_BUSY, 0, "it is changed and not saved: S saves, Q leaves it as it was");
	else
		return false;
	return true;
}

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"
#include "ui/input.h"
#include "ui/menu.h"

/* How much harm it can do: that decides how it is asked for. */
enum danger { MILD, MODERATE, SEVERE };

static enum danger danger_of(enum control_verb verb, size_t n)
{
	switch (verb) {
	case CONTROL_START:
	case CONTROL_THAW:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_FORGIVE:
	case CONTROL_DROP:
		return MILD;
	case CONTROL_RELOAD:
		return n > 1 ? MODERATE : MILD;
	case CONTROL_STOP:
	case CONTROL_RESTART:
	case CONTROL_FREEZE:
	case CONTROL_MEND: /* asks because it shows what it would do */
		return MODERATE;
	case CONTROL_TERMINATE:
	case CONTROL_KILL:
		return SEVERE;
	}
	return SEVERE;
}

const char *app_confirm_word(const struct app *a)
{
	const struct app_intent *i = &a->confirm.what;

	return i->names.n == 1 ? i->names.v[0] : control_word(i->verb);
}

static void ask(struct app *a, enum control_verb verb, struct strs *names, enum danger danger)
{
	strs_done(&a->confirm.what.names);
	a->confirm.what = (struct app_intent){ .verb = verb, .names = *names };
	*names = (struct strs){ 0 };
	a->confirm.yes = false;
	a->confirm.top = 0;
	a->confirm.shown_usec = 0;
	if (danger == SEVERE)
		app_open_prompt(a, PROMPT_NAME, "");
	else
		a->confirm.open = true;
	app_todo(a, APP_FLUSH_INPUT, verb, NULL, NULL, NULL);
	free(take_p(&a->confirm.preview));
	if (verb == CONTROL_MEND)
		app_todo(a, APP_PREVIEW, verb, NULL, NULL, &a->confirm.what.names);
}

void app_preview(struct app *a, enum control_verb verb, const char *text)
{
	if (!a->confirm.what.names.n || a->confirm.what.verb != verb)
		return;
	free(a->confirm.preview);
	a->confirm.preview = strdup(text);
}

void app_nothing_to_do(struct app *a, enum control_verb verb)
{
	const struct strs *names = &a->confirm.what.names;

	if (!a->confirm.open || names->n == 0 || a->confirm.what.verb != verb)
		return;
	if (names->n == 1)
		app_say(a, STYLE_TEXT, 0, "%s: nothing is missing of its network, so there is nothing to %s",
		        names->v[0], control_word(verb));
	else
		app_say(a, STYLE_TEXT, 0, "nothing is missing of their networks, so there is nothing to %s",
		        control_word(verb));
	app_close_question(a);
}

/* Its commands into the log, before the one that does them all. */
static void log_preview(struct app *a, uint64_t now_usec)
{
	CLEANUP(strs_done) struct strs lines = { 0 };

	strs_split(&lines, a->confirm.preview ? a->confirm.preview : "", "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (lines.v[i][0] != '#')
			app_log_result(a, app_log(a, now_usec, lines.v[i]), STYLE_DIM,
			               "by machdeck mend, below");
}

/* Those of the names that take the verb; says why when none does, or how many do not. */
static void pick_willing(struct app *a, const struct world *w, enum control_verb verb,
                         const struct strs *names, struct strs *ret)
{
	const char *refusing = NULL, *why = NULL;

	for (size_t i = 0; i < names->n; i++) {
		const struct machine *m = snapshot_find(w->s, names->v[i]);
		const char *no = m ? app_refuses(a, m, verb) : "is not there any more";

		if (!no) {
			strs_add(ret, names->v[i]);
		} else if (!why) {
			refusing = names->v[i];
			why = no;
		}
	}
	if (names->n == 0)
		app_say(a, STYLE_TEXT, 0, "there is no machine to %s", control_word(verb));
	else if (why && names->n == 1)
		app_say(a, STYLE_TEXT, 0, "%s %s", refusing, why);
	else if (why)
		app_say(a, STYLE_TEXT, 0, "%zu of %zu left out: %s %s", names->n - ret->n, names->n, refusing,
		        why);
}

void app_want(struct app *a, const struct world *w, enum control_verb verb, uint64_t now_usec)
{
	CLEANUP(strs_done) struct strs targets = { 0 };
	CLEANUP(strs_done) struct strs willing = { 0 };
	enum danger danger;

	app_targets(a, w, &targets);
	pick_willing(a, w, verb, &targets, &willing);
	if (willing.n == 0)
		return;
	danger = danger_of(verb, willing.n);
	if (a->cautious && danger < SEVERE)
		danger++;
	if (danger == MILD)
		app_begin(a, w, verb, &willing, now_usec);
	else
		ask(a, verb, &willing, danger);
}

void app_close_question(struct app *a)
{
	a->confirm.open = false;
	free(take_p(&a->confirm.preview));
	strs_done(&a->confirm.what.names);
}

void app_answer(struct app *a, const struct world *w, bool yes, uint64_t now_usec)
{
	if (yes && (!a->confirm.shown_usec || now_usec < a->confirm.shown_usec + APP_CONFIRM_USEC))
		return;
	a->confirm.open = false;
	if (yes)
		log_preview(a, now_usec);
	if (yes)
		app_begin(a, w, a->confirm.what.verb, &a->confirm.what.names, now_usec);
	app_close_question(a);
}

/* ---- prompts */

void app_open_prompt(struct app *a, enum app_prompt prompt, const char *text)
{
	a->prompt = prompt;
	a->menu_row = 0;
	a->line = (struct line){ .history = prompt >= PROMPT_FIELD ? NULL : &a->history[prompt] };
	line_set(&a->line, text);
}

/* Takes effect as it is typed; what can not be read leaves the filter before in place. */
static void take_filter(struct app *a, const char *text)
{
	struct err e;

	if (filter_parse(text, &a->filter, NULL, &e) < 0) {
		app_say(a, STYLE_BAD, 0, "%s", e.text);
		return;
	}
	(void)snprintf(a->filter_text, sizeof(a->filter_text), "%s", text);
	app_say(a, STYLE_TEXT, 0, "%s", "");
}

static void take_search(struct app *a, const char *text)
{
	regex_t compiled;
	int r = regcomp(&compiled, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	char why[128];

	if (r != 0) {
		regerror(r, &compiled, why, sizeof(why));
		app_say(a, STYLE_BAD, 0, "'%s' is no regular expression: %s", text, why);
		return;
	}
	regfree(&compiled);
	(void)snprintf(a->search, sizeof(a->search), "%.*s", (int)sizeof(a->search) - 1, text);
	a->seek = *text ? 1 : 0;
}

static void take_run(struct app *a, const struct world *w, const char *text, uint64_t now_usec)
{
	CLEANUP(strs_done) struct strs targets = { 0 };
	char command[256];

	app_targets(a, w, &targets);
	if (!*text || targets.n == 0)
		return;
	(void)snprintf(command, sizeof(command), "for m in %s%s; do machdeck run $m -- %s; done",
	               targets.v[0], targets.n > 1 ? " …" : "", text);
	app_log_result(a, app_log(a, now_usec, command), STYLE_DIM, "its results are a table");
	app_say(a, STYLE_BUSY, 0, "running it in %zu machine%s…", targets.n, targets.n == 1 ? "" : "s");
	app_todo(a, APP_RUN, CONTROL_START, NULL, text, &targets);
}

static void take_name(struct app *a, const struct world *w, const char *text, uint64_t now_usec)
{
	const struct app_intent *what = &a->confirm.what;
	bool is_it = strcmp(text, app_confirm_word(a)) == 0 && a->confirm.shown_usec &&
	             now_usec >= a->confirm.shown_usec + APP_CONFIRM_USEC;

	if (!is_it)
		app_say(a, STYLE_TEXT, 0, "that is not '%s': nothing was done", app_confirm_word(a));
	else if (what->errand != ERRAND_NONE)
		app_errand_confirmed(a, w, now_usec);
	else
		app_begin(a, w, what->verb, &what->names, now_usec);
	app_close_question(a);
}

static void take_palette(struct app *a, const struct world *w, uint64_t now_usec)
{
	CLEANUP(menu_done) struct menu m = { 0 };
	const char *text = a->line.text;

	menu_build(a, w, &m);
	a->prompt = PROMPT_NONE;
	if (!strncmp(text, "run ", 4) && !a->read_only)
		take_run(a, w, text + 4, now_usec);
	else if (a->menu_row >= m.n)
		app_say(a, STYLE_TEXT, 0, "nothing is called '%s'", text);
	else if (m.v[a->menu_row].action != ACTION_NONE)
		app_act(a, w, m.v[a->menu_row].action, now_usec);
	else
		app_select(a, w, m.v[a->menu_row].name);
}

static void accept(struct app *a, const struct world *w, uint64_t now_usec)
{
	enum app_prompt prompt = a->prompt;
	char text[LINE_SIZE];

	memcpy(text, a->line.text, sizeof(text));
	if (a->line.history)
		line_remember(a->line.history, text);
	if (prompt == PROMPT_PALETTE) {
		take_palette(a, w, now_usec);
		return;
	}
	a->prompt = PROMPT_NONE;
	switch (prompt) {
	case PROMPT_FILTER:
		take_filter(a, text);
		break;
	case PROMPT_SEARCH:
	case PROMPT_LINES:
		if (app_screen(a) == SCREEN_LOGS && w->logs)
			app_logs_take(a, w->logs, prompt, text);
		else
			take_search(a, text);
		break;
	case PROMPT_RUN:
		take_run(a, w, text, now_usec);
		break;
	case PROMPT_SAVE:
		if (*text)
			app_todo(a, a->form.open ? APP_FORM_WRITE : APP_SAVE_LOGS, CONTROL_START, NULL, text,
			         NULL);
		break;
	case PROMPT_NAME:
		take_name(a, w, text, now_usec);
		break;
	case PROMPT_NEW:
		app_errand_named(a, w, text);
		break;
	case PROMPT_ROOT:
	case PROMPT_EXTRA:
	case PROMPT_PORTS:
		app_create_typed(a, prompt, text);
		break;
	case PROMPT_FIELD:
		app_form_take(a, text);
		break;
	case PROMPT_YOURS:
		app_form_overwrite(a, text);
		break;
	case PROMPT_NONE:
	case PROMPT_PALETTE:
		break;
	}
}

void app_take_line(struct app *a, const struct world *w, const char *text, uint64_t now_usec)
{
	line_set(&a->line, text);
	accept(a, w, now_usec);
}

static void cancel(struct app *a)
{
	if (a->prompt == PROMPT_FILTER)
		take_filter(a, a->filter_before);
	if (a->prompt == PROMPT_NAME)
		app_close_question(a);
	if (a->prompt == PROMPT_FIELD)
		app_todo(a, APP_FORM_TYPED, CONTROL_START, a->form.name, NULL, NULL);
	a->prompt = PROMPT_NONE;
}

static void type(struct app *a, int key)
{
	switch (line_key(&a->line, key)) {
	case LINE_CHANGED:
		if (a->prompt == PROMPT_PALETTE) /* the best match */
			a->menu_row = 0;
		if (a->prompt == PROMPT_FILTER)
			take_filter(a, a->line.text);
		if (a->prompt == PROMPT_FIELD)
			app_form_typed(a, key & INPUT_PASTED);
		break;
	case LINE_FULL:
		app_say(a, STYLE_BAD, 0, "a longer text has no room here: %zu bytes is all", a->line.len);
		break;
	case LINE_LEFT:
		cancel(a);
		break;
	case LINE_IGNORED:
	case LINE_MOVED:
	case LINE_ENTERED: /* the table of keys decides that */
		break;
	}
}

/* What is pasted may be typed too, but it never confirms anything. */
void app_prompt_key(struct app *a, int key)
{
	if ((key & INPUT_PASTED) && (a->prompt == PROMPT_NAME || a->prompt == PROMPT_YOURS))
		app_say(a, STYLE_TEXT, 0, "type it: pasted text does not confirm");
	else
		type(a, key);
}

void app_prompt_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec)
{
	if (action == ACTION_ACCEPT)
		accept(a, w, now_usec);
	else if (action == ACTION_CANCEL)
		cancel(a);
	else if (action == ACTION_COMPLETE)
		app_form_complete(a);
	else if (a->prompt == PROMPT_NAME) /* there is no history of it, but more to read */
		a->confirm.top += action == ACTION_PREVIOUS ? -1 : 1;
	else if (a->prompt == PROMPT_PALETTE)
		app_move(a, w, action == ACTION_PREVIOUS ? -1 : 1);
	else
		type(a, action == ACTION_PREVIOUS ? INPUT_UP : INPUT_DOWN);
}

/* ---- menus */

void app_open_menu(struct app *a, enum app_menu menu)
{
	a->menu = menu;
	a->menu_row = 0;
}

static void choose(struct app *a, const struct world *w, uint64_t now_usec)
{
	CLEANUP(menu_done) struct menu m = { 0 };
	enum app_menu menu = a->menu;

	menu_build(a, w, &m);
	if (a->menu_row >= m.n)
		return;
	switch (menu) {
	case MENU_KILL:
		a->menu = MENU_NONE;
		app_want(a, w, m.v[a->menu_row].verb, now_usec);
		break;
	case MENU_COPY:
		a->menu = MENU_NONE;
		app_todo(a, APP_COPY, CONTROL_START, NULL, m.v[a->menu_row].copied, NULL);
		app_say(a, STYLE_TEXT, 0, "copied: %s", m.v[a->menu_row].copied);
		break;
	case MENU_COLUMNS:
		columns_show(&a->columns, m.v[a->menu_row].column,
		             !a->columns.shown[m.v[a->menu_row].column]);
		break;
	case MENU_ROOT:
	case MENU_NETWORK:
	case MENU_USERS:
	case MENU_START:
		a->menu = MENU_NONE;
		app_create_chosen(a, menu, a->menu_row, m.v[a->menu_row].name);
		break;
	case MENU_STATES:
		a->menu = MENU_NONE;
		app_errand_state(a, a->menu_row);
		break;
	case MENU_CLONE:
		a->menu = MENU_NONE;
		app_errand_copies(a, a->menu_row);
		break;
	case MENU_CLASH:
		app_form_settle(a, a->menu_row);
		break;
	case MENU_FORM:
		(void)app_form_act(a, ACTION_CHOOSE);
		break;
	case MENU_NONE:
		break;
	}
}

static void shift_column(struct app *a, int by)
{
	enum column_id id;

	if (a->menu != MENU_COLUMNS || a->menu_row >= COLUMN_COUNT)
		return;
	id = a->columns.order[a->menu_row];
	if (!columns_move(&a->columns, id, by))
		return;
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (a->columns.order[i] == id)
			a->menu_row = i;
}

void app_menu_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec)
{
	if (a->menu == MENU_FORM && app_form_act(a, action))
		return;
	if (action == ACTION_CHOOSE || (action == ACTION_TOGGLE && a->menu == MENU_COLUMNS))
		choose(a, w, now_usec);
	else if (action == ACTION_SHIFT_UP)
		shift_column(a, -1);
	else if (action == ACTION_SHIFT_DOWN)
		shift_column(a, 1);
	else if (action == ACTION_CLOSE)
		a->menu = a->menu == MENU_CLASH ? MENU_FORM : MENU_NONE;
}

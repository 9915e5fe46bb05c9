#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"
#include "ui/input.h"
#include "ui/menu.h"

/* The verb of an action that is one; false: it is none. */
static bool verb_of(enum action action, enum control_verb *ret)
{
	static const struct {
		enum action action;
		enum control_verb verb;
	} verbs[] = {
		{ ACTION_START, CONTROL_START },     { ACTION_STOP, CONTROL_STOP },
		{ ACTION_RESTART, CONTROL_RESTART }, { ACTION_RELOAD, CONTROL_RELOAD },
		{ ACTION_FREEZE, CONTROL_FREEZE },   { ACTION_THAW, CONTROL_THAW },
		{ ACTION_ENABLE, CONTROL_ENABLE },   { ACTION_DISABLE, CONTROL_DISABLE },
		{ ACTION_FORGIVE, CONTROL_FORGIVE }, { ACTION_MEND, CONTROL_MEND },
	};

	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (verbs[i].action != action)
			continue;
		*ret = verbs[i].verb;
		return true;
	}
	return false;
}

/* "Forget" on a ghost drops its registration: what there is to forget of it. */
static enum control_verb for_machine(const struct machine *m, enum control_verb verb)
{
	return m && m->state == MACHINE_GHOST && verb == CONTROL_FORGIVE ? CONTROL_DROP : verb;
}

bool app_can(const struct app *a, const struct world *w, enum action action)
{
	const struct machine *m = snapshot_find(w->s, a->selected);
	enum control_verb verb;

	if (keys_binding(action)->effect == ACTS && a->read_only)
		return false;
	if (verb_of(action, &verb))
		return m && (a->marks.n > 0 || !app_refuses(a, m, for_machine(m, verb)));
	if (app_errand_of(action) != ERRAND_NONE && action != ACTION_CREATE)
		return m && a->marks.n == 0 && !app_errand_refuses(a, m, app_errand_of(action));
	switch (action) {
	case ACTION_KILL:
		return m && (a->marks.n > 0 || !app_refuses(a, m, CONTROL_KILL));
	case ACTION_SHELL:
	case ACTION_CONSOLE:
	case ACTION_RUN:
		return m && (a->marks.n > 0 || m->state == MACHINE_RUNNING);
	case ACTION_CANCEL_JOB:
		return app_job(a, a->selected);
	case ACTION_WHY:
	case ACTION_OPEN:
	case ACTION_COPY:
	case ACTION_MARK:
		return m;
	case ACTION_UNMARK:
		return a->marks.n > 0;
	case ACTION_EDIT:
		return m && m->configured;
	case ACTION_EDITOR:
		return m && (m->configured || m->kind == MACHINE_NSPAWN || m->kind == MACHINE_IMAGE);
	case ACTION_DROP_VALUE:
	case ACTION_FORM_SAVE:
	case ACTION_FORM_DISCARD:
		return a->menu == MENU_FORM && !a->form.held[0];
	case ACTION_CHOOSE:
		return a->menu != MENU_FORM || !a->form.held[0];
	case ACTION_FORM_TAKE:
		return a->menu == MENU_FORM && a->form.held[0];
	case ACTION_FORM_PLAN:
	case ACTION_FORM_WRITE:
		return a->menu == MENU_FORM;
	case ACTION_FORM_COMMIT:
		return a->text == APP_TEXT_SAVE || a->text == APP_TEXT_ERRAND;
	case ACTION_COMPLETE:
		return a->prompt == PROMPT_FIELD;
	case ACTION_TOGGLE:
	case ACTION_SHIFT_UP:
	case ACTION_SHIFT_DOWN:
		return a->menu == MENU_COLUMNS;
	case ACTION_LOCK:
		return !a->read_only;
	case ACTION_UNLOCK:
		return a->locked;
	default:
		return true;
	}
}

static void open_tab(struct app *a, enum tab tab, bool focus)
{
	if (!a->pane.open || a->pane.tab != tab)
		a->pane.top = 0;
	a->pane.open = true;
	a->pane.tab = tab;
	a->pane.focused |= focus;
}

static void turn_tab(struct app *a, int by)
{
	open_tab(a, (enum tab)(((int)a->pane.tab + (a->pane.open ? by : 0) + TAB_COUNT) % TAB_COUNT), false);
}

static void open_text(struct app *a, enum app_text text)
{
	a->text = text;
	a->text_top = 0;
	a->search[0] = '\0';
}

static void mark(struct app *a, const char *name, bool on)
{
	struct strs kept = { 0 };

	for (size_t i = 0; i < a->marks.n; i++)
		if (strcmp(a->marks.v[i], name) != 0)
			strs_add(&kept, a->marks.v[i]);
	if (on)
		strs_add(&kept, name);
	strs_done(&a->marks);
	a->marks = kept;
}

static void mark_all(struct app *a, const struct world *w)
{
	for (size_t i = 0; i < a->n_order; i++) {
		const char *name = w->s->v[a->order[i]].name;

		mark(a, name, !strs_has(&a->marks, name));
	}
}

static void session(struct app *a, const struct world *w, bool console, uint64_t now_usec)
{
	const struct machine *m = snapshot_find(w->s, a->selected);
	char command[128];

	if (!m || m->state != MACHINE_RUNNING) {
		app_say(a, STYLE_TEXT, 0, "%s is not running", m ? m->name : "nothing");
		return;
	}
	(void)snprintf(command, sizeof(command), "machdeck %s %s", console ? "login" : "shell", m->name);
	app_log(a, now_usec, command);
	app_todo(a, APP_SESSION, CONTROL_START, m->name, console ? "login" : "shell", NULL);
}

static void cancel_jobs(struct app *a, const struct world *w)
{
	CLEANUP(strs_done) struct strs targets = { 0 };
	size_t n = 0;

	app_targets(a, w, &targets);
	for (size_t i = 0; i < targets.n; i++) {
		const struct app_job *job = app_job(a, targets.v[i]);

		if (!job)
			continue;
		app_todo(a, job->errand ? APP_ERRAND_CANCEL : APP_CANCEL, job->verb, job->name, NULL, NULL);
		n++;
	}
	for (size_t i = a->n_jobs; n == 0 && i > 0; i--) { /* what is being made has no row yet */
		if (a->jobs[i - 1].errand != ERRAND_CREATE)
			continue;
		app_todo(a, APP_ERRAND_CANCEL, CONTROL_START, a->jobs[i - 1].name, NULL, NULL);
		n++;
	}
	if (n == 0)
		app_say(a, STYLE_TEXT, 0, "%s has no job to cancel",
		        targets.n > 0 ? targets.v[0] : "nothing");
}

/* From what is nearest: the details, the filter, then what was said. */
static void clear(struct app *a)
{
	if (a->pane.open) {
		a->pane.open = a->pane.focused = false;
	} else if (a->filter_text[0]) {
		a->filter = (struct filter){ 0 };
		a->filter_text[0] = '\0';
	} else {
		app_say(a, STYLE_TEXT, 0, "%s", "");
		a->jobs_hidden = true;
	}
}

static void open_filter(struct app *a)
{
	memcpy(a->filter_before, a->filter_text, sizeof(a->filter_before));
	app_open_prompt(a, PROMPT_FILTER, a->filter_text);
}

/* By the next or previous of the shown columns; before the first it is by urgency. */
static void sort_step(struct app *a, int by)
{
	unsigned stops[COLUMN_COUNT + 1] = { COLUMNS_URGENCY };
	size_t n = 1, at = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		enum column_id id = a->columns.order[i];

		if (a->columns.shown[id] && id != COLUMN_HISTORY) /* that sorts as its newest value does */
			stops[n++] = id;
	}
	for (size_t i = 0; i < n; i++)
		if (stops[i] == a->sort.by)
			at = i;
	a->sort = (struct columns_sort){ .by = stops[(at + n + (size_t)by) % n] };
	app_say(a, STYLE_TEXT, 0, "sorted by %s",
	        a->sort.by == COLUMNS_URGENCY ? "what needs you first" : columns_info(a->sort.by)->help);
}

static void seek(struct app *a, int by)
{
	char key[KEY_TEXT_MAX];

	keys_first(ACTION_SEARCH, key);
	if (a->search[0])
		a->seek = by;
	else
		app_say(a, STYLE_TEXT, 0, "nothing was searched for yet: %s does", key);
}

static void lock(struct app *a, bool on)
{
	char key[KEY_TEXT_MAX];

	if (on ? a->read_only != NULL : !a->locked) {
		app_say(a, STYLE_TEXT, 0, a->read_only ? "read-only: %s" : "it is not locked", a->read_only);
		return;
	}
	a->locked = on;
	keys_first(ACTION_UNLOCK, key);
	(void)snprintf(a->lock_why, sizeof(a->lock_why), "locked; %s unlocks", key);
	a->read_only = on ? a->lock_why : NULL;
	if (on)
		app_say(a, STYLE_TEXT, 0, "locked: nothing can be changed until %s is pressed", key);
	else
		app_say(a, STYLE_TEXT, 0, "unlocked");
	app_todo(a, APP_LOCK, CONTROL_START, NULL, NULL, NULL);
}

bool app_idle(struct app *a, uint64_t now_usec)
{
	if (a->lock_usec == 0 || a->read_only || now_usec < a->key_usec + a->lock_usec)
		return false;
	lock(a, true);
	return true;
}

/* It has no conf, which is what the form is of, but the file of systemd.nspawn(5). */
static bool has_settings(const struct world *w, const char *name)
{
	const struct machine *m = snapshot_find(w->s, name);

	return m && !m->configured && (m->kind == MACHINE_NSPAWN || m->kind == MACHINE_IMAGE);
}

static void edit_selected(struct app *a, const struct world *w, bool form)
{
	if (!a->selected[0])
		return;
	if (form && !has_settings(w, a->selected))
		app_todo(a, APP_FORM_OPEN, CONTROL_START, a->selected, NULL, NULL);
	else
		app_todo(a, APP_SESSION, CONTROL_START, a->selected, "edit", NULL);
}

static void act(struct app *a, const struct world *w, enum action action, uint64_t now_usec)
{
	bool in_text = app_screen(a) == SCREEN_TEXT;
	long page = app_screen(a) == SCREEN_LIST ? (long)a->page : in_text ? a->text_page : a->pane.page;
	long half = page > 1 ? page / 2 : 1, all = 100000;
	enum control_verb verb;

	if (verb_of(action, &verb)) {
		app_want(a, w, for_machine(snapshot_find(w->s, a->selected), verb), now_usec);
		return;
	}
	if (app_errand_of(action) != ERRAND_NONE) {
		app_want_errand(a, w, app_errand_of(action));
		return;
	}
	switch (action) {
	case ACTION_UP:
		app_move(a, w, -1);
		break;
	case ACTION_DOWN:
		app_move(a, w, 1);
		break;
	case ACTION_PAGE_UP:
		app_move(a, w, -page);
		break;
	case ACTION_PAGE_DOWN:
		app_move(a, w, page);
		break;
	case ACTION_HALF_UP:
		app_move(a, w, -half);
		break;
	case ACTION_HALF_DOWN:
		app_move(a, w, half);
		break;
	case ACTION_FIRST:
		app_move(a, w, -all);
		break;
	case ACTION_LAST:
		app_move(a, w, all);
		break;
	case ACTION_KILL:
		app_open_menu(a, MENU_KILL);
		break;
	case ACTION_OPEN:
		if (a->n_order > 0)
			open_tab(a, a->pane.tab, true);
		break;
	case ACTION_LOGS:
		open_tab(a, TAB_LOGS, true);
		break;
	case ACTION_TAB_OVERVIEW:
	case ACTION_TAB_LOGS:
	case ACTION_TAB_NETWORK:
	case ACTION_TAB_PORTS:
	case ACTION_TAB_PROCESSES:
	case ACTION_TAB_CONFIG:
	case ACTION_TAB_PLAN:
	case ACTION_TAB_EVENTS:
		open_tab(a, (enum tab)(action - ACTION_TAB_OVERVIEW), false);
		break;
	case ACTION_TAB_BACK:
		turn_tab(a, -1);
		break;
	case ACTION_TAB_NEXT:
		turn_tab(a, 1);
		break;
	case ACTION_FOCUS:
		a->pane.focused = a->pane.open && !a->pane.focused;
		if (!a->pane.open)
			open_tab(a, a->pane.tab, true);
		break;
	case ACTION_ZOOM:
		a->pane.zoomed = a->pane.open && !a->pane.zoomed;
		a->pane.focused |= a->pane.zoomed;
		break;
	case ACTION_BACK:
		a->pane.open = a->pane.focused = a->pane.zoomed = false;
		break;
	case ACTION_WHY:
		open_text(a, APP_TEXT_WHY);
		break;
	case ACTION_DOCTOR:
		open_text(a, APP_TEXT_DOCTOR);
		break;
	case ACTION_DRIFT:
		open_text(a, APP_TEXT_DRIFT);
		break;
	case ACTION_MAP:
		open_text(a, APP_TEXT_NETWORK);
		break;
	case ACTION_ALL_PORTS:
		open_text(a, APP_TEXT_PORTS);
		break;
	case ACTION_SELF:
		open_text(a, APP_TEXT_SELF);
		break;
	case ACTION_HELP:
		open_text(a, APP_TEXT_HELP);
		break;
	case ACTION_COMMANDS:
		open_text(a, APP_TEXT_COMMANDS);
		break;
	case ACTION_CLOSE:
		if (app_form_act(a, action))
			break;
		a->text = APP_TEXT_NONE;
		break;
	case ACTION_FILTER:
		open_filter(a);
		break;
	case ACTION_SEARCH:
		app_open_prompt(a, PROMPT_SEARCH, "");
		break;
	case ACTION_SEARCH_NEXT:
		seek(a, 1);
		break;
	case ACTION_SEARCH_BACK:
		seek(a, -1);
		break;
	case ACTION_LINES:
		app_open_prompt(a, PROMPT_LINES, "");
		break;
	case ACTION_FOLLOW:
	case ACTION_ERROR_NEXT:
	case ACTION_ERROR_BACK:
	case ACTION_PRIORITY:
	case ACTION_SOURCE:
	case ACTION_TIME:
	case ACTION_WRAP:
	case ACTION_SIDE_LEFT:
	case ACTION_SIDE_RIGHT:
	case ACTION_SAVE:
	case ACTION_PAGER: /* of logs */
	case ACTION_MARK:
		if (a->selected[0])
			mark(a, a->selected, !strs_has(&a->marks, a->selected));
		app_move(a, w, 1);
		break;
	case ACTION_MARK_ALL:
		mark_all(a, w);
		break;
	case ACTION_UNMARK:
		strs_done(&a->marks);
		break;
	case ACTION_SHELL:
		session(a, w, false, now_usec);
		break;
	case ACTION_CONSOLE:
		session(a, w, true, now_usec);
		break;
	case ACTION_RUN:
		app_open_prompt(a, PROMPT_RUN, "");
		break;
	case ACTION_CANCEL_JOB:
		cancel_jobs(a, w);
		break;
	case ACTION_PALETTE:
		app_open_prompt(a, PROMPT_PALETTE, "");
		break;
	case ACTION_COPY:
		app_open_menu(a, MENU_COPY);
		break;
	case ACTION_EDIT:
	case ACTION_EDITOR:
		edit_selected(a, w, action == ACTION_EDIT);
		break;
	case ACTION_FORM_COMMIT:
		if (!a->offered_usec || now_usec < a->offered_usec + APP_CONFIRM_USEC)
			break; /* it was meant for what was on the screen before */
		if (!app_form_act(a, action))
			app_errand_commit(a, w, now_usec);
		break;
	case ACTION_COLUMNS:
		app_open_menu(a, MENU_COLUMNS);
		break;
	case ACTION_SORT_LEFT:
		sort_step(a, -1);
		break;
	case ACTION_SORT_RIGHT:
		sort_step(a, 1);
		break;
	case ACTION_SORT_TURN:
		a->sort.reverse = !a->sort.reverse;
		break;
	case ACTION_FOLD:
		a->folds = !a->folds;
		break;
	case ACTION_MOUSE:
		a->mouse = !a->mouse;
		app_say(a, STYLE_TEXT, 0,
		        a->mouse ? "mouse on: clicks act here" : "mouse off: the terminal selects text");
		app_todo(a, APP_MOUSE, CONTROL_START, NULL, NULL, NULL);
		break;
	case ACTION_THEME:
		a->theme = (a->theme + 1) % THEME_COUNT;
		app_say(a, STYLE_TEXT, 0, "theme: %s", theme_word(a->theme));
		app_todo(a, APP_THEME, CONTROL_START, NULL, NULL, NULL);
		break;
	case ACTION_REREAD:
		app_todo(a, APP_REREAD, CONTROL_START, NULL, NULL, NULL);
		break;
	case ACTION_REPAINT:
		app_todo(a, APP_REPAINT, CONTROL_START, NULL, NULL, NULL);
		break;
	case ACTION_LOCK:
		lock(a, true);
		break;
	case ACTION_UNLOCK:
		lock(a, false);
		break;
	case ACTION_CLEAR:
		clear(a);
		break;
	case ACTION_QUIT:
		if (!app_errand_holds(a))
			app_todo(a, APP_QUIT, CONTROL_START, NULL, NULL, NULL);
		break;
	case ACTION_YES:
		app_answer(a, w, true, now_usec);
		break;
	case ACTION_NO:
		app_answer(a, w, false, now_usec);
		break;
	case ACTION_CHOOSE:
		app_answer(a, w, a->confirm.yes, now_usec);
		break;
	case ACTION_SWITCH:
		a->confirm.yes = !a->confirm.yes;
		break;
	case ACTION_START:
	case ACTION_STOP:
	case ACTION_RESTART:
	case ACTION_RELOAD:
	case ACTION_FREEZE:
	case ACTION_THAW:
	case ACTION_ENABLE:
	case ACTION_DISABLE:
	case ACTION_FORGIVE:
	case ACTION_MEND: /* verbs */
	case ACTION_CREATE:
	case ACTION_CLONE:
	case ACTION_RENAME:
	case ACTION_DESTROY:
	case ACTION_RESET:
	case ACTION_SNAPSHOT:
	case ACTION_RESTORE: /* errands */
	case ACTION_TOGGLE:
	case ACTION_SHIFT_UP:
	case ACTION_SHIFT_DOWN:
	case ACTION_DROP_VALUE:
	case ACTION_FORM_SAVE:
	case ACTION_FORM_TAKE:
	case ACTION_FORM_PLAN:
	case ACTION_FORM_WRITE:
	case ACTION_FORM_DISCARD: /* of menus */
	case ACTION_COMPLETE:
	case ACTION_ACCEPT:
	case ACTION_CANCEL:
	case ACTION_PREVIOUS:
	case ACTION_NEXT: /* of prompts */
	case ACTION_NONE:
	case ACTION_COUNT:
		break;
	}
}

void app_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec)
{
	bool moves = (keys_binding(action)->screens & SCREEN_TEXT) && action != ACTION_CLOSE;
	bool in_logs = app_screen(a) == SCREEN_LOGS && w->logs;

	if (keys_binding(action)->effect == ACTS && a->read_only)
		app_say(a, STYLE_TEXT, 0, "read-only: %s", a->read_only);
	else if (app_screen(a) == SCREEN_PROMPT && action != ACTION_REPAINT)
		app_prompt_act(a, w, action, now_usec);
	else if (app_screen(a) == SCREEN_MENU && !moves)
		app_menu_act(a, w, action, now_usec);
	else if (!in_logs || !app_logs_act(a, w->logs, action))
		act(a, w, action, now_usec);
}

void app_key(struct app *a, const struct world *w, int key, uint64_t now_usec)
{
	enum action action = keys_action(app_screen(a), key);

	a->now_usec = a->key_usec = now_usec;
	if (a->message.brief)
		app_say(a, STYLE_TEXT, 0, "%s", "");
	if (key == INPUT_PASTE) {
		if (a->prompt == PROMPT_NONE)
			app_say(a, STYLE_TEXT, 0,
			        "pasted text was ignored: keys act only when they are typed");
	} else if (action != ACTION_NONE) {
		app_act(a, w, action, now_usec);
	} else if (a->prompt != PROMPT_NONE) {
		app_prompt_key(a, key);
	} else if (!(key & INPUT_PASTED) && app_screen(a) == SCREEN_LIST) {
		app_say(a, STYLE_TEXT, 0, "that key does nothing here; ? shows the ones that do");
		a->message.brief = true;
	}
}

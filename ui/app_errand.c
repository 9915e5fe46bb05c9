#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/build.h"
#include "ui/app.h"

static const struct {
	enum action action;
	const char *word, *doing, *does;
	const char *left; /* what becomes of it when nobody waits for it any more */
} errands[] = {
	[ERRAND_NONE] = { ACTION_NONE, "", "", "", "" },
	[ERRAND_CLONE] = { ACTION_CLONE, "clone", "cloning", "", "what was made so far is removed" },
	[ERRAND_RENAME] = { ACTION_RENAME, "rename", "renaming", "",
	                    "it has its old name, or the new one if that was done" },
	[ERRAND_DESTROY] = { ACTION_DESTROY, "destroy", "destroying",
	                     "It is stopped and removed; nothing brings it back.",
	                     "machdeck destroy goes on where it stopped" },
	[ERRAND_RESET] = { ACTION_RESET, "reset", "resetting", "What it is now is kept as a snapshot.",
	                   "it is as it was, or reset if that was done" },
	[ERRAND_SNAPSHOT] = { ACTION_SNAPSHOT, "snapshot", "keeping a snapshot", "",
	                      "what was copied so far is removed" },
	[ERRAND_RESTORE] = { ACTION_RESTORE, "restore", "going back", "What it is now is kept as a snapshot.",
	                     "it is as it is now, or as it was if that was done" },
	[ERRAND_CREATE] = { ACTION_CREATE, "create", "creating", "", "what was made so far is removed" },
};

enum app_errand app_errand_of(enum action action)
{
	for (size_t i = ERRAND_NONE + 1; i < COUNT(errands); i++)
		if (errands[i].action == action)
			return (enum app_errand)i;
	return ERRAND_NONE;
}

const char *app_errand_word(enum app_errand errand)
{
	return errands[errand].word;
}

const char *app_errand_does(enum app_errand errand)
{
	return errands[errand].does;
}

const char *app_job_word(const struct app_job *job)
{
	return job->errand != ERRAND_NONE ? errands[job->errand].word : control_word(job->verb);
}

const char *app_job_doing(const struct app_job *job)
{
	return job->errand != ERRAND_NONE ? errands[job->errand].doing : control_doing(job->verb);
}

/* ---- whether it can be done */

static const char *kind_refuses(const struct machine *m)
{
	switch (m->kind) {
	case MACHINE_CONTAINER:
		return m->configured ? NULL : "has no conf: it is only there as long as it runs";
	case MACHINE_NSPAWN:
	case MACHINE_IMAGE:
		return "belongs to systemd-nspawn@: machinectl makes and removes those";
	case MACHINE_VM:
		return "is a virtual machine: who made it changes it";
	case MACHINE_OTHER:
		return "was registered by another program: that one changes it";
	}
	return NULL;
}

static bool is_down(const struct machine *m)
{
	return m->state == MACHINE_STOPPED || m->state == MACHINE_FAILED || m->state == MACHINE_UNKNOWN;
}

const char *app_errand_refuses(const struct app *a, const struct machine *m, enum app_errand errand)
{
	const char *no = kind_refuses(m);

	if (no)
		return no;
	if (m->declared && errand != ERRAND_CLONE && errand != ERRAND_SNAPSHOT)
		return "is declared elsewhere: that is where it is changed";
	if (app_job(a, m->name))
		return "has another job: wait for it, or cancel it";
	if ((errand == ERRAND_RENAME || errand == ERRAND_RESET || errand == ERRAND_RESTORE) && !is_down(m))
		return "is not down: stop it first";
	return NULL;
}

/* ---- asking */

static void ask_name(struct app *a, enum app_errand errand, const char *name)
{
	app_close_question(a);
	a->confirm.what.errand = errand;
	strs_add(&a->confirm.what.names, name);
	a->confirm.yes = false;
	a->confirm.top = 0;
	a->confirm.shown_usec = 0;
	app_open_prompt(a, PROMPT_NAME, "");
	app_todo(a, APP_FLUSH_INPUT, CONTROL_START, NULL, NULL, NULL);
}

static void wish(struct app *a, enum app_errand errand, const char *name)
{
	memset(&a->wish, 0, sizeof(a->wish));
	a->wish.errand = errand;
	(void)snprintf(a->wish.name, sizeof(a->wish.name), "%s", name);
}

/* The name of the machine is typed for it. */
static bool is_severe(enum app_errand errand)
{
	return errand == ERRAND_DESTROY || errand == ERRAND_RESET || errand == ERRAND_RESTORE;
}

/* The words of the verb that does what is wished. */
static void add_words(const struct app *a, bool dry, struct strs *words)
{
	strs_add(words, app_errand_word(a->wish.errand));
	if (dry)
		strs_add(words, "--dry-run");
	else if (is_severe(a->wish.errand))
		strs_add(words, "--yes");
	if (a->wish.errand == ERRAND_CREATE)
		app_create_words(a, words);
	if (a->wish.live)
		strs_add(words, "--live");
	if (a->wish.copies == APP_COPIES_NOTHING)
		strs_add(words, "--overlay");
	strs_add(words, a->wish.name);
	if (*a->wish.to)
		strs_add(words, a->wish.to);
}

static void look(struct app *a)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	add_words(a, true, &words);
	app_todo(a, APP_ERRAND_LOOK, CONTROL_START, a->wish.name, NULL, &words);
}

void app_errand_look(struct app *a)
{
	a->wish.looks = true;
	app_say(a, STYLE_BUSY, 0, "%s: looking what %s would do…", a->wish.name,
	        app_errand_word(a->wish.errand));
	look(a);
}

/* Which states there are to go back to. */
static void look_for_states(struct app *a)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	a->wish.looks = true;
	app_say(a, STYLE_BUSY, 0, "%s: looking for its snapshots…", a->wish.name);
	strs_add(&words, "snapshots");
	strs_add(&words, a->wish.name);
	app_todo(a, APP_ERRAND_LOOK, CONTROL_START, a->wish.name, NULL, &words);
}

void app_want_errand(struct app *a, const struct world *w, enum app_errand errand)
{
	const struct machine *m = snapshot_find(w->s, a->selected);
	const char *no = m ? app_errand_refuses(a, m, errand) : NULL;
	char key[KEY_TEXT_MAX];

	if (errand == ERRAND_CREATE) {
		wish(a, errand, "");
		app_open_prompt(a, PROMPT_NEW, "");
		return;
	}
	if (a->marks.n > 0 || !m) {
		keys_first(ACTION_UNMARK, key);
		if (m)
			app_say(a, STYLE_TEXT, 0, "one machine at a time: %s takes the marks away", key);
		else
			app_say(a, STYLE_TEXT, 0, "there is no machine to %s", app_errand_word(errand));
		return;
	}
	if (no) {
		app_say(a, STYLE_TEXT, 0, "%s %s", m->name, no);
		return;
	}
	wish(a, errand, m->name);
	if (errand == ERRAND_DESTROY || errand == ERRAND_RESET) {
		ask_name(a, errand, m->name);
		look(a);
		return;
	}
	if (errand == ERRAND_SNAPSHOT) {
		app_errand_look(a);
		return;
	}
	if (errand == ERRAND_RESTORE) {
		look_for_states(a);
		return;
	}
	app_open_prompt(a, PROMPT_NEW, "");
	if (errand == ERRAND_RENAME) /* what is declared elsewhere is refused before anything is typed */
		app_todo(a, APP_ERRAND_LOOK, CONTROL_START, m->name, NULL, NULL);
}

/* Whether the question about it is still on the screen. */
static bool is_asked(const struct app *a, enum app_errand errand, const char *name)
{
	return (a->prompt == PROMPT_NEW || (a->prompt == PROMPT_NAME && a->confirm.what.errand == errand)) &&
	       a->wish.errand == errand && strcmp(a->wish.name, name) == 0;
}

static void offer_states(struct app *a, const char *text)
{
	char key[KEY_TEXT_MAX];

	strs_done(&a->states);
	strs_split(&a->states, text, "\n");
	if (a->states.n > 0) {
		app_open_menu(a, MENU_STATES);
		app_say(a, STYLE_TEXT, 0, "%s", "");
		return;
	}
	keys_first(ACTION_SNAPSHOT, key);
	app_say(a, STYLE_TEXT, 0, "%s has no snapshot to go back to: %s makes one", a->wish.name, key);
}

void app_errand_state(struct app *a, size_t row)
{
	const char *line = row < a->states.n ? a->states.v[a->states.n - 1 - row] : "";

	(void)snprintf(a->wish.to, sizeof(a->wish.to), "%.*s", (int)strcspn(line, " "), line);
	if (!*a->wish.to)
		return;
	ask_name(a, a->wish.errand, a->wish.name);
	look(a);
}

/* Whether an overlay would copy less: of what runs, there can be none. */
static bool asks_for_copies(const struct app *a, const char *text)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "# root: %s of ", built_word(BUILT_COPIED));
	return a->wish.errand == ERRAND_CLONE && a->wish.copies == APP_COPIES_ASK && !a->wish.live &&
	       strstr(text, full);
}

void app_errand_copies(struct app *a, size_t row)
{
	a->wish.copies = row == 0 ? APP_COPIES_FULLY : APP_COPIES_NOTHING;
	app_errand_look(a);
}

/* What would be done is shown, if nothing else was begun meanwhile. */
static void offer(struct app *a, int r, const char *text, const struct err *e)
{
	bool is_free = a->prompt == PROMPT_NONE && a->menu == MENU_NONE && a->text == APP_TEXT_NONE &&
	               !a->confirm.open;

	a->wish.looks = false;
	if (!is_free) {
		app_say(a, STYLE_TEXT, 0, "%s: no %s, something else was begun meanwhile", a->wish.name,
		        app_errand_word(a->wish.errand));
		return;
	}
	if (r < 0) { /* what was typed last can be mended */
		app_say(a, STYLE_BAD, 0, "%s", e->text);
		if (a->wish.errand == ERRAND_CREATE)
			app_create_again(a);
		else if (a->wish.errand == ERRAND_CLONE || a->wish.errand == ERRAND_RENAME)
			app_open_prompt(a, PROMPT_NEW, a->wish.to);
		return;
	}
	if (a->wish.errand == ERRAND_RESTORE) {
		offer_states(a, text);
		return;
	}
	app_say(a, STYLE_TEXT, 0, "%s", "");
	if (asks_for_copies(a, text)) {
		app_open_menu(a, MENU_CLONE);
		return;
	}
	doc_done(&a->results);
	doc_text(&a->results, STYLE_TEXT, text);
	a->text = APP_TEXT_ERRAND;
	a->offered_usec = 0;
	a->text_top = 0;
	app_todo(a, APP_FLUSH_INPUT, CONTROL_START, NULL, NULL, NULL);
}

void app_errand_looked(struct app *a, enum app_errand errand, const char *name, int r, const char *text,
                       const struct err *e)
{
	if (a->wish.looks && a->wish.errand == errand && strcmp(a->wish.name, name) == 0) {
		offer(a, r, text, e);
		return;
	}
	if (!is_asked(a, errand, name))
		return;
	if (r < 0) {
		a->prompt = PROMPT_NONE;
		app_close_question(a);
		app_say(a, STYLE_BAD, 0, "%s", e->text);
	} else if (a->prompt == PROMPT_NAME) {
		free(a->confirm.preview);
		a->confirm.preview = strdup(text);
	}
}

/* ---- beginning */

static void begin(struct app *a, uint64_t now_usec)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	bool is_new = a->wish.errand == ERRAND_CREATE, makes_none = a->wish.errand == ERRAND_RESTORE;

	add_words(a, false, &words);
	app_begin_errand(a, a->wish.errand, a->wish.name,
	                 is_new       ? a->wish.name
	                 : makes_none ? ""
	                              : a->wish.to,
	                 &words, now_usec);
}

/* Whether it can still be done with the machine of that name. */
static bool may_begin(struct app *a, const struct world *w)
{
	const struct machine *m = snapshot_find(w->s, a->wish.name);
	const char *no = m ? app_errand_refuses(a, m, a->wish.errand) : "is not there any more";

	if (no)
		app_say(a, STYLE_TEXT, 0, "%s %s", a->wish.name, no);
	return !no;
}

void app_errand_confirmed(struct app *a, const struct world *w, uint64_t now_usec)
{
	if (may_begin(a, w))
		begin(a, now_usec);
}

/* Of a root that is an overlay itself there is only a full copy. */
static void look_with(struct app *a, const struct machine *m)
{
	bool clones = a->wish.errand == ERRAND_CLONE;

	a->wish.live = clones && !is_down(m);
	a->wish.copies = clones && m->overlay_over ? APP_COPIES_FULLY : APP_COPIES_ASK;
	app_errand_look(a);
}

void app_errand_named(struct app *a, const struct world *w, const char *text)
{
	bool is_new = a->wish.errand == ERRAND_CREATE;

	if (!*text)
		return;
	if (!name_is_machine(text) || name_is_foreign_conf(text) || snapshot_find(w->s, text)) {
		app_say(a, STYLE_BAD, 0,
		        name_is_machine(text) ? "the name '%s' is taken"
		                              : "'%s' can not be the name of a machine",
		        text);
		app_open_prompt(a, PROMPT_NEW, text);
		return;
	}
	(void)snprintf(is_new ? a->wish.name : a->wish.to, sizeof(a->wish.to), "%s", text);
	if (is_new)
		app_create_named(a);
	else if (may_begin(a, w))
		look_with(a, snapshot_find(w->s, a->wish.name));
}

void app_errand_commit(struct app *a, const struct world *w, uint64_t now_usec)
{
	const char *made = a->wish.errand == ERRAND_CREATE ? a->wish.name : a->wish.to;

	if (a->text != APP_TEXT_ERRAND)
		return;
	a->text = APP_TEXT_NONE;
	if (snapshot_find(w->s, made) || app_job(a, made))
		app_say(a, STYLE_TEXT, 0, "the name '%s' is taken meanwhile", made);
	else if (a->wish.errand == ERRAND_CREATE || may_begin(a, w))
		begin(a, now_usec);
}

bool app_errand_holds(struct app *a)
{
	for (size_t i = 0; !a->leaves && i < a->n_jobs; i++) {
		if (a->jobs[i].errand == ERRAND_NONE)
			continue;
		a->leaves = true;
		app_say(a, STYLE_BUSY, 0, "%s: %s would be given up: the same key again leaves",
		        a->jobs[i].name, app_job_doing(&a->jobs[i]));
		return true;
	}
	return false;
}

void app_errands_left(const struct app *a, struct strs *ret)
{
	for (size_t i = 0; i < a->n_jobs; i++)
		if (a->jobs[i].errand != ERRAND_NONE)
			strs_addf(ret, "%s: %s is given up: %s", a->jobs[i].name, app_job_doing(&a->jobs[i]),
			          errands[a->jobs[i].errand].left);
}

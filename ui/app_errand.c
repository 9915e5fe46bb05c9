#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/app.h"

static const struct {
	enum action action;
	const char *word, *doing, *does;
} errands[] = {
	[ERRAND_NONE] = { ACTION_NONE, "", "", "" },
	[ERRAND_CLONE] = { ACTION_CLONE, "clone", "cloning", "" },
	[ERRAND_RENAME] = { ACTION_RENAME, "rename", "renaming", "" },
	[ERRAND_DESTROY] = { ACTION_DESTROY, "destroy", "destroying", "It is stopped and removed; nothing brings it back." },
	[ERRAND_RESET] = { ACTION_RESET, "reset", "resetting", "" },
	[ERRAND_CREATE] = { ACTION_CREATE, "create", "creating", "" },
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

const char *app_errand_refuses(const struct app *a, const struct machine *m, enum app_errand errand)
{
	const char *no = kind_refuses(m);

	if (no)
		return no;
	if (m->declared && errand != ERRAND_CLONE)
		return "is declared elsewhere: that is where it is changed";
	if (app_job(a, m->name))
		return "has another job: wait for it, or cancel it";
	if ((errand == ERRAND_RENAME || errand == ERRAND_RESET) && m->state != MACHINE_STOPPED &&
	    m->state != MACHINE_FAILED && m->state != MACHINE_UNKNOWN)
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

void app_want_errand(struct app *a, const struct world *w, enum app_errand errand)
{
	const struct machine *m = snapshot_find(w->s, a->selected);
	const char *no = m ? app_errand_refuses(a, m, errand) : NULL;
	char key[KEY_TEXT_MAX];

	if (errand == ERRAND_CREATE) {
		a->wish.errand = errand;
		a->wish.name[0] = '\0';
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
	a->wish.errand = errand;
	(void)snprintf(a->wish.name, sizeof(a->wish.name), "%s", m->name);
	if (errand == ERRAND_DESTROY || errand == ERRAND_RESET)
		ask_name(a, errand, m->name);
	else
		app_open_prompt(a, PROMPT_NEW, "");
	app_todo(a, APP_ERRAND_LOOK, CONTROL_START, m->name, NULL, NULL);
}

/* Whether the question about it is still on the screen. */
static bool is_asked(const struct app *a, enum app_errand errand, const char *name)
{
	return (a->prompt == PROMPT_NEW || (a->prompt == PROMPT_NAME && a->confirm.what.errand == errand)) &&
	       a->wish.errand == errand && strcmp(a->wish.name, name) == 0;
}

void app_errand_looked(struct app *a, enum app_errand errand, const char *name, int r, const char *text, const struct err *e)
{
	if (errand == ERRAND_CREATE && a->wish.errand == errand && strcmp(a->wish.name, name) == 0)
		app_create_looked(a, r, text, e);
	if (errand == ERRAND_CREATE || !is_asked(a, errand, name))
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

static void begin(struct app *a, const struct world *w, enum app_errand errand, const char *name, const char *to,
                  uint64_t now_usec)
{
	const struct machine *m = snapshot_find(w->s, name);
	const char *no = m ? app_errand_refuses(a, m, errand) : "is not there any more";
	CLEANUP(strs_done) struct strs words = { 0 };

	if (no) {
		app_say(a, STYLE_TEXT, 0, "%s %s", name, no);
		return;
	}
	strs_add(&words, app_errand_word(errand));
	if (!*to)
		strs_add(&words, "--yes");
	strs_add(&words, name);
	if (*to)
		strs_add(&words, to);
	app_begin_errand(a, errand, name, to, &words, now_usec);
}

void app_errand_confirmed(struct app *a, const struct world *w, enum app_errand errand, const char *name, uint64_t now_usec)
{
	begin(a, w, errand, name, "", now_usec);
}

void app_errand_named(struct app *a, const struct world *w, const char *text, uint64_t now_usec)
{
	if (!*text)
		return;
	if (name_is_machine(text) && !name_is_foreign_conf(text) && !snapshot_find(w->s, text)) {
		if (a->wish.errand != ERRAND_CREATE) {
			begin(a, w, a->wish.errand, a->wish.name, text, now_usec);
			return;
		}
		(void)snprintf(a->wish.name, sizeof(a->wish.name), "%s", text);
		app_create_named(a);
		return;
	}
	app_say(a, STYLE_BAD, 0, name_is_machine(text) ? "the name '%s' is taken" : "'%s' can not be the name of a machine", text);
	app_open_prompt(a, PROMPT_NEW, text);
}

bool app_errand_holds(struct app *a)
{
	for (size_t i = 0; !a->leaves && i < a->n_jobs; i++) {
		if (a->jobs[i].errand == ERRAND_NONE)
			continue;
		a->leaves = true;
		app_say(a, STYLE_BUSY, 0, "%s: %s would be given up: the same key again leaves", a->jobs[i].name,
		        app_job_doing(&a->jobs[i]));
		return true;
	}
	return false;
}

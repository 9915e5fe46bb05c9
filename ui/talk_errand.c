#include "ui/talk_errand.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "ui/menu.h"
#include "ui/talk_text.h"

#define STEP_USEC 10000000 /* between two steps that are told */

static enum talk_errand_asks question_of(const struct app *a)
{
	if (a->wish.errand == ERRAND_NONE)
		return TALK_ERRAND_NOTHING;
	if (a->wish.looks || (a->prompt == PROMPT_NAME && !a->confirm.preview))
		return TALK_ERRAND_WAIT;
	if (a->prompt == PROMPT_NEW)
		return TALK_ERRAND_NAME;
	if (a->prompt == PROMPT_ROOT || a->prompt == PROMPT_EXTRA || a->prompt == PROMPT_PORTS)
		return TALK_ERRAND_TEXT;
	if (a->menu == MENU_ROOT || a->menu == MENU_NETWORK || a->menu == MENU_USERS ||
	    a->menu == MENU_START || a->menu == MENU_STATES || a->menu == MENU_CLONE)
		return TALK_ERRAND_CHOICE;
	if (a->text == APP_TEXT_ERRAND)
		return TALK_ERRAND_YES;
	return a->prompt == PROMPT_NAME ? TALK_ERRAND_SURE : TALK_ERRAND_NOTHING;
}

bool talk_errand_asks(const struct app *a)
{
	return question_of(a) != TALK_ERRAND_NOTHING;
}

static void add_lines(struct buf *out, const char *text)
{
	CLEANUP(strs_done) struct strs lines = { 0 };

	strs_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		talk_add_shown(out, lines.v[i]);
		buf_puts(out, "\n");
	}
}

/* ---- what can be done */

static const enum app_errand of_a_machine[] = { ERRAND_CLONE,   ERRAND_RENAME, ERRAND_SNAPSHOT,
	                                        ERRAND_RESTORE, ERRAND_RESET,  ERRAND_DESTROY };

void talk_errand_offers(const struct app *a, const struct machine *m, struct buf *out)
{
	const char *between = "";

	for (size_t i = 0; !a->read_only && i < COUNT(of_a_machine); i++) {
		if (app_errand_refuses(a, m, of_a_machine[i]))
			continue;
		buf_addf(out, "%s%s", between, app_errand_word(of_a_machine[i]));
		between = ", ";
	}
	buf_puts(out, *between ? ": by that word.\n" : "");
}

bool talk_errand_begin(struct talk_errand *t, struct app *a, const struct world *w, const struct machine *m,
                       const char *word, struct buf *out)
{
	enum app_errand errand = m ? ERRAND_NONE : ERRAND_CREATE;

	for (size_t i = 0; m && i < COUNT(of_a_machine); i++)
		if (strcmp(word, app_errand_word(of_a_machine[i])) == 0)
			errand = of_a_machine[i];
	if (errand == ERRAND_NONE || strcmp(word, app_errand_word(errand)) != 0)
		return false;
	if (a->read_only) {
		buf_addf(out, "Nothing can be changed here: %s.\n", a->read_only);
		return true;
	}
	a->menu = MENU_NONE; /* what a form has left open is a screen's */
	a->text = APP_TEXT_NONE;
	(void)snprintf(a->selected, sizeof(a->selected), "%s", m ? m->name : "");
	app_want_errand(a, w, errand);
	t->told = TALK_ERRAND_NOTHING;
	talk_errand_tell(t, a, w, 0, out);
	return true;
}

/* ---- questions */

static void tell_choices(const struct app *a, const struct world *w, struct buf *out)
{
	CLEANUP(menu_done) struct menu m = { 0 };

	menu_build(a, w, &m);
	buf_addf(out, "%s:\n", m.title);
	for (size_t i = 0; i < m.n; i++)
		buf_addf(out, "%zu. %s: %s\n", i + 1, m.v[i].label, m.v[i].hint);
	buf_puts(out, "A number or its word; b goes back.\n");
}

static void tell_what_would_be_done(const struct app *a, struct buf *out)
{
	buf_addf(out, "This is what %s would do:\n", app_errand_word(a->wish.errand));
	talk_add_doc(out, &a->results);
	buf_puts(out, "To do it, type yes. Anything else does nothing.\n");
}

static void tell_question(const struct app *a, const struct world *w, struct buf *out)
{
	const char *word = app_errand_word(a->wish.errand), *does = app_errand_does(a->wish.errand);

	switch (question_of(a)) {
	case TALK_ERRAND_NOTHING:
	case TALK_ERRAND_TEXT: /* the prompt says it */
		break;
	case TALK_ERRAND_WAIT:
		buf_puts(out, a->wish.looks ? "" : "Looking what that would do.\n");
		break;
	case TALK_ERRAND_NAME:
		buf_puts(out, "Type the new name; an empty line goes back.\n");
		break;
	case TALK_ERRAND_CHOICE:
		tell_choices(a, w, out);
		break;
	case TALK_ERRAND_YES:
		tell_what_would_be_done(a, out);
		break;
	case TALK_ERRAND_SURE:
		buf_addf(out, "%s%sIt would do this:\n", does, *does ? " " : "");
		add_lines(out, a->confirm.preview);
		buf_addf(out, "To %s %s, type %s. Anything else does nothing.\n", word, a->wish.name,
		         app_confirm_word(a));
		break;
	}
}

void talk_errand_prompt(const struct app *a, struct buf *out)
{
	switch (question_of(a)) {
	case TALK_ERRAND_TEXT:
		buf_puts(out, a->prompt == PROMPT_PORTS ? "ports: " : app_create_asks(a));
		return;
	case TALK_ERRAND_NAME:
		buf_puts(out, "name> ");
		return;
	case TALK_ERRAND_NOTHING:
	case TALK_ERRAND_WAIT:
	case TALK_ERRAND_CHOICE:
	case TALK_ERRAND_YES:
	case TALK_ERRAND_SURE:
		buf_puts(out, "answer> ");
		return;
	}
}

/* ---- what came of them */

static void tell_message(struct app *a, struct buf *out)
{
	static const char dots[] = "\u2026";
	const char *text = a->message.text, *end;

	if (!*text)
		return;
	buf_puts(out, a->message.style == STYLE_BAD ? "Attention. " : "");
	for (; (end = strstr(text, dots)); text = end + sizeof(dots) - 1)
		buf_addf(out, "%.*s...", (int)(end - text), text);
	buf_addf(out, "%s\n", text);
	a->message.text[0] = '\0';
}

static void tell_step(struct talk_errand *t, const struct app *a, uint64_t now_usec, struct buf *out)
{
	for (size_t i = 0; i < a->n_jobs; i++) {
		const struct app_job *job = &a->jobs[i];

		if (!job->waits_for[0] || strcmp(job->waits_for, t->step) == 0 ||
		    now_usec < t->step_usec + STEP_USEC)
			continue;
		memcpy(t->step, job->waits_for, sizeof(t->step));
		t->step_usec = now_usec;
		buf_addf(out, "%s: %s, %s\n", job->name, app_job_doing(job), job->waits_for);
	}
}

void talk_errand_tell(struct talk_errand *t, struct app *a, const struct world *w, uint64_t now_usec,
                      struct buf *out)
{
	enum talk_errand_asks question = question_of(a);

	tell_message(a, out);
	tell_step(t, a, now_usec, out);
	if (question != t->told || a->menu != t->menu)
		tell_question(a, w, out);
	t->told = question;
	t->menu = a->menu;
}

/* ---- lines */

static void give_up(struct app *a, struct buf *out)
{
	a->prompt = PROMPT_NONE;
	a->menu = MENU_NONE;
	a->text = APP_TEXT_NONE;
	app_close_question(a);
	memset(&a->wish, 0, sizeof(a->wish));
	buf_puts(out, "Nothing is done.\n");
}

static void choose(struct app *a, const struct world *w, const char *line, struct buf *out)
{
	CLEANUP(menu_done) struct menu m = { 0 };
	enum app_menu menu = a->menu;
	uint64_t number = 0;

	menu_build(a, w, &m);
	(void)num_parse(line, 1, m.n, &number);
	for (size_t i = 0; i < m.n; i++)
		if (strcmp(line, m.v[i].label) == 0)
			number = i + 1;
	if (number == 0) {
		buf_puts(out, "There is no such choice.\n");
		return;
	}
	a->menu = MENU_NONE;
	if (menu == MENU_STATES)
		app_errand_state(a, number - 1);
	else if (menu == MENU_CLONE)
		app_errand_copies(a, number - 1);
	else
		app_create_chosen(a, menu, number - 1, m.v[number - 1].name);
}

void talk_errand_line(struct talk_errand *t, struct app *a, const struct world *w, const char *line,
                      uint64_t now_usec, struct buf *out)
{
	bool is_back = strcmp(line, "b") == 0;

	switch (question_of(a)) {
	case TALK_ERRAND_NOTHING:
		return;
	case TALK_ERRAND_WAIT:
		if (is_back)
			give_up(a, out);
		else
			buf_puts(out, "It is being looked at; b gives it up.\n");
		break;
	case TALK_ERRAND_NAME:
		if (*line)
			app_take_line(a, w, line, now_usec);
		else
			give_up(a, out);
		break;
	case TALK_ERRAND_TEXT:
		if (is_back)
			give_up(a, out);
		else
			app_take_line(a, w, line, now_usec);
		break;
	case TALK_ERRAND_CHOICE:
		if (is_back)
			give_up(a, out);
		else
			choose(a, w, line, out);
		break;
	case TALK_ERRAND_YES:
		if (strcmp(line, "yes") == 0)
			app_errand_commit(a, w, now_usec);
		else
			give_up(a, out);
		break;
	case TALK_ERRAND_SURE:
		app_shown(
			a,
			now_usec -
				APP_CONFIRM_USEC); /* a line is never a key that was meant for something else */
		app_take_line(a, w, line, now_usec);
		break;
	}
	if (question_of(a) == TALK_ERRAND_NOTHING)
		memset(&a->wish, 0, sizeof(a->wish));
	talk_errand_tell(t, a, w, now_usec, out);
}

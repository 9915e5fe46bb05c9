#include "ui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void app_init(struct app *a)
{
	*a = (struct app){ .folds = true, .sort = { .by = COLUMNS_URGENCY }, .period_usec = APP_PERIOD_USEC };
	columns_default(&a->columns);
}

void app_command_done(struct app_command *c)
{
	free(c->text);
	strs_done(&c->names);
	*c = (struct app_command){ 0 };
}

void app_done(struct app *a)
{
	form_close(&a->form);
	for (size_t i = a->next_todo; i < a->n_todo; i++)
		app_command_done(&a->todo[i]);
	for (size_t i = 0; i < a->n_log; i++) {
		free(a->log[i].command);
		free(a->log[i].result);
	}
	doc_done(&a->results);
	strs_done(&a->states);
	strs_done(&a->failed);
	strs_done(&a->marks);
	strs_done(&a->confirm.what.names);
	free(a->confirm.preview);
	free(a->todo);
	free(a->log);
	free(a->order);
	free(a->jobs);
	*a = (struct app){ 0 };
}

enum screen app_screen(const struct app *a)
{
	if (a->prompt != PROMPT_NONE)
		return SCREEN_PROMPT;
	if (a->confirm.open)
		return SCREEN_CONFIRM;
	if (a->menu != MENU_NONE)
		return SCREEN_MENU;
	if (a->text != APP_TEXT_NONE)
		return SCREEN_TEXT;
	if (a->pane.open && (a->pane.focused || a->pane.alone))
		return a->pane.tab == TAB_LOGS ? SCREEN_LOGS : SCREEN_PANE;
	return SCREEN_LIST;
}

void app_say(struct app *a, enum style style, uint64_t at_usec, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(a->message.text, sizeof(a->message.text), format, ap);
	va_end(ap);
	a->message.style = style;
	a->message.at_usec = at_usec;
	a->message.brief = false;
}

void app_todo(struct app *a, enum app_effect what, enum control_verb verb, const char *name, const char *text,
              const struct strs *names)
{
	struct app_command c = { .what = what, .verb = verb, .text = text ? strdup(text) : NULL };
	struct app_command *grown = reallocarray(a->todo, a->n_todo + 1, sizeof(*grown));

	if (names)
		strs_add_all(&c.names, names);
	(void)snprintf(c.name, sizeof(c.name), "%s", name ? name : "");
	if (!grown || (text && !c.text) || c.names.bad) {
		a->todo = grown ? grown : a->todo;
		app_command_done(&c);
		app_say(a, STYLE_BAD, 0, "out of memory");
		return;
	}
	a->todo = grown;
	a->todo[a->n_todo++] = c;
}

bool app_next(struct app *a, struct app_command *ret)
{
	if (a->next_todo < a->n_todo) {
		*ret = a->todo[a->next_todo++];
		return true;
	}
	a->n_todo = a->next_todo = 0;
	return false;
}

/* ---- rows */

/* What was asked for just now counts as changing. */
static int urgency(const struct app *a, const struct machine *m)
{
	return app_job(a, m->name) ? 1 : columns_urgency(m);
}

struct sorting {
	const struct app *a;
	const struct world *w;
};

static struct columns_row row_of(const struct sorting *s, size_t i)
{
	const struct machine *m = &s->w->s->v[i];

	return (struct columns_row){ m, stats_find(s->w->stats, m->name),
		                     s->a->sort.by == COLUMN_CFG ? cfg_of(s->w, m) : CFG_UNKNOWN };
}

static int compare_rows(const void *first, const void *second, void *arg)
{
	size_t i = *(const size_t *)first, j = *(const size_t *)second;
	const struct sorting *s = arg;
	struct columns_row one, other;
	int r;

	if (s->a->sort.by == COLUMNS_URGENCY) {
		r = urgency(s->a, &s->w->s->v[i]) - urgency(s->a, &s->w->s->v[j]);
		r *= s->a->sort.reverse ? -1 : 1;
	} else {
		one = row_of(s, i);
		other = row_of(s, j);
		r = columns_compare(&s->a->sort, &one, &other);
	}
	return r != 0 ? r : i < j ? -1 : i > j; /* the snapshot is sorted by name */
}

static void sort_rows(struct app *a, const struct world *w)
{
	struct sorting sorting = { a, w };
	size_t *grown = realloc(a->order, (w->s->n + 1) * sizeof(*grown));

	a->n_order = 0;
	if (!grown)
		return;
	a->order = grown;
	for (size_t i = 0; i < w->s->n; i++)
		if (filter_match(&a->filter, &w->s->v[i], stats_find(w->stats, w->s->v[i].name), a->now_usec))
			a->order[a->n_order++] = i;
	qsort_r(a->order, a->n_order, sizeof(*a->order), compare_rows, &sorting);
}

static void select_row(struct app *a, const struct world *w, size_t row)
{
	a->row = row < a->n_order ? row : a->n_order > 0 ? a->n_order - 1 : 0;
	(void)snprintf(a->selected, sizeof(a->selected), "%s",
	               a->n_order > 0 ? w->s->v[a->order[a->row]].name : "");
}

static bool find_row(const struct app *a, const struct world *w, const char *name, size_t *ret)
{
	for (size_t row = 0; row < a->n_order; row++) {
		if (strcmp(w->s->v[a->order[row]].name, name) != 0)
			continue;
		*ret = row;
		return true;
	}
	return false;
}

void app_select(struct app *a, const struct world *w, const char *name)
{
	size_t row;

	if (find_row(a, w, name, &row))
		select_row(a, w, row);
}

static void forget_marks_of_the_gone(struct app *a, const struct world *w)
{
	struct strs kept = { 0 };

	for (size_t i = 0; i < a->marks.n; i++)
		if (snapshot_find(w->s, a->marks.v[i]))
			strs_add(&kept, a->marks.v[i]);
	strs_done(&a->marks);
	a->marks = kept;
}

/* A start may go well and be over a moment later: what was said then must not stand there any longer. */
static void take_back(struct app *a, const struct world *w)
{
	const struct machine *m = a->ended.name[0] ? snapshot_find(w->s, a->ended.name) : NULL;

	if (!m || m->state != MACHINE_FAILED || m->since_usec < a->ended.since_usec)
		return;
	app_say(a, STYLE_BAD, m->since_usec, "%s: it %s, and failed then%s%s", m->name,
	        control_did(a->ended.verb), m->reason ? ": " : "", m->reason ? m->reason : "");
	if (m->reason) /* it is asked for, and may come a moment later */
		a->ended.name[0] = '\0';
}

/* A machine that is failed now and was not at the last look is worth a bell; at the first look none is. */
static void listen(struct app *a, const struct world *w)
{
	struct strs failed = { 0 };

	for (size_t i = 0; i < w->s->n; i++) {
		const struct machine *m = &w->s->v[i];

		if (m->state != MACHINE_FAILED)
			continue;
		a->rings |= a->looked && !strs_has(&a->failed, m->name);
		strs_add(&failed, m->name);
	}
	a->looked |= w->s->taken_usec > 0;
	strs_done(&a->failed);
	a->failed = failed;
}

void app_follow(struct app *a, const struct world *w)
{
	sort_rows(a, w);
	forget_marks_of_the_gone(a, w);
	take_back(a, w);
	listen(a, w);
	if (a->goal[0] && find_row(a, w, a->goal, &a->row)) {
		select_row(a, w, a->row);
		a->goal[0] = '\0';
	}
	if (!find_row(a, w, a->selected, &a->row))
		select_row(a, w, a->row); /* it went away: its neighbour */
}

void app_targets(const struct app *a, const struct world *w, struct strs *ret)
{
	if (a->marks.n == 0 && a->selected[0])
		strs_add(ret, a->selected);
	for (size_t row = 0; row < a->n_order; row++)
		if (strs_has(&a->marks, w->s->v[a->order[row]].name))
			strs_add(ret, w->s->v[a->order[row]].name);
	for (size_t i = 0; i < a->marks.n; i++) /* those that the filter hides were marked all the same */
		if (!strs_has(ret, a->marks.v[i]))
			strs_add(ret, a->marks.v[i]);
}

void app_shown(struct app *a, uint64_t now_usec)
{
	if (a->confirm.what.names.n > 0 && !a->confirm.shown_usec)
		a->confirm.shown_usec = now_usec;
	if (a->text != APP_TEXT_SAVE && a->text != APP_TEXT_ERRAND)
		a->offered_usec = 0;
	else if (!a->offered_usec)
		a->offered_usec = now_usec;
}

static void move_by(int *top, long by)
{
	long to = *top + by;

	*top = to < 0 ? 0 : to > 100000 ? 100000 : (int)to; /* the frame knows the end */
}

void app_move(struct app *a, const struct world *w, long by)
{
	switch (app_screen(a)) {
	case SCREEN_TEXT:
		move_by(&a->text_top, by);
		break;
	case SCREEN_PANE:
	case SCREEN_LOGS:
		move_by(&a->pane.top, by);
		break;
	case SCREEN_MENU:
	case SCREEN_PROMPT: /* the palette */
		a->menu_row = by < 0 && (size_t)-by > a->menu_row ? 0 : a->menu_row + (size_t)by;
		break;
	case SCREEN_CONFIRM:
		move_by(&a->confirm.top, by);
		break;
	case SCREEN_LIST:
		a->goal[0] = '\0';
		select_row(a, w, by < 0 && (size_t)-by > a->row ? 0 : a->row + (size_t)by);
		a->pane.top = 0;
		break;
	}
}

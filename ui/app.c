#include "ui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/input.h"

void app_done(struct app *a)
{
	free(a->order);
	free(a->jobs);
	*a = (struct app){ 0 };
}

enum screen app_screen(const struct app *a)
{
	return a->confirm.open ? SCREEN_CONFIRM : a->text != APP_TEXT_NONE ? SCREEN_TEXT : SCREEN_LIST;
}

static void keep_name(char to[static NAME_MACHINE_MAX + 1], const char *name)
{
	(void)snprintf(to, NAME_MACHINE_MAX + 1, "%s", name);
}

void app_say(struct app *a, enum style style, uint64_t at_usec, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(a->message.text, sizeof(a->message.text), format, ap);
	va_end(ap);
	a->message.style = style;
	a->message.at_usec = at_usec;
}

const struct app_job *app_job(const struct app *a, const char *name)
{
	for (size_t i = a->n_jobs; i > 0; i--)
		if (!strcmp(a->jobs[i - 1].name, name))
			return &a->jobs[i - 1];
	return NULL;
}

static void remove_job(struct app *a, const char *name, enum control_verb verb)
{
	for (size_t i = 0; i < a->n_jobs; i++) {
		if (strcmp(a->jobs[i].name, name) != 0 || a->jobs[i].verb != verb)
			continue;
		memmove(&a->jobs[i], &a->jobs[i + 1], (a->n_jobs - i - 1) * sizeof(*a->jobs));
		a->n_jobs--;
		return;
	}
}

static bool add_job(struct app *a, const char *name, enum control_verb verb, uint64_t now_usec)
{
	struct app_job *grown = realloc(a->jobs, (a->n_jobs + 1) * sizeof(*grown));

	if (!grown)
		return false;
	a->jobs = grown;
	grown[a->n_jobs] = (struct app_job){ .verb = verb, .since_usec = now_usec };
	keep_name(grown[a->n_jobs++].name, name);
	return true;
}

/* What needs a person comes first, then what changes just now. */
static int urgency(const struct app *a, const struct machine *m)
{
	if (app_job(a, m->name))
		return 1;
	switch (m->state) {
	case MACHINE_FAILED:
	case MACHINE_GHOST:
		return 0;
	case MACHINE_STARTING:
	case MACHINE_RELOADING:
	case MACHINE_STOPPING:
	case MACHINE_RESTARTING:
		return 1;
	case MACHINE_UNKNOWN:
		return 2;
	case MACHINE_RUNNING:
		return m->reason ? 2 : 3;
	case MACHINE_STOPPED:
		return m->bad_conf ? 0 : 4;
	}
	return 2;
}

/* The snapshot is sorted by name, and so each group stays. */
static void sort_rows(struct app *a, const struct snapshot *s)
{
	size_t *grown = realloc(a->order, (s->n + 1) * sizeof(*grown));

	a->n_order = 0;
	if (!grown)
		return;
	a->order = grown;
	for (int group = 0; group <= 4; group++)
		for (size_t i = 0; i < s->n; i++)
			if (urgency(a, &s->v[i]) == group)
				a->order[a->n_order++] = i;
}

static void select_row(struct app *a, const struct snapshot *s, size_t row)
{
	a->row = row < a->n_order ? row : a->n_order > 0 ? a->n_order - 1 : 0;
	keep_name(a->selected, a->n_order > 0 ? s->v[a->order[a->row]].name : "");
}

/* A start may go well and be over a moment later: what was said then must not stand there any longer. */
static void take_back(struct app *a, const struct snapshot *s)
{
	const struct machine *m = a->ended.name[0] ? snapshot_find(s, a->ended.name) : NULL;

	if (!m || m->state != MACHINE_FAILED || m->since_usec < a->ended.since_usec)
		return;
	app_say(a, STYLE_BAD, m->since_usec, "%s: it %s, and failed then%s%s", m->name,
	        control_did(a->ended.verb), m->reason ? ": " : "", m->reason ? m->reason : "");
	if (m->reason) /* it is asked for, and may come a moment later */
		a->ended.name[0] = '\0';
}

void app_follow(struct app *a, const struct snapshot *s)
{
	sort_rows(a, s);
	take_back(a, s);
	for (size_t row = 0; row < a->n_order; row++) {
		if (!strcmp(s->v[a->order[row]].name, a->selected)) {
			a->row = row;
			return;
		}
	}
	select_row(a, s, a->row); /* it went away: its neighbour */
}

const char *app_refuses(const struct app *a, const struct machine *m, enum control_verb verb)
{
	const struct app_job *job = app_job(a, m->name);

	if (!job)
		return control_refuses(m, verb);
	if (job->verb == verb)
		return "has been asked to already";
	switch (verb) {
	case CONTROL_STOP:
	case CONTROL_TERMINATE:
	case CONTROL_KILL:
	case CONTROL_RESTART: /* take the place of what is under way */
		return NULL;
	case CONTROL_START:
	case CONTROL_RELOAD:
	case CONTROL_FREEZE:
	case CONTROL_THAW:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_FORGIVE:
	case CONTROL_DROP:
		return "has another job: wait for it";
	}
	return NULL;
}

static struct app_command begin(struct app *a, const char *name, enum control_verb verb, uint64_t now_usec)
{
	struct app_command c = { .what = APP_CONTROL, .verb = verb };

	a->ended.name[0] = '\0';
	if (!add_job(a, name, verb, now_usec)) {
		app_say(a, STYLE_BAD, now_usec, "%s: cannot %s: out of memory", name, control_word(verb));
		return (struct app_command){ 0 };
	}
	keep_name(c.name, name);
	app_say(a, STYLE_BUSY, 0, "%s: %s…", name, control_doing(verb));
	return c;
}

static struct app_command ask(struct app *a, const char *name, enum control_verb verb)
{
	a->confirm.open = true;
	a->confirm.yes = false;
	a->confirm.verb = verb;
	a->confirm.shown_usec = 0;
	keep_name(a->confirm.name, name);
	return (struct app_command){ .what = APP_FLUSH_INPUT };
}

/* The job, when it can be done: mild ones at once, the others ask first. */
static struct app_command want(struct app *a, const struct snapshot *s, const char *name,
                               enum control_verb verb, bool confirmed, uint64_t now_usec)
{
	const struct machine *m = snapshot_find(s, name);
	const char *why = m ? app_refuses(a, m, verb) : "is not there any more";

	if (!*name)
		app_say(a, STYLE_TEXT, 0, "there is no machine to %s", control_word(verb));
	else if (why)
		app_say(a, STYLE_TEXT, 0, "%s %s", name, why);
	else if (confirmed || verb == CONTROL_START || verb == CONTROL_RELOAD)
		return begin(a, name, verb, now_usec);
	else
		return ask(a, name, verb);
	return (struct app_command){ 0 };
}

static struct app_command answer(struct app *a, const struct snapshot *s, bool yes, uint64_t now_usec)
{
	char name[NAME_MACHINE_MAX + 1];

	if (yes && (!a->confirm.shown_usec || now_usec < a->confirm.shown_usec + APP_CONFIRM_USEC))
		return (struct app_command){ 0 };
	a->confirm.open = false;
	if (!yes)
		return (struct app_command){ 0 };
	keep_name(name, a->confirm.name);
	return want(a, s, name, a->confirm.verb, true, now_usec);
}

static void move(struct app *a, const struct snapshot *s, long by)
{
	if (a->text != APP_TEXT_NONE) {
		long top = a->text_top + by;

		a->text_top = top < 0 ? 0 : top > 10000 ? 10000 : (int)top; /* the frame knows the end */
		return;
	}
	select_row(a, s, by < 0 && (size_t)-by > a->row ? 0 : a->row + (size_t)by);
}

struct app_command app_key(struct app *a, const struct snapshot *s, int key, uint64_t now_usec)
{
	long page = a->page > 0 ? (long)a->page : 1, all = 10000;

	if (key == INPUT_PASTE) {
		app_say(a, STYLE_TEXT, 0, "pasted text was ignored: keys act only when they are typed");
		return (struct app_command){ 0 };
	}
	switch (keys_action(app_screen(a), key)) {
	case ACTION_UP:
		move(a, s, -1);
		break;
	case ACTION_DOWN:
		move(a, s, 1);
		break;
	case ACTION_PAGE_UP:
		move(a, s, -page);
		break;
	case ACTION_PAGE_DOWN:
		move(a, s, page);
		break;
	case ACTION_FIRST:
		move(a, s, -all);
		break;
	case ACTION_LAST:
		move(a, s, all);
		break;
	case ACTION_START:
		return want(a, s, a->selected, CONTROL_START, false, now_usec);
	case ACTION_STOP:
		return want(a, s, a->selected, CONTROL_STOP, false, now_usec);
	case ACTION_RESTART:
		return want(a, s, a->selected, CONTROL_RESTART, false, now_usec);
	case ACTION_RELOAD:
		return want(a, s, a->selected, CONTROL_RELOAD, false, now_usec);
	case ACTION_DETAILS:
		a->text = a->n_order > 0 ? APP_TEXT_DETAILS : APP_TEXT_NONE;
		a->text_top = 0;
		break;
	case ACTION_HELP:
		a->text = APP_TEXT_HELP;
		a->text_top = 0;
		break;
	case ACTION_CLEAR:
		app_say(a, STYLE_TEXT, 0, "%s", "");
		break;
	case ACTION_REPAINT:
		return (struct app_command){ .what = APP_REPAINT };
	case ACTION_QUIT:
		return (struct app_command){ .what = APP_QUIT };
	case ACTION_CLOSE:
		a->text = APP_TEXT_NONE;
		break;
	case ACTION_YES:
		return answer(a, s, true, now_usec);
	case ACTION_NO:
		return answer(a, s, false, now_usec);
	case ACTION_CHOOSE:
		return answer(a, s, a->confirm.yes, now_usec);
	case ACTION_SWITCH:
		a->confirm.yes = !a->confirm.yes;
		break;
	case ACTION_NONE:
	case ACTION_COUNT:
		if (app_screen(a) == SCREEN_LIST)
			app_say(a, STYLE_TEXT, 0, "that key does nothing here; ? shows the ones that do");
		break;
	}
	return (struct app_command){ 0 };
}

void app_shown(struct app *a, uint64_t now_usec)
{
	if (a->confirm.open && !a->confirm.shown_usec)
		a->confirm.shown_usec = now_usec;
}

void app_result(struct app *a, const char *name, enum control_verb verb, int r, const struct err *e,
                uint64_t now_usec)
{
	const struct app_job *latest = app_job(a, name);
	uint64_t tenths;

	if (latest && latest->verb == verb) { /* else a later one replaced it, which ends without a word */
		tenths = now_usec > latest->since_usec ? (now_usec - latest->since_usec) / 100000 : 0;
		a->ended = (struct app_job){ 0 };
		if (r < 0) {
			app_say(a, STYLE_BAD, now_usec, "%s", e->text);
		} else {
			app_say(a, STYLE_GOOD, now_usec, "%s: %s in %llu.%llu s", name, control_did(verb),
			        (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
			a->ended = *latest;
		}
	}
	remove_job(a, name, verb);
}

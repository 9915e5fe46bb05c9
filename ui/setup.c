#include "ui/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"

enum { AUTO, YES, NO }; /* of settings that have the three */

static void say_warnings(struct app *a, const struct strs *warnings)
{
	char key[KEY_TEXT_MAX];

	keys_first(ACTION_SELF, key);
	if (warnings->n == 1)
		app_say(a, STYLE_BUSY, 0, "%s", warnings->v[0]);
	else if (warnings->n > 1)
		app_say(a, STYLE_BUSY, 0, "%s (and %zu more mistakes in settings: %s lists them)",
		        warnings->v[0], warnings->n - 1, key);
}

static void apply_settings(const struct settings *s, struct app *a)
{
	a->columns = s->columns;
	a->sort = s->sort;
	a->folds = s->number[SETTING_FOLD] != NO;
	a->period_usec = (uint64_t)s->number[SETTING_PERIOD] * 1000000;
	a->theme = (enum theme)s->number[SETTING_THEME];
	a->mouse = s->number[SETTING_MOUSE] != NO;
	a->cautious = s->number[SETTING_CONFIRM] != 0;
	a->lock_usec = (uint64_t)s->number[SETTING_LOCK_MINUTES] * 60000000;
	if (s->number[SETTING_TAB] < TAB_COUNT)
		a->pane.tab = (enum tab)s->number[SETTING_TAB];
}

static int apply_options(const struct dashboard_options *o, struct app *a, struct err *e)
{
	int r = 0;

	if (o->sort)
		r = columns_sort_parse(o->sort, &a->sort, e);
	if (r >= 0 && o->filter) {
		r = filter_parse(o->filter, &a->filter, NULL, e);
		(void)snprintf(a->filter_text, sizeof(a->filter_text), "%s", o->filter);
	}
	if (o->theme)
		a->theme = o->theme - 1;
	if (o->period >= 0)
		a->period_usec = (uint64_t)(o->period * 1e6);
	if (r < 0 && e)
		e->status = STATUS_USAGE;
	return r;
}

int setup_load(struct setup *s, const struct dashboard_options *o, struct app *a, struct err *e)
{
	setfile_find(geteuid(), getenv("HOME"), getenv("XDG_CONFIG_HOME"), getenv("XDG_STATE_HOME"),
	             &s->places);
	if (o->source.replay) { /* what is shown must not depend on who looks */
		settings_default(&s->files);
		s->now = s->files;
	} else {
		setfile_load(&s->places, &s->files, &s->now, &s->warnings);
	}
	keymap_install(&s->now.keymap);
	apply_settings(&s->now, a);
	say_warnings(a, &s->warnings);
	a->mistakes = &s->warnings;
	a->ascii = o->ascii || s->now.number[SETTING_ASCII];
	return apply_options(o, a, e);
}

void setup_done(struct setup *s)
{
	strs_done(&s->warnings);
}

bool setup_mouse_is_auto(const struct setup *s)
{
	return s->now.number[SETTING_MOUSE] == AUTO;
}

/* The gate is for the host: what a person chose is theirs to keep, also for who may not change anything here. It is
 * only convenience, so a failure goes unsaid. */
static void store_own(struct setup *s, const struct settings *now)
{
	bool was_open = gate_is_open();
	char reason[GATE_REASON_MAX];
	struct err ignored;

	(void)snprintf(reason, sizeof(reason), "%s", gate_reason());
	gate_open();
	(void)setfile_store(&s->places, &s->files, now, &ignored);
	if (!was_open)
		gate_close(reason);
}

void setup_remember(struct setup *s, const struct app *a)
{
	struct settings now = s->now;

	if (gate_is_sealed())
		return;
	now.columns = a->columns;
	now.sort = a->sort;
	now.number[SETTING_THEME] = (int)a->theme;
	now.number[SETTING_TAB] = (int)a->pane.tab;
	if (a->mouse != (now.number[SETTING_MOUSE] != NO))
		now.number[SETTING_MOUSE] = a->mouse ? YES : NO;
	if (a->folds != (now.number[SETTING_FOLD] != NO))
		now.number[SETTING_FOLD] = a->folds ? YES : NO;
	store_own(s, &now);
}

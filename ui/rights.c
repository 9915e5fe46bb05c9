#include "ui/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/gate.h"
#include "engine/privileges.h"

struct rights {
	struct app *app;
	rights_changed_fn *changed;
	void *arg;
	struct privileges_ask *ask;
};

void rights_free(struct rights *r)
{
	if (!r)
		return;
	privileges_cancel(r->ask);
	free(r);
}

static void close_gate(struct app *a, const char *reason)
{
	gate_close(reason);
	a->read_only = gate_reason();
}

static void open_gate(struct app *a)
{
	gate_open();
	a->read_only = NULL;
	a->locked = false;
}

static void on_answer(enum privileges_may may, const char *why, void *arg)
{
	struct rights *r = arg;
	char reason[GATE_REASON_MAX], key[KEY_TEXT_MAX];

	r->ask = NULL;
	keys_first(ACTION_UNLOCK, key);
	switch (may) {
	case PRIVILEGES_MAY:
		open_gate(r->app);
		break;
	case PRIVILEGES_MAY_ASK:
		(void)snprintf(reason, sizeof(reason), "%s; %s unlocks, and you will be asked", why, key);
		close_gate(r->app, reason);
		r->app->locked = true;
		break;
	case PRIVILEGES_MAY_NOT:
		close_gate(r->app, why);
		break;
	}
	r->changed(r->arg);
}

int rights_give_up(const struct dashboard_options *o, const struct settings *s, struct err *e)
{
	int r;

	if (!o->read_only && s->host_is_read_only)
		gate_seal(SETFILE_SYSTEM " says read_only");
	else if (!o->read_only && s->number[SETTING_READ_ONLY] && !o->write)
		gate_seal("the settings say read_only; --write takes that back");
	else if (!o->read_only)
		return 0;
	r = privileges_drop(NULL, e);
	return r < 0 ? r : 1;
}

int rights_begin(sd_event *loop, const struct dashboard_options *o, const struct setup *s, struct app *a,
                 rights_changed_fn *changed, void *arg, struct rights **ret, struct err *e)
{
	struct rights *r;
	int result;

	result = rights_give_up(o, &s->now, e);
	if (result != 0) {
		a->read_only = gate_reason();
		return result < 0 ? result : 0;
	}
	if (o->source.replay) {
		gate_seal("this is a tape");
		a->read_only = gate_reason();
		return 0;
	}
	if (o->write || geteuid() == 0)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_no_memory(e);
	*r = (struct rights){ .app = a, .changed = changed, .arg = arg };
	close_gate(a, "it is not known yet what you may do here");
	result = privileges_may_manage(loop, on_answer, r, &r->ask, e);
	if (result < 0) {
		rights_free(r);
		return result;
	}
	*ret = r;
	return 0;
}

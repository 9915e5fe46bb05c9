#include "engine/earlystop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "drivers/machined.h"
#include "drivers/units.h"
#include "words/name.h"

struct earlystop {
	struct units *units;
	struct strs stopping; /* units that are, now */
};

static void set_stopping(struct strs *list, const char *unit, bool stopping)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], unit) != 0)
			continue;
		if (stopping)
			return;
		free(list->v[i]);
		list->v[i] = list->v[--list->n];
		list->v[list->n] = NULL;
		return;
	}
	if (stopping)
		strs_add(list, unit);
}

/* Its leader is root's, as we are, unless it has user ids of its own. */
static void stop_again(const char *unit)
{
	CLEANUP(registrations_done) struct registrations all = { 0 };

	if (machined_list("", &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		const struct registration *m = &all.v[i];

		if (m->unit && strcmp(m->unit, unit) == 0 && m->leader > 1 && machined_leader_lives(m))
			(void)kill(m->leader, SIGRTMIN + 3);
	}
}

static void on_unit(const struct units_event *event, void *arg)
{
	const struct unit *unit = event->unit;
	struct earlystop *s = arg;

	if (event->change == UNITS_DOWN || event->change == UNITS_UP)
		strs_done(&s->stopping);
	if (event->change == UNITS_GONE)
		set_stopping(&s->stopping, unit->name, false);
	if (event->change != UNITS_STATE || strncmp(unit->name, "container@", 10) != 0)
		return;
	if (unit->has_state)
		set_stopping(&s->stopping, unit->name, strcmp(unit->active, "deactivating") == 0);
	if (unit->has_service && unit->status_text && strstr(unit->status_text, EARLYSTOP_STATUS) &&
	    strs_has(&s->stopping, unit->name))
		stop_again(unit->name);
}

int earlystop_new(sd_event *loop, struct earlystop **ret, struct err *e)
{
	struct earlystop *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_no_memory(e);
	r = units_new(loop, on_unit, s, &s->units, e);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void earlystop_free(struct earlystop *s)
{
	if (!s)
		return;
	units_free(s->units);
	strs_done(&s->stopping);
	free(s);
}

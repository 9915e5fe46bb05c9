#include "engine/unitwatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/why.h"

#define ASKS_MAX      8 /* machines we ask the reason of at a time */
#define UNITS_MAX     10000
#define IDLE_ASKS_MAX 16

/* The reason why one unit is down is being asked, or will be. */
struct ask {
	struct unitwatch *w;
	char *unit;
	struct why *why; /* NULL: waits for its turn */
	bool again;      /* the unit changed meanwhile */
	struct ask *next;
};

/* The unit's place in the sorted list, made if there is none; NULL when out of memory. */
static struct unit_seen *unit_place(struct sources *s, const char *name)
{
	struct unit_seen *found = sources_unit(s, name), *grown;
	size_t at = 0;

	if (found || s->n_units >= UNITS_MAX)
		return found;
	grown = reallocarray(s->units, s->n_units + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	s->units = grown;
	while (at < s->n_units && strcmp(grown[at].name, name) < 0)
		at++;
	memmove(&grown[at + 1], &grown[at], (s->n_units - at) * sizeof(*grown));
	grown[at] = (struct unit_seen){ .name = strdup(name) };
	s->n_units++;
	if (grown[at].name)
		return &grown[at];
	memmove(&grown[at], &grown[at + 1], (--s->n_units - at) * sizeof(*grown));
	return NULL;
}

static void unit_forget(struct sources *s, const char *name)
{
	struct unit_seen *u = sources_unit(s, name);
	size_t after;

	if (!u)
		return;
	free(u->name);
	free(u->reason);
	after = s->n_units - (size_t)(u - s->units) - 1;
	memmove(u, u + 1, after * sizeof(*u));
	s->n_units--;
}

static void ask_free(struct ask *a)
{
	why_cancel(a->why);
	free(a->unit);
	free(a);
}

static void pump_asks(struct unitwatch *w);

static bool is_down(enum machine_state state)
{
	return state == MACHINE_FAILED || state == MACHINE_RESTARTING;
}

static void take_tries(struct unit_seen *u, uint32_t n_restarts, const char *result)
{
	u->n_restarts = n_restarts;
	u->failed = result && strcmp(result, "success") != 0;
}

static void on_why(int r, struct why_answer *answer, const struct err *e, void *arg)
{
	struct ask *a = arg, **at;
	struct unitwatch *w = a->w;
	struct unit_seen *u = sources_unit(w->seen, a->unit);
	char text[WHY_SIZE];

	(void)e;
	a->why = NULL;
	if (r >= 0)
		w->log_denied = answer->no_log && answer->no_log->status == STATUS_NOT_PERMITTED;
	if (r >= 0 && u)
		take_tries(u, answer->facts.n_restarts, answer->facts.result);
	if (r >= 0 && u && u->state == MACHINE_STOPPING) /* it went on while it was asked */
		u->failed |= is_down(answer->facts.state) || answer->facts.state == MACHINE_STARTING;
	if (r >= 0 && u && answer->facts.state == u->state) {
		free(u->reason);
		u->cause = why_sentence(&answer->facts, text);
		u->reason = u->cause ? strdup(text) : NULL;
		u->since_usec = answer->facts.state_usec;
		w->changed(w->arg);
	}
	if (a->again) {
		a->again = false;
	} else {
		for (at = &w->asks; *at != a; at = &(*at)->next)
			;
		*at = a->next;
		ask_free(a);
	}
	pump_asks(w);
}

/* The NAME of NAME@INSTANCE.service; for sentences only. */
static void machine_of(const char *unit, char ret[static NAME_UNIT_SIZE])
{
	const char *at = strchr(unit, '@'), *start = at ? at + 1 : unit, *end = strstr(start, ".service");

	(void)snprintf(ret, NAME_UNIT_SIZE, "%.*s", end ? (int)(end - start) : (int)strlen(start), start);
}

static void pump_asks(struct unitwatch *w)
{
	size_t running = 0;

	for (struct ask *a = w->asks; a; a = a->next)
		running += a->why != NULL;
	for (struct ask *a = w->asks; a && running < ASKS_MAX; a = a->next) {
		char name[NAME_UNIT_SIZE];

		if (a->why)
			continue;
		machine_of(a->unit, name);
		if (why_ask(w->brief ? NULL : w->loop, w->units, name, a->unit, on_why, a, &a->why, NULL) < 0)
			return; /* out of reach; asked again when it is back */
		running++;
	}
}

static void ask_why(struct unitwatch *w, const char *unit)
{
	struct ask **at = &w->asks;

	for (; *at; at = &(*at)->next) {
		if (strcmp((*at)->unit, unit) != 0)
			continue;
		(*at)->again |= (*at)->why != NULL;
		return;
	}
	*at = calloc(1, sizeof(**at));
	if (!*at)
		return;
	(*at)->w = w;
	(*at)->unit = strdup(unit);
	if ((*at)->unit)
		pump_asks(w);
	else
		ask_free(take_p(at));
}

static void forget_asks(struct unitwatch *w)
{
	while (w->asks) {
		struct ask *next = w->asks->next;

		ask_free(w->asks);
		w->asks = next;
	}
}

/* Nothing but the journal remembers that something it requires kept it from starting. */
static void ask_of_stopped(struct unitwatch *w, const char *unit)
{
	struct unit_seen *u = unit_place(w->seen, unit);

	if (!u || (u->state != MACHINE_UNKNOWN && u->state != MACHINE_STOPPED))
		return;
	u->state = MACHINE_STOPPED;
	ask_why(w, unit);
}

/* What should run and does not deserves the question, as long as it is not a crowd. */
static void ask_of_idle(struct unitwatch *w)
{
	for (size_t i = 0, n = 0; i < w->seen->n_confs && n < IDLE_ASKS_MAX; i++) {
		const struct conf_seen *c = &w->seen->confs[i];
		const struct unit_seen *u;
		char unit[NAME_UNIT_SIZE];

		if (!c->auto_start || c->problem)
			continue;
		name_unit(c->name, unit);
		u = sources_unit(w->seen, unit);
		if (u && (u->state != MACHINE_STOPPED || u->reason))
			continue;
		ask_of_stopped(w, unit);
		n++;
	}
}

/* Who looks but once has to ask whether it was tried before: no list tells. */
static bool is_asked_of(const struct unitwatch *w, const struct unit_seen *u)
{
	return !u->reason && (is_down(u->state) ||
	                      (w->brief && (u->state == MACHINE_STARTING || u->state == MACHINE_STOPPING)));
}

static bool take_state(struct unitwatch *w, struct unit_seen *u, const struct unit *given)
{
	enum machine_state state = machine_state_of_unit(given->active, given->sub);
	uint64_t since = machine_since(state, given->state_usec, given->active_usec);
	bool changed = state != u->state;

	if (changed) {
		u->state = state;
		u->since_usec = 0;
		free(take_p(&u->reason));
		if (is_down(state))
			ask_why(w, given->name);
	}
	if (since && since != u->since_usec) {
		u->since_usec = since;
		changed = true;
	}
	return changed;
}

/* What a guest says of itself while it boots. */
static bool take_words(struct unit_seen *u, const struct unit *given)
{
	const struct why_facts f = { .name = "", .state = u->state, .status_text = given->status_text };
	char text[WHY_SIZE];

	if (u->state != MACHINE_STARTING)
		return false;
	u->cause = why_sentence(&f, text);
	if (strcmp(text, u->reason ? u->reason : "") == 0)
		return false;
	free(u->reason);
	u->reason = *text ? strdup(text) : NULL;
	return true;
}

/* What a unit says of itself later is read by who looks at it: here it only counts that it is something else. */
static bool take_status(struct unit_seen *u, const struct unit *given)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	uint64_t before = u->words;

	if (!given->status_text)
		return false;
	buf_puts(&text, given->status_text);
	u->words = text.bad ? before : buf_hash(&text);
	return before != 0 && u->words != before;
}

/* Returns whether it changed what is to be seen. */
static bool take_unit(struct unitwatch *w, const struct unit *given)
{
	bool has_state = given->has_state && given->active && given->sub, changed = false;
	struct unit_seen *u =
		has_state ? unit_place(w->seen, given->name) : sources_unit(w->seen, given->name);

	if (u && has_state)
		changed |= take_state(w, u, given);
	if (u && given->has_service) {
		take_tries(u, given->n_restarts, given->result);
		changed |= take_words(u, given);
		changed |= take_status(u, given);
	}
	if (u && u->state == MACHINE_RUNNING) { /* its directives, perhaps: who shows them asks */
		u->told++;
		changed = true;
	}
	return changed;
}

static bool has_story(const struct unit_seen *u)
{
	return u->state == MACHINE_STOPPED && u->reason;
}

static bool is_listed(const char *name, const struct unit *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return true;
	return false;
}

static void on_list(int r, const struct unit *v, size_t n, const struct err *e, void *arg)
{
	struct unitwatch *w = arg;

	w->listing = sd_bus_slot_unref(w->listing);
	w->answered = true;
	w->changed(w->arg);
	if (r < 0) {
		w->problem = *e;
		return;
	}
	w->problem.text[0] = '\0';
	w->seen->units_known = w->seen->units_were_known = true;
	for (size_t i = w->seen->n_units; i > 0; i--)
		if (!has_story(&w->seen->units[i - 1]) && !is_listed(w->seen->units[i - 1].name, v, n))
			unit_forget(w->seen, w->seen->units[i - 1].name);
	for (size_t i = 0; i < n; i++)
		(void)take_unit(w, &v[i]);
	for (size_t i = 0; i < w->seen->n_units; i++) /* what was being asked when the connection was lost */
		if (is_asked_of(w, &w->seen->units[i]))
			ask_why(w, w->seen->units[i].name);
	if (!w->brief)
		ask_of_idle(w);
}

static void units_lost(struct unitwatch *w, const struct err *e)
{
	w->listing = sd_bus_slot_unref(w->listing);
	w->seen->units_known = false;
	w->answered = true;
	w->problem = *e;
	forget_asks(w);
}

static void list_units(struct unitwatch *w)
{
	struct err e;

	w->listing = sd_bus_slot_unref(w->listing);
	if (units_list(w->units, on_list, w, &w->listing, &e) < 0)
		units_lost(w, &e);
}

/* Only a stopped unit is let go; where others go too, systemd is about to execute itself anew. */
static void unit_gone(struct unitwatch *w, const char *name)
{
	const struct unit_seen *u = sources_unit(w->seen, name);

	if (u && has_story(u))
		return;
	if (u && u->state == MACHINE_STOPPED)
		unit_forget(w->seen, name);
	else if (u && !w->listing)
		list_units(w);
}

static bool is_container(const char *unit)
{
	return strncmp(unit, "container@", strlen("container@")) == 0 ||
	       strncmp(unit, "systemd-nspawn@", strlen("systemd-nspawn@")) == 0;
}

static void on_units(const struct units_event *event, void *arg)
{
	struct unitwatch *w = arg;

	switch (event->change) {
	case UNITS_UP:
	case UNITS_RELOADED:
		w->reloaded = true;
		list_units(w);
		break;
	case UNITS_DOWN:
		units_lost(w, event->e);
		break;
	case UNITS_STATE:
		if (!take_unit(w, event->unit))
			return;
		break;
	case UNITS_GONE:
		unit_gone(w, event->unit->name);
		break;
	case UNITS_JOB_REMOVED:
		if (is_container(event->unit->name) && event->result &&
		    strcmp(event->result, "dependency") == 0)
			ask_of_stopped(w, event->unit->name);
		return;
	case UNITS_JOB_NEW:
		return;
	}
	w->changed(w->arg);
}

bool unitwatch_is_settled(const struct unitwatch *w)
{
	return w->answered && !w->asks;
}

int unitwatch_start(struct unitwatch *w, sd_event *loop, struct sources *seen, unitwatch_changed_fn *changed,
                    void *arg, struct err *e)
{
	*w = (struct unitwatch){
		.loop = loop, .seen = seen, .reloaded = true, .changed = changed, .arg = arg
	};
	(void)err_set(&w->problem, STATUS_UNAVAILABLE, EAGAIN, "systemd has not answered yet");
	return units_new(loop, on_units, w, &w->units, e);
}

void unitwatch_done(struct unitwatch *w)
{
	forget_asks(w);
	sd_bus_slot_unref(w->listing);
	units_free(w->units);
	*w = (struct unitwatch){ 0 };
}

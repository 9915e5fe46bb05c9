#include "ui/talk.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "ui/cfg.h"

#define SECOND 1000000ull

void talk_done(struct talk *t)
{
	strs_done(&t->listed);
}

static void prompt(const struct talk *t, struct buf *out)
{
	if (t->app && t->app->form.open)
		talk_form_prompt(&t->edits, &t->app->form, out);
	else if (t->app && talk_errand_asks(t->app))
		talk_errand_prompt(t->app, out);
	else if (t->asks)
		buf_puts(out, "answer> ");
	else if (*t->chosen)
		buf_addf(out, "%s> ", t->chosen);
	else
		buf_puts(out, "machine> ");
}

/* ---- sentences */

static void add_age(struct buf *to, uint64_t since_usec, uint64_t now_usec)
{
	static const struct {
		uint64_t seconds;
		const char *word;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	uint64_t age = now_usec > since_usec ? (now_usec - since_usec) / SECOND : 0, n;
	size_t i = 0;

	while (i + 1 < COUNT(units) && age < units[i].seconds)
		i++;
	n = age / units[i].seconds;
	buf_addf(to, "%" PRIu64 " %s%s", n, units[i].word, n == 1 ? "" : "s");
}

static void add_list(struct buf *to, const char *before, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(to, i == 0 ? before : i + 1 < list->n ? ", " : " and ");
		buf_puts(to, list->v[i]);
	}
}

static void add_use(struct buf *to, const struct stats *s)
{
	if (!s || s->at_usec == 0)
		return;
	if (isfinite(s->cpu))
		buf_addf(to, ", cpu %.1f percent", (double)s->cpu);
	if (s->memory != STATS_UNKNOWN)
		buf_addf(to, ", memory %s%" PRIu64 " megabytes", s->memory_is_estimate ? "about " : "",
		         s->memory >> 20);
}

static void sentence(const struct world *w, const struct machine *m, uint64_t now_usec, struct buf *to)
{
	buf_addf(to, "%s: %s", m->name, machine_state_word(m->state));
	if (m->state != MACHINE_UNKNOWN && m->since_usec) {
		buf_puts(to, " for ");
		add_age(to, m->since_usec, now_usec);
	}
	if (m->addresses_seen)
		add_list(to, ", at ", &m->addresses);
	add_use(to, stats_find(w->stats, m->name));
	if (m->reason)
		buf_addf(to, ", because: %s", m->reason);
	buf_puts(to, "\n");
}

static void list(struct talk *t, const struct world *w, uint64_t now_usec, struct buf *out)
{
	strs_done(&t->listed);
	buf_addf(out, "%zu machine%s", w->s->n, w->s->n == 1 ? "" : "s");
	if (w->s->host)
		buf_addf(out, " on %s", w->s->host);
	buf_puts(out, ".\n");
	if (w->s->stale)
		buf_addf(out, "Not all is known: %s\n", w->s->stale);
	if (w->trouble)
		buf_addf(out, "%s\n", w->trouble);
	for (size_t i = 0; i < w->s->n; i++) {
		strs_add(&t->listed, w->s->v[i].name);
		buf_addf(out, "%zu. ", i + 1);
		sentence(w, &w->s->v[i], now_usec, out);
	}
}

static void details(const struct world *w, const struct machine *m, uint64_t now_usec, struct buf *out)
{
	const char *restart = cfg_restart(w, m);

	sentence(w, m, now_usec, out);
	if (!m->addresses_seen)
		add_list(out, "Configured address: ", &m->addresses);
	if (!m->addresses_seen && m->addresses.n > 0)
		buf_puts(out, "\n");
	add_list(out, "Ports: ", &m->ports);
	buf_puts(out, m->ports.n > 0 ? "\n" : "");
	if (m->os)
		buf_addf(out, "System: %s\n", m->os);
	if (m->unit)
		buf_addf(out, "Unit: %s\n", m->unit);
	if (restart)
		buf_addf(out, "Restart needed%s%s\n", *restart ? ": " : "", restart);
	for (size_t i = w->events->n; i > 0; i--) {
		if (strcmp(w->events->v[i - 1].name, m->name) != 0)
			continue;
		buf_puts(out, "Last event, ");
		add_age(out, w->events->v[i - 1].usec, now_usec);
		buf_addf(out, " ago: %s\n", w->events->v[i - 1].text);
		return;
	}
}

/* ---- the menu of one machine */

/* The verb of that number among those that can be done now; -1: there is none. */
static int offered(const struct machine *m, uint64_t number)
{
	for (int v = 0; v < CONTROL_VERBS; v++)
		if (!control_refuses(m, (enum control_verb)v) && --number == 0)
			return v;
	return -1;
}

static void menu(const struct talk *t, const struct machine *m, struct buf *out)
{
	int v;

	if (t->locked) {
		buf_addf(out, "Nothing can be changed: %s. b goes back.\n", t->locked);
		return;
	}
	for (uint64_t n = 1; (v = offered(m, n)) >= 0; n++)
		buf_addf(out, "%" PRIu64 ". %s\n", n, control_word((enum control_verb)v));
	if (m->configured)
		buf_puts(out, "e. edit its conf\n");
	if (t->app)
		talk_errand_offers(t->app, m, out);
	buf_puts(out, "An action's number or word; b goes back.\n");
}

static int verb_of(const struct machine *m, const char *line)
{
	uint64_t number;

	if (num_parse(line, 1, CONTROL_VERBS, &number) == 0)
		return offered(m, number);
	for (int v = 0; v < CONTROL_VERBS; v++)
		if (strcmp(control_word((enum control_verb)v), line) == 0)
			return v;
	return -1;
}

/* What can be undone is done at once, what interrupts takes a yes, and what destroys takes the name. */
static const char *wanted_answer(enum control_verb v, const char *name)
{
	switch (v) {
	case CONTROL_STOP:
	case CONTROL_RESTART:
	case CONTROL_DISABLE:
	case CONTROL_FREEZE:
	case CONTROL_MEND:
		return "yes";
	case CONTROL_TERMINATE:
	case CONTROL_KILL:
	case CONTROL_DROP:
		return name;
	case CONTROL_START:
	case CONTROL_RELOAD:
	case CONTROL_THAW:
	case CONTROL_ENABLE:
	case CONTROL_FORGIVE:
		break;
	}
	return NULL;
}

static struct talk_command act(struct talk *t, struct buf *out)
{
	struct talk_command c = { .act = true, .verb = t->verb };

	(void)snprintf(c.name, sizeof(c.name), "%s", t->chosen);
	buf_addf(out, "%s: %s.\n", t->chosen, control_doing(t->verb));
	*t->chosen = '\0';
	return c;
}

static struct talk_command answer(struct talk *t, const char *line, struct buf *out)
{
	t->asks = false;
	if (strcmp(line, wanted_answer(t->verb, t->chosen)) == 0)
		return act(t, out);
	buf_puts(out, "Nothing is done.\n");
	return (struct talk_command){ 0 };
}

static struct talk_command choose_action(struct talk *t, const struct machine *m, const char *line,
                                         struct buf *out)
{
	const char *refusal, *wanted;
	int v = verb_of(m, line);

	if (v < 0 || t->locked) {
		buf_puts(out, t->locked ? "" : "There is no such action.\n");
		menu(t, m, out);
		return (struct talk_command){ 0 };
	}
	t->verb = (enum control_verb)v;
	refusal = control_refuses(m, t->verb);
	if (refusal) {
		buf_addf(out, "%s %s.\n", m->name, refusal);
		return (struct talk_command){ 0 };
	}
	wanted = wanted_answer(t->verb, m->name);
	if (!wanted)
		return act(t, out);
	t->asks = true;
	buf_addf(out, "To %s %s, type %s. Anything else does nothing.\n", control_word(t->verb), m->name,
	         wanted);
	return (struct talk_command){ 0 };
}

/* ---- lines */

static void help(struct buf *out)
{
	buf_puts(out, "A machine's number or name: what is known of it, and its actions.\n"
	              "create: a new container. l: the list. b: back. ?: this help. q: quit.\n"
	              "Changes are told when they happen.\n");
}

static bool is_word(const char *line, const char *letter, const char *word)
{
	return strcmp(line, letter) == 0 || strcmp(line, word) == 0;
}

static void choose_machine(struct talk *t, const struct world *w, uint64_t now_usec, const char *line,
                           struct buf *out)
{
	const struct machine *m;
	uint64_t number;

	if (num_parse(line, 1, t->listed.n, &number) == 0)
		line = t->listed.v[number - 1];
	m = snapshot_find(w->s, line);
	if (!m) {
		char shown[80];

		(void)text_printable(shown, sizeof(shown), line, strlen(line));
		buf_addf(out, "There is no machine %s. Type l for the list, or ? for help.\n", shown);
		return;
	}
	(void)snprintf(t->chosen, sizeof(t->chosen), "%s", m->name);
	details(w, m, now_usec, out);
	menu(t, m, out);
}

static struct talk_command command_of_form(enum app_effect what, const char *name)
{
	struct talk_command c = { .form = what };

	(void)snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

static struct talk_command edit(struct talk *t, const char *line, struct buf *out)
{
	if (t->edits.asks == TALK_FORM_ROW && is_word(line, "q", "quit") && form_is_dirty(&t->app->form))
		line = "b"; /* it asks */
	else if (t->edits.asks == TALK_FORM_ROW && is_word(line, "q", "quit"))
		return (struct talk_command){ .quit = true };
	return command_of_form(talk_form_line(&t->edits, &t->app->form, line, out), t->app->form.name);
}

static struct talk_command take(struct talk *t, const struct world *w, uint64_t now_usec, const char *line,
                                struct buf *out)
{
	const struct machine *m = *t->chosen ? snapshot_find(w->s, t->chosen) : NULL;

	if (t->app && t->app->form.open) {
		return edit(t, line, out);
	} else if (t->app && talk_errand_asks(t->app)) {
		talk_errand_line(&t->errands, t->app, w, line, now_usec, out);
	} else if (*t->chosen && !m) {
		buf_addf(out, "%s is gone.\n", t->chosen);
		*t->chosen = '\0';
		t->asks = false;
	} else if (t->asks) {
		return answer(t, line, out);
	} else if (is_word(line, "q", "quit")) {
		return (struct talk_command){ .quit = true };
	} else if (is_word(line, "?", "help")) {
		help(out);
	} else if (is_word(line, "l", "list")) {
		*t->chosen = '\0';
		list(t, w, now_usec, out);
	} else if (is_word(line, "b", "back")) {
		*t->chosen = '\0';
	} else if (m && is_word(line, "e", "edit") && t->app && !t->locked) {
		t->edits.looks = false;
		return command_of_form(APP_FORM_OPEN, t->chosen);
	} else if (t->app && talk_errand_begin(&t->errands, t->app, w, m, line, out)) {
		*t->chosen = '\0';
	} else if (m && *line) {
		return choose_action(t, m, line, out);
	} else if (*line) {
		choose_machine(t, w, now_usec, line, out);
	}
	return (struct talk_command){ 0 };
}

struct talk_command talk_line(struct talk *t, const struct world *w, uint64_t now_usec, const char *line,
                              struct buf *out)
{
	struct talk_command c = take(t, w, now_usec, line, out);

	if (!c.quit && c.form == APP_NOTHING)
		prompt(t, out);
	return c;
}

void talk_begin(struct talk *t, const struct world *w, uint64_t now_usec, struct buf *out)
{
	list(t, w, now_usec, out);
	buf_puts(out, "Type a machine's number, or ? for help.\n");
	prompt(t, out);
}

void talk_events(const struct talk *t, const struct world *w, const struct events *fresh, struct buf *out)
{
	if (fresh->n == 0)
		return;
	buf_puts(out, "\n");
	for (size_t i = 0; i < fresh->n; i++) {
		const struct event *e = &fresh->v[i];

		buf_addf(out, "%s%s: %s\n", e->bad ? "Attention. " : "",
		         *e->name     ? e->name
		         : w->s->host ? w->s->host
		                      : "host",
		         e->text);
	}
	prompt(t, out);
}

void talk_say(const struct talk *t, const char *sentence, struct buf *out)
{
	buf_addf(out, "\n%s\n", sentence);
	prompt(t, out);
}

void talk_formed(struct talk *t, enum app_effect what, const char *said, const struct doc *preview,
                 struct buf *out)
{
	talk_form_did(&t->edits, &t->app->form, what, said, preview, out);
	prompt(t, out);
}

void talk_clashed(struct talk *t, const char *said, struct buf *out)
{
	buf_addf(out, "\nAttention. %s\n", said);
	talk_form_clashed(&t->edits, &t->app->form, out);
	prompt(t, out);
}

void talk_errands(struct talk *t, const struct world *w, uint64_t now_usec, struct buf *out)
{
	CLEANUP(buf_done) struct buf told = { 0 };

	talk_errand_tell(&t->errands, t->app, w, now_usec, &told);
	if (told.len == 0)
		return;
	buf_addf(out, "\n%s", buf_text(&told));
	prompt(t, out);
}

#include "decide/statusline.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "words/name.h"

#define SECOND 1000000ull

/* In the order in which machines are named. */
enum health { BAD, UNWELL, CHANGING, FROZEN, UNKNOWN, UP, OFF, HEALTHS };

static const char marks[HEALTHS] = {
	[BAD] = '!',     [UNWELL] = '*', [CHANGING] = '~', [FROZEN] = '=',
	[UNKNOWN] = '?', [UP] = '+',     [OFF] = '-',
};

static enum health health_of(const struct machine *m)
{
	switch (m->state) {
	case MACHINE_UNKNOWN:
		return UNKNOWN;
	case MACHINE_FAILED:
	case MACHINE_GHOST:
	case MACHINE_RESTARTING:
		return BAD;
	case MACHINE_STOPPED:
		return m->bad_conf ? BAD : OFF;
	case MACHINE_STARTING:
	case MACHINE_STOPPING:
		return m->tried_again ? BAD : CHANGING;
	case MACHINE_RELOADING:
		return CHANGING;
	case MACHINE_RUNNING:
		return m->bad_conf || m->guest_failed.n > 0 ? UNWELL : m->frozen ? FROZEN : UP;
	}
	return UNKNOWN;
}

static void count(const struct snapshot *s, size_t ret[static HEALTHS])
{
	memset(ret, 0, HEALTHS * sizeof(*ret));
	for (size_t i = 0; i < s->n; i++)
		ret[health_of(&s->v[i])]++;
}

bool statusline_is_well(const struct snapshot *s)
{
	size_t n[HEALTHS];

	count(s, n);
	return n[BAD] + n[UNWELL] + n[UNKNOWN] == 0 && !s->stale;
}

/* The line that is being made, and the room that is left in it. */
struct line {
	struct buf *to;
	size_t room;
	bool tmux, any;
};

/* All of it, or nothing. */
static bool say(struct line *l, const char *gap, const char *text, bool bad)
{
	size_t skip = l->any ? strlen(gap) : 0;

	if (skip + strlen(text) > l->room)
		return false;
	l->room -= skip + strlen(text);
	if (skip)
		buf_puts(l->to, gap);
	if (bad && l->tmux)
		buf_puts(l->to, "#[fg=red]");
	for (const char *p = text; *p; p++)
		buf_addf(l->to, l->tmux && *p == '#' ? "#%c" : "%c", *p);
	if (bad && l->tmux)
		buf_puts(l->to, "#[default]");
	l->any = true;
	return true;
}

static void say_counts(struct line *l, const struct snapshot *s, const size_t n[static HEALTHS])
{
	static const enum health order[] = { UP, UNWELL, CHANGING, FROZEN, BAD, OFF, UNKNOWN };
	char text[32];

	(void)snprintf(text, sizeof(text), "%zum", s->n);
	(void)say(l, "", text, false);
	for (size_t i = 0; i < COUNT(order); i++) {
		if (n[order[i]] == 0)
			continue;
		(void)snprintf(text, sizeof(text), "%zu%c", n[order[i]], marks[order[i]]);
		(void)say(l, " ", text, order[i] == BAD);
	}
	if (s->stale)
		(void)say(l, " ", "old", true);
}

static size_t counts_width(const struct snapshot *s, const size_t n[static HEALTHS])
{
	CLEANUP(buf_done) struct buf unused = { 0 };
	struct line l = { .to = &unused, .room = STATUSLINE_MAX };

	say_counts(&l, s, n);
	return STATUSLINE_MAX - l.room;
}

static void age_of(const struct snapshot *s, const struct machine *m, char ret[static 32])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t age = s->taken_usec > m->since_usec ? (s->taken_usec - m->since_usec) / SECOND : 0;
	size_t i = 0;

	*ret = '\0';
	if (m->since_usec == 0)
		return;
	while (i + 1 < COUNT(units) && age < units[i].seconds)
		i++;
	(void)snprintf(ret, 32, "%ju%c", (uintmax_t)(age / units[i].seconds), units[i].letter);
}

/* Between two attempts and during one it is the same: the line does not blink. */
static const char *word_of(const struct machine *m, enum health h)
{
	if (h == FROZEN)
		return "frozen";
	if (m->state == MACHINE_RESTARTING || m->tried_again)
		return machine_state_word(MACHINE_RESTARTING);
	return m->cause ? m->cause : machine_state_word(m->state);
}

/* "cache:oom-kill", "mail:guest-unit", "build 4s"; without what does not fit, and cut only when it is the
 * first. */
static bool say_machine(struct line *l, const char *gap, const struct snapshot *s, const struct machine *m,
                        bool first)
{
	enum health h = health_of(m);
	char age[32], text[NAME_MACHINE_MAX + 64];
	size_t skip = l->any ? strlen(gap) : 0;

	age_of(s, m, age);
	if (h == CHANGING)
		(void)snprintf(text, sizeof(text), "%s%s%s", m->name, *age ? " " : "", age);
	else
		(void)snprintf(text, sizeof(text), "%s:%s", m->name, word_of(m, h));
	if (say(l, gap, text, h == BAD) || say(l, gap, m->name, h == BAD))
		return true;
	if (!first || l->room < skip + 2)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(l->room - skip), m->name);
	return say(l, gap, text, h == BAD);
}

/* Those that are as unwell as `last`, or worse. */
static void say_machines(struct line *l, const char *gap, const struct snapshot *s, enum health last,
                         size_t wanted)
{
	char more[32];
	size_t said = 0;

	for (enum health h = BAD; h <= last; h++) {
		for (size_t i = 0; i < s->n; i++) {
			if (health_of(&s->v[i]) != h)
				continue;
			if (!say_machine(l, gap, s, &s->v[i], said == 0)) {
				(void)snprintf(more, sizeof(more), "+%zu", wanted - said);
				(void)say(l, " ", more, false);
				return;
			}
			said++;
		}
	}
}

/* No room for all counts: what failed and how many, else how many there are. */
static void say_little(struct line *l, const struct snapshot *s, const size_t n[static HEALTHS])
{
	char text[32];

	if (n[BAD] == 0) {
		(void)snprintf(text, sizeof(text), "%zum", s->n);
		if (!say(l, "", text, false))
			(void)say(l, "", statusline_is_well(s) ? "+" : "?", false);
		return;
	}
	(void)snprintf(text, sizeof(text), "%zu!", n[BAD]);
	if (!say(l, "", text, true))
		(void)say(l, "", "!", true);
	say_machines(l, " ", s, BAD, n[BAD]);
}

void statusline(const struct snapshot *s, size_t width, bool tmux, struct buf *ret)
{
	struct line l = { .to = ret, .room = width < STATUSLINE_MAX ? width : STATUSLINE_MAX, .tmux = tmux };
	size_t n[HEALTHS];

	count(s, n);
	if (counts_width(s, n) + (n[BAD] > 0 ? strlen("  1234") : 0) > l.room) {
		say_little(&l, s, n);
		return;
	}
	say_counts(&l, s, n);
	say_machines(&l, "  ", s, FROZEN, n[BAD] + n[UNWELL] + n[CHANGING] + n[FROZEN]);
}

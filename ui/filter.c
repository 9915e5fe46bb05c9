#include "ui/filter.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "ui/units.h"
#include "words/port.h"

enum kind { TEXT, STATE, KIND, PORT, YES_NO, NUMBER, BYTES, SPAN };

static const struct {
	const char *word;
	enum kind kind;
	const char *help;
} keys[] = {
#define X(id, word, kind, help) [FILTER_##id] = { word, kind, help },
	FILTER_KEYS(X)
#undef X
};

const char *filter_key_word(enum filter_key k)
{
	return keys[k].word;
}

const char *filter_key_help(enum filter_key k)
{
	return keys[k].help;
}

/* --- words for states --- */

static bool changes(const struct machine *m)
{
	return m->state == MACHINE_STARTING || m->state == MACHINE_STOPPING ||
	       m->state == MACHINE_RELOADING || m->state == MACHINE_RESTARTING;
}

static bool is_degraded(const struct machine *m)
{
	return m->state == MACHINE_RUNNING && (m->guest_failed.n > 0 || machine_has_trouble(m));
}

static bool is_bad(const struct machine *m)
{
	return m->state == MACHINE_FAILED || m->state == MACHINE_GHOST || m->bad_conf || is_degraded(m);
}

static bool is_up(const struct machine *m)
{
	return m->state == MACHINE_RUNNING || m->state == MACHINE_RELOADING;
}

static bool is_off(const struct machine *m)
{
	return m->state == MACHINE_STOPPED;
}

static const struct {
	const char *word;
	bool (*holds)(const struct machine *m);
} groups[] = {
	{ "up", is_up },         { "off", is_off },           { "bad", is_bad },
	{ "changing", changes }, { "degraded", is_degraded },
};

static bool begins(const char *word, const char *text)
{
	return strncasecmp(word, text, strlen(text)) == 0;
}

static bool state_holds(const struct machine *m, const char *text)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (strcasecmp(groups[i].word, text) == 0)
			return groups[i].holds(m);
	return begins(machine_state_word(m->state), text);
}

static bool is_state(const char *text)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (strcasecmp(groups[i].word, text) == 0)
			return true;
	for (enum machine_state s = MACHINE_UNKNOWN; s <= MACHINE_GHOST; s++)
		if (begins(machine_state_word(s), text))
			return true;
	return false;
}

/* A word somebody has begun to type must not be called wrong ("deg"). */
static bool begins_group(const char *text)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (begins(groups[i].word, text))
			return true;
	return false;
}

static bool is_kind(const char *text)
{
	for (enum machine_kind k = MACHINE_CONTAINER; k <= MACHINE_OTHER; k++)
		if (begins(machine_kind_word(k), text))
			return true;
	return false;
}

/* --- parsing --- */

/* One term of the text as it was typed. */
struct piece {
	const char *text; /* all of it, '!' left out */
	size_t len;
	size_t key;  /* bytes of the key, 0: a word */
	size_t op;   /* bytes of the operator */
	bool quoted; /* the value is without its quotes */
	bool unclosed;
};

static int bad(const char *all, const char *at, size_t *ret_at, struct err *e, const char *why,
               const char *what, size_t len)
{
	if (ret_at)
		*ret_at = (size_t)(at - all);
	return err_set(e, STATUS_USAGE, EINVAL, "%.*s: %s", (int)len, what, why);
}

static bool is_op(char c)
{
	return c == ':' || c == '>' || c == '<' || c == '=';
}

static struct piece next_piece(const char *text)
{
	struct piece p = { .text = text };
	bool in_quotes = false;

	for (; text[p.len] && (in_quotes || text[p.len] != ' '); p.len++) {
		if (text[p.len] == '"') {
			in_quotes = !in_quotes;
			p.quoted = true;
		} else if (!in_quotes && !p.op && p.len > 0 && is_op(text[p.len])) {
			p.key = p.len;
			p.op = text[p.len] != ':' && text[p.len] != '=' && text[p.len + 1] == '=' ? 2 : 1;
		}
	}
	p.unclosed = in_quotes;
	return p;
}

static bool find_key(const struct piece *p, enum filter_key *ret)
{
	for (size_t k = 0; k < COUNT(keys); k++)
		if (strlen(keys[k].word) == p->key && strncasecmp(keys[k].word, p->text, p->key) == 0) {
			*ret = (enum filter_key)k;
			return true;
		}
	return false;
}

static bool copy_value(const struct piece *p, struct filter_term *t)
{
	size_t n = 0;

	for (size_t i = p->key + p->op; i < p->len; i++) {
		if (p->text[i] == '"' && p->quoted)
			continue;
		if (n + 1 == sizeof(t->text))
			return false;
		t->text[n++] = p->text[i];
	}
	t->text[n] = '\0';
	return true;
}

static char operator_of(const struct piece *p)
{
	char c = p->text[p->key];

	if (p->op == 2)
		return c == '>' ? 'g' : 'l';
	return c;
}

static const char *wrong_value(struct filter_term *t)
{
	uint64_t number;
	size_t len = strlen(t->text);

	switch (keys[t->key].kind) {
	case TEXT:
		return NULL;
	case STATE:
		return is_state(t->text) || begins_group(t->text)
		               ? NULL
		               : "there is no such state (running, failed, stopped, starting, ..., or up, "
		                 "off, "
		                 "bad, changing, degraded)";
	case KIND:
		return is_kind(t->text) ? NULL
		                        : "there is no such kind (container, nspawn, image, vm, other)";
	case PORT:
		if (num_parse(t->text, 1, UINT16_MAX, &number) < 0)
			return "a port is a number from 1 to 65535";
		t->number = (double)number;
		return NULL;
	case YES_NO:
		return begins("yes", t->text) || begins("no", t->text) ? NULL : "it is yes or no";
	case NUMBER:
		return units_parse_bytes(t->text, len, &t->number) == 0 &&
		                       isdigit((unsigned char)t->text[len - 1])
		               ? NULL
		               : "a number is wanted, like 50";
	case BYTES:
		return units_parse_bytes(t->text, len, &t->number) == 0 ? NULL
		                                                        : "a size is wanted, like 512M or 1G";
	case SPAN:
		return units_parse_span(t->text, len, &t->number) == 0
		               ? NULL
		               : "a time is wanted, like 5m, 2h or 1d";
	}
	return NULL;
}

static const char *wrong_operator(struct filter_term *t)
{
	switch (keys[t->key].kind) {
	case TEXT:
	case STATE:
	case KIND:
	case PORT:
	case YES_NO:
		if (t->op != ':' && t->op != '=')
			return "only ':' fits here";
		t->op = ':';
		return NULL;
	case NUMBER:
	case BYTES:
	case SPAN:
		if (t->op == ':')
			t->op = '=';
		return NULL;
	}
	return NULL;
}

static int parse_term(const char *all, const struct piece *p, struct filter_term *t, size_t *ret_at,
                      struct err *e)
{
	const char *why;

	if (!copy_value(p, t))
		return bad(all, p->text, ret_at, e, "this is too long", p->text, 20);
	if (p->op == 0) {
		t->key = FILTER_NAME;
		t->op = ':';
		t->open = p->unclosed || !t->text[0];
		return 0;
	}
	if (!find_key(p, &t->key))
		return bad(all, p->text, ret_at, e,
		           "there is nothing of that name to filter by (state, port, cpu, mem, ... as in the "
		           "help)",
		           p->text, p->key);
	t->op = operator_of(p);
	why = wrong_operator(t);
	if (why)
		return bad(all, p->text + p->key, ret_at, e, why, p->text, p->key + p->op);
	t->open = p->unclosed || !t->text[0];
	why = t->open ? NULL : wrong_value(t);
	if (why)
		return bad(all, p->text + p->key + p->op, ret_at, e, why, p->text, p->len);
	return 0;
}

int filter_parse(const char *text, struct filter *ret, size_t *ret_at, struct err *e)
{
	struct filter f = { 0 };

	for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
		struct filter_term t = { 0 };
		struct piece p;
		int r;

		for (; *at == '!'; at++)
			t.negate = !t.negate;
		t.fuzzy = *at == '~';
		at += t.fuzzy;
		p = next_piece(at);
		if (f.n == COUNT(f.v))
			return bad(text, at, ret_at, e, "these are too many terms", at, p.len);
		r = parse_term(text, &p, &t, ret_at, e);
		if (r < 0)
			return r;
		f.v[f.n++] = t;
		at += p.len;
	}
	*ret = f;
	return 0;
}

/* --- matching --- */

static bool in_order(const char *letters, const char *text)
{
	for (; *letters && *text; text++)
		if (tolower((unsigned char)*text) == tolower((unsigned char)*letters))
			letters++;
	return !*letters;
}

static bool has(const char *text, const struct filter_term *t)
{
	return text && (t->fuzzy ? in_order(t->text, text) : strcasestr(text, t->text) != NULL);
}

static bool one_has(const struct strs *all, const struct filter_term *t)
{
	for (size_t i = 0; i < all->n; i++)
		if (has(all->v[i], t))
			return true;
	return false;
}

static bool link_has(const struct stats *s, const struct filter_term *t)
{
	for (size_t i = 0; s && i < s->n_links; i++)
		if (has(s->links[i].name, t))
			return true;
	return false;
}

static bool port_is(const struct machine *m, const struct filter_term *t)
{
	for (size_t i = 0; i < m->ports.n; i++) {
		struct port p;

		if (port_parse(m->ports.v[i], &p, NULL) == 0 &&
		    (p.host == (uint16_t)t->number || p.guest == (uint16_t)t->number))
			return true;
	}
	return false;
}

static bool compares(const struct filter_term *t, double value)
{
	switch (t->op) {
	case '>':
		return value > t->number;
	case '<':
		return value < t->number;
	case 'g':
		return value >= t->number;
	case 'l':
		return value <= t->number;
	default:
		return value == t->number;
	}
}

static double known(uint64_t value)
{
	return value == STATS_UNKNOWN ? (double)NAN : (double)value;
}

static double figure(enum filter_key k, const struct machine *m, const struct stats *s, uint64_t now_usec)
{
	if (k == FILTER_UP)
		return m->since_usec && now_usec >= m->since_usec ? (double)(now_usec - m->since_usec)
		                                                  : (double)NAN;
	if (!s || s->at_usec == 0)
		return (double)NAN;
	if (k == FILTER_CPU)
		return (double)s->cpu;
	if (k == FILTER_MEM)
		return known(s->memory);
	if (k == FILTER_SWAP)
		return known(s->swap);
	if (k == FILTER_LIMIT)
		return known(s->memory_limit);
	if (k == FILTER_TASKS)
		return known(s->tasks);
	if (k == FILTER_RX)
		return known(s->rx);
	if (k == FILTER_TX)
		return known(s->tx);
	if (k == FILTER_OOM)
		return known(s->oom_kills);
	return known(s->io_read) + known(s->io_write);
}

static bool holds(const struct filter_term *t, const struct machine *m, const struct stats *s,
                  uint64_t now_usec)
{
	switch (t->key) {
	case FILTER_NAME:
		return has(m->name, t);
	case FILTER_STATE:
		return state_holds(m, t->text);
	case FILTER_KIND:
		return begins(machine_kind_word(m->kind), t->text);
	case FILTER_OS:
		return has(m->os, t);
	case FILTER_CAUSE:
		return has(m->cause, t);
	case FILTER_WHY:
		return has(m->reason, t);
	case FILTER_UNIT:
		return has(m->unit, t) || one_has(&m->guest_failed, t);
	case FILTER_ADDRESS:
		return one_has(&m->addresses, t);
	case FILTER_NET:
		return link_has(s, t);
	case FILTER_PORT:
		return port_is(m, t);
	case FILTER_AUTO:
		return !m->conf_unread && begins(m->auto_start ? "yes" : "no", t->text);
	case FILTER_CPU:
	case FILTER_MEM:
	case FILTER_SWAP:
	case FILTER_LIMIT:
	case FILTER_TASKS:
	case FILTER_RX:
	case FILTER_TX:
	case FILTER_IO:
	case FILTER_OOM:
	case FILTER_UP:
		return compares(t, figure(t->key, m, s, now_usec));
	case FILTER_KEY_COUNT:
		break;
	}
	return false;
}

static bool is_of_stats(enum filter_key k)
{
	switch (k) {
	case FILTER_CPU:
	case FILTER_MEM:
	case FILTER_SWAP:
	case FILTER_LIMIT:
	case FILTER_TASKS:
	case FILTER_RX:
	case FILTER_TX:
	case FILTER_IO:
	case FILTER_OOM:
		return true;
	case FILTER_NAME:
	case FILTER_STATE:
	case FILTER_KIND:
	case FILTER_OS:
	case FILTER_CAUSE:
	case FILTER_WHY:
	case FILTER_UNIT:
	case FILTER_ADDRESS:
	case FILTER_NET:
	case FILTER_PORT:
	case FILTER_AUTO:
	case FILTER_UP:
	case FILTER_KEY_COUNT:
		break;
	}
	return false;
}

bool filter_needs_stats(const struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (is_of_stats(f->v[i].key))
			return true;
	return false;
}

bool filter_match(const struct filter *f, const struct machine *m, const struct stats *s, uint64_t now_usec)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].open && holds(&f->v[i], m, s, now_usec) == f->v[i].negate)
			return false;
	return true;
}

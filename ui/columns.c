#include "ui/columns.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "words/addr.h"
#include "words/port.h"

#define URGENCY "urgency"

const struct column_info *columns_info(enum column_id c)
{
	static const struct column_info infos[] = {
#define X(id, word, title, rank, shown, numeric, help)                                                       \
	[COLUMN_##id] = { word, title, help, rank, shown, numeric },
		COLUMNS(X)
#undef X
	};

	return &infos[c];
}

void columns_default(struct columns *ret)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		ret->order[c] = (enum column_id)c;
		ret->shown[c] = columns_info((enum column_id)c)->shown;
	}
}

static bool find(const char *word, enum column_id *ret)
{
	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (strcasecmp(columns_info((enum column_id)c)->word, word) == 0) {
			*ret = (enum column_id)c;
			return true;
		}
	return false;
}

static int unknown(const char *word, struct err *e)
{
	CLEANUP(buf_done) struct buf words = { 0 };

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		buf_addf(&words, "%s%s", c > 0 ? ", " : "", columns_info((enum column_id)c)->word);
	return err_set(e, STATUS_USAGE, EINVAL, "there is no column '%s' (%s)", word, buf_text(&words));
}

int columns_parse(const char *text, struct columns *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	struct columns c = { 0 };
	bool placed[COLUMN_COUNT] = { [COLUMN_NAME] = true };
	size_t n = 1;

	c.order[0] = COLUMN_NAME;
	c.shown[COLUMN_NAME] = true;
	strs_split(&words, text, ", \t");
	if (words.bad)
		return err_no_memory(e);
	for (size_t i = 0; i < words.n; i++) {
		bool hidden = words.v[i][0] == '-';
		enum column_id id;

		if (!find(words.v[i] + hidden, &id))
			return unknown(words.v[i] + hidden, e);
		if (placed[id])
			continue;
		placed[id] = true;
		c.shown[id] = !hidden;
		c.order[n++] = id;
	}
	for (unsigned id = 0; id < COLUMN_COUNT; id++)
		if (!placed[id])
			c.order[n++] = (enum column_id)id;
	*ret = c;
	return 0;
}

void columns_print(const struct columns *c, struct buf *ret)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		buf_addf(ret, "%s%s%s", i > 0 ? "," : "", c->shown[c->order[i]] ? "" : "-",
		         columns_info(c->order[i])->word);
}

bool columns_show(struct columns *c, enum column_id id, bool shown)
{
	if (id == COLUMN_NAME)
		return shown;
	c->shown[id] = shown;
	return true;
}

bool columns_move(struct columns *c, enum column_id id, int by)
{
	int at = 0, to;

	while (c->order[at] != id)
		at++;
	for (to = at + by; to > 0 && to < COLUMN_COUNT && !c->shown[c->order[to]]; to += by)
		;
	if (at == 0 || to <= 0 || to >= COLUMN_COUNT)
		return false;
	for (; at != to; at += by)
		c->order[at] = c->order[at + by];
	c->order[to] = id;
	return true;
}

int columns_sort_parse(const char *text, struct columns_sort *ret, struct err *e)
{
	bool reverse = text[0] == '-';
	enum column_id id;

	if (strcasecmp(text + reverse, URGENCY) == 0)
		*ret = (struct columns_sort){ COLUMNS_URGENCY, reverse };
	else if (find(text + reverse, &id))
		*ret = (struct columns_sort){ id, reverse };
	else
		return unknown(text + reverse, e);
	return 0;
}

void columns_sort_print(const struct columns_sort *s, struct buf *ret)
{
	buf_addf(ret, "%s%s", s->reverse ? "-" : "",
	         s->by == COLUMNS_URGENCY ? URGENCY : columns_info((enum column_id)s->by)->word);
}

int columns_urgency(const struct machine *m)
{
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
		return machine_has_trouble(m) || m->guest_failed.n > 0 ? 2 : 3;
	case MACHINE_STOPPED:
		return m->bad_conf ? 0 : 4;
	}
	return 2;
}

/* --- comparing --- */

/* What a machine sorts by: smaller first; NAN or NULL are not known. */
struct sort_key {
	double number;
	const char *text;
	struct addr address;
};

static double falling(const struct stats *s, uint64_t value)
{
	return !s || s->at_usec == 0 || value == STATS_UNKNOWN ? (double)NAN : -(double)value;
}

static struct sort_key key_of(unsigned by, const struct columns_row *row)
{
	const struct machine *m = row->m;
	const struct stats *s = row->s;
	struct sort_key k = { .number = (double)NAN };
	struct port p;

	if (by == COLUMNS_URGENCY) {
		k.number = columns_urgency(m);
		return k;
	}
	switch ((enum column_id)by) {
	case COLUMN_NAME:
		k.text = m->name;
		break;
	case COLUMN_STATE:
		k.text = machine_state_word(m->state);
		break;
	case COLUMN_UP: /* the shortest first */
		k.number = m->since_usec ? -(double)m->since_usec : (double)NAN;
		break;
	case COLUMN_CPU:
	case COLUMN_HISTORY:
		k.number = s && s->at_usec ? -(double)s->cpu : (double)NAN;
		break;
	case COLUMN_MEM:
		k.number = falling(s, s ? s->memory : 0);
		break;
	case COLUMN_LIMIT:
		k.number = falling(s, s ? s->memory_limit : 0);
		break;
	case COLUMN_TASKS:
		k.number = falling(s, s ? s->tasks : 0);
		break;
	case COLUMN_RX:
		k.number = falling(s, s ? s->rx : 0);
		break;
	case COLUMN_TX:
		k.number = falling(s, s ? s->tx : 0);
		break;
	case COLUMN_ADDRESS:
		if (m->addresses.n > 0 && addr_parse(m->addresses.v[0], &k.address, NULL) == 0)
			k.number = k.address.family;
		break;
	case COLUMN_PORTS:
		if (m->ports.n > 0 && port_parse(m->ports.v[0], &p, NULL) == 0)
			k.number = p.host;
		break;
	case COLUMN_CFG:
		k.number = row->cfg == CFG_UNKNOWN ? (double)NAN : (double)row->cfg;
		break;
	case COLUMN_OS:
		k.text = m->os;
		break;
	case COLUMN_UNIT:
		k.text = m->unit;
		break;
	case COLUMN_AUTOSTART:
		k.number = !m->auto_start;
		break;
	case COLUMN_COUNT:
		break;
	}
	return k;
}

static bool is_known(const struct sort_key *k)
{
	return k->text || !isnan(k->number);
}

static int compare_known(const struct sort_key *a, const struct sort_key *b)
{
	if (a->text && b->text)
		return strverscmp(a->text, b->text);
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
}

int columns_compare(const struct columns_sort *s, const struct columns_row *a, const struct columns_row *b)
{
	struct sort_key ka = key_of(s->by, a), kb = key_of(s->by, b);
	int r = 0;

	if (is_known(&ka) != is_known(&kb))
		return is_known(&ka) ? -1 : 1;
	if (is_known(&ka))
		r = compare_known(&ka, &kb);
	if (r != 0)
		return s->reverse ? -r : r;
	return strverscmp(a->m->name, b->m->name);
}

bool columns_sort_needs_stats(const struct columns_sort *s)
{
	static const bool of_stats[COLUMN_COUNT] = {
		[COLUMN_CPU] = true,   [COLUMN_HISTORY] = true, [COLUMN_MEM] = true, [COLUMN_LIMIT] = true,
		[COLUMN_TASKS] = true, [COLUMN_RX] = true,      [COLUMN_TX] = true,
	};

	return s->by < COLUMN_COUNT && of_stats[s->by];
}

#include "ui/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "words/port.h"

#define SEC  1000000ull
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

enum { COLUMN_NAME, COLUMN_STATE, COLUMN_UP, COLUMN_ADDRESS, COLUMN_PORTS, N_COLUMNS };

static const struct column columns[N_COLUMNS] = {
	[COLUMN_NAME] = { "NAME", 0, 8, 10, 26 },  [COLUMN_STATE] = { "STATE", 1, 7, 11, 12 },
	[COLUMN_UP] = { "UP", 2, 4, 4, 4 },        [COLUMN_ADDRESS] = { "ADDRESS", 3, 15, 18, 28 },
	[COLUMN_PORTS] = { "PORTS", 4, 8, 8, 40 },
};

/* How a row's state looks: the glyph is for screens where the word has no room. */
struct look {
	const char *word;
	char mark;
	enum style style;
};

void view_done(struct view *v)
{
	free(v->table.rows);
	strs_done(&v->pool);
	*v = (struct view){ 0 };
}

__attribute__((format(printf, 2, 3))) static const char *keep(struct view *v, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len >= 0) {
		strs_add(&v->pool, text);
		free(text);
	}
	if (len < 0 || v->pool.bad) {
		v->bad = true;
		return "";
	}
	return v->pool.v[v->pool.n - 1];
}

static void add_span(struct view_line *l, enum style style, const char *text)
{
	if (l->n < VIEW_SPANS)
		l->v[l->n++] = (struct span){ text, style };
}

static struct look look_of(const struct app *a, struct view *v, const struct machine *m)
{
	const struct app_job *job = app_job(a, m->name);

	if (job)
		return (struct look){ keep(v, "%s…", control_doing(job->verb)), '~', STYLE_BUSY };
	if (m->bad_conf && m->state == MACHINE_STOPPED)
		return (struct look){ "bad conf", '!', STYLE_BAD };
	switch (m->state) {
	case MACHINE_RUNNING:
		return (struct look){ machine_state_word(m->state), '+', STYLE_GOOD };
	case MACHINE_STOPPED:
		return (struct look){ machine_state_word(m->state), '-', STYLE_DIM };
	case MACHINE_STARTING:
	case MACHINE_RELOADING:
	case MACHINE_STOPPING:
	case MACHINE_RESTARTING:
		return (struct look){ machine_state_word(m->state), '~', STYLE_BUSY };
	case MACHINE_FAILED:
		return (struct look){ machine_state_word(m->state), '!', STYLE_BAD };
	case MACHINE_GHOST:
		return (struct look){ machine_state_word(m->state), '?', STYLE_BAD };
	case MACHINE_UNKNOWN:
		break;
	}
	return (struct look){ machine_state_word(m->state), '?', STYLE_DIM };
}

/* One number and one unit, rounded down; the screen then need not change before the unit is over. */
static const char *age(struct view *v, uint64_t since, uint64_t now)
{
	static const struct {
		uint64_t below, unit;
		char letter;
	} steps[] = {
		{ MIN, SEC, 's' }, { HOUR, MIN, 'm' }, { 2 * DAY, HOUR, 'h' }, { UINT64_MAX, DAY, 'd' }
	};
	uint64_t past = now > since ? now - since : 0;
	size_t i = 0;

	if (since == 0)
		return NULL;
	while (past >= steps[i].below)
		i++;
	if (v->tick_usec == 0 || steps[i].unit < v->tick_usec)
		v->tick_usec = steps[i].unit < HOUR ? steps[i].unit : HOUR;
	return keep(v, "%llu%c", (unsigned long long)(past / steps[i].unit), steps[i].letter);
}

static bool is_link_local(const char *address)
{
	return !strncmp(address, "fe80:", 5);
}

/* The one to reach it by, and how many more there are. */
static const char *addresses(struct view *v, const struct strs *all)
{
	size_t best = 0;

	if (all->n == 0)
		return NULL;
	while (best + 1 < all->n && is_link_local(all->v[best]))
		best++;
	if (is_link_local(all->v[best]))
		best = 0;
	return all->n == 1 ? all->v[0] : keep(v, "%s +%zu", all->v[best], all->n - 1);
}

/* "8080>80", "53/udp"; as it is when it can not be read. */
static const char *port(struct view *v, const char *text)
{
	struct port p;
	const char *udp;

	if (port_parse(text, &p, NULL) < 0)
		return text;
	udp = p.udp ? "/udp" : "";
	return p.host == p.guest ? keep(v, "%u%s", p.host, udp) : keep(v, "%u>%u%s", p.host, p.guest, udp);
}

static const char *ports(struct view *v, const struct strs *all)
{
	CLEANUP(strs_done) struct strs shown = { 0 };
	CLEANUP(free_p) char *joined = NULL;

	if (all->n == 0)
		return NULL;
	for (size_t i = 0; i < all->n && i < 2; i++)
		strs_add(&shown, port(v, all->v[i]));
	if (all->n > 2)
		strs_addf(&shown, "+%zu", all->n - 2);
	joined = strs_join(&shown, " ");
	return keep(v, "%s", joined ? joined : "");
}

static void build_row(const struct app *a, struct view *v, const struct machine *m, uint64_t now,
                      struct table_row *ret)
{
	struct look look = look_of(a, v, m);
	const struct app_job *job = app_job(a, m->name);
	enum style weight = look.style == STYLE_DIM ? STYLE_DIM : STYLE_TEXT;

	*ret = (struct table_row){ .mark = look.mark, .style = look.style, .note = m->reason };
	if (job && (m->state == MACHINE_FAILED || m->state == MACHINE_STOPPED))
		ret->note = NULL;                 /* why it was down is not news while it is being started */
	if (m->reason && look.style != STYLE_BAD) /* it runs or changes, but something is to be said */
		ret->style = STYLE_BUSY;
	ret->cells[COLUMN_NAME] = (struct table_cell){ m->name, weight };
	ret->cells[COLUMN_STATE] = (struct table_cell){ look.word, look.style };
	ret->cells[COLUMN_UP] =
		(struct table_cell){ age(v, job ? job->since_usec : m->since_usec, now), weight };
	ret->cells[COLUMN_ADDRESS] =
		(struct table_cell){ addresses(v, &m->addresses), m->addresses_seen ? weight : STYLE_DIM };
	ret->cells[COLUMN_PORTS] = (struct table_cell){ ports(v, &m->ports), weight };
}

static void build_table(const struct app *a, const struct snapshot *s, uint64_t now, struct view *v)
{
	v->table = (struct table){
		.columns = columns,
		.n_columns = N_COLUMNS,
		.rows = calloc(a->n_order + 1, sizeof(*v->table.rows)),
		.cursor = a->row,
		.top = a->top,
		.empty = s->taken_usec == 0 ? "asking the system…"
		                            : "no machine is configured and none runs; a NAME.conf in "
		                              "/etc/containers makes one",
	};
	if (!v->table.rows) {
		v->bad = true;
		return;
	}
	for (; v->table.n_rows < a->n_order; v->table.n_rows++)
		build_row(a, v, &s->v[a->order[v->table.n_rows]], now, &v->table.rows[v->table.n_rows]);
}

/* What the title counts, in its order. */
struct count {
	const char *word;
	const char *glyph;
	enum style style;
	size_t n;
};

static void build_titles(const struct app *a, const struct snapshot *s, struct view *v)
{
	struct count counts[] = {
		{ "failed", "!", STYLE_BAD, 0 },   { "changing", "~", STYLE_BUSY, 0 },
		{ "running", "+", STYLE_GOOD, 0 }, { "stopped", "-", STYLE_DIM, 0 },
		{ "unknown", "?", STYLE_DIM, 0 },
	};

	for (size_t i = 0; i < s->n; i++) {
		struct look l = look_of(a, v, &s->v[i]);

		for (size_t c = 0; c < COUNT(counts); c++)
			if (counts[c].glyph[0] == (l.style == STYLE_BAD ? '!' : l.mark))
				counts[c].n++;
	}
	add_span(&v->titles[0], STYLE_STRONG, keep(v, " %s", a->host));
	add_span(&v->titles[0], STYLE_TEXT,
	         keep(v, "  %zu machine%s%s", s->n, s->n == 1 ? "" : "s", s->n > 0 ? ":" : ""));
	for (size_t form = 1; form <= 2; form++) {
		add_span(&v->titles[form], STYLE_STRONG, a->host);
		add_span(&v->titles[form], STYLE_TEXT, keep(v, " %zu:", s->n));
	}
	add_span(&v->titles[3], STYLE_TEXT, keep(v, "%zu:", s->n));
	for (size_t c = 0; c < COUNT(counts); c++) {
		const char *glyph = keep(v, " %zu%s", counts[c].n, counts[c].glyph);
		const char *word = keep(v, " %zu %s", counts[c].n, counts[c].word);

		if (counts[c].n == 0)
			continue;
		add_span(&v->titles[0], STYLE_TEXT, " ");
		add_span(&v->titles[0], counts[c].style, word);
		add_span(&v->titles[1], counts[c].style, word);
		add_span(&v->titles[2], counts[c].style, counts[c].style == STYLE_BAD ? word : glyph);
		add_span(&v->titles[3], counts[c].style, glyph);
	}
}

static const char *clock_text(struct view *v, uint64_t at_usec)
{
	time_t seconds = (time_t)(at_usec / SEC);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return "";
	return keep(v, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void build_message(const struct app *a, struct view *v)
{
	if (!a->message.text[0])
		return;
	v->message_style = a->message.style;
	v->message = a->message.at_usec
	                     ? keep(v, "%s  %s", clock_text(v, a->message.at_usec), a->message.text)
	                     : a->message.text;
}

/* Whether pressing the key would do something to the selected machine. */
static bool is_possible(const struct app *a, const struct snapshot *s, enum action action)
{
	const struct machine *m = snapshot_find(s, a->selected);

	switch (action) {
	case ACTION_START:
		return m && !app_refuses(a, m, CONTROL_START);
	case ACTION_STOP:
		return m && !app_refuses(a, m, CONTROL_STOP);
	case ACTION_RESTART:
		return m && !app_refuses(a, m, CONTROL_RESTART);
	case ACTION_RELOAD:
		return m && !app_refuses(a, m, CONTROL_RELOAD);
	case ACTION_DETAILS:
		return m;
	default:
		return true;
	}
}

static void add_key(const struct app *a, const struct snapshot *s, struct view *v, enum action action)
{
	const struct binding *b = keys_binding(action);
	struct view_line *l = &v->keys[v->n_keys];
	bool possible = is_possible(a, s, action);
	char key[KEY_TEXT_MAX];

	if (!(b->screens & app_screen(a)) || !*b->bar)
		return;
	keys_first(action, key);
	add_span(l, possible ? STYLE_KEY : STYLE_DIM, keep(v, "%s", key));
	add_span(l, possible ? STYLE_TEXT : STYLE_DIM, keep(v, " %s", b->bar));
	v->n_keys++;
}

static void build_keys(const struct app *a, const struct snapshot *s, struct view *v)
{
	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		add_key(a, s, v, action);
}

/* What one of these screens has and none of the ones before. */
static void add_help(struct buf *b, const char *title, unsigned here, unsigned before)
{
	buf_addf(b, "%s\n", title);
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if ((keys_binding(a)->screens & here) && !(keys_binding(a)->screens & before))
			buf_addf(b, "  %-24s %s\n", keys_binding(a)->keys, keys_binding(a)->help);
}

static const char *help_text(struct view *v)
{
	CLEANUP(buf_done) struct buf b = { 0 };

	add_help(&b, "In the list", SCREEN_LIST, 0);
	add_help(&b, "While reading, also to move", SCREEN_TEXT, SCREEN_LIST);
	add_help(&b, "In a question", SCREEN_CONFIRM, SCREEN_LIST | SCREEN_TEXT);
	buf_puts(&b, "Marks\n"
	             "  + running   ~ changing   ! failed   - stopped\n"
	             "  ? not known; or a ghost, registered but gone\n"
	             "An address in dim type is configured, but not seen. C- is the Ctrl key.");
	return keep(v, "%s", buf_text(&b));
}

static void add_fact(struct buf *b, const char *label, const char *value)
{
	buf_addf(b, "%-9s %s\n", label, value);
}

static void add_list(struct buf *b, const char *label, const struct strs *list)
{
	CLEANUP(free_p) char *joined = strs_join(list, "  ");

	if (list->n > 0 && joined)
		add_fact(b, label, joined);
}

static const char *details_text(const struct app *a, struct view *v, const struct machine *m, uint64_t now)
{
	CLEANUP(buf_done) struct buf b = { 0 };
	struct look look = look_of(a, v, m);
	const char *since = age(v, m->since_usec, now);

	add_fact(&b, "state", since ? keep(v, "%s for %s", look.word, since) : look.word);
	if (m->reason)
		add_fact(&b, "because", m->reason);
	add_list(&b, m->addresses_seen ? "address" : "to be at", &m->addresses);
	add_list(&b, "ports", &m->ports);
	if (m->unit)
		add_fact(&b, "unit", m->unit);
	if (m->leader > 0)
		add_fact(&b, "leader", keep(v, "PID %ld", (long)m->leader));
	add_fact(&b, "conf", m->configured ? m->bad_conf ? "can not be used" : "yes" : "none");
	add_fact(&b, "at boot", m->auto_start ? "started" : "not started");
	if (b.len > 0)
		b.p[b.len - 1] = '\0';
	return keep(v, "%s", buf_text(&b));
}

static void build_dialog(const struct app *a, const struct snapshot *s, uint64_t now, struct view *v)
{
	static const char *const buttons[] = { "No", "Yes" };
	const struct machine *m = snapshot_find(s, a->selected);
	char verb[16];

	v->dialog.top = a->text_top;
	if (a->confirm.open) {
		(void)snprintf(verb, sizeof(verb), "%s", control_word(a->confirm.verb));
		verb[0] = (char)(verb[0] - 'a' + 'A');
		v->dialog = (struct dialog){ .title = keep(v, "%s %s on %s?", verb, a->confirm.name, a->host),
			                     .text = a->confirm.verb == CONTROL_RESTART
			                                     ? "It goes down and comes up again."
			                                     : "It shuts down; s starts it again.",
			                     .buttons = buttons,
			                     .n_buttons = COUNT(buttons),
			                     .chosen = a->confirm.yes };
	} else if (a->text == APP_TEXT_HELP) {
		v->dialog.title = "machdeck " VERSION ": keys";
		v->dialog.text = help_text(v);
	} else if (a->text == APP_TEXT_DETAILS && m) {
		v->dialog.title = m->name;
		v->dialog.text = details_text(a, v, m, now);
	} else {
		return;
	}
	v->has_dialog = true;
}

void view_build(const struct app *a, const struct snapshot *s, uint64_t now_usec, struct view *ret)
{
	*ret = (struct view){ 0 };
	build_titles(a, s, ret);
	if (s->stale)
		ret->banner = keep(ret, "%s; shown as of %s", s->stale, clock_text(ret, s->taken_usec));
	build_table(a, s, now_usec, ret);
	build_message(a, ret);
	build_keys(a, s, ret);
	build_dialog(a, s, now_usec, ret);
}

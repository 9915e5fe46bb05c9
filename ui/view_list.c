#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/cfg.h"
#include "ui/spark.h"
#include "ui/units.h"
#include "ui/view.h"
#include "words/port.h"

#define CPU_CELLS 12

/* Widths: least, usual, most; what is sampled costs a wake-up every few seconds. */
static const struct {
	int min, usual, max;
	bool sampled;
} shapes[COLUMN_COUNT] = {
	[COLUMN_NAME] = { 8, 14, 26, false },     [COLUMN_STATE] = { 7, 9, 12, false },
	[COLUMN_UP] = { 3, 4, 4, false },         [COLUMN_CPU] = { 5, 5, 6, true },
	[COLUMN_HISTORY] = { 12, 12, 12, true },  [COLUMN_MEM] = { 5, 5, 6, true },
	[COLUMN_LIMIT] = { 5, 5, 6, true },       [COLUMN_TASKS] = { 5, 5, 6, true },
	[COLUMN_RX] = { 5, 5, 6, true },          [COLUMN_TX] = { 5, 5, 6, true },
	[COLUMN_ADDRESS] = { 12, 15, 28, false }, [COLUMN_PORTS] = { 8, 12, 40, false },
	[COLUMN_CFG] = { 5, 5, 5, false },        [COLUMN_OS] = { 8, 10, 30, false },
	[COLUMN_UNIT] = { 10, 24, 40, false },    [COLUMN_AUTOSTART] = { 4, 4, 4, false },
};

static struct column head_of(const struct app *a, enum column_id id)
{
	const struct column_info *info = columns_info(id);

	return (struct column){ .title = info->title,
		                .rank = info->rank,
		                .min = shapes[id].min,
		                .usual = shapes[id].usual,
		                .max = shapes[id].max,
		                .right = info->numeric,
		                .sorted = a->sort.by != id  ? 0
		                          : a->sort.reverse ? -1
		                                            : 1 };
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
	return all->n == 1 ? all->v[0] : view_keep(v, "%s +%zu", all->v[best], all->n - 1);
}

/* "8080>80", "53/udp"; as it is when it can not be read. */
static const char *port(struct view *v, const char *text)
{
	struct port p;
	const char *udp;

	if (port_parse(text, &p, NULL) < 0)
		return text;
	udp = p.udp ? "/udp" : "";
	return p.host == p.guest ? view_keep(v, "%u%s", p.host, udp)
	                         : view_keep(v, "%u>%u%s", p.host, p.guest, udp);
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
	return view_keep(v, "%s", joined ? joined : "");
}

static const char *bytes(struct view *v, uint64_t n, bool estimate)
{
	char text[UNITS_SIZE];

	if (n == STATS_UNKNOWN)
		return NULL;
	units_bytes(n, text);
	return view_keep(v, "%s%s", estimate ? "~" : "", text);
}

static const char *percent(struct view *v, float share)
{
	char text[UNITS_SIZE];

	if (isnan(share))
		return NULL;
	units_percent((double)share, text);
	return view_keep(v, "%s", text);
}

static const char *history(struct view *v, const float *values, bool ascii)
{
	char text[SPARK_SIZE];

	spark_text(values, STATS_HISTORY, 0, CPU_CELLS, 0, ascii, text);
	return view_keep(v, "%s", text);
}

static const char *count(struct view *v, uint64_t n, bool estimate)
{
	char text[UNITS_SIZE];

	if (n == STATS_UNKNOWN)
		return NULL;
	units_count(n, text);
	return view_keep(v, "%s%s", estimate ? "~" : "", text);
}

/* What is none of ours is named as such, since not everything can be done to it. */
static const char *name_of(struct view *v, const struct machine *m)
{
	if (m->kind == MACHINE_VM || m->kind == MACHINE_OTHER)
		return view_keep(v, "%s (%s)", m->name, machine_kind_word(m->kind));
	return m->name;
}

static struct table_cell cell_of(const struct app *a, const struct world *w, struct view *v,
                                 const struct machine *m, enum column_id id, uint64_t now)
{
	const struct stats *s = m->state != MACHINE_STOPPED ? stats_find(w->stats, m->name) : NULL;
	const struct app_job *job = app_job(a, m->name);
	struct look_words look = view_look(a, w, v, m);
	enum style weight = look.style == STYLE_DIM ? STYLE_DIM : STYLE_TEXT;

	switch (id) {
	case COLUMN_NAME:
		return (struct table_cell){ name_of(v, m), weight };
	case COLUMN_STATE:
		return (struct table_cell){ look.word, look.style };
	case COLUMN_UP:
		return (struct table_cell){ view_age(v, job ? job->since_usec : m->since_usec, now), weight };
	case COLUMN_CPU:
		return (struct table_cell){ s ? percent(v, s->cpu) : NULL, weight };
	case COLUMN_HISTORY:
		return (struct table_cell){ s ? history(v, s->cpu_history, a->ascii) : "", weight };
	case COLUMN_MEM:
		return (struct table_cell){ s ? bytes(v, s->memory, s->memory_is_estimate) : NULL, weight };
	case COLUMN_LIMIT:
		return (struct table_cell){ s ? bytes(v, s->memory_limit, false) : NULL, weight };
	case COLUMN_TASKS:
		return (struct table_cell){ s ? count(v, s->tasks, s->tasks_is_estimate) : NULL, weight };
	case COLUMN_RX:
		return (struct table_cell){ s ? bytes(v, s->rx, false) : NULL, weight };
	case COLUMN_TX:
		return (struct table_cell){ s ? bytes(v, s->tx, false) : NULL, weight };
	case COLUMN_ADDRESS:
		return (struct table_cell){ addresses(v, &m->addresses),
			                    m->addresses_seen ? weight : STYLE_DIM };
	case COLUMN_PORTS:
		return (struct table_cell){ ports(v, &m->ports), weight };
	case COLUMN_CFG: {
		enum style style = weight;
		const char *word = cfg_word(cfg_of(w, m), &style);

		return (struct table_cell){ word, style };
	}
	case COLUMN_OS:
		return (struct table_cell){ !m->os && w->s->closed ? "root only" : m->os,
			                    m->os ? weight : STYLE_DIM };
	case COLUMN_UNIT:
		return (struct table_cell){ m->unit, weight };
	case COLUMN_AUTOSTART:
		return (struct table_cell){ m->conf_unread ? NULL : m->auto_start ? "yes" : "no", weight };
	case COLUMN_COUNT:
		break;
	}
	return (struct table_cell){ 0 };
}

/* Without "NAME: ": it stands under the machine. */
static const char *said_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	return strncmp(text, name, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2 : text;
}

static void build_row(const struct app *a, const struct world *w, struct view *v, const struct machine *m,
                      uint64_t now, struct table_row *ret)
{
	struct linted lint;
	const char *restart;
	struct look_words look = view_look(a, w, v, m);
	size_t n = 0;

	*ret = (struct table_row){ .mark = look.mark,
		                   .style = look.style,
		                   .note = m->reason,
		                   .brief = m->cause,
		                   .marked = strs_has(&a->marks, m->name) };
	if (app_job(a, m->name) && (m->state == MACHINE_FAILED || m->state == MACHINE_STOPPED))
		ret->note = NULL; /* why it was down is not news while it is being started */
	if (!m->reason && cfg_lint(w, m, &lint) && lint.fatal && lint.texts.n > 0) {
		ret->note = said_of(lint.texts.v[0], m->name);
		ret->brief = "conf";
	}
	restart = ret->note ? NULL : cfg_restart(w, m);
	if (restart) {
		ret->note = view_keep(v, "restart needed%s%s", *restart ? ": " : "", restart);
		ret->brief = "restart";
	}
	if (ret->note && look.style != STYLE_BAD) /* it runs or changes, but something is to be said */
		ret->style = STYLE_BUSY;
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (a->columns.shown[a->columns.order[i]])
			ret->cells[n++] = cell_of(a, w, v, m, a->columns.order[i], now);
}

void view_table(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v)
{
	struct table *t = &v->table;

	*t = (struct table){
		.rows = calloc(a->n_order + 1, sizeof(*t->rows)),
		.cursor = a->row,
		.top = a->top,
		.counts = a->folds,
		.empty = w->s->taken_usec == 0 ? "asking the system…"
		         : w->s->n > 0         ? "no machine is like that; Esc shows all"
		                               : "no machine is configured and none runs; a NAME.conf in "
		                                 "/etc/containers makes one",
	};
	if (!t->rows) {
		v->bad = true;
		return;
	}
	v->samples = a->sort.by != COLUMNS_URGENCY && shapes[a->sort.by].sampled;
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		enum column_id id = a->columns.order[i];

		if (!a->columns.shown[id])
			continue;
		v->sampled[t->n_columns] = shapes[id].sampled;
		t->columns[t->n_columns++] = head_of(a, id);
	}
	for (; t->n_rows < a->n_order; t->n_rows++)
		build_row(a, w, v, &w->s->v[a->order[t->n_rows]], now_usec, &t->rows[t->n_rows]);
}

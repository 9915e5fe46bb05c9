#include "ui/view_tab.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "ui/units.h"

#define EVENTS_SHOWN 300

/* ---- shared by the tabs */

bool tab_fill(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d,
              struct tab_source *ret)
{
	const struct machine *m = snapshot_find(w->s, a->selected);
	const struct stats *st = m ? stats_find(w->stats, m->name) : NULL;

	if (!m)
		return false;
	*ret = (struct tab_source){ .a = a, .w = w, .m = m, .now_usec = now_usec, .v = v, .d = d };
	ret->st = st && st->at_usec > 0 ? st : NULL;
	ret->look = strcmp(w->look->name, m->name) == 0 ? w->look : NULL;
	return true;
}

bool tab_waits(const struct tab_source *t, enum look_part part)
{
	if (t->look && t->look->known & (unsigned)part)
		return false;
	doc_line(t->d, STYLE_DIM, t->w->is_tape ? "a tape does not hold this" : "asking…");
	return true;
}

void tab_state(const struct tab_source *t)
{
	struct look_words l = view_look(t->a, t->w, t->v, t->m);
	const char *age = view_age(t->v, t->m->since_usec, t->now_usec);

	doc_fact(t->d, "state", l.style, "%s", l.word);
	if (age)
		doc_add(t->d, STYLE_TEXT, " for %s", age);
}

const char *tab_bytes(const struct tab_source *t, uint64_t bytes)
{
	char text[UNITS_SIZE];

	units_bytes(bytes, text);
	return view_keep(t->v, "%s", bytes == STATS_UNKNOWN ? "-" : text);
}

const char *tab_percent(const struct tab_source *t, double percent)
{
	char text[UNITS_SIZE];

	units_percent(percent, text);
	return view_keep(t->v, "%s%s", text, isnan(percent) ? "" : "%");
}

const char *tab_time(const struct tab_source *t, uint64_t usec)
{
	time_t then = (time_t)(usec / 1000000), now = (time_t)(t->now_usec / 1000000);
	struct tm was, is;

	if (usec == 0 || !localtime_r(&then, &was) || !localtime_r(&now, &is))
		return "-";
	if (was.tm_year == is.tm_year && was.tm_yday == is.tm_yday)
		return view_clock(t->v, usec);
	return view_keep(t->v, "%02d-%02d %s", was.tm_mon + 1, was.tm_mday, view_clock(t->v, usec));
}

const char *tab_port(const struct tab_source *t, const struct port *p)
{
	return view_keep(t->v, "%s %u", p->udp ? "udp" : "tcp", (unsigned)p->host);
}

void tab_traffic(const struct tab_source *t, const char *link)
{
	for (size_t i = 0; t->st && i < t->st->n_links; i++) {
		const struct stats_link *l = &t->st->links[i];

		if (strcmp(l->name, link) != 0)
			continue;
		doc_add(t->d, STYLE_TEXT, "  rx %s/s  tx %s/s", tab_bytes(t, l->rx), tab_bytes(t, l->tx));
		if (l->drops > 0 || l->errors > 0)
			doc_add(t->d, STYLE_BUSY, "  drops %llu  errors %llu", (unsigned long long)l->drops,
			        (unsigned long long)l->errors);
	}
}

void tab_log(const struct tab_source *t, const struct loglines *lines, size_t max)
{
	size_t first = lines->n > max ? lines->n - max : 0;

	for (size_t i = first; i < lines->n; i++) {
		const struct logline *l = &lines->v[i];

		doc_line(t->d, STYLE_DIM, "%s  ", tab_time(t, l->usec));
		doc_add(t->d, STYLE_DIM, l->from_systemd ? "systemd: " : "");
		doc_add(t->d, l->from_systemd ? STYLE_DIM : STYLE_TEXT, "%s", l->text);
		doc_indent(t->d, 10);
	}
}

const char *tab_inside(const struct look_link *l)
{
	for (size_t i = 0; i < l->guest.addresses.n; i++)
		if (strncmp(l->guest.addresses.v[i], "fe80:", 5) != 0)
			return l->guest.addresses.v[i];
	return NULL;
}

/* ---- the plan and the events */

static void tab_plan(const struct tab_source *t)
{
	if (tab_waits(t, LOOK_PLAN))
		return;
	if (t->look->plan.problem) {
		doc_line(t->d, t->m->bad_conf ? STYLE_BAD : STYLE_DIM, "%s", t->look->plan.problem);
		return;
	}
	for (const char *p = t->look->plan.text; p && *p;) {
		size_t len = strcspn(p, "\n");

		doc_line(t->d, *p == '#' ? STYLE_DIM : STYLE_TEXT, "%.*s", (int)len, p);
		p += len + (p[len] == '\n');
	}
}

static void tab_events(const struct tab_source *t)
{
	const struct events *e = t->w->events;
	size_t shown = 0;

	for (size_t i = e->n; i > 0 && shown < EVENTS_SHOWN; i--) {
		const struct event *event = &e->v[i - 1];

		if (strcmp(event->name, t->m->name) != 0)
			continue;
		doc_line(t->d, STYLE_DIM, "%14s  %-8s", tab_time(t, event->usec),
		         event_kind_word(event->kind));
		doc_add(t->d, event->bad ? STYLE_BAD : STYLE_TEXT, "%s", event->text);
		doc_indent(t->d, 26);
		doc_aligned(t->d);
		shown++;
	}
	if (shown == 0)
		doc_line(t->d, STYLE_DIM, "nothing happened to it that is known");
	if (t->w->events_note)
		doc_line(t->d, STYLE_DIM, "%s", t->w->events_note);
}

static void tab_logs(const struct tab_source *t)
{
	doc_line(t->d, STYLE_DIM, "%s", t->w->logs_problem ? t->w->logs_problem : "asking…");
}

void view_tab(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d)
{
	struct tab_source t;

	if (!tab_fill(a, w, now_usec, v, d, &t)) {
		doc_line(d, STYLE_DIM, "there is no machine here");
		return;
	}
	switch (a->pane.tab) {
	case TAB_OVERVIEW:
		tab_overview(&t);
		break;
	case TAB_LOGS:
		tab_logs(&t);
		break;
	case TAB_NETWORK:
		tab_network(&t);
		break;
	case TAB_PORTS:
		tab_ports(&t);
		break;
	case TAB_PROCESSES:
		tab_processes(&t);
		break;
	case TAB_CONFIG:
		tab_config(&t);
		break;
	case TAB_PLAN:
		tab_plan(&t);
		break;
	case TAB_EVENTS:
		tab_events(&t);
		break;
	case TAB_COUNT:
		break;
	}
}

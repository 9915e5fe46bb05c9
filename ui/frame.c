#include "ui/frame.h"

#include <time.h>

#include "base/cleanup.h"

uint64_t frame_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void frame_draw(struct app *a, const struct world *w, uint64_t now_usec, struct grid *g, struct view *v)
{
	struct screen_fit fit;

	a->now_usec = now_usec;
	app_follow(a, w);
	view_build(a, w, now_usec, v);
	screen_fit(g, v, a->seek, &fit);
	a->top = fit.top;
	a->page = fit.page;
	a->pane.top = fit.pane_top;
	a->pane.page = fit.pane_page;
	a->pane.alone = fit.alone;
	a->text_top = fit.text_top;
	a->text_page = fit.text_page;
	a->menu_row = fit.menu_row;
	a->confirm.top = fit.dialog_top;
	a->seek = 0;
	if (fit.missed)
		app_say(a, STYLE_TEXT, 0, "nowhere: '%s'", a->search);
	screen_draw(g, v);
}

uint64_t frame_tick(const struct app *a, const struct grid *g, const struct view *v)
{
	uint64_t age = v->age_usec;

	if (age > 0 && age < a->period_usec && screen_samples(g, v))
		age = a->period_usec;
	return age > 0 && (v->tick_usec == 0 || age < v->tick_usec) ? age : v->tick_usec;
}

/* The parts of the selected machine that are shown. */
static unsigned parts_shown(const struct app *a)
{
	static const unsigned of_tabs[TAB_COUNT] = {
		[TAB_OVERVIEW] = LOOK_UNIT | LOOK_NETWORK | LOOK_PORTS,
		[TAB_NETWORK] = LOOK_NETWORK,
		[TAB_PORTS] = LOOK_PORTS | LOOK_NETWORK,
		[TAB_PROCESSES] = LOOK_PROCESSES,
		[TAB_CONFIG] = LOOK_CONFIG,
		[TAB_PLAN] = LOOK_PLAN,
	};

	return (a->pane.open ? of_tabs[a->pane.tab] : 0) | (a->text == APP_TEXT_WHY ? LOOK_UNIT : 0);
}

static bool is_among(const struct machine *m, const struct machine *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == m)
			return true;
	return false;
}

void frame_want(const struct app *a, struct source *s, const struct grid *g, const struct view *v)
{
	CLEANUP(strs_done) struct strs logged = { 0 };
	const struct machine *seen[GRID_MAX];
	const struct world *w = source_world(s);
	struct source_wanted wanted = { .seen = seen };
	size_t first, n;

	screen_rows(g, v, &first, &n);
	for (size_t i = first; i < first + n && i < a->n_order && wanted.n_seen < COUNT(seen); i++)
		seen[wanted.n_seen++] = &w->s->v[a->order[i]];
	wanted.all_figures = filter_needs_stats(&a->filter) || columns_sort_needs_stats(&a->sort);
	wanted.period_usec = wanted.all_figures || screen_samples(g, v) ? a->period_usec : 0;
	wanted.look = parts_shown(a);
	wanted.looked = snapshot_find(w->s, a->selected);
	if (v->samples && wanted.looked && a->pane.open && wanted.n_seen < COUNT(seen) &&
	    !is_among(wanted.looked, seen, wanted.n_seen))
		seen[wanted.n_seen++] = wanted.looked;
	if (a->pane.open && a->pane.tab == TAB_LOGS) {
		app_targets(a, w, &logged);
		wanted.logs = &logged;
	}
	wanted.all_drifts = a->sort.by == COLUMN_CFG;
	wanted.drifts = wanted.all_drifts || a->columns.shown[COLUMN_CFG] || a->text == APP_TEXT_DRIFT;
	wanted.network = app_wants_network(a);
	if (a->text == APP_TEXT_PORTS)
		wanted.ports = "";
	else if (a->text == APP_TEXT_DOCTOR)
		wanted.ports = a->selected;
	source_want(s, &wanted);
}

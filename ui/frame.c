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
	a->seek = 0;
	if (fit.missed)
		app_say(a, STYLE_TEXT, 0, "nowhere: '%s'", a->search);
	screen_draw(g, v);
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
	wanted.period_usec = screen_samples(g, v) ? a->period_usec : 0;
	if (a->pane.open && a->pane.tab == TAB_LOGS) {
		app_targets(a, w, &logged);
		wanted.logs = &logged;
	}
	source_want(s, &wanted);
}

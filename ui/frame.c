#include "ui/frame.h"

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

#include "ui/screen.h"

#include "base/cleanup.h"

/* Which line is what, from the top; height 0: left out. */
struct place {
	struct rect title, banner, table, message, keys, dialog;
};

static struct rect lines(const struct grid *g, int y, int h)
{
	return (struct rect){ 0, y, g->w, h };
}

/* Sentences may take some lines, but never much of the screen. */
static int sentence_height(const struct grid *g, const char *text)
{
	int wanted = text ? grid_lines(g, g->w - 1, text) : 0, most = 1;

	if (g->h >= 10)
		most = g->h >= 24 ? 3 : 2;
	return wanted < most ? wanted : most;
}

/* When height shrinks, the key bar goes first, then the message line, then the title: rows stay. Where there
 * is no room for both, a banner replaces the title. An empty message line keeps its place, so that the list
 * does not jump. */
static struct place place(const struct grid *g, const struct view *v)
{
	int top = 0, bottom = g->h, banner = sentence_height(g, v->banner),
	    message = sentence_height(g, v->message);
	struct place p = { 0 };

	if (g->h >= (v->banner ? 6 : 3))
		p.title = lines(g, top++, 1);
	if (g->h >= 2)
		p.banner = lines(g, top, banner);
	top += p.banner.h;
	if (g->h >= 6)
		p.keys = lines(g, --bottom, 1);
	if (g->h >= 4)
		p.message = lines(g, bottom - message, message);
	bottom -= g->h >= 6 && message == 0 ? 1 : p.message.h;
	p.table = lines(g, top, bottom - top);
	p.dialog = lines(g, 0, g->h - p.keys.h);
	return p;
}

static int line_columns(const struct grid *g, const struct view_line *l)
{
	int total = 0;

	for (size_t i = 0; i < l->n; i++)
		total += grid_columns(g, l->v[i].text);
	return total;
}

static void draw_title(struct grid *g, struct rect r, const struct view *v)
{
	size_t form = 0;

	while (form + 1 < COUNT(v->titles) && line_columns(g, &v->titles[form]) > r.w)
		form++;
	if (r.h > 0)
		grid_spans(g, r.x, r.y, r.w, v->titles[form].v, v->titles[form].n);
}

static void draw_banner(struct grid *g, struct rect r, const char *text)
{
	if (r.h == 0)
		return;
	grid_fill(g, r, STYLE_BANNER);
	grid_wrap(g, (struct rect){ r.x + 1, r.y, r.w - 1, r.h }, 0, STYLE_BANNER, text);
}

/* As many keys as fit; the last ones (help, quit) are kept, the ones before them give way. */
static void draw_keys(struct grid *g, struct rect r, const struct view *v)
{
	size_t kept = v->n_keys < 2 ? v->n_keys : 2;
	int x = r.x + 1, reserved = 0;

	if (r.h == 0)
		return;
	for (size_t i = v->n_keys - kept; i < v->n_keys; i++)
		reserved += 2 + line_columns(g, &v->keys[i]);
	for (size_t i = 0; i < v->n_keys; i++) {
		bool must_stay = i >= v->n_keys - kept;

		if (must_stay || x + line_columns(g, &v->keys[i]) + reserved <= r.x + r.w)
			x += 2 + grid_spans(g, x, r.y, r.x + r.w - x, v->keys[i].v, v->keys[i].n);
	}
}

void screen_fit(const struct grid *g, struct view *v, size_t *ret_page)
{
	struct place p = place(g, v);

	v->table.top = table_scroll(&v->table, g, p.table);
	*ret_page = table_page(&v->table, g, p.table);
	if (!v->has_dialog)
		return;
	v->dialog.top = dialog_scroll(&v->dialog, g, p.dialog);
	*ret_page = (size_t)dialog_page(&v->dialog, g, p.dialog);
}

void screen_draw(struct grid *g, const struct view *v)
{
	struct place p = place(g, v);

	grid_fill(g, lines(g, 0, g->h), STYLE_TEXT);
	g->cursor_x = g->cursor_y = 0;
	draw_title(g, p.title, v);
	if (v->banner)
		draw_banner(g, p.banner, v->banner);
	table_draw(g, p.table, &v->table);
	if (v->message)
		grid_wrap(g, (struct rect){ 1, p.message.y, g->w - 1, p.message.h }, 0, v->message_style,
		          v->message);
	draw_keys(g, p.keys, v);
	if (v->has_dialog)
		dialog_draw(g, p.dialog, &v->dialog);
}

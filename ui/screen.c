#include "ui/screen.h"

#include "base/cleanup.h"
#include "ui/docview.h"

#define SPLIT_H  15 /* lines that list and details together need at least */
#define NARROW_W 50 /* columns, below which texts are squeezed */
#define TINY_W   30 /* ... and the key bar, too */

/* Which line is what, from the top; height 0: left out. */
struct place {
	struct rect title, banner, table, tabs, pane, jobs, message, prompt, keys, over;
};

static struct rect lines(const struct grid *g, int y, int h)
{
	return (struct rect){ 0, y, g->w, h > 0 ? h : 0 };
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* Sentences may take some lines, but never much of the screen. */
static int sentence_height(const struct grid *g, const char *text)
{
	int wanted = text ? grid_lines(g, g->w - 1, text) : 0, most = 1;

	if (g->h >= 10)
		most = g->h >= 24 ? 3 : 2;
	return smaller(wanted, most);
}

/* The list has what it needs, but no more than two fifths. */
static int list_height(const struct grid *g, const struct view *v, int room)
{
	int wanted = table_height(&v->table, g, lines(g, 0, room)),
	    most = room * 2 / 5 > 5 ? room * 2 / 5 : 5;

	return wanted < 5 ? 5 : smaller(wanted, most);
}

static void place_middle(const struct grid *g, const struct view *v, int top, int bottom, struct place *p)
{
	int room = bottom - top, list = room;

	if (v->has_pane)
		list = v->pane.zoomed || room < SPLIT_H || g->w < 40 ? 0 : list_height(g, v, room);
	p->table = lines(g, top, list);
	if (!v->has_pane)
		return;
	p->tabs = lines(g, top + list, room >= 2 ? 1 : 0);
	p->pane = lines(g, top + list + p->tabs.h, room - list - p->tabs.h);
}

static bool lies_over(const struct view *v)
{
	return v->has_text || v->has_menu || v->has_dialog;
}

/* When height shrinks, the key bar goes first, then jobs, the message line, then the title: rows stay. Where
 * there is no room for both, a banner replaces the title. An empty message line keeps its place, so that the
 * list does not jump. */
static struct place place(const struct grid *g, const struct view *v)
{
	int top = 0, bottom = g->h, banner = sentence_height(g, v->banner),
	    message = sentence_height(g, v->message),
	    jobs = g->h >= 16  ? (int)v->n_jobs
	           : g->h >= 8 ? smaller((int)v->n_jobs, 1)
	                       : 0;
	bool over = lies_over(v) && !v->prompt;
	struct place p = { 0 };

	if (g->h < 6 && (over || v->prompt) && !(v->message_style == STYLE_BAD && (v->has_menu || v->prompt)))
		message = 0; /* the way out is more; not than what speaks against what is typed */
	if (g->h >= (v->banner ? 6 : 3))
		p.title = lines(g, top++, 1);
	if (g->h >= 2)
		p.banner = lines(g, top, banner);
	top += p.banner.h;
	if (g->h >= 6 || (g->h >= 3 && over)) {
		int h = g->h >= 40 ? 2 : 1;

		p.keys = lines(g, bottom -= h, h);
	}
	if (v->prompt)
		p.prompt = lines(g, --bottom, 1);
	if (g->h >= 4)
		p.message = lines(g, bottom - message, message);
	bottom -= g->h >= 6 && message == 0 && !v->prompt ? 1 : p.message.h;
	if (p.message.h == 0 && g->h >= 6 && !v->prompt)
		p.message = lines(g, bottom, 1);
	p.jobs = lines(g, bottom -= jobs, jobs);
	place_middle(g, v, top, bottom, &p);
	p.over = lines(g, 0, message > 0 && p.message.h > 0 ? p.message.y : g->h - p.keys.h - p.prompt.h);
	return p;
}

/* ---- what lies over the list */

static struct rect inset(struct rect r)
{
	if (r.w < 60 || r.h < 16)
		return r;
	return (struct rect){ r.x + 2, r.y + 1, r.w - 4, r.h - 2 };
}

static bool is_framed(struct rect r)
{
	return r.w >= 30 && r.h >= 7;
}

static struct rect inside(struct rect r)
{
	if (is_framed(r))
		return (struct rect){ r.x + 2, r.y + 1, r.w - 4, r.h - 2 };
	return r.h > 1 ? (struct rect){ r.x, r.y + 1, r.w, r.h - 1 } : r;
}

/* As high as its items need. */
static struct rect menu_box(const struct view *v, struct rect over)
{
	struct rect r = inset(over);
	int wanted = (int)smaller((int)v->menu.n, 500) + 2;

	if (is_framed(r) && wanted < r.h)
		r.h = wanted > 7 ? wanted : 7;
	if (v->prompt) /* the palette is just above what is typed */
		r.y = over.y + over.h - r.h;
	return r;
}

static size_t menu_top(const struct view *v, struct rect in)
{
	size_t room = in.h > 0 ? (size_t)in.h : 1;

	return v->menu_row >= room ? v->menu_row - room + 1 : 0;
}

static int label_width(const struct grid *g, const struct view *v, struct rect in)
{
	int label = 0;

	for (size_t i = 0; i < v->menu.n; i++) {
		int w = v->menu.v[i].is_head ? 0 : grid_columns(g, v->menu.v[i].label);

		label = w > label ? w : label;
	}
	return smaller(label, in.w / 2);
}

/* What the marked item says is cut on a narrow screen: then it is said in full below. */
static void say_cut_hint(const struct grid *g, struct view *v)
{
	struct rect in = inside(menu_box(v, place(g, v).over));
	const struct menu_item *item = v->menu_row < v->menu.n ? &v->menu.v[v->menu_row] : NULL;

	if (!v->has_menu || v->prompt || v->message || !item || item->is_head ||
	    grid_columns(g, item->hint) <= in.w - label_width(g, v, in) - 2)
		return;
	v->message = item->hint;
	v->message_style = STYLE_TEXT;
}

static void draw_menu(struct grid *g, struct rect over, const struct view *v)
{
	struct rect box = menu_box(v, over), in;
	int label;

	in = grid_frame(g, box, is_framed(box), v->menu.title, "");
	label = label_width(g, v, in);
	for (size_t i = menu_top(v, in); i < v->menu.n && in.h > 0; i++) {
		const struct menu_item *item = &v->menu.v[i];
		enum style style = item->possible ? STYLE_TEXT : STYLE_DIM;
		int y = in.y + (int)(i - menu_top(v, in));

		if (y >= in.y + in.h)
			break;
		grid_text(g, in.x, y, item->is_head ? in.w : label, item->is_head ? STYLE_HEAD : style,
		          item->label);
		grid_text(g, in.x + label + 2, y, in.w - label - 2, item->is_value ? style : STYLE_DIM,
		          item->hint);
		if (i != v->menu_row)
			continue;
		grid_pick(g, (struct rect){ in.x, y, in.w, 1 });
		g->cursor_x = in.x;
		g->cursor_y = y;
	}
}

static void draw_text(struct grid *g, struct rect over, const struct view *v)
{
	struct rect box = inset(over), in = inside(box);
	bool more = docview_lines(g, in.w, v->text.shown) > v->text.top + in.h;

	grid_frame(g, box, is_framed(box), v->text.title, more ? "(j: more) " : "");
	docview_draw(g, in, v->text.shown, v->text.top, v->search);
}

/* ---- lines */

static int line_columns(const struct grid *g, const struct view_line *l)
{
	int total = 0;

	for (size_t i = 0; i < l->n; i++)
		total += grid_columns(g, l->v[i].text);
	return total;
}

/* The longest form that fits; they are in that order. */
static const struct view_line *fitting(const struct grid *g, int w, const struct view_line *forms, size_t n)
{
	while (n > 1 && line_columns(g, forms) > w) {
		forms++;
		n--;
	}
	return forms;
}

static void draw_title(struct grid *g, struct rect r, const struct view *v)
{
	const struct view_line *l = fitting(g, r.w, v->titles, COUNT(v->titles));
	int used, host;

	if (r.h == 0)
		return;
	used = grid_spans(g, r.x, r.y, r.w, l->v, l->n);
	host = v->host ? grid_columns(g, v->host) : 0;
	if (host > 0 && used + 3 + host < r.w)
		grid_text(g, r.x + r.w - host - 1, r.y, host, STYLE_DIM, v->host);
}

static void draw_banner(struct grid *g, struct rect r, const char *text)
{
	if (r.h == 0)
		return;
	grid_fill(g, r, STYLE_BANNER);
	grid_wrap(g, (struct rect){ r.x + 1, r.y, r.w - 1, r.h }, 0, STYLE_BANNER, text);
}

/* Where each key of the bar is; as many as fit: the last ones (help, the way out) are kept, the ones before them
 * give way. A bar that is very short spends nothing on looks. */
struct key_place {
	int x, y;
};

static void place_keys(const struct grid *g, struct rect r, const struct view *v, struct key_place *ret)
{
	size_t kept = v->n_keys < v->keys_kept ? v->n_keys : v->keys_kept;
	int margin = r.w < TINY_W ? 0 : 1, gap = margin + 1, x = r.x + margin, y = r.y, reserved = 0;
	bool full = false;

	for (size_t i = v->n_keys - kept; i < v->n_keys; i++)
		reserved += gap + line_columns(g, &v->keys[i]);
	for (size_t i = 0; i < v->n_keys; i++) {
		int w = line_columns(g, &v->keys[i]), end = y == r.y + r.h - 1 ? reserved : 0;
		bool must_stay = i >= v->n_keys - kept;

		if (!must_stay && x + w + end > r.x + r.w && y + 1 < r.y + r.h) {
			y++;
			x = r.x + margin;
			end = y == r.y + r.h - 1 ? reserved : 0;
		}
		full |= !must_stay && x + w + end > r.x + r.w;
		ret[i] = (struct key_place){ full && !must_stay ? -1 : x, y };
		if (ret[i].x >= 0)
			x += gap + w;
	}
}

static void draw_keys(struct grid *g, struct rect r, const struct view *v)
{
	struct key_place at[ACTION_COUNT];

	if (r.h == 0)
		return;
	place_keys(g, r, v, at);
	for (size_t i = 0; i < v->n_keys; i++)
		if (at[i].x >= 0)
			grid_spans(g, at[i].x, at[i].y, r.x + r.w - at[i].x, v->keys[i].v, v->keys[i].n);
}

static void draw_jobs(struct grid *g, struct rect r, const struct view *v)
{
	for (int i = 0; i < r.h; i++) {
		const struct view_line *l = &v->jobs[v->n_jobs - (size_t)(r.h - i)];

		grid_spans(g, r.x + 1, r.y + i, r.w - 1, l->v, l->n);
	}
}

static void draw_message(struct grid *g, struct rect r, const struct view *v)
{
	if (r.h == 0)
		return;
	if (v->message)
		grid_wrap(g, (struct rect){ r.x + 1, r.y, r.w - 1, r.h }, 0, v->message_style, v->message);
	else if (!lies_over(v)) {
		const struct view_line *l = fitting(g, r.w - 1, v->status, COUNT(v->status));

		grid_spans(g, r.x + 1, r.y, r.w - 1, l->v, l->n);
	}
}

static void draw_pane(struct grid *g, const struct place *p, const struct view *v)
{
	if (p->tabs.h > 0) {
		const struct view_line *tabs = fitting(g, p->tabs.w, v->pane.tabs, COUNT(v->pane.tabs));

		grid_fill(g, p->tabs, STYLE_HEAD);
		grid_spans(g, p->tabs.x, p->tabs.y, p->tabs.w, tabs->v, tabs->n);
	}
	if (v->pane.logs)
		logview_draw(g, p->pane, v->pane.logs, v->now_usec);
	else
		docview_draw(g, p->pane, &v->pane.doc, v->pane.top, v->search);
	if (!v->pane.focused && p->table.h > 0)
		return;
	g->cursor_x = p->pane.x;
	g->cursor_y = p->pane.h > 0 ? p->pane.y : p->tabs.y;
}

/* ---- all of it */

static int seek_in(const struct grid *g, struct rect r, const struct doc *d, const char *search, int top,
                   int by, struct screen_fit *fit)
{
	int found = by != 0 ? docview_seek(g, r.w, d, search, top, by) : -1;

	fit->missed |= by != 0 && found < 0;
	return docview_scroll(g, r, d, found >= 0 ? found : top);
}

void screen_fit(const struct grid *g, struct view *v, int seek, struct screen_fit *ret)
{
	struct place p;

	if (v->menu_row >= v->menu.n)
		v->menu_row = v->menu.n > 0 ? v->menu.n - 1 : 0;
	say_cut_hint(g, v);
	p = place(g, v);
	if (g->w < NARROW_W) {
		doc_squeeze(&v->pane.doc);
		doc_squeeze(&v->text.doc);
	}
	*ret = (struct screen_fit){ .alone = v->has_pane && p.table.h == 0 };
	ret->top = v->table.top = table_scroll(&v->table, g, p.table);
	ret->page = table_page(&v->table, g, p.table);
	if (v->has_text) {
		struct rect in = inside(inset(p.over));

		ret->text_top = v->text.top =
			seek_in(g, in, v->text.shown, v->search, v->text.top, seek, ret);
		ret->text_page = in.h > 1 ? in.h - 1 : 1;
	} else if (v->pane.logs) {
		logview_fit(v->pane.logs, g, p.pane);
		ret->pane_page = p.pane.h;
	} else if (v->has_pane) {
		ret->pane_top = v->pane.top =
			seek_in(g, p.pane, &v->pane.doc, v->search, v->pane.top, seek, ret);
		ret->pane_page = p.pane.h > 1 ? p.pane.h - 1 : 1;
	}
	ret->menu_row = v->menu_row;
	if (v->has_dialog)
		ret->dialog_top = v->dialog.top = dialog_scroll(&v->dialog, g, p.over);
}

void screen_draw(struct grid *g, const struct view *v)
{
	struct place p = place(g, v);

	grid_fill(g, lines(g, 0, g->h), STYLE_TEXT);
	g->cursor_x = g->cursor_y = 0;
	draw_title(g, p.title, v);
	if (v->banner)
		draw_banner(g, p.banner, v->banner);
	if (p.table.h > 0)
		table_draw(g, p.table, &v->table);
	if (v->has_pane)
		draw_pane(g, &p, v);
	draw_jobs(g, p.jobs, v);
	draw_keys(g, p.keys, v);
	if (v->has_text)
		draw_text(g, p.over, v);
	if (v->has_menu)
		draw_menu(g, p.over, v);
	if (v->has_dialog)
		dialog_draw(g, p.over, &v->dialog);
	draw_message(g, p.message, v);
	if (v->prompt)
		line_draw(g, p.prompt.x, p.prompt.y, p.prompt.w, STYLE_TEXT, v->prompt, v->line);
}

void screen_rows(const struct grid *g, const struct view *v, size_t *ret_first, size_t *ret_n)
{
	struct place p = place(g, v);

	*ret_first = v->table.top;
	*ret_n = p.table.h > 0 ? table_shown(&v->table, g, p.table) : 0;
}

bool screen_samples(const struct grid *g, const struct view *v)
{
	struct place p = place(g, v);
	bool found = v->samples;

	for (size_t i = 0; i < v->table.n_columns && p.table.h > 0 && !found; i++)
		found = v->sampled[i] && table_has_room(&v->table, g, p.table, i);
	return found;
}

/* ---- the mouse */

static bool has(struct rect r, int x, int y)
{
	return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h;
}

static struct screen_hit hit_menu(const struct view *v, struct rect over, int x, int y)
{
	struct rect in = inside(menu_box(v, over));
	size_t i = menu_top(v, in) + (size_t)(y - in.y);

	return has(in, x, y) && i < v->menu.n ? (struct screen_hit){ PART_ITEM, i }
	                                      : (struct screen_hit){ 0 };
}

static struct screen_hit hit_keys(const struct grid *g, struct rect r, const struct view *v, int x, int y)
{
	struct key_place at[ACTION_COUNT];

	place_keys(g, r, v, at);
	for (size_t i = 0; i < v->n_keys; i++)
		if (at[i].x >= 0 && y == at[i].y && x >= at[i].x &&
		    x < at[i].x + line_columns(g, &v->keys[i]))
			return (struct screen_hit){ PART_KEY, i };
	return (struct screen_hit){ 0 };
}

/* The first span is the machine's name, the others are the tabs. */
static struct screen_hit hit_tabs(const struct grid *g, struct rect r, const struct view *v, int x)
{
	const struct view_line *tabs = fitting(g, r.w, v->pane.tabs, COUNT(v->pane.tabs));
	int at = r.x;

	for (size_t i = 0; i < tabs->n; i++) {
		at += grid_columns(g, tabs->v[i].text);
		if (x < at)
			return i > 0 ? (struct screen_hit){ PART_TAB, i - 1 } : (struct screen_hit){ 0 };
	}
	return (struct screen_hit){ 0 };
}

struct screen_hit screen_hit(const struct grid *g, const struct view *v, int x, int y)
{
	struct place p = place(g, v);

	if (has(p.keys, x, y))
		return hit_keys(g, p.keys, v, x, y);
	if (v->has_menu)
		return hit_menu(v, p.over, x, y);
	if (v->has_dialog)
		return (struct screen_hit){ PART_BUTTON, dialog_button_at(&v->dialog, g, p.over, x, y) };
	if (v->has_text || v->prompt)
		return (struct screen_hit){ 0 };
	if (has(p.tabs, x, y))
		return hit_tabs(g, p.tabs, v, x);
	if (!has(p.table, x, y) || v->table.n_rows == 0)
		return (struct screen_hit){ 0 };
	if (table_is_heading(p.table, y))
		return (struct screen_hit){ PART_HEADING, table_column_at(&v->table, g, p.table, x) };
	return (struct screen_hit){ PART_ROW, table_row_at(&v->table, g, p.table, y) };
}

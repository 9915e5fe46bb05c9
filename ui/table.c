#include "ui/table.h"

#include <stdio.h>
#include <string.h>

#define LEAD            3 /* selection, mark, blank */
#define GAP             2
#define INLINE_NOTE_MIN 12 /* columns a note needs behind the state; else it follows the name at once */

static const char note_hook[] = "└ ";

static bool notes_inline(struct rect r)
{
	return r.w < 30 || r.h < 6;
}

static const char *cell_text(const struct table_cell *c)
{
	return c->text ? c->text : "-";
}

static int wanted_width(const struct table *t, const struct grid *g, size_t column)
{
	int w = t->columns[column].usual;

	for (size_t i = 0; i < t->n_rows; i++) {
		int needed = grid_columns(g, cell_text(&t->rows[i].cells[column]));

		w = needed > w ? needed : w;
	}
	return w < t->columns[column].max ? w : t->columns[column].max;
}

/* Columns by which the row is too wide for w; negative when there is room. */
static int excess(const struct table *t, const int *width, int w)
{
	int total = LEAD - GAP;

	for (size_t i = 0; i < t->n_columns; i++)
		if (width[i] > 0)
			total += GAP + width[i];
	return total - w;
}

/* The column that can give most before it is at its least; n_columns when none can. */
static size_t widest(const struct table *t, const int *width)
{
	size_t found = t->n_columns;
	int most = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		if (width[i] - t->columns[i].min <= most)
			continue;
		most = width[i] - t->columns[i].min;
		found = i;
	}
	return found;
}

/* Widths of the columns in r, 0 for one that has left. */
static void layout(const struct table *t, const struct grid *g, struct rect r, int *ret)
{
	for (int stay = (int)t->n_columns; stay > 0; stay--) {
		for (size_t i = 0; i < t->n_columns; i++)
			ret[i] = t->columns[i].rank < stay ? wanted_width(t, g, i) : 0;
		while (excess(t, ret, r.w) > 0 && widest(t, ret) < t->n_columns)
			ret[widest(t, ret)]--;
		if (excess(t, ret, r.w) <= 0)
			return;
	}
	ret[0] = r.w > LEAD ? r.w - LEAD : 1;
}

static int note_lines(const struct table *t, const struct grid *g, struct rect r, size_t i)
{
	int indent = LEAD + grid_columns(g, note_hook), lines;

	if (!t->rows[i].note || notes_inline(r))
		return 0;
	lines = grid_lines(g, r.w - indent, t->rows[i].note);
	return lines > 1 && r.h >= 12 ? 2 : 1;
}

static int row_height(const struct table *t, const struct grid *g, struct rect r, size_t i)
{
	return 1 + note_lines(t, g, r, i);
}

/* Headings stay away when there is hardly room for rows. */
static int heading_height(struct rect r)
{
	return r.h >= 5 ? 1 : 0;
}

size_t table_scroll(const struct table *t, const struct grid *g, struct rect r)
{
	size_t top = t->top < t->n_rows ? t->top : 0;
	int room = r.h - heading_height(r), used;

	if (t->n_rows == 0)
		return 0;
	if (t->cursor < top)
		top = t->cursor;
	used = row_height(t, g, r, t->cursor);
	for (size_t i = t->cursor; i > top; i--) {
		used += row_height(t, g, r, i - 1);
		if (used > room)
			return i;
	}
	/* No empty lines at the end while rows are hidden at the beginning. */
	used = 0;
	for (size_t i = top; i < t->n_rows; i++)
		used += row_height(t, g, r, i);
	while (top > 0 && used + row_height(t, g, r, top - 1) <= room)
		used += row_height(t, g, r, --top);
	return top;
}

size_t table_page(const struct table *t, const struct grid *g, struct rect r)
{
	int room = r.h - heading_height(r), used = 0;
	size_t n = 0;

	for (size_t i = t->top; i < t->n_rows && used < room; i++, n++)
		used += row_height(t, g, r, i);
	return n > 2 ? n - 1 : 1;
}

/* A name keeps its end: that is where web-01 and web-02 differ. Returns the columns used. */
static int draw_name(struct grid *g, int x, int y, int w, const struct table_cell *c)
{
	const char *name = cell_text(c);
	size_t len = strlen(name);
	char cut[256];

	if (w < 5 || len <= (size_t)w || (size_t)grid_columns(g, name) != len)
		return grid_text(g, x, y, w, c->style, name);
	(void)snprintf(cut, sizeof(cut), "%.*s%s%s", w / 2, name, g->ascii ? ">" : "…",
	               name + len - (size_t)(w - w / 2 - 1));
	return grid_text(g, x, y, w, c->style, cut);
}

/* The columns from the second to the one before end; returns where the next would be. */
static int draw_columns(struct grid *g, int x, int y, const struct table_row *row, const int *width,
                        size_t end)
{
	for (size_t i = 1; i < end; i++) {
		const struct table_cell *c = &row->cells[i];

		if (width[i] == 0)
			continue;
		grid_text(g, x, y, width[i], c->text ? c->style : STYLE_DIM, cell_text(c));
		x += width[i] + GAP;
	}
	return x;
}

/* The first line of a row. A note in it takes the place of the columns behind the state, and of the state too
 * where it would be cut to nothing. */
static void draw_cells(struct grid *g, struct rect r, int y, const struct table_row *row, const int *width,
                       size_t n_columns)
{
	int x = r.x + LEAD, name = draw_name(g, x, y, width[0], &row->cells[0]);

	if (!row->note || !notes_inline(r)) {
		draw_columns(g, x + width[0] + GAP, y, row, width, n_columns);
		return;
	}
	if (r.w >= LEAD + width[0] + GAP + width[1] + GAP + INLINE_NOTE_MIN)
		x = draw_columns(g, x + width[0] + GAP, y, row, width, 2);
	else
		x += name + 1;
	grid_text(g, x, y, r.x + r.w - x, row->style, row->note);
}

static void draw_row(struct grid *g, struct rect r, int y, const struct table *t, size_t i, const int *width)
{
	const struct table_row *row = &t->rows[i];
	int indent = LEAD + grid_columns(g, note_hook), lines = note_lines(t, g, r, i);
	struct rect note = { r.x + indent, y + 1, r.w - indent, lines };

	if (note.y + note.h > r.y + r.h)
		note.h = r.y + r.h - note.y;
	if (r.w > 1)
		grid_text(g, r.x + 1, y, 1, row->style, (char[]){ row->mark, '\0' });
	draw_cells(g, r, y, row, width, t->n_columns);
	if (note.h > 0) {
		grid_text(g, r.x + LEAD, note.y, r.w, STYLE_DIM, note_hook);
		grid_wrap(g, note, 0, row->style, row->note);
	}
	if (i == t->cursor) {
		grid_text(g, r.x, y, 1, STYLE_TEXT, ">");
		grid_pick(g, (struct rect){ r.x, y, r.w, 1 });
		g->cursor_x = r.x;
		g->cursor_y = y;
	}
}

static void draw_headings(struct grid *g, struct rect r, const struct table *t, const int *width)
{
	int x = r.x + LEAD;

	grid_fill(g, (struct rect){ r.x, r.y, r.w, 1 }, STYLE_HEAD);
	for (size_t i = 0; i < t->n_columns; i++) {
		if (width[i] == 0)
			continue;
		grid_text(g, x, r.y, width[i], STYLE_HEAD, t->columns[i].title);
		x += width[i] + GAP;
	}
}

void table_draw(struct grid *g, struct rect r, const struct table *t)
{
	int width[TABLE_COLUMNS] = { 0 }, y = r.y + heading_height(r);

	if (r.w <= 0 || r.h <= 0)
		return;
	if (t->n_rows == 0) {
		grid_wrap(g, (struct rect){ r.x + 1, y, r.w - 1, r.y + r.h - y }, 0, STYLE_DIM, t->empty);
		return;
	}
	layout(t, g, r, width);
	if (heading_height(r))
		draw_headings(g, r, t, width);
	for (size_t i = t->top; i < t->n_rows && y < r.y + r.h; i++) {
		draw_row(g, r, y, t, i, width);
		y += row_height(t, g, r, i);
	}
}

#include "ui/table.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define LEAD            3 /* selection, mark, blank */
#define GAP             2
#define ESSENTIAL       4  /* columns of a higher rank leave before any other is cut below its usual width */
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
static size_t widest(const struct table *t, const int *width, const int *least)
{
	size_t found = t->n_columns;
	int most = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		if (width[i] - least[i] <= most)
			continue;
		most = width[i] - least[i];
		found = i;
	}
	return found;
}

/* What a column must have to stay: those of less weight leave before others are cut. */
static int least_width(const struct column *c, int stay)
{
	return stay > ESSENTIAL ? c->usual : c->min;
}

/* Widths of the columns in r, 0 for one that has left. */
static void layout(const struct table *t, const struct grid *g, struct rect r, int *ret)
{
	int wanted[TABLE_COLUMNS], least[TABLE_COLUMNS] = { 0 };

	for (size_t i = 0; i < t->n_columns; i++)
		wanted[i] = wanted_width(t, g, i);
	for (int stay = TABLE_COLUMNS; stay > 0; stay--) {
		for (size_t i = 0; i < t->n_columns; i++) {
			ret[i] = t->columns[i].rank < stay ? wanted[i] : 0;
			least[i] = t->columns[i].rank < stay ? least_width(&t->columns[i], stay) : 0;
		}
		while (excess(t, ret, r.w) > 0 && widest(t, ret, least) < t->n_columns)
			ret[widest(t, ret, least)]--;
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
	return lines > 1 && r.h >= 7 ? 2 : 1;
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

/* Lines for the rows from top on; *ret_counted: the line after them counts those that have no room. */
static int rows_room(const struct table *t, const struct grid *g, struct rect r, size_t top,
                     bool *ret_counted)
{
	int room = r.h - heading_height(r), used = 0;

	for (size_t i = top; i < t->n_rows && used <= room; i++)
		used += row_height(t, g, r, i);
	*ret_counted = t->counts && used > room && room >= 3;
	return *ret_counted ? room - 1 : room;
}

/* How many rows from top on are drawn; the last one's note may be cut. */
static size_t rows_shown(const struct table *t, const struct grid *g, struct rect r, size_t top,
                         bool *ret_counted)
{
	int room = rows_room(t, g, r, top, ret_counted), used = 0;
	size_t n = 0;

	while (top + n < t->n_rows && used < room)
		used += row_height(t, g, r, top + n++);
	return n > 0 ? n : 1;
}

/* Whether row i is drawn with all of its note. */
static bool is_whole(const struct table *t, const struct grid *g, struct rect r, size_t top, size_t i)
{
	bool counted;
	int room = rows_room(t, g, r, top, &counted), used = 0;

	for (size_t row = top; row <= i && used <= room; row++)
		used += row_height(t, g, r, row);
	return used <= room;
}

size_t table_scroll(const struct table *t, const struct grid *g, struct rect r)
{
	size_t top = t->top < t->n_rows ? t->top : 0;
	int room = r.h - heading_height(r), used = 0;

	if (t->n_rows == 0)
		return 0;
	if (t->cursor < top)
		top = t->cursor;
	if (room > 0 && t->cursor >= top + (size_t)room)
		top = t->cursor - (size_t)room + 1;
	while (top < t->cursor && !is_whole(t, g, r, top, t->cursor))
		top++;
	/* No empty lines at the end while rows are hidden at the beginning. */
	for (size_t i = top; i < t->n_rows && used <= room; i++)
		used += row_height(t, g, r, i);
	while (top > 0 && used + row_height(t, g, r, top - 1) <= room)
		used += row_height(t, g, r, --top);
	return top;
}

size_t table_page(const struct table *t, const struct grid *g, struct rect r)
{
	bool counted;
	size_t n = t->n_rows > 0 ? rows_shown(t, g, r, t->top, &counted) : 1;

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

static void draw_cell(struct grid *g, int x, int y, int w, bool right, enum style style, const char *text)
{
	int columns = right ? grid_columns(g, text) : w, left = columns < w ? w - columns : 0;

	grid_text(g, x + left, y, w - left, style, text);
}

/* The columns from the second to the one before end; returns where the next would be. */
static int draw_columns(struct grid *g, int x, int y, const struct table *t, const struct table_row *row,
                        const int *width, size_t end)
{
	for (size_t i = 1; i < end; i++) {
		const struct table_cell *c = &row->cells[i];

		if (width[i] == 0)
			continue;
		draw_cell(g, x, y, width[i], t->columns[i].right, c->text ? c->style : STYLE_DIM,
		          cell_text(c));
		x += width[i] + GAP;
	}
	return x;
}

/* The first line of a row. A note in it takes the place of the columns behind the state, and of the state too
 * where it would be cut to nothing. */
static void draw_cells(struct grid *g, struct rect r, int y, const struct table *t,
                       const struct table_row *row, const int *width)
{
	int x = r.x + LEAD, name = draw_name(g, x, y, width[0], &row->cells[0]);

	if (!row->note || !notes_inline(r)) {
		draw_columns(g, x + width[0] + GAP, y, t, row, width, t->n_columns);
		return;
	}
	if (r.w >= LEAD + width[0] + GAP + width[1] + GAP + INLINE_NOTE_MIN)
		x = draw_columns(g, x + width[0] + GAP, y, t, row, width, 2);
	else
		x += name + 1;
	if (row->brief && grid_columns(g, row->note) > r.x + r.w - x)
		grid_text(g, x, y, r.x + r.w - x, row->style, row->brief);
	else
		grid_text(g, x, y, r.x + r.w - x, row->style, row->note);
}

static void draw_row(struct grid *g, struct rect r, int y, int bottom, const struct table *t, size_t i,
                     const int *width)
{
	const struct table_row *row = &t->rows[i];
	int indent = LEAD + grid_columns(g, note_hook), lines = note_lines(t, g, r, i);
	struct rect note = { r.x + indent, y + 1, r.w - indent, lines };

	if (note.y + note.h > bottom)
		note.h = bottom - note.y;
	if (r.w > 1)
		grid_text(g, r.x + 1, y, 1, row->style, (char[]){ row->mark, '\0' });
	if (row->marked && r.w > 2)
		grid_text(g, r.x + 2, y, 1, STYLE_KEY, "✓");
	draw_cells(g, r, y, t, row, width);
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
		const struct column *c = &t->columns[i];

		if (width[i] == 0)
			continue;
		draw_cell(g, x, r.y, width[i], c->right, c->sorted ? STYLE_STRONG : STYLE_HEAD, c->title);
		x += width[i];
		if (c->sorted)
			grid_text(g, x, r.y, 1, STYLE_STRONG, c->sorted > 0 ? "↑" : "↓");
		x += GAP;
	}
}

/* "6 more, all up", or how many of each. */
static void draw_count(struct grid *g, struct rect r, int y, const struct table *t, size_t from)
{
	static const struct {
		char mark;
		const char *word;
	} marks[] = { { '!', "failed" }, { '~', "changing" }, { '*', "not well" }, { '?', "unknown" },
		      { '+', "up" },     { '=', "frozen" },   { '-', "stopped" } };
	char text[128], *end = text + sizeof(text), *p = text;
	size_t n = t->n_rows - from;

	p += snprintf(p, (size_t)(end - p), "%zu more", n);
	for (size_t i = 0; i < COUNT(marks) && p < end; i++) {
		size_t count = 0;

		for (size_t row = from; row < t->n_rows; row++)
			count += t->rows[row].mark == marks[i].mark;
		if (count == n)
			p += snprintf(p, (size_t)(end - p), ", all %s", marks[i].word);
		else if (count > 0)
			p += snprintf(p, (size_t)(end - p), ", %zu %s", count, marks[i].word);
	}
	grid_text(g, r.x + LEAD, y, r.w - LEAD, STYLE_DIM, text);
}

void table_draw(struct grid *g, struct rect r, const struct table *t)
{
	int width[TABLE_COLUMNS] = { 0 }, y = r.y + heading_height(r);
	bool counted;
	size_t shown;

	if (r.w <= 0 || r.h <= 0)
		return;
	if (t->n_rows == 0) {
		grid_wrap(g, (struct rect){ r.x + 1, y, r.w - 1, r.y + r.h - y }, 0, STYLE_DIM, t->empty);
		return;
	}
	layout(t, g, r, width);
	if (heading_height(r))
		draw_headings(g, r, t, width);
	shown = rows_shown(t, g, r, t->top, &counted);
	for (size_t i = t->top; i < t->top + shown; i++) {
		draw_row(g, r, y, r.y + r.h - counted, t, i, width);
		y += row_height(t, g, r, i);
	}
	if (counted)
		draw_count(g, r, r.y + r.h - 1, t, t->top + shown);
}

int table_height(const struct table *t, const struct grid *g, struct rect r)
{
	int total = heading_height(r);

	for (size_t i = 0; i < t->n_rows && total < r.h; i++)
		total += row_height(t, g, r, i);
	return total;
}

size_t table_shown(const struct table *t, const struct grid *g, struct rect r)
{
	bool counted;

	return t->n_rows > 0 ? rows_shown(t, g, r, t->top, &counted) : 0;
}

bool table_has_room(const struct table *t, const struct grid *g, struct rect r, size_t column)
{
	int width[TABLE_COLUMNS] = { 0 };

	layout(t, g, r, width);
	return width[column] > 0;
}

bool table_is_heading(struct rect r, int y)
{
	return heading_height(r) > 0 && y == r.y;
}

size_t table_row_at(const struct table *t, const struct grid *g, struct rect r, int y)
{
	int at = r.y + heading_height(r);
	bool counted;

	if (y < at || t->n_rows == 0)
		return t->n_rows;
	for (size_t i = t->top, end = t->top + rows_shown(t, g, r, t->top, &counted); i < end; i++) {
		at += row_height(t, g, r, i);
		if (y < at)
			return i;
	}
	return t->n_rows;
}

size_t table_column_at(const struct table *t, const struct grid *g, struct rect r, int x)
{
	int width[TABLE_COLUMNS] = { 0 }, at = r.x + LEAD;

	layout(t, g, r, width);
	for (size_t i = 0; i < t->n_columns; i++) {
		if (width[i] == 0)
			continue;
		if (x >= at && x < at + width[i] + GAP)
			return i;
		at += width[i] + GAP;
	}
	return t->n_columns;
}

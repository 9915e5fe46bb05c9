/* table - a widget: rows of cells under headings, each with an optional note (why it is not well).
 *
 *    NAME     STATE    UP  ADDRESS          wide: the note on lines of its own
 *   ! cache    failed   2m  -
 *     └ redis was killed: out of memory
 *
 *   >! cache  failed  redis was killed: o…   under 30 columns or 6 lines: in the row, instead of the later
 * columns
 *
 * Columns leave from the one with the highest rank when there is no room. */
#pragma once

#include "ui/cells.h"

#define TABLE_COLUMNS 16

struct column {
	const char *title;
	int rank;   /* 0 stays; the highest leaves first; each rank once */
	int min;    /* columns it may be cut to before one leaves */
	int usual;  /* what it has when there is room, so that the others keep their places */
	int max;    /* more it never gets */
	bool right; /* numbers: at the right of their column */
	int sorted; /* the rows are in its order: 1 up, -1 down, 0 not */
};

struct table_cell {
	const char *text; /* NULL: not known, a dimmed dash */
	enum style style;
};

struct table_row {
	char mark;   /* one glyph for the state, in front of the row */
	bool marked; /* by a person */
	struct table_cell cells[TABLE_COLUMNS];
	const char *note;  /* NULL: none */
	const char *brief; /* one word of it, for where it has no room; NULL: none */
	enum style style;  /* of mark and note */
};

struct table {
	struct column columns[TABLE_COLUMNS]; /* the first is the name */
	size_t n_columns;
	struct table_row *rows;
	size_t n_rows;
	size_t cursor, top; /* selected row; first row that is shown */
	bool counts;        /* a last line counts the rows that have no room */
	const char *empty;  /* what to say when there is no row */
};

/* table_scroll - the top that shows the cursor's row in r, as near to t->top as can be. */
size_t table_scroll(const struct table *t, const struct grid *g, struct rect r);
/* table_page - rows a page key moves by, at least 1. */
size_t table_page(const struct table *t, const struct grid *g, struct rect r);
/* table_draw - into r; the grid's cursor is put on the selected row. */
void table_draw(struct grid *g, struct rect r, const struct table *t);
/* table_height - lines that all rows take in a place like r. */
int table_height(const struct table *t, const struct grid *g, struct rect r);
/* table_shown - how many rows from t->top on are drawn. */
size_t table_shown(const struct table *t, const struct grid *g, struct rect r);
/* table_has_room - whether the column is drawn. */
bool table_has_room(const struct table *t, const struct grid *g, struct rect r, size_t column);
/* table_row_at, table_column_at - what is drawn at that line or, of the headings, column: its number; n_rows,
 * n_columns: nothing. table_is_heading - whether the headings are there. */
size_t table_row_at(const struct table *t, const struct grid *g, struct rect r, int y);
size_t table_column_at(const struct table *t, const struct grid *g, struct rect r, int x);
bool table_is_heading(struct rect r, int y);

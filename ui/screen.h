/* screen - puts a view onto a grid of any size, from 1x1 up. */
#pragma once

#include "ui/view.h"

/* What the frame knows of its size, and the next key needs. */
struct screen_fit {
	size_t top, page;        /* of the list: its first row, what a page key moves by */
	int pane_top, pane_page; /* of the details */
	int text_top, text_page;
	size_t menu_row;
	int dialog_top; /* first line of a question that is shown */
	bool alone;     /* there is no room for the list beside the details */
	bool missed;    /* what was searched for is nowhere */
};

/* screen_fit - scroll v to where it can be drawn on g: the selected row is seen, the last page is full. seek
 * 1, -1: what is read goes to the next, the previous match of v->search. */
void screen_fit(const struct grid *g, struct view *v, int seek, struct screen_fit *ret);
/* screen_draw - all of v, after screen_fit(). */
void screen_draw(struct grid *g, const struct view *v);

/* screen_hit - what is drawn there, of a view that was fitted. */
enum screen_part { PART_NOTHING, PART_ROW, PART_HEADING, PART_TAB, PART_KEY, PART_ITEM, PART_BUTTON };
struct screen_hit {
	enum screen_part part;
	size_t index; /* of the row, column, tab, key, item, button */
};
struct screen_hit screen_hit(const struct grid *g, const struct view *v, int x, int y);

/* screen_rows - the rows of the table that can be seen: first and how many. */
void screen_rows(const struct grid *g, const struct view *v, size_t *ret_first, size_t *ret_n);
/* screen_samples - whether something that is sampled can be seen. */
bool screen_samples(const struct grid *g, const struct view *v);

/* screen - puts a view onto a grid of any size, from 1x1 up. */
#pragma once

#include "ui/view.h"

/* screen_fit - scroll v's table and text to where they can be drawn on g: the selected row is seen, the last
 * page is full. ret_page: rows that a page key moves by. */
void screen_fit(const struct grid *g, struct view *v, size_t *ret_page);
/* screen_draw - all of v, after screen_fit(). */
void screen_draw(struct grid *g, const struct view *v);

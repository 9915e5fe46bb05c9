/* dialog - a widget: a box in the middle with a title, wrapped text, and buttons when it asks something. */
#pragma once

#include "ui/cells.h"

struct dialog {
	const char *title;
	const char *text; /* lines parted by '\n' */
	int top;          /* first line that is shown */
	const char *const *buttons;
	size_t n_buttons, chosen;
};

/* dialog_scroll - the line in [0, last page] nearest to d->top. */
int dialog_scroll(const struct dialog *d, const struct grid *g, struct rect screen);
/* dialog_draw - over what is there; where there is no room the frame goes first, then the title, never the
 * buttons. */
void dialog_draw(struct grid *g, struct rect screen, const struct dialog *d);
/* dialog_button_at - the number of the button there; n_buttons: none. */
size_t dialog_button_at(const struct dialog *d, const struct grid *g, struct rect screen, int x, int y);

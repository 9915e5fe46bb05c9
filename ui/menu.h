/* menu - lists to choose from: the palette, columns, what to copy, how to kill. Pure. */
#pragma once

#include "base/strs.h"
#include "ui/app.h"

struct menu_item {
	const char *label, *hint; /* what it does; the key or value; may be "" */
	bool possible;
	enum action action; /* of the palette; ACTION_NONE: go to the machine `name` */
	const char *name;
	bool is_value;          /* the hint is what the item is about */
	bool is_head;           /* of a group; it can not be chosen */
	enum control_verb verb; /* MENU_KILL */
	const char *copied;     /* MENU_COPY */
	enum column_id column;  /* MENU_COLUMNS */
};

struct menu {
	const char *title;
	struct menu_item *v;
	size_t n;
	struct strs pool; /* what the pointers above point into */
};

/* menu_build - what a->menu, or the palette, offers now; empty when neither is open. ret owned, menu_done();
 * borrows from a and w. */
void menu_build(const struct app *a, const struct world *w, struct menu *ret);
void menu_done(struct menu *m);

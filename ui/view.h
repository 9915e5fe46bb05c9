/* view - what the screen says, as strings and meanings: no width, no colour, no terminal. Pure. */
#pragma once

#include "base/strs.h"
#include "ui/app.h"
#include "ui/cells.h"
#include "ui/dialog.h"
#include "ui/table.h"

#define VIEW_SPANS 24

struct view_line {
	struct span v[VIEW_SPANS];
	size_t n;
};

struct view {
	struct view_line titles[4]; /* the same, from the longest form to the shortest */
	const char *banner;         /* NULL, or why what is shown may be old */
	struct table table;
	const char *message; /* NULL: nothing to say */
	enum style message_style;
	struct view_line keys[ACTION_COUNT]; /* one for each key on the bar, the most important first */
	size_t n_keys;
	bool has_dialog;
	struct dialog dialog;
	uint64_t tick_usec; /* how often what is shown changes by itself; 0: never */

	struct strs pool; /* what the pointers above point into */
	bool bad;         /* out of memory: something is missing */
};

/* view_build - ret owned by the caller, view_done(); it borrows from a and s and must go before they change.
 */
void view_build(const struct app *a, const struct snapshot *s, uint64_t now_usec, struct view *ret);
void view_done(struct view *v);

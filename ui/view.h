/* view - what the screen says, as strings and meanings: no width, no colour, no terminal. Pure.
 *
 *   view.c       title, banner, message, keys, overlays    view_list.c  the rows
 *   view_text.c  help, commands, what the program uses     view_tab*.c  the tabs of the details
 *   view_why.c   the evidence */
#pragma once

#include "base/strs.h"
#include "ui/app.h"
#include "ui/cells.h"
#include "ui/dialog.h"
#include "ui/doc.h"
#include "ui/menu.h"
#include "ui/table.h"

#define VIEW_SPANS 24
#define VIEW_JOBS  3

struct view_line {
	struct span v[VIEW_SPANS];
	size_t n;
};

struct view {
	struct view_line titles[4]; /* the same, from the longest form to the shortest */
	const char *host;           /* what the host does, right of the title where there is room; NULL */
	const char *banner;         /* NULL, or why what is shown may be old, or what does not work */
	struct table table;
	bool sampled[TABLE_COLUMNS];      /* what the column shows is sampled */
	bool samples;                     /* what the rows are sorted by, or the details show, is */
	struct view_line jobs[VIEW_JOBS]; /* the oldest first */
	size_t n_jobs;
	struct view_line
		status[2];   /* where there is no message: filter, marks, what is not seen; long and short */
	const char *message; /* NULL: nothing to say */
	enum style message_style;
	struct view_line keys[ACTION_COUNT]; /* one for each key on the bar, the most important first */
	enum action key_actions[ACTION_COUNT];
	size_t n_keys;
	size_t keys_kept; /* that many of the last ones stay, however short the bar is */

	bool has_pane;
	struct {
		struct view_line tabs[4]; /* the same, from the longest form to the shortest */
		struct doc doc;
		int top;
		bool focused, zoomed;
		struct logview *logs; /* instead of the document; NULL */
	} pane;

	bool has_dialog; /* a question */
	struct dialog dialog;
	const char *buttons[2]; /* of a question about several */
	bool has_text;
	struct {
		const char *title;
		struct doc doc;          /* made here, when it is */
		const struct doc *shown; /* that, or somebody else's */
		int top;
	} text;
	bool has_menu;
	struct menu menu;
	size_t menu_row;
	const char *prompt; /* what is asked for; NULL: nothing is typed */
	const struct line *line;

	const char *search; /* stands out in what is read; "": nothing */
	uint64_t now_usec;
	uint64_t tick_usec; /* how often what is shown changes by itself; 0: never */
	uint64_t age_usec;  /* how often an age does, besides; 0: never */

	struct strs pool; /* what the pointers above point into */
	bool bad;         /* out of memory: something is missing */
};

/* view_build - ret owned by the caller, view_done(); it borrows from a and w and must go before they change. */
void view_build(const struct app *a, const struct world *w, uint64_t now_usec, struct view *ret);
void view_done(struct view *v);

/* ---- between the files of the view */

/* How a machine's state looks: the glyph is for screens where the word has no room. */
struct look_words {
	const char *word;
	char mark;
	enum style style;
};
struct look_words view_look(const struct app *a, const struct world *w, struct view *v,
                            const struct machine *m);

/* view_keep - a string that lives as long as the view. */
const char *view_keep(struct view *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void view_add(struct view_line *l, enum style style, const char *text);
/* view_age - "59s", "12d"; NULL when since is 0. Notes when it changes. */
const char *view_age(struct view *v, uint64_t since_usec, uint64_t now_usec);
const char *view_clock(struct view *v, uint64_t at_usec);
void view_table(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v);
/* view_help - all keys; limits: what can not be seen here, or NULL. */
void view_help(const char *limits, struct doc *d);
/* view_self - what the program itself used, and what that is a second. */
void view_self(const struct app *a, uint64_t now_usec, struct doc *d);
void view_commands(const struct app *a, struct view *v, struct doc *d);
/* view_network - the map of the host's network. */
void view_network(const struct app *a, const struct world *w, struct view *v, struct doc *d);
/* view_drift - what differs of the selected machine. view_drift_fact - what helps, in one line; view_lint_fact - what is
 * likely a mistake in its conf, in a few. False: there is nothing that is known of. */
void view_drift(const struct app *a, const struct world *w, struct doc *d);
bool view_drift_fact(const struct world *w, const struct machine *m, struct doc *d);
bool view_lint_fact(const struct world *w, const struct machine *m, struct doc *d);
/* view_ports - all forwards of all machines. view_doctor - the chains of the selected one. */
void view_ports(const struct world *w, struct view *v, struct doc *d);
void view_doctor(const struct app *a, const struct world *w, struct view *v, struct doc *d);
/* view_tab - the details of the selected machine. */
void view_tab(const struct app *a, const struct world *w, uint64_t now_usec, struct view *v, struct doc *d);

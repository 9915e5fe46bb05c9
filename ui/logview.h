/* logview - a view of logs: what is shown of a logring, where one is in it, and how it is drawn. Pure: keys
 * and clocks are its caller's.
 *
 * The cursor is on a record. At the last one the view follows: it stays at the end as records come. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strs.h"
#include "ui/cells.h"
#include "words/logregex.h"
#include "words/logring.h"

enum logview_sources { LOGVIEW_BOTH, LOGVIEW_GUEST, LOGVIEW_HOST };
enum logview_time { LOGVIEW_CLOCK, LOGVIEW_FULL, LOGVIEW_RELATIVE, LOGVIEW_NO_TIME };

struct logview_row {
	uint64_t position; /* in the logring */
	uint8_t match;     /* of the search, as far as it was looked for */
};

struct logview {
	struct logring *ring;     /* borrowed */
	const struct strs *names; /* borrowed: of the machines; with several they have a column */
	const char *note;         /* borrowed: a sentence for the status line; NULL */

	bool follow, wrap;
	size_t column; /* to the right by so many columns, when lines are not wrapped */
	enum logview_sources sources;
	enum logview_time time;
	unsigned priority; /* this and worse are shown */
	struct logregex search, filter;

	struct logview_row *rows; /* a ring of those records that are shown */
	size_t cap, first, n;
	size_t cursor, top; /* rows */
	uint64_t cursor_id; /* the record's, which may move */
	uint64_t below;     /* came since it does not follow */
};

/* logview_init - follows, shows all. -ENOMEM. The ring has no other reader of its news. */
int logview_init(struct logview *v, struct logring *ring, const struct strs *names);
void logview_done(struct logview *v);

/* logview_update - after the ring changed; costs what is new. */
void logview_update(struct logview *v);

/* ---- operations, one a key */

void logview_scroll(struct logview *v, long by); /* rows; down is positive */
void logview_page(struct logview *v, int dir, int height);
void logview_end(struct logview *v); /* and follow */
void logview_begin(struct logview *v);
void logview_side(struct logview *v, int by); /* columns */
void logview_wrap(struct logview *v);
void logview_time_next(struct logview *v);
void logview_source_next(struct logview *v);
void logview_priority_next(struct logview *v); /* all, warnings, errors */

/* logview_search - "" ends it. 1: the cursor is on a match, the nearest above or else below; 0: there is
 * none; -EINVAL: no regular expression, nothing changed. */
int logview_search(struct logview *v, const char *text, struct err *e);
/* logview_next, logview_error_next - to the next match, or error, below (1) or above (-1); false: there is
 * none. */
bool logview_next(struct logview *v, int dir);
bool logview_error_next(struct logview *v, int dir);
/* logview_filter - only what matches is shown; "" shows all. 0, -EINVAL as above. */
int logview_filter(struct logview *v, const char *text, struct err *e);

/* logview_line - the record under the cursor as text, to be copied; "" when there is none. logview_save - all
 * that are shown, a line each, in printable text; records of several lines have the same beginning on each.
 */
void logview_line(const struct logview *v, struct buf *ret);
void logview_save(const struct logview *v, struct buf *ret);

/* ---- drawing */

/* logview_fit - move what is seen so that the cursor is in it. logview_draw - into r; its last line says
 * where one is and what is left out. now_usec: for relative times. */
void logview_fit(struct logview *v, const struct grid *g, struct rect r);
void logview_draw(struct grid *g, struct rect r, const struct logview *v, uint64_t now_usec);

/* For drawing: the record of a row, and whether the row is found by the search. */
const struct logrec *logview_record(const struct logview *v, size_t row);

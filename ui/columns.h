/* columns - what the list can show of a machine: which of it is shown, in which order, and how it sorts.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "ui/cfg.h"
#include "words/machine.h"
#include "words/stats.h"

/* Name, word, title, rank (0 stays; the highest leaves a narrow screen first), shown unless told otherwise, a
 * number (stands at the right side of its cell), help.
 * The order is the default one. */
#define COLUMNS(X)                                                                                           \
	X(NAME, "name", "NAME", 0, true, false, "its name")                                                  \
	X(STATE, "state", "STATE", 1, true, false, "what it does")                                           \
	X(UP, "up", "UP", 2, true, true, "since it came into this state")                                    \
	X(CPU, "cpu", "CPU%", 3, true, true, "processor, 100 is one core")                                   \
	X(HISTORY, "history", "60s", 7, true, false, "processor in the last 60 samples")                     \
	X(MEM, "mem", "MEM", 4, true, true, "memory")                                                        \
	X(LIMIT, "limit", "LIMIT", 9, true, true, "most memory it may have")                                 \
	X(TASKS, "tasks", "TASKS", 12, false, true, "processes and threads")                                 \
	X(RX, "rx", "RX/s", 10, true, true, "bytes a second it receives")                                    \
	X(TX, "tx", "TX/s", 11, true, true, "bytes a second it sends")                                       \
	X(ADDRESS, "address", "ADDRESS", 6, true, false, "its addresses")                                    \
	X(PORTS, "ports", "PORTS", 5, true, false, "forwarded ports, host>inside")                           \
	X(CFG, "cfg", "CFG", 8, true, false, "ok, LIVE, CHECK (likely a mistake), STALE (it differs), BAD")  \
	X(OS, "os", "OS", 13, false, false, "its system")                                                    \
	X(UNIT, "unit", "UNIT", 14, false, false, "the unit that runs it")                                   \
	X(AUTOSTART, "autostart", "AUTO", 15, false, false, "whether it starts at boot")

enum column_id {
#define X(id, word, title, rank, shown, numeric, help) COLUMN_##id,
	COLUMNS(X)
#undef X
		COLUMN_COUNT
};

struct columns {
	enum column_id order[COLUMN_COUNT]; /* each once; the name is the first and shown */
	bool shown[COLUMN_COUNT];           /* by column */
};

struct column_info {
	const char *word, *title, *help;
	int rank;
	bool shown, numeric; /* by default */
};

const struct column_info *columns_info(enum column_id c);
void columns_default(struct columns *ret);

/* columns_parse - "name,state,-up": in this order, '-' for there but hidden; what is not named is hidden.
 * Blanks do not matter. -EINVAL: e names the word; *ret stays. */
int columns_parse(const char *text, struct columns *ret, struct err *e);
/* columns_print - what columns_parse() reads, all columns. */
void columns_print(const struct columns *c, struct buf *ret);

/* columns_show - false when it can not be: the name is never hidden. */
bool columns_show(struct columns *c, enum column_id id, bool shown);
/* columns_move - by -1 or 1 among the shown ones; false at the ends. */
bool columns_move(struct columns *c, enum column_id id, int by);

/* A way to sort: by urgency (what needs a person first), or by a column. */
#define COLUMNS_URGENCY COLUMN_COUNT

struct columns_sort {
	unsigned by; /* enum column_id, or COLUMNS_URGENCY */
	bool reverse;
};

/* columns_sort_parse - "urgency" or a column's word, '-' in front: the other way round. -EINVAL. */
int columns_sort_parse(const char *text, struct columns_sort *ret, struct err *e);
void columns_sort_print(const struct columns_sort *s, struct buf *ret);

struct columns_row { /* what a row sorts by; stats may be NULL */
	const struct machine *m;
	const struct stats *s;
	enum cfg cfg;
};

/* columns_compare - as for qsort; figures have the largest first, text and times ("web-2" before "web-10") the smallest, CFG
 * the worst; what is not known is last either way, and equal ones go by name. */
int columns_compare(const struct columns_sort *s, const struct columns_row *a, const struct columns_row *b);
/* columns_sort_needs_stats - whether it goes by what machines use. */
bool columns_sort_needs_stats(const struct columns_sort *s);
/* columns_urgency - 0 needs a person, 1 changes just now, 2 is not well or unknown, 3 runs, 4 is off. */
int columns_urgency(const struct machine *m);

/* tape - what was seen of one host over time, as text: a head, then one JSON object a line for each thing
 * that changed. What has the same time happened at once. Pure; engine/recorder writes it, engine/player plays
 * it.
 *
 *	{"machdeck-tape": 1, "host": "frodo", "began": 1700000000000000}
 *	{"at": 1700000000000000, "machine": {"name": "web", "kind": "container", "state": "running", ...}}
 *	{"at": 1700000001000000, "stats": {"name": "web", "cpu": 3.1, ...}}
 *	{"at": 1700000001000000, "event": {"name": "web", "kind": "state", "text": "running"}}
 *	{"at": 1700000002000000, "gone": "web"}
 *
 * and "unmeasured" (a name), "stale" (a sentence, or null). Times are microseconds of CLOCK_REALTIME, and
 * never fall. A machine, and its stats, are told whole; histories only the first time: later samples continue
 * them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/event.h"
#include "words/machine.h"
#include "words/stats.h"

#define TAPE_LINE_MAX 1048576 /* bytes */

enum tape_kind {
	TAPE_HEAD,    /* text: the host */
	TAPE_MACHINE, /* came or changed */
	TAPE_GONE,    /* text: its name */
	TAPE_STALE,   /* text: what could not be asked; NULL: nothing */
	TAPE_STATS,
	TAPE_UNMEASURED, /* text: its name */
	TAPE_HAPPENED,   /* event */
};

struct tape_record {
	enum tape_kind kind;
	uint64_t at_usec;
	char *text;
	struct machine machine;
	struct stats stats;
	bool has_history; /* of stats; else it continues what was before */
	struct event event;
};

void tape_record_done(struct tape_record *r);

/* tape_line - add the record's line, with its newline; a failure stays in to->bad. Of TAPE_STATS the
 * histories are left out without has_history. */
void tape_line(struct buf *to, const struct tape_record *r);

/* Where a reader is. Begin with { .file = ... }; tape_reader_done() when no machine of it is in use any more:
 * their causes are kept here. */
struct tape_reader {
	const char *file; /* for messages */
	size_t line;      /* of the last record */
	uint64_t at_usec;
	struct strs causes;
};

void tape_reader_done(struct tape_reader *t);

/* tape_parse - the next line, without its newline. Strict: everything it does not know is refused.
 *
 * ret     owned by the caller, tape_record_done(); untouched on failure
 * errors  -EINVAL STATUS_DATA "FILE:LINE: /machine/state: there is no 'x'"; -ENOMEM */
int tape_parse(struct tape_reader *t, const char *line, size_t len, struct tape_record *ret, struct err *e);

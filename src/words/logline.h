/* logline - one line of a unit's log as it can be shown: where it came from is told apart from its text, so
 * that a guest can not speak in systemd's name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGLINE_SIZE 1024 /* bytes of text, NUL included; longer lines are cut */

struct logline {
	uint64_t usec;     /* CLOCK_REALTIME */
	bool from_systemd; /* the host's PID 1 wrote it; else the unit's processes, which a guest's console is
	                      too */
	char *text;        /* printable (base/text.h) */
};

struct loglines { /* oldest first */
	struct logline *v;
	size_t n;
	bool bad; /* sticky: could not grow */
};

void loglines_done(struct loglines *l);
void loglines_add(struct loglines *l, uint64_t usec, bool from_systemd, const char *text);

/* logline_clean - a raw line as text to show, at most LOGLINE_SIZE: colours and cursor moves (CSI sequences)
 * fall away for readability, all else passes text_printable. Returns its length; 0 for one with nothing to
 * see. */
size_t logline_clean(char ret[static LOGLINE_SIZE], const char *raw, size_t len);

/* logline_record - the same for a record of a journal: '\n' between its lines stays, what does not fit into
 * size is cut with a mark. */
size_t logline_record(char *ret, size_t size, const char *raw, size_t len);

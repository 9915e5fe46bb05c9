/* phases - the steps of a container's life that its unit calls. They are run by `machdeck unit` and by
 * machdeck-unit, which units call because it loads nothing that a start does not need. Each says what went
 * wrong in one line for the journal. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strs.h"

/* What a phase works on, and how. */
struct phase_call {
	const char *name;  /* the machine's */
	const char *phase; /* phase_run sets it */
	const char *step;  /* for messages: the phase, or the step of `start` that is done */
	bool quiet;        /* the failure has been told already */
	/* drops what a stale registration leaves of the name, as start_clear() */
	int (*clear)(const struct phase_call *c, struct strs *warnings, struct err *e);
	bool (*forgive)(const char *name); /* as startlimit_forgive() */
};

struct phase {
	const char *name;
	int (*run)(struct phase_call *c, struct err *e);
	bool for_all; /* takes no name */
};

/* prestart, prepare, start, poststart and stopped; ends with a NULL name. */
extern const struct phase phases[];

/* phase_find - the phase of that name in such a list, or NULL. */
const struct phase *phase_find(const struct phase *list, const char *name);

/* phase_run - run it and say why when it fails; returns the exit status. */
int phase_run(const struct phase *p, struct phase_call *c);

/* phase_say - one line "machdeck: NAME: STEP: SENTENCE" with the priority that the journal takes off again.
 */
void phase_say(const struct phase_call *c, int priority, const char *sentence);

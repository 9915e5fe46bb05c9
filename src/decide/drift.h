/* drift - what differs between a container as it is configured, as it was started, and as it is seen now; and what makes
 * it the same again. Pure. */
#pragma once

#include <stdbool.h>

#include "base/strs.h"
#include "decide/change.h"
#include "words/netmap.h"
#include "words/netop.h"
#include "words/unitlive.h"

/* What helps, from the mildest on. */
enum drift_cure {
	DRIFT_NONE,
	DRIFT_LIVE,    /* somebody set it for what runs now: nothing, or to set it back */
	DRIFT_MEND,    /* something was taken away since the start: put it back (machdeck mend) */
	DRIFT_REREAD,  /* systemd has not read what its unit is now: daemon-reload */
	DRIFT_RELOAD,  /* the conf changed, and it can be applied while it runs */
	DRIFT_RESTART, /* ... and it can not */
};

struct drift_item {
	enum drift_cure cure;
	const char *
		what; /* "option", "device", "address", "route", "link", "bridge", "port", "way-out", "system", "directive"; static */
	char *text;   /* a printable half sentence: "10.0.0.1 is not on ve-web" */
	char *configured, *started, *live; /* the three values; NULL: none, or it has no such value */
};

struct drift {
	struct drift_item *v; /* the strongest cure first */
	size_t n;
	struct strs unseen; /* what could not be compared, and why */
	bool bad;           /* sticky: out of memory */
};
void drift_done(struct drift *d);

/* drift_decide - of NAME, which runs.
 *
 * c    started and configured beside each other, change_decide(); NULL: it was not started by us: nothing is compared
 * was  the same, as it was started
 * m    what is seen; NULL: not looked at
 * ret  owned by the caller, drift_done() */
void drift_decide(const char *name, const struct started *was, const struct change *c, const struct netmap *m,
                  struct drift *ret);

/* drift_unit - add, in its place, where systemd has other directives for what runs than the plan of its conf gives them:
 * resource limits, start timeout, the signal that ends it, devices. What somebody else's drop-in says is his own, and no
 * difference; what somebody set live is told, configured or not, and is no error. */
void drift_unit(const struct plan *now, const struct unit_live *live, struct drift *d);

/* drift_verdict - the strongest cure of all. drift_cure_word - "nothing", "live", "mend", "daemon-reload", "reload", "restart". */
enum drift_cure drift_verdict(const struct drift *d);
const char *drift_cure_word(enum drift_cure c);

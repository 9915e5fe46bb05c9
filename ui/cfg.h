/* cfg - how a machine stands to its conf, in one word: what the column CFG shows and sorts by. Pure. */
#pragma once

#include "ui/cells.h"
#include "ui/world.h"

/* The worst first. */
enum cfg {
	CFG_BAD,     /* it can not start as it is configured, or not beside another one */
	CFG_RESTART, /* STALE: it runs otherwise than configured, and what helps is that */
	CFG_RELOAD,
	CFG_MEND,
	CFG_CHECK, /* something in it is likely a mistake */
	CFG_LIVE,  /* somebody set something of it live, which is no error */
	CFG_OK,
	CFG_UNKNOWN,
};

enum cfg cfg_of(const struct world *w, const struct machine *m);
/* cfg_word - "BAD", "STALE", "CHECK", "LIVE", "ok"; NULL: not known. ret_style is set but for the last two. */
const char *cfg_word(enum cfg c, enum style *ret_style);

/* cfg_lint - what of its conf is likely a mistake, borrowed, live or of a tape; false: not known. */
bool cfg_lint(const struct world *w, const struct machine *m, struct linted *ret);

/* cfg_restart - why a restart is needed, borrowed; "": on a tape, which does not tell; NULL: none is, or that is not known. */
const char *cfg_restart(const struct world *w, const struct machine *m);

/* cfg_drift - what helps against what differs; false: not known. On a tape there is the verdict alone. */
bool cfg_drift(const struct world *w, const struct machine *m, enum drift_cure *ret);

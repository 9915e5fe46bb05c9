/* world - all that the screen may show, borrowed from who keeps it fresh until the loop runs again. */
#pragma once

#include "decide/reach.h"
#include "engine/doctor.h"
#include "engine/drifts.h"
#include "engine/lints.h"
#include "engine/look.h"
#include "engine/netwanted.h"
#include "ui/logview.h"
#include "words/event.h"
#include "words/netmap.h"
#include "words/snapshot.h"
#include "words/stats.h"

struct world {
	const struct snapshot *s;
	const struct stats_table *stats;   /* of the machines on the screen */
	const struct host_stats *host;     /* at_usec 0: nothing is sampled */
	const struct events *events;       /* what happened, oldest first */
	const char *events_note;           /* what is missing in them; NULL */
	struct logview *logs;              /* of the machines whose logs are wanted; NULL: nobody's */
	const char *logs_problem;          /* why there are none; NULL */
	const struct looked *look;         /* at the machine whose details are shown; name "": at nobody */
	const struct drift_list *drifts;   /* of machines on the screen that run; NULL: not looked at */
	const struct lint_list *lints;     /* of all machines; NULL: not known, or nobody looks */
	const struct netmap *net;          /* the network of the host and its machines; NULL: not known yet */
	const struct netwanted *netwanted; /* which links those are to have */
	const char *net_problem;           /* why not; NULL */
	const struct checkup *ports;       /* of the machines whose chains are wanted; NULL: not known yet */
	const struct reach *reach;         /* what that machine reaches; NULL: not known, or of several */
	const char *ports_problem;         /* why not; NULL */
	const char *
		trouble; /* what does not work beside: a recording that ended, figures that can not be read; NULL */
	bool is_tape; /* of which only what was recorded is known */
};

/* world_nothing - one that nobody has asked for yet. */
extern const struct world world_nothing;

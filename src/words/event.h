/* event - one change of a machine, for people to read: what happened, when. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "words/name.h"

enum event_kind {
	EVENT_STATE,   /* it started, stopped, failed, ... */
	EVENT_UNIT,    /* its unit: result, restart, job, a unit in the guest */
	EVENT_ADDRESS, /* an address came or went */
	EVENT_PORT,
	EVENT_LINK,
	EVENT_OOM,
	EVENT_CONF, /* its conf was made, changed, taken away */
};

struct event {
	uint64_t usec;                   /* CLOCK_REALTIME */
	char name[NAME_MACHINE_MAX + 1]; /* "": the host */
	enum event_kind kind;
	bool bad;   /* something a person should look at */
	char *text; /* printable; "failed: out of memory" */
};

struct events { /* oldest first */
	struct event *v;
	size_t n;
	bool bad; /* sticky: could not grow */
};

void events_done(struct events *e);
void events_add(struct events *e, uint64_t usec, const char *name, enum event_kind kind, bool bad,
                const char *format, ...) __attribute__((format(printf, 6, 7)));
/* event_kind_word - "state", "unit", "address", "port", "link", "oom", "conf". */
const char *event_kind_word(enum event_kind k);

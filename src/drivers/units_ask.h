/* units_ask - what units.c (events, reading) and units_change.c (changing) share: a question to systemd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "drivers/bus.h"
#include "drivers/units.h"

#define SYSTEMD   "org.freedesktop.systemd1"
#define MANAGER   SYSTEMD ".Manager"
#define ROOT_PATH "/org/freedesktop/systemd1"
#define UNIT_PATH ROOT_PATH "/unit"

struct units {
	struct bus *bus;
	sd_bus *now; /* NULL: out of reach */
	units_event_fn *on_event;
	void *arg;
};

/* What waits for an answer; freed with its slot. */
struct ask {
	void *arg;
	units_list_fn *list;
	units_get_fn *get;
	units_done_fn *done;
	const char *action; /* of polkit, that it takes */
	char what[160];     /* "systemd: cannot stop container@web.service" */
	char unit[256];
	bool absent_is_well;
};

int units_new_call(struct units *u, const char *path, const char *interface, const char *member,
                   sd_bus_message **ret, struct err *e);
/* units_send_ask - sends m and hands a copy of ask over; r is what building m gave. */
int units_send_ask(struct units *u, sd_bus_message *m, int r, uint64_t limit,
                   sd_bus_message_handler_t handler, const struct ask *ask, sd_bus_slot **ret_slot,
                   struct err *e);
/* units_refused_or_bad - the failure that the answer m is, or that r of reading it was, else 0. */
int units_refused_or_bad(sd_bus_message *m, int r, const char *what, struct err *e);

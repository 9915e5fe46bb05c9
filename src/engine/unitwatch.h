/* unitwatch - the units' part of the sources, kept as systemd tells it, with the reasons of those that are
 * down. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "drivers/units.h"
#include "engine/merge.h"

typedef void unitwatch_changed_fn(void *arg);

struct unitwatch {
	sd_event *loop;
	struct sources *seen; /* units and units_known in it are kept here */
	unitwatch_changed_fn *changed;
	void *arg;
	struct err problem; /* why they are not known; an empty text: they are */

	struct units *units;
	sd_bus_slot *listing;
	bool answered;   /* or refused to */
	bool brief;      /* reasons are what systemd says of a unit, without its log; set after the start */
	bool reloaded;   /* systemd read its files anew; for the owner to reset */
	bool log_denied; /* the journal may not be read */
	struct ask *asks;
};

/* unitwatch_start - changed is called from the loop whenever something changed, often several times a turn. w
 * stays where it is until unitwatch_done(), which takes a zeroed one too. */
int unitwatch_start(struct unitwatch *w, sd_event *loop, struct sources *seen, unitwatch_changed_fn *changed,
                    void *arg, struct err *e);
void unitwatch_done(struct unitwatch *w);
/* unitwatch_is_settled - whether systemd answered or is out of reach, and no reason is being asked. */
bool unitwatch_is_settled(const struct unitwatch *w);

/* guests - which units failed inside the machines that run a systemd; the guests' part of the sources. For
 * observe.
 *
 * Each is asked (drivers/guestunits.h) when it is first seen to run, and again when services came or went in
 * it: the host sees that by the folders of the guest's cgroup (inotify), so nothing is polled and no
 * connection is kept. A guest is asked once in 5 s at most, and what happens in between wakes nobody; four
 * are asked at a time. What changes without a process, `systemctl reset-failed` say, is seen at the next
 * service that comes or goes. Needs root: for others nothing is known. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "engine/merge.h"

typedef void guests_changed_fn(void *arg);

struct guests {
	sd_event *loop;
	struct sources *seen; /* net[].failed in it is kept here */
	guests_changed_fn *changed;
	void *arg;
	struct guest *list;
};

/* guests_start - changed is called from the loop. g stays where it is until guests_done(), which takes a
 * zeroed one. */
void guests_start(struct guests *g, sd_event *loop, struct sources *seen, guests_changed_fn *changed,
                  void *arg);
void guests_done(struct guests *g);
/* guests_update - after machines or units changed. */
void guests_update(struct guests *g);
/* guests_are_settled - whether no answer is waited for. */
bool guests_are_settled(const struct guests *g);

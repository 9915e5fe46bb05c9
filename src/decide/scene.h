/* scene - what a tape has told so far: one host at one moment. Pure. */
#pragma once

#include "decide/tape.h"
#include "words/snapshot.h"

#define SCENE_MACHINES_MAX 10000

struct scene {
	struct snapshot now; /* taken_usec: the time of the last record */
	struct stats_table stats;
	struct events events; /* all of them; who plays bounds them */
};

void scene_done(struct scene *s);

/* scene_apply - let a record happen; what it holds is moved out of it. A machine that is not there can go,
 * too.
 *
 * errors  -E2BIG STATUS_DATA: more than SCENE_MACHINES_MAX machines; -ENOMEM */
int scene_apply(struct scene *s, struct tape_record *r, struct err *e);

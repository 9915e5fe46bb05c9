/* recorder - writes a tape (decide/tape) of what it is told. A child of its own writes the file: a slow disk
 * delays nobody, and what was told until a crash is in the file. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/event.h"
#include "words/snapshot.h"
#include "words/stats.h"

/* recorder_create - a new file, 0600; one that exists is refused (-EEXIST), and a link is never followed. */
int recorder_create(const char *path, int *ret_fd, struct err *e);

/* recorder_new - fd is taken, also when it fails. Lines are written at the end of a turn of the loop. When
 * the file takes no more for long, whole records are left out and all is told anew afterwards. */
struct recorder;
int recorder_new(sd_event *loop, int fd, const char *host, struct recorder **ret, struct err *e);

/* What is seen now; only what changed is written. */
void recorder_snapshot(struct recorder *r, const struct snapshot *now);
void recorder_stats(struct recorder *r, const struct stats_table *now, uint64_t usec);
void recorder_events(struct recorder *r, const struct events *events);

/* recorder_note - one sentence on what went wrong with the file; NULL: nothing did. */
const char *recorder_note(const struct recorder *r);

/* recorder_free - waits at most a second for what is not written yet; NULL is fine. */
void recorder_free(struct recorder *r);

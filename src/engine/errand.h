/* errand - a verb that takes long, done by a process of its own, so that the loop goes on: create, clone, destroy and the
 * like for the dashboard. What the process prints comes back as values. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"

#define ERRAND_LINE_MAX 1024

/* errand_said_fn - a line of its progress, printable. Called from the loop, any number of times.
 * errand_done_fn - exactly once, unless errand_free() was before: r 0, or negative errno with the sentence and status of
 * the verb; result is what it printed ("web: created"), "" for nothing; warnings its warnings. Borrowed for the call; the
 * errand is gone after it. */
typedef void errand_said_fn(const char *line, void *arg);
typedef void errand_done_fn(int r, const char *result, const struct strs *warnings, const struct err *e,
                            void *arg);

/* errand_begin - program NULL: our own. words are the verb and its arguments ("destroy", "--yes", "web"), which must be
 * one that takes --progress.
 * errors  -EPERM STATUS_NOT_PERMITTED: the gate is closed; the system's */
struct errand;
int errand_begin(sd_event *loop, const char *program, const struct strs *words, errand_said_fn *said,
                 errand_done_fn *done, void *arg, struct errand **ret, struct err *e);

/* errand_cancel - ask it to give up and undo: done comes when it has, mostly with -ECANCELED. Twice kills it.
 * errand_free - as errand_cancel, but nobody is told. NULL is fine. */
void errand_cancel(struct errand *x);
void errand_free(struct errand *x);

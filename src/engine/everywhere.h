/* everywhere - one command in several machines at once, without a terminal: its output and end are gathered.
 * As root by entering them; else by systemd-machined where polkit lets us without asking a person. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/err.h"
#include "words/name.h"

#define EVERYWHERE_OUTPUT_MAX 65536 /* bytes a machine; the rest is read and dropped */
#define EVERYWHERE_AT_ONCE    8

struct everywhere_result {
	char name[NAME_MACHINE_MAX + 1];
	bool begun, ended;
	int status; /* once it ended: its exit status, 127 not found there, 128 + the signal that killed it;
	             * negative errno: e says why */
	struct err e;
	struct buf output; /* stdout and stderr as they came; hostile: show it through text_printable() */
	bool cut;          /* there was more */
	uint64_t began_usec, ended_usec; /* CLOCK_MONOTONIC */
};

/* everywhere_begin - run argv in each of names, at most 8 at a time; changed is called from the loop when one
 * began, said something or ended, the last time when all have ended. What runs longer than limit_usec is
 * killed: -ETIMEDOUT STATUS_DEADLINE. stdin is empty.
 *
 * argv    copied; without root its first word must be an absolute path, and errors may follow output
 * errors  -EPERM STATUS_NOT_PERMITTED the gate is closed; -ENOMEM */
struct everywhere;
typedef void everywhere_changed_fn(struct everywhere *w, size_t i, void *arg);
int everywhere_begin(sd_event *loop, const char *const *names, size_t n, char *const argv[],
                     uint64_t limit_usec, everywhere_changed_fn *changed, void *arg, struct everywhere **ret,
                     struct err *e);
/* everywhere_result - the i-th of names'; borrowed. */
const struct everywhere_result *everywhere_result(const struct everywhere *w, size_t i);
bool everywhere_ended(const struct everywhere *w);
/* everywhere_free - kill what still runs, and forget all; not from inside of changed. */
void everywhere_free(struct everywhere *w);

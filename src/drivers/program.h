/* program - run a program of the host to its end: what it prints becomes progress, its last lines the reason why it
 * failed. It waits: for processes that may. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"

#define PROGRAM_LINE_MAX 512

struct program {
	const struct strs *argv; /* argv[0] is looked for in PATH */
	const char *
		only_writes; /* NULL: anywhere. Else it sees all other file systems read-only ("": all), has no network,
	                           * and gains no privileges */
	const char *remedy; /* what helps when it is missing: "install mmdebstrap" */
	unsigned limit_s;   /* it may be silent for so long; with an answer: take so long */
	const char *folder; /* where it runs; NULL: / */
	struct buf *answer; /* gets what it prints on stdout, which is no progress then; NULL: none */
	size_t answer_max;  /* bytes */
};

/* program_find - the file that a name means: the first in the absolute folders of PATH that root alone may change; the
 * caller frees it. errors: -ENOENT STATUS_NO_CONTAINER, or STATUS_UNSAFE_HOST: somebody else may change it */
int program_find(const char *name, char **ret, struct err *e);

/* program_run - with an environment made from nothing (PATH, HOME, LANG, proxies, what Nix needs), in a process group
 * that gets SIGTERM when it is cancelled or too late, and SIGKILL 5 s later.
 * errors  as program_find(); -ECANCELED STATUS_FAILED; -ETIMEDOUT STATUS_DEADLINE; -EIO STATUS_FAILED: it ended with
 *         another status than 0; what it called an error is told rather than its last lines; -EFBIG STATUS_DATA: its
 *         answer is too long */
int program_run(const struct program *p, const struct progress *progress, struct err *e);

/* relay - bytes between our own stdin, stdout, stderr and a process that must never hold our terminal: with
 * the right privileges it could type into it (TIOCSTI). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define RELAY_WAYS 3
#define RELAY_COPY_MAX                                                                                       \
	(1u << 20) /* bytes of a copy; what comes after is left out of it: a guest can print for ever */

struct relay_way {
	int from, to; /* owned; -1: closed */
	bool is_input;
	char bytes[4096];
	size_t at, len; /* what was read and not yet written */
	bool sleeps;    /* nobody holds the pty's other end just now */
};

struct relay {
	bool terminal;   /* stdin and stdout are one: the process gets a pty of its own */
	int stdio[3];    /* for the process, owned: what it gets as 0, 1, 2; -1: our own */
	int copy;        /* borrowed: output goes into this file, too, by relay_copy(); -1: nowhere */
	bool attached;   /* the pty is somebody else's, and so is what runs there */
	bool comes_back; /* after a hang-up, as a getty does */
	bool left;       /* ^] was pressed three times within a second */
	unsigned n_leave;
	uint64_t leave_usec;
	struct relay_way ways[RELAY_WAYS];
};

/* relay_prepare - look at our own 0, 1, 2: a pty is wanted when 0 and 1 are a terminal; else each of them
 * that is one, or whose output goes to copy, too, is replaced by a pipe, and the rest is passed on as it is.
 */
int relay_prepare(int copy, struct relay *ret, struct err *e);
void relay_done(struct relay *r);

/* relay_started - forget the process' ends; master (owned from here on, or -1) is its pty. */
int relay_started(struct relay *r, int master, struct err *e);

/* relay_until_end - carry bytes until the process has ended and its output is written; our terminal is raw
 * meanwhile. SIGWINCH sets the pty's size; SIGINT, SIGTERM, SIGHUP, SIGQUIT are passed on to the process.
 * With a pty, ^] three times within a second hangs it up, and kills what does not heed that. Returns its exit
 * status, 128 + the signal that killed it, or negative errno. */
int relay_until_end(struct relay *r, pid_t pid, struct err *e);

/* relay_copy - write to the end of the file copy, as much of it as there is room for. It only tells people what was said, so
 * nothing fails for it. */
void relay_copy(int copy, const char *bytes, size_t len);

/* relay_attach - join our terminal to a pty that somebody else opened (master is ours from here on), until it
 * hangs up, the process (a pidfd, or -1) has ended, one of those signals came, or ^] was pressed three times
 * within a second.
 * comes_back  a hang-up is no end: a getty opens it again
 * returns     1 it was left, 0 it ended, negative errno */
int relay_attach(int master, bool comes_back, int process, struct err *e);

/* machined_ask - what systemd-machined is asked for over the bus (org.freedesktop.machine1). Changes all of
 * them, so all ask the gate. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"

enum machined_verb {
	MACHINED_TERMINATE, /* end the machine and its unit, cleanly if the unit knows how: for machines that
	                     * are no units of ours */
	MACHINED_KILL_LEADER, /* SIGKILL to its first process */
	MACHINED_KILL_ALL,    /* ... to all processes of its unit, which must be its alone */
	MACHINED_UNREGISTER,  /* drop the registration, nothing else; success when there is none. For a stale
	                       * one of our own unit, where TERMINATE would dead-lock with the unit's start
	                       * (M15) */
	MACHINED_LOGIN,       /* a getty of the guest's own systemd on a new pty */
	MACHINED_SHELL,       /* root's login shell, or words, on a new pty */
	MACHINED_COPY_TO,     /* words: the host's path, the machine's; a third one: replace what is there */
	MACHINED_COPY_FROM,   /* words: the machine's path, the host's; a third one as above */
	MACHINED_BIND,        /* words: the host's path, the machine's, "ro" or "rw" */
};

/* machined_ask - ask, and come back at once; done is called from the loop exactly once, within 3 s (when a
 * person on our terminal may be asked to authenticate, two minutes; a copy may take an hour); the ask is gone
 * then.
 *
 * words   what SHELL runs, an absolute path first (NULL: the login shell), or paths, absolute ones; borrowed
 *         until done
 * done    r: 0 or negative errno; pty: the master's end, now the callee's, or -1
 * errors  -ENOENT STATUS_NO_CONTAINER, -ETIMEDOUT STATUS_DEADLINE, STATUS_UNAVAILABLE for a bus out of reach;
 *         -EACCES STATUS_NOT_PERMITTED names the polkit action; -EPERM the same status: the gate is closed */
struct machined_ask;
typedef void machined_done_fn(int r, int pty, const struct err *e, void *arg);
int machined_ask(sd_event *loop, enum machined_verb verb, const char *name, char *const *words,
                 machined_done_fn *done, void *arg, struct machined_ask **ret, struct err *e);
/* machined_ask_cancel - without a call-back; NULL is fine. */
void machined_ask_cancel(struct machined_ask *a);

/* machined_await - the same, waited for here. ret_pty may be NULL for what opens none. */
int machined_await(enum machined_verb verb, const char *name, char *const *words, int *ret_pty,
                   struct err *e);

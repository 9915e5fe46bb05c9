/* control - what can be asked of a machine, followed to its end: a unit's job, a call of systemd's or of
 * systemd-machined's, a line in its conf. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/err.h"
#include "engine/target.h"
#include "words/logline.h"
#include "words/machine.h"

enum control_verb {
	CONTROL_START,
	CONTROL_STOP,
	CONTROL_RESTART,
	CONTROL_RELOAD,
	CONTROL_TERMINATE,
	CONTROL_KILL,
	CONTROL_FREEZE,
	CONTROL_THAW,
	CONTROL_ENABLE,
	CONTROL_DISABLE,
	CONTROL_FORGIVE,
	CONTROL_DROP,
	CONTROL_MEND,
};
#define CONTROL_VERBS (CONTROL_MEND + 1)

/* control_begin - ask for it and come back at once; done is called from the loop exactly once, when it ended
 * or could not be made: r 0 or negative errno with the sentence (why it failed, with the unit's result and
 * what helps); the control is gone after that call. All of a process' controls share one loop and one
 * connection.
 *
 * Of a unit (container@NAME, systemd-nspawn@NAME with its tree or image in /var/lib/machines, and the unit of
 * a running machine that somebody else started):
 *
 * START     also forgets its failed starts. Not of what somebody else started
 * STOP      the guest shuts down, within the unit's time-out; fails too when the machine is down but its
 *           guest had to be killed
 * RESTART   stops, waits until systemd-machined forgot the machine (at most 3 s), starts (BUG-20)
 * RELOAD    container@ alone
 * TERMINATE SIGKILL to all its processes at once; then the host's side is tidied up by the unit's own
 *           commands as after a stop. The unit ends stopped, is not restarted, is not failed
 * KILL      TERMINATE, but whatever of the unit then still runs is killed again at each step, its tidying-up
 *           commands too, and a registration that is left 3 s later is dropped: the last resort
 * FREEZE, THAW  all its processes stand still, keeping their memory, and run on; a stop thaws
 * ENABLE, DISABLE  start at boot: container@ by AUTO_START= in its conf (refused when that is a link: it is
 *           declared elsewhere), systemd-nspawn@ by links in /etc/systemd/system; then systemd reads all anew
 * FORGIVE   forget that it failed: it is merely stopped
 * MEND      container@ alone: what is missing of its network comes back (engine/mend); fails too when something of it
 *           can not. Takes root
 * DROP      take the registration of a ghost out of systemd-machined; refused while its leader lives
 *
 * Of a virtual machine, by systemd-machined: TERMINATE ends its unit (cleanly if that knows how), KILL kills
 * all processes of its unit. Of a machine in a unit that is not its alone, such as a person's session: KILL
 * kills its first process; nothing else. Of both, DROP.
 *
 * errors    -EPERM STATUS_NOT_PERMITTED the gate is closed
 *           -EINVAL STATUS_USAGE not a machine's name; STATUS_DATA START of a conf that can not be used
 *           -ENOENT STATUS_NO_CONTAINER neither configured, nor running, nor an image
 *           -EOPNOTSUPP STATUS_FAILED, STATUS_BUSY  what control_refuses() says; told to done, too, when
 *           systemd can not (freezing without cgroup v2: its words) */
struct control;
/* control_done_fn - e is NULL for 0 or more, but when there is something to be said of it: a warning. */
typedef void control_done_fn(int r, const struct err *e, void *arg);
int control_begin(sd_event *loop, enum control_verb verb, const char *name, control_done_fn *done, void *arg,
                  struct control **ret, struct err *e);

/* control_try - what control_begin() looks at before it asks for anything; changes nothing. ret: target_done(); errors: as
 * there, but for the gate. */
int control_try(enum control_verb verb, const char *name, struct target *ret, struct err *e);

/* control_cancel - forget the call-back; the job goes on. NULL is fine. */
void control_cancel(struct control *c);

/* control_cancel_job - take back what was asked for; done comes as ever, with -ECANCELED STATUS_FAILED and
 * what became of it, or 0 when it was done before that.
 *
 * A job that waits for others is dropped. A start that is under way is stopped, since its unit would go on
 * starting without a job. A stop, kill or reload that is under way can not be undone: only waiting for it
 * ends. */
void control_cancel_job(struct control *c);

/* control_look - what it waits for now. Borrowed until the loop runs again; good inside of done, too. */
struct control_look {
	const char *waits_for; /* "its guest boots" */
	uint64_t since_usec;   /* CLOCK_MONOTONIC */
	uint64_t limit_usec;   /* how long that is allowed to take by systemd, or by us when it is not a job;
	                        * 0: not known (asked after a second) or no limit */
	const char *unit;      /* "container@web.service"; "" for a machine that has none */
	const struct loglines
		*lines; /* inside of done: the end of the log of what failed; empty when it can't be read */
};
void control_look(const struct control *c, struct control_look *ret);

/* control_refuses - why verb can not be done on m as it is, as words that follow its name ("is not running");
 * NULL: it can. What is not known about m refuses nothing. Pure. */
const char *control_refuses(const struct machine *m, enum control_verb verb);

/* control_command - the shell command that does the same, as a person would type it. Pure. */
void control_command(enum control_verb verb, const struct machine *m, struct buf *ret);

/* control_word - "start"; control_doing - "starting"; control_did - "started". */
const char *control_word(enum control_verb verb);
const char *control_doing(enum control_verb verb);
const char *control_did(enum control_verb verb);

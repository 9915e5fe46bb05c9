/* doctor - all forwarded ports of machines with the chain of each: what is declared, what the kernel has, who listens.
 * Read at once, without a child; what can not be seen for want of a right stays unknown, and limits says which.
 *
 * Cost: 2 ms for the host and 1 ms for a machine, and 10 us for each of its processes (whose socket it is); root sees
 * all, CAP_NET_ADMIN the rules and addresses, others what the confs say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "decide/doctor.h"
#include "words/name.h"
#include "words/snapshot.h"

struct checked_port {
	char machine[NAME_MACHINE_MAX + 1]; /* "": nobody's, a rule that was left behind */
	struct port port;
	bool declared;
	char *file; /* the conf that declares it; NULL */
	size_t line;
	struct strs targets; /* where the kernel sends it: "10.0.0.2:80"; empty: nowhere, or not known */
	struct diagnosis found;
};

struct checkup {
	struct checked_port *v; /* by machine, as in the snapshot; nobody's last */
	size_t n;
	char *limits; /* what can not be seen, and the right that takes; NULL: all is seen */
};

void checkup_done(struct checkup *c);

/* checkup_read - of the machine of that name, or of all (NULL).
 * connect  also try to connect to each TCP port from the host; takes a second at most for all of them
 * errors   -ENOMEM; ret untouched. A name that the snapshot has not has no ports. */
int checkup_read(const struct snapshot *s, const char *name, bool connect, struct checkup *ret,
                 struct err *e);

/* checkup_start - the same in the loop, a machine a turn, so that nobody waits longer than for one. done is called
 * exactly once; ret is its own then. checkup_cancel - without a call; NULL is fine. */
struct checkup_job;
typedef void checkup_done_fn(int r, struct checkup *ret, const struct err *e, void *arg);
int checkup_start(sd_event *loop, const struct snapshot *s, const char *name, checkup_done_fn *done,
                  void *arg, struct checkup_job **ret, struct err *e);
void checkup_cancel(struct checkup_job *j);

/* checkup_is_broken - whether a forward of it is. */
bool checkup_is_broken(const struct checkup *c);

/* machine - one row of the truth: a container as it is configured and as it is seen. Unknown is not zero. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strs.h"

/* One word a person understands; from the unit's ActiveState and SubState where there is a unit. */
enum machine_state {
	MACHINE_UNKNOWN, /* could not be asked */
	MACHINE_STOPPED,
	MACHINE_STARTING,
	MACHINE_RUNNING,
	MACHINE_RELOADING,
	MACHINE_STOPPING,
	MACHINE_RESTARTING, /* waits for its automatic restart */
	MACHINE_FAILED,
	MACHINE_GHOST, /* registered with systemd-machined, but its leader or unit is gone */
};

/* What it is to us: which verbs can work follows from it. */
enum machine_kind {
	MACHINE_CONTAINER, /* of ours: a NAME.conf, or container@NAME.service */
	MACHINE_NSPAWN,    /* systemd-nspawn@NAME.service: runs, or has a unit that is not merely stopped */
	MACHINE_IMAGE,     /* a tree or image in /var/lib/machines that systemd-nspawn@NAME would start */
	MACHINE_VM,        /* a virtual machine */
	MACHINE_OTHER,     /* registered by somebody else */
};

struct machine {
	char *name;
	enum machine_kind kind;
	char *class;     /* "container", "vm"; NULL: only configured */
	char *unit;      /* NULL: none */
	bool configured; /* there is a NAME.conf */
	bool registered; /* systemd-machined knows it */
	bool auto_start;
	bool root_is_hosts; /* by a conf that can be used: root in it is root of the host */
	char *overlay_over; /* the one over whose root its own is an overlay; NULL: it is none, or that is not known */
	struct strs overlays; /* those whose roots are overlays over its own */
	char *declared;   /* the conf is a link, so it is declared elsewhere: where it leads, foreign; NULL */
	bool tried_again; /* it starts after it failed, or ends so once more: systemd tries again by itself */
	bool bad_conf;    /* the conf can not be used; reason says why */
	bool conf_unread; /* who looks may not read it: what it says is not known */
	uint64_t
		unit_words; /* tells what its unit says of itself now from what it said before; 0: not heard */
	uint64_t unit_told; /* grows with all that systemd tells of its unit while it runs */
	uint64_t conf_hash; /* tells one version of the conf from another; 0: none, or it can not be read */
	enum machine_state state;
	bool frozen;  /* observe_once() and observe_glance() tell: it runs, and its processes stand still */
	pid_t leader; /* 0: none or unknown */
	uint64_t since_usec; /* CLOCK_REALTIME when it came into this state; 0: unknown */
	struct strs
		addresses; /* seen in the container, else (not running) as configured; text without prefix */
	bool addresses_seen; /* they were seen, not only configured */
	struct strs ports;   /* "tcp:8080:80", as configured */
	char *reason;        /* one printable sentence why it is not well; NULL: nothing to say */
	const char *cause;   /* the rule that gave it, one word for scripts ("oom-kill"); static; NULL */
	char *os;            /* "Debian GNU/Linux 12 (bookworm)", printable; NULL: not known */
	char *cgroup; /* of its unit or scope, "/machine.slice/container@web.service"; NULL: not known */
	int netnsid;  /* by which the kernel names its network namespace here; -1: none of its own, or not
	                 known */
	const char *
		drift; /* on a tape: what helped against what differed, as drift_cure_word(); static; NULL: not known */
	bool linted,
		lint_fatal; /* on a tape: what of its conf is likely a mistake was looked at; one of it keeps it from starting */
	struct strs lints;        /* ... and what was found, printable */
	struct strs guest_failed; /* units that failed inside, printable; empty: none, or not known */
};

void machine_done(struct machine *m);
/* machine_copy - false when out of memory; ret is zeroed then. */
bool machine_copy(const struct machine *m, struct machine *ret);

/* machine_has_trouble - there is a reason, and it says more than that its conf can not be read here. */
bool machine_has_trouble(const struct machine *m);

/* machine_kind_word - "container", "nspawn", "image", "vm", "other". */
const char *machine_kind_word(enum machine_kind k);

/* machine_state_word - "running", "failed", ...; one lower-case word. */
const char *machine_state_word(enum machine_state s);

/* machine_state_of_unit - from a unit's ActiveState and SubState (SA-20); UNKNOWN for words it does not know.
 */
enum machine_state machine_state_of_unit(const char *active, const char *sub);

/* machine_since - when it came into this state, from its unit's StateChangeTimestamp and
 * ActiveEnterTimestamp: a reload changes the state twice, but it has been up all the time. */
uint64_t machine_since(enum machine_state state, uint64_t state_usec, uint64_t active_usec);

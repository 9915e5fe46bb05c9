/* look - all that is known of one machine beyond its row, for who looks at it: only the parts that are shown,
 * kept fresh by events. Texts are foreign as they are, but where it says printable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "decide/origin.h"
#include "decide/why.h"
#include "drivers/rtnl.h"
#include "engine/observe.h"
#include "words/logline.h"
#include "words/machine.h"
#include "words/port.h"
#include "words/proctree.h"
#include "words/snapshot.h"

enum look_part { /* bits */
	         LOOK_UNIT = 1,
	         LOOK_NETWORK = 2,
	         LOOK_PORTS = 4,
	         LOOK_PROCESSES = 8,
	         LOOK_CONFIG = 16,
	         LOOK_PLAN = 32,
};
#define LOOK_PARTS 6

struct look_unit {
	struct why_facts facts; /* points into the next two */
	struct strs texts;
	struct loglines lines;   /* of its last run, when that failed; printable */
	char *no_log;            /* why there are none; NULL */
	char sentence[WHY_SIZE]; /* printable; "": it is well */
	const char *cause;       /* one word, static; NULL */
	char *problem;           /* why nothing is known; NULL */
};

struct look_end { /* of a link; name "": not known */
	int index;
	char name[NAME_LINK_SIZE];
	struct strs altnames;
	char kind[16];
	int master_index;
	char master[NAME_LINK_SIZE]; /* the bridge; "": none */
	bool up, carrier;
	unsigned mtu;
	uint8_t mac[6];
	struct strs addresses; /* "10.0.0.2/28" */
};

struct look_link { /* at least one end is known */
	struct look_end host, guest;
};

struct look_network {
	struct look_link *v;
	size_t n;
	struct strs host_routes; /* over the host's ends: "10.0.0.2 dev ve-web" */
	struct strs guest_routes;
	bool shares_host;    /* its processes see the host's own network */
	char *no_guest;      /* why the guest's ends are not known; NULL */
	char *no_routes;     /* why the guest's routes are not; NULL */
	struct strs planned; /* what a start does, as `ip` commands: while it does not run */
	char *problem;       /* why the host's ends are not known; NULL */
};

enum look_port_state {
	LOOK_PORT_UNKNOWN,
	LOOK_PORT_IDLE, /* it does not run, so there is no rule, and need be none */
	LOOK_PORT_WELL,
	LOOK_PORT_BAD,
};

struct look_port {
	struct port port;
	bool declared; /* else there only is a rule */
	enum look_port_state state;
	struct strs targets; /* where the kernel sends it: "10.0.0.2:80" */
	char *note;          /* what is wrong, or who else has it; NULL */
};

struct look_ports {
	struct look_port *v;
	size_t n;
	char *no_rules; /* why the kernel's rules are not known; NULL */
};

struct look_processes {
	struct proctree tree;
	float *cpu;       /* percent of one core since the look before, of each process; NAN: not known */
	uint64_t at_usec; /* CLOCK_MONOTONIC */
	char *problem;    /* why there are none; NULL */
};

struct look_file { /* a file that configures it */
	char *path;
	struct strs lines;
	struct origins origins; /* of a conf */
	char *note;             /* what is special about it; NULL */
	size_t bad_line;        /* what its problem is about; 0: none */
	char *problem;          /* why it can not be used; NULL */
};

struct look_config {
	struct look_file *v;
	size_t n;
	struct strs warnings;      /* "FILE:LINE:COLUMN: ..." */
	bool was_started, changed; /* since it was started; only when that was by us */
	char *note;                /* why there is none; NULL */
};

struct look_plan {
	char *text;    /* as a shell would take it */
	char *problem; /* why there is none */
};

struct looked {
	char name[NAME_MACHINE_MAX + 1];
	unsigned known; /* enum look_part: what was asked and has been answered */
	struct look_unit unit;
	struct look_network network;
	struct look_ports ports;
	struct look_processes processes;
	struct look_config config;
	struct look_plan plan;
};

void look_done(struct looked *l); /* also takes a zeroed one */

/* looker_new - holds nothing open until something is wanted. changed is called from the loop after a look
 * changed. o answers questions about units, and goes after the looker. */
struct looker;
typedef void looker_changed_fn(void *arg);
int looker_new(sd_event *loop, struct observer *o, looker_changed_fn *changed, void *arg, struct looker **ret,
               struct err *e);
void looker_free(struct looker *l); /* NULL is fine */

/* looker_want - from now on these parts of that machine (NULL or 0: nothing), as it is in the observer's
 * snapshot. Call it again after each change of that: it costs nothing when the machine's row is the same, else
 * what depends on it is read anew, in a turn of the loop of its own. A part that is wanted again is read
 * anew.
 * looker_tick - it is time to look at the processes again, when those are wanted. */
void looker_want(struct looker *l, const struct machine *m, unsigned parts);
void looker_tick(struct looker *l);

/* looker_now - what is known; borrowed until the loop runs again. Its name is "" while nothing is. */
const struct looked *looker_now(const struct looker *l);

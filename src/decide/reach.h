/* reach - what a machine can reach: the host, its bridge's neighbours, its gateway, a name server; and why not. Pure: by the
 * state that is read, and by what an attempt came to where there was one. */
#pragma once

#include "decide/doctor.h"
#include "words/netmap.h"

enum reach_target { REACH_HOST, REACH_NEIGHBOURS, REACH_GATEWAY, REACH_NAMES };
#define REACH_TARGETS 4
#define REACH_TEXT    300

enum reach_probe { REACH_NOT_TRIED, REACH_ANSWERED, REACH_SILENT };

struct reach_facts {
	const struct netmap *map; /* with listeners */
	const char *machine;
	enum doctor_truth masqueraded; /* the host gives what it passes on an address of its own */
	struct firewall_verdict out;   /* what its filters do with what the machine sends out */
	struct firewall_verdict in;    /* with what it sends to the host itself */
	enum reach_probe probes[REACH_TARGETS];
	unsigned probe_ms[REACH_TARGETS];
};

struct reach {
	struct {
		enum doctor_state state; /* IDLE: there is none, or it does not run */
		const char *cause;       /* one word, static; NULL: it is well */
		char text[REACH_TEXT];   /* printable: what it is, or why not and what helps */
		struct addr at;          /* whom to ask; not set: nobody */
	} to[REACH_TARGETS];
};

void reach_judge(const struct reach_facts *f, struct reach *ret);

/* reach_word - "host", "neighbours", "gateway", "names". reach_cause - the i-th word there is; NULL after the last. */
const char *reach_word(enum reach_target t);
const char *reach_cause(size_t i);

/* doctor - why a forwarded port is dead: its chain from the conf to the listener, the first link of it that is
 * broken, and what helps. Pure: engine/doctor finds the facts.
 *
 * What systemd-nspawn --port= does and does not: it writes an element into io.systemd.nat, for each family, when the
 * guest has an address; it binds nothing; 127.0.0.1 and ::1 are never translated; the element is found by its
 * host port alone, so who stops takes that of another machine with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strs.h"
#include "decide/firewall.h"
#include "words/addr.h"
#include "words/machine.h"
#include "words/port.h"

#define DOCTOR_TEXT 400

enum doctor_truth { DOCTOR_UNTOLD, DOCTOR_NO, DOCTOR_YES };

struct doctor_listener { /* texts are foreign, and borrowed; NULL: not known */
	bool udp, v6_only;
	struct addr at; /* zero bytes: all addresses; of IPv6 without v6_only, of both families */
	uint16_t port;
	pid_t pid; /* as the host counts; 0: not known */
	const char *process, *unit;
};

enum doctor_address {
	DOCTOR_ADDRESS_NONE,
	DOCTOR_ADDRESS_WAITS,     /* tentative: duplicate address detection is not over */
	DOCTOR_ADDRESS_DUPLICATE, /* somebody else on its link has it */
	DOCTOR_ADDRESS_THERE,
};

enum doctor_table { /* where systemd-nspawn keeps the rules of one family */
	            DOCTOR_TABLE_UNTOLD,
	            DOCTOR_TABLE_IMPOSSIBLE, /* this kernel has no nf_tables */
	            DOCTOR_TABLE_GONE,
	            DOCTOR_TABLE_HOLLOW, /* the map is there, but no chain looks into it */
	            DOCTOR_TABLE_THERE,
};

enum doctor_owner { DOCTOR_OWNER_UNTOLD, DOCTOR_OWNER_NOBODY, DOCTOR_OWNER_ITSELF, DOCTOR_OWNER_OTHER };

enum doctor_way_index { DOCTOR_V4, DOCTOR_V6, DOCTOR_WAYS };

struct doctor_way {             /* one family's */
	struct addr configured; /* LOCAL_ADDRESS=, LOCAL_ADDRESS6=; not set: none */
	enum doctor_address address;
	struct addr guest; /* that address */

	enum doctor_table table;
	bool has_rule;
	struct addr to; /* where it leads */
	uint16_t to_port;
	enum doctor_owner owner; /* of that address */
	const char *other;       /* the machine, when it is another */

	enum doctor_truth routed;        /* the host has a route to it, over its link */
	const char *routed_by;           /* the link by which it goes; NULL: none */
	enum doctor_truth forwarding;    /* the host passes on what is not its own (ip_forward) */
	enum doctor_truth default_route; /* the guest has one, so it can answer who is not on its link */
	const char *strict_link; /* of the guest, whose rp_filter drops what comes from far; NULL: none */
	const char *macvlan;     /* the guest's link with the address, when it is one; NULL */
	struct addr host_end;    /* what the host is to have on its end, by the conf; not set: nothing */
	enum doctor_truth host_end_there;
	struct firewall_verdict host_drops, guest_drops; /* what the filters do with a client's packets */
};

enum doctor_connect { /* what an attempt came to */
	              DOCTOR_NOT_TRIED,
	              DOCTOR_CONNECTED,
	              DOCTOR_REFUSED,
	              DOCTOR_TIMED_OUT,
	              DOCTOR_UNREACHABLE,
	              DOCTOR_SILENT, /* of UDP: nobody refused it, which is all that can be told */
};

struct doctor_facts { /* all borrowed; zero: not known */
	const char *name;
	enum machine_state state;
	const char *reason; /* why it is not well */
	uint64_t up_usec;   /* for how long it runs */
	struct port port;
	bool declared;
	const char *file; /* where; a line of 0: not in a conf */
	size_t line;
	bool shares_host; /* it has no network of its own */
	bool bad_conf;    /* the conf can not be used; reason says why */
	bool is_newer;    /* declared since it was started */

	const char *rival; /* another machine that declares the same port of the host */
	bool rival_runs;
	const struct doctor_listener *host;  /* of the host: tcp or udp, bound where clients come by */
	const struct doctor_listener *local; /* the same, on a loopback address alone */

	const char *no_rules; /* why the kernel's rules can not be seen */
	struct doctor_way way[DOCTOR_WAYS];

	const char *no_guest; /* why what is inside can not be seen */
	const char *link;     /* the guest's end of its link; "eth0"; NULL: it has none, or not known */
	enum doctor_truth link_up;
	bool link_without_ipv6; /* by its disable_ipv6 */
	const char *host_link;  /* the host's end */
	enum doctor_truth host_link_up;
	const char *bridge; /* that it is to be a port of, by its conf; NULL: none */
	enum doctor_truth bridged;
	bool bridge_is_gone; /* there is none of that name */
	const char *manager; /* who else configures that end: "NetworkManager"; NULL: nobody */
	bool link_is_left; /* the host's end is there though it does not run: something holds its namespace */

	const char *no_listeners; /* why who listens inside can not be seen; else it is known */
	const struct doctor_listener *listeners;
	size_t n_listeners;
	const struct strs *failed_units; /* inside */

	const char *legacy_tables; /* iptables' own, which nf_tables does not show; NULL: none */
	bool has_both;             /* rules of iptables-nft, and of nft beside them */
	const char *host_address;  /* one of the host's that clients use; NULL: only loopback */
	enum doctor_connect connect;
	const char *connected_to; /* "192.168.1.10:8080" */
	unsigned connect_ms;
	enum doctor_connect direct; /* the same where the rule leads to, past the forward */
	const char *direct_to;      /* "10.0.0.2:80"; NULL: not tried */
};

/* ---- what is found */

enum doctor_step { DOCTOR_DECLARED, DOCTOR_RULE, DOCTOR_ADDRESS, DOCTOR_LISTENER, DOCTOR_CONNECTS };
#define DOCTOR_STEPS 5

enum doctor_state {
	DOCTOR_UNKNOWN,
	DOCTOR_IDLE, /* it does not run, or waits for a step before */
	DOCTOR_GOOD,
	DOCTOR_BROKEN,
};

enum doctor_client { DOCTOR_LAN, DOCTOR_HOST, DOCTOR_MACHINE, DOCTOR_LOOPBACK };
#define DOCTOR_CLIENTS 4

struct doctor_finding {
	const char *cause; /* one word for scripts, static */
	enum doctor_step step;
	bool broken;            /* else worth knowing */
	char text[DOCTOR_TEXT]; /* printable; what is so, and what helps */
};

#define DOCTOR_FINDINGS 12

struct diagnosis {
	enum doctor_state state; /* of the forward: BROKEN when one link is */
	struct {
		enum doctor_state state;
		char text[160]; /* printable; what is known of it */
	} steps[DOCTOR_STEPS];
	struct {
		enum doctor_state state; /* GOOD: that client is served; else BROKEN, UNKNOWN, IDLE */
		char text[200];          /* printable; the address to use, or why not */
	} from[DOCTOR_CLIENTS];
	struct doctor_finding v[DOCTOR_FINDINGS]; /* broken ones first, by step: the first is the cause */
	size_t n;
};

/* doctor_judge - the chain of one forward. */
void doctor_judge(const struct doctor_facts *f, struct diagnosis *ret);

/* doctor_first - the finding that names the first broken link; NULL: nothing is broken. */
const struct doctor_finding *doctor_first(const struct diagnosis *d);

/* doctor_step_word - "declared", "rule", "address", "listener", "connects". doctor_state_word - "unknown", "idle",
 * "good", "broken". doctor_client_word - "lan", "host", "machine", "loopback". */
const char *doctor_step_word(enum doctor_step s);
const char *doctor_state_word(enum doctor_state s);
const char *doctor_client_word(enum doctor_client c);

/* doctor_cause - the i-th word there is; NULL after the last. Some come twice. */
const char *doctor_cause(size_t i);

/* doctor_serves - whether it would take what is sent to that address and port (at: family and bytes). */
bool doctor_serves(const struct doctor_listener *l, bool udp, const struct addr *to, uint16_t port);

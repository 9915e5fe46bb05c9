/* doctor_read - what the parts of the doctor read: of the host, once; of one machine from inside. */
#pragma once

#include "drivers/cgroup.h"
#include "drivers/diag.h"
#include "drivers/holders.h"
#include "drivers/nft.h"
#include "drivers/rtnl.h"
#include "drivers/rtnl_conf.h"
#include "engine/claims.h"
#include "engine/doctor.h"
#include "engine/load.h"

#define DOCTOR_FAMILIES 2 /* as enum doctor_way_index */

struct doctor_host {
	struct nl nl; /* of rtnetlink */
	struct links links;
	struct netaddrs addresses;
	struct netconfs confs[DOCTOR_FAMILIES];
	struct listenings listening;
	struct holder *holders; /* whose these are; NULL: nobody asked yet */
	struct forwards rules;
	bool rules_known, is_without_nf_tables;
	const char *no_rules; /* static */
	struct firewall filters;
	bool filters_known;
	int uplink;                                    /* the link of the default route; 0: none */
	struct addr gateway[DOCTOR_FAMILIES];          /* not set: none */
	char address[DOCTOR_FAMILIES][ADDR_TEXT_SIZE]; /* by which clients come; "": none */
	char legacy_tables[120];
	struct cgroupfs *fs; /* NULL: not to be had */
};

/* doctor_host_read - only rtnetlink must answer. */
int doctor_host_read(struct doctor_host *ret, struct err *e);
void doctor_host_done(struct doctor_host *h);
/* doctor_host_holder - whose socket the i-th of listening is; all are looked for the first time. NULL: not known. */
const struct holder *doctor_host_holder(struct doctor_host *h, size_t i);

struct doctor_guest {
	int netnsid;                        /* -1: none of its own, or not known */
	bool addresses_known, inside_known; /* the latter: listening, routes, confs */
	struct links links;
	struct netaddrs addresses;
	struct netroutes routes[DOCTOR_FAMILIES];
	struct netconfs confs[DOCTOR_FAMILIES];
	struct listenings listening;
	struct firewall filters;
	bool filters_known;
	const char *no_guest, *no_listeners; /* static */

	struct doctor_listener *listeners; /* as listening, with who it is */
	struct holder *holders;

	const struct link *host_link; /* in the host's links; NULL */
};

/* doctor_guest_read - of a machine that runs. m is borrowed for the call. -ENOMEM */
int doctor_guest_read(struct doctor_host *h, const struct machine *m, struct doctor_guest *ret);
void doctor_guest_done(struct doctor_guest *g);

/* doctor_listener_from - with whose socket it is; texts point into holder. */
struct doctor_listener doctor_listener_from(const struct listening *l, const struct holder *holder);

struct doctor_try { /* to connect, or to send a datagram */
	struct addr to;
	bool udp;
	uint16_t port;
	uint16_t forward;         /* of the host, which is tried */
	bool direct;              /* not by that, but where it leads to */
	enum doctor_connect came; /* out */
	unsigned ms;
};

/* doctor_reading - the host, what is found so far, and what came of trying to connect. */
struct doctor_reading {
	const struct snapshot *s;
	struct doctor_host host;
	struct doctor_try *tries;
	size_t n_tries;
	struct checkup to;
};

struct doctor_declaration {
	struct port port;
	size_t line; /* from 1 */
};

/* doctor_patient - what is known of one machine, for all of its forwards. */
struct doctor_patient {
	struct doctor_reading *r;
	const struct machine *m;
	struct doctor_guest guest;
	struct loaded conf;
	bool has_conf;
	bool shares_host; /* it has no network of its own */
	char *file;       /* that declares its ports; NULL: none, or it can not be read */
	bool is_settings; /* it is a .nspawn file */
	struct doctor_declaration *declared;
	size_t n_declared;
	struct claims claims;
	const struct link *left; /* a link of its that is there though it does not run */
	const char *manager;     /* who else configures the host's end of its link; static; NULL */
};

/* doctor_read_declared - its conf, what it was started with, and the ports of either or of its .nspawn file. */
void doctor_read_declared(struct doctor_patient *p);

/* doctor_fill_way - the facts of one family. doctor_has_address - whether it is among them. doctor_owner_of - the
 * machine that is seen to have it; NULL. doctor_same_port - of the host. */
void doctor_fill_way(struct doctor_patient *p, const struct port *port, enum doctor_way_index index,
                     struct doctor_way *w);
bool doctor_has_address(const struct netaddrs *l, const struct addr *a);
const struct machine *doctor_owner_of(const struct snapshot *s, const struct addr *a);
bool doctor_same_port(const struct port *a, const struct port *b);

/* doctor_try_all - connect from the host to each TCP port that a rule of the kernel forwards, and send an empty datagram to each
 * UDP port: there an answer says that it works and an ICMP refusal that it does not, but most services stay silent. */
int doctor_try_all(struct doctor_reading *r, struct err *e);

/* doctor_read_machine, doctor_read_nobody - add what is found of one machine's ports; of rules that are nobody's. */
int doctor_read_machine(struct doctor_reading *r, const struct machine *m, struct err *e);
int doctor_read_nobody(struct doctor_reading *r, struct err *e);

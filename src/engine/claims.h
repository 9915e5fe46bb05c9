/* claims - what a running machine has of the host's network: what it was started with (/run/machdeck/NAME),
 * and what the kernel shows of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strs.h"
#include "drivers/machined.h"
#include "drivers/rtnl.h"
#include "words/addr.h"
#include "words/netop.h"
#include "words/port.h"

struct claims {
	struct registration machine; /* only its name is set when it was read by claims_read */
	struct strs argv;            /* of its systemd-nspawn; empty: it was not started by us */
	struct netops guest, host;   /* what was to be done on both sides */
	struct strs masquerade;      /* its addresses with a way out */
};

void claims_done(struct claims *c);

/* claims_read - what NAME was started with; empty when it was not. errors: -ENOMEM; a file that can not be
 * read is an empty one, for it may be going away just now. */
int claims_read(const char *host_root, const char *name, struct claims *ret, struct err *e);

/* claims_conf_hash - the hash (struct loaded) of the conf that NAME was started with; false: it was not, or
 * that may not be read. */
bool claims_conf_hash(const char *host_root, const char *name, char ret[static 17]);

/* claims_value - the value of the next word "--OPTION=VALUE" of its systemd-nspawn from *at on (0 first);
 * NULL: no more. Borrowed. */
const char *claims_value(const struct claims *c, const char *option, size_t *at);
/* claims_ports - all that it forwards; free() *ret. -ENOMEM */
int claims_ports(const struct claims *c, struct port **ret, size_t *ret_n, struct err *e);
bool claims_has_port(const struct claims *c, const struct port *p);

struct neighbours {
	struct claims *v;
	size_t n;
};

/* neighbours_find - all machines that run (registered, and the leader lives) but the one of that name. */
int neighbours_find(const char *host_root, const char *but, struct neighbours *ret, struct err *e);
/* neighbours_starting - those that have said what they take and are not registered yet, but for the one of that
 * name. */
int neighbours_starting(const char *host_root, const char *but, struct neighbours *ret, struct err *e);
void neighbours_done(struct neighbours *n);

/* neighbours_with_link - who has the link: the other end is in its namespace, or it registered it. NULL:
 * nobody.
 * neighbours_with_address - in whose namespace the address is seen, or who was started with it. NULL:
 * nobody. */
const struct claims *neighbours_with_link(const struct neighbours *n, struct nl *nl, const struct link *l);
const struct claims *neighbours_with_address(const struct neighbours *n, struct nl *nl, const struct addr *a);
/* neighbours_with_host_address - for whose link the host has the address; NULL: nobody's. */
const struct claims *neighbours_with_host_address(const struct neighbours *n, const struct addr *a);

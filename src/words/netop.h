/* netop - one network operation as data: shown to people as the `ip` command that does the same, carried to the
 * container's init as a line of text, and sent to the kernel as one netlink request (drivers/rtnl). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strs.h"
#include "words/addr.h"
#include "words/name.h"

#define NETOP_NAME_SIZE                                                                                      \
	128 /* ALTIFNAMSIZ, NUL included: "ve-" and a machine's name may be an alternative name */

enum netop_kind {
	NETOP_RENAME,  /* ip link set DEV name TO */
	NETOP_MAC,     /* ip link set dev DEV address MAC */
	NETOP_UP,      /* ip link set dev DEV up */
	NETOP_MASTER,  /* ip link set dev DEV master TO up */
	NETOP_DELETE,  /* ip link del dev DEV */
	NETOP_ADDRESS, /* ip [-6] addr add ADDR dev DEV */
	NETOP_ROUTE,   /* ip [-6] route add ADDR dev DEV */
	NETOP_DEFAULT, /* ip [-6] route add default via ADDR; DEV is where the gateway is, not shown */
};

struct netop {
	enum netop_kind kind;
	char dev[NETOP_NAME_SIZE]; /* the link's name or alternative name */
	char to[NETOP_NAME_SIZE];  /* RENAME: the new name; MASTER: the bridge */
	uint8_t mac[6];            /* MAC */
	struct addr addr;          /* ADDRESS, ROUTE, DEFAULT */
	bool six;                  /* show "-6": IPv6, and the value came from a key ending in 6 */
	bool may_be_absent;        /* DELETE: that the link is not there is success */
	bool gone; /* ADDRESS, ROUTE, DEFAULT, MASTER: take it away ("del"); that it is not there is success. Not in lines */
};

struct netops {
	struct netop *v;
	size_t n;
	bool bad; /* sticky: could not grow */
};

void netops_done(struct netops *ops);
/* netops_add - append an operation of that kind on dev, all else zero; NULL when out of memory (then bad). The
 * pointer is good until the next call. */
struct netop *netops_add(struct netops *ops, enum netop_kind kind, const char *dev);

struct netop *netops_add_copy(struct netops *ops, const struct netop *op);
/* netops_add_port - append that dev becomes a port of bridge. */
void netops_add_port(struct netops *ops, const char *dev, const char *bridge);

/* netop_words - append the words of the `ip` command to ret. */
void netop_words(const struct netop *op, struct strs *ret);
/* netop_line - the same as one line for the container's init and for messages: what netop_parse reads.
 * netop_parse reads a line that netop_line wrote; -EINVAL for anything else. */
void netop_line(const struct netop *op, char *ret, size_t size);
int netop_parse(const char *line, struct netop *ret);
/* netops_parse - lines of netop_line, appended to ret; -EINVAL when one is not. netop_same - the same thing is done,
 * taken away or not. */
int netops_parse(const char *text, struct netops *ret);
bool netop_same(const struct netop *a, const struct netop *b);

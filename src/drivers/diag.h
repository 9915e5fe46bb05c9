/* diag - who listens in a network namespace, by sock_diag(7). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "drivers/nl.h"
#include "words/addr.h"

struct listening {
	bool udp, v6_only;
	struct addr at; /* zero bytes: all addresses; of IPv6 without v6_only, of both families */
	uint16_t port;
	int link;       /* it is bound to that link alone; 0: to none */
	uint64_t inode; /* of the socket, one of a kind on the host: "socket:[INODE]" in /proc/PID/fd */
};

struct listenings {
	struct listening *v; /* free() it */
	size_t n;
};

/* diag_listening - the TCP sockets that listen and the UDP sockets that are connected to nobody, of both families; 0.1
 * ms. nl is a socket of nl_open(NETLINK_SOCK_DIAG) or nl_open_in() there. No right is needed. */
int diag_listening(struct nl *nl, struct listenings *ret, struct err *e);

/* nft - the port forwards that systemd-nspawn --port= keeps in the kernel: the elements of map_port_ipport in
 * the tables ip and ip6 io.systemd.nat (systemd's firewall-util-nft.c). They outlive a systemd-nspawn that
 * was killed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "drivers/nl.h"
#include "words/addr.h"
#include "words/port.h"

struct forward {
	struct port port;
	struct addr to;
};

struct forwards {
	struct forward *v; /* free() it */
	size_t n;
	uint32_t generation; /* of the kernel's rules when the reading began */
};

/* nft_forwards - all of both families; none where nothing was ever forwarded. Needs CAP_NET_ADMIN: -EPERM. */
int nft_forwards(struct forwards *ret, struct err *e);

/* nft_monitor - hear that the kernel's rules changed, any of them; ret->fd is for a loop. Needs CAP_NET_ADMIN.
 * nft_changed - whether they did since it was asked last. */
int nft_monitor(struct nl *ret, struct err *e);
bool nft_changed(struct nl *monitor);

/* nft_forward_delete - remove one that was read in that generation; gone already is success.
 * errors  -EAGAIN STATUS_BUSY: the rules changed since, so it may be somebody else's now: read again */
int nft_forward_delete(const struct forward *f, uint32_t generation, struct err *e);

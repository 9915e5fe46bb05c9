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

/* nft_forwards_whole - whether the chains and rules that lead to the forwards of that family are there, as systemd-nspawn
 * makes them: what is emptied by hand it makes no more while it runs. */
int nft_forwards_whole(uint8_t family, bool *ret, struct err *e);

/* nft_forwards_mend - in one batch, all or nothing: those of `gone` are removed, those of `add` are there, and whatever
 * of systemd-nspawn's table is missing for them; all of that family. The rest of the table stays as it is.
 *
 * errors  -EADDRINUSE STATUS_BUSY: another forward of that port came meanwhile; -EAGAIN STATUS_BUSY: the rules kept
 *         changing; the kernel's */
int nft_forwards_mend(uint8_t family, const struct forward *add, size_t n_add, const struct forward *gone,
                      size_t n_gone, struct err *e);

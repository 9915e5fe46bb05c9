/* mend - what is missing of a running machine's network, and how it comes back without a restart; and what dead machines
 * left. The one place that says so. Pure.
 *
 * What should be is what the machine was started with (a reload's changes included), not what its conf says by now.
 * A link of the host is touched only when its other end is in the machine's own namespace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strs.h"
#include "words/netmap.h"
#include "words/netop.h"
#include "words/snapshot.h"

enum { MEND_V4, MEND_V6, MEND_FAMILIES };

struct mend_wanted { /* all borrowed */
	const char *machine;
	const struct netops *host, *guest; /* the operations of both sides */
	const char *bridge;                /* that systemd-nspawn made its main link a port of; NULL */
	const struct port *ports;          /* that systemd-nspawn forwards */
	size_t n_ports;
	const struct strs *masquerade;      /* addresses with a way out */
	bool way_out_holds;                 /* that is as it should be */
	bool forwards_whole[MEND_FAMILIES]; /* the chains that lead to the forwards are there */
};

struct mending {
	struct netops host, guest; /* to be done, in order */
	struct netmap_forward *gone, *add;
	size_t n_gone, n_add;
	bool way_out; /* to be made anew */
	int *links;   /* to be removed, by their index */
	size_t n_links;
	struct strs leavers;           /* dead machines whose ways out go */
	struct strs commands, reasons; /* the shell command of each step, and why it is taken; side by side */
	struct strs cannot;            /* what is wrong and can not be mended: what helps instead */
	bool bad;                      /* sticky: out of memory */
};

void mending_done(struct mending *m);

/* mend_decide - of one machine that runs. What is as it should be has no step: it can be asked again and again. */
void mend_decide(const struct netmap *map, const struct mend_wanted *wanted, struct mending *ret);

/* mend_leavings - of machines that do not run: links, forwards and ways out.
 *
 * A link goes when all of this holds: it is a veth; it is called ve-NAME or vb-NAME; its hardware address is what
 * systemd-nspawn on this host gives the link of NAME (decide/nspawnmac), so it was made for it; NAME neither runs nor
 * starts nor stops; its other end is in no running machine's namespace, and it is known of every running machine where
 * that is. A forward goes when nobody has the address that it leads to, and no machine that runs or starts was started
 * with it.
 *
 * busy        names that run, or are on their way up or down
 * addresses   that machines were started with
 * owners      names that have ways out
 * machine_id  16 bytes */
void mend_leavings(const struct netmap *map, const struct strs *busy, const struct strs *addresses,
                   const struct strs *owners, const uint8_t machine_id[static 16], struct mending *ret);

/* mend_holds - whether what the operation does is so, of the link of that space that it is about. */
bool mend_holds(const struct netmap_space *s, const struct netmap_link *l, const struct netop *op);

/* mend_describe - a line for each command, after the comment that is its reason; then a comment for what can not be mended.
 * Can be pasted into a shell. */
void mend_describe(const struct mending *m, struct buf *ret);

/* mend_is_well - no step, and nothing that can not be mended. */
bool mend_is_well(const struct mending *m);

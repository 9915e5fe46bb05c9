/* nft_private - what the files that change nf_tables share: the parts of rules, and a batch that is all or nothing. */
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include "drivers/nl.h"

/* nft_type - the netlink type of an NFT_MSG_... */
static inline uint16_t nft_type(unsigned message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/* nft_head - the header of what is of that address family. */
struct nfgenmsg nft_head(uint8_t family);

/* nft_generation - of the kernel's rules now; a batch that names it is refused once they changed. */
int nft_generation(struct nl *nl, uint32_t *ret, struct err *e);

/* nft_rules_of - how many a chain has; 0: also when there is no such chain. */
int nft_rules_of(struct nl *nl, uint8_t family, const char *table, const char *chain, size_t *ret,
                 struct err *e);

void nft_put_be(struct nl_batch *b, uint16_t type, uint32_t value);

/* NFT_EXPR - an expression whose data the block puts. */
#define NFT_EXPR(b, name)                                                                                    \
	NL_NEST(b, NFTA_LIST_ELEM)                                                                           \
		for (void *nft_data = nft_expr(b, name); nft_data; nft_data = nl_nest_end(b, nft_data))
void *nft_expr(struct nl_batch *b, const char *name);

/* Expressions of rules: len bytes of a header from offset on into a register; a register looked up in a set; compared
 * with bytes; the source replaced. */
void nft_put_payload(struct nl_batch *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t to);
void nft_put_lookup(struct nl_batch *b, const char *set, uint32_t flags);
void nft_put_compare(struct nl_batch *b, uint32_t op, const void *bytes, size_t len);
void nft_put_masquerade(struct nl_batch *b);

void nft_put_table(struct nl_batch *b, uint8_t family, const char *table);
void nft_put_nat_chain(struct nl_batch *b, uint8_t family, const char *table, const char *chain,
                       uint32_t hook, int priority);

/* nft_begin - the first message; nft_send - the last one, and all of it goes.
 * errors  -EAGAIN STATUS_BUSY: the rules changed since that generation, nothing was done: read again; the kernel's */
void nft_begin(struct nl_batch *b, uint32_t generation);
int nft_send(struct nl *nl, struct nl_batch *b, struct err *e);

/* systemd-nspawn's table, and the key of its map: inet_proto . inet_service, each filled up to 4 bytes. */
#define NFT_NSPAWN_TABLE "io.systemd.nat"
#define NFT_NSPAWN_MAP   "map_port_ipport"
struct nft_key {
	uint32_t proto;
	uint16_t port; /* network order */
	uint16_t pad;
};

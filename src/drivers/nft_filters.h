/* nft_filters - what the files that read packet filters share. */
#pragma once

#include "drivers/nft_private.h"
#include "words/firewall.h"

#define NFT_SYSTEMD   "io.systemd.nat"
#define NFT_REGISTERS 16 /* of 4 bytes */

/* What a register holds. */
struct nft_held {
	enum fw_field field;
	bool masked;
	uint8_t mask[FW_DATA];
};

struct nft_reading {
	struct firewall *to;
	struct fw_rule rule; /* the one that is read */
	uint8_t family;      /* its table's */
	char table[FW_NAME];
	struct nft_held held[NFT_REGISTERS];
	size_t n_rules;
	bool translates; /* the rule gives another source */
};

/* nft_number - what the kernel sends in network order. */
uint32_t nft_number(const struct nlattr *a, uint32_t otherwise);

/* nft_read_expression - an nl_attr_fn for the list of a rule's; arg is the reading. */
int nft_read_expression(const struct nlattr *element, uint16_t type, void *arg);
/* nft_verdict - of data that is one. */
enum fw_verdict nft_verdict(const struct nlattr *data, char to[static FW_NAME]);

/* nft_set_of - the number of the set of that name in the table of the rule that is read; false: there are too many.
 * nft_read_sets - what is in those that rules look into. */
bool nft_set_of(struct nft_reading *reading, const char *name, size_t *ret);
int nft_read_sets(struct nl *nl, struct firewall *to, struct err *e);

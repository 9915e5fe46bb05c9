/* nft_private - what the files that speak with nf_tables share. */
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include "drivers/nl.h"

/* nft_type - the netlink type of an NFT_MSG_... */
static inline uint16_t nft_type(unsigned message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/* nft_generation - of the kernel's rules now; a batch that names it is refused with ERESTART once they changed. */
int nft_generation(struct nl *nl, uint32_t *ret, struct err *e);

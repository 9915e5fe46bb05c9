/* nft_rules - the packet filters of a network namespace: all chains of nf_tables with their rules, as far as they can
 * be understood (words/firewall). Those of iptables-nft are among them; those of iptables-legacy are not. */
#pragma once

#include "base/err.h"
#include "words/firewall.h"

/* nft_rules - netns: a descriptor of the namespace; -1: our own. Needs CAP_NET_ADMIN there: -EPERM. A kernel without
 * nf_tables: -EOPNOTSUPP. ret: firewall_done(). */
int nft_rules(int netns, struct firewall *ret, struct err *e);

/* firewall - what the packet filters do with a packet. Pure. Where a rule looks at what is not known, both what it
 * does and what it does not is possible. */
#pragma once

#include "words/addr.h"
#include "words/firewall.h"

enum firewall_answer { FIREWALL_UNTOLD, FIREWALL_PASSES, FIREWALL_MAY_DROP, FIREWALL_DROPS };

struct firewall_verdict {
	enum firewall_answer answer;
	char where
		[200]; /* the chain that drops, or may; foreign: "chain FORWARD of table ip filter (policy drop)" */
	bool by_policy;
};

struct firewall_packet { /* of a connection that was translated (DNAT) on its way to a guest */
	enum fw_hook hook;
	uint8_t family; /* AF_INET, AF_INET6 */
	bool udp;
	bool is_reply; /* of a connection that is established */
	bool is_translated;
	int iif, oif;                    /* 0: not known, or none */
	const char *iif_name, *oif_name; /* NULL: not known */
	struct addr from, to;            /* not set: not known */
	uint16_t from_port, to_port;     /* 0: not known */
};

void firewall_judge(const struct firewall *f, const struct firewall_packet *p, struct firewall_verdict *ret);

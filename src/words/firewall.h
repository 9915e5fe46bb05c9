/* firewall - the packet filters of one network namespace, as far as they can be understood: the chains that a
 * packet goes through, and rules as conditions and a verdict. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_NAME 64
#define FW_DATA 16

/* What we are willing to hold: a guest can make as many as it likes. The rest counts as not understood. */
#define FW_CHAIN_MAX   1024
#define FW_RULE_MAX    8192
#define FW_SET_MAX     256
#define FW_ELEMENT_MAX 4096

enum fw_hook { FW_NO_HOOK, FW_INPUT, FW_FORWARD, FW_OUTPUT };

/* What a condition looks at. */
enum fw_field {
	FW_IIF, /* link, by index (4 bytes, host order) */
	FW_OIF,
	FW_IIF_NAME, /* by name, NUL padded */
	FW_OIF_NAME,
	FW_L4,     /* protocol, 1 byte */
	FW_FAMILY, /* AF_INET, AF_INET6 as netfilter counts, 1 byte */
	FW_SADDR,  /* network order */
	FW_DADDR,
	FW_SPORT,
	FW_DPORT,
	FW_CT_STATE, /* bits, 4 bytes, host order */
	FW_CT_STATUS,
	FW_CT_DIRECTION,
	FW_OTHER, /* something else: nobody knows */
};

enum fw_test { FW_EQ, FW_NE, FW_LT, FW_LE, FW_GT, FW_GE, FW_IN, FW_NOT_IN };

struct fw_condition { /* (field & mask) TEST value, the first len bytes */
	enum fw_field field;
	enum fw_test test;
	uint8_t len;
	bool masked;
	size_t set; /* of IN and NOT_IN */
	uint8_t mask[FW_DATA], value[FW_DATA];
};

enum fw_verdict {
	FW_CONTINUE,
	FW_ACCEPT,
	FW_DROP, /* or reject */
	FW_RETURN,
	FW_JUMP,
	FW_GOTO,
	FW_MAP,     /* what the set of the last condition has for it */
	FW_UNCLEAR, /* accept, drop or a jump: not known */
};

#define FW_CONDITIONS 8

struct fw_rule {
	struct fw_condition v[FW_CONDITIONS];
	size_t n;
	enum fw_verdict verdict;
	char to[FW_NAME]; /* the chain, of JUMP and GOTO */
};

struct fw_chain {
	uint8_t family;                     /* NFPROTO_IPV4, _IPV6, _INET */
	char table[FW_NAME], name[FW_NAME]; /* foreign bytes */
	enum fw_hook hook;
	int priority;
	bool drops; /* its policy */
	struct fw_rule *rules;
	size_t n;
};

struct fw_element {
	uint8_t key[FW_DATA];
	bool is_end;             /* an interval ended before it */
	enum fw_verdict verdict; /* of a map of verdicts */
	char to[FW_NAME];
};

struct fw_set {
	uint8_t family;
	char table[FW_NAME], name[FW_NAME];
	uint8_t len; /* of a key */
	bool has_intervals, known;
	struct fw_element *v; /* by key */
	size_t n;
};

struct firewall {
	struct fw_chain *v;
	size_t n;
	struct fw_set *sets; /* that rules look into */
	size_t n_sets;
	bool cut;                   /* there was more than we hold */
	bool has_iptables, has_nft; /* tables of iptables-nft; others with a filter, systemd's own aside */
	bool masquerades;           /* some of what goes out gets an address of the host */
};

/* firewall_done - also takes a zeroed one. */
void firewall_done(struct firewall *f);

#include "drivers/nft_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/nft_private.h"
#include "drivers/nl.h"

#define REGISTERS 16 /* of 4 bytes */
#define SYSTEMD   "io.systemd.nat"

/* What a register holds. */
struct held {
	enum fw_field field;
	bool masked;
	uint8_t mask[FW_DATA];
};

struct reading {
	struct firewall *to;
	struct fw_rule rule; /* the one that is read */
	struct held held[REGISTERS];
	size_t n_rules;
	bool translates; /* the rule gives another source */
};

static uint32_t number(const struct nlattr *a, uint32_t otherwise)
{
	return ntohl(nl_get_u32(a, htonl(otherwise)));
}

/* ---- chains */

static enum fw_hook hook_of(uint32_t number_of_hook)
{
	switch (number_of_hook) {
	case NF_INET_LOCAL_IN:
		return FW_INPUT;
	case NF_INET_FORWARD:
		return FW_FORWARD;
	case NF_INET_LOCAL_OUT:
		return FW_OUTPUT;
	default: /* a number of the kernel's */
		return FW_NO_HOOK;
	}
}

static bool is_of_ip(uint8_t family)
{
	return family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_INET;
}

static bool is_of_iptables(const struct fw_chain *c)
{
	static const char *const chains[] = { "INPUT", "FORWARD", "OUTPUT" };

	for (size_t i = 0; i < COUNT(chains); i++)
		if (strcmp(c->name, chains[i]) == 0 && strcmp(c->table, "filter") == 0)
			return c->family != NFPROTO_INET;
	return false;
}

static struct fw_chain *add_chain(struct firewall *f, const struct fw_chain *chain)
{
	struct fw_chain *grown;

	if (f->n == FW_CHAIN_MAX) {
		f->cut = true;
		return NULL;
	}
	grown = reallocarray(f->v, f->n + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	f->v = grown;
	grown[f->n] = *chain;
	return &grown[f->n++];
}

static int on_chain(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_CHAIN_TYPE + 1], *hook[NFTA_HOOK_PRIORITY + 1];
	struct reading *reading = arg;
	struct fw_chain chain = { 0 };
	const struct nfgenmsg *head;

	if (!m) {
		firewall_done(reading->to);
		return 0;
	}
	head = nl_head(m, sizeof(*head));
	if (!head || !is_of_ip(head->nfgen_family))
		return 0;
	nl_attrs(m, sizeof(*head), a, NFTA_CHAIN_TYPE);
	nl_nested(a[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_PRIORITY);
	chain.family = head->nfgen_family;
	nl_text(a[NFTA_CHAIN_TABLE], chain.table, sizeof(chain.table));
	nl_text(a[NFTA_CHAIN_NAME], chain.name, sizeof(chain.name));
	if (a[NFTA_CHAIN_HOOK]) {
		char type[16];

		nl_text(a[NFTA_CHAIN_TYPE], type, sizeof(type));
		chain.hook = strcmp(type, "nat") == 0 ? FW_NO_HOOK
		                                      : hook_of(number(hook[NFTA_HOOK_HOOKNUM], UINT32_MAX));
		chain.priority = (int)number(hook[NFTA_HOOK_PRIORITY], 0);
	}
	chain.drops = a[NFTA_CHAIN_POLICY] && number(a[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
	if (is_of_iptables(&chain))
		reading->to->has_iptables = true;
	else if (chain.hook != FW_NO_HOOK)
		reading->to->has_nft = true;
	return add_chain(reading->to, &chain) || reading->to->cut ? 0 : -ENOMEM;
}

/* ---- one rule, expression by expression */

static void add_condition(struct fw_rule *r, const struct fw_condition *c)
{
	if (r->n == FW_CONDITIONS)
		r->v[r->n - 1] = (struct fw_condition){ .field = FW_OTHER };
	else
		r->v[r->n++] = *c;
}

static void add_unknown(struct fw_rule *r)
{
	add_condition(r, &(struct fw_condition){ .field = FW_OTHER });
}

static struct held *at_register(struct reading *reading, const struct nlattr *a)
{
	static struct held nowhere;
	uint32_t reg = number(a, 0);
	size_t i = reg >= NFT_REG32_00 ? reg - NFT_REG32_00
	           : reg >= NFT_REG_1  ? (reg - NFT_REG_1) * 4
	                               : REGISTERS;

	nowhere = (struct held){ .field = FW_OTHER };
	return i < REGISTERS ? &reading->held[i] : &nowhere;
}

static enum fw_field field_of_meta(uint32_t key)
{
	switch (key) {
	case NFT_META_IIF:
		return FW_IIF;
	case NFT_META_OIF:
		return FW_OIF;
	case NFT_META_IIFNAME:
		return FW_IIF_NAME;
	case NFT_META_OIFNAME:
		return FW_OIF_NAME;
	case NFT_META_NFPROTO:
		return FW_FAMILY;
	case NFT_META_L4PROTO:
		return FW_L4;
	default: /* a number of the kernel's */
		return FW_OTHER;
	}
}

static enum fw_field field_of_ct(uint32_t key)
{
	switch (key) {
	case NFT_CT_STATE:
		return FW_CT_STATE;
	case NFT_CT_STATUS:
		return FW_CT_STATUS;
	case NFT_CT_DIRECTION:
		return FW_CT_DIRECTION;
	default: /* a number of the kernel's */
		return FW_OTHER;
	}
}

/* Offsets of RFC 791, 8200, 768 and 9293. */
static enum fw_field field_of_payload(uint32_t base, uint32_t offset, uint32_t len)
{
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && len == 2)
		return offset == 0 ? FW_SPORT : offset == 2 ? FW_DPORT : FW_OTHER;
	if (base != NFT_PAYLOAD_NETWORK_HEADER)
		return FW_OTHER;
	if (offset == 9 && len == 1)
		return FW_L4;
	if ((offset == 12 && len <= 4) || (offset == 8 && len <= 16))
		return FW_SADDR;
	return (offset == 16 && len <= 4) || (offset == 24 && len <= 16) ? FW_DADDR : FW_OTHER;
}

static void read_meta(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_META_SREG + 1];

	nl_nested(data, a, NFTA_META_SREG);
	if (a[NFTA_META_DREG])
		*at_register(reading, a[NFTA_META_DREG]) =
			(struct held){ .field = field_of_meta(number(a[NFTA_META_KEY], UINT32_MAX)) };
}

static void read_ct(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_CT_SREG + 1];

	nl_nested(data, a, NFTA_CT_SREG);
	if (a[NFTA_CT_DREG])
		*at_register(reading, a[NFTA_CT_DREG]) =
			(struct held){ .field = field_of_ct(number(a[NFTA_CT_KEY], UINT32_MAX)) };
}

static void read_payload(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_PAYLOAD_SREG + 1];

	nl_nested(data, a, NFTA_PAYLOAD_SREG);
	if (a[NFTA_PAYLOAD_DREG])
		*at_register(reading, a[NFTA_PAYLOAD_DREG]) =
			(struct held){ .field = field_of_payload(number(a[NFTA_PAYLOAD_BASE], UINT32_MAX),
			                                         number(a[NFTA_PAYLOAD_OFFSET], UINT32_MAX),
			                                         number(a[NFTA_PAYLOAD_LEN], UINT32_MAX)) };
}

static const void *value_of(const struct nlattr *data, size_t *ret_len)
{
	const struct nlattr *a[NFTA_DATA_VALUE + 1];

	nl_nested(data, a, NFTA_DATA_VALUE);
	*ret_len = a[NFTA_DATA_VALUE] ? nl_len(a[NFTA_DATA_VALUE]) : 0;
	return *ret_len > 0 && *ret_len <= FW_DATA ? nl_bytes(a[NFTA_DATA_VALUE], *ret_len) : NULL;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; bytes && i < len; i++)
		if (bytes[i] != 0)
			return false;
	return bytes;
}

static void read_bitwise(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_BITWISE_XOR + 1];
	struct held *from, *to, new;
	const void *mask, *xor;
	size_t len, xor_len;

	nl_nested(data, a, NFTA_BITWISE_XOR);
	from = at_register(reading, a[NFTA_BITWISE_SREG]);
	new = *from;
	mask = value_of(a[NFTA_BITWISE_MASK], &len);
	xor = value_of(a[NFTA_BITWISE_XOR], &xor_len);
	if (!mask || new.masked || !is_zero(xor, xor_len)) {
		new = (struct held){ .field = FW_OTHER };
	} else {
		new.masked = true;
		memcpy(new.mask, mask, len);
	}
	to = at_register(reading, a[NFTA_BITWISE_DREG]);
	*to = new;
}

static void compare(struct reading *reading, const struct held *held, enum fw_test test,
                    const struct nlattr *data)
{
	struct fw_condition c = { .field = held->field, .test = test, .masked = held->masked };
	size_t len;
	const void *value = value_of(data, &len);

	if (!value) {
		add_unknown(&reading->rule);
		return;
	}
	c.len = (uint8_t)len;
	memcpy(c.mask, held->mask, sizeof(c.mask));
	memcpy(c.value, value, len);
	add_condition(&reading->rule, &c);
}

static void read_cmp(struct reading *reading, const struct nlattr *data)
{
	static const enum fw_test tests[] = {
		[NFT_CMP_EQ] = FW_EQ,  [NFT_CMP_NEQ] = FW_NE, [NFT_CMP_LT] = FW_LT,
		[NFT_CMP_LTE] = FW_LE, [NFT_CMP_GT] = FW_GT,  [NFT_CMP_GTE] = FW_GE,
	};
	const struct nlattr *a[NFTA_CMP_DATA + 1];
	uint32_t op;

	nl_nested(data, a, NFTA_CMP_DATA);
	op = number(a[NFTA_CMP_OP], UINT32_MAX);
	if (op < COUNT(tests))
		compare(reading, at_register(reading, a[NFTA_CMP_SREG]), tests[op], a[NFTA_CMP_DATA]);
	else
		add_unknown(&reading->rule);
}

static void read_range(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_RANGE_TO_DATA + 1];
	const struct held *held;

	nl_nested(data, a, NFTA_RANGE_TO_DATA);
	held = at_register(reading, a[NFTA_RANGE_SREG]);
	if (number(a[NFTA_RANGE_OP], UINT32_MAX) != NFT_RANGE_EQ) {
		add_unknown(&reading->rule);
		return;
	}
	compare(reading, held, FW_GE, a[NFTA_RANGE_FROM_DATA]);
	compare(reading, held, FW_LE, a[NFTA_RANGE_TO_DATA]);
}

static enum fw_verdict verdict_of(int code)
{
	switch (code) {
	case NF_ACCEPT:
		return FW_ACCEPT;
	case NF_DROP:
		return FW_DROP;
	case NFT_CONTINUE:
	case NFT_BREAK:
		return FW_CONTINUE;
	case NFT_JUMP:
		return FW_JUMP;
	case NFT_GOTO:
		return FW_GOTO;
	case NFT_RETURN:
		return FW_RETURN;
	default: /* a number of the kernel's: a queue */
		return FW_UNCLEAR;
	}
}

static void read_immediate(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_IMMEDIATE_DATA + 1], *value[NFTA_DATA_VERDICT + 1],
		*verdict[NFTA_VERDICT_CHAIN + 1];

	nl_nested(data, a, NFTA_IMMEDIATE_DATA);
	if (number(a[NFTA_IMMEDIATE_DREG], UINT32_MAX) != NFT_REG_VERDICT)
		return;
	nl_nested(a[NFTA_IMMEDIATE_DATA], value, NFTA_DATA_VERDICT);
	nl_nested(value[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_CHAIN);
	reading->rule.verdict = verdict_of((int)number(verdict[NFTA_VERDICT_CODE], (uint32_t)NFT_CONTINUE));
	nl_text(verdict[NFTA_VERDICT_CHAIN], reading->rule.to, sizeof(reading->rule.to));
}

/* A map of verdicts may do anything. */
static void read_lookup(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_LOOKUP_DREG + 1];

	nl_nested(data, a, NFTA_LOOKUP_DREG);
	add_unknown(&reading->rule);
	if (a[NFTA_LOOKUP_DREG] && number(a[NFTA_LOOKUP_DREG], UINT32_MAX) == NFT_REG_VERDICT)
		reading->rule.verdict = FW_UNCLEAR;
}

static void read_masquerade(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->translates = true;
}

static void read_nat(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_NAT_TYPE + 1];

	nl_nested(data, a, NFTA_NAT_TYPE);
	reading->translates |= number(a[NFTA_NAT_TYPE], UINT32_MAX) == NFT_NAT_SNAT;
}

static void read_reject(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule.verdict = FW_DROP;
}

static void read_nothing(struct reading *reading, const struct nlattr *data)
{
	(void)reading, (void)data;
}

static void read_match(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_MATCH_NAME + 1];
	char name[32];

	nl_nested(data, a, NFTA_MATCH_NAME);
	nl_text(a[NFTA_MATCH_NAME], name, sizeof(name));
	if (strcmp(name, "comment") != 0)
		add_unknown(&reading->rule);
}

static void read_target(struct reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_TARGET_NAME + 1];
	char name[32];

	nl_nested(data, a, NFTA_TARGET_NAME);
	nl_text(a[NFTA_TARGET_NAME], name, sizeof(name));
	reading->translates |= strcmp(name, "MASQUERADE") == 0 || strcmp(name, "SNAT") == 0;
	if (strcmp(name, "REJECT") == 0)
		reading->rule.verdict = FW_DROP;
	else if (strcmp(name, "LOG") != 0 && strcmp(name, "NFLOG") != 0)
		reading->rule.verdict = FW_UNCLEAR;
}

static int on_expression(const struct nlattr *element, uint16_t type, void *arg)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *reading, const struct nlattr *data);
	} kinds[] = {
		{ "meta", read_meta },           { "ct", read_ct },           { "payload", read_payload },
		{ "bitwise", read_bitwise },     { "cmp", read_cmp },         { "range", read_range },
		{ "immediate", read_immediate }, { "lookup", read_lookup },   { "reject", read_reject },
		{ "counter", read_nothing },     { "log", read_nothing },     { "match", read_match },
		{ "target", read_target },       { "masq", read_masquerade }, { "nat", read_nat },
		{ "notrack", read_nothing },
	};
	const struct nlattr *a[NFTA_EXPR_DATA + 1];
	char name[32];

	if (type != NFTA_LIST_ELEM)
		return 0;
	nl_nested(element, a, NFTA_EXPR_DATA);
	nl_text(a[NFTA_EXPR_NAME], name, sizeof(name));
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			kinds[i].read(arg, a[NFTA_EXPR_DATA]);
			return 0;
		}
	add_unknown(&((struct reading *)arg)->rule);
	return 0;
}

/* ---- rules */

static struct fw_chain *chain_of(struct firewall *f, uint8_t family, const char *table, const char *name)
{
	for (size_t i = f->n; i > 0; i--) {
		struct fw_chain *c = &f->v[i - 1];

		if (c->family == family && strcmp(c->name, name) == 0 && strcmp(c->table, table) == 0)
			return c;
	}
	return NULL;
}

static int on_rule(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_RULE_EXPRESSIONS + 1];
	char table[FW_NAME], name[FW_NAME];
	struct reading *reading = arg;
	const struct nfgenmsg *head;
	struct fw_chain *chain;
	struct fw_rule *grown;

	if (!m) {
		for (size_t i = 0; i < reading->to->n; i++)
			reading->to->v[i].n = 0;
		reading->n_rules = 0;
		return 0;
	}
	head = nl_head(m, sizeof(*head));
	if (!head)
		return 0;
	nl_attrs(m, sizeof(*head), a, NFTA_RULE_EXPRESSIONS);
	nl_text(a[NFTA_RULE_TABLE], table, sizeof(table));
	nl_text(a[NFTA_RULE_CHAIN], name, sizeof(name));
	chain = chain_of(reading->to, head->nfgen_family, table, name);
	if (!chain)
		return 0;
	if (reading->n_rules++ == FW_RULE_MAX)
		reading->to->cut = true;
	if (reading->to->cut)
		return 0;
	reading->rule = (struct fw_rule){ 0 };
	reading->translates = false;
	for (size_t i = 0; i < REGISTERS; i++)
		reading->held[i] = (struct held){ .field = FW_OTHER };
	(void)nl_each(a[NFTA_RULE_EXPRESSIONS], on_expression, reading);
	if (reading->translates && strcmp(table, SYSTEMD) != 0)
		reading->to->masquerades = true;
	grown = reallocarray(chain->rules, chain->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	chain->rules = grown;
	grown[chain->n++] = reading->rule;
	return 0;
}

/* systemd's rule is always there, and looks into a set that only systemd-networkd fills. */
static int on_source(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];
	struct reading *reading = arg;

	if (!m)
		return 0;
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS);
	reading->to->masquerades |= nl_len(a[NFTA_SET_ELEM_LIST_ELEMENTS]) > 0;
	return 0;
}

static void read_sources(struct nl *nl, uint8_t family, struct reading *reading)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = family };

	NL_MSG(&b, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_SET_ELEM_LIST_TABLE, SYSTEMD);
		nl_str(&b, NFTA_SET_ELEM_LIST_SET, "masq_saddr");
	}
	(void)nl_dump(nl, &b, on_source, reading, NULL);
}

static int dump(struct nl *nl, unsigned message, nl_dump_fn *each, struct reading *reading, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = NFPROTO_UNSPEC };

	NL_MSG(&b, nft_type(message), NLM_F_DUMP, head) {
	}
	return nl_dump(nl, &b, each, reading, e);
}

static void nl_done(struct nl *nl)
{
	nl_close(nl);
}

int nft_rules(int netns, struct firewall *ret, struct err *e)
{
	CLEANUP(firewall_done) struct firewall f = { 0 };
	CLEANUP(nl_done) struct nl nl = { .fd = -1 };
	struct reading reading = { .to = &f };
	int r = netns < 0 ? nl_open(NETLINK_NETFILTER, &nl, e) : nl_open_in(netns, NETLINK_NETFILTER, &nl, e);

	if (r == 0)
		r = dump(&nl, NFT_MSG_GETCHAIN, on_chain, &reading, e);
	if (r == 0)
		r = dump(&nl, NFT_MSG_GETRULE, on_rule, &reading, e);
	if (r == 0) {
		read_sources(&nl, NFPROTO_IPV4, &reading);
		read_sources(&nl, NFPROTO_IPV6, &reading);
	}
	if (r == -EINVAL || r == -EPROTONOSUPPORT || r == -EOPNOTSUPP)
		return err_set(e, STATUS_SYSTEM, EOPNOTSUPP, "this kernel has no nf_tables");
	if (r < 0)
		return err_wrap(e, r, "cannot read the packet filters (nftables)");
	*ret = f;
	f = (struct firewall){ 0 };
	return 0;
}

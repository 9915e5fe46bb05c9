/* One rule, expression by expression: conditions and a verdict. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/nft_filters.h"

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

static struct nft_held *at_register(struct nft_reading *reading, const struct nlattr *a)
{
	static struct nft_held nowhere;
	uint32_t reg = nft_number(a, 0);
	size_t i = reg >= NFT_REG32_00 ? reg - NFT_REG32_00
	           : reg >= NFT_REG_1  ? (reg - NFT_REG_1) * 4
	                               : NFT_REGISTERS;

	nowhere = (struct nft_held){ .field = FW_OTHER };
	return i < NFT_REGISTERS ? &reading->held[i] : &nowhere;
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

static void read_meta(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_META_SREG + 1];

	nl_nested(data, a, NFTA_META_SREG);
	if (a[NFTA_META_DREG])
		*at_register(reading, a[NFTA_META_DREG]) =
			(struct nft_held){ .field = field_of_meta(nft_number(a[NFTA_META_KEY], UINT32_MAX)) };
}

static void read_ct(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_CT_SREG + 1];

	nl_nested(data, a, NFTA_CT_SREG);
	if (a[NFTA_CT_DREG])
		*at_register(reading, a[NFTA_CT_DREG]) =
			(struct nft_held){ .field = field_of_ct(nft_number(a[NFTA_CT_KEY], UINT32_MAX)) };
}

static void read_payload(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_PAYLOAD_SREG + 1];

	nl_nested(data, a, NFTA_PAYLOAD_SREG);
	if (a[NFTA_PAYLOAD_DREG])
		*at_register(reading, a[NFTA_PAYLOAD_DREG]) = (struct nft_held){
			.field = field_of_payload(nft_number(a[NFTA_PAYLOAD_BASE], UINT32_MAX),
			                          nft_number(a[NFTA_PAYLOAD_OFFSET], UINT32_MAX),
			                          nft_number(a[NFTA_PAYLOAD_LEN], UINT32_MAX))
		};
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

static void read_bitwise(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_BITWISE_XOR + 1];
	struct nft_held *from, *to, new;
	const void *mask, *xor;
	size_t len, xor_len;

	nl_nested(data, a, NFTA_BITWISE_XOR);
	from = at_register(reading, a[NFTA_BITWISE_SREG]);
	new = *from;
	mask = value_of(a[NFTA_BITWISE_MASK], &len);
	xor = value_of(a[NFTA_BITWISE_XOR], &xor_len);
	if (!mask || new.masked || !is_zero(xor, xor_len)) {
		new = (struct nft_held){ .field = FW_OTHER };
	} else {
		new.masked = true;
		memcpy(new.mask, mask, len);
	}
	to = at_register(reading, a[NFTA_BITWISE_DREG]);
	*to = new;
}

static void compare(struct nft_reading *reading, const struct nft_held *held, enum fw_test test,
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

static void look_in_set(struct nft_reading *reading, const struct nft_held *held, const char *name,
                        bool inverted)
{
	struct fw_condition c = { .field = held->field,
		                  .test = inverted ? FW_NOT_IN : FW_IN,
		                  .masked = held->masked };

	memcpy(c.mask, held->mask, sizeof(c.mask));
	if (nft_set_of(reading, name, &c.set))
		add_condition(&reading->rule, &c);
	else
		add_unknown(&reading->rule);
}

static void read_cmp(struct nft_reading *reading, const struct nlattr *data)
{
	static const enum fw_test tests[] = {
		[NFT_CMP_EQ] = FW_EQ,  [NFT_CMP_NEQ] = FW_NE, [NFT_CMP_LT] = FW_LT,
		[NFT_CMP_LTE] = FW_LE, [NFT_CMP_GT] = FW_GT,  [NFT_CMP_GTE] = FW_GE,
	};
	const struct nlattr *a[NFTA_CMP_DATA + 1];
	uint32_t op;

	nl_nested(data, a, NFTA_CMP_DATA);
	op = nft_number(a[NFTA_CMP_OP], UINT32_MAX);
	if (op < COUNT(tests))
		compare(reading, at_register(reading, a[NFTA_CMP_SREG]), tests[op], a[NFTA_CMP_DATA]);
	else
		add_unknown(&reading->rule);
}

static void read_range(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_RANGE_TO_DATA + 1];
	const struct nft_held *held;

	nl_nested(data, a, NFTA_RANGE_TO_DATA);
	held = at_register(reading, a[NFTA_RANGE_SREG]);
	if (nft_number(a[NFTA_RANGE_OP], UINT32_MAX) != NFT_RANGE_EQ) {
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

enum fw_verdict nft_verdict(const struct nlattr *data, char to[static FW_NAME])
{
	const struct nlattr *value[NFTA_DATA_VERDICT + 1], *verdict[NFTA_VERDICT_CHAIN + 1];

	nl_nested(data, value, NFTA_DATA_VERDICT);
	nl_nested(value[NFTA_DATA_VERDICT], verdict, NFTA_VERDICT_CHAIN);
	nl_text(verdict[NFTA_VERDICT_CHAIN], to, FW_NAME);
	return verdict_of((int)nft_number(verdict[NFTA_VERDICT_CODE], (uint32_t)NFT_CONTINUE));
}

static void read_immediate(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_IMMEDIATE_DATA + 1];

	nl_nested(data, a, NFTA_IMMEDIATE_DATA);
	if (nft_number(a[NFTA_IMMEDIATE_DREG], UINT32_MAX) == NFT_REG_VERDICT)
		reading->rule.verdict = nft_verdict(a[NFTA_IMMEDIATE_DATA], reading->rule.to);
}

/* In a set; or the verdict is what a map has for it. */
static void read_lookup(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_LOOKUP_FLAGS + 1];
	char name[FW_NAME];
	bool gives_verdict;

	nl_nested(data, a, NFTA_LOOKUP_FLAGS);
	gives_verdict = a[NFTA_LOOKUP_DREG] && nft_number(a[NFTA_LOOKUP_DREG], UINT32_MAX) == NFT_REG_VERDICT;
	nl_text(a[NFTA_LOOKUP_SET], name, sizeof(name));
	if (a[NFTA_LOOKUP_DREG] && !gives_verdict) { /* it gives a value, which we do not follow */
		*at_register(reading, a[NFTA_LOOKUP_DREG]) = (struct nft_held){ .field = FW_OTHER };
		add_unknown(&reading->rule);
		return;
	}
	look_in_set(reading, at_register(reading, a[NFTA_LOOKUP_SREG]), name,
	            nft_number(a[NFTA_LOOKUP_FLAGS], 0) & NFT_LOOKUP_F_INV);
	if (gives_verdict)
		reading->rule.verdict = FW_MAP;
}

static void read_masquerade(struct nft_reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->translates = true;
}

static void read_nat(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_NAT_TYPE + 1];

	nl_nested(data, a, NFTA_NAT_TYPE);
	reading->translates |= nft_number(a[NFTA_NAT_TYPE], UINT32_MAX) == NFT_NAT_SNAT;
}

static void read_reject(struct nft_reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule.verdict = FW_DROP;
}

static void read_nothing(struct nft_reading *reading, const struct nlattr *data)
{
	(void)reading, (void)data;
}

/* -m conntrack --ctstate, and nothing else of it: the bits are those of nf_tables. */
static bool read_conntrack(struct fw_rule *r, const struct nlattr *info)
{
	const struct xt_conntrack_mtinfo2 *wanted = nl_bytes(info, sizeof(*wanted));
	struct fw_condition c = { .field = FW_CT_STATE, .masked = true, .len = sizeof(uint32_t) };
	uint32_t mask;

	if (!wanted || (wanted->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE)
		return false;
	mask = wanted->state_mask;
	c.test = wanted->invert_flags & XT_CONNTRACK_STATE ? FW_EQ : FW_NE;
	memcpy(c.mask, &mask, sizeof(mask));
	add_condition(r, &c);
	return true;
}

static void add_ports(struct fw_rule *r, enum fw_field field, const uint16_t range[2])
{
	for (size_t i = 0; i < 2; i++) {
		struct fw_condition c = { .field = field,
			                  .test = i == 0 ? FW_GE : FW_LE,
			                  .len = sizeof(uint16_t) };
		uint16_t wire = htons(range[i]);

		memcpy(c.value, &wire, sizeof(wire));
		if (range[0] != 0 || range[1] != UINT16_MAX)
			add_condition(r, &c);
	}
}

/* -m tcp, -m udp: ranges of ports, and nothing else of it. */
static bool read_ports(struct fw_rule *r, const struct nlattr *info, bool udp)
{
	const struct xt_tcp *tcp = udp ? NULL : nl_bytes(info, sizeof(*tcp));
	const struct xt_udp *u = udp ? nl_bytes(info, sizeof(*u)) : NULL;

	if ((!tcp && !u) || (tcp && (tcp->option || tcp->flg_mask || tcp->invflags)) || (u && u->invflags))
		return false;
	add_ports(r, FW_SPORT, tcp ? tcp->spts : u->spts);
	add_ports(r, FW_DPORT, tcp ? tcp->dpts : u->dpts);
	return true;
}

static void read_match(struct nft_reading *reading, const struct nlattr *data)
{
	const struct nlattr *a[NFTA_MATCH_INFO + 1];
	uint32_t revision;
	char name[32];
	bool understood;

	nl_nested(data, a, NFTA_MATCH_INFO);
	nl_text(a[NFTA_MATCH_NAME], name, sizeof(name));
	revision = nft_number(a[NFTA_MATCH_REV], 0);
	if (strcmp(name, "comment") == 0)
		understood = true;
	else if (strcmp(name, "conntrack") == 0 && (revision == 2 || revision == 3))
		understood = read_conntrack(&reading->rule, a[NFTA_MATCH_INFO]);
	else if (strcmp(name, "tcp") == 0 || strcmp(name, "udp") == 0)
		understood = read_ports(&reading->rule, a[NFTA_MATCH_INFO], name[0] == 'u');
	else
		understood = false;
	if (!understood)
		add_unknown(&reading->rule);
}

static void read_target(struct nft_reading *reading, const struct nlattr *data)
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

int nft_read_expression(const struct nlattr *element, uint16_t type, void *arg)
{
	static const struct {
		const char *name;
		void (*read)(struct nft_reading *reading, const struct nlattr *data);
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
	add_unknown(&((struct nft_reading *)arg)->rule);
	return 0;
}

#include "drivers/nft_gateway.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/gateway.h"
#include "drivers/nft_private.h"
#include "words/name.h"

#define TRIES     5
#define SRCNAT    100 /* priority: NF_IP_PRI_NAT_SRC */
#define COMMENT   0   /* NFTNL_UDATA_SET_ELEM_COMMENT: type, length with the NUL, text */
#define RULE_SIZE 2048
#define ELEM_SIZE 512

struct entry {
	struct addr addr;
	char owner[NAME_MACHINE_MAX +
	           1]; /* foreign bytes: whoever is root can write there; "" for another comment */
};

/* One family's table as it is. */
struct table {
	uint8_t family;
	struct entry *v;
	size_t n;
	size_t rules;
	bool is_there;
};

static void table_done(struct table *t)
{
	free(t->v);
}

/* ---- asking */

static void read_owner(const struct nlattr *a, char ret[static NAME_MACHINE_MAX + 1])
{
	const uint8_t *bytes = nl_bytes(a, 2);
	size_t len = bytes ? bytes[1] : 0;

	ret[0] = '\0';
	if (!bytes || bytes[0] != COMMENT || len == 0 || len > NAME_MACHINE_MAX + 1 || nl_len(a) < 2 + len)
		return;
	memcpy(ret, bytes + 2, len);
	ret[len - 1] = '\0';
}

static int on_element(const struct nlattr *element, uint16_t type, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_USERDATA + 1], *value[NFTA_DATA_VALUE + 1];
	struct table *t = arg;
	struct entry entry = { .addr.family = t->family }, *grown;
	const void *bytes;

	nl_nested(element, a, NFTA_SET_ELEM_USERDATA);
	nl_nested(a[NFTA_SET_ELEM_KEY], value, NFTA_DATA_VALUE);
	bytes = nl_bytes(value[NFTA_DATA_VALUE], addr_size(&entry.addr));
	if (type != NFTA_LIST_ELEM || !bytes)
		return 0;
	memcpy(entry.addr.bytes, bytes, addr_size(&entry.addr));
	read_owner(a[NFTA_SET_ELEM_USERDATA], entry.owner);
	grown = reallocarray(t->v, t->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->v = grown;
	t->v[t->n++] = entry;
	return 0;
}

static int on_elements(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];
	struct table *t = arg;

	if (!m) {
		t->n = 0;
		return 0;
	}
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS);
	return nl_each(a[NFTA_SET_ELEM_LIST_ELEMENTS], on_element, t);
}

static int read_table(struct nl *nl, struct table *t, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	const struct nfgenmsg head = nft_head(t->family);
	int r;

	NL_MSG(&b, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_SET_ELEM_LIST_TABLE, GATEWAY_TABLE);
		nl_str(&b, NFTA_SET_ELEM_LIST_SET, GATEWAY_SET);
	}
	r = nl_dump(nl, &b, on_elements, t, e);
	if (r == -ENOENT)
		return 0;
	t->is_there = r == 0;
	return r < 0 ? r : nft_rules_of(nl, t->family, GATEWAY_TABLE, GATEWAY_CHAIN, &t->rules, e);
}

/* ---- comparing */

static const struct entry *find(const struct table *t, const struct addr *a)
{
	for (size_t i = 0; i < t->n; i++)
		if (addr_same(&t->v[i].addr, a))
			return &t->v[i];
	return NULL;
}

static bool is_wanted(const struct addr *v, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_same(&v[i], a))
			return true;
	return false;
}

static bool owns(const char *name, const struct entry *entry)
{
	return strcmp(entry->owner, name) == 0;
}

static bool holds(const struct table *t, const char *name, const struct addr *v, size_t n)
{
	for (size_t i = 0; i < t->n; i++)
		if (owns(name, &t->v[i]) && !is_wanted(v, n, &t->v[i].addr))
			return false;
	for (size_t i = 0; i < n; i++) {
		const struct entry *found = v[i].family == t->family ? find(t, &v[i]) : NULL;

		if (v[i].family == t->family && (!found || !owns(name, found) || t->rules != 1))
			return false;
	}
	return true;
}

/* ---- changing */

/* saddr @addresses daddr != @addresses masquerade: machines see each other as they are. Offsets: RFC 791, RFC 8200. */
static void put_rule(struct nl_batch *b, uint8_t family, struct nfgenmsg head)
{
	bool four = family == AF_INET;
	uint32_t len = four ? 4 : 16;

	NL_MSG(b, nft_type(NFT_MSG_NEWRULE), NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, head) {
		nl_str(b, NFTA_RULE_TABLE, GATEWAY_TABLE);
		nl_str(b, NFTA_RULE_CHAIN, GATEWAY_CHAIN);
		NL_NEST(b, NFTA_RULE_EXPRESSIONS) {
			nft_put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, four ? 12 : 8, len, NFT_REG_1);
			nft_put_lookup(b, GATEWAY_SET, 0);
			nft_put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, four ? 16 : 24, len, NFT_REG_1);
			nft_put_lookup(b, GATEWAY_SET, NFT_LOOKUP_F_INV);
			nft_put_masquerade(b);
		}
	}
}

static void put_frame(struct nl_batch *b, uint8_t family, struct nfgenmsg head)
{
	const uint32_t key_type = family == AF_INET ? 7 : 8; /* as nft counts: ipv4_addr, ipv6_addr */

	nft_put_table(b, family, GATEWAY_TABLE);
	NL_MSG(b, nft_type(NFT_MSG_NEWSET), NLM_F_ACK | NLM_F_CREATE, head) {
		nl_str(b, NFTA_SET_TABLE, GATEWAY_TABLE);
		nl_str(b, NFTA_SET_NAME, GATEWAY_SET);
		nft_put_be(b, NFTA_SET_KEY_TYPE, key_type);
		nft_put_be(b, NFTA_SET_KEY_LEN, family == AF_INET ? 4 : 16);
		nft_put_be(b, NFTA_SET_ID, 1);
	}
	nft_put_nat_chain(b, family, GATEWAY_TABLE, GATEWAY_CHAIN, NF_INET_POST_ROUTING, SRCNAT);
	NL_MSG(b, nft_type(NFT_MSG_DELRULE), NLM_F_ACK, head) {
		nl_str(b, NFTA_RULE_TABLE, GATEWAY_TABLE);
		nl_str(b, NFTA_RULE_CHAIN, GATEWAY_CHAIN);
	}
	put_rule(b, family, head);
}

static void put_element(struct nl_batch *b, bool gone, const char *name, const struct addr *a,
                        struct nfgenmsg head)
{
	uint8_t comment[2 + NAME_MACHINE_MAX + 1] = { COMMENT, (uint8_t)(strlen(name) + 1) };

	memcpy(comment + 2, name, strlen(name) + 1);
	NL_MSG(b, nft_type(gone ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM),
	       NLM_F_ACK | (gone ? 0 : NLM_F_CREATE), head) {
		nl_str(b, NFTA_SET_ELEM_LIST_TABLE, GATEWAY_TABLE);
		nl_str(b, NFTA_SET_ELEM_LIST_SET, GATEWAY_SET);
		NL_NEST(b, NFTA_SET_ELEM_LIST_ELEMENTS)
			NL_NEST(b, NFTA_LIST_ELEM) {
				NL_NEST(b, NFTA_SET_ELEM_KEY)
					nl_raw(b, NFTA_DATA_VALUE, a->bytes, addr_size(a));
				if (!gone)
					nl_raw(b, NFTA_SET_ELEM_USERDATA, comment, 2 + strlen(name) + 1);
			}
	}
}

static void put_all(struct nl_batch *b, const struct table *t, const char *name, const struct addr *v,
                    size_t n, struct nfgenmsg head)
{
	size_t stay = 0, wanted = 0;

	for (size_t i = 0; i < t->n; i++)
		stay += !owns(name, &t->v[i]);
	for (size_t i = 0; i < n; i++)
		wanted += v[i].family == t->family;
	if (stay + wanted == 0) {
		NL_MSG(b, nft_type(NFT_MSG_DELTABLE), NLM_F_ACK, head)
			nl_str(b, NFTA_TABLE_NAME, GATEWAY_TABLE);
		return;
	}
	if (wanted > 0)
		put_frame(b, t->family, head);
	for (size_t i = 0; i < t->n; i++)
		if (owns(name, &t->v[i]) || is_wanted(v, n, &t->v[i].addr))
			put_element(b, true, name, &t->v[i].addr, head);
	for (size_t i = 0; i < n; i++)
		if (v[i].family == t->family)
			put_element(b, false, name, &v[i], head);
}

static int change(struct nl *nl, uint32_t generation, const struct table *t, const char *name,
                  const struct addr *v, size_t n, struct err *e)
{
	const size_t size = RULE_SIZE + (t->n + n) * ELEM_SIZE;
	CLEANUP(free_p) char *data = calloc(1, size);
	struct nl_batch b = { .data = data, .size = size };
	int r = data ? gate_ask(e, "%s: cannot change its way out", name) : err_no_memory(e);

	if (r < 0)
		return r;
	nft_begin(&b, generation);
	put_all(&b, t, name, v, n, nft_head(t->family));
	return nft_send(nl, &b, e);
}

/* One look at a family, and what is to be done. */
static int set_family(struct nl *nl, uint8_t family, const char *name, const struct addr *v, size_t n,
                      bool *changed, struct err *e)
{
	CLEANUP(table_done) struct table t = { .family = family };
	uint32_t generation = 0;
	int r = nft_generation(nl, &generation, e);

	if (r == 0)
		r = read_table(nl, &t, e);
	if (r < 0 || holds(&t, name, v, n))
		return r;
	*changed = true;
	return change(nl, generation, &t, name, v, n, e);
}

static bool is_without_tables(int r)
{
	return r == -EPROTONOSUPPORT || r == -EOPNOTSUPP || r == -EINVAL;
}

int nft_gateway_set(const char *name, const struct addr *v, size_t n, bool *ret_changed, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	bool changed = false;
	int r = nl_open(NETLINK_NETFILTER, &nl, e);

	for (size_t i = 0; r == 0 && i < COUNT(families); i++) {
		r = -EAGAIN;
		for (int k = 0; r == -EAGAIN && k < TRIES; k++)
			r = set_family(&nl, families[i], name, v, n, &changed, e);
	}
	if (n == 0 && !changed && is_without_tables(r))
		r = 0;
	if (r < 0)
		return err_wrap(e, r, "%s: cannot %s its way out (nf_tables, table " GATEWAY_TABLE ")", name,
		                n > 0 ? "make" : "take away");
	if (ret_changed)
		*ret_changed = changed;
	return 0;
}

/* Both families side by side, in ret[0] and ret[1]. */
static int read_both(struct table ret[static 2], struct err *e)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	int r = nl_open(NETLINK_NETFILTER, &nl, e);

	ret[0] = (struct table){ .family = AF_INET };
	ret[1] = (struct table){ .family = AF_INET6 };
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = read_table(&nl, &ret[i], e);
	return r < 0 ? err_wrap(e, r, "cannot read the ways out (nf_tables, table " GATEWAY_TABLE ")") : 0;
}

int nft_gateway_holds(const char *name, const struct addr *v, size_t n, bool *ret, struct err *e)
{
	struct table t[2];
	int r = read_both(t, e);

	if (r == 0)
		*ret = holds(&t[0], name, v, n) && holds(&t[1], name, v, n);
	table_done(&t[0]);
	table_done(&t[1]);
	return r;
}

int nft_gateway_owners(struct strs *ret, struct err *e)
{
	struct table t[2];
	int r = read_both(t, e);

	for (size_t i = 0; r == 0 && i < 2; i++)
		for (size_t k = 0; k < t[i].n; k++)
			if (t[i].v[k].owner[0] && !strs_has(ret, t[i].v[k].owner))
				strs_add(ret, t[i].v[k].owner);
	table_done(&t[0]);
	table_done(&t[1]);
	return r;
}

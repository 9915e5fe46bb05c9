/* systemd-nspawn's table of port forwards made anew where it was emptied, as systemd's firewall-util-nft.c makes it
 * (v252 to v262): two sets, three chains with a rule each. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/nft.h"
#include "drivers/nft_private.h"

#define TABLE      NFT_NSPAWN_TABLE
#define MASQ       "masq_saddr"
#define TRIES      5
#define FRAME_SIZE 8192
#define ELEM_SIZE  512
#define LOOPBACK   1 /* index of lo in every namespace */

/* Numbers of nft's types: they are how `nft list` prints what is in a set. */
enum { TYPE_IP4 = 7, TYPE_IP6 = 8, TYPE_PROTO = 12, TYPE_SERVICE = 13, TYPE_BITS = 6 };

enum chain { PREROUTING, OUTPUT, POSTROUTING, CHAINS };
static const struct {
	const char *name;
	uint32_t hook;
	int priority;
} chains[CHAINS] = {
	[PREROUTING] = { "prerouting", NF_INET_PRE_ROUTING, -99 },
	[OUTPUT] = { "output", NF_INET_LOCAL_OUT, -99 },
	[POSTROUTING] = { "postrouting", NF_INET_POST_ROUTING, 101 },
};

static uint32_t address_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* ---- what is there */

struct frame {
	size_t rules[CHAINS];
	bool has_map, has_masq;
};

static int on_set(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_NAME + 1];
	struct frame *f = arg;
	char name[64];

	if (!m) {
		f->has_map = f->has_masq = false;
		return 0;
	}
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_NAME);
	nl_text(a[NFTA_SET_NAME], name, sizeof(name));
	f->has_map |= strcmp(name, NFT_NSPAWN_MAP) == 0;
	f->has_masq |= strcmp(name, MASQ) == 0;
	return 0;
}

static int read_frame(struct nl *nl, uint8_t family, struct frame *ret, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	const struct nfgenmsg head = nft_head(family);
	int r;

	*ret = (struct frame){ 0 };
	NL_MSG(&b, nft_type(NFT_MSG_GETSET), NLM_F_DUMP, head)
		nl_str(&b, NFTA_SET_TABLE, TABLE);
	r = nl_dump(nl, &b, on_set, ret, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < CHAINS; i++)
		r = nft_rules_of(nl, family, TABLE, chains[i].name, &ret->rules[i], e);
	return r;
}

int nft_forwards_whole(uint8_t family, bool *ret, struct err *e)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct frame f;
	int r = nl_open(NETLINK_NETFILTER, &nl, e);

	if (r >= 0)
		r = read_frame(&nl, family, &f, e);
	if (r < 0)
		return err_wrap(e, r, "cannot read the port forwards (nftables)");
	*ret = f.has_map && f.rules[PREROUTING] > 0 && f.rules[OUTPUT] > 0;
	return 0;
}

/* ---- the table */

static void put_set(struct nl_batch *b, uint8_t family, bool is_map)
{
	const uint32_t address = family == AF_INET ? TYPE_IP4 : TYPE_IP6;
	const struct nfgenmsg head = nft_head(family);

	NL_MSG(b, nft_type(NFT_MSG_NEWSET), NLM_F_ACK | NLM_F_CREATE, head) {
		nl_str(b, NFTA_SET_TABLE, TABLE);
		nl_str(b, NFTA_SET_NAME, is_map ? NFT_NSPAWN_MAP : MASQ);
		nft_put_be(b, NFTA_SET_ID, is_map ? 2 : 1);
		nft_put_be(b, NFTA_SET_FLAGS, is_map ? NFT_SET_MAP : NFT_SET_INTERVAL);
		nft_put_be(b, NFTA_SET_KEY_TYPE, is_map ? TYPE_PROTO << TYPE_BITS | TYPE_SERVICE : address);
		nft_put_be(b, NFTA_SET_KEY_LEN, is_map ? sizeof(struct nft_key) : address_len(family));
		if (is_map) {
			nft_put_be(b, NFTA_SET_DATA_TYPE, address << TYPE_BITS | TYPE_SERVICE);
			nft_put_be(b, NFTA_SET_DATA_LEN, address_len(family) + 4);
		}
	}
}

/* dnat to meta l4proto . th dport map @map_port_ipport */
static void put_dnat(struct nl_batch *b, uint8_t family)
{
	NFT_EXPR(b, "meta")
	{
		nft_put_be(b, NFTA_META_DREG, NFT_REG_1);
		nft_put_be(b, NFTA_META_KEY, NFT_META_L4PROTO);
	}
	nft_put_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_01);
	NFT_EXPR(b, "lookup")
	{
		nl_str(b, NFTA_LOOKUP_SET, NFT_NSPAWN_MAP);
		nft_put_be(b, NFTA_LOOKUP_SREG, NFT_REG_1);
		nft_put_be(b, NFTA_LOOKUP_DREG, NFT_REG_1);
	}
	NFT_EXPR(b, "nat")
	{
		nft_put_be(b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
		nft_put_be(b, NFTA_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
		nft_put_be(b, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
		nft_put_be(b, NFTA_NAT_REG_PROTO_MIN, NFT_REG32_00 + address_len(family) / 4);
	}
}

/* fib daddr type local */
static void put_is_local(struct nl_batch *b)
{
	const uint32_t local = RTN_LOCAL;

	NFT_EXPR(b, "fib")
	{
		nft_put_be(b, NFTA_FIB_DREG, NFT_REG_1);
		nft_put_be(b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		nft_put_be(b, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	}
	nft_put_compare(b, NFT_CMP_EQ, &local, sizeof(local));
}

/* ip daddr != 127.0.0.0/8 oif lo, or ip6 daddr != ::1 oif lo */
static void put_is_own(struct nl_batch *b, uint8_t family)
{
	static const uint8_t mask[4] = { 255 }, nothing[4], net[4] = { 127 }, one[16] = { [15] = 1 };
	const uint32_t lo = LOOPBACK;
	const bool four = family == AF_INET;

	nft_put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, four ? 16 : 24, address_len(family), NFT_REG_1);
	if (four)
		NFT_EXPR(b, "bitwise")
		{
			nft_put_be(b, NFTA_BITWISE_SREG, NFT_REG_1);
			nft_put_be(b, NFTA_BITWISE_DREG, NFT_REG_1);
			nft_put_be(b, NFTA_BITWISE_LEN, sizeof(mask));
			NL_NEST(b, NFTA_BITWISE_MASK)
				nl_raw(b, NFTA_DATA_VALUE, mask, sizeof(mask));
			NL_NEST(b, NFTA_BITWISE_XOR)
				nl_raw(b, NFTA_DATA_VALUE, nothing, sizeof(nothing));
		}
	nft_put_compare(b, NFT_CMP_NEQ, four ? net : one, address_len(family));
	NFT_EXPR(b, "meta")
	{
		nft_put_be(b, NFTA_META_DREG, NFT_REG_1);
		nft_put_be(b, NFTA_META_KEY, NFT_META_OIF);
	}
	nft_put_compare(b, NFT_CMP_EQ, &lo, sizeof(lo));
}

static void put_rule(struct nl_batch *b, uint8_t family, enum chain chain)
{
	const struct nfgenmsg head = nft_head(family);

	NL_MSG(b, nft_type(NFT_MSG_NEWRULE), NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, head) {
		nl_str(b, NFTA_RULE_TABLE, TABLE);
		nl_str(b, NFTA_RULE_CHAIN, chains[chain].name);
		NL_NEST(b, NFTA_RULE_EXPRESSIONS)
			switch (chain) {
			case PREROUTING:
				put_is_local(b);
				put_dnat(b, family);
				break;
			case OUTPUT:
				put_is_own(b, family);
				put_dnat(b, family);
				break;
			case POSTROUTING:
				nft_put_payload(b, NFT_PAYLOAD_NETWORK_HEADER, family == AF_INET ? 12 : 8,
				                address_len(family), NFT_REG_1);
				nft_put_lookup(b, MASQ, 0);
				nft_put_masquerade(b);
				break;
			case CHAINS:
				break;
			}
	}
}

static void put_frame(struct nl_batch *b, uint8_t family, const struct frame *f)
{
	nft_put_table(b, family, TABLE);
	if (!f->has_masq)
		put_set(b, family, false);
	if (!f->has_map)
		put_set(b, family, true);
	for (enum chain i = 0; i < CHAINS; i++) {
		nft_put_nat_chain(b, family, TABLE, chains[i].name, chains[i].hook, chains[i].priority);
		if (f->rules[i] == 0)
			put_rule(b, family, i);
	}
}

/* ---- the forwards */

static void put_forward(struct nl_batch *b, const struct forward *f, bool gone)
{
	const struct nft_key key = { .proto = f->port.udp ? IPPROTO_UDP : IPPROTO_TCP,
		                     .port = htons(f->port.host) };
	const size_t len = address_len(f->to.family);
	const struct nfgenmsg head = nft_head(f->to.family);
	const uint16_t port = htons(f->port.guest);
	uint8_t to[20] = { 0 };

	memcpy(to, f->to.bytes, len);
	memcpy(to + len, &port, sizeof(port));
	NL_MSG(b, nft_type(gone ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM),
	       NLM_F_ACK | (gone ? 0 : NLM_F_CREATE), head) {
		nl_str(b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
		nl_str(b, NFTA_SET_ELEM_LIST_SET, NFT_NSPAWN_MAP);
		NL_NEST(b, NFTA_SET_ELEM_LIST_ELEMENTS)
			NL_NEST(b, NFTA_LIST_ELEM) {
				NL_NEST(b, NFTA_SET_ELEM_KEY)
					nl_raw(b, NFTA_DATA_VALUE, &key, sizeof(key));
				if (!gone)
					NL_NEST(b, NFTA_SET_ELEM_DATA)
						nl_raw(b, NFTA_DATA_VALUE, to, len + 4);
			}
	}
}

int nft_forward_delete(const struct forward *f, uint32_t generation, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[ELEM_SIZE];
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	char port[PORT_TEXT_SIZE];
	int r;

	port_print(&f->port, port);
	r = gate_ask(e, "cannot delete the dead port forward %s", port);
	if (r == 0)
		r = nl_open(NETLINK_NETFILTER, &nl, e);
	if (r < 0)
		return r;
	nft_begin(&b, generation);
	put_forward(&b, f, true);
	r = nft_send(&nl, &b, e);
	return r == -ENOENT ? 0 : r < 0 ? err_wrap(e, r, "cannot delete the dead port forward %s", port) : 0;
}

static const struct forward *find(const struct forward *v, size_t n, uint8_t family, const struct port *p)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].to.family == family && v[i].port.udp == p->udp && v[i].port.host == p->host)
			return &v[i];
	return NULL;
}

static bool same(const struct forward *a, const struct forward *b)
{
	return a->port.guest == b->port.guest && addr_same(&a->to, &b->to);
}

struct wish {
	uint8_t family;
	const struct forward *add, *gone;
	size_t n_add, n_gone;
};

static int put_forwards(struct nl_batch *b, const struct wish *w, const struct forwards *now, struct err *e)
{
	for (size_t i = 0; i < w->n_gone; i++) {
		const struct forward *is = find(now->v, now->n, w->family, &w->gone[i].port);

		if (is && same(is, &w->gone[i]))
			put_forward(b, is, true);
	}
	for (size_t i = 0; i < w->n_add; i++) {
		const struct forward *is = find(now->v, now->n, w->family, &w->add[i].port);
		const struct forward *goes = find(w->gone, w->n_gone, w->family, &w->add[i].port);
		char port[PORT_TEXT_SIZE];

		if (is && same(is, &w->add[i]))
			continue;
		port_print(&w->add[i].port, port);
		if (is && !(goes && same(is, goes)))
			return err_set(e, STATUS_BUSY, EADDRINUSE, "port %s was taken meanwhile", port);
		put_forward(b, &w->add[i], false);
	}
	return 0;
}

static int mend_once(struct nl *nl, const struct wish *w, struct err *e)
{
	const size_t size = FRAME_SIZE + (w->n_add + w->n_gone) * ELEM_SIZE;
	CLEANUP(free_p) char *data = malloc(size);
	CLEANUP(free_p) struct forward *all = NULL;
	struct nl_batch b = { .data = data, .size = size };
	struct forwards now = { 0 };
	struct frame frame;
	int r = data ? nft_forwards(&now, e) : err_no_memory(e);

	all = now.v;
	if (r >= 0)
		r = read_frame(nl, w->family, &frame, e);
	if (r < 0)
		return r;
	nft_begin(&b, now.generation);
	if (w->n_add > 0)
		put_frame(&b, w->family, &frame);
	r = put_forwards(&b, w, &now, e);
	return r < 0 ? r : nft_send(nl, &b, e);
}

int nft_forwards_mend(uint8_t family, const struct forward *add, size_t n_add, const struct forward *gone,
                      size_t n_gone, struct err *e)
{
	const struct wish w = { family, add, gone, n_add, n_gone };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	int r = gate_ask(e, "cannot mend the port forwards");

	if (r == 0)
		r = nl_open(NETLINK_NETFILTER, &nl, e);
	if (r < 0)
		return r;
	r = -EAGAIN;
	for (int i = 0; r == -EAGAIN && i < TRIES; i++)
		r = mend_once(&nl, &w, e);
	return r < 0 ? err_wrap(e, r, "cannot mend the port forwards (nftables)") : 0;
}

#include "drivers/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/nft_private.h"

#define TABLE NFT_NSPAWN_TABLE
#define MAP   NFT_NSPAWN_MAP

static bool read_forward(uint8_t family, const struct nlattr *element, struct forward *ret)
{
	const struct nlattr *a[NFTA_SET_ELEM_DATA + 1], *value[NFTA_DATA_VALUE + 1];
	struct forward f = { .to.family = family };
	const uint8_t *to;
	const void *bytes;
	struct nft_key key;
	uint16_t port;

	f.to.prefix = addr_bits(&f.to);
	nl_nested(element, a, NFTA_SET_ELEM_DATA);
	nl_nested(a[NFTA_SET_ELEM_KEY], value, NFTA_DATA_VALUE);
	bytes = nl_bytes(value[NFTA_DATA_VALUE], sizeof(key));
	if (!bytes)
		return false;
	memcpy(&key, bytes, sizeof(key));
	nl_nested(a[NFTA_SET_ELEM_DATA], value, NFTA_DATA_VALUE);
	to = nl_bytes(value[NFTA_DATA_VALUE], addr_size(&f.to) + sizeof(port));
	if (!to || (key.proto != IPPROTO_TCP && key.proto != IPPROTO_UDP))
		return false;
	memcpy(f.to.bytes, to, addr_size(&f.to));
	memcpy(&port, to + addr_size(&f.to), sizeof(port));
	f.port = (struct port){ .udp = key.proto == IPPROTO_UDP,
		                .host = ntohs(key.port),
		                .guest = ntohs(port) };
	*ret = f;
	return true;
}

struct reading {
	uint8_t family;
	size_t before; /* elements of the other family */
	struct forwards *to;
};

static int on_element(const struct nlattr *a, uint16_t type, void *arg)
{
	struct reading *reading = arg;
	struct forwards *l = reading->to;
	struct forward f, *grown;

	if (type != NFTA_LIST_ELEM || !read_forward(reading->family, a, &f))
		return 0;
	grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	l->v[l->n++] = f;
	return 0;
}

static int on_elements(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];
	struct reading *reading = arg;

	if (!m) {
		reading->to->n = reading->before;
		return 0;
	}
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS);
	return nl_each(a[NFTA_SET_ELEM_LIST_ELEMENTS], on_element, reading);
}

static int read_family(struct nl *nl, uint8_t family, struct forwards *to, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = family };
	struct reading reading = { family, to->n, to };
	int r;

	NL_MSG(&b, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
		nl_str(&b, NFTA_SET_ELEM_LIST_SET, MAP);
	}
	r = nl_dump(nl, &b, on_elements, &reading, e);
	return r == -ENOENT ? 0 : r; /* no such table: nobody forwards */
}

static int on_generation(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	const struct nlattr *a[NFTA_GEN_ID + 1];
	uint32_t *generation = arg;

	(void)i;
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_GEN_ID);
	*generation = ntohl(nl_get_u32(a[NFTA_GEN_ID], 0));
	return 0;
}

int nft_generation(struct nl *nl, uint32_t *ret, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { 0 };
	struct nl_answer answer;
	int r;

	NL_MSG(&b, nft_type(NFT_MSG_GETGEN), NLM_F_ACK, head) {
	}
	r = nl_commit(nl, &b, &answer, on_generation, ret, e);
	if (r == 0 && answer.error)
		r = err_set(e, err_status_of(answer.error), answer.error, "%s", answer.text);
	return r;
}

int nft_forwards(struct forwards *ret, struct err *e)
{
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct forwards l = { 0 };
	int r = nl_open(NETLINK_NETFILTER, &nl, e);

	if (r == 0)
		r = nft_generation(&nl, &l.generation, e);
	if (r == 0)
		r = read_family(&nl, AF_INET, &l, e);
	if (r == 0)
		r = read_family(&nl, AF_INET6, &l, e);
	if (r < 0) {
		free(l.v);
		return err_wrap(e, r, "cannot read the port forwards (nftables)");
	}
	*ret = l;
	return 0;
}

int nft_monitor(struct nl *ret, struct err *e)
{
	static const unsigned groups[] = { NFNLGRP_NFTABLES };

	return nl_monitor(NETLINK_NETFILTER, groups, COUNT(groups), false, ret, e);
}

static void on_change(const struct nlmsghdr *m, int netnsid, void *arg)
{
	(void)m, (void)netnsid;
	*(bool *)arg = true;
}

bool nft_changed(struct nl *monitor)
{
	bool changed = false;

	return nl_events(monitor, on_change, &changed, NULL) < 0 || changed;
}

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/nft_private.h"

struct nfgenmsg nft_head(uint8_t family)
{
	return (struct nfgenmsg){ .nfgen_family = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6 };
}

static int on_rule(const struct nlmsghdr *m, void *arg)
{
	size_t *n = arg;

	*n = m ? *n + 1 : 0;
	return 0;
}

int nft_rules_of(struct nl *nl, uint8_t family, const char *table, const char *chain, size_t *ret,
                 struct err *e)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	const struct nfgenmsg head = nft_head(family);
	int r;

	*ret = 0;
	NL_MSG(&b, nft_type(NFT_MSG_GETRULE), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_RULE_TABLE, table);
		nl_str(&b, NFTA_RULE_CHAIN, chain);
	}
	r = nl_dump(nl, &b, on_rule, ret, e);
	return r == -ENOENT ? 0 : r;
}

void nft_put_be(struct nl_batch *b, uint16_t type, uint32_t value)
{
	nl_u32(b, type, htonl(value));
}

void *nft_expr(struct nl_batch *b, const char *name)
{
	nl_str(b, NFTA_EXPR_NAME, name);
	return nl_nest(b, NFTA_EXPR_DATA);
}

void nft_put_payload(struct nl_batch *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t to)
{
	NFT_EXPR(b, "payload")
	{
		nft_put_be(b, NFTA_PAYLOAD_DREG, to);
		nft_put_be(b, NFTA_PAYLOAD_BASE, base);
		nft_put_be(b, NFTA_PAYLOAD_OFFSET, offset);
		nft_put_be(b, NFTA_PAYLOAD_LEN, len);
	}
}

void nft_put_lookup(struct nl_batch *b, const char *set, uint32_t flags)
{
	NFT_EXPR(b, "lookup")
	{
		nl_str(b, NFTA_LOOKUP_SET, set);
		nft_put_be(b, NFTA_LOOKUP_SREG, NFT_REG_1);
		nft_put_be(b, NFTA_LOOKUP_FLAGS, flags);
	}
}

void nft_put_compare(struct nl_batch *b, uint32_t op, const void *bytes, size_t len)
{
	NFT_EXPR(b, "cmp")
	{
		nft_put_be(b, NFTA_CMP_SREG, NFT_REG_1);
		nft_put_be(b, NFTA_CMP_OP, op);
		NL_NEST(b, NFTA_CMP_DATA)
			nl_raw(b, NFTA_DATA_VALUE, bytes, len);
	}
}

void nft_put_masquerade(struct nl_batch *b)
{
	NL_NEST(b, NFTA_LIST_ELEM)
		nl_str(b, NFTA_EXPR_NAME, "masq");
}

void nft_put_table(struct nl_batch *b, uint8_t family, const char *table)
{
	const struct nfgenmsg head = nft_head(family);

	if (gate_ask(NULL, "cannot make a table of nf_tables") < 0)
		b->bad = true;
	NL_MSG(b, nft_type(NFT_MSG_NEWTABLE), NLM_F_ACK | NLM_F_CREATE, head)
		nl_str(b, NFTA_TABLE_NAME, table);
}

void nft_put_nat_chain(struct nl_batch *b, uint8_t family, const char *table, const char *chain,
                       uint32_t hook, int priority)
{
	const struct nfgenmsg head = nft_head(family);

	if (gate_ask(NULL, "cannot make a chain of nf_tables") < 0)
		b->bad = true;
	NL_MSG(b, nft_type(NFT_MSG_NEWCHAIN), NLM_F_ACK | NLM_F_CREATE, head) {
		nl_str(b, NFTA_CHAIN_TABLE, table);
		nl_str(b, NFTA_CHAIN_NAME, chain);
		NL_NEST(b, NFTA_CHAIN_HOOK) {
			nft_put_be(b, NFTA_HOOK_HOOKNUM, hook);
			nft_put_be(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		}
		nl_str(b, NFTA_CHAIN_TYPE, "nat");
	}
}

void nft_begin(struct nl_batch *b, uint32_t generation)
{
	const struct nfgenmsg edge = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	NL_MSG(b, NFNL_MSG_BATCH_BEGIN, 0, edge)
		nft_put_be(b, NFNL_BATCH_GENID, generation);
}

int nft_send(struct nl *nl, struct nl_batch *b, struct err *e)
{
	const struct nfgenmsg edge = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	CLEANUP(free_p) struct nl_answer *answers = NULL;
	uint32_t n;
	int r;

	NL_MSG(b, NFNL_MSG_BATCH_END, 0, edge) {
	}
	n = b->n;
	answers = calloc(n + 1, sizeof(*answers));
	r = answers ? nl_commit(nl, b, answers, NULL, NULL, e) : err_no_memory(e);
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		if (answers[i].error == ERESTART)
			return err_set(e, STATUS_BUSY, EAGAIN, "the firewall's rules keep changing");
		if (answers[i].error)
			r = err_set(e, err_status_of(answers[i].error), answers[i].error,
			            "request %u of %u: %s", i + 1, n, answers[i].text);
	}
	return r;
}

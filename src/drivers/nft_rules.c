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
#include "drivers/nft_filters.h"
#include "drivers/nl.h"

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
	struct nft_reading *reading = arg;
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
		chain.hook = strcmp(type, "nat") == 0
		                     ? FW_NO_HOOK
		                     : hook_of(nft_number(hook[NFTA_HOOK_HOOKNUM], UINT32_MAX));
		chain.priority = (int)nft_number(hook[NFTA_HOOK_PRIORITY], 0);
	}
	chain.drops = a[NFTA_CHAIN_POLICY] && nft_number(a[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
	if (is_of_iptables(&chain))
		reading->to->has_iptables = true;
	else if (chain.hook != FW_NO_HOOK)
		reading->to->has_nft = true;
	return add_chain(reading->to, &chain) || reading->to->cut ? 0 : -ENOMEM;
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
	char name[FW_NAME];
	struct nft_reading *reading = arg;
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
	reading->family = head->nfgen_family;
	nl_text(a[NFTA_RULE_TABLE], reading->table, sizeof(reading->table));
	nl_text(a[NFTA_RULE_CHAIN], name, sizeof(name));
	chain = chain_of(reading->to, reading->family, reading->table, name);
	if (!chain)
		return 0;
	if (reading->n_rules++ == FW_RULE_MAX)
		reading->to->cut = true;
	if (reading->to->cut)
		return 0;
	reading->rule = (struct fw_rule){ 0 };
	reading->translates = false;
	for (size_t i = 0; i < NFT_REGISTERS; i++)
		reading->held[i] = (struct nft_held){ .field = FW_OTHER };
	(void)nl_each(a[NFTA_RULE_EXPRESSIONS], nft_read_expression, reading);
	if (reading->translates && strcmp(reading->table, NFT_SYSTEMD) != 0)
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
	struct nft_reading *reading = arg;

	if (!m)
		return 0;
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS);
	reading->to->masquerades |= nl_len(a[NFTA_SET_ELEM_LIST_ELEMENTS]) > 0;
	return 0;
}

static void read_sources(struct nl *nl, uint8_t family, struct nft_reading *reading)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = family };

	NL_MSG(&b, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_SET_ELEM_LIST_TABLE, NFT_SYSTEMD);
		nl_str(&b, NFTA_SET_ELEM_LIST_SET, "masq_saddr");
	}
	(void)nl_dump(nl, &b, on_source, reading, NULL);
}

static int dump(struct nl *nl, unsigned message, nl_dump_fn *each, struct nft_reading *reading, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = NFPROTO_UNSPEC };

	NL_MSG(&b, nft_type(message), NLM_F_DUMP, head) {
	}
	return nl_dump(nl, &b, each, reading, e);
}

int nft_rules(int netns, struct firewall *ret, struct err *e)
{
	CLEANUP(firewall_done) struct firewall f = { 0 };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct nft_reading reading = { .to = &f };
	int r = netns < 0 ? nl_open(NETLINK_NETFILTER, &nl, e) : nl_open_in(netns, NETLINK_NETFILTER, &nl, e);

	if (r == 0)
		r = dump(&nl, NFT_MSG_GETCHAIN, on_chain, &reading, e);
	if (r == 0)
		r = dump(&nl, NFT_MSG_GETRULE, on_rule, &reading, e);
	if (r == 0)
		r = nft_read_sets(&nl, &f, e);
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

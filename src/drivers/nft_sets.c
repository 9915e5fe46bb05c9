/* The sets and maps that rules look into. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/nft_filters.h"

uint32_t nft_number(const struct nlattr *a, uint32_t otherwise)
{
	return ntohl(nl_get_u32(a, htonl(otherwise)));
}

static struct fw_set *find_set(struct firewall *f, uint8_t family, const char *table, const char *name)
{
	for (size_t i = 0; i < f->n_sets; i++)
		if (f->sets[i].family == family && strcmp(f->sets[i].name, name) == 0 &&
		    strcmp(f->sets[i].table, table) == 0)
			return &f->sets[i];
	return NULL;
}

bool nft_set_of(struct nft_reading *reading, const char *name, size_t *ret)
{
	struct firewall *f = reading->to;
	struct fw_set *set = find_set(f, reading->family, reading->table, name), *grown;

	if (!set && f->n_sets < FW_SET_MAX) {
		grown = reallocarray(f->sets, f->n_sets + 1, sizeof(*grown));
		if (!grown)
			return false;
		f->sets = grown;
		set = &grown[f->n_sets++];
		*set = (struct fw_set){ .family = reading->family };
		memcpy(set->table, reading->table, sizeof(set->table));
		(void)strncpy(set->name, name, sizeof(set->name) - 1);
	}
	if (set)
		*ret = (size_t)(set - f->sets);
	return set;
}

/* ---- what kind each is */

static int on_set(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_KEY_LEN + 1];
	char table[FW_NAME], name[FW_NAME];
	const struct nfgenmsg *head = m ? nl_head(m, sizeof(*head)) : NULL;
	struct fw_set *set;

	if (!head)
		return 0;
	nl_attrs(m, sizeof(*head), a, NFTA_SET_KEY_LEN);
	nl_text(a[NFTA_SET_TABLE], table, sizeof(table));
	nl_text(a[NFTA_SET_NAME], name, sizeof(name));
	set = find_set(arg, head->nfgen_family, table, name);
	if (!set)
		return 0;
	set->len = (uint8_t)nft_number(a[NFTA_SET_KEY_LEN], 0);
	set->known = nft_number(a[NFTA_SET_KEY_LEN], 0) <= FW_DATA;
	set->has_intervals = nft_number(a[NFTA_SET_FLAGS], 0) & NFT_SET_INTERVAL;
	return 0;
}

/* ---- what is in it */

struct filling {
	struct fw_set *set;
	size_t *n; /* of all sets */
};

static int on_element(const struct nlattr *element, uint16_t type, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_KEY_END + 1], *value[NFTA_DATA_VALUE + 1];
	struct filling *filling = arg;
	struct fw_set *set = filling->set;
	struct fw_element new = { 0 }, *grown;
	const void *key;

	if (type != NFTA_LIST_ELEM)
		return 0;
	nl_nested(element, a, NFTA_SET_ELEM_KEY_END);
	nl_nested(a[NFTA_SET_ELEM_KEY], value, NFTA_DATA_VALUE);
	key = nl_bytes(value[NFTA_DATA_VALUE], set->len);
	if (!key || a[NFTA_SET_ELEM_KEY_END] || (*filling->n)++ == FW_ELEMENT_MAX) {
		set->known = false; /* of all keys, of several fields, or too much */
		return 0;
	}
	memcpy(new.key, key, set->len);
	new.is_end = nft_number(a[NFTA_SET_ELEM_FLAGS], 0) & NFT_SET_ELEM_INTERVAL_END;
	new.verdict = nft_verdict(a[NFTA_SET_ELEM_DATA], new.to);
	grown = set->known ? reallocarray(set->v, set->n + 1, sizeof(*grown)) : NULL;
	if (!grown)
		return set->known ? -ENOMEM : 0;
	set->v = grown;
	grown[set->n++] = new;
	return 0;
}

static int on_elements(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_ELEMENTS + 1];
	struct filling *filling = arg;

	if (!m) {
		filling->set->n = 0;
		return 0;
	}
	nl_attrs(m, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_ELEMENTS);
	return nl_each(a[NFTA_SET_ELEM_LIST_ELEMENTS], on_element, filling);
}

/* Where one interval ends the next may start: its start counts. */
static int by_key(const void *a, const void *b)
{
	const struct fw_element *x = a, *y = b;
	int difference = memcmp(x->key, y->key, sizeof(x->key));

	return difference != 0 ? difference : (int)y->is_end - (int)x->is_end;
}

static void fill(struct nl *nl, struct fw_set *set, size_t *n)
{
	_Alignas(struct nlmsghdr) char data[256];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { .nfgen_family = set->family };
	struct filling filling = { set, n };

	NL_MSG(&b, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, head) {
		nl_str(&b, NFTA_SET_ELEM_LIST_TABLE, set->table);
		nl_str(&b, NFTA_SET_ELEM_LIST_SET, set->name);
	}
	if (nl_dump(nl, &b, on_elements, &filling, NULL) < 0)
		set->known = false;
	if (set->n > 0)
		qsort(set->v, set->n, sizeof(*set->v), by_key);
}

int nft_read_sets(struct nl *nl, struct firewall *to, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nfgenmsg head = { 0 };
	size_t n = 0;
	int r;

	if (to->n_sets == 0)
		return 0;
	NL_MSG(&b, nft_type(NFT_MSG_GETSET), NLM_F_DUMP, head) {
	}
	r = nl_dump(nl, &b, on_set, to, e);
	for (size_t i = 0; r == 0 && i < to->n_sets; i++)
		if (to->sets[i].known)
			fill(nl, &to->sets[i], &n);
	return r;
}

#include "decide/firewall.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

#define DEPTH 16     /* of jumps, which is the kernel's limit, too */
#define STEPS 100000 /* rules that are looked at: jumps multiply, and a guest's are its own */

enum { CAN_ACCEPT = 1, CAN_DROP = 2, CAN_GO_ON = 4 }; /* what may come of it, bits */

enum match { NO, MAYBE, YES };

struct walk {
	const struct firewall *f;
	const struct firewall_packet *p;
	const struct fw_chain *dropper; /* whose rule drops, or may */
	unsigned steps;
};

/* ---- one condition */

static bool put(uint8_t *to, const void *value, size_t len)
{
	memcpy(to, value, len);
	return true;
}

static bool put_u32(uint8_t *to, uint32_t value)
{
	return put(to, &value, sizeof(value));
}

static bool put_name(uint8_t *to, const char *name)
{
	if (name)
		(void)snprintf((char *)to, FW_DATA, "%s", name);
	return name;
}

static bool put_port(uint8_t *to, uint16_t port)
{
	uint16_t wire = htons(port);

	return port != 0 && put(to, &wire, sizeof(wire));
}

static bool put_address(uint8_t *to, const struct addr *a)
{
	return addr_is_set(a) && put(to, a->bytes, addr_size(a));
}

/* What the packet has there, into zeroed bytes; false: not known. */
static bool field_of(const struct firewall_packet *p, enum fw_field field, uint8_t to[FW_DATA])
{
	switch (field) {
	case FW_IIF:
		return p->iif != 0 && put_u32(to, (uint32_t)p->iif);
	case FW_OIF:
		return p->oif != 0 && put_u32(to, (uint32_t)p->oif);
	case FW_IIF_NAME:
		return put_name(to, p->iif_name);
	case FW_OIF_NAME:
		return put_name(to, p->oif_name);
	case FW_L4:
		to[0] = p->udp ? IPPROTO_UDP : IPPROTO_TCP;
		return true;
	case FW_FAMILY:
		to[0] = p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		return true;
	case FW_SADDR:
		return put_address(to, &p->from);
	case FW_DADDR:
		return put_address(to, &p->to);
	case FW_SPORT:
		return put_port(to, p->from_port);
	case FW_DPORT:
		return put_port(to, p->to_port);
	case FW_CT_STATE:
		return put_u32(to, 1u << ((p->is_reply ? IP_CT_ESTABLISHED : IP_CT_NEW) + 1));
	case FW_CT_STATUS:
		return put_u32(to, p->is_translated ? IPS_DST_NAT : 0);
	case FW_CT_DIRECTION:
		to[0] = p->is_reply ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
		return true;
	case FW_OTHER:
		return false;
	}
	return false;
}

/* Of the status only these bits are known. */
static bool asks_too_much(const struct fw_condition *c)
{
	uint32_t mask;

	memcpy(&mask, c->mask, sizeof(mask));
	return c->field == FW_CT_STATUS &&
	       (!c->masked || (mask & ~(uint32_t)(IPS_DST_NAT | IPS_SRC_NAT)) != 0);
}

static bool compares(int difference, enum fw_test test)
{
	switch (test) {
	case FW_EQ:
		return difference == 0;
	case FW_NE:
		return difference != 0;
	case FW_LT:
		return difference < 0;
	case FW_LE:
		return difference <= 0;
	case FW_GT:
		return difference > 0;
	case FW_GE:
		return difference >= 0;
	case FW_IN:
	case FW_NOT_IN:
		break;
	}
	return false;
}

static size_t size_of(const struct firewall_packet *p, enum fw_field field)
{
	switch (field) {
	case FW_IIF:
	case FW_OIF:
	case FW_CT_STATE:
	case FW_CT_STATUS:
		return 4;
	case FW_IIF_NAME:
	case FW_OIF_NAME:
		return FW_DATA;
	case FW_L4:
	case FW_FAMILY:
	case FW_CT_DIRECTION:
		return 1;
	case FW_SADDR:
	case FW_DADDR:
		return p->family == AF_INET6 ? 16 : 4;
	case FW_SPORT:
	case FW_DPORT:
		return 2;
	case FW_OTHER:
		return 0;
	}
	return 0;
}

/* What the set has for that: of intervals the last that starts before it, if that has not ended. NULL: nothing. */
static const struct fw_element *look_up(const struct fw_set *set, const uint8_t is[FW_DATA])
{
	const struct fw_element *last;
	size_t from = 0, to = set->n; /* of those before from the key is not greater */

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (memcmp(set->v[middle].key, is, set->len) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	last = from > 0 ? &set->v[from - 1] : NULL;
	if (!last || last->is_end || (!set->has_intervals && memcmp(last->key, is, set->len) != 0))
		return NULL;
	return last;
}

/* The value that a condition looks at; false: not known. */
static bool value_of(const struct firewall_packet *p, const struct fw_condition *c, uint8_t is[FW_DATA])
{
	if (c->len > FW_DATA || asks_too_much(c) || !field_of(p, c->field, is))
		return false;
	for (size_t i = 0; c->masked && i < FW_DATA; i++)
		is[i] &= c->mask[i];
	return true;
}

static enum match meets(const struct firewall *f, const struct firewall_packet *p,
                        const struct fw_condition *c)
{
	uint8_t is[FW_DATA] = { 0 };

	if (!value_of(p, c, is))
		return MAYBE;
	if (c->test != FW_IN && c->test != FW_NOT_IN)
		return compares(memcmp(is, c->value, c->len), c->test) ? YES : NO;
	if (c->set >= f->n_sets || !f->sets[c->set].known || f->sets[c->set].len != size_of(p, c->field))
		return MAYBE;
	return (look_up(&f->sets[c->set], is) != NULL) == (c->test == FW_IN) ? YES : NO;
}

/* What the map of the last condition has for the packet, which is in it. */
static const struct fw_element *mapped(const struct firewall *f, const struct firewall_packet *p,
                                       const struct fw_rule *r)
{
	const struct fw_condition *c = r->n > 0 ? &r->v[r->n - 1] : NULL;
	uint8_t is[FW_DATA] = { 0 };

	return c && c->test == FW_IN && c->set < f->n_sets && value_of(p, c, is)
	               ? look_up(&f->sets[c->set], is)
	               : NULL;
}

static enum match matches(const struct firewall *f, const struct firewall_packet *p, const struct fw_rule *r)
{
	enum match all = YES;

	for (size_t i = 0; i < r->n && all != NO; i++) {
		enum match one = meets(f, p, &r->v[i]);

		all = one < all ? one : all;
	}
	return all;
}

/* ---- chains */

static const struct fw_chain *find_chain(const struct firewall *f, const struct fw_chain *from,
                                         const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].family == from->family && strcmp(f->v[i].table, from->table) == 0 &&
		    strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	return NULL;
}

static void blame(struct walk *w, const struct fw_chain *chain)
{
	if (!w->dropper)
		w->dropper = chain;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the kernel lets jumps be */
static unsigned run_chain(struct walk *w, const struct fw_chain *chain, int depth)
{
	unsigned can = 0; /* what came of rules that may match */

	for (size_t i = 0; i < chain->n; i++) {
		const struct fw_rule *r = &chain->rules[i];
		enum match match = matches(w->f, w->p, r);
		const struct fw_element *found = NULL;
		enum fw_verdict verdict = r->verdict;
		const char *target = r->to;
		const struct fw_chain *to = NULL;
		unsigned comes = 0;

		if (++w->steps > STEPS)
			return can | CAN_ACCEPT | CAN_DROP | CAN_GO_ON;
		if (match == NO)
			continue;
		if (verdict == FW_MAP) {
			found = match == YES ? mapped(w->f, w->p, r) : NULL;
			verdict = found ? found->verdict : FW_UNCLEAR;
			target = found ? found->to : target;
		}
		switch (verdict) {
		case FW_CONTINUE:
			continue;
		case FW_ACCEPT:
			comes = CAN_ACCEPT;
			break;
		case FW_DROP:
			comes = CAN_DROP;
			blame(w, chain);
			break;
		case FW_RETURN:
			comes = CAN_GO_ON;
			break;
		case FW_MAP:
		case FW_UNCLEAR:
			comes = CAN_ACCEPT | CAN_DROP | CAN_GO_ON;
			blame(w, chain);
			match = MAYBE;
			break;
		case FW_JUMP:
		case FW_GOTO:
			to = find_chain(w->f, chain, target);
			comes = to && depth < DEPTH && w->steps < STEPS ? run_chain(w, to, depth + 1)
			                                                : CAN_ACCEPT | CAN_DROP | CAN_GO_ON;
			break;
		}
		if (verdict == FW_JUMP && comes & CAN_GO_ON) {
			can |= comes & ~(unsigned)CAN_GO_ON;
			continue;
		}
		can |= comes;
		if (match == YES)
			return can;
	}
	return can | CAN_GO_ON;
}

static bool concerns(const struct fw_chain *c, const struct firewall_packet *p)
{
	return c->hook == p->hook && (c->family == NFPROTO_INET ||
	                              c->family == (p->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4));
}

static const char *family_word(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

static void judge_chain(const struct firewall *f, const struct fw_chain *base,
                        const struct firewall_packet *p, struct firewall_verdict *ret)
{
	struct walk w = { .f = f, .p = p };
	unsigned can = run_chain(&w, base, 0);
	bool by_policy = can & CAN_GO_ON && base->drops;
	enum firewall_answer answer = FIREWALL_PASSES;

	if (can & CAN_GO_ON)
		can = (can & ~(unsigned)CAN_GO_ON) | (base->drops ? CAN_DROP : CAN_ACCEPT);
	if (can & CAN_DROP)
		answer = can & CAN_ACCEPT ? FIREWALL_MAY_DROP : FIREWALL_DROPS;
	if (answer <= ret->answer)
		return;
	*ret = (struct firewall_verdict){ .answer = answer, .by_policy = by_policy };
	if (answer == FIREWALL_PASSES)
		return;
	if (by_policy || !w.dropper)
		w.dropper = base;
	(void)snprintf(ret->where, sizeof(ret->where), "chain %s of table %s %s%s", w.dropper->name,
	               family_word(w.dropper->family), w.dropper->table, by_policy ? " (policy drop)" : "");
}

void firewall_judge(const struct firewall *f, const struct firewall_packet *p, struct firewall_verdict *ret)
{
	*ret = (struct firewall_verdict){ .answer = f->cut ? FIREWALL_MAY_DROP : FIREWALL_PASSES };
	for (size_t i = 0; i < f->n; i++)
		if (concerns(&f->v[i], p))
			judge_chain(f, &f->v[i], p, ret);
}

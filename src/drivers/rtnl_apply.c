/* Carrying out network operations: names to indexes, one batch, then a look at every answer (rtnl.h:
 * rtnl_apply). */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/rtnl.h"

#define REQUEST_SIZE 128 /* no request of ours is larger */

/* A link that operations name. */
struct target {
	char name[NETOP_NAME_SIZE];
	char renamed[NETOP_NAME_SIZE]; /* what an operation of this batch calls it from there on; "" */
	int index;
	struct link before; /* as it was when the batch began */
};

struct step {
	const struct netop *op;
	struct target *link, *bridge;   /* NULL: not there, or none is needed */
	const struct nl_answer *answer; /* NULL: nothing had to be sent */
	bool changed;
};

struct job {
	const char *who;
	struct nl nl;
	struct target *targets; /* room for two an operation */
	size_t n_targets;
	struct step *steps;
	size_t n_steps;
	struct nl_answer *answers;
	struct nl_batch batch;
};

static void job_done(struct job *j)
{
	for (size_t i = 0; i < j->n_targets; i++)
		link_done(&j->targets[i].before);
	free(j->targets);
	free(j->steps);
	free(j->answers);
	free(j->batch.data);
	nl_close(&j->nl);
}

/* ---- sentences */

static void describe(const struct netop *op, char *ret, size_t size)
{
	struct addr shown = op->addr;
	char addr[ADDR_TEXT_SIZE];

	shown.has_prefix = shown.has_prefix || op->kind == NETOP_ADDRESS;
	addr_print(&shown, op->kind != NETOP_DEFAULT, addr);
	if (op->gone) {
		(void)snprintf(ret, size, "cannot take %s%s away from %s",
		               op->kind == NETOP_ADDRESS ? "" : "the route by ",
		               op->kind == NETOP_MASTER ? op->to : addr, op->dev);
		return;
	}
	switch (op->kind) {
	case NETOP_RENAME:
		(void)snprintf(ret, size, "cannot rename %s to %s", op->dev, op->to);
		break;
	case NETOP_MAC:
		(void)snprintf(ret, size, "cannot set the MAC address of %s", op->dev);
		break;
	case NETOP_UP:
		(void)snprintf(ret, size, "cannot bring %s up", op->dev);
		break;
	case NETOP_MASTER:
		(void)snprintf(ret, size, "cannot attach %s to bridge %s", op->dev, op->to);
		break;
	case NETOP_DELETE:
		(void)snprintf(ret, size, "cannot delete %s", op->dev);
		break;
	case NETOP_ADDRESS:
		(void)snprintf(ret, size, "cannot add %s to %s", addr, op->dev);
		break;
	case NETOP_ROUTE:
		(void)snprintf(ret, size, "cannot add the route to %s on %s", addr, op->dev);
		break;
	case NETOP_DEFAULT:
		(void)snprintf(ret, size, "cannot add the default route by %s on %s", addr, op->dev);
		break;
	}
}

static int fail(const struct job *j, const struct step *s, enum status status, int errnum, const char *cause,
                struct err *e)
{
	char what[320];

	describe(s->op, what, sizeof(what));
	return err_set(e, status, errnum, "%s: %s: %s", j->who, what, cause);
}

/* ---- before the batch: names to indexes */

static struct target *find_target(struct job *j, const char *name)
{
	struct target *t;
	int index;

	for (size_t i = 0; i < j->n_targets; i++) {
		t = &j->targets[i];
		if (strcmp(t->name, name) == 0 || strcmp(t->renamed, name) == 0)
			return t;
	}
	index = rtnl_index(&j->nl, name);
	if (index == 0)
		return NULL;
	t = &j->targets[j->n_targets++];
	t->index = index;
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

static int index_of(const struct target *t)
{
	return t ? t->index : 0;
}

static int resolve(struct job *j, struct step *s, struct err *e)
{
	const struct netop *op = s->op;

	s->link = op->dev[0] ? find_target(j, op->dev) : NULL;
	if (op->kind == NETOP_RENAME && s->link)
		memcpy(s->link->renamed, op->to, sizeof(op->to));
	if (op->kind == NETOP_MASTER && !op->gone) {
		s->bridge = find_target(j, op->to);
		if (!s->bridge)
			return fail(j, s, STATUS_NO_CONTAINER, ENODEV,
			            "there is no such bridge (create it, or change the bridge's name)", e);
	}
	if (s->link || op->gone || (op->kind == NETOP_DEFAULT && !op->dev[0]) ||
	    (op->kind == NETOP_DELETE && op->may_be_absent))
		return 0;
	if (op->kind == NETOP_RENAME && find_target(j, op->to)) /* done before */
		return 0;
	return fail(j, s, STATUS_NO_CONTAINER, ENODEV, "there is no link of that name", e);
}

/* ---- the batch */

static void put_link(struct nl_batch *b, int index, bool up, const struct netop *op,
                     const struct target *bridge)
{
	struct ifinfomsg head = { .ifi_index = index,
		                  .ifi_flags = up ? IFF_UP : 0,
		                  .ifi_change = up ? IFF_UP : 0 };

	NL_MSG(b, RTM_NEWLINK, NLM_F_ACK, head) {
		if (op->kind == NETOP_RENAME)
			nl_str(b, IFLA_IFNAME, op->to);
		if (op->kind == NETOP_MAC)
			nl_raw(b, IFLA_ADDRESS, op->mac, sizeof(op->mac));
		if (op->kind == NETOP_MASTER)
			nl_u32(b, IFLA_MASTER, bridge ? (uint32_t)bridge->index : 0);
	}
}

static void put_address(struct nl_batch *b, uint16_t type, uint16_t flags, int index, const struct addr *a)
{
	bool alone = a->family == AF_INET6 && a->prefix == 128;
	struct ifaddrmsg head = { .ifa_family = a->family,
		                  .ifa_prefixlen = a->prefix,
		                  .ifa_index = (uint32_t)index,
		                  .ifa_flags = alone ? IFA_F_NODAD : 0 };

	NL_MSG(b, type, NLM_F_ACK | flags, head) {
		nl_raw(b, IFA_LOCAL, a->bytes, addr_size(a));
		nl_raw(b, IFA_ADDRESS, a->bytes, addr_size(a));
	}
}

static struct addr without_host_bits(struct addr a)
{
	for (unsigned i = a.prefix; i < addr_bits(&a); i++)
		a.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return a;
}

static void put_route(struct nl_batch *b, uint16_t type, uint16_t flags, int index, const struct netop *op)
{
	bool by_gateway = op->kind == NETOP_DEFAULT;
	const struct addr to = without_host_bits(op->addr);
	struct rtmsg head = { .rtm_family = to.family,
		              .rtm_dst_len = by_gateway ? 0 : to.prefix,
		              .rtm_table = RT_TABLE_MAIN,
		              .rtm_protocol = RTPROT_BOOT,
		              .rtm_type = RTN_UNICAST,
		              .rtm_scope = by_gateway || to.family == AF_INET6 ? RT_SCOPE_UNIVERSE
		                                                               : RT_SCOPE_LINK };

	NL_MSG(b, type, NLM_F_ACK | flags, head) {
		if (by_gateway)
			nl_raw(b, RTA_GATEWAY, op->addr.bytes, addr_size(&op->addr));
		else
			nl_raw(b, RTA_DST, to.bytes, addr_size(&to));
		if (index)
			nl_u32(b, RTA_OIF, (uint32_t)index);
	}
}

static void put_step(struct nl_batch *b, const struct step *s)
{
	struct ifinfomsg doomed = { .ifi_index = index_of(s->link) };
	const uint16_t new = NLM_F_CREATE | NLM_F_EXCL;

	switch (s->op->kind) {
	case NETOP_RENAME:
	case NETOP_MAC:
		put_link(b, index_of(s->link), false, s->op, NULL);
		break;
	case NETOP_UP:
	case NETOP_MASTER:
		put_link(b, index_of(s->link), !s->op->gone, s->op, s->bridge);
		break;
	case NETOP_DELETE:
		NL_MSG(b, RTM_DELLINK, NLM_F_ACK, doomed) {
		}
		break;
	case NETOP_ADDRESS:
		put_address(b, s->op->gone ? RTM_DELADDR : RTM_NEWADDR, s->op->gone ? 0 : new,
		            index_of(s->link), &s->op->addr);
		break;
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		put_route(b, s->op->gone ? RTM_DELROUTE : RTM_NEWROUTE, s->op->gone ? 0 : new,
		          index_of(s->link), s->op);
		break;
	}
}

static int on_before(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	struct job *j = arg;

	if (i >= j->n_targets)
		return 0;
	link_done(&j->targets[i].before);
	return link_parse(m, &j->targets[i].before);
}

/* What the links are like goes first, so that undoing and messages know it; then the operations. */
static int send_all(struct job *j, struct err *e)
{
	struct nl_batch *b = &j->batch;

	for (size_t i = 0; i < j->n_targets; i++) {
		struct ifinfomsg head = { .ifi_index = j->targets[i].index };

		NL_MSG(b, RTM_GETLINK, NLM_F_ACK, head)
			nl_u32(b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	}
	for (size_t i = 0; i < j->n_steps; i++) {
		struct step *s = &j->steps[i];

		if (!s->link && (s->op->kind != NETOP_DEFAULT || s->op->dev[0]))
			continue;
		s->answer = &j->answers[b->n];
		put_step(b, s);
	}
	return nl_commit(&j->nl, b, j->answers, on_before, j, e);
}

/* ---- after the batch: what the answers mean */

static bool has_changed(const struct step *s)
{
	const struct link *before = &s->link->before;

	switch (s->op->kind) {
	case NETOP_UP:
		return !before->up;
	case NETOP_MASTER:
		return before->master != index_of(s->bridge) || (!s->op->gone && !before->up);
	case NETOP_MAC:
		return memcmp(before->mac, s->op->mac, sizeof(before->mac)) != 0;
	case NETOP_RENAME:
	case NETOP_DELETE:
	case NETOP_ADDRESS:
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		break;
	}
	return true;
}

static void name_of(struct job *j, int index, char *ret, size_t size)
{
	CLEANUP(link_done) struct link l = { 0 };

	if (rtnl_link(&j->nl, index, &l, NULL) == 0)
		(void)snprintf(ret, size, "%s", link_full_name(&l));
	else
		(void)snprintf(ret, size, "link %d", index);
}

/* Whether the address the kernel says exists is the one that was wanted; else other says what is there. */
static bool address_is_so(struct job *j, const struct step *s, char *other, size_t size)
{
	CLEANUP(free_p) struct netaddr *v = NULL;
	struct netaddrs l = { 0 };
	char text[ADDR_TEXT_SIZE];

	if (rtnl_addresses(&j->nl, -1, &l, NULL) < 0)
		return false;
	v = l.v;
	for (size_t i = 0; i < l.n; i++) {
		if (v[i].link != s->link->index || !addr_same(&v[i].addr, &s->op->addr))
			continue;
		if (v[i].addr.prefix == s->op->addr.prefix)
			return true;
		addr_print(&v[i].addr, true, text);
		(void)snprintf(other, size,
		               "it has that address as %s already (remove it there, or change the address)",
		               text);
	}
	return false;
}

/* The same for a route. One of the same metric stands in its way: 0, and 1024 where IPv6 has its default. */
static bool route_is_so(struct job *j, const struct step *s, char *other, size_t size)
{
	bool by_gateway = s->op->kind == NETOP_DEFAULT;
	struct addr to =
		by_gateway ? (struct addr){ .family = s->op->addr.family } : without_host_bits(s->op->addr);
	CLEANUP(free_p) struct netroute *v = NULL;
	char owner[NETOP_NAME_SIZE], gateway[ADDR_TEXT_SIZE];
	struct netroutes l = { 0 };

	if (rtnl_routes(&j->nl, to.family, &l, NULL) < 0)
		return false;
	v = l.v;
	for (size_t i = 0; i < l.n; i++) {
		bool here = !s->link || v[i].link == s->link->index;

		if (v[i].metric != (to.family == AF_INET6 ? 1024 : 0))
			continue;
		if (v[i].to.prefix != to.prefix || !addr_same(&v[i].to, &to))
			continue;
		if (here &&
		    (by_gateway ? addr_same(&v[i].gateway, &s->op->addr) : !addr_is_set(&v[i].gateway)))
			return true;
		name_of(j, v[i].link, owner, sizeof(owner));
		addr_print(&v[i].gateway, false, gateway);
		(void)snprintf(other, size,
		               "that route is on %s%s%s already (remove it there, or change the address)",
		               owner, gateway[0] ? " by " : "", gateway);
	}
	return false;
}

/* Why the kernel refused, where its own words do not tell a person what to do. */
static const char *known_cause(const struct step *s, char *ret, size_t size)
{
	const struct netop *op = s->op;
	int error = s->answer->error;

	if (op->addr.family == AF_INET6 && (error == EACCES || error == EOPNOTSUPP || error == EAFNOSUPPORT))
		(void)snprintf(
			ret, size,
			"IPv6 is disabled there (sysctl net.ipv6.conf.%s.disable_ipv6=0, or remove the "
			"IPv6 address)",
			op->dev);
	else if (error == EPERM)
		(void)snprintf(ret, size, "%s (it takes CAP_NET_ADMIN)", s->answer->text);
	else if (op->kind == NETOP_MASTER && !op->gone && strcmp(s->bridge->before.kind, "bridge") != 0)
		(void)snprintf(ret, size, "%s is %s%s, not a bridge", op->to,
		               s->bridge->before.kind[0] ? "a " : "hardware", s->bridge->before.kind);
	else if (op->kind == NETOP_RENAME && error == EEXIST)
		(void)snprintf(ret, size, "another link has that name (one of INTERFACES?)");
	else if (op->kind == NETOP_DEFAULT &&
	         (error == ENETUNREACH || error == EHOSTUNREACH || error == EINVAL))
		(void)snprintf(ret, size, "%s (is the gateway in the network of an address of %s?)",
		               s->answer->text, op->dev);
	else
		(void)snprintf(ret, size, "%s", s->answer->text);
	return ret;
}

/* 0 when the step is as wanted, else its error with the sentence. */
static int judge(struct job *j, struct step *s, struct err *e)
{
	int error = s->answer ? s->answer->error : 0;
	char cause[ERR_TEXT_MAX] = "";
	bool so = false;

	if (error == 0) {
		s->changed = s->answer && s->answer->here && (!s->link || has_changed(s));
		return 0;
	}
	if (s->op->kind == NETOP_DELETE && error == ENODEV && s->op->may_be_absent)
		return 0;
	if (s->op->gone && (error == EADDRNOTAVAIL || error == ESRCH || error == ENODEV))
		return 0;
	if (error == EEXIST && s->op->kind == NETOP_ADDRESS)
		so = address_is_so(j, s, cause, sizeof(cause));
	else if (error == EEXIST && (s->op->kind == NETOP_ROUTE || s->op->kind == NETOP_DEFAULT))
		so = route_is_so(j, s, cause, sizeof(cause));
	if (so)
		return 0;
	return fail(j, s, err_status_of(error), error,
	            cause[0] ? cause : known_cause(s, cause, sizeof(cause)), e);
}

/* ---- undoing */

static void put_undo(struct nl_batch *b, const struct step *s)
{
	static const struct link none = { 0 };
	const struct link *before = s->link ? &s->link->before : &none;
	struct ifinfomsg head = { .ifi_index = index_of(s->link), .ifi_change = before->up ? 0 : IFF_UP };

	switch (s->op->kind) {
	case NETOP_UP:
		NL_MSG(b, RTM_NEWLINK, NLM_F_ACK, head) {
		}
		break;
	case NETOP_MASTER:
		NL_MSG(b, RTM_NEWLINK, NLM_F_ACK, head)
			nl_u32(b, IFLA_MASTER, (uint32_t)before->master);
		break;
	case NETOP_RENAME:
		NL_MSG(b, RTM_NEWLINK, NLM_F_ACK, head)
			nl_str(b, IFLA_IFNAME, before->name);
		break;
	case NETOP_MAC:
		NL_MSG(b, RTM_NEWLINK, NLM_F_ACK, head)
			nl_raw(b, IFLA_ADDRESS, before->mac, sizeof(before->mac));
		break;
	case NETOP_ADDRESS:
		put_address(b, s->op->gone ? RTM_NEWADDR : RTM_DELADDR, s->op->gone ? NLM_F_CREATE : 0,
		            index_of(s->link), &s->op->addr);
		break;
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		put_route(b, s->op->gone ? RTM_NEWROUTE : RTM_DELROUTE, s->op->gone ? NLM_F_CREATE : 0,
		          index_of(s->link), s->op);
		break;
	case NETOP_DELETE: /* what is deleted can not come back */
		break;
	}
}

/* In reverse; says in the sentence how it went. */
static void undo(struct job *j, struct err *e)
{
	struct nl_batch *b = &j->batch;
	size_t done = 0, failed = 0;

	b->used = 0;
	b->n = 0;
	for (size_t i = j->n_steps; i-- > 0;) {
		if (!j->steps[i].changed)
			continue;
		done++;
		put_undo(b, &j->steps[i]);
	}
	if (b->n == 0)
		return;
	if (nl_commit(&j->nl, b, j->answers, NULL, NULL, NULL) < 0)
		failed = done;
	for (size_t i = 0; failed < done && i < b->n; i++) {
		int error = j->answers[i].error;

		/* A link that is down has lost its routes already. */
		if (error && error != ESRCH && error != EADDRNOTAVAIL && error != ENODEV)
			failed++;
	}
	if (!e)
		return;
	if (failed)
		(void)err_set(e, e->status, 0, "%s; %zu of %zu steps before it could not be undone", e->text,
		              failed, done);
	else
		(void)err_set(e, e->status, 0, "%s; what was done before is undone", e->text);
}

int rtnl_apply(const char *who, const struct netops *ops, struct err *e)
{
	CLEANUP(job_done) struct job j = { .who = who, .nl = { .fd = -1 } };
	struct err own = { 0 };
	int r;

	if (ops->n == 0)
		return 0;
	r = gate_ask(e, "%s: cannot set up the network", who);
	if (r < 0)
		return r;
	r = nl_open(NETLINK_ROUTE, &j.nl, e);
	if (r < 0)
		return err_wrap(e, r, "%s", who);
	j.batch.size = 3 * ops->n * REQUEST_SIZE;
	j.batch.data = calloc(1, j.batch.size);
	j.targets = calloc(2 * ops->n, sizeof(*j.targets));
	j.steps = calloc(ops->n, sizeof(*j.steps));
	j.answers = calloc(3 * ops->n, sizeof(*j.answers));
	if (!j.batch.data || !j.targets || !j.steps || !j.answers)
		return err_no_memory(e);

	for (size_t i = 0; i < ops->n; i++) {
		j.steps[j.n_steps++].op = &ops->v[i];
		r = resolve(&j, &j.steps[i], e);
		if (r < 0)
			return r;
	}
	r = send_all(&j, &own);
	if (r < 0)
		r = err_wrap(&own, r, "%s: cannot set up the network", who);
	for (size_t i = 0; i < j.n_steps; i++) {
		int failed = judge(&j, &j.steps[i],
		                   r == 0 ? &own : NULL); /* the first counts: later ones follow from it */

		r = r == 0 ? failed : r;
	}
	if (r < 0) {
		undo(&j, &own);
		if (e)
			*e = own;
	}
	return r;
}

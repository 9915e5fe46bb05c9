#include "drivers/rtnl_conf.h"

#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/rtnl_private.h"

static int on_conf(const struct nlmsghdr *m, void *arg)
{
	const struct netconfmsg *head = m ? nl_head(m, sizeof(*head)) : NULL;
	const struct nlattr *a[NETCONFA_MAX + 1];
	struct netconfs *l = arg;
	struct netconf *grown;

	if (!m) {
		l->n = 0;
		return 0;
	}
	if (!head || m->nlmsg_type != RTM_NEWNETCONF)
		return 0;
	nl_attrs(m, sizeof(*head), a, NETCONFA_MAX);
	grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	l->v[l->n++] = (struct netconf){
		.link = (int)nl_get_u32(a[NETCONFA_IFINDEX], 0),
		.forwarding = nl_get_u32(a[NETCONFA_FORWARDING], 0) != 0,
		.rp_filter = (int)nl_get_u32(a[NETCONFA_RP_FILTER], 0),
	};
	return 0;
}

int rtnl_confs(struct nl *nl, uint8_t family, struct netconfs *ret, struct err *e)
{
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	struct netconfmsg head = { .ncm_family = family };
	struct netconfs l = { 0 };
	int r;

	NL_MSG(b, RTM_GETNETCONF, NLM_F_DUMP, head) {
	}
	r = nl_dump(nl, b, on_conf, &l, e);
	if (r < 0) {
		free(l.v);
		return err_wrap(e, r, "cannot ask how packets are treated");
	}
	*ret = l;
	return 0;
}

const struct netconf *netconfs_at(const struct netconfs *c, int link)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].link == link)
			return &c->v[i];
	return NULL;
}

int netconfs_rp_filter(const struct netconfs *c, int link)
{
	const struct netconf *all = netconfs_at(c, NETCONF_ALL), *own = netconfs_at(c, link);
	int a = all ? all->rp_filter : 0, o = own ? own->rp_filter : 0;

	return a > o ? a : o;
}

struct found {
	int link;
	bool local;
};

static int on_route(const struct nlmsghdr *m, uint32_t i, void *arg)
{
	const struct rtmsg *head = nl_head(m, sizeof(*head));
	const struct nlattr *a[RTA_MAX + 1];
	struct found *found = arg;

	(void)i;
	if (!head || m->nlmsg_type != RTM_NEWROUTE)
		return 0;
	nl_attrs(m, sizeof(*head), a, RTA_MAX);
	found->local = head->rtm_type == RTN_LOCAL;
	found->link = head->rtm_type == RTN_UNICAST ? (int)nl_get_u32(a[RTA_OIF], 0) : 0;
	return 0;
}

int rtnl_route_to(struct nl *nl, const struct addr *to, int *ret_link, bool *ret_local, struct err *e)
{
	struct rtnl_request q;
	struct nl_batch *b = rtnl_request(&q);
	struct rtmsg head = { .rtm_family = to->family, .rtm_dst_len = addr_bits(to) };
	struct nl_answer answer;
	struct found found = { 0 };
	int r;

	NL_MSG(b, RTM_GETROUTE, NLM_F_ACK, head)
		nl_raw(b, RTA_DST, to->bytes, addr_size(to));
	r = nl_commit(nl, b, &answer, on_route, &found, e);
	if (r < 0)
		return err_wrap(e, r, "cannot ask for a route");
	if (answer.error && answer.error != ENETUNREACH && answer.error != EHOSTUNREACH &&
	    answer.error != EACCES && answer.error != EINVAL)
		return err_set(e, err_status_of(answer.error), answer.error, "cannot ask for a route: %s",
		               answer.text);
	*ret_link = answer.error ? 0 : found.link;
	*ret_local = !answer.error && found.local;
	return 0;
}

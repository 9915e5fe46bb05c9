/* What the doctor reads of the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/nft_rules.h"
#include "engine/doctor_read.h"

static const uint8_t families[DOCTOR_FAMILIES] = { [DOCTOR_V4] = AF_INET, [DOCTOR_V6] = AF_INET6 };

void doctor_host_done(struct doctor_host *h)
{
	nl_close(&h->nl);
	links_done(&h->links);
	free(h->addresses.v);
	for (size_t i = 0; i < DOCTOR_FAMILIES; i++)
		free(h->confs[i].v);
	free(h->listening.v);
	free(h->holders);
	free(h->rules.v);
	firewall_done(&h->filters);
	cgroupfs_close(h->fs);
	*h = (struct doctor_host){ .nl.fd = -1 };
}

static void read_rules(struct doctor_host *h)
{
	struct err e;
	int r = nft_forwards(&h->rules, &e);

	h->rules_known = r == 0;
	h->is_without_nf_tables = r == -EINVAL || r == -EPROTONOSUPPORT || r == -EOPNOTSUPP;
	if (r == -EPERM || r == -EACCES)
		h->no_rules = "the kernel's rules take root (CAP_NET_ADMIN) to see";
	else if (r < 0 && !h->is_without_nf_tables)
		h->no_rules = "the kernel's rules could not be read";
	h->filters_known = h->is_without_nf_tables || nft_rules(-1, &h->filters, NULL) == 0;
}

/* The tables that iptables-legacy made, one a line; the file is root's, and not there where it never ran. */
static void read_legacy(struct doctor_host *h)
{
	CLEANUP(close_p) int fd = open("/proc/self/net/ip_tables_names", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, h->legacy_tables, sizeof(h->legacy_tables) - 1);

	h->legacy_tables[n > 0 ? n : 0] = '\0';
	for (char *p = h->legacy_tables; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
}

static bool is_of_guest(const struct doctor_host *h, int index)
{
	const struct link *l = links_at(&h->links, index);

	return l && l->netnsid >= 0;
}

/* An address of the link with the default route; else of a link that is no guest's; else any. */
static unsigned worth(const struct doctor_host *h, const struct netaddr *a)
{
	if (a->scope >= RT_SCOPE_LINK)
		return 0;
	return a->link == h->uplink ? 3 : is_of_guest(h, a->link) ? 1 : 2;
}

static void choose_address(struct doctor_host *h, size_t family)
{
	unsigned best = 0;

	for (size_t i = 0; i < h->addresses.n; i++) {
		const struct netaddr *a = &h->addresses.v[i];

		if (a->addr.family != families[family] || worth(h, a) <= best)
			continue;
		best = worth(h, a);
		addr_print(&a->addr, false, h->address[family]);
	}
}

/* The link of the default route, and who is at its other end: a client of the LAN as good as any. */
static int find_uplink(struct doctor_host *h, struct err *e)
{
	for (size_t f = 0; f < DOCTOR_FAMILIES; f++) {
		struct netroutes routes = { 0 };
		int r = rtnl_routes(&h->nl, families[f], &routes, e);

		if (r < 0)
			return r;
		for (size_t i = routes.n; i > 0; i--) {
			if (routes.v[i - 1].to.prefix != 0)
				continue;
			h->gateway[f] = routes.v[i - 1].gateway;
			h->uplink = f == 0 || h->uplink == 0 ? routes.v[i - 1].link : h->uplink;
		}
		free(routes.v);
	}
	return 0;
}

static void read_listening(struct doctor_host *h)
{
	struct nl nl;

	if (nl_open(NETLINK_SOCK_DIAG, &nl, NULL) < 0)
		return;
	(void)diag_listening(&nl, &h->listening, NULL);
	nl_close(&nl);
}

int doctor_host_read(struct doctor_host *ret, struct err *e)
{
	CLEANUP(doctor_host_done) struct doctor_host h = { .nl.fd = -1 };
	int r = nl_open(NETLINK_ROUTE, &h.nl, e);

	if (r == 0)
		r = rtnl_links(&h.nl, &h.links, e);
	if (r == 0)
		r = rtnl_addresses(&h.nl, -1, &h.addresses, e);
	if (r == 0)
		r = find_uplink(&h, e);
	if (r < 0)
		return r;
	for (size_t f = 0; f < DOCTOR_FAMILIES; f++) {
		(void)rtnl_confs(&h.nl, families[f], &h.confs[f], NULL);
		choose_address(&h, f);
	}
	read_listening(&h);
	read_rules(&h);
	read_legacy(&h);
	(void)cgroupfs_open("", &h.fs, NULL);
	*ret = h;
	h = (struct doctor_host){ .nl.fd = -1 };
	return 0;
}

const struct holder *doctor_host_holder(struct doctor_host *h, size_t i)
{
	if (!h->holders && h->fs) {
		h->holders = calloc(h->listening.n, sizeof(*h->holders));
		for (size_t k = 0; h->holders && k < h->listening.n; k++)
			h->holders[k].inode = h->listening.v[k].inode;
		if (h->holders)
			holders_find(h->fs, NULL, h->holders, h->listening.n);
	}
	return h->holders ? &h->holders[i] : NULL;
}

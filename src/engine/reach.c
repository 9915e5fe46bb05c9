#include "engine/reach.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/enter.h"
#include "drivers/netprobe.h"
#include "drivers/nft_rules.h"
#include "engine/netwatch.h"

/* The link by which the host hears the machine: its bridge, or the host's end. */
static const struct netmap_link *near_link(const struct netmap *map, const struct netmap_space *s)
{
	const struct netmap_space *host = netmap_host(map);

	for (size_t i = 0; i < s->n_links; i++) {
		struct netmap_place pair = netmap_pair(map, s, &s->links[i]);

		if (pair.link && pair.space == host)
			return pair.link->master ? netmap_link(host, pair.link->master) : pair.link;
	}
	return NULL;
}

static struct addr own_address(const struct netmap_space *s)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->addresses[i].scope < RT_SCOPE_LINK)
			return s->addresses[i].addr;
	return (struct addr){ 0 };
}

/* A question to a name server on its way out, and anything to the host itself. */
static void fill_filters(const struct firewall *filters, const struct netmap *map, struct reach_facts *f)
{
	const struct netmap_space *host = netmap_host(map), *s = netmap_space(map, f->machine);
	const struct netmap_link *near = s ? near_link(map, s) : NULL, *far;
	const struct addr own = s ? own_address(s) : (struct addr){ 0 };
	const struct netmap_route *out = host ? netmap_default_route(host, own.family) : NULL;
	struct firewall_packet p = {
		.hook = FW_FORWARD, .family = own.family, .udp = true, .from = own, .to_port = 53
	};

	f->masqueraded = filters->masquerades ? DOCTOR_YES : DOCTOR_NO;
	if (!near)
		return;
	far = out ? netmap_link(host, out->link) : NULL;
	p.iif = near->index;
	p.iif_name = near->name;
	p.oif = far ? far->index : 0;
	p.oif_name = far ? far->name : NULL;
	firewall_judge(filters, &p, &f->out);
	p = (struct firewall_packet){ .hook = FW_INPUT,
		                      .family = own.family,
		                      .from = own,
		                      .iif = near->index,
		                      .iif_name = near->name };
	firewall_judge(filters, &p, &f->in);
}

static int probe_all(const struct reach *read, struct reach_facts *f, struct err *e)
{
	CLEANUP(close_p) int netns = -1;
	struct netprobe probes[REACH_TARGETS] = { 0 };
	enum reach_target targets[REACH_TARGETS];
	size_t n = 0;
	int r = enter_netns(f->machine, &netns, e);

	for (enum reach_target t = 0; t < REACH_TARGETS; t++) {
		if (!addr_is_set(&read->to[t].at))
			continue;
		probes[n] = (struct netprobe){ .to = read->to[t].at, .is_name_server = t == REACH_NAMES };
		targets[n++] = t;
	}
	if (r == 0)
		r = netprobe(netns, probes, n, e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		f->probes[targets[i]] = probes[i].answered ? REACH_ANSWERED : REACH_SILENT;
		f->probe_ms[targets[i]] = probes[i].ms;
	}
	return r;
}

int reach_read(const struct snapshot *s, const char *name, bool probe, struct reach *ret, struct err *e)
{
	CLEANUP(netmap_done) struct netmap map = { 0 };
	CLEANUP(firewall_done) struct firewall filters = { 0 };
	struct reach_facts f = { .map = &map, .machine = name };
	int r = netmap_read(s, NETWATCH_MAP | NETWATCH_LISTENERS, &map, e);

	if (r < 0)
		return r;
	if (nft_rules(-1, &filters, NULL) == 0)
		fill_filters(&filters, &map, &f);
	reach_judge(&f, ret);
	if (probe && geteuid() == 0 && netmap_space(&map, name) && !netmap_space(&map, name)->shares_host &&
	    probe_all(ret, &f, NULL) == 0)
		reach_judge(&f, ret);
	return 0;
}

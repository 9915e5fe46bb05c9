#include "engine/meter.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int meter_open(struct meter *m, struct err *e)
{
	int r = nl_open(NETLINK_ROUTE, &m->ask, e);

	if (r == 0)
		r = rtnl_link_monitor(&m->monitor, e);
	if (r < 0)
		meter_close(m);
	return r;
}

static void forget(struct meter *m)
{
	links_done(&m->links);
	free(m->now.v);
	m->now = (struct traffics){ 0 };
	m->links_known = false;
}

void meter_close(struct meter *m)
{
	nl_close(&m->ask);
	nl_close(&m->monitor);
	forget(m);
}

static int read_links(struct meter *m, struct err *e)
{
	struct links links;
	int r = rtnl_links(&m->ask, &links, e);

	if (r < 0)
		return r;
	links_done(&m->links);
	m->links = links;
	m->links_known = true;
	return 0;
}

int meter_read(struct meter *m, struct err *e)
{
	struct traffics now;
	int r = 0;

	/* Asked first: what changes while they are listed is seen the next time. */
	if (rtnl_links_changed(&m->monitor) || !m->links_known)
		r = read_links(m, e);
	if (r == 0)
		r = rtnl_traffic(&m->ask, &now, e);
	if (r < 0) {
		forget(m);
		return r;
	}
	free(m->now.v);
	m->now = now;
	return 0;
}

size_t meter_of(const struct meter *m, int netnsid, struct metered ret[static STATS_LINKS])
{
	size_t n = 0;

	for (size_t i = 0; netnsid >= 0 && n < STATS_LINKS && i < m->links.n; i++) {
		const struct link *l = &m->links.v[i];
		const struct traffic *t = l->netnsid == netnsid && strcmp(l->kind, "veth") == 0
		                                  ? traffics_at(&m->now, l->index)
		                                  : NULL;

		if (!t)
			continue;
		ret[n].counted = *t;
		text_printable(ret[n].name, sizeof(ret[n].name), l->name, strlen(l->name));
		n++;
	}
	return n;
}

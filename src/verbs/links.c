/* machdeck links: the network of the host and of all running machines. */
#include "verbs/links.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "engine/netwatch.h"
#include "engine/observe.h"
#include "engine/privileges.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

const char *links_manager(enum netmap_manager m)
{
	static const char *const words[] = {
		[NETMAP_MANAGER_UNKNOWN] = NULL,
		[NETMAP_NETWORKD] = "networkd",
		[NETMAP_NETWORK_MANAGER] = "NetworkManager",
		[NETMAP_DHCPCD] = "dhcpcd",
	};

	return words[m];
}

/* ---- one link in words */

static void add_addresses(struct buf *to, const struct netmap_space *s, int link)
{
	const struct netmap_address *a = NULL;
	char text[ADDR_TEXT_SIZE];

	while ((a = netmap_next_address(s, link, a))) {
		addr_print(&a->addr, true, text);
		buf_addf(to, ", %s%s%s", text,
		         a->tentative && !a->dadfailed ? " (not usable yet: tentative)" : "",
		         a->dadfailed ? " (somebody else has it: dadfailed)" : "");
	}
}

static void add_state(struct buf *to, const struct netmap_space *s, const struct netmap_link *l)
{
	show_text(to, l->name);
	for (size_t i = 0; i < l->altnames.n; i++) {
		buf_puts(to, i == 0 ? " (" : ", ");
		show_text(to, l->altnames.v[i]);
	}
	if (l->altnames.n > 0)
		buf_puts(to, ")");
	buf_puts(to, ": ");
	if (*l->kind) {
		show_text(to, l->kind);
		buf_puts(to, " ");
	}
	buf_puts(to, !l->up ? "down" : l->carrier ? "up" : "up, no carrier");
	if (l->speed)
		buf_addf(to, ", %u Mbit/s", l->speed);
	if (links_manager(l->manager))
		buf_addf(to, ", by %s", links_manager(l->manager));
	if (l->flaps > 1)
		buf_addf(to, ", lost its carrier %u times", l->flaps);
	if (l->drops != STATS_UNKNOWN && l->drops > 0)
		buf_addf(to, ", %ju drops", (uintmax_t)l->drops);
	if (l->errors != STATS_UNKNOWN && l->errors > 0)
		buf_addf(to, ", %ju errors", (uintmax_t)l->errors);
	add_addresses(to, s, l->index);
}

static void add_other_end(struct buf *to, const struct links_view *v, const struct netmap_space *s,
                          const struct netmap_link *l)
{
	struct netmap_place other = netmap_pair(v->map, s, l);
	const char *machine = s == netmap_host(v->map) ? netmap_machine_of(v->map, l) : NULL;

	if (other.link) {
		buf_puts(to, " <-> ");
		if (other.space != s) {
			buf_puts(to, other.space->machine[0] ? other.space->machine : "host");
			buf_puts(to, " ");
		}
		add_state(to, other.space, other.link);
	} else if (machine) {
		buf_addf(to, " <-> %s", machine);
	}
	other = netmap_parent(v->map, s, l);
	if (other.link) {
		buf_puts(to, " on ");
		if (other.space != s)
			buf_puts(to, other.space->machine[0] ? other.space->machine : "host");
		buf_puts(to, other.space != s ? " " : "");
		show_text(to, other.link->name);
	}
}

static void add_way_out(struct buf *to, const struct links_view *v, const struct netmap_link *l)
{
	const char *machine = netmap_machine_of(v->map, l);
	const struct netmap_wanted *w =
		machine ? netmap_wanted_of(machine, v->wanted->v, v->wanted->n) : NULL;

	if (w && w->way_out)
		buf_puts(to, ", goes out masqueraded");
}

static void add_flaw(struct buf *to, const struct links_view *v, const struct netmap_link *l)
{
	const struct netmap_wanted *of = NULL;

	switch (netmap_judge(v->map, l, v->wanted->v, v->wanted->n, &of)) {
	case NETMAP_WELL:
		return;
	case NETMAP_ORPHAN:
		buf_puts(to, " [orphan: no running machine has its other end]");
		return;
	case NETMAP_SQUATTER:
		buf_addf(to, " [squatter: it is in the way of %s, which can not start]", of->machine);
		return;
	case NETMAP_LOST_BRIDGE:
		buf_puts(to, " [lost-bridge: it is to be a port of ");
		for (size_t i = 0; i < v->wanted->n; i++)
			if (v->wanted->v[i].bridge &&
			    strcmp(v->wanted->v[i].machine, netmap_machine_of(v->map, l)) == 0)
				show_text(to, v->wanted->v[i].bridge);
		buf_puts(to, "]");
		return;
	case NETMAP_FLAW_UNKNOWN:
		buf_puts(to, " [whose it is can not be seen]");
		return;
	}
}

/* A link of the host and, deeper, its ports. */
static void add_host_link(struct buf *to, const struct links_view *v, const struct netmap_link *l, int depth)
{
	const struct netmap_space *host = netmap_host(v->map);
	const struct netmap_link *port = NULL;

	buf_addf(to, "%*s", 2 + 2 * depth, "");
	add_state(to, host, l);
	if (depth > 0 && !netmap_machine_of(v->map, l))
		buf_puts(to, ", foreign");
	add_other_end(to, v, host, l);
	add_way_out(to, v, l);
	add_flaw(to, v, l);
	buf_puts(to, "\n");
	while (depth < 4 && (port = netmap_next_port(host, l->index, port)))
		add_host_link(to, v, port, depth + 1);
}

/* ---- one namespace */

static void add_route(struct buf *to, const struct netmap_space *s, const struct netmap_route *r)
{
	const struct netmap_link *l = netmap_link(s, r->link);
	char dest[ADDR_TEXT_SIZE], via[ADDR_TEXT_SIZE];

	addr_print(&r->to, true, dest);
	addr_print(&r->gateway, false, via);
	buf_addf(to, "%s%s%s", r->to.prefix == 0 ? "default" : dest, *via ? " via " : "", via);
	if (r->type != RTN_UNICAST)
		buf_puts(to, " refused");
	if (l) {
		buf_puts(to, " dev ");
		show_text(to, l->name);
	}
}

static void add_defaults(struct buf *to, const struct netmap_space *s)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool some = false;

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct netmap_route *r = netmap_default_route(s, families[i]);

		if (!r)
			continue;
		buf_puts(to, some ? ", " : "");
		add_route(to, s, r);
		some = true;
	}
	if (s->no_routes)
		show_text(to, s->no_routes);
	else if (!some)
		buf_puts(to, "no default route");
}

static void add_names(struct buf *to, const struct netmap_space *s)
{
	buf_puts(to, "; name servers:");
	for (size_t i = 0; i < s->name_servers.n; i++) {
		buf_puts(to, " ");
		show_text(to, s->name_servers.v[i]);
	}
	if (s->no_name_servers) {
		buf_puts(to, " not known (");
		show_text(to, s->no_name_servers);
		buf_puts(to, ")");
	} else if (s->name_servers.n == 0) {
		buf_puts(to, s->no_names_file ? " none, for it has no /etc/resolv.conf" : " none");
	}
}

static const char *switch_word(enum netmap_switch s)
{
	return s == NETMAP_UNTOLD ? "not known" : s == NETMAP_ON ? "on" : "off";
}

static void add_forward(struct buf *to, const struct netmap_forward *f)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(&f->to, false, text);
	buf_addf(to, f->to.family == AF_INET6 ? "  %s %u -> [%s]:%u\n" : "  %s %u -> %s:%u\n",
	         f->port.udp ? "udp" : "tcp", (unsigned)f->port.host, text, (unsigned)f->port.guest);
}

/* Those that lead to it; of the host: those that lead to nobody who is seen. */
static void add_forwards(struct buf *to, const struct links_view *v, const struct netmap_space *s)
{
	for (size_t i = 0; i < v->map->n_forwards; i++) {
		const struct netmap_forward *f = &v->map->forwards[i];
		const struct netmap_space *owner = netmap_owner(v->map, &f->to);

		if (owner == s || (!owner && s == netmap_host(v->map)))
			add_forward(to, f);
	}
	if (s == netmap_host(v->map) && v->map->no_forwards) {
		buf_puts(to, "  forwards not known: ");
		show_text(to, v->map->no_forwards);
		buf_puts(to, "\n");
	}
	if (s == netmap_host(v->map) && v->map->legacy_tables)
		buf_puts(to, "  iptables-legacy has a table nat: forwards may be in there, too, which are "
		             "not shown\n");
}

static void add_host(struct buf *to, const struct links_view *v)
{
	const struct netmap_space *host = netmap_host(v->map);

	buf_puts(to, "host: ");
	add_defaults(to, host);
	add_names(to, host);
	buf_addf(to, "; forwarding: IPv4 %s, IPv6 %s\n", switch_word(host->sysctls.forward4),
	         switch_word(host->sysctls.forward6));
	for (size_t i = 0; i < host->n_links; i++)
		if (!host->links[i].loopback &&
		    (!host->links[i].master || !netmap_link(host, host->links[i].master)))
			add_host_link(to, v, &host->links[i], 0);
	add_forwards(to, v, host);
}

static void add_machine(struct buf *to, const struct links_view *v, const struct netmap_space *s)
{
	buf_addf(to, "%s: ", s->machine);
	if (s->shares_host) {
		buf_puts(to, "has the host's network");
		add_names(to, s);
		buf_puts(to, "\n");
		return;
	}
	add_defaults(to, s);
	add_names(to, s);
	buf_puts(to, "\n");
	if (s->no_links) {
		buf_puts(to, "  ");
		show_text(to, s->no_links);
		buf_puts(to, "\n");
	}
	for (size_t i = 0; i < s->n_links; i++) {
		if (s->links[i].loopback)
			continue;
		buf_puts(to, "  ");
		add_state(to, s, &s->links[i]);
		add_other_end(to, v, s, &s->links[i]);
		buf_puts(to, "\n");
	}
	add_forwards(to, v, s);
}

static void describe(const struct links_view *v, struct buf *to)
{
	add_host(to, v);
	for (size_t i = 1; i < v->map->n; i++)
		add_machine(to, v, &v->map->v[i]);
}

/* ---- the verb */

static int read_all(struct snapshot *machines, struct netmap *map, struct netwanted *wanted, struct err *e)
{
	int r = observe_glance(machines, e);

	if (r >= 0)
		r = netmap_read(machines, NETWATCH_MAP | NETWATCH_TRAFFIC, map, e);
	return r < 0 ? r : netwanted_read(machines, wanted, e);
}

static int print(const struct links_view *v, const struct snapshot *machines)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < v->limits.n; i++)
		fprintf(stderr, "machdeck: not seen: %s\n", v->limits.v[i]);
	if (machines->stale)
		fprintf(stderr, "machdeck: %s\n", machines->stale);
	if (v->map->approximate)
		fprintf(stderr,
		        "machdeck: the network kept changing while it was read: something may be missing\n");
	describe(v, &text);
	return verb_print_buf(&text);
}

int verb_links(const struct verb *v, int argc, char **argv)
{
	CLEANUP(snapshot_done) struct snapshot machines = { 0 };
	CLEANUP(netmap_done) struct netmap map = { 0 };
	CLEANUP(netwanted_done) struct netwanted wanted = { 0 };
	struct links_view view = { .map = &map, .wanted = &wanted };
	bool json;
	struct err e = { 0 };
	int status = verb_no_name(v, argc, argv, &json, "it shows the whole host");

	if (status != STATUS_DONE)
		return status;
	if (read_all(&machines, &map, &wanted, &e) < 0)
		return verb_fail(&e);
	privileges_missing(&view.limits);
	status = json ? show_json(links_json(&view)) : print(&view, &machines);
	strs_done(&view.limits);
	return status;
}

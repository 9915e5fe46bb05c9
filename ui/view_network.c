/* The map of the host's network: uplink and bridges, their ports, who is at the other end, his addresses and forwards. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "engine/netwanted.h"
#include "ui/units.h"
#include "ui/view.h"

#define DEPTH_MAX 4

struct map {
	const struct netmap *m;
	const struct netwanted *wanted;
	const struct netmap_space *host;
	struct view *v;
	struct doc *d;
	bool may_mend;
};

static void state(const struct map *p, const struct netmap_link *l)
{
	doc_add(p->d,
	        !l->up       ? STYLE_BAD
	        : l->carrier ? STYLE_GOOD
	                     : STYLE_BUSY,
	        "%s",
	        !l->up       ? "  down"
	        : l->carrier ? "  up"
	                     : "  no carrier");
}

static void addresses(const struct map *p, const struct netmap_space *s, const struct netmap_link *l)
{
	const struct netmap_address *a = NULL;
	char text[ADDR_TEXT_SIZE];

	while ((a = netmap_next_address(s, l->index, a))) {
		if (a->addr.family == AF_INET6 && a->addr.bytes[0] == 0xfe &&
		    (a->addr.bytes[1] & 0xc0) == 0x80)
			continue; /* fe80::/10: every link has one */
		addr_print(&a->addr, true, text);
		doc_add(p->d,
		        a->dadfailed   ? STYLE_BAD
		        : a->tentative ? STYLE_BUSY
		                       : STYLE_TEXT,
		        "  %s%s", text,
		        a->dadfailed   ? " (taken by another)"
		        : a->tentative ? " (tentative)"
		                       : "");
	}
}

static void rate(const struct map *p, const char *label, uint64_t bytes)
{
	char text[UNITS_SIZE];

	if (bytes == STATS_UNKNOWN || bytes == 0)
		return;
	units_bytes(bytes, text);
	doc_add(p->d, STYLE_DIM, "  %s %s/s", label, text);
}

static void counters(const struct map *p, const struct netmap_link *l)
{
	if (l->speed)
		doc_add(p->d, STYLE_DIM, "  %u Mbit/s", l->speed);
	rate(p, "rx", l->rx_rate);
	rate(p, "tx", l->tx_rate);
	if (l->drops != STATS_UNKNOWN && l->drops > 0)
		doc_add(p->d, STYLE_BUSY, "  %ju drops", (uintmax_t)l->drops);
	if (l->errors != STATS_UNKNOWN && l->errors > 0)
		doc_add(p->d, STYLE_BAD, "  %ju errors", (uintmax_t)l->errors);
	if (l->flaps > 1)
		doc_add(p->d, STYLE_BUSY, "  %u flaps", l->flaps);
}

/* The rules of the kernel that lead to one of the addresses of that link. */
static void forwards(const struct map *p, const struct netmap_space *s, const struct netmap_link *l)
{
	for (size_t i = 0; i < p->m->n_forwards; i++) {
		const struct netmap_forward *f = &p->m->forwards[i];
		const struct netmap_address *a = NULL;

		while ((a = netmap_next_address(s, l->index, a)))
			if (addr_same(&a->addr, &f->to))
				doc_add(p->d, STYLE_KEY, "  %s %u > %u", f->port.udp ? "udp" : "tcp",
				        f->port.host, f->port.guest);
	}
}

static void default_route(const struct map *p, const struct netmap_space *s, const struct netmap_link *l)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct netmap_route *r = netmap_default_route(s, families[i]);

		if (!r || r->link != l->index)
			continue;
		addr_print(&r->gateway, false, text);
		doc_add(p->d, STYLE_TEXT, *text ? "  default by %s" : "  default%s", text);
	}
}

/* The bridge that the machine at its other end is to be on; "": not known. */
static const char *wanted_bridge(const struct map *p, const struct netmap_link *l)
{
	const char *machine = netmap_machine_of(p->m, l);
	const struct netmap_wanted *w =
		machine ? netmap_wanted_of(machine, p->wanted->v, p->wanted->n) : NULL;

	return w && w->bridge ? w->bridge : "";
}

/* What is wrong with it; false: nothing that is known of. */
static bool flaw(const struct map *p, const struct netmap_link *l)
{
	const struct netmap_wanted *of = NULL;
	const char *name = netmap_link_title(l);

	switch (netmap_judge(p->m, l, p->wanted->v, p->wanted->n, &of)) {
	case NETMAP_WELL:
	case NETMAP_FLAW_UNKNOWN:
		return false;
	case NETMAP_ORPHAN:
		doc_line(p->d, STYLE_BAD, "%s  orphan: no running machine has its other end", name);
		return true;
	case NETMAP_SQUATTER:
		doc_line(p->d, STYLE_BAD, "%s  squatter: in the way of %s, which can not start", name,
		         of ? of->machine : "?");
		return true;
	case NETMAP_LOST_BRIDGE:
		doc_line(p->d, STYLE_BAD, "%s  lost its bridge %s", name, wanted_bridge(p, l));
		if (p->may_mend)
			doc_add(p->d, STYLE_TEXT, "  (M on %s mends it)", netmap_machine_of(p->m, l));
		return true;
	}
	return false;
}

static void flaw_word(const struct map *p, const struct netmap_link *l)
{
	enum netmap_flaw f = netmap_judge(p->m, l, p->wanted->v, p->wanted->n, NULL);

	if (f != NETMAP_WELL && f != NETMAP_FLAW_UNKNOWN)
		doc_add(p->d, STYLE_BAD, "  %s", netmap_flaw_word(f));
}

static void other_end(const struct map *p, const struct netmap_link *l)
{
	struct netmap_place other = netmap_pair(p->m, p->host, l);
	const char *machine = netmap_machine_of(p->m, l);

	if (!other.link && !machine)
		return;
	doc_add(p->d, STYLE_DIM, " \u2500\u2500\u2500 ");
	doc_add(p->d, STYLE_STRONG, "%s", machine ? machine : "host");
	if (!other.link)
		return;
	doc_add(p->d, STYLE_TEXT, "  %s", netmap_link_title(other.link));
	state(p, other.link);
	addresses(p, other.space, other.link);
	default_route(p, other.space, other.link);
	forwards(p, other.space, other.link);
}

/* Whether it is drawn below another one. */
static bool is_below(const struct map *p, const struct netmap_link *l)
{
	struct netmap_place parent = netmap_parent(p->m, p->host, l);

	return l->loopback || (l->master && netmap_link(p->host, l->master)) ||
	       (parent.link && parent.space == p->host);
}

static const char *manager(enum netmap_manager m)
{
	static const char *const words[] = { "", "networkd", "NetworkManager", "dhcpcd" };

	return words[m];
}

static void way_out(const struct map *p, const struct netmap_link *l)
{
	const char *machine = netmap_machine_of(p->m, l);
	const struct netmap_wanted *w =
		machine ? netmap_wanted_of(machine, p->wanted->v, p->wanted->n) : NULL;

	if (w && w->way_out)
		doc_add(p->d, STYLE_DIM, "  goes out masqueraded");
}

static void link_line(const struct map *p, const struct netmap_link *l, const char *lead)
{
	doc_line(p->d, STYLE_DIM, "%s", lead);
	doc_indent(p->d, 6);
	doc_add(p->d, STYLE_STRONG, "%s", netmap_link_title(l));
	if (*l->kind && strcmp(l->kind, "veth") != 0)
		doc_add(p->d, STYLE_DIM, "  %s", l->kind);
	state(p, l);
	addresses(p, p->host, l);
	default_route(p, p->host, l);
	if (l->manager)
		doc_add(p->d, STYLE_DIM, "  by %s", manager(l->manager));
	counters(p, l);
	other_end(p, l);
	way_out(p, l);
	flaw_word(p, l);
}

/* What rests on it in machines: macvlans. */
static void guests_on(const struct map *p, const struct netmap_link *l, int depth)
{
	for (size_t i = 1; i < p->m->n; i++)
		for (size_t k = 0; k < p->m->v[i].n_links; k++) {
			const struct netmap_link *theirs = &p->m->v[i].links[k];
			struct netmap_place parent = netmap_parent(p->m, &p->m->v[i], theirs);

			if (parent.link != l)
				continue;
			doc_line(p->d, STYLE_DIM, "%*s\u2514\u2500 %s", 2 * depth, "", theirs->kind);
			doc_indent(p->d, 6);
			doc_add(p->d, STYLE_DIM, " \u2500\u2500\u2500 ");
			doc_add(p->d, STYLE_STRONG, "%s", p->m->v[i].machine);
			doc_add(p->d, STYLE_TEXT, "  %s", netmap_link_title(theirs));
			state(p, theirs);
			addresses(p, &p->m->v[i], theirs);
			forwards(p, &p->m->v[i], theirs);
		}
}

static void draw(const struct map *p, const struct netmap_link *l, int depth, bool last)
{
	char lead[32] = "";
	const struct netmap_link *port = NULL, *next;

	if (depth > 0)
		(void)snprintf(lead, sizeof(lead), "%*s%s", 2 * (depth - 1), "",
		               last ? "\u2514\u2500 " : "\u251c\u2500 ");
	link_line(p, l, lead);
	guests_on(p, l, depth);
	if (depth == DEPTH_MAX)
		return;
	for (port = netmap_next_port(p->host, l->index, NULL); port; port = next) {
		next = netmap_next_port(p->host, l->index, port);
		draw(p, port, depth + 1, !next);
	}
	for (size_t i = 0; i < p->host->n_links; i++) {
		struct netmap_place parent = netmap_parent(p->m, p->host, &p->host->links[i]);

		if (parent.link == l && parent.space == p->host && !p->host->links[i].master)
			draw(p, &p->host->links[i], depth + 1, true);
	}
}

/* The host's own links that lead nowhere else come first: those are the way out. */
static bool is_uplink(const struct map *p, const struct netmap_link *l)
{
	return !netmap_machine_of(p->m, l) && strcmp(l->kind, "bridge") != 0 && strcmp(l->kind, "veth") != 0;
}

static void host_line(const struct map *p)
{
	const struct netmap_sysctls *c = &p->host->sysctls;

	doc_line(p->d, STYLE_DIM, "forwarding: ");
	doc_add(p->d, c->forward4 == NETMAP_OFF ? STYLE_BUSY : STYLE_DIM, "IPv4 %s",
	        c->forward4 == NETMAP_ON    ? "on"
	        : c->forward4 == NETMAP_OFF ? "off"
	                                    : "not known");
	doc_add(p->d, STYLE_DIM, ", IPv6 %s",
	        c->forward6 == NETMAP_ON    ? "on"
	        : c->forward6 == NETMAP_OFF ? "off"
	                                    : "not known");
	if (p->m->no_forwards)
		doc_line(p->d, STYLE_BUSY, "forwarded ports are not seen: %s", p->m->no_forwards);
	if (p->m->approximate)
		doc_line(p->d, STYLE_BUSY, "it kept changing while it was read: something may be missing");
}

static void machines_unseen(const struct map *p)
{
	for (size_t i = 1; i < p->m->n; i++) {
		const struct netmap_space *s = &p->m->v[i];

		if (s->shares_host)
			doc_line(p->d, STYLE_DIM, "%s has the host's network", s->machine);
		else if (s->no_links)
			doc_line(p->d, STYLE_BUSY, "%s: %s", s->machine, s->no_links);
	}
}

/* Rules that lead to nobody who is seen. */
static bool dead_forwards(const struct map *p)
{
	char text[ADDR_TEXT_SIZE];
	bool found = false;

	for (size_t i = 0; i < p->m->n_forwards; i++) {
		const struct netmap_forward *f = &p->m->forwards[i];

		if (netmap_owner(p->m, &f->to))
			continue;
		addr_print(&f->to, false, text);
		doc_line(p->d, STYLE_BUSY, "%s %u is forwarded to %s, which nobody has here",
		         f->port.udp ? "udp" : "tcp", f->port.host, text);
		found = true;
	}
	return found;
}

/* Before the map, which may be longer than the screen. */
static void what_is_wrong(const struct map *p)
{
	bool found = false;

	for (size_t i = 0; i < p->host->n_links; i++)
		found |= flaw(p, &p->host->links[i]);
	found |= dead_forwards(p);
	if (found)
		doc_line(p->d, STYLE_TEXT, "%s", "");
}

void view_network(const struct app *a, const struct world *w, struct view *v, struct doc *d)
{
	struct map p = { w->net, w->netwanted, w->net ? netmap_host(w->net) : NULL, v, d, !a->read_only };

	if (w->is_tape) {
		doc_line(d, STYLE_DIM, "a tape does not tell the host's network");
		return;
	}
	if (w->net_problem)
		doc_line(d, STYLE_BAD, "%s", w->net_problem);
	if (!p.host || !p.wanted) {
		if (!w->net_problem)
			doc_line(d, STYLE_DIM, "looking ...");
		return;
	}
	if (p.host->no_links)
		doc_line(d, STYLE_BAD, "%s", p.host->no_links);
	if (w->s->limits)
		doc_line(d, STYLE_BUSY, "not seen: %s", w->s->limits);
	what_is_wrong(&p);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p.host->n_links; i++)
			if (!is_below(&p, &p.host->links[i]) &&
			    is_uplink(&p, &p.host->links[i]) == (pass == 0))
				draw(&p, &p.host->links[i], 0, true);
	machines_unseen(&p);
	host_line(&p);
}

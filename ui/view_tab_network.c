/* The links of a machine at both ends, its routes, its ports. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/view_tab.h"

/* ---- network */

static void add_texts(const struct tab_source *t, const struct strs *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		doc_add(t->d, STYLE_STRONG, "  %s", texts->v[i]);
}

static void end(const struct tab_source *t, const char *whose, const struct look_end *e)
{
	if (e->index == 0)
		return;
	doc_fact(t->d, whose, e->up && e->carrier ? STYLE_GOOD : STYLE_BAD, "%s",
	         !e->up       ? "down"
	         : e->carrier ? "up"
	                      : "no carrier");
	add_texts(t, &e->addresses);
	if (e->addresses.n == 0 && !e->master[0])
		doc_add(t->d, STYLE_DIM, "  no address");
	if (e->master[0])
		doc_add(t->d, STYLE_TEXT, "  bridge %s", e->master);
	doc_add(t->d, STYLE_DIM, "  %02x:%02x:%02x:%02x:%02x:%02x  mtu %u", e->mac[0], e->mac[1], e->mac[2],
	        e->mac[3], e->mac[4], e->mac[5], e->mtu);
	if (e->kind[0])
		doc_add(t->d, STYLE_DIM, "  %s", e->kind);
	for (size_t i = 0; i < e->altnames.n; i++)
		doc_add(t->d, STYLE_DIM, "  also %s", e->altnames.v[i]);
}

static void one_link(const struct tab_source *t, const struct look_link *l)
{
	const char *host = l->host.index ? l->host.name : NULL,
		   *guest = l->guest.index ? l->guest.name : NULL;
	bool is_pair = host && strcmp(l->host.kind, "veth") == 0;

	if (t->d->n_lines > 0)
		doc_line(t->d, STYLE_TEXT, " ");
	if (is_pair)
		doc_line(t->d, STYLE_STRONG, "%s > %s", host, guest ? guest : "?");
	else if (!host && strcmp(l->guest.kind, "veth") == 0)
		doc_line(t->d, STYLE_STRONG, "%s  its other end is not on the host", guest ? guest : "?");
	else
		doc_line(t->d, STYLE_STRONG, "%s%s%s", guest ? guest : "?",
		         host ? "  on the host's " : "  moved into it", host ? host : "");
	if (is_pair)
		tab_traffic(t, host);
	end(t, "  host", &l->host);
	end(t, "  inside", &l->guest);
}

static void routes(const struct tab_source *t, const char *whose, const struct strs *v)
{
	for (size_t i = 0; i < v->n; i++)
		doc_fact(t->d, i == 0 ? whose : "", STYLE_TEXT, "%s", v->v[i]);
}

static void planned(const struct tab_source *t)
{
	const struct strs *v = &t->look->network.planned;

	if (v->n > 0)
		doc_line(t->d, STYLE_DIM, "it does not run; a start does this:");
	for (size_t i = 0; i < v->n; i++)
		doc_line(t->d, STYLE_TEXT, "  %s", v->v[i]);
}

void tab_network(const struct tab_source *t)
{
	const struct look_network *n = t->look ? &t->look->network : NULL;

	if (tab_waits(t, LOOK_NETWORK) || !n)
		return;
	if (n->problem)
		doc_line(t->d, STYLE_BAD, "%s", n->problem);
	if (n->shares_host)
		doc_line(
			t->d, STYLE_TEXT, "%s",
			t->m->kind == MACHINE_VM
				? "a virtual machine: who runs it knows its network"
				: "it shares the host's network: the host's addresses and ports are its own");
	for (size_t i = 0; i < n->n; i++)
		one_link(t, &n->v[i]);
	if (n->n > 0 && n->host_routes.n + n->guest_routes.n > 0)
		doc_head(t->d, "routes");
	routes(t, "  host", &n->host_routes);
	routes(t, "  inside", &n->guest_routes);
	planned(t);
	if (n->no_guest)
		doc_line(t->d, STYLE_DIM, "%s", n->no_guest);
	if (n->no_routes && !n->no_guest)
		doc_line(t->d, STYLE_DIM, "%s", n->no_routes);
	if (t->d->n_lines == 0 && t->m->leader > 0 && t->m->kind != MACHINE_VM)
		doc_line(t->d, STYLE_TEXT, "its network is its own, and has nothing but the loopback");
	else if (t->d->n_lines == 0)
		doc_line(t->d, STYLE_DIM, "%s",
		         t->m->state == MACHINE_STOPPED || t->m->state == MACHINE_FAILED
		                 ? "it does not run, and nothing is configured that is known here"
		                 : "nothing is known of its network");
	t->v->samples = n->n > 0;
}

/* ---- ports */

static void one_port(const struct tab_source *t, const struct look_port *p)
{
	static const struct {
		const char *word;
		enum style style;
	} states[] = {
		[LOOK_PORT_UNKNOWN] = { "?", STYLE_DIM },
		[LOOK_PORT_IDLE] = { "off", STYLE_DIM },
		[LOOK_PORT_WELL] = { "ok", STYLE_GOOD },
		[LOOK_PORT_BAD] = { "NO", STYLE_BAD },
	};
	CLEANUP(free_p) char *targets = strs_join(&p->targets, " ");

	doc_line(t->d, STYLE_STRONG, "%-10s", tab_port(t, &p->port));
	doc_add(t->d, STYLE_TEXT, " %-7u ", (unsigned)p->port.guest);
	doc_add(t->d, states[p->state].style, "%-4s", states[p->state].word);
	doc_add(t->d, p->targets.n > 0 ? STYLE_TEXT : STYLE_DIM, "%s  ",
	        p->targets.n > 0 && targets ? targets : "-");
	if (!p->declared)
		doc_add(t->d, STYLE_BUSY, "not in its conf  ");
	if (p->note)
		doc_add(t->d, p->state == LOOK_PORT_BAD ? STYLE_BAD : STYLE_BUSY, "%s", p->note);
	doc_indent(t->d, 23);
}

/* An address of the host's that reaches it; NULL: not known. */
static const char *host_address(const struct tab_source *t)
{
	const struct look_network *n = &t->look->network;

	for (size_t i = 0; i < n->n; i++)
		for (size_t k = 0; k < n->v[i].host.addresses.n; k++) {
			const char *a = n->v[i].host.addresses.v[k];

			if (strncmp(a, "fe80:", 5) != 0)
				return view_keep(t->v, "%.*s", (int)strcspn(a, "/"), a);
		}
	return NULL;
}

void tab_ports(const struct tab_source *t)
{
	const struct look_ports *p = t->look ? &t->look->ports : NULL;
	const char *address;

	if (tab_waits(t, LOOK_PORTS) || !p)
		return;
	if (p->n == 0) {
		doc_line(t->d, STYLE_DIM, "it forwards no port");
		return;
	}
	doc_line(t->d, STYLE_HEAD, "%-10s %-7s %-3s %s", "HOST", "INSIDE", "", "KERNEL'S RULE");
	for (size_t i = 0; i < p->n; i++)
		one_port(t, &p->v[i]);
	if (p->no_rules)
		doc_line(t->d, STYLE_DIM, "%s", p->no_rules);
	address = host_address(t);
	doc_line(t->d, STYLE_DIM, " ");
	doc_line(t->d, STYLE_DIM,
	         "On this host 127.0.0.1 and ::1 never reach it (systemd-nspawn does not translate them): "
	         "use ");
	doc_add(t->d, STYLE_TEXT, "%s", address ? address : "another address of the host");
}

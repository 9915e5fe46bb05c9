/* The facts of each forward of one machine, from what was read of the host and inside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/hostnet.h"
#include "engine/claims.h"
#include "engine/doctor_read.h"
#include "engine/look_read.h"

static void patient_done(struct doctor_patient *p)
{
	doctor_guest_done(&p->guest);
	loaded_done(&p->conf);
	claims_done(&p->claims);
	free(p->declared);
	free(p->file);
}

/* ---- who else */

static bool declares(const struct machine *m, const struct port *port)
{
	struct port theirs;

	for (size_t i = 0; i < m->ports.n; i++)
		if (port_parse(m->ports.v[i], &theirs, NULL) == 0 && doctor_same_port(&theirs, port))
			return true;
	return false;
}

/* One that runs counts more. */
static const struct machine *rival_of(const struct doctor_patient *p, const struct port *port)
{
	const struct machine *found = NULL;

	for (size_t i = 0; i < p->r->s->n; i++) {
		const struct machine *m = &p->r->s->v[i];

		if (strcmp(m->name, p->m->name) != 0 && declares(m, port) && (!found || look_can_run(m)))
			found = m;
	}
	return found;
}

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

/* Who listens on the port on the host itself, where clients come by, or on loopback alone. */
static bool host_listener(struct doctor_host *h, const struct port *port, bool local,
                          struct doctor_listener *ret)
{
	for (size_t i = 0; i < h->listening.n; i++) {
		const struct listening *l = &h->listening.v[i];

		if (l->udp != port->udp || l->port != port->host || is_loopback(&l->at) != local)
			continue;
		*ret = doctor_listener_from(l, doctor_host_holder(h, i));
		return true;
	}
	return false;
}

/* ---- one forward */

/* Who else configures the host's end: they leave a trace in /run. */
static const char *manager_of(const struct link *l)
{
	static const char *const words[] = {
		[NETMAP_MANAGER_UNKNOWN] = NULL,
		[NETMAP_NETWORKD] = "systemd-networkd",
		[NETMAP_NETWORK_MANAGER] = "NetworkManager",
		[NETMAP_DHCPCD] = "dhcpcd",
	};
	struct netmap_link one = { .index = l->index };
	struct netmap_space host = { .netnsid = NETMAP_HOST, .links = &one, .n_links = 1 };

	memcpy(one.name, l->name, sizeof(one.name));
	hostnet_managers("", &host);
	return words[one.manager];
}

static void fill_links(const struct doctor_patient *p, struct doctor_facts *f)
{
	const struct links *links = &p->r->host.links;
	const struct link *host = p->guest.host_link ? p->guest.host_link : p->left, *bridge;

	for (size_t i = 0; i < p->guest.links.n && !f->link; i++) {
		const struct link *l = &p->guest.links.v[i];

		if (strcmp(l->name, "lo") == 0 || (host && p->guest.host_link && l->index != host->peer))
			continue;
		f->link = l->name;
		f->link_up = l->up ? DOCTOR_YES : DOCTOR_NO;
		f->link_without_ipv6 = l->no_ipv6;
	}
	if (!host)
		return;
	f->host_link = link_full_name(host);
	f->host_link_up = host->up ? DOCTOR_YES : DOCTOR_NO;
	f->link_is_left = p->left;
	f->manager = p->manager;
	if (!p->has_conf || !p->conf.container.host_bridge)
		return;
	bridge = links_find(links, p->conf.container.host_bridge);
	f->bridge = p->conf.container.host_bridge;
	f->bridge_is_gone = !bridge;
	f->bridged = bridge && host->master == bridge->index ? DOCTOR_YES : DOCTOR_NO;
}

static bool is_newer(const struct doctor_patient *p, const struct port *port)
{
	struct port started;
	const char *value;
	size_t at = 0;

	while ((value = claims_value(&p->claims, "port", &at)))
		if (port_parse(value, &started, NULL) == 0 && doctor_same_port(&started, port))
			return false;
	return p->claims.argv.n > 0;
}

static void fill_guest(const struct doctor_patient *p, struct doctor_facts *f)
{
	if (!look_can_run(p->m) || f->shares_host)
		return;
	f->no_guest = p->guest.no_guest;
	f->no_listeners = p->guest.no_listeners;
	f->listeners = p->guest.listeners;
	f->n_listeners = p->guest.listening.n;
	f->failed_units = &p->m->guest_failed;
	if (f->declared && !p->is_settings)
		f->is_newer = is_newer(p, &f->port);
}

static const char *host_address(const struct doctor_host *h, const struct doctor_facts *f)
{
	bool v6 = f->way[DOCTOR_V6].has_rule && !f->way[DOCTOR_V4].has_rule;
	const char *first = h->address[v6 ? DOCTOR_V6 : DOCTOR_V4];

	return *first ? first : *h->address[DOCTOR_V6] && v6 ? h->address[DOCTOR_V6] : NULL;
}

static uint64_t up_for(const struct snapshot *s, const struct machine *m)
{
	return m->since_usec && s->taken_usec > m->since_usec ? s->taken_usec - m->since_usec : 0;
}

struct tried_texts {
	char forward[ADDR_TEXT_SIZE + 8], direct[ADDR_TEXT_SIZE + 8];
};

static void fill_connect(const struct doctor_reading *r, struct doctor_facts *f, struct tried_texts *texts)
{
	char to[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < r->n_tries; i++) {
		const struct doctor_try *t = &r->tries[i];

		char *text = t->direct ? texts->direct : texts->forward;

		if (t->forward != f->port.host || t->udp != f->port.udp ||
		    !look_can_run(&(struct machine){ .state = f->state }))
			continue;
		addr_print(&t->to, false, to);
		(void)snprintf(text, ADDR_TEXT_SIZE + 8, t->to.family == AF_INET6 ? "[%s]:%u" : "%s:%u", to,
		               t->port);
		if (t->direct) {
			f->direct = t->came;
			f->direct_to = text;
			continue;
		}
		f->connect = t->came;
		f->connect_ms = t->ms;
		f->connected_to = text;
	}
}

static struct checked_port *add_row(struct checkup *c, const char *machine, const struct doctor_facts *f)
{
	struct checked_port *grown = reallocarray(c->v, c->n + 1, sizeof(*grown)), *row;

	if (!grown)
		return NULL;
	c->v = grown;
	row = &grown[c->n];
	*row = (struct checked_port){ .port = f->port, .declared = f->declared, .line = f->line };
	(void)snprintf(row->machine, sizeof(row->machine), "%s", machine);
	row->file = f->file ? strdup(f->file) : NULL;
	for (size_t i = 0; i < DOCTOR_WAYS; i++) {
		char to[ADDR_TEXT_SIZE];

		addr_print(&f->way[i].to, false, to);
		if (f->way[i].has_rule)
			strs_addf(&row->targets, f->way[i].to.family == AF_INET6 ? "[%s]:%u" : "%s:%u", to,
			          f->way[i].to_port);
	}
	c->n++;
	return row->targets.bad || (f->file && !row->file) ? NULL : row;
}

/* line: where it is declared; 0: nowhere. */
static int examine(struct doctor_patient *p, const struct port *port, size_t line)
{
	struct doctor_host *h = &p->r->host;
	const struct machine *rival = rival_of(p, port);
	struct doctor_listener host, local;
	struct tried_texts tried;
	struct doctor_facts f = {
		.name = p->m->name,
		.state = p->m->state,
		.reason = p->m->reason,
		.up_usec = up_for(p->r->s, p->m),
		.port = *port,
		.declared = line > 0,
		.file = line > 0 ? p->file : NULL,
		.line = line,
		.shares_host = p->shares_host,
		.bad_conf = p->m->bad_conf,
		.rival = rival ? rival->name : NULL,
		.rival_runs = rival && look_can_run(rival),
		.no_rules = h->no_rules,
		.legacy_tables = *h->legacy_tables ? h->legacy_tables : NULL,
		.has_both = h->filters.has_iptables && h->filters.has_nft,
	};
	struct checked_port *row;

	for (enum doctor_way_index i = 0; i < DOCTOR_WAYS; i++)
		doctor_fill_way(p, port, i, &f.way[i]);
	fill_links(p, &f);
	fill_guest(p, &f);
	if (!f.shares_host && host_listener(h, port, false, &host))
		f.host = &host;
	if (!f.shares_host && host_listener(h, port, true, &local))
		f.local = &local;
	f.host_address = host_address(h, &f);
	fill_connect(p->r, &f, &tried);
	row = add_row(&p->r->to, p->m->name, &f);
	if (!row)
		return -ENOMEM;
	doctor_judge(&f, &row->found);
	return 0;
}

/* ---- one machine */

static bool is_listed(const struct checkup *c, const struct port *port, size_t from)
{
	for (size_t i = from; i < c->n; i++)
		if (doctor_same_port(&c->v[i].port, port))
			return true;
	return false;
}

/* Rules that lead to it, and that it does not declare. */
static int examine_others(struct doctor_patient *p, size_t from)
{
	const struct forwards *rules = &p->r->host.rules;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rules->n; i++)
		if (doctor_has_address(&p->guest.addresses, &rules->v[i].to) &&
		    !is_listed(&p->r->to, &rules->v[i].port, from))
			r = examine(p, &rules->v[i].port, 0);
	return r;
}

static void find_left_link(struct doctor_patient *p)
{
	static const char *const prefixes[] = { "ve-", "vb-" };
	char name[NETOP_NAME_SIZE];

	for (size_t i = 0; i < COUNT(prefixes) && !p->left && !look_can_run(p->m); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", prefixes[i], p->m->name);
		p->left = links_find_host(&p->r->host.links, name);
	}
}

static bool has_rule(const struct doctor_reading *r, const struct machine *m)
{
	for (size_t i = 0; i < r->host.rules.n; i++)
		if (doctor_owner_of(r->s, &r->host.rules.v[i].to) == m)
			return true;
	return false;
}

int doctor_read_machine(struct doctor_reading *r, const struct machine *m, struct err *e)
{
	CLEANUP(patient_done) struct doctor_patient p = { .r = r, .m = m, .guest.netnsid = -1 };
	size_t from = r->to.n;
	int status = 0;

	doctor_read_declared(&p);
	if (p.n_declared == 0 && !has_rule(r, m))
		return 0;
	if (look_can_run(m) && !p.shares_host && m->leader)
		status = doctor_guest_read(&r->host, m, &p.guest);
	find_left_link(&p);
	if (p.guest.host_link)
		p.manager = manager_of(p.guest.host_link);
	for (size_t i = 0; status == 0 && i < p.n_declared; i++)
		status = examine(&p, &p.declared[i].port, p.declared[i].line);
	if (status == 0)
		status = examine_others(&p, from);
	return status < 0 ? err_no_memory(e) : 0;
}

static bool is_declared(const struct snapshot *s, const struct port *port)
{
	for (size_t i = 0; i < s->n; i++)
		if (declares(&s->v[i], port))
			return true;
	return false;
}

int doctor_read_nobody(struct doctor_reading *r, struct err *e)
{
	const struct forwards *rules = &r->host.rules;

	for (size_t i = 0; i < rules->n; i++) {
		const struct forward *rule = &rules->v[i];
		struct doctor_facts f = { .name = "", .state = MACHINE_STOPPED, .port = rule->port };
		struct doctor_way *w = &f.way[rule->to.family == AF_INET6 ? DOCTOR_V6 : DOCTOR_V4];
		struct checked_port *row;

		if (is_declared(r->s, &rule->port) || doctor_owner_of(r->s, &rule->to))
			continue;
		*w = (struct doctor_way){ .has_rule = true,
			                  .to = rule->to,
			                  .to_port = rule->port.guest,
			                  .owner = DOCTOR_OWNER_NOBODY };
		row = add_row(&r->to, "", &f);
		if (!row)
			return err_no_memory(e);
		doctor_judge(&f, &row->found);
	}
	return 0;
}

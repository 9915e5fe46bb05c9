/* The ports of a machine: what it declares beside the rules that the kernel has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/nft.h"
#include "engine/look_read.h"

static struct look_port *add_port(struct look_ports *p, const struct port *port, bool declared)
{
	struct look_port *grown = reallocarray(p->v, p->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	p->v = grown;
	grown[p->n] = (struct look_port){ .port = *port, .declared = declared };
	return &grown[p->n++];
}

static bool same_host_port(const struct port *a, const struct port *b)
{
	return a->udp == b->udp && a->host == b->host;
}

static bool has_address(const struct machine *m, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, false, text);
	return strs_has(&m->addresses, text);
}

/* Who has the address inside; NULL: no machine that is known. */
static const struct machine *owner(const struct snapshot *s, const struct addr *a)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].addresses_seen && has_address(&s->v[i], a))
			return &s->v[i];
	return NULL;
}

static bool declares(const struct machine *m, const struct port *port)
{
	struct port theirs;

	for (size_t i = 0; i < m->ports.n; i++)
		if (port_parse(m->ports.v[i], &theirs, NULL) == 0 && same_host_port(&theirs, port))
			return true;
	return false;
}

/* One that runs counts more. */
static const struct machine *rival(const struct snapshot *s, const struct machine *m, const struct port *port)
{
	const struct machine *found = NULL;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, m->name) != 0 && declares(&s->v[i], port) &&
		    (!found || look_can_run(&s->v[i])))
			found = &s->v[i];
	return found;
}

/* ---- what the rules say of one port */

__attribute__((format(printf, 2, 3))) static void say(struct look_port *p, const char *format, ...)
{
	va_list ap;

	if (p->note)
		return;
	va_start(ap, format);
	if (vasprintf(&p->note, format, ap) < 0)
		p->note = NULL;
	va_end(ap);
}

static void judge_rule(struct look_port *p, const struct machine *m, const struct snapshot *s,
                       const struct forward *f)
{
	const struct machine *other = owner(s, &f->to);
	char text[ADDR_TEXT_SIZE];

	addr_print(&f->to, false, text);
	strs_addf(&p->targets, f->to.family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, (unsigned)f->port.guest);
	if (m->addresses_seen && has_address(m, &f->to)) {
		if (f->port.guest == p->port.guest) {
			p->state = p->state == LOOK_PORT_BAD ? p->state : LOOK_PORT_WELL;
			return;
		}
		say(p, "its conf says port %u inside; it was started with another", (unsigned)p->port.guest);
	} else if (other && strcmp(other->name, m->name) != 0) {
		say(p, "goes to %s, which has it", other->name);
	} else if (!look_can_run(m)) {
		say(p, "a rule that was left behind: it goes to where nobody is");
	} else if (!m->addresses_seen) {
		return;
	} else {
		say(p, "goes to %s, which it does not have: a rule that was left behind", text);
	}
	p->state = LOOK_PORT_BAD;
}

static void judge_absence(struct look_port *p, const struct machine *m, const struct machine *other)
{
	p->state = look_can_run(m) ? LOOK_PORT_BAD : LOOK_PORT_IDLE;
	if (other && look_can_run(other))
		say(p, "%s has it", other->name);
	else if (other)
		say(p, "%s wants it too", other->name);
	else if (!look_can_run(m))
		return;
	else if (m->addresses.n == 0 || !m->addresses_seen)
		say(p, "not forwarded: it has no address inside");
	else
		say(p, "not forwarded: the kernel's rule is gone; a restart makes it");
}

static void judge(struct look_port *p, const struct machine *m, const struct snapshot *s,
                  const struct forwards *rules)
{
	const struct machine *other = rival(s, m, &p->port);

	for (size_t i = 0; i < rules->n; i++)
		if (same_host_port(&rules->v[i].port, &p->port))
			judge_rule(p, m, s, &rules->v[i]);
	if (p->targets.n == 0)
		judge_absence(p, m, other);
	else if (other && p->state == LOOK_PORT_WELL)
		say(p, "%s wants it too", other->name);
}

static bool is_listed(const struct look_ports *p, const struct port *port)
{
	for (size_t i = 0; i < p->n; i++)
		if (same_host_port(&p->v[i].port, port))
			return true;
	return false;
}

/* Rules that lead to it, and that it does not declare. */
static bool add_others(struct look_ports *p, const struct machine *m, const struct forwards *rules)
{
	for (size_t i = 0; m->addresses_seen && i < rules->n; i++)
		if (has_address(m, &rules->v[i].to) && !is_listed(p, &rules->v[i].port) &&
		    !add_port(p, &rules->v[i].port, false))
			return false;
	return true;
}

bool look_read_ports(const struct machine *m, const struct snapshot *s, struct look_ports *ret)
{
	struct forwards rules = { 0 };
	struct port port;
	struct err e;
	bool well = true;
	int r;

	for (size_t i = 0; well && i < m->ports.n; i++)
		well = port_parse(m->ports.v[i], &port, NULL) < 0 || add_port(ret, &port, true);
	r = nft_forwards(&rules, &e);
	if (r < 0)
		ret->no_rules = strdup(r == -EPERM || r == -EACCES
		                               ? "the kernel's rules take root (CAP_NET_ADMIN) to see"
		                               : e.text);
	well = well && add_others(ret, m, &rules);
	for (size_t i = 0; r >= 0 && well && i < ret->n; i++) {
		judge(&ret->v[i], m, s, &rules);
		well = !ret->v[i].targets.bad;
	}
	for (size_t i = 0; r < 0 && i < ret->n; i++) {
		const struct machine *other = rival(s, m, &ret->v[i].port);

		if (other)
			say(&ret->v[i], "%s wants it too", other->name);
	}
	free(rules.v);
	return well;
}

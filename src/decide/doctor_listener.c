/* Who listens inside, and whether that is where the kernel's rule leads. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "decide/doctor_private.h"

#define SAY(ret, ...) ((void)snprintf(ret, DOCTOR_TEXT, __VA_ARGS__))

static bool is_any(const struct addr *a)
{
	static const uint8_t none[16];

	return memcmp(a->bytes, none, addr_size(a)) == 0;
}

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

bool doctor_serves(const struct doctor_listener *l, bool udp, const struct addr *to, uint16_t port)
{
	if (l->udp != udp || l->port != port)
		return false;
	if (l->at.family != to->family)
		return l->at.family == AF_INET6 && is_any(&l->at) && !l->v6_only;
	return is_any(&l->at) || addr_same(&l->at, to);
}

/* The address that traffic would come to: the rule's, else the guest's. */
static const struct addr *target(const struct doctor_way *w)
{
	return doctor_leads_home(w) ? &w->to : &w->guest;
}

const struct doctor_listener *doctor_listener_of(const struct doctor_facts *f, const struct doctor_way *w)
{
	uint16_t port = doctor_leads_home(w) ? w->to_port : f->port.guest;

	if (!addr_is_set(target(w)))
		return NULL;
	for (size_t i = 0; i < f->n_listeners; i++)
		if (doctor_serves(&f->listeners[i], f->port.udp, target(w), port))
			return &f->listeners[i];
	return NULL;
}

/* One on the same port that takes nothing of it. */
static const struct doctor_listener *near_miss(const struct doctor_case *c)
{
	for (size_t i = 0; i < c->f->n_listeners; i++)
		if (c->f->listeners[i].udp == c->f->port.udp && c->f->listeners[i].port == c->f->port.guest)
			return &c->f->listeners[i];
	return NULL;
}

/* Somebody should be there and is not. */
static bool is_unheard(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && !c->f->no_listeners && !c->f->no_guest && !c->f->shares_host &&
	       (c->w->address == DOCTOR_ADDRESS_THERE || doctor_leads_home(c->w)) &&
	       !doctor_listener_of(c->f, c->w);
}

static void place(const struct doctor_listener *l, char ret[static DOCTOR_ADDRESS_TEXT])
{
	doctor_address_text(&l->at, l->port, ret);
}

static bool hears_loopback(const struct doctor_case *c)
{
	const struct doctor_listener *l = near_miss(c);

	return is_unheard(c) && l && is_loopback(&l->at);
}

static void say_loopback(const struct doctor_case *c, char *ret)
{
	char at[DOCTOR_ADDRESS_TEXT], to[ADDR_TEXT_SIZE], process[160];
	const struct doctor_listener *l = near_miss(c);

	place(l, at);
	doctor_who(l, process, sizeof(process));
	addr_print(target(c->w), false, to);
	SAY(ret, "guest listens on %s only: %s must listen on %s, or on all addresses", at, process, to);
}

static bool hears_other_family(const struct doctor_case *c)
{
	const struct doctor_listener *l = near_miss(c);

	return is_unheard(c) && l && l->at.family != target(c->w)->family;
}

static void say_other_family(const struct doctor_case *c, char *ret)
{
	char at[DOCTOR_ADDRESS_TEXT], process[160];
	const struct doctor_listener *l = near_miss(c);

	place(l, at);
	doctor_who(l, process, sizeof(process));
	SAY(ret, "guest listens on %s, on IPv%s only: %s must listen on IPv%s, too", at,
	    l->at.family == AF_INET6 ? "6" : "4", process, l->at.family == AF_INET6 ? "4" : "6");
}

static bool hears_elsewhere(const struct doctor_case *c)
{
	return is_unheard(c) && near_miss(c);
}

static void say_elsewhere(const struct doctor_case *c, char *ret)
{
	char at[DOCTOR_ADDRESS_TEXT], to[ADDR_TEXT_SIZE], process[160];
	const struct doctor_listener *l = near_miss(c);

	place(l, at);
	doctor_who(l, process, sizeof(process));
	addr_print(target(c->w), false, to);
	SAY(ret, "guest listens on %s, and the rule leads to %s: %s must listen there, or on all addresses",
	    at, to, process);
}

static const struct doctor_listener *other_protocol(const struct doctor_case *c)
{
	for (size_t i = 0; i < c->f->n_listeners; i++)
		if (c->f->listeners[i].udp != c->f->port.udp && c->f->listeners[i].port == c->f->port.guest)
			return &c->f->listeners[i];
	return NULL;
}

static bool hears_other_protocol(const struct doctor_case *c)
{
	return is_unheard(c) && other_protocol(c);
}

static void say_other_protocol(const struct doctor_case *c, char *ret)
{
	const struct doctor_listener *l = other_protocol(c);
	char process[160];

	doctor_who(l, process, sizeof(process));
	SAY(ret, "nothing listens on %s %u in %s; %s listens on %s %u: is HOST_PORT=%s:%u:%u meant?",
	    doctor_protocol(c->f), c->f->port.guest, c->f->name, process, l->udp ? "udp" : "tcp", l->port,
	    l->udp ? "udp" : "tcp", c->f->port.host, c->f->port.guest);
}

static bool unit_failed(const struct doctor_case *c)
{
	return is_unheard(c) && c->f->failed_units && c->f->failed_units->n > 0;
}

static const char *udp_word(const struct doctor_case *c)
{
	return c->f->port.udp ? "udp " : "";
}

static void say_unit_failed(const struct doctor_case *c, char *ret)
{
	const struct strs *units = c->f->failed_units;
	char names[200] = "";

	for (size_t i = 0; i < units->n && strlen(names) < sizeof(names) / 2; i++) {
		size_t len = strlen(names);

		(void)snprintf(names + len, sizeof(names) - len, "%s%.64s", i > 0 ? ", " : "", units->v[i]);
	}
	SAY(ret,
	    "nothing listens on %s%u in %s; %s %s failed: start %s (machdeck run %s -- systemctl start "
	    "%.64s)",
	    udp_word(c), c->f->port.guest, c->f->name, names, units->n > 1 ? "are" : "is",
	    units->n > 1 ? "the one" : "it", c->f->name, units->v[0]);
}

static void say_nobody(const struct doctor_case *c, char *ret)
{
	char ports[120] = "";

	for (size_t i = 0; i < c->f->n_listeners && strlen(ports) < sizeof(ports) / 2; i++) {
		size_t len = strlen(ports);

		if (c->f->listeners[i].udp == c->f->port.udp && !is_loopback(&c->f->listeners[i].at))
			(void)snprintf(ports + len, sizeof(ports) - len, "%s%u", *ports ? ", " : "",
			               c->f->listeners[i].port);
	}
	if (*ports)
		SAY(ret,
		    "nothing listens on %s%u in %s, which listens on %s: start what is to serve it, or "
		    "change "
		    "HOST_PORT=",
		    udp_word(c), c->f->port.guest, c->f->name, ports);
	else
		SAY(ret, "nothing listens on %s%u in %s: start what is to serve it", udp_word(c),
		    c->f->port.guest, c->f->name);
}

const struct doctor_rule doctor_listener_rules[] = {
	{ "loopback-only", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, hears_loopback, say_loopback },
	{ "other-family", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, hears_other_family, say_other_family },
	{ "other-address", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, hears_elsewhere, say_elsewhere },
	{ "unit-failed", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, unit_failed, say_unit_failed },
	{ "other-protocol", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, hears_other_protocol,
	  say_other_protocol },
	{ "no-listener", DOCTOR_LISTENER, DOCTOR_IF_MEANT, true, is_unheard, say_nobody },
	{ 0 },
};

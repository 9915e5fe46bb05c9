/* What breaks nothing, and is worth knowing of a forward. */
#include <stdio.h>
#include <string.h>

#include "decide/doctor_private.h"

#define SAY(ret, ...) ((void)snprintf(ret, DOCTOR_TEXT, __VA_ARGS__))

static bool is_stopped(const struct doctor_case *c)
{
	return c->f->state == MACHINE_STOPPED;
}

static void say_stopped(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s is stopped, so nothing is forwarded (machdeck start %s)", c->f->name, c->f->name);
}

static bool is_starting(const struct doctor_case *c)
{
	return c->f->state == MACHINE_STARTING;
}

static void say_starting(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s is still starting: the rule comes with its address, who listens later", c->f->name);
}

static bool is_undeclared(const struct doctor_case *c)
{
	return !c->f->declared;
}

static void say_undeclared(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the kernel forwards it to %s, and neither its conf nor a .nspawn file says so: either was "
	    "changed since, or "
	    "somebody added the rule",
	    c->f->name);
}

static bool has_rival(const struct doctor_case *c)
{
	return c->f->rival && (doctor_leads_home(&c->f->way[DOCTOR_V4]) ||
	                       doctor_leads_home(&c->f->way[DOCTOR_V6]) || !doctor_can_run(c->f));
}

static void say_rival(const struct doctor_case *c, char *ret)
{
	if (c->f->rival_runs && doctor_can_run(c->f))
		SAY(ret,
		    "%s wants %s %u, too, and takes the rule along when it stops: give one of them another "
		    "port",
		    c->f->rival, doctor_protocol(c->f), c->f->port.host);
	else
		SAY(ret, "%s wants %s %u, too: only one of them can run with it", c->f->rival,
		    doctor_protocol(c->f), c->f->port.host);
}

static bool host_hears_loopback(const struct doctor_case *c)
{
	return c->f->local;
}

static void say_host_loopback(const struct doctor_case *c, char *ret)
{
	char at[DOCTOR_ADDRESS_TEXT], process[160];

	doctor_address_text(&c->f->local->at, c->f->local->port, at);
	doctor_who(c->f->local, process, sizeof(process));
	SAY(ret, "who connects to %s on the host meets %s, not %s", at, process, c->f->name);
}

static bool is_open_on_6(const struct doctor_case *c)
{
	const struct doctor_way *w = &c->f->way[DOCTOR_V6];

	return doctor_leads_home(w) && !addr_is_set(&w->configured) &&
	       doctor_leads_home(&c->f->way[DOCTOR_V4]);
}

static void say_open_on_6(const struct doctor_case *c, char *ret)
{
	char to[DOCTOR_ADDRESS_TEXT];

	doctor_address_text(&c->f->way[DOCTOR_V6].to, c->f->way[DOCTOR_V6].to_port, to);
	SAY(ret,
	    "it is open over IPv6, too, to %s, which no conf asks for: systemd-nspawn forwards whatever "
	    "address a "
	    "guest has",
	    to);
}

static bool goes_to_another_of_its(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && addr_is_set(&c->w->configured) &&
	       !addr_same(&c->w->configured, &c->w->to);
}

static void say_another_of_its(const struct doctor_case *c, char *ret)
{
	char to[ADDR_TEXT_SIZE], configured[ADDR_TEXT_SIZE];

	addr_print(&c->w->to, false, to);
	addr_print(&c->w->configured, false, configured);
	SAY(ret,
	    "it goes to %s, not to %s: of several addresses systemd-nspawn takes that of the first link, and "
	    "the "
	    "lowest",
	    to, configured);
}

static bool has_two_firewalls(const struct doctor_case *c)
{
	return (c->f->legacy_tables || c->f->has_both) && doctor_can_run(c->f);
}

static void say_two_firewalls(const struct doctor_case *c, char *ret)
{
	if (c->f->legacy_tables)
		SAY(ret,
		    "iptables and nft are both used: iptables-legacy has the tables %.80s, which nft does "
		    "not show, and "
		    "either can drop it (iptables-legacy -S)",
		    c->f->legacy_tables);
	else
		SAY(ret, "iptables and nft are both used: what one accepts, the other can drop (nft list "
		         "ruleset shows "
		         "both)");
}

const struct doctor_rule doctor_note_rules[] = {
	{ "stopped", DOCTOR_RULE, DOCTOR_NOTE, false, is_stopped, say_stopped },
	{ "starting", DOCTOR_RULE, DOCTOR_NOTE, false, is_starting, say_starting },
	{ "not-declared", DOCTOR_DECLARED, DOCTOR_NOTE, false, is_undeclared, say_undeclared },
	{ "rival", DOCTOR_DECLARED, DOCTOR_NOTE, false, has_rival, say_rival },
	{ "host-loopback", DOCTOR_DECLARED, DOCTOR_NOTE, false, host_hears_loopback, say_host_loopback },
	{ "ipv6-open", DOCTOR_RULE, DOCTOR_NOTE, false, is_open_on_6, say_open_on_6 },
	{ "other-own-address", DOCTOR_RULE, DOCTOR_NOTE, true, goes_to_another_of_its, say_another_of_its },
	{ "two-firewalls", DOCTOR_CONNECTS, DOCTOR_NOTE, false, has_two_firewalls, say_two_firewalls },
	{ 0 },
};

/* What is wrong on a client's way to the guest, and what an attempt came to. */
#include <stdio.h>
#include <string.h>

#include "decide/doctor_private.h"

#define SAY(ret, ...) ((void)snprintf(ret, DOCTOR_TEXT, __VA_ARGS__))

static bool has_no_route(const struct doctor_case *c)
{
	bool comes_with_bridge = c->f->bridge && c->f->bridged == DOCTOR_NO;

	return doctor_leads_home(c->w) && c->w->routed == DOCTOR_NO && !comes_with_bridge;
}

static void say_no_route(const struct doctor_case *c, char *ret)
{
	char to[ADDR_TEXT_SIZE];

	addr_print(&c->w->to, false, to);
	if (c->w->routed_by)
		SAY(ret,
		    "the host's route to %s goes by %s, which is not %s's link: another one has the same "
		    "network "
		    "(ip route get %s)",
		    to, c->w->routed_by, c->f->name, to);
	else
		SAY(ret, "the host has no route to %s (ip route replace %s dev %s)", to, to,
		    c->f->host_link ? c->f->host_link : "LINK");
}

static bool is_macvlan(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->macvlan;
}

static void say_macvlan(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "%s in %s is a macvlan, and the host never talks to its own macvlans: nothing that it forwards "
	    "arrives "
	    "(give it a veth, HOST_ADDRESS=, or a bridge, HOST_BRIDGE=)",
	    c->w->macvlan, c->f->name);
}

static bool lost_host_end(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->host_end_there == DOCTOR_NO && c->f->host_link;
}

static void say_lost_host_end(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->host_end, false, address);
	SAY(ret,
	    "%s is configured for the host's end, %s, and is not there%s%s%s: answers find no way (ip addr "
	    "add %s dev %s%s)",
	    address, c->f->host_link, c->f->manager ? ", which " : "", c->f->manager ? c->f->manager : "",
	    c->f->manager ? " manages" : "", address, c->f->host_link,
	    c->f->manager ? ", and make it unmanaged" : "");
}

static bool lacks_default_route(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->default_route == DOCTOR_NO;
}

static void say_lacks_default_route(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "no default route in the guest%s: %s answers only who is on its link (HOST_ADDRESS%s= gives it "
	    "one)",
	    c->index == DOCTOR_V6 ? " for IPv6" : "", c->f->name, c->index == DOCTOR_V6 ? "6" : "");
}

static bool lacks_forwarding(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->forwarding == DOCTOR_NO;
}

static void say_lacks_forwarding(const struct doctor_case *c, char *ret)
{
	const char *what = c->index == DOCTOR_V6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward";

	SAY(ret, "%s is 0: only the host itself reaches %s, nobody else (sysctl -w %s=1)", what, c->f->name,
	    what);
}

static bool is_filtered_strictly(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->strict_link;
}

static void say_filtered_strictly(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "rp_filter is 1 on %s in %s, and its route back goes by another link: what comes from far is "
	    "dropped "
	    "(sysctl -w net.ipv4.conf.%s.rp_filter=2 inside)",
	    c->w->strict_link, c->f->name, c->w->strict_link);
}

static bool host_drops(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->host_drops.answer == FIREWALL_DROPS;
}

static void say_host_drops(const struct doctor_case *c, char *ret)
{
	char to[ADDR_TEXT_SIZE];

	addr_print(&c->w->to, false, to);
	SAY(ret,
	    "the host's firewall drops what is forwarded to %s: %.160s; a rule there must accept it (%s "
	    "daddr %s, "
	    "and the answers)",
	    c->f->name, c->w->host_drops.where, doctor_ip_word(c), to);
}

static bool host_may_drop(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->host_drops.answer == FIREWALL_MAY_DROP;
}

static void say_host_may_drop(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the host's firewall may drop what is forwarded: %.160s has rules that can not be judged from "
	    "here",
	    c->w->host_drops.where[0] ? c->w->host_drops.where : "it");
}

static bool guest_drops(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->guest_drops.answer == FIREWALL_DROPS;
}

static void say_guest_drops(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s's own firewall drops it: %.160s; accept %s dport %u inside", c->f->name,
	    c->w->guest_drops.where, doctor_protocol(c->f), c->w->to_port);
}

static bool guest_may_drop(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->w->guest_drops.answer == FIREWALL_MAY_DROP;
}

static void say_guest_may_drop(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s's own firewall may drop it: %.160s has rules that can not be judged from here",
	    c->f->name, c->w->guest_drops.where[0] ? c->w->guest_drops.where : "it");
}

/* what an attempt at the guest's own address says besides, as the end of a sentence */
static void say_direct(const struct doctor_facts *f, char *ret)
{
	size_t len = strlen(ret);

	switch (f->direct) {
	case DOCTOR_NOT_TRIED:
	case DOCTOR_SILENT:
		return;
	case DOCTOR_CONNECTED:
		(void)snprintf(ret + len, DOCTOR_TEXT - len, "; past the forward, %s answers", f->direct_to);
		return;
	case DOCTOR_REFUSED:
		(void)snprintf(ret + len, DOCTOR_TEXT - len, "; %s refuses it, too", f->direct_to);
		return;
	case DOCTOR_TIMED_OUT:
	case DOCTOR_UNREACHABLE:
		(void)snprintf(ret + len, DOCTOR_TEXT - len, "; %s does not answer either", f->direct_to);
		return;
	}
}

static bool was_refused(const struct doctor_case *c)
{
	return c->f->connect == DOCTOR_REFUSED;
}

static void say_refused(const struct doctor_case *c, char *ret)
{
	SAY(ret, "a %s to %s was refused: the guest's firewall rejects it, or who listened has just ended",
	    c->f->port.udp ? "datagram" : "connection", c->f->connected_to);
	say_direct(c->f, ret);
}

static bool timed_out(const struct doctor_case *c)
{
	return c->f->connect == DOCTOR_TIMED_OUT;
}

static void say_timed_out(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "a connection to %s was not answered within %u ms: something drops it (a firewall of the host or "
	    "inside), or who listens is stuck",
	    c->f->connected_to, c->f->connect_ms);
	say_direct(c->f, ret);
}

static bool was_unreachable(const struct doctor_case *c)
{
	return c->f->connect == DOCTOR_UNREACHABLE;
}

static void say_unreachable(const struct doctor_case *c, char *ret)
{
	SAY(ret, "there is no way to %s: the guest does not answer on its link", c->f->connected_to);
	say_direct(c->f, ret);
}

const struct doctor_rule doctor_way_rules[] = {
	{ "host-address-lost", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, lost_host_end, say_lost_host_end },
	{ "no-host-route", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, has_no_route, say_no_route },
	{ "macvlan", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, is_macvlan, say_macvlan },
	{ "no-default-route", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, lacks_default_route,
	  say_lacks_default_route },
	{ "no-forwarding", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, lacks_forwarding, say_lacks_forwarding },
	{ "rp-filter", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, is_filtered_strictly, say_filtered_strictly },
	{ "host-firewall", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, host_drops, say_host_drops },
	{ "guest-firewall", DOCTOR_CONNECTS, DOCTOR_IF_MEANT, true, guest_drops, say_guest_drops },
	{ "host-firewall", DOCTOR_CONNECTS, DOCTOR_NOTE, true, host_may_drop, say_host_may_drop },
	{ "guest-firewall", DOCTOR_CONNECTS, DOCTOR_NOTE, true, guest_may_drop, say_guest_may_drop },
	{ 0 },
};

const struct doctor_rule doctor_probe_rules[] = {
	{ "refused", DOCTOR_CONNECTS, DOCTOR_LAST, false, was_refused, say_refused },
	{ "no-answer", DOCTOR_CONNECTS, DOCTOR_LAST, false, timed_out, say_timed_out },
	{ "unreachable", DOCTOR_CONNECTS, DOCTOR_LAST, false, was_unreachable, say_unreachable },
	{ 0 },
};

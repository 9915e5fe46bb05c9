/* What is wrong from the conf to the guest's address, and on the way to it. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "decide/doctor_private.h"
#include "words/name.h"

#define SETTLED_USEC 5000000 /* an address that is still tentative after that is not going to be good */

#define SAY(ret, ...) ((void)snprintf(ret, DOCTOR_TEXT, __VA_ARGS__))

/* ---- words */

const char *doctor_protocol(const struct doctor_facts *f)
{
	return f->port.udp ? "udp" : "tcp";
}

const char *doctor_ip_word(const struct doctor_case *c)
{
	return c->index == DOCTOR_V6 ? "ip6" : "ip";
}

/* "sshd (pid 88)", with what is known. */
void doctor_who(const struct doctor_listener *l, char *ret, size_t size)
{
	const char *process = l->process ? l->process : "a process";

	if (l->pid && l->unit)
		(void)snprintf(ret, size, "%.40s (pid %d, %.80s)", process, (int)l->pid, l->unit);
	else if (l->pid)
		(void)snprintf(ret, size, "%.40s (pid %d)", process, (int)l->pid);
	else
		(void)snprintf(ret, size, "%.40s", process);
}

void doctor_address_text(const struct addr *a, uint16_t port, char ret[static DOCTOR_ADDRESS_TEXT])
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, false, text);
	(void)snprintf(ret, DOCTOR_ADDRESS_TEXT, a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text,
	               (unsigned)port);
}

/* ---- what counts */

bool doctor_can_run(const struct doctor_facts *f)
{
	switch (f->state) {
	case MACHINE_STARTING:
	case MACHINE_RUNNING:
	case MACHINE_RELOADING:
	case MACHINE_STOPPING:
	case MACHINE_UNKNOWN:
		return true;
	case MACHINE_STOPPED:
	case MACHINE_RESTARTING:
	case MACHINE_FAILED:
	case MACHINE_GHOST:
		return false;
	}
	return false;
}

bool doctor_is_up(const struct doctor_facts *f)
{
	return f->state == MACHINE_RUNNING || f->state == MACHINE_RELOADING;
}

static bool is_used(const struct doctor_way *w)
{
	return addr_is_set(&w->configured) || w->address != DOCTOR_ADDRESS_NONE || w->has_rule;
}

/* A family that nobody asked for is only worth a word: an IPv6 address that a router gave, say. */
bool doctor_way_counts(const struct doctor_facts *f, enum doctor_way_index index)
{
	const struct doctor_way *w = &f->way[index],
				*other = &f->way[index == DOCTOR_V4 ? DOCTOR_V6 : DOCTOR_V4];

	if (addr_is_set(&w->configured))
		return true;
	if (addr_is_set(&other->configured) || !is_used(w))
		return false;
	return index == DOCTOR_V4 || !is_used(other);
}

static bool has_address(const struct doctor_way *w)
{
	return w->address == DOCTOR_ADDRESS_THERE;
}

static bool has_no_address(const struct doctor_facts *f)
{
	return !f->no_guest && f->way[DOCTOR_V4].address == DOCTOR_ADDRESS_NONE &&
	       f->way[DOCTOR_V6].address == DOCTOR_ADDRESS_NONE;
}

bool doctor_leads_home(const struct doctor_way *w)
{
	return w->has_rule && w->owner == DOCTOR_OWNER_ITSELF;
}

/* ---- declared */

static bool shares_host(const struct doctor_case *c)
{
	return c->f->shares_host && c->f->declared;
}

static void say_shares_host(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "%s shares the host's network, so nothing is forwarded: what listens inside listens on the host "
	    "(PRIVATE_NETWORK=1 gives it a network of its own)",
	    c->f->name);
}

static bool has_bad_conf(const struct doctor_case *c)
{
	return c->f->bad_conf;
}

static void say_bad_conf(const struct doctor_case *c, char *ret)
{
	SAY(ret, "the conf can not be used, so nothing of it holds: %.300s",
	    c->f->reason ? c->f->reason : "machdeck check says why");
}

static bool is_taken(const struct doctor_case *c)
{
	return c->f->host;
}

static void say_taken(const struct doctor_case *c, char *ret)
{
	char text[160];

	doctor_who(c->f->host, text, sizeof(text));
	SAY(ret, "host port %u is taken by %s: give one of the two another port (HOST_PORT=)",
	    c->f->port.host, text);
}

/* ---- the kernel's rule */

static bool goes_to_other(const struct doctor_case *c)
{
	return c->w->has_rule && c->w->owner == DOCTOR_OWNER_OTHER && doctor_can_run(c->f);
}

static void say_goes_to_other(const struct doctor_case *c, char *ret)
{
	char to[DOCTOR_ADDRESS_TEXT];

	doctor_address_text(&c->w->to, c->w->to_port, to);
	SAY(ret,
	    "%s %u goes to %s (%s), which had it first: give one of them another port (HOST_PORT=), then "
	    "machdeck restart %s",
	    doctor_protocol(c->f), c->f->port.host, c->w->other, to, c->f->name);
}

static bool is_left_over(const struct doctor_case *c)
{
	return c->w->has_rule && !doctor_can_run(c->f) && c->w->owner != DOCTOR_OWNER_OTHER;
}

static void say_left_over(const struct doctor_case *c, char *ret)
{
	char to[DOCTOR_ADDRESS_TEXT], start[NAME_MACHINE_MAX + 32] = "";

	doctor_address_text(&c->w->to, c->w->to_port, to);
	if (*c->f->name)
		(void)snprintf(start, sizeof(start), "machdeck start %s, or ", c->f->name);
	SAY(ret,
	    "a rule was left behind by an unclean end: %s %u goes to %s, where nobody is (%snft delete "
	    "element %s "
	    "io.systemd.nat map_port_ipport '{ %s . %u }')",
	    doctor_protocol(c->f), c->f->port.host, to, start, doctor_ip_word(c), doctor_protocol(c->f),
	    c->f->port.host);
}

static bool is_down(const struct doctor_case *c)
{
	return c->f->state == MACHINE_FAILED || c->f->state == MACHINE_RESTARTING ||
	       c->f->state == MACHINE_GHOST;
}

static void say_down(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s does not run, so nothing is forwarded%s%.240s", c->f->name, c->f->reason ? ": " : "",
	    c->f->reason ? c->f->reason : "");
}

static bool leads_nowhere(const struct doctor_case *c)
{
	return c->w->has_rule && c->w->owner == DOCTOR_OWNER_NOBODY && doctor_can_run(c->f);
}

static void say_leads_nowhere(const struct doctor_case *c, char *ret)
{
	char to[DOCTOR_ADDRESS_TEXT];

	doctor_address_text(&c->w->to, c->w->to_port, to);
	SAY(ret,
	    "%s %u goes to %s, which nobody has: a rule that an unclean end left behind (machdeck restart "
	    "%s)",
	    doctor_protocol(c->f), c->f->port.host, to, c->f->name);
}

static bool needs_rule(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && has_address(c->w) && !c->w->has_rule && c->f->declared &&
	       !c->f->shares_host;
}

static bool lacks_nf_tables(const struct doctor_case *c)
{
	return c->w->table == DOCTOR_TABLE_IMPOSSIBLE && doctor_can_run(c->f);
}

static void say_lacks_nf_tables(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "this kernel has no nf_tables: systemd-nspawn from 259 on forwards nothing without (an older one "
	    "may "
	    "have used iptables, which can not be seen): modprobe nf_tables nft_chain_nat, then machdeck "
	    "restart %s",
	    c->f->name);
}

static bool is_newer(const struct doctor_case *c)
{
	return c->f->is_newer && needs_rule(c);
}

static void say_newer(const struct doctor_case *c, char *ret)
{
	SAY(ret, "it is in the conf, but %s was started without it: machdeck restart %s", c->f->name,
	    c->f->name);
}

static bool lost_table(const struct doctor_case *c)
{
	return c->w->table == DOCTOR_TABLE_GONE && needs_rule(c);
}

static void say_lost_table(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the table %s io.systemd.nat is gone: reloading the firewall (nft flush ruleset) removed it with "
	    "all "
	    "forwards (machdeck restart %s)",
	    doctor_ip_word(c), c->f->name);
}

static bool lost_chains(const struct doctor_case *c)
{
	return c->w->table == DOCTOR_TABLE_HOLLOW && doctor_is_up(c->f) && has_address(c->w) &&
	       c->f->declared;
}

static void say_lost_chains(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the chains of the table %s io.systemd.nat are empty, so nothing is translated: the firewall was "
	    "flushed (nft delete table %s io.systemd.nat, then machdeck restart %s)",
	    doctor_ip_word(c), doctor_ip_word(c), c->f->name);
}

static bool loser_took_it(const struct doctor_case *c)
{
	return c->f->rival && !c->f->rival_runs && c->w->table == DOCTOR_TABLE_THERE && needs_rule(c);
}

static void say_loser_took_it(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the rule is gone: %s, which wants the same port, took it along when it stopped (machdeck "
	    "restart "
	    "%s, and give one of them another port)",
	    c->f->rival, c->f->name);
}

static bool lost_rule(const struct doctor_case *c)
{
	return c->w->table == DOCTOR_TABLE_THERE && needs_rule(c);
}

static void say_lost_rule(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->guest, false, address);
	SAY(ret,
	    "the kernel has no rule for %s %u although %s has its address, %s: somebody deleted it (machdeck "
	    "restart %s)",
	    doctor_protocol(c->f), c->f->port.host, c->f->name, address, c->f->name);
}

static bool has_other_port(const struct doctor_case *c)
{
	return doctor_leads_home(c->w) && c->f->declared && c->w->to_port != c->f->port.guest;
}

static void say_other_port(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "the conf says port %u inside, and the rule leads to %u: changed since the start (machdeck "
	    "restart "
	    "%s)",
	    c->f->port.guest, c->w->to_port, c->f->name);
}

/* ---- the guest's address */

static bool is_held(const struct doctor_case *c)
{
	return c->f->link_is_left && !doctor_can_run(c->f);
}

static void say_held(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "%s is still there though %s does not run: something holds its old network namespace (machdeck "
	    "start %s "
	    "deletes it)",
	    c->f->host_link, c->f->name, c->f->name);
}

static bool lost_bridge(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && c->f->bridge && c->f->bridged == DOCTOR_NO && c->f->host_link;
}

static void say_lost_bridge(const struct doctor_case *c, char *ret)
{
	if (c->f->bridge_is_gone)
		SAY(ret,
		    "the host has no bridge %s, which %s is to be a port of (make it, then machdeck mend %s)",
		    c->f->bridge, c->f->host_link, c->f->name);
	else
		SAY(ret,
		    "%s is no port of %s: the bridge was made anew since, or somebody took it out (machdeck "
		    "mend %s: ip link "
		    "set %s master %s)",
		    c->f->host_link, c->f->bridge, c->f->name, c->f->host_link, c->f->bridge);
}

static bool host_link_is_down(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && c->f->host_link && c->f->host_link_up == DOCTOR_NO;
}

static void say_host_link_down(const struct doctor_case *c, char *ret)
{
	SAY(ret, "the host's end of its link, %s, is down (ip link set %s up)", c->f->host_link,
	    c->f->host_link);
}

static bool guest_link_is_down(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && c->f->link && c->f->link_up == DOCTOR_NO;
}

static void say_guest_link_down(const struct doctor_case *c, char *ret)
{
	SAY(ret, "%s is down in %s (machdeck run %s -- ip link set %s up)", c->f->link, c->f->name,
	    c->f->name, c->f->link);
}

static bool is_duplicate(const struct doctor_case *c)
{
	return c->w->address == DOCTOR_ADDRESS_DUPLICATE;
}

static void say_duplicate(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->guest, false, address);
	SAY(ret, "somebody else on its link has %s, so %s may not use it: give one of them another address",
	    address, c->f->name);
}

static bool address_waits(const struct doctor_case *c)
{
	return c->w->address == DOCTOR_ADDRESS_WAITS && doctor_is_up(c->f) && c->f->up_usec > SETTLED_USEC;
}

static void say_address_waits(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->guest, false, address);
	SAY(ret,
	    "IPv6 waits for its address: %s is tentative (duplicate address detection needs a link with a "
	    "carrier)",
	    address);
}

static bool address_waits_yet(const struct doctor_case *c)
{
	return c->w->address == DOCTOR_ADDRESS_WAITS && !address_waits(c);
}

static bool lost_address(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && !c->f->no_guest && addr_is_set(&c->w->configured) &&
	       c->w->address == DOCTOR_ADDRESS_NONE;
}

static bool is_without_ipv6(const struct doctor_case *c)
{
	return lost_address(c) && c->w->configured.family == AF_INET6 && c->f->link &&
	       c->f->link_without_ipv6;
}

static void say_without_ipv6(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->configured, false, address);
	SAY(ret,
	    "%s is configured, and net.ipv6.conf.%s.disable_ipv6 is 1 in %s (set it to 0 inside, then "
	    "machdeck mend %s)",
	    address, c->f->link, c->f->name, c->f->name);
}

static void say_lost_address(const struct doctor_case *c, char *ret)
{
	char address[ADDR_TEXT_SIZE];

	addr_print(&c->w->configured, false, address);
	SAY(ret, "%s%s is configured, and %s does not have it: it was removed inside (machdeck mend %s)",
	    c->index == DOCTOR_V6 ? "IPv6 waits for an address: " : "", address, c->f->name, c->f->name);
}

static bool lacks_address(const struct doctor_case *c)
{
	return doctor_is_up(c->f) && has_no_address(c->f) && !c->f->shares_host;
}

static void say_lacks_address(const struct doctor_case *c, char *ret)
{
	SAY(ret,
	    "%s has no address, and without one there is no rule: set LOCAL_ADDRESS=, or run "
	    "systemd-networkd or "
	    "a DHCP client in it",
	    c->f->name);
}

const struct doctor_rule doctor_chain_rules[] = {
/* clang-format off */
#define ONCE(cause, step, weight, holds, say) { cause, step, weight, false, holds, say }
#define EACH(cause, step, weight, holds, say) { cause, step, weight, true, holds, say }
	ONCE("shared-network", DOCTOR_DECLARED, DOCTOR_FATAL, shares_host, say_shares_host),
	ONCE("bad-conf", DOCTOR_DECLARED, DOCTOR_FATAL, has_bad_conf, say_bad_conf),
	EACH("other-machine", DOCTOR_RULE, DOCTOR_FATAL, goes_to_other, say_goes_to_other),
	ONCE("host-listener", DOCTOR_DECLARED, DOCTOR_FATAL, is_taken, say_taken),
	ONCE("link-held", DOCTOR_ADDRESS, DOCTOR_FATAL, is_held, say_held),
	EACH("left-over", DOCTOR_RULE, DOCTOR_FATAL, is_left_over, say_left_over),
	ONCE("not-running", DOCTOR_RULE, DOCTOR_FATAL, is_down, say_down),
	EACH("dead-address", DOCTOR_RULE, DOCTOR_IF_MEANT, leads_nowhere, say_leads_nowhere),
	EACH("no-nf-tables", DOCTOR_RULE, DOCTOR_IF_MEANT, lacks_nf_tables, say_lacks_nf_tables),
	EACH("newer-conf", DOCTOR_RULE, DOCTOR_FATAL, is_newer, say_newer),
	EACH("table-gone", DOCTOR_RULE, DOCTOR_IF_MEANT, lost_table, say_lost_table),
	EACH("table-flushed", DOCTOR_RULE, DOCTOR_IF_MEANT, lost_chains, say_lost_chains),
	EACH("loser-stopped", DOCTOR_RULE, DOCTOR_IF_MEANT, loser_took_it, say_loser_took_it),
	EACH("rule-gone", DOCTOR_RULE, DOCTOR_IF_MEANT, lost_rule, say_lost_rule),
	EACH("other-port", DOCTOR_RULE, DOCTOR_FATAL, has_other_port, say_other_port),
	ONCE("bridge-lost", DOCTOR_ADDRESS, DOCTOR_FATAL, lost_bridge, say_lost_bridge),
	ONCE("host-link-down", DOCTOR_ADDRESS, DOCTOR_FATAL, host_link_is_down, say_host_link_down),
	ONCE("guest-link-down", DOCTOR_ADDRESS, DOCTOR_FATAL, guest_link_is_down, say_guest_link_down),
	EACH("address-twice", DOCTOR_ADDRESS, DOCTOR_IF_MEANT, is_duplicate, say_duplicate),
	EACH("ipv6-off", DOCTOR_ADDRESS, DOCTOR_FATAL, is_without_ipv6, say_without_ipv6),
	EACH("address-lost", DOCTOR_ADDRESS, DOCTOR_FATAL, lost_address, say_lost_address),
	EACH("address-waits", DOCTOR_ADDRESS, DOCTOR_IF_MEANT, address_waits, say_address_waits),
	EACH("address-waits", DOCTOR_ADDRESS, DOCTOR_NOTE, address_waits_yet, say_address_waits),
	ONCE("no-address", DOCTOR_ADDRESS, DOCTOR_FATAL, lacks_address, say_lacks_address),
	{ 0 },
	/* clang-format on */
};

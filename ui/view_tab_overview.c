/* What a machine is and uses, in ten lines: what matters most is first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/spark.h"
#include "ui/units.h"
#include "ui/view_tab.h"

#define SPARK_CELLS 14
#define LINKS_SHOWN 3
#define LAST_WORDS  6

static void history(const struct tab_source *t, const float *values, float top)
{
	char text[SPARK_SIZE];

	spark_text(values, STATS_HISTORY, 0, SPARK_CELLS, top, t->a->ascii, text);
	doc_add(t->d, STYLE_GOOD, "%s", text);
}

static void bar(const struct tab_source *t, double share)
{
	const char *full = t->a->ascii ? "#" : "█", *empty = t->a->ascii ? "." : "░";
	CLEANUP(buf_done) struct buf text = { 0 };
	int cells = share >= 1 ? SPARK_CELLS : share > 0 ? (int)(share * SPARK_CELLS + 0.5) : 0;

	for (int i = 0; i < SPARK_CELLS; i++)
		buf_puts(&text, i < cells ? full : empty);
	doc_add(t->d,
	        share > 0.9    ? STYLE_BAD
	        : share > 0.75 ? STYLE_BUSY
	                       : STYLE_GOOD,
	        "%s", buf_text(&text));
}

/* Shares of the last 10 s in which some, and all, of it waited. */
static void pressure(const struct tab_source *t, const struct stats_pressure *p)
{
	bool some = p->some >= 10, full = p->full >= 5;

	if (isnan(p->some))
		return;
	doc_add(t->d, some || full ? STYLE_BUSY : STYLE_DIM, "  psi %.1f", (double)p->some);
	if (!isnan(p->full))
		doc_add(t->d, full ? STYLE_BAD : STYLE_DIM, "/%.1f", (double)p->full);
}

static float average(const float *v)
{
	float sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < STATS_HISTORY; i++)
		if (!isnan(v[i])) {
			sum += v[i];
			n++;
		}
	return n > 0 ? sum / (float)n : NAN;
}

static void cpu(const struct tab_source *t)
{
	const struct stats *s = t->st;

	doc_fact(t->d, "cpu", STYLE_STRONG, "%-6s", tab_percent(t, (double)s->cpu));
	history(t, s->cpu_history, s->cpu_limit);
	doc_add(t->d, STYLE_DIM, "  avg %s", tab_percent(t, (double)average(s->cpu_history)));
	if (isnan(s->cpu_limit))
		doc_add(t->d, STYLE_DIM, "  100%% is one core");
	else
		doc_add(t->d, STYLE_TEXT, "  limit %.0f%%", (double)s->cpu_limit);
	if (s->throttled > 0)
		doc_add(t->d, STYLE_BUSY, "  throttled %s", tab_percent(t, (double)s->throttled));
	pressure(t, &s->cpu_pressure);
	if (s->frozen)
		doc_add(t->d, STYLE_BUSY, "  frozen: P lets it go on");
}

static void memory(const struct tab_source *t)
{
	const struct stats *s = t->st;
	bool limited = s->memory_limit != STATS_UNKNOWN && s->memory != STATS_UNKNOWN && s->memory_limit > 0;
	double share = limited ? (double)s->memory / (double)s->memory_limit : 0;

	doc_fact(t->d, "memory", STYLE_STRONG, "%-6s",
	         view_keep(t->v, "%s%s", s->memory_is_estimate ? "~" : "", tab_bytes(t, s->memory)));
	if (limited)
		bar(t, share);
	else
		history(t, s->memory_history, 0);
	if (limited)
		doc_add(t->d, STYLE_TEXT, "  %.0f%% of %s", 100 * share, tab_bytes(t, s->memory_limit));
	else
		doc_add(t->d, STYLE_DIM, "  no limit");
	if (s->swap != STATS_UNKNOWN && s->swap > 0)
		doc_add(t->d, STYLE_TEXT, "  swap %s", tab_bytes(t, s->swap));
	if (s->oom_kills != STATS_UNKNOWN)
		doc_add(t->d, s->oom_kills > 0 ? STYLE_BAD : STYLE_DIM, "  oom %llu",
		        (unsigned long long)s->oom_kills);
	pressure(t, &s->memory_pressure);
}

static void io_and_tasks(const struct tab_source *t)
{
	const struct stats *s = t->st;
	char tasks[UNITS_SIZE], limit[UNITS_SIZE];

	units_count(s->tasks, tasks);
	units_count(s->tasks_limit, limit);
	doc_fact(t->d, "tasks", STYLE_STRONG, "%s%s", s->tasks_is_estimate ? "~" : "",
	         s->tasks == STATS_UNKNOWN ? "-" : tasks);
	if (s->tasks_limit != STATS_UNKNOWN)
		doc_add(t->d, STYLE_TEXT, " of %s", limit);
	if (s->io_read != STATS_UNKNOWN)
		doc_add(t->d, STYLE_TEXT, "  disk read %s/s  write %s/s", tab_bytes(t, s->io_read),
		        tab_bytes(t, s->io_write));
	pressure(t, &s->io_pressure);
}

/* ---- network */

static void links(const struct tab_source *t)
{
	const struct look_network *n = &t->look->network;

	for (size_t i = 0; i < n->n && i < LINKS_SHOWN; i++) {
		const struct look_end *host = &n->v[i].host, *guest = &n->v[i].guest;
		const char *inside = tab_inside(&n->v[i]);

		doc_fact(t->d, i == 0 ? "link" : "", STYLE_TEXT, "%s > %s",
		         host->index                        ? host->name
		         : strcmp(guest->kind, "veth") == 0 ? "(elsewhere)"
		                                            : "(moved)",
		         guest->index ? guest->name : "?");
		if (inside)
			doc_add(t->d, STYLE_STRONG, "  %s", inside);
		if (host->index && (!host->up || !host->carrier))
			doc_add(t->d, STYLE_BAD, host->up ? "  no carrier" : "  down");
		if (host->master[0])
			doc_add(t->d, STYLE_TEXT, "  bridge %s", host->master);
		tab_traffic(t, host->name);
	}
	if (n->n > LINKS_SHOWN)
		doc_fact(t->d, "", STYLE_DIM, "and %zu more (3)", n->n - LINKS_SHOWN);
	if (n->shares_host && t->m->kind != MACHINE_VM)
		doc_fact(t->d, "link", STYLE_TEXT, "shares the host's network");
}

static bool links_are_known(const struct tab_source *t)
{
	return t->look && t->look->known & LOOK_NETWORK &&
	       (t->look->network.n > 0 || t->look->network.shares_host);
}

static bool links_show(const struct tab_source *t, const char *address)
{
	const struct look_network *n = links_are_known(t) ? &t->look->network : NULL;
	size_t len = strlen(address);

	for (size_t i = 0; n && i < n->n && i < LINKS_SHOWN; i++) {
		const char *inside = tab_inside(&n->v[i]);

		if (inside && strncmp(inside, address, len) == 0 && (inside[len] == '/' || !inside[len]))
			return true;
	}
	return false;
}

/* Those that links() does not show. */
static void addresses(const struct tab_source *t)
{
	bool first = true;

	for (size_t i = 0; i < t->m->addresses.n; i++) {
		const char *address = t->m->addresses.v[i];

		if (links_show(t, address))
			continue;
		if (first)
			doc_fact(t->d, "address", t->m->addresses_seen ? STYLE_TEXT : STYLE_DIM, "%s",
			         address);
		else
			doc_add(t->d, t->m->addresses_seen ? STYLE_TEXT : STYLE_DIM, "  %s", address);
		first = false;
	}
	if (!first && !t->m->addresses_seen)
		doc_add(t->d, STYLE_DIM,
		        t->m->state == MACHINE_RUNNING ? "  as configured: not seen" : "  as configured");
}

static void default_route(const struct tab_source *t)
{
	bool shown = links_are_known(t) && !t->look->network.no_guest && !t->look->network.shares_host;

	for (size_t i = 0; shown && i < t->look->network.guest_routes.n; i++)
		if (strncmp(t->look->network.guest_routes.v[i], "default", 7) == 0)
			doc_fact(t->d, "route", STYLE_TEXT, "%s", t->look->network.guest_routes.v[i]);
}

static void ports(const struct tab_source *t)
{
	const struct look_ports *p = t->look && t->look->known & LOOK_PORTS ? &t->look->ports : NULL;
	static const enum style styles[] = { [LOOK_PORT_UNKNOWN] = STYLE_TEXT,
		                             [LOOK_PORT_IDLE] = STYLE_DIM,
		                             [LOOK_PORT_WELL] = STYLE_GOOD,
		                             [LOOK_PORT_BAD] = STYLE_BAD };

	for (size_t i = 0; p && i < p->n; i++) {
		const struct look_port *port = &p->v[i];

		if (i == 0)
			doc_fact(t->d, "ports", styles[port->state], "%s", tab_port(t, &port->port));
		else
			doc_add(t->d, styles[port->state], ", %s", tab_port(t, &port->port));
		doc_add(t->d, STYLE_DIM, " > %u", (unsigned)port->port.guest);
		if (port->note && port->state == LOOK_PORT_BAD)
			doc_add(t->d, STYLE_BAD, " (%s)", port->note);
	}
}

/* ---- its unit */

/* What lies over another root, and what others lie over. */
static void overlays(const struct tab_source *t)
{
	CLEANUP(free_p) char *joined = strs_join(&t->m->overlays, ", ");

	if (t->m->overlay_over)
		doc_fact(t->d, "root", STYLE_TEXT, "an overlay over that of %s", t->m->overlay_over);
	if (t->m->overlays.n > 0 && joined)
		doc_fact(t->d, "root", STYLE_BUSY, "must not change: below the overlays of %s", joined);
}

static void unit(const struct tab_source *t)
{
	const struct look_unit *u = t->look && t->look->known & LOOK_UNIT ? &t->look->unit : NULL;
	const char *says = u ? why_guest_says(u->facts.status_text) : NULL;

	doc_fact(t->d, "unit", STYLE_TEXT, "%s", t->m->unit ? t->m->unit : "none");
	if (t->m->leader)
		doc_add(t->d, STYLE_TEXT, "  leader %d", (int)t->m->leader);
	if (u && u->facts.n_restarts > 0)
		doc_add(t->d, STYLE_BUSY, "  restarts %u", u->facts.n_restarts);
	if (t->m->kind == MACHINE_CONTAINER || t->m->kind == MACHINE_NSPAWN)
		doc_add(t->d, STYLE_TEXT, "  at boot: %s", t->m->auto_start ? "yes" : "no");
	if (t->m->root_is_hosts)
		doc_fact(t->d, "users", STYLE_BUSY,
		         "root = host root: its root can harm the host (PRIVATE_USERS=pick)");
	if (says)
		doc_fact(t->d, "it says", STYLE_TEXT, "%s", says);
	if (u && u->lines.n > 0) {
		doc_fact(t->d, "last words", STYLE_DIM, "of the run that failed (w: all that is known)");
		tab_log(t, &u->lines, LAST_WORDS);
	}
	if (u && u->no_log)
		doc_fact(t->d, "no log", STYLE_DIM, "%s", u->no_log);
	overlays(t);
}

static void kind(const struct tab_source *t)
{
	switch (t->m->kind) {
	case MACHINE_CONTAINER:
		break;
	case MACHINE_NSPAWN:
		doc_add(t->d, STYLE_DIM, "  systemd-nspawn@");
		break;
	case MACHINE_IMAGE:
		doc_add(t->d, STYLE_DIM, "  a tree or image in /var/lib/machines: s starts it");
		break;
	case MACHINE_VM:
		doc_add(t->d, STYLE_DIM, "  a virtual machine: it can only be ended");
		break;
	case MACHINE_OTHER:
		doc_add(t->d, STYLE_DIM, "  registered by somebody else");
		break;
	}
}

static void reason(const struct tab_source *t)
{
	bool bad = t->m->state == MACHINE_FAILED || t->m->state == MACHINE_GHOST || t->m->bad_conf;

	if (!t->m->reason)
		return;
	doc_fact(t->d, "because", bad ? STYLE_BAD : STYLE_BUSY, "%s", t->m->reason);
	if (t->m->cause)
		doc_add(t->d, STYLE_DIM, "  [%s]", t->m->cause);
}

static void failed_inside(const struct tab_source *t)
{
	CLEANUP(free_p) char *joined = strs_join(&t->m->guest_failed, "  ");

	if (t->m->guest_failed.n > 0 && joined)
		doc_fact(t->d, "failed", STYLE_BAD, "%s", joined);
}

void tab_overview(const struct tab_source *t)
{
	tab_state(t);
	if (t->m->os)
		doc_add(t->d, STYLE_DIM, "  %s", t->m->os);
	else if (t->w->s->closed)
		doc_add(t->d, STYLE_DIM, "  its system is not known: that takes root");
	kind(t);
	reason(t);
	failed_inside(t);
	(void)view_drift_fact(t->w, t->m, t->d);
	(void)view_lint_fact(t->w, t->m, t->d);
	if (t->st) {
		cpu(t);
		memory(t);
		io_and_tasks(t);
	}
	t->v->samples = t->m->cgroup || t->m->leader;
	if (links_are_known(t))
		links(t);
	addresses(t);
	ports(t);
	default_route(t);
	unit(t);
	if (t->w->s->limits)
		doc_fact(t->d, "not seen", STYLE_DIM, "%s", t->w->s->limits);
}

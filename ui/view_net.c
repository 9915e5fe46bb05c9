/* The network of the whole host, all forwarded ports, and what the port doctor found. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/view_tab.h"

#define NAME_WIDTH_MAX 20 /* longer names are not what the others are aligned to */
#define PORT_INDENT    4

/* ---- ports */

static enum style style_of(enum doctor_state s)
{
	switch (s) {
	case DOCTOR_GOOD:
		return STYLE_GOOD;
	case DOCTOR_BROKEN:
		return STYLE_BAD;
	case DOCTOR_IDLE:
	case DOCTOR_UNKNOWN:
		break;
	}
	return STYLE_DIM;
}

static const char *owner(const struct checked_port *p)
{
	return *p->machine ? p->machine : "nobody";
}

/* "tcp 8080 > 80" */
static const char *way(struct view *v, const struct checked_port *p)
{
	const char *protocol = p->port.udp ? "udp" : "tcp";

	return p->declared ? view_keep(v, "%s %u > %u", protocol, p->port.host, p->port.guest)
	                   : view_keep(v, "%s %u > ?", protocol, p->port.host);
}

/* Who is served by it: "lan host machine, not loopback". */
static const char *clients(struct view *v, const struct diagnosis *d)
{
	CLEANUP(buf_done) struct buf good = { 0 }, bad = { 0 };

	for (enum doctor_client c = 0; c < DOCTOR_CLIENTS; c++) {
		struct buf *to = d->from[c].state == DOCTOR_GOOD     ? &good
		                 : d->from[c].state == DOCTOR_BROKEN ? &bad
		                                                     : NULL;
		if (to)
			buf_addf(to, "%s%s", to->len > 0 ? " " : "", doctor_client_word(c));
	}
	if (good.len == 0 && bad.len == 0)
		return "not known";
	return view_keep(v, "%s%s%s", buf_text(&good),
	                 bad.len == 0   ? ""
	                 : good.len > 0 ? ", not "
	                                : "not ",
	                 buf_text(&bad));
}

static void findings(struct doc *d, const struct diagnosis *found, int indent)
{
	for (size_t i = 0; i < found->n; i++) {
		doc_line(d, found->v[i].broken ? STYLE_BAD : STYLE_TEXT, "%*s%s", indent, "",
		         found->v[i].text);
		doc_indent(d, indent);
		doc_aligned(d);
	}
}

/* What needs somebody comes first. */
static bool is_in_pass(const struct checked_port *p, int pass)
{
	return (p->found.state == DOCTOR_BROKEN) == (pass == 0);
}

static void one_port(struct view *v, struct doc *d, const struct checked_port *p, int name_width,
                     int way_width)
{
	CLEANUP(free_p) char *targets = strs_join(&p->targets, " ");
	enum doctor_state state = p->found.state;
	bool is_known = state == DOCTOR_GOOD || state == DOCTOR_BROKEN;

	doc_line(d, STYLE_STRONG, "%-*s  ", name_width, owner(p));
	doc_aligned(d);
	doc_indent(d, PORT_INDENT);
	doc_add(d, STYLE_TEXT, "%-*s  ", way_width, way(v, p));
	doc_add(d, is_known ? style_of(state) : STYLE_TEXT, "%-7s", doctor_state_word(state));
	if (p->targets.n > 0 && targets)
		doc_add(d, STYLE_DIM, "  rule > %s", targets);
	if (p->found.steps[DOCTOR_LISTENER].state == DOCTOR_GOOD)
		doc_add(d, STYLE_DIM, "  %s", p->found.steps[DOCTOR_LISTENER].text);
	findings(d, &p->found, PORT_INDENT);
	doc_line(d, STYLE_DIM, "%*sfrom: %s", PORT_INDENT, "", clients(v, &p->found));
	doc_indent(d, PORT_INDENT);
	doc_aligned(d);
	if (p->file)
		doc_add(d, STYLE_DIM, "  declared in %s:%zu", p->file, p->line);
}

/* False: there is nothing to show but the reason. */
static bool has_ports(const struct world *w, struct doc *d, const char *none)
{
	const struct checkup *c = w->ports;

	if (w->is_tape)
		doc_line(d, STYLE_DIM, "a tape does not tell the chains of ports");
	else if (w->ports_problem)
		doc_line(d, STYLE_BAD, "%s", w->ports_problem);
	else if (!c)
		doc_line(d, STYLE_DIM, "looking ...");
	else if (c->limits)
		doc_line(d, STYLE_BUSY, "not seen: %s", c->limits);
	if (c && c->n == 0)
		doc_line(d, STYLE_DIM, "%s", none);
	return c && c->n > 0 && !w->is_tape;
}

void view_ports(const struct world *w, struct view *v, struct doc *d)
{
	int name_width = 0, way_width = 0;

	if (!has_ports(w, d, "no port is forwarded"))
		return;
	for (size_t i = 0; i < w->ports->n; i++) {
		int name = (int)strlen(owner(&w->ports->v[i])), text = (int)strlen(way(v, &w->ports->v[i]));

		if (name <= NAME_WIDTH_MAX && name > name_width)
			name_width = name;
		way_width = text > way_width ? text : way_width;
	}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < w->ports->n; i++)
			if (is_in_pass(&w->ports->v[i], pass))
				one_port(v, d, &w->ports->v[i], name_width, way_width);
}

static bool is_said_above(const struct diagnosis *found, const char *text)
{
	for (size_t i = 0; i < found->n; i++)
		if (strcmp(found->v[i].text, text) == 0)
			return true;
	return false;
}

static void chain(struct doc *d, const struct diagnosis *found)
{
	findings(d, found, 0);
	for (enum doctor_step s = 0; s < DOCTOR_STEPS; s++)
		doc_fact(d, doctor_step_word(s), style_of(found->steps[s].state), "%s", found->steps[s].text);
	doc_line(d, STYLE_DIM, "reached from:");
	for (enum doctor_client c = 0; c < DOCTOR_CLIENTS; c++)
		doc_fact(d, doctor_client_word(c), style_of(found->from[c].state), "%s",
		         is_said_above(found, found->from[c].text) ? "no: as said above"
		                                                   : found->from[c].text);
}

static void reaches(const struct reach *r, const char *name, struct doc *d)
{
	bool is_idle = true;

	for (enum reach_target t = 0; t < REACH_TARGETS; t++)
		is_idle &= r->to[t].state == DOCTOR_IDLE;
	if (is_idle)
		return;
	doc_head(d, "%s reaches", name);
	for (enum reach_target t = 0; t < REACH_TARGETS; t++)
		doc_fact(d, reach_word(t), style_of(r->to[t].state), "%s", r->to[t].text);
}

void view_doctor(const struct app *a, const struct world *w, struct view *v, struct doc *d)
{
	bool has = has_ports(w, d, view_keep(v, "%s forwards no port", a->selected));

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; has && i < w->ports->n; i++) {
			const struct checked_port *p = &w->ports->v[i];

			if (!is_in_pass(p, pass))
				continue;
			doc_head(d, "%s  %s", way(v, p), doctor_state_word(p->found.state));
			chain(d, &p->found);
		}
	if (w->reach)
		reaches(w->reach, a->selected, d);
}

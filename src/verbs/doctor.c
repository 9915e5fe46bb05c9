/* machdeck ports and machdeck doctor: what is forwarded, and which link of a forward's chain is broken. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/doctor.h"
#include "engine/observe.h"
#include "engine/reach.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

struct asked {
	const char *name; /* NULL: all */
	bool json, probe;
};

/* ---- words */

static const char *colour_of(enum doctor_state s)
{
	switch (s) {
	case DOCTOR_GOOD:
		return "\x1b[32m";
	case DOCTOR_BROKEN:
		return "\x1b[1;31m";
	case DOCTOR_IDLE:
	case DOCTOR_UNKNOWN:
		return "\x1b[2m";
	}
	return "";
}

static void state_word(struct buf *to, enum doctor_state s, bool colours)
{
	buf_addf(to, "%s%-7s%s", colours ? colour_of(s) : "", doctor_state_word(s), colours ? "\x1b[0m" : "");
}

static void port_text(const struct port *p, char ret[static PORT_TEXT_SIZE])
{
	(void)snprintf(ret, PORT_TEXT_SIZE, "%s %u", p->udp ? "udp" : "tcp", p->host);
}

static const char *machine_text(const struct checked_port *p)
{
	return *p->machine ? p->machine : "-";
}

/* ---- ports, for people */

enum column { MACHINE, HOST, INSIDE, STATE, RULE, LISTENER, FROM, DECLARED, COLUMNS };

/* Who is served, in words of their own: "lan host machine". */
static void served(struct buf *to, const struct diagnosis *d)
{
	size_t n = 0;

	for (enum doctor_client c = 0; c < DOCTOR_CLIENTS; c++)
		if (d->from[c].state == DOCTOR_GOOD)
			buf_addf(to, "%s%s", n++ > 0 ? " " : "", doctor_client_word(c));
	if (n == 0)
		buf_puts(to, "-");
}

static void cell(struct buf *to, const struct checked_port *p, enum column c)
{
	CLEANUP(free_p) char *targets = strs_join(&p->targets, " ");
	char port[PORT_TEXT_SIZE];

	switch (c) {
	case MACHINE:
		buf_puts(to, machine_text(p));
		break;
	case HOST:
		port_text(&p->port, port);
		buf_puts(to, port);
		break;
	case INSIDE:
		if (p->declared)
			buf_addf(to, "%u", p->port.guest);
		else
			buf_puts(to, "-");
		break;
	case STATE:
		buf_puts(to, doctor_state_word(p->found.state));
		break;
	case RULE:
		buf_puts(to, p->targets.n > 0 && targets ? targets : "-");
		break;
	case LISTENER:
		buf_puts(to, p->found.steps[DOCTOR_LISTENER].state == DOCTOR_GOOD
		                     ? p->found.steps[DOCTOR_LISTENER].text
		                     : "-");
		break;
	case FROM:
		served(to, &p->found);
		break;
	case DECLARED:
		buf_puts(to, p->declared ? p->found.steps[DOCTOR_DECLARED].text : "-");
		break;
	case COLUMNS:
		break;
	}
}

static void ports_row(struct buf *to, const struct checked_port *p, const size_t width[COLUMNS], bool colours)
{
	const struct doctor_finding *first = doctor_first(&p->found);

	for (enum column c = 0; c < COLUMNS; c++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		bool coloured = c == STATE && colours;

		cell(&text, p, c);
		buf_addf(to, "%s%s%s", coloured ? colour_of(p->found.state) : "", buf_text(&text),
		         coloured ? "\x1b[0m" : "");
		if (c + 1 < COLUMNS)
			buf_addf(to, "%*s", (int)(width[c] - text.len + 2), "");
	}
	buf_puts(to, "\n");
	if (first)
		buf_addf(to, "    %s [%s]\n", first->text, first->cause);
}

static void ports_table(struct buf *to, const struct checkup *all, bool colours)
{
	static const char *const titles[COLUMNS] = {
		"MACHINE", "HOST", "INSIDE", "STATE", "KERNEL'S RULE", "LISTENER", "REACHED FROM", "DECLARED"
	};
	size_t width[COLUMNS];

	for (enum column c = 0; c < COLUMNS; c++) {
		width[c] = strlen(titles[c]);
		for (size_t i = 0; i < all->n; i++) {
			CLEANUP(buf_done) struct buf text = { 0 };

			cell(&text, &all->v[i], c);
			width[c] = text.len > width[c] ? text.len : width[c];
		}
		buf_addf(to, "%-*s", c + 1 < COLUMNS ? (int)width[c] + 2 : 0, titles[c]);
	}
	buf_puts(to, "\n");
	for (size_t i = 0; i < all->n; i++)
		ports_row(to, &all->v[i], width, colours);
}

/* ---- doctor, for people */

static void findings(struct buf *to, const struct diagnosis *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_addf(to, "  %-9s %s [%s]\n", d->v[i].broken ? "BROKEN" : "note", d->v[i].text,
		         d->v[i].cause);
}

/* What was said above is not said again. */
static void obstacle(struct buf *to, const struct diagnosis *d, enum doctor_client c)
{
	for (size_t i = 0; d->from[c].state == DOCTOR_BROKEN && i < d->n; i++)
		if (strncmp(d->v[i].text, d->from[c].text, sizeof(d->from[c].text) - 1) == 0) {
			buf_addf(to, "[%s]\n", d->v[i].cause);
			return;
		}
	buf_addf(to, "%s\n", d->from[c].text);
}

static void clients(struct buf *to, const struct diagnosis *d, bool colours)
{
	static const char *const words[DOCTOR_CLIENTS] = { "from the lan", "from the host", "from a machine",
		                                           "from loopback" };

	for (enum doctor_client c = 0; c < DOCTOR_CLIENTS; c++) {
		const char *word = d->from[c].state == DOCTOR_GOOD     ? "yes"
		                   : d->from[c].state == DOCTOR_BROKEN ? "no"
		                                                       : "?";
		buf_addf(to, "  %-14s  %s%-3s%s  ", words[c], colours ? colour_of(d->from[c].state) : "",
		         word, colours ? "\x1b[0m" : "");
		obstacle(to, d, c);
	}
}

static void chain(struct buf *to, const struct checked_port *p, bool colours)
{
	char port[PORT_TEXT_SIZE];

	port_text(&p->port, port);
	buf_addf(to, "%s: %s", machine_text(p), port);
	if (p->declared)
		buf_addf(to, " to %u inside", p->port.guest);
	buf_addf(to, ": %s%s%s\n", colours ? colour_of(p->found.state) : "",
	         doctor_state_word(p->found.state), colours ? "\x1b[0m" : "");
	for (enum doctor_step s = 0; s < DOCTOR_STEPS; s++) {
		buf_addf(to, "  %-9s ", doctor_step_word(s));
		state_word(to, p->found.steps[s].state, colours);
		buf_addf(to, "  %s\n", p->found.steps[s].text);
	}
	findings(to, &p->found);
	clients(to, &p->found, colours);
}

static void chains(struct buf *to, const struct checkup *c, bool colours)
{
	for (size_t i = 0; i < c->n; i++) {
		buf_puts(to, i > 0 ? "\n" : "");
		chain(to, &c->v[i], colours);
	}
}

/* Nothing to follow: none, or none that is known. */
static void no_chain(struct buf *to, const struct machine *m)
{
	if (!m) {
		buf_puts(to, "no port is forwarded\n");
		return;
	}
	show_text(to, m->name);
	if (m->bad_conf || m->conf_unread) {
		buf_puts(to, ": ");
		show_reason(to, m);
		buf_puts(to, "\n");
	} else {
		buf_puts(to, " forwards no port\n");
	}
}

static void reach_lines(struct buf *to, const char *name, const struct reach *r, bool colours)
{
	buf_addf(to, "\n%s reaches\n", name);
	for (enum reach_target t = 0; t < REACH_TARGETS; t++) {
		buf_addf(to, "  %-10s ", reach_word(t));
		state_word(to, r->to[t].state, colours);
		buf_addf(to, "  %s", r->to[t].text);
		if (r->to[t].cause)
			buf_addf(to, " [%s]", r->to[t].cause);
		buf_puts(to, "\n");
	}
}

/* ---- for programs */

static json_t *steps_json(const struct diagnosis *d)
{
	json_t *array = json_array();

	for (enum doctor_step s = 0; s < DOCTOR_STEPS; s++)
		(void)json_array_append_new(array, json_pack("{s:s, s:s, s:o}", "step", doctor_step_word(s),
		                                             "state", doctor_state_word(d->steps[s].state),
		                                             "text", show_json_text(d->steps[s].text)));
	return array;
}

static json_t *findings_json(const struct diagnosis *d)
{
	json_t *array = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(array,
		                            json_pack("{s:s, s:s, s:b, s:o}", "cause", d->v[i].cause, "step",
		                                      doctor_step_word(d->v[i].step), "broken",
		                                      d->v[i].broken, "text", show_json_text(d->v[i].text)));
	return array;
}

static json_t *clients_json(const struct diagnosis *d)
{
	json_t *object = json_object();

	for (enum doctor_client c = 0; c < DOCTOR_CLIENTS; c++)
		(void)json_object_set_new(object, doctor_client_word(c),
		                          json_pack("{s:s, s:o}", "state",
		                                    doctor_state_word(d->from[c].state), "text",
		                                    show_json_text(d->from[c].text)));
	return object;
}

static json_t *port_json(const struct checked_port *p)
{
	const struct doctor_finding *first = doctor_first(&p->found);

	return json_pack("{s:o, s:s, s:i, s:o, s:b, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "machine",
	                 *p->machine ? show_json_text(p->machine) : json_null(), "protocol",
	                 p->port.udp ? "udp" : "tcp", "host", (int)p->port.host, "guest",
	                 p->declared ? json_integer(p->port.guest) : json_null(), "declared", p->declared,
	                 "file", show_json_text(p->file), "line",
	                 p->line ? json_integer((json_int_t)p->line) : json_null(), "targets",
	                 show_json_texts(&p->targets), "state", doctor_state_word(p->found.state), "cause",
	                 show_json_text(first ? first->cause : NULL), "sentence",
	                 show_json_text(first ? first->text : NULL), "chain", steps_json(&p->found),
	                 "findings", findings_json(&p->found), "from", clients_json(&p->found));
}

static json_t *reach_json(const struct reach *r)
{
	json_t *object = json_object();

	for (enum reach_target t = 0; t < REACH_TARGETS; t++)
		(void)json_object_set_new(
			object, reach_word(t),
			json_pack("{s:s, s:o, s:o}", "state", doctor_state_word(r->to[t].state), "cause",
		                  show_json_text(r->to[t].cause), "text", show_json_text(r->to[t].text)));
	return object;
}

/* r: of the one machine that was asked for; NULL: of none. */
static json_t *document(const struct checkup *c, const struct snapshot *s, const struct reach *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->n; i++)
		(void)json_array_append_new(array, port_json(&c->v[i]));
	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "schema", 1, "ports", array, "reach",
	                 r ? reach_json(r) : json_null(), "stale", show_json_text(s->stale), "limits",
	                 show_json_text(c->limits));
}

/* ---- asking */

static int parse(const struct verb *v, int argc, char **argv, bool takes_name, struct asked *ret)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "probe", no_argument, NULL, 'p' },
		{ 0 },
	};
	int option, status = STATUS_DONE;

	while ((option = getopt_long(argc, argv, "",
	                             takes_name ? options : (const struct option[]){ options[0], { 0 } },
	                             NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		ret->json |= option == 'j';
		ret->probe |= option == 'p';
	}
	if (optind == argc)
		return STATUS_DONE;
	if (!takes_name)
		return verb_usage(v, "it lists the ports of all machines, and takes no name");
	status = verb_name(v, argc, argv);
	ret->name = argv[optind];
	return status;
}

static int look(const struct asked *asked, struct snapshot *s, struct checkup *c, struct err *e)
{
	int r = observe_once(s, e);

	if (r < 0)
		return r;
	if (asked->name && !snapshot_find(s, asked->name))
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: there is no such machine%s%s",
		               asked->name, s->limits ? "; but not all can be seen here: " : "",
		               s->limits ? s->limits : "");
	return checkup_read(s, asked->name, asked->probe, c, e);
}

static void warn(const struct snapshot *s, const struct checkup *c)
{
	if (s->stale)
		fprintf(stderr, "machdeck: %s\n", s->stale);
	if (c->limits)
		fprintf(stderr, "machdeck: not seen: %s\n", c->limits);
}

int verb_ports(const struct verb *v, int argc, char **argv)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(checkup_done) struct checkup c = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct asked asked = { 0 };
	struct err e = { 0 };
	int status = parse(v, argc, argv, false, &asked);

	if (status != STATUS_DONE)
		return status;
	if (look(&asked, &s, &c, &e) < 0)
		return verb_fail(&e);
	if (asked.json)
		return show_json(document(&c, &s, NULL));
	warn(&s, &c);
	ports_table(&text, &c, show_colours());
	return verb_print_buf(&text);
}

int verb_doctor(const struct verb *v, int argc, char **argv)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(checkup_done) struct checkup c = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct asked asked = { 0 };
	const struct machine *m;
	struct reach reach;
	struct err e = { 0 };
	int status = parse(v, argc, argv, true, &asked);

	if (status != STATUS_DONE)
		return status;
	if (look(&asked, &s, &c, &e) < 0)
		return verb_fail(&e);
	m = asked.name ? snapshot_find(&s, asked.name) : NULL;
	if (m && reach_read(&s, m->name, asked.probe, &reach, &e) < 0)
		return verb_fail(&e);
	if (asked.json) {
		status = show_json(document(&c, &s, m ? &reach : NULL));
	} else {
		warn(&s, &c);
		chains(&text, &c, show_colours());
		if (c.n == 0)
			no_chain(&text, m);
		if (m)
			reach_lines(&text, m->name, &reach, show_colours());
		status = verb_print_buf(&text);
	}
	return status == STATUS_DONE && (checkup_is_broken(&c) || (m && m->bad_conf)) ? STATUS_FAILED
	                                                                              : status;
}

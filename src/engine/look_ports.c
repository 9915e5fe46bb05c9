/* The ports of a machine, as the doctor finds them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/doctor.h"
#include "engine/look_read.h"

static enum look_port_state state_of(enum doctor_state s)
{
	switch (s) {
	case DOCTOR_UNKNOWN:
		return LOOK_PORT_UNKNOWN;
	case DOCTOR_IDLE:
		return LOOK_PORT_IDLE;
	case DOCTOR_GOOD:
		return LOOK_PORT_WELL;
	case DOCTOR_BROKEN:
		return LOOK_PORT_BAD;
	}
	return LOOK_PORT_UNKNOWN;
}

/* What is wrong, else who else wants it. */
static const struct doctor_finding *worth_saying(const struct diagnosis *d)
{
	const struct doctor_finding *first = doctor_first(d);

	for (size_t i = 0; !first && i < d->n; i++)
		if (strcmp(d->v[i].cause, "rival") == 0)
			return &d->v[i];
	return first;
}

static bool add_port(const struct checked_port *p, struct look_ports *ret)
{
	const struct doctor_finding *finding = worth_saying(&p->found);
	struct look_port *port = &ret->v[ret->n++];

	*port = (struct look_port){ .port = p->port,
		                    .declared = p->declared,
		                    .state = state_of(p->found.state) };
	strs_add_all(&port->targets, &p->targets);
	port->note = finding ? strdup(finding->text) : NULL;
	if (p->found.steps[DOCTOR_RULE].state == DOCTOR_UNKNOWN && !ret->no_rules)
		ret->no_rules = strdup(p->found.steps[DOCTOR_RULE].text);
	return !port->targets.bad && (!finding || port->note);
}

bool look_read_ports(const struct machine *m, const struct snapshot *s, struct look_ports *ret)
{
	CLEANUP(checkup_done) struct checkup c = { 0 };
	bool well = true;
	struct err e;

	if (checkup_read(s, m->name, false, &c, &e) < 0) {
		ret->no_rules = strdup(e.text);
		return ret->no_rules;
	}
	ret->v = calloc(c.n + 1, sizeof(*ret->v));
	for (size_t i = 0; ret->v && well && i < c.n; i++)
		well = add_port(&c.v[i], ret);
	return ret->v && well;
}

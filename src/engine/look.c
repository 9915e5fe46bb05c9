#include "engine/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "drivers/nft.h"
#include "engine/look_read.h"
#include "engine/why.h"

#define GATHER_USEC 20000  /* events of the kernel's come in bursts */
#define FIT_USEC    300000 /* whether a conf fits the host takes all other confs */

struct looker {
	sd_event *loop;
	struct observer *observer;
	looker_changed_fn *changed;
	void *arg;

	struct looked now;
	struct machine m;   /* its row when it was looked at; name NULL: nobody is looked at */
	uint64_t seen_usec; /* of the snapshot that ports were compared with */
	unsigned wanted, stale;
	unsigned heard; /* for these the kernel is listened to, where it lets us */

	sd_event_source *later;
	struct why *asked;
	bool unreached;       /* the unit could not be asked: systemd was out of reach */
	struct nl net, rules; /* fd -1: closed */
	sd_event_source *net_heard, *rules_heard;
	struct cgroupfs *fs;
};

static const enum look_part parts[LOOK_PARTS] = { LOOK_UNIT,      LOOK_NETWORK, LOOK_PORTS,
	                                          LOOK_PROCESSES, LOOK_CONFIG,  LOOK_PLAN };

bool look_can_run(const struct machine *m)
{
	return m->registered || (m->state != MACHINE_STOPPED && m->state != MACHINE_FAILED);
}

/* ---- letting go */

static void end_done(struct look_end *e)
{
	strs_done(&e->altnames);
	strs_done(&e->addresses);
}

static void unit_done(struct look_unit *u)
{
	strs_done(&u->texts);
	loglines_done(&u->lines);
	free(u->no_log);
	free(u->problem);
	*u = (struct look_unit){ 0 };
}

static void network_done(struct look_network *n)
{
	for (size_t i = 0; i < n->n; i++) {
		end_done(&n->v[i].host);
		end_done(&n->v[i].guest);
	}
	free(n->v);
	strs_done(&n->host_routes);
	strs_done(&n->guest_routes);
	strs_done(&n->planned);
	free(n->no_guest);
	free(n->no_routes);
	free(n->problem);
	*n = (struct look_network){ 0 };
}

static void ports_done(struct look_ports *p)
{
	for (size_t i = 0; i < p->n; i++) {
		strs_done(&p->v[i].targets);
		free(p->v[i].note);
	}
	free(p->v);
	free(p->no_rules);
	*p = (struct look_ports){ 0 };
}

static void processes_done(struct look_processes *p)
{
	proctree_done(&p->tree);
	free(p->cpu);
	free(p->problem);
	*p = (struct look_processes){ 0 };
}

static void config_done(struct look_config *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].path);
		strs_done(&c->v[i].lines);
		origins_done(&c->v[i].origins);
		free(c->v[i].note);
		free(c->v[i].problem);
	}
	free(c->v);
	strs_done(&c->warnings);
	free(c->note);
	*c = (struct look_config){ 0 };
}

static void forget(struct looked *l, enum look_part part)
{
	switch (part) {
	case LOOK_UNIT:
		unit_done(&l->unit);
		break;
	case LOOK_NETWORK:
		network_done(&l->network);
		break;
	case LOOK_PORTS:
		ports_done(&l->ports);
		break;
	case LOOK_PROCESSES:
		processes_done(&l->processes);
		break;
	case LOOK_CONFIG:
		config_done(&l->config);
		break;
	case LOOK_PLAN:
		free(l->plan.text);
		free(l->plan.problem);
		l->plan = (struct look_plan){ 0 };
		break;
	}
	l->known &= ~(unsigned)part;
}

void look_done(struct looked *l)
{
	for (size_t i = 0; i < LOOK_PARTS; i++)
		forget(l, parts[i]);
	l->name[0] = '\0';
}

/* ---- the unit, which is asked */

static const char *keep(struct look_unit *u, const char *text)
{
	if (!text)
		return NULL;
	strs_add(&u->texts, text);
	return u->texts.bad ? NULL : u->texts.v[u->texts.n - 1];
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void take_answer(struct looker *l, const struct why_answer *a, struct look_unit *u)
{
	const struct loglines *lines = a->facts.lines;

	u->facts = a->facts;
	u->facts.name = keep(u, a->facts.name);
	u->facts.unit = keep(u, a->facts.unit);
	u->facts.load = keep(u, a->facts.load);
	u->facts.result = keep(u, a->facts.result);
	u->facts.status_text = keep(u, a->facts.status_text);
	u->facts.failed_phase = keep(u, a->facts.failed_phase);
	u->facts.failed_dependency = keep(u, a->facts.failed_dependency);
	u->facts.invocation = keep(u, a->facts.invocation);
	for (size_t i = 0; lines && i < lines->n; i++)
		loglines_add(&u->lines, lines->v[i].usec, lines->v[i].from_systemd, lines->v[i].text);
	u->facts.lines = NULL;
	u->facts.guest_failed = NULL;
	u->no_log = a->no_log ? strdup(a->no_log->text) : NULL;
	if (l->m.reason) { /* it knows more: the conf, who has its name, what failed inside */
		(void)snprintf(u->sentence, sizeof(u->sentence), "%s", l->m.reason);
		u->cause = l->m.cause;
	} else {
		u->cause = why_sentence(&a->facts, u->sentence);
	}
}

static void tell(struct looker *l, enum look_part part)
{
	l->now.known |= (unsigned)part;
	l->changed(l->arg);
}

static void on_why(int r, struct why_answer *answer, const struct err *e, void *arg)
{
	struct looker *l = arg;

	l->asked = NULL;
	forget(&l->now, LOOK_UNIT);
	if (r >= 0)
		take_answer(l, answer, &l->now.unit);
	else
		l->now.unit.problem = copy(e->text);
	tell(l, LOOK_UNIT);
}

static void ask_unit(struct looker *l)
{
	struct units *units = observer_units(l->observer);
	struct err e;
	int r;

	why_cancel(l->asked);
	l->asked = NULL;
	r = l->m.unit && units ? why_ask(l->loop, units, l->m.name, l->m.unit, on_why, l, &l->asked, &e)
	                       : -ENOTCONN;
	l->unreached = l->m.unit && r == -ENOTCONN;
	if (r >= 0)
		return;
	forget(&l->now, LOOK_UNIT);
	l->now.unit.problem = copy(!l->m.unit ? "it has no unit"
	                           : units    ? e.text
	                                      : "systemd is out of reach");
	tell(l, LOOK_UNIT);
}

/* ---- what is read at once */

static bool read_processes(struct looker *l)
{
	struct look_processes before = l->now.processes;
	bool well;

	l->now.processes = (struct look_processes){ 0 };
	if (!l->fs)
		(void)cgroupfs_open("", &l->fs, NULL);
	well = look_read_processes(&l->m, l->fs, &before, &l->now.processes);
	processes_done(&before);
	return well;
}

static void read_part(struct looker *l, enum look_part part)
{
	bool well = true;

	if (part != LOOK_PROCESSES) /* which are compared with those before */
		forget(&l->now, part);
	switch (part) {
	case LOOK_UNIT:
		return;
	case LOOK_NETWORK:
		well = look_read_network(&l->m, &l->now.network);
		break;
	case LOOK_PORTS:
		well = look_read_ports(&l->m, observer_snapshot(l->observer), &l->now.ports);
		break;
	case LOOK_PROCESSES:
		well = read_processes(l);
		break;
	case LOOK_CONFIG:
		well = look_read_config(&l->m, &l->now.config);
		break;
	case LOOK_PLAN:
		well = look_read_plan(&l->m, &l->now.plan);
		break;
	}
	if (well)
		l->now.known |= (unsigned)part;
	else
		forget(&l->now, part);
}

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	struct looker *l = arg;
	unsigned stale = l->stale & l->wanted;

	(void)s, (void)usec;
	l->stale = 0;
	for (size_t i = 0; i < LOOK_PARTS; i++)
		if (stale & (unsigned)parts[i] && parts[i] != LOOK_UNIT)
			read_part(l, parts[i]);
	if (stale & ~(unsigned)LOOK_UNIT)
		l->changed(l->arg);
	if (stale & LOOK_UNIT)
		ask_unit(l);
	return 0;
}

static void mark_stale(struct looker *l, unsigned which, uint64_t wait_usec)
{
	which &= l->wanted;
	if (which == 0 || (wait_usec > 0 && l->stale != 0)) { /* a time is set already */
		l->stale |= which;
		return;
	}
	l->stale |= which;
	(void)sd_event_source_set_time(l->later, clock_usec(CLOCK_MONOTONIC) + wait_usec);
	(void)sd_event_source_set_enabled(l->later, SD_EVENT_ONESHOT);
}

/* ---- events */

static bool is_ours(const struct look_network *n, int index)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].host.index == index || n->v[i].host.master_index == index)
			return index > 0;
	return false;
}

static void on_net(const struct rtnl_event *event, void *arg)
{
	struct looker *l = arg;
	bool ours;

	if (event->netnsid >= 0)
		ours = event->netnsid == l->m.netnsid;
	else if (event->link)
		ours = (event->link->netnsid >= 0 && event->link->netnsid == l->m.netnsid) ||
		       is_ours(&l->now.network, event->link->index);
	else
		ours = is_ours(&l->now.network, event->address ? event->address->link : event->route);
	if (ours)
		mark_stale(l, LOOK_NETWORK | LOOK_PORTS, GATHER_USEC);
	if (event->netnsid < 0)
		mark_stale(l, LOOK_CONFIG, FIT_USEC);
}

static int on_net_heard(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct looker *l = arg;

	(void)s, (void)fd, (void)events;
	if (rtnl_events(&l->net, on_net, l, NULL) < 0) { /* some were lost */
		mark_stale(l, LOOK_NETWORK | LOOK_PORTS, GATHER_USEC);
		mark_stale(l, LOOK_CONFIG, FIT_USEC);
	}
	return 0;
}

static int on_rules_heard(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct looker *l = arg;

	(void)s, (void)fd, (void)events;
	if (nft_changed(&l->rules)) {
		mark_stale(l, LOOK_PORTS, GATHER_USEC);
		mark_stale(l, LOOK_CONFIG, FIT_USEC);
	}
	return 0;
}

static void stop_hearing(struct nl *nl, sd_event_source **heard)
{
	*heard = sd_event_source_disable_unref(*heard);
	nl_close(nl);
}

/* Without them the look is renewed when the machine's row changes. */
static void hear(struct looker *l)
{
	bool net = l->wanted & (LOOK_NETWORK | LOOK_CONFIG), rules = l->wanted & (LOOK_PORTS | LOOK_CONFIG);

	if (l->heard == l->wanted)
		return;
	l->heard = l->wanted;
	if (!net)
		stop_hearing(&l->net, &l->net_heard);
	else if (!l->net_heard && rtnl_route_monitor(&l->net, NULL) >= 0)
		(void)sd_event_add_io(l->loop, &l->net_heard, l->net.fd, EPOLLIN, on_net_heard, l);
	if (!rules)
		stop_hearing(&l->rules, &l->rules_heard);
	else if (!l->rules_heard && nft_monitor(&l->rules, NULL) >= 0)
		(void)sd_event_add_io(l->loop, &l->rules_heard, l->rules.fd, EPOLLIN, on_rules_heard, l);
}

/* ---- what is wanted */

/* The parts that may have become others. */
static unsigned changed_by(const struct machine *was, const struct machine *is)
{
	unsigned changed = 0;

	if (was->state != is->state || was->since_usec != is->since_usec || was->leader != is->leader ||
	    was->registered != is->registered || was->kind != is->kind || !text_same(was->unit, is->unit))
		changed |= ~0u;
	if (!text_same(was->reason, is->reason) || was->unit_words != is->unit_words)
		changed |= LOOK_UNIT;
	if (was->netnsid != is->netnsid || !strs_same(&was->addresses, &is->addresses) ||
	    !strs_same(&was->ports, &is->ports))
		changed |= LOOK_NETWORK | LOOK_PORTS;
	if (was->conf_hash != is->conf_hash || was->configured != is->configured)
		changed |= LOOK_NETWORK | LOOK_PORTS | LOOK_CONFIG | LOOK_PLAN;
	if (!text_same(was->cgroup, is->cgroup))
		changed |= LOOK_PROCESSES;
	return changed;
}

static void follow(struct looker *l, const struct machine *m)
{
	struct machine row;

	if (!machine_copy(m, &row))
		return; /* the next frame tries again */
	machine_done(&l->m);
	l->m = row;
}

static void look_at_nobody(struct looker *l)
{
	why_cancel(l->asked);
	l->asked = NULL;
	look_done(&l->now);
	machine_done(&l->m);
	l->m = (struct machine){ 0 };
	l->wanted = l->stale = 0;
	l->unreached = false;
}

static void look_at(struct looker *l, const struct machine *m, unsigned wanted)
{
	unsigned changed = wanted & ~l->wanted;

	if (l->m.name)
		changed |= changed_by(&l->m, m);
	for (size_t i = 0; i < LOOK_PARTS; i++)
		if (l->wanted & ~wanted & (unsigned)parts[i])
			forget(&l->now, parts[i]);
	l->wanted = wanted;
	if (changed || !l->m.name)
		follow(l, m);
	(void)snprintf(l->now.name, sizeof(l->now.name), "%s", m->name);
	if (observer_snapshot(l->observer)->taken_usec != l->seen_usec) {
		changed |= LOOK_PORTS; /* another one may have it now */
		if (l->unreached)      /* systemd may have come into reach */
			changed |= wanted & LOOK_UNIT;
	}
	l->seen_usec = observer_snapshot(l->observer)->taken_usec;
	if (l->m.name)
		mark_stale(l, changed, 0);
}

void looker_want(struct looker *l, const struct machine *m, unsigned wanted)
{
	if (l->m.name && (!m || wanted == 0 || strcmp(l->m.name, m->name) != 0))
		look_at_nobody(l);
	if (m && wanted != 0)
		look_at(l, m, wanted);
	hear(l);
	if (!(l->wanted & LOOK_PROCESSES)) {
		cgroupfs_close(l->fs);
		l->fs = NULL;
	}
}

void looker_tick(struct looker *l)
{
	if (l->wanted & LOOK_PROCESSES && l->m.name)
		read_part(l, LOOK_PROCESSES);
}

const struct looked *looker_now(const struct looker *l)
{
	return &l->now;
}

int looker_new(sd_event *loop, struct observer *o, looker_changed_fn *changed, void *arg, struct looker **ret,
               struct err *e)
{
	struct looker *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_no_memory(e);
	*l = (struct looker){
		.loop = loop, .observer = o, .changed = changed, .arg = arg, .net.fd = -1, .rules.fd = -1
	};
	r = sd_event_add_time(loop, &l->later, CLOCK_MONOTONIC, 0, 1000, on_later, l);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->later, SD_EVENT_OFF);
	if (r < 0) {
		looker_free(l);
		return err_sys(e, -r, "cannot wait for events");
	}
	*ret = l;
	return 0;
}

void looker_free(struct looker *l)
{
	if (!l)
		return;
	look_at_nobody(l);
	stop_hearing(&l->net, &l->net_heard);
	stop_hearing(&l->rules, &l->rules_heard);
	sd_event_source_disable_unref(l->later);
	cgroupfs_close(l->fs);
	free(l);
}

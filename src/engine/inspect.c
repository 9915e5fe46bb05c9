#include "engine/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/units.h"
#include "engine/claims.h"
#include "engine/why.h"

#define ASK_USEC 3000000

void inspection_done(struct inspection *i)
{
	snapshot_done(&i->seen);
	loaded_done(&i->l);
	free(i->guest_says);
	loglines_done(&i->lines);
	free(i->no_log);
	free(i->forwards.v);
	links_done(&i->links);
	for (size_t s = 0; s < i->n_steps; s++)
		free(i->steps[s].command);
	free(i->steps);
	*i = (struct inspection){ 0 };
}

/* ---- the unit */

struct asking {
	sd_event *loop;
	struct units *units;
	struct inspection *i;
	struct why *why;
};

static void take_answer(struct inspection *i, struct why_answer *a)
{
	char text[WHY_SIZE];
	struct machine *m = i->m;

	i->main_pid = a->facts.main_pid;
	i->n_restarts = a->facts.n_restarts;
	if (why_guest_says(a->facts.status_text))
		i->guest_says = strdup(why_guest_says(a->facts.status_text));
	for (size_t l = 0; a->facts.lines && l < a->facts.lines->n; l++)
		loglines_add(&i->lines, a->facts.lines->v[l].usec, a->facts.lines->v[l].from_systemd,
		             a->facts.lines->v[l].text);
	if (a->no_log)
		i->no_log = strdup(a->no_log->text);
	if (a->facts.state == m->state && machine_since(m->state, a->facts.state_usec, a->facts.active_usec))
		m->since_usec = machine_since(m->state, a->facts.state_usec, a->facts.active_usec);
	if (!m->reason && a->facts.state == m->state && (m->cause = why_sentence(&a->facts, text)))
		m->reason = strdup(text);
}

static void on_why(int r, struct why_answer *answer, const struct err *e, void *arg)
{
	struct asking *a = arg;

	(void)e;
	a->why = NULL;
	if (r >= 0)
		take_answer(a->i, answer);
	(void)sd_event_exit(a->loop, 0);
}

static void on_units(const struct units_event *event, void *arg)
{
	struct asking *a = arg;

	if (event->change == UNITS_DOWN)
		(void)sd_event_exit(a->loop, 0);
	else if (event->change == UNITS_UP && !a->why &&
	         why_ask(a->loop, a->units, a->i->m->name, a->i->m->unit, on_why, a, &a->why, NULL) < 0)
		(void)sd_event_exit(a->loop, 0);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)usec;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static void ask_unit(struct inspection *i)
{
	struct asking a = { .i = i };

	if (!i->m->unit || sd_event_new(&a.loop) < 0)
		return;
	if (sd_event_add_time_relative(a.loop, NULL, CLOCK_MONOTONIC, ASK_USEC, 10000, on_deadline, NULL) >=
	            0 &&
	    units_new(a.loop, on_units, &a, &a.units, NULL) >= 0)
		(void)sd_event_loop(a.loop);
	why_cancel(a.why);
	units_free(a.units);
	sd_event_unref(a.loop);
}

/* ---- the conf */

/* What start_files() left: the hash of the conf that was started. */
static void compare_conf(struct inspection *i)
{
	char hash[17];

	i->was_started = claims_conf_hash("", i->m->name, hash);
	i->conf_changed = i->was_started && strcmp(hash, i->l.hash) != 0;
}

/* ---- the host's side */

struct host_net {
	struct netaddrs addresses;
	struct netroutes routes[2];
};

static bool has_route(const struct host_net *net, int link, const struct netop *op)
{
	for (size_t family = 0; family < COUNT(net->routes); family++) {
		for (size_t i = 0; i < net->routes[family].n; i++) {
			const struct netroute *r = &net->routes[family].v[i];

			if (r->to.family != op->addr.family)
				continue;
			if (op->kind == NETOP_DEFAULT) {
				if (r->to.prefix == 0 && addr_same(&r->gateway, &op->addr))
					return true;
			} else if (r->link == link && r->to.prefix == op->addr.prefix &&
			           addr_covers(&r->to, &op->addr)) {
				return true;
			}
		}
	}
	return false;
}

static bool has_address(const struct host_net *net, int link, const struct addr *addr)
{
	for (size_t i = 0; i < net->addresses.n; i++) {
		const struct netaddr *a = &net->addresses.v[i];

		if (a->link == link && a->addr.prefix == addr->prefix && addr_same(&a->addr, addr))
			return true;
	}
	return false;
}

static bool holds(const struct inspection *i, const struct host_net *net, const struct netop *op)
{
	const struct link *link = links_find_host(&i->links, op->dev), *bridge;

	if (op->kind == NETOP_DELETE)
		return !link;
	if (!link)
		return false;
	switch (op->kind) {
	case NETOP_UP:
		return link->up;
	case NETOP_MASTER:
		bridge = links_find(&i->links, op->to);
		return bridge && link->master == bridge->index && link->up;
	case NETOP_ADDRESS:
		return has_address(net, link->index, &op->addr);
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		return has_route(net, link->index, op);
	default:
		return true;
	}
}

static int add_step(struct inspection *i, const struct host_net *net, const struct netop *op)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	struct host_step *step = &i->steps[i->n_steps];

	netop_words(op, &words);
	step->command = strs_join(&words, " ");
	if (!step->command)
		return -ENOMEM;
	step->holds = holds(i, net, op);
	i->n_steps++;
	return 0;
}

/* Our steps, and that the main link is a port of its bridge, which is systemd-nspawn's. */
static int add_steps(struct inspection *i, const struct host_net *net)
{
	const struct netops *ops = &i->l.plan.poststart;
	const char *bridge = i->l.container.host_bridge;
	CLEANUP(netops_done) struct netops port = { 0 };
	char link[NETOP_NAME_SIZE];
	int r = 0;

	(void)snprintf(link, sizeof(link), "vb-%s", i->m->name);
	if (bridge)
		netops_add_port(&port, link, bridge);
	i->steps = calloc(ops->n + port.n + 1, sizeof(*i->steps));
	if (!i->steps || port.bad)
		return -ENOMEM;
	for (size_t k = 0; r == 0 && k < port.n; k++)
		r = add_step(i, net, &port.v[k]);
	for (size_t k = 0; r == 0 && k < ops->n; k++)
		r = add_step(i, net, &ops->v[k]);
	return r;
}

static int look_at_host(struct inspection *i, struct err *e)
{
	struct host_net net = { 0 };
	struct nl nl;
	int r = nl_open(NETLINK_ROUTE, &nl, e);

	if (r < 0)
		return r;
	r = rtnl_links(&nl, &i->links, e);
	if (r >= 0 && i->has_plan && i->m->registered) {
		r = rtnl_addresses(&nl, -1, &net.addresses, e);
		if (r >= 0)
			r = rtnl_routes(&nl, AF_INET, &net.routes[0], e);
		if (r >= 0)
			r = rtnl_routes(&nl, AF_INET6, &net.routes[1], e);
		if (r >= 0 && add_steps(i, &net) < 0)
			r = err_no_memory(e);
	}
	nl_close(&nl);
	free(net.addresses.v);
	free(net.routes[0].v);
	free(net.routes[1].v);
	return r;
}

/* A tree that nothing else knows of is a container with defaults (SA-13): a row of its own. */
static int add_row(struct inspection *i, const char *name, struct err *e)
{
	struct machine *v = reallocarray(i->seen.v, i->seen.n + 1, sizeof(*v));
	char unit[NAME_UNIT_SIZE];

	if (!v) {
		(void)err_no_memory(e);
		return -ENOMEM;
	}
	i->seen.v = v;
	i->m = &v[i->seen.n];
	name_unit(name, unit);
	*i->m = (struct machine){ .name = strdup(name), .unit = strdup(unit), .state = MACHINE_STOPPED };
	i->seen.n++;
	return i->m->name && i->m->unit ? 0 : err_no_memory(e);
}

int inspect(const char *name, struct inspection *ret, struct err *e)
{
	CLEANUP(inspection_done) struct inspection i = { 0 };
	const struct machine *found;
	struct err no_plan;
	int r = observe_once(&i.seen, e);

	if (r < 0)
		return r;
	found = snapshot_find(&i.seen, name);
	i.m = found ? &i.seen.v[found - i.seen.v] : NULL;
	if (!i.m || i.m->configured) {
		r = load_plan("", name, &i.l, &no_plan);
		i.has_plan = r >= 0;
		if (r < 0)
			i.no_plan = no_plan;
		if (r == -ENOENT && !i.m && i.seen.limits)
			return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s; but not all can be seen here: %s",
			               no_plan.text, i.seen.limits);
		if (r < 0 && !i.m) {
			*e = no_plan;
			return r;
		}
	}
	if (!i.m) {
		r = add_row(&i, name, e);
		if (r < 0)
			return r;
	}
	ask_unit(&i);
	if (i.has_plan)
		compare_conf(&i);
	i.forwards_known = nft_forwards(&i.forwards, NULL) >= 0;
	r = look_at_host(&i, e);
	if (r < 0)
		return r;
	*ret = i;
	i = (struct inspection){ 0 };
	return 0;
}

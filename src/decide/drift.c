#include "decide/drift.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/limitvalue.h"
#include "decide/mend.h"
#include "decide/values.h"

#define TEXT_SIZE 512

void drift_done(struct drift *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].text);
		free(d->v[i].configured);
		free(d->v[i].started);
		free(d->v[i].live);
	}
	free(d->v);
	strs_done(&d->unseen);
	*d = (struct drift){ 0 };
}

/* ---- findings */

static char *printable(struct drift *d, const char *text)
{
	char shown[TEXT_SIZE], *copy;

	if (!text)
		return NULL;
	text_printable(shown, sizeof(shown), text, strlen(text));
	copy = strdup(shown);
	d->bad |= !copy;
	return copy;
}

static struct drift_item *add(struct drift *d, enum drift_cure cure, const char *what, const char *format,
                              ...) __attribute__((format(printf, 4, 5)));
static struct drift_item *add(struct drift *d, enum drift_cure cure, const char *what, const char *format,
                              ...)
{
	static struct drift_item lost;
	struct drift_item *grown = reallocarray(d->v, d->n + 1, sizeof(*grown));
	char text[TEXT_SIZE];
	va_list ap;

	if (!grown) {
		d->bad = true;
		lost = (struct drift_item){ 0 };
		return &lost;
	}
	d->v = grown;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	grown[d->n] = (struct drift_item){ .cure = cure, .what = what, .text = printable(d, text) };
	return &grown[d->n++];
}

/* ---- the conf since the start */

/* "KEY: runs with A, configured is B", as change_decide() says it. */
static void add_restart(struct drift *d, const char *sentence)
{
	static const char runs[] = ": runs with ", is[] = ", configured is ";
	struct drift_item *item = add(d, DRIFT_RESTART, "option", "%s", sentence);
	const char *was = strstr(sentence, runs), *now = strstr(sentence, is);
	CLEANUP(free_p) char *started = NULL;

	if (!was || !now || was + strlen(runs) > now)
		return;
	started = strndup(was + strlen(runs), (size_t)(now - was) - strlen(runs));
	item->started = printable(d, started);
	item->configured = printable(d, now + strlen(is));
}

static bool has_op(const struct netops *ops, const struct netop *op)
{
	for (size_t i = 0; i < ops->n; i++)
		if (netop_same(&ops->v[i], op))
			return true;
	return false;
}

/* What a reload only does once more is no difference. */
static void add_reloads(struct drift *d, const struct netops *was, const struct netops *ops,
                        const char *where)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };
		CLEANUP(free_p) char *command = NULL;
		struct drift_item *item;

		if (!ops->v[i].gone && has_op(was, &ops->v[i]))
			continue;
		netop_words(&ops->v[i], &words);
		command = strs_join(&words, " ");
		if (!command) {
			d->bad = true;
			return;
		}
		item = add(d, DRIFT_RELOAD, "option", "%s: %s", where, command);
		*(ops->v[i].gone ? &item->started : &item->configured) = printable(d, command);
	}
}

static void add_way_out(struct drift *d, const struct strs *was, const struct strs *now)
{
	struct drift_item *item =
		add(d, DRIFT_RELOAD, "way-out", "MASQUERADE: addresses that have a way out");
	CLEANUP(free_p) char *started = strs_join(was, " ");
	CLEANUP(free_p) char *configured = strs_join(now, " ");

	d->bad |= !started || !configured;
	item->started = printable(d, started && *started ? started : "none");
	item->configured = printable(d, configured && *configured ? configured : "none");
}

static void compare_conf(struct drift *d, const struct started *was, const struct change *c)
{
	for (size_t i = 0; i < c->restart.n; i++)
		add_restart(d, c->restart.v[i]);
	add_reloads(d, &was->host, &c->host, "on the host");
	add_reloads(d, &was->guest, &c->guest, "inside");
	if (c->system_now) {
		struct drift_item *item =
			add(d, DRIFT_RELOAD, "system", "it runs another system than SYSTEM_PATH leads to");

		item->started = printable(d, c->system_was);
		item->configured = printable(d, c->system_now);
	}
	if (c->masquerade_differs)
		add_way_out(d, &was->masquerade, &c->masquerade);
}

/* ---- what is seen since the start */

struct side {
	struct drift *d;
	const struct netmap_space *space;
	const char *where;
};

static void look_for_master(const struct side *s, const struct netop *op, const struct netmap_link *l)
{
	const struct netmap_link *bridge = netmap_link_called(s->space, op->to), *now;
	struct drift_item *item;

	if (bridge && l->master == bridge->index)
		return;
	now = l->master ? netmap_link(s->space, l->master) : NULL;
	item = !bridge ? add(s->d, DRIFT_MEND, "bridge", "bridge %s is not there: make it, then mend", op->to)
	               : add(s->d, DRIFT_MEND, "bridge", "%s is no port of %s", op->dev, op->to);
	item->started = printable(s->d, op->to);
	item->live = printable(s->d, now ? netmap_link_title(now) : NULL);
}

static void look_for(const struct side *s, const struct netop *op)
{
	const struct netmap_link *l = netmap_link_called(s->space, op->dev);
	char addr[ADDR_TEXT_SIZE];
	struct drift_item *item = NULL;

	addr_print(&op->addr, true, addr);
	switch (op->kind) {
	case NETOP_UP:
		if (l && !mend_holds(s->space, l, op))
			item = add(s->d, DRIFT_MEND, "link", "%s: %s is down", s->where, op->dev);
		break;
	case NETOP_MASTER:
		if (l)
			look_for_master(s, op, l);
		break;
	case NETOP_ADDRESS:
		if (l && !mend_holds(s->space, l, op))
			item = add(s->d, DRIFT_MEND, "address", "%s: %s is not on %s", s->where, addr,
			           op->dev);
		break;
	case NETOP_ROUTE:
		if (l && !s->space->no_routes && !mend_holds(s->space, l, op))
			item = add(s->d, DRIFT_MEND, "route", "%s: no route to %s over %s", s->where, addr,
			           op->dev);
		break;
	case NETOP_DEFAULT:
		if (l && !s->space->no_routes && !mend_holds(s->space, l, op))
			item = add(s->d, DRIFT_MEND, "route", "%s: no default route by %s", s->where, addr);
		break;
	case NETOP_RENAME:
	case NETOP_MAC:
	case NETOP_DELETE:
		break;
	}
	if (!item)
		return;
	item->started = printable(s->d, op->kind == NETOP_UP ? "up" : addr);
	item->live = printable(s->d, op->kind == NETOP_UP ? "down" : NULL);
}

static bool named_before(const struct netops *ops, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(ops->v[k].dev, ops->v[i].dev) == 0)
			return true;
	return false;
}

/* A link that is gone can only come back with a start; what is to be on it needs no line of its own. */
static void look_for_links(const struct side *s, const struct netops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		const struct netop *op = &ops->v[i];

		if (op->kind != NETOP_UP && op->kind != NETOP_MASTER && op->kind != NETOP_ADDRESS)
			continue;
		if (!named_before(ops, i) && !netmap_link_called(s->space, op->dev))
			add(s->d, DRIFT_RESTART, "link", "%s: the link %s is gone", s->where, op->dev)
				->started = printable(s->d, op->dev);
	}
}

static void compare_side(const struct side *s, const struct netops *ops)
{
	if (!s->space || s->space->no_links) {
		strs_addf(&s->d->unseen, "the network %s: %s", s->where,
		          s->space ? s->space->no_links : "its namespace is not seen");
		return;
	}
	if (s->space->no_routes)
		strs_addf(&s->d->unseen, "routes %s: %s", s->where, s->space->no_routes);
	look_for_links(s, ops);
	for (size_t i = 0; i < ops->n; i++)
		look_for(s, &ops->v[i]);
}

/* The main link's bridge is systemd-nspawn's to do, so it is in no operation. */
static void compare_bridge(const struct side *s, const char *name, const struct started *was)
{
	static const char option[] = "--network-bridge=";
	struct netop op = { .kind = NETOP_MASTER };
	const struct netmap_link *l;

	(void)snprintf(op.dev, sizeof(op.dev), "vb-%s", name);
	for (size_t i = 0; i < was->argv.n; i++) {
		if (strncmp(was->argv.v[i], option, strlen(option)) != 0)
			continue;
		(void)snprintf(op.to, sizeof(op.to), "%s", was->argv.v[i] + strlen(option));
		l = netmap_link_called(s->space, op.dev);
		if (l)
			look_for_master(s, &op, l);
		else
			add(s->d, DRIFT_RESTART, "link", "%s: the link %s is gone", s->where, op.dev);
	}
}

/* ---- forwarded ports */

/* The address by which systemd-nspawn would forward: one that is not of the link alone, and can be used. */
static const struct netmap_address *target(const struct netmap_space *guest, uint8_t family)
{
	for (size_t i = 0; i < guest->n_addresses; i++) {
		const struct netmap_address *a = &guest->addresses[i];
		const struct netmap_link *l = netmap_link(guest, a->link);

		if (a->addr.family == family && a->scope == RT_SCOPE_UNIVERSE && !a->tentative &&
		    !a->dadfailed && l && !l->loopback)
			return a;
	}
	return NULL;
}

static void compare_family(struct drift *d, const struct netmap *m, const struct netmap_space *guest,
                           const struct port *port, uint8_t family)
{
	const struct netmap_address *to = target(guest, family);
	const struct netmap_forward *f = NULL, *other = NULL;
	char text[PORT_TEXT_SIZE], addr[ADDR_TEXT_SIZE], live[ADDR_TEXT_SIZE];
	struct drift_item *item;

	while (to && (f = netmap_next_forward(m, port->udp, port->host, f)))
		if (f->to.family == family) {
			if (netmap_has_address(guest, &f->to))
				return;
			other = f;
		}
	if (!to)
		return;
	port_print(port, text);
	addr_print(&to->addr, false, addr);
	item = add(d, DRIFT_MEND, "port", "%s is not forwarded to %s", text, addr);
	item->started = printable(d, addr);
	if (other) {
		addr_print(&other->to, false, live);
		item->live = printable(d, live);
	}
}

static void compare_ports(struct drift *d, const struct netmap *m, const struct netmap_space *guest,
                          const struct started *was)
{
	static const char option[] = "--port=";
	struct port port;

	for (size_t i = 0; i < was->argv.n; i++) {
		if (strncmp(was->argv.v[i], option, strlen(option)) != 0 ||
		    port_parse(was->argv.v[i] + strlen(option), &port, NULL) < 0)
			continue;
		if (m->no_forwards) {
			strs_addf(&d->unseen, "forwarded ports: %s", m->no_forwards);
			return;
		}
		compare_family(d, m, guest, &port, AF_INET);
		compare_family(d, m, guest, &port, AF_INET6);
	}
}

static void compare_live(struct drift *d, const char *name, const struct started *was, const struct netmap *m)
{
	const struct netmap_space *guest = netmap_space(m, name);
	struct side host = { d, netmap_host(m), "on the host" }, inside = { d, guest, "inside" };

	compare_side(&host, &was->host);
	if (host.space && !host.space->no_links)
		compare_bridge(&host, name, was);
	if (guest && guest->shares_host)
		return;
	compare_side(&inside, &was->guest);
	if (guest && !guest->no_links)
		compare_ports(d, m, guest, was);
}

/* ---- all of it */

static int strongest_first(const void *a, const void *b)
{
	return (int)((const struct drift_item *)b)->cure - (int)((const struct drift_item *)a)->cure;
}

static void sort(struct drift *d)
{
	if (d->n > 1)
		qsort(d->v, d->n, sizeof(*d->v), strongest_first);
}

/* ---- the unit's directives, as systemd has them */

struct told {
	const char *key, *configured; /* configured NULL: not by us */
	uint64_t live;
};

static void tell(struct drift *d, struct drift_item *item, const struct told *t)
{
	char seen[24] = "none";

	if (t->live != UINT64_MAX)
		(void)snprintf(seen, sizeof(seen), "%" PRIu64, t->live);
	item->configured = printable(d, t->configured);
	item->live = printable(d, seen);
}

static void tell_unread(struct drift *d, const struct told *t)
{
	tell(d, add(d, DRIFT_REREAD, "directive", "%s: systemd has not read the unit anew", t->key), t);
}

/* What was set live goes before all files: systemd reading them anew changes nothing of it. */
static void compare_limit(struct drift *d, const struct plan *now, const struct unit_live *live, enum limit l)
{
	const struct directive *given = plan_directive(now, limit_names[l].directive);
	const struct told t = { limit_names[l].directive,
		                given && given->values.n > 0 ? given->values.v[0] : NULL, live->limits[l] };
	const char *which = t.configured ? "another one" : "one";
	struct limit_value wanted = { .number = UINT64_MAX };
	struct why w;
	bool is_number =
		!t.configured || (limit_parse(l, t.configured, &wanted, &w) == 0 && wanted.type == 't');

	if (is_number && wanted.number == t.live)
		return;
	if (live->kept_limits & (1U << l))
		tell(d,
		     add(d, DRIFT_LIVE, "directive",
		         "%s: somebody set %s live, for good (systemctl set-property)", t.key, which),
		     &t);
	else if (live->live_limits & (1U << l))
		tell(d,
		     add(d, DRIFT_LIVE, "directive",
		         "%s: somebody set %s live, until it stops (machdeck limit --runtime)", t.key, which),
		     &t);
	else if (live->needs_reload && t.configured &&
	         is_number) /* of a share only the host knows the number */
		tell_unread(d, &t);
}

static int signal_number(const char *abbreviation)
{
	for (int n = 1; n < NSIG; n++) {
		const char *name = sigabbrev_np(n);

		if (name && strcmp(name, abbreviation) == 0)
			return n;
	}
	return 0;
}

static void compare_kill_signal(struct drift *d, const struct directive *given, const struct unit_live *live)
{
	const char *seen = live->kill_signal > 0 ? sigabbrev_np(live->kill_signal) : NULL;
	struct drift_item *item;

	if (!live->needs_reload || live->kill_signal == 0 || !given || given->values.n == 0 ||
	    signal_number(given->values.v[0]) == live->kill_signal)
		return;
	item = add(d, DRIFT_REREAD, "directive", "KillSignal: systemd has not read the unit anew");
	item->configured = printable(d, given->values.v[0]);
	item->live = printable(d, seen ? seen : "another one");
}

static void compare_device_list(struct drift *d, const struct directive *given, const struct unit_live *live)
{
	for (size_t i = 0; given && i < given->values.n && live->needs_reload; i++)
		if (!strs_has(&live->devices, given->values.v[i]))
			add(d, DRIFT_REREAD, "directive", "DeviceAllow: systemd has not read the unit anew")
				->configured = printable(d, given->values.v[i]);
}

void drift_unit(const struct plan *now, const struct unit_live *live, struct drift *d)
{
	const struct directive *timeout = plan_directive(now, "TimeoutStartSec");

	for (enum limit l = 0; l < LIMITS; l++)
		compare_limit(d, now, live, l);
	if (live->needs_reload && timeout && timeout->values.n > 0 &&
	    value_timespan_usec(timeout->values.v[0]) != live->start_timeout_usec)
		tell_unread(d,
		            &(struct told){ timeout->key, timeout->values.v[0], live->start_timeout_usec });
	compare_kill_signal(d, plan_directive(now, "KillSignal"), live);
	compare_device_list(d, plan_directive(now, "DeviceAllow"), live);
	sort(d);
}

void drift_decide(const char *name, const struct started *was, const struct change *c, const struct netmap *m,
                  struct drift *ret)
{
	*ret = (struct drift){ 0 };
	if (!was || !c) {
		strs_add(&ret->unseen, "what it was started with: machdeck did not start it");
		return;
	}
	compare_conf(ret, was, c);
	if (m)
		compare_live(ret, name, was, m);
	sort(ret);
	ret->bad |= ret->unseen.bad;
}

enum drift_cure drift_verdict(const struct drift *d)
{
	return d->n > 0 ? d->v[0].cure : DRIFT_NONE;
}

const char *drift_cure_word(enum drift_cure c)
{
	static const char *const words[] = {
		"nothing", "live", "mend", "daemon-reload", "reload", "restart"
	};

	return words[c];
}

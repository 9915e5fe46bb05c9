#include "decide/mend.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/gateway.h"
#include "decide/nspawnmac.h"
#include "decide/shellwords.h"
#include "words/name.h"

#define SHOWN_MAX 256

void mending_done(struct mending *m)
{
	netops_done(&m->host);
	netops_done(&m->guest);
	free(m->gone);
	free(m->add);
	free(m->links);
	strs_done(&m->leavers);
	strs_done(&m->commands);
	strs_done(&m->reasons);
	strs_done(&m->cannot);
	*m = (struct mending){ 0 };
}

bool mend_is_well(const struct mending *m)
{
	return m->commands.n == 0 && m->cannot.n == 0;
}

void mend_describe(const struct mending *m, struct buf *ret)
{
	for (size_t i = 0; i < m->commands.n; i++) {
		if (i == 0 || strcmp(m->reasons.v[i], m->reasons.v[i - 1]) != 0)
			buf_addf(ret, "# %s\n", m->reasons.v[i]);
		buf_addf(ret, "%s\n", m->commands.v[i]);
	}
	for (size_t i = 0; i < m->cannot.n; i++)
		buf_addf(ret, "# not mended: %s\n", m->cannot.v[i]);
}

static void look_for_failure(struct mending *m)
{
	m->bad |= m->host.bad || m->guest.bad || m->leavers.bad || m->commands.bad || m->reasons.bad ||
	          m->cannot.bad;
}

/* ---- operations: whether what one does is so */

static bool has_address(const struct netmap_space *s, const struct netmap_link *l, const struct addr *wanted)
{
	const struct netmap_address *a = NULL;

	while ((a = netmap_next_address(s, l->index, a)))
		if (a->addr.prefix == wanted->prefix && addr_same(&a->addr, wanted))
			return true;
	return false;
}

static bool has_route(const struct netmap_space *s, const struct netmap_link *l, const struct netop *op)
{
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct netmap_route *r = &s->routes[i];

		if (r->to.family != op->addr.family || r->link != l->index || r->type != RTN_UNICAST)
			continue;
		if (op->kind == NETOP_DEFAULT
		            ? r->to.prefix == 0 && addr_same(&r->gateway, &op->addr)
		            : r->to.prefix == op->addr.prefix && addr_covers(&r->to, &op->addr))
			return true;
	}
	return false;
}

bool mend_holds(const struct netmap_space *s, const struct netmap_link *l, const struct netop *op)
{
	const struct netmap_link *bridge;

	switch (op->kind) {
	case NETOP_RENAME: /* the link was found by its new name */
	case NETOP_DELETE:
		return true;
	case NETOP_MAC:
		return memcmp(l->mac, op->mac, sizeof(l->mac)) == 0;
	case NETOP_UP:
		return l->up;
	case NETOP_MASTER:
		bridge = netmap_link_called(s, op->to);
		return bridge && l->master == bridge->index && l->up;
	case NETOP_ADDRESS:
		return has_address(s, l, &op->addr);
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		return has_route(s, l, op);
	}
	return true;
}

static void give_reason(const struct netop *op, const char *where, struct strs *ret)
{
	char addr[ADDR_TEXT_SIZE];

	addr_print(&op->addr, true, addr);
	switch (op->kind) {
	case NETOP_RENAME:
	case NETOP_DELETE:
		strs_addf(ret, "%s: %s has another name", where, op->dev);
		return;
	case NETOP_MAC:
		strs_addf(ret, "%s: %s has another hardware address", where, op->dev);
		return;
	case NETOP_UP:
		strs_addf(ret, "%s: %s is down", where, op->dev);
		return;
	case NETOP_MASTER:
		strs_addf(ret, "%s: %s is no port of %s", where, op->dev, op->to);
		return;
	case NETOP_ADDRESS:
		strs_addf(ret, "%s: %s does not have %s", where, op->dev, addr);
		return;
	case NETOP_ROUTE:
		strs_addf(ret, "%s: there is no route to %s over %s", where, addr, op->dev);
		return;
	case NETOP_DEFAULT:
		strs_addf(ret, "%s: there is no default route by %s", where, addr);
		return;
	}
}

/* ---- the two sides */

struct side {
	const struct netmap *map;
	const struct netmap_space *space;
	const char *machine;
	const char *where;
	bool is_host;
	struct netops *todo;
	struct mending *m;
};

static void add_command(const struct side *s, const struct netop *op)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };

	netop_words(op, &words);
	if (!s->is_host)
		buf_addf(&line, "nsenter -t \"$(machinectl show -p Leader --value %s)\" -n ", s->machine);
	for (size_t i = 0; i < words.n; i++) {
		buf_puts(&line, i > 0 ? " " : "");
		shellwords_quote(words.v[i], &line);
	}
	s->m->bad |= words.bad || line.bad;
	strs_add(&s->m->commands, buf_text(&line));
}

/* Another link of that name is nobody's business here. */
static bool is_its_own(const struct side *s, const struct netmap_link *l)
{
	const char *owner = s->is_host ? netmap_machine_of(s->map, l) : s->machine;

	return owner && strcmp(owner, s->machine) == 0;
}

static void say_once(struct mending *m, const char *sentence)
{
	if (!strs_has(&m->cannot, sentence))
		strs_add(&m->cannot, sentence);
}

static bool can_be_touched(const struct side *s, const struct netop *op, const struct netmap_link *l)
{
	const struct netmap_link *bridge =
		op->kind == NETOP_MASTER ? netmap_link_called(s->space, op->to) : NULL;
	char sentence[512] = "";

	if (!l)
		(void)snprintf(sentence, sizeof(sentence),
		               "%s: there is no link %s: machdeck restart %s makes it anew", s->where,
		               op->dev, s->machine);
	else if (!is_its_own(s, l))
		(void)snprintf(
			sentence, sizeof(sentence),
			"%s: the link %s does not lead into %s, so it is left alone: machdeck restart %s",
			s->where, op->dev, s->machine, s->machine);
	else if (op->kind == NETOP_MASTER && !bridge)
		(void)snprintf(sentence, sizeof(sentence),
		               "%s: there is no bridge %s: create it, then mend again", s->where, op->to);
	else if (bridge && strcmp(bridge->kind, "bridge") != 0)
		(void)snprintf(sentence, sizeof(sentence), "%s: %s is no bridge", s->where, op->to);
	if (sentence[0])
		say_once(s->m, sentence);
	return !sentence[0];
}

static void compare_op(const struct side *s, const struct netop *op)
{
	const struct netmap_link *l = netmap_link_called(s->space, op->dev);

	if (op->kind == NETOP_RENAME) {
		if (!l || netmap_link_called(s->space, op->to))
			return;
	} else if (!can_be_touched(s, op, l) || (l && mend_holds(s->space, l, op))) {
		return;
	}
	(void)netops_add_copy(s->todo, op);
	add_command(s, op);
	give_reason(op, s->where, &s->m->reasons);
}

static void compare_side(const struct side *s, const struct netops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		compare_op(s, &ops->v[i]);
}

static void compare_host(const struct netmap *map, const struct mend_wanted *w, struct mending *m)
{
	const struct side s = { map, netmap_host(map), w->machine, "on the host", true, &m->host, m };
	CLEANUP(netops_done) struct netops port = { 0 };
	char link[NETOP_NAME_SIZE];

	(void)snprintf(link, sizeof(link), "vb-%s", w->machine);
	if (w->bridge)
		netops_add_port(&port, link, w->bridge);
	m->bad |= port.bad;
	compare_side(&s, &port);
	compare_side(&s, w->host);
}

static void compare_guest(const struct netmap *map, const struct netmap_space *space,
                          const struct mend_wanted *w, struct mending *m)
{
	const struct side s = { map, space, w->machine, "in the guest", false, &m->guest, m };

	if (w->guest->n == 0)
		return;
	if (space->no_links || space->no_routes)
		strs_addf(&m->cannot, "what is inside can not be seen: %s",
		          space->no_links ? space->no_links : space->no_routes);
	else
		compare_side(&s, w->guest);
}

/* ---- forwards */

static void add_forward(struct mending *m, bool gone, const struct port *port, const struct addr *to)
{
	struct netmap_forward **v = gone ? &m->gone : &m->add;
	size_t *n = gone ? &m->n_gone : &m->n_add;
	struct netmap_forward *grown = reallocarray(*v, *n + 1, sizeof(*grown));
	const char *proto = port->udp ? "udp" : "tcp";
	char addr[ADDR_TEXT_SIZE];

	if (!grown) {
		m->bad = true;
		return;
	}
	*v = grown;
	grown[(*n)++] = (struct netmap_forward){ *port, *to };
	addr_print(to, false, addr);
	if (gone)
		strs_addf(&m->commands, "nft delete element %s io.systemd.nat map_port_ipport '{ %s . %u }'",
		          to->family == AF_INET ? "ip" : "ip6", proto, port->host);
	else
		strs_addf(&m->commands,
		          "nft add element %s io.systemd.nat map_port_ipport '{ %s . %u : %s . %u }'",
		          to->family == AF_INET ? "ip" : "ip6", proto, port->host, addr, port->guest);
}

/* The address that systemd-nspawn forwards to: the first one that is good beyond its link. */
static struct addr target_of(const struct netmap_space *space, const struct netops *guest, uint8_t family)
{
	for (size_t i = 0; i < guest->n; i++)
		if (guest->v[i].kind == NETOP_ADDRESS && guest->v[i].addr.family == family)
			return guest->v[i].addr;
	for (size_t i = 0; i < space->n_addresses; i++)
		if (space->addresses[i].addr.family == family && space->addresses[i].scope < RT_SCOPE_LINK)
			return space->addresses[i].addr;
	return (struct addr){ 0 };
}

static const struct netmap_forward *rule_of(const struct netmap *map, const struct port *p, uint8_t family)
{
	const struct netmap_forward *f = NULL;

	while ((f = netmap_next_forward(map, p->udp, p->host, f)))
		if (f->to.family == family)
			return f;
	return NULL;
}

static void describe_port(const struct port *p, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s %u", p->udp ? "udp" : "tcp", p->host);
}

static void compare_forward(const struct netmap *map, const struct mend_wanted *w, const struct port *p,
                            const struct addr *to, bool whole, struct mending *m)
{
	const struct netmap_forward *is = rule_of(map, p, to->family);
	const struct netmap_space *owner = is ? netmap_owner(map, &is->to) : NULL;
	char port[32], addr[ADDR_TEXT_SIZE];

	describe_port(p, port, sizeof(port));
	if (is && addr_same(&is->to, to) && is->port.guest == p->guest) {
		if (whole)
			return;
		strs_addf(&m->reasons, "on the host: the rules that lead to the forward of %s are gone",
		          port);
		add_forward(m, false, p, to);
		return;
	}
	addr_print(is ? &is->to : to, false, addr);
	if (owner && strcmp(owner->machine, w->machine) != 0) {
		strs_addf(&m->cannot, "%s goes to %s (%s): only one can have it", port,
		          owner->machine[0] ? owner->machine : "the host itself", addr);
		return;
	}
	if (is) {
		strs_addf(&m->reasons, "on the host: %s goes to %s:%u, which is %s", port, addr,
		          is->port.guest, owner ? "not where it should" : "nobody's");
		add_forward(m, true, &is->port, &is->to);
	}
	strs_addf(&m->reasons, "on the host: the forward of %s is gone", port);
	add_forward(m, false, p, to);
}

static void compare_forwards(const struct netmap *map, const struct netmap_space *space,
                             const struct mend_wanted *w, struct mending *m)
{
	static const uint8_t families[] = { [MEND_V4] = AF_INET, [MEND_V6] = AF_INET6 };
	bool any = false;

	if (w->n_ports == 0)
		return;
	if (map->no_forwards) {
		strs_addf(&m->cannot, "forwards can not be seen: %s", map->no_forwards);
		return;
	}
	for (size_t f = 0; f < COUNT(families); f++) {
		const struct addr to = target_of(space, w->guest, families[f]);

		any = any || addr_is_set(&to);
		for (size_t i = 0; addr_is_set(&to) && i < w->n_ports; i++)
			compare_forward(map, w, &w->ports[i], &to, w->forwards_whole[f], m);
	}
	if (!any)
		strs_addf(&m->cannot,
		          "%s has no address that ports could be forwarded to: give it one inside",
		          w->machine);
}

/* ---- the whole */

static void compare_way_out(const struct mend_wanted *w, struct mending *m)
{
	CLEANUP(strs_done) struct strs commands = { 0 };

	if (w->way_out_holds)
		return;
	m->way_out = true;
	gateway_commands(w->machine, w->masquerade, &commands);
	for (size_t i = 0; i < commands.n; i++)
		strs_add(&m->reasons, "on the host: its way out is not whole");
	strs_add_all(&m->commands, &commands);
	if (w->masquerade->n == 0) {
		strs_addf(&m->commands, "machdeck reload %s", w->machine);
		strs_add(&m->reasons, "on the host: it has a way out that it was not started with");
	}
	m->bad |= commands.bad;
}

void mend_decide(const struct netmap *map, const struct mend_wanted *wanted, struct mending *ret)
{
	const struct netmap_space *space = netmap_space(map, wanted->machine);

	*ret = (struct mending){ 0 };
	if (!space || !netmap_host(map)) {
		strs_addf(&ret->cannot, "%s does not run: start it", wanted->machine);
	} else if (!space->shares_host) {
		compare_host(map, wanted, ret);
		compare_guest(map, space, wanted, ret);
		compare_forwards(map, space, wanted, ret);
		compare_way_out(wanted, ret);
	}
	look_for_failure(ret);
}

/* ---- what the dead left */

static const char *main_link_of(const struct netmap_link *l)
{
	const char *title = netmap_link_title(l);

	if (strncmp(title, "ve-", 3) != 0 && strncmp(title, "vb-", 3) != 0)
		return NULL;
	return name_is_machine(title + 3) ? title + 3 : NULL;
}

static bool is_nspawns(const struct netmap_link *l, const char *machine, const uint8_t *machine_id)
{
	uint8_t mac[6];

	nspawnmac(machine_id, machine, mac);
	return strcmp(l->kind, "veth") == 0 && memcmp(mac, l->mac, sizeof(mac)) == 0;
}

static void drop_link(const struct netmap_link *l, const char *machine, struct mending *m)
{
	int *grown = reallocarray(m->links, m->n_links + 1, sizeof(*grown));
	char shown[SHOWN_MAX];
	CLEANUP(buf_done) struct buf command = { 0 };

	if (!grown) {
		m->bad = true;
		return;
	}
	m->links = grown;
	grown[m->n_links++] = l->index;
	text_printable(shown, sizeof(shown), l->name, strlen(l->name));
	buf_puts(&command, "ip link del dev ");
	shellwords_quote(shown, &command);
	buf_addf(&command, " # index %d", l->index);
	m->bad |= command.bad;
	strs_add(&m->commands, buf_text(&command));
	strs_addf(&m->reasons, "systemd-nspawn made it for %s, which does not run", machine);
}

static void look_at_link(const struct netmap *map, const struct netmap_link *l, const struct strs *busy,
                         const uint8_t *machine_id, struct mending *m)
{
	const char *machine = main_link_of(l);

	if (!machine || strs_has(busy, machine))
		return;
	switch (netmap_judge(map, l, NULL, 0, NULL)) {
	case NETMAP_ORPHAN:
		if (is_nspawns(l, machine, machine_id))
			drop_link(l, machine, m);
		else
			strs_addf(&m->cannot,
			          "ve-%s or vb-%s is not what systemd-nspawn made for it: it is left alone",
			          machine, machine);
		return;
	case NETMAP_FLAW_UNKNOWN:
		strs_addf(&m->cannot,
		          "whose the link of %s is can not be seen: a running machine's network is hidden",
		          machine);
		return;
	case NETMAP_WELL:
	case NETMAP_SQUATTER:
	case NETMAP_LOST_BRIDGE:
		return;
	}
}

static void look_at_forwards(const struct netmap *map, const struct strs *addresses, struct mending *m)
{
	for (size_t i = 0; i < map->n_forwards; i++) {
		const struct netmap_forward *f = &map->forwards[i];
		char addr[ADDR_TEXT_SIZE], port[32];

		addr_print(&f->to, false, addr);
		if (netmap_owner(map, &f->to) || strs_has(addresses, addr))
			continue;
		describe_port(&f->port, port, sizeof(port));
		strs_addf(&m->reasons, "%s goes to %s:%u, which nobody has", port, addr, f->port.guest);
		add_forward(m, true, &f->port, &f->to);
	}
}

static bool some_addresses_are_hidden(const struct netmap *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->v[i].no_links)
			return true;
	return false;
}

void mend_leavings(const struct netmap *map, const struct strs *busy, const struct strs *addresses,
                   const struct strs *owners, const uint8_t machine_id[static 16], struct mending *ret)
{
	const struct netmap_space *host = netmap_host(map);

	*ret = (struct mending){ 0 };
	for (size_t i = 0; host && i < host->n_links; i++)
		look_at_link(map, &host->links[i], busy, machine_id, ret);
	if (map->no_forwards)
		strs_addf(&ret->cannot, "forwards can not be seen: %s", map->no_forwards);
	else if (some_addresses_are_hidden(map))
		strs_add(&ret->cannot, "whose address a forward leads to can not be seen: a running "
		                       "machine's network is hidden");
	else
		look_at_forwards(map, addresses, ret);
	for (size_t i = 0; i < owners->n; i++) {
		if (strs_has(busy, owners->v[i]))
			continue;
		strs_add(&ret->leavers, owners->v[i]);
		strs_addf(&ret->commands, "machdeck unit stopped %s", owners->v[i]);
		strs_addf(&ret->reasons, "the way out of %s, which does not run, is left", owners->v[i]);
	}
	look_for_failure(ret);
}

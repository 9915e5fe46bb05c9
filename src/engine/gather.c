#include "engine/gather.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/conf.h"
#include "decide/plan.h"
#include "drivers/confs.h"
#include "drivers/hostnet.h"
#include "drivers/masks.h"
#include "drivers/rtnl.h"
#include "engine/overlay.h"
#include "engine/trees.h"

static void conf_seen_done(struct conf_seen *c)
{
	free(c->name);
	buf_done(&c->text);
	free(c->problem);
	free(c->leads_to);
	free(c->overlay_over);
	strs_done(&c->addresses);
	strs_done(&c->ports);
	*c = (struct conf_seen){ 0 };
}

static void confs_free(struct conf_seen *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		conf_seen_done(&v[i]);
	free(v);
}

static void net_free(struct net_seen *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++) {
		strs_done(&v[i].addresses);
		strs_done(&v[i].failed);
		free(v[i].cgroup);
		free(v[i].services);
	}
	free(v);
}

void sources_done(struct sources *s)
{
	confs_free(s->confs, s->n_confs);
	net_free(s->net, s->machines.n);
	registrations_done(&s->machines);
	for (size_t i = 0; i < s->n_units; i++) {
		free(s->units[i].name);
		free(s->units[i].reason);
	}
	free(s->units);
	strs_done(&s->images);
	strs_done(&s->masked);
	trees_done(s);
	*s = (struct sources){ 0 };
}

static void add_addresses(struct strs *to, const struct addr addr[static LINK_KEYS])
{
	static const enum link_key inside[] = { LOCAL4, LOCAL6 };
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < COUNT(inside); i++) {
		if (!addr_is_set(&addr[inside[i]]))
			continue;
		addr_print(&addr[inside[i]], false, text);
		strs_add(to, text);
	}
}

static void take_container(struct conf_seen *ret, const struct container *c)
{
	char text[PORT_TEXT_SIZE];

	add_addresses(&ret->addresses, c->addr);
	for (size_t i = 0; i < c->n_veths; i++)
		add_addresses(&ret->addresses, c->veths[i].addr);
	for (size_t i = 0; i < c->n_ports; i++) {
		port_print(&c->ports[i], text);
		strs_add(&ret->ports, text);
	}
	ret->auto_start = c->auto_start;
	ret->root_is_hosts = container_root_is_hosts(c);
}

static bool see_overlay(struct conf_seen *c)
{
	char of[NAME_MACHINE_MAX + 1];
	bool is = overlay_read(plan_roots(c->nixos_dirs), c->name, of);

	free(c->overlay_over);
	c->overlay_over = is ? strdup(of) : NULL;
	return !is || c->overlay_over;
}

/* One conf; taken over from old, NULL or of that name, when its text is the same. -ENOENT: gone meanwhile. */
static int see_conf(const char *name, struct conf_seen *old, struct conf_seen *ret)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(container_done) struct container c = { 0 };
	struct err e;
	int r = confs_load("", name, &file, &e);

	if (r == -ENOENT)
		return r;
	if (r >= 0 && old && old->text.len == file.text.len && old->text.p && file.text.p &&
	    memcmp(old->text.p, file.text.p, file.text.len) == 0) {
		*ret = *old;
		*old = (struct conf_seen){
			.name = ret->name
		}; /* what is looked for by name keeps its name */
		ret->name = strdup(name);
		free(ret->leads_to);
		ret->leads_to = take_p(&file.leads_to);
		return ret->name && see_overlay(ret) ? 0 : -ENOMEM;
	}
	*ret = (struct conf_seen){ .name = strdup(name) };
	if (r >= 0) {
		r = conf_read(file.path, name, buf_text(&file.text), file.text.len, &c, NULL, &e);
		ret->nixos_dirs = file.nixos_dirs;
		ret->leads_to = take_p(&file.leads_to);
		ret->text = file.text;
		file.text = (struct buf){ 0 };
	}
	if (r >= 0)
		take_container(ret, &c);
	else
		ret->problem = strdup(e.text);
	ret->unread = r == -EACCES;
	return !ret->name || !see_overlay(ret) || (r < 0 && !ret->problem) || ret->addresses.bad ||
	                       ret->ports.bad
	               ? -ENOMEM
	               : 0;
}

int gather_confs(struct sources *s, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	struct conf_seen *v;
	size_t n = 0;
	int r = confs_list("", &names, e);

	if (r < 0)
		return r;
	v = calloc(names.n + 1, sizeof(*v));
	if (!v)
		return err_no_memory(e);
	for (size_t i = 0; i < names.n; i++) {
		r = see_conf(names.v[i], sources_conf(s, names.v[i]), &v[n]);
		if (r == -ENOENT)
			continue;
		n++;
		if (r < 0)
			break;
	}
	confs_free(s->confs, s->n_confs); /* what was taken over is empty in there */
	s->confs = v;
	s->n_confs = n;
	return r == -ENOMEM ? err_no_memory(e) : 0;
}

/* What was seen in the machine before, if it is the same one; moved out of old. */
static struct net_seen take_net(const struct registration *m, struct net_seen *old, size_t n_old)
{
	struct net_seen made = { .inode = m->inode, .stale = true, .netnsid = -1 };

	for (size_t i = 0; i < n_old; i++) {
		struct net_seen taken = old[i];

		if (old[i].inode != m->inode)
			continue;
		old[i] = (struct net_seen){ 0 };
		return taken;
	}
	machined_cgroups(m, &made.cgroup, &made.services);
	return made;
}

int gather_machines(struct sources *s, struct err *e)
{
	struct strs images = { 0 };
	size_t n_old = s->machines.n;
	struct net_seen *net;
	int r = machined_images("", &images, e);

	if (r >= 0)
		r = machined_refresh("", &s->machines, e);
	net = r >= 0 ? calloc(s->machines.n + 1, sizeof(*net)) : NULL;
	if (!net) {
		strs_done(&images);
		return r < 0 ? r : err_no_memory(e);
	}
	for (size_t i = 0; i < s->machines.n; i++)
		net[i] = take_net(&s->machines.v[i], s->net, n_old);
	net_free(s->net, n_old);
	s->net = net;
	strs_done(&s->images);
	s->images = images;
	return 0;
}

int gather_masks(struct sources *s, struct err *e)
{
	struct strs masked = { 0 };
	int r = masks_list("", &masked, e);

	if (r < 0) {
		strs_done(&masked);
		return r;
	}
	strs_done(&s->masked);
	s->masked = masked;
	return 0;
}

/* A running unit is proof enough: when its leader dies it will say so itself, a moment later. */
void gather_leaders(struct sources *s)
{
	for (size_t i = 0; i < s->machines.n; i++) {
		const struct registration *m = &s->machines.v[i];
		const struct unit_seen *unit = m->unit && s->units_known ? sources_unit(s, m->unit) : NULL;
		bool proven = unit && unit->state == MACHINE_RUNNING;

		s->net[i].leader_dead = !proven && !machined_leader_lives(m);
	}
}

void gather_net_stale(struct sources *s, int netnsid)
{
	for (size_t i = 0; i < s->machines.n; i++)
		s->net[i].stale |= netnsid < 0 || s->net[i].netnsid == netnsid;
}

/* IPv4 before IPv6, as people read them; not what only counts on the link or in the machine. */
static void take_addresses(const struct netaddrs *all, struct strs *ret)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	char text[ADDR_TEXT_SIZE];

	strs_done(ret);
	for (size_t f = 0; f < COUNT(families); f++) {
		for (size_t i = 0; i < all->n; i++) {
			const struct netaddr *a = &all->v[i];

			if (a->addr.family != families[f] || a->scope >= RT_SCOPE_LINK)
				continue;
			addr_print(&a->addr, false, text);
			strs_add(ret, text);
		}
	}
}

/* Errors are not the machine's to tell: it may be gone meanwhile. -EPERM, -EACCES: it can not be looked into. */
static int see_net(struct nl *nl, const struct registration *m, struct net_seen *net)
{
	struct netaddrs all = { 0 };
	struct err ignored;
	int r;

	net->seen = false;
	net->netnsid = -1;
	if (net->leader_dead || m->leader == 0 || hostnet_shares(m->leader))
		return 0;
	r = rtnl_netnsid(nl, m->leader, &net->netnsid, &ignored);
	if (r < 0)
		return r;
	r = rtnl_addresses(nl, net->netnsid, &all, &ignored);
	if (r < 0) /* its traffic, counted at our end, is still known by its id */
		return r;
	take_addresses(&all, &net->addresses);
	free(all.v);
	net->seen = true;
	return 0;
}

/* By who could look: that ends, unlike the want of a right. */
static bool is_locked(void)
{
	return geteuid() == 0 && !gate_is_open() && !gate_is_sealed();
}

int gather_net(struct sources *s, struct nl *nl, struct err *e)
{
	s->net_denied = false;
	for (size_t i = 0; i < s->machines.n; i++) {
		struct net_seen *net = &s->net[i];
		int r;

		if (net->stale) {
			r = see_net(nl, &s->machines.v[i], net);
			net->denied = r == -EPERM || r == -EACCES;
			net->stale =
				net->denied && is_locked(); /* looking takes a network's id: tried again */
			net->denied &= !net->stale;
		}
		s->net_denied |= net->denied;
		if (net->addresses.bad)
			return err_no_memory(e);
	}
	return 0;
}

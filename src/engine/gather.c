#include "engine/gather.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "drivers/confs.h"
#include "drivers/rtnl.h"

static void conf_seen_done(struct conf_seen *c)
{
	free(c->name);
	buf_done(&c->text);
	free(c->problem);
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
	for (size_t i = 0; v && i < n; i++)
		strs_done(&v[i].addresses);
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
		return ret->name ? 0 : -ENOMEM;
	}
	*ret = (struct conf_seen){ .name = strdup(name) };
	if (r >= 0) {
		r = conf_read(file.path, name, buf_text(&file.text), file.text.len, &c, NULL, &e);
		ret->text = file.text;
		file.text = (struct buf){ 0 };
	}
	if (r >= 0)
		take_container(ret, &c);
	else
		ret->problem = strdup(e.text);
	return !ret->name || (r < 0 && !ret->problem) || ret->addresses.bad || ret->ports.bad ? -ENOMEM : 0;
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

int gather_machines(struct sources *s, struct err *e)
{
	struct registrations machines;
	struct strs images = { 0 };
	struct net_seen *net;
	int r = machined_list("", &machines, e);

	if (r < 0)
		return r;
	net = calloc(machines.n + 1, sizeof(*net));
	r = net ? machined_images("", &images, e) : err_no_memory(e);
	if (r < 0) {
		free(net);
		strs_done(&images);
		registrations_done(&machines);
		return r;
	}
	for (size_t i = 0; i < machines.n; i++)
		net[i].leader_dead = !machined_leader_lives(&machines.v[i]);
	net_free(s->net, s->machines.n);
	registrations_done(&s->machines);
	strs_done(&s->images);
	s->machines = machines;
	s->net = net;
	s->images = images;
	return 0;
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

int gather_net(struct sources *s, struct nl *nl, struct err *e)
{
	for (size_t i = 0; i < s->machines.n; i++) {
		struct net_seen *net = &s->net[i];
		struct netaddrs all = { 0 };
		struct err ignored;
		int netnsid, r;

		net->seen = false;
		if (net->leader_dead || s->machines.v[i].leader == 0)
			continue;
		r = rtnl_netnsid(nl, s->machines.v[i].leader, &netnsid, &ignored);
		if (r >= 0 && netnsid >= 0) /* else it shares the host's network */
			r = rtnl_addresses(nl, netnsid, &all, &ignored);
		if (r == -EPERM || r == -EACCES)
			return 0;
		if (r < 0 || netnsid < 0) /* gone meanwhile, or nothing of its own */
			continue;
		take_addresses(&all, &net->addresses);
		free(all.v);
		net->seen = true;
		if (net->addresses.bad)
			return err_no_memory(e);
	}
	return 0;
}

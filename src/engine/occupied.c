#include "engine/occupied.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/lint.h"
#include "drivers/confs.h"
#include "drivers/diag.h"
#include "drivers/hold.h"
#include "drivers/nft.h"
#include "drivers/rtnl.h"
#include "engine/load.h"

void occupied_done(struct occupied *o)
{
	for (size_t i = 0; i < o->n; i++)
		container_done(&o->v[i]);
	free(o->v);
	taken_done(&o->taken);
	*o = (struct occupied){ 0 };
}

/* Takes c over. */
static int keep(struct occupied *o, struct container *c, struct err *e)
{
	struct container *grown = reallocarray(o->v, o->n + 1, sizeof(*grown));

	if (!grown)
		return err_no_memory(e);
	o->v = grown;
	grown[o->n++] = *c;
	*c = (struct container){ 0 };
	taken_add_container(&o->taken, &grown[o->n - 1]);
	return 0;
}

static int read_confs(const char *but, struct occupied *o, struct strs *warnings, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	int r = confs_list("", &names, e);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded l = { 0 };
		struct err why = { 0 };

		if (but && strcmp(names.v[i], but) == 0)
			continue;
		if (load_container("", names.v[i], &l, &why) < 0)
			strs_addf(warnings, "what %s takes is not known: %s", names.v[i], why.text);
		else
			r = keep(o, &l.container, e);
	}
	return r < 0 ? r : 0;
}

/* What another process is making; its conf may have come meanwhile, which does not matter. */
static int read_notes(const char *but, struct occupied *o, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	int r = hold_notes(&names, e);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		CLEANUP(container_done) struct container c = { 0 };

		if (but && strcmp(names.v[i], but) == 0)
			continue;
		if (hold_read_note(names.v[i], &text, NULL) >= 0 && text.len > 0 &&
		    conf_read("note", names.v[i], buf_text(&text), text.len, &c, NULL, NULL) >= 0)
			r = keep(o, &c, e);
	}
	return r < 0 ? r : 0;
}

static void add_whole(struct taken *t, const struct addr *a)
{
	struct addr whole = *a;

	whole.prefix = addr_bits(a);
	taken_add(t, &whole);
}

/* A kernel that was built without it has none of it. */
static void look_failed(int r, const char *what, const struct err *e, struct strs *warnings)
{
	if (r >= 0 || r == -EOPNOTSUPP || r == -EPROTONOSUPPORT || r == -EAFNOSUPPORT || r == -ENOENT)
		return;
	strs_addf(warnings, "which %s the host has is not known, so what is chosen may be taken: %s", what,
	          e->text);
}

static void look_at_addresses(struct nl *nl, struct taken *t, struct strs *warnings)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct netaddrs addresses = { 0 };
	struct err e;

	look_failed(rtnl_addresses(nl, -1, &addresses, &e), "addresses", &e, warnings);
	for (size_t i = 0; i < addresses.n; i++)
		if (addresses.v[i].scope < RT_SCOPE_LINK)
			add_whole(t, &addresses.v[i].addr);
	free(addresses.v);
	for (size_t f = 0; f < COUNT(families); f++) {
		struct netroutes routes = { 0 };

		look_failed(rtnl_routes(nl, families[f], &routes, &e), "routes", &e, warnings);
		for (size_t i = 0; i < routes.n; i++) {
			taken_add(t, &routes.v[i].to);
			if (addr_is_set(&routes.v[i].gateway))
				add_whole(t, &routes.v[i].gateway);
		}
		free(routes.v);
	}
}

static void look_at_ports(struct taken *t, struct strs *warnings)
{
	struct listenings all = { 0 };
	struct forwards forwards = { 0 };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct err e;
	int r = nl_open(NETLINK_SOCK_DIAG, &nl, &e);

	look_failed(r < 0 ? r : diag_listening(&nl, &all, &e), "ports", &e, warnings);
	for (size_t i = 0; i < all.n; i++)
		taken_add_port(t, all.v[i].udp, all.v[i].port);
	free(all.v);
	if (nft_forwards(&forwards, NULL) >= 0)
		for (size_t i = 0; i < forwards.n; i++)
			taken_add_port(t, forwards.v[i].port.udp, forwards.v[i].port.host);
	free(forwards.v);
}

int occupied_read(const char *but, struct occupied *ret, struct strs *warnings, struct err *e)
{
	CLEANUP(occupied_done) struct occupied o = { 0 };
	CLEANUP(nl_close) struct nl nl = { .fd = -1 };
	struct err why;
	int opened, r = read_confs(but, &o, warnings, e);

	if (r == 0)
		r = read_notes(but, &o, e);
	if (r < 0)
		return r;
	opened = nl_open(NETLINK_ROUTE, &nl, &why);
	look_failed(opened, "addresses", &why, warnings);
	if (opened >= 0)
		look_at_addresses(&nl, &o.taken, warnings);
	look_at_ports(&o.taken, warnings);
	if (o.taken.bad)
		return err_no_memory(e);
	*ret = o;
	o = (struct occupied){ 0 };
	return 0;
}

int occupied_judge(const struct occupied *o, const struct container *c, struct err *e)
{
	struct finding f;

	for (size_t i = 0; i < o->n; i++)
		if (lint_pair(c, &o->v[i], 0, &f))
			return err_set(e, STATUS_DATA, EINVAL, "%s: %s: %s", c->name, f.key, f.text);
	return 0;
}

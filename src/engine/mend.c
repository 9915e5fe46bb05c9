#include "engine/mend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"
#include "drivers/journal_say.h"
#include "drivers/nft.h"
#include "drivers/nft_gateway.h"
#include "drivers/rtnl.h"
#include "engine/claims.h"
#include "engine/gateway.h"
#include "engine/guestnet.h"
#include "engine/netwatch.h"
#include "engine/observe.h"
#include "words/name.h"

static const uint8_t families[MEND_FAMILIES] = { [MEND_V4] = AF_INET, [MEND_V6] = AF_INET6 };

/* ---- looking */

static int look_at_one(const char *name, const struct claims *c, const struct netmap *map,
                       struct mending *ret, struct err *e)
{
	CLEANUP(free_p) struct port *ports = NULL;
	struct mend_wanted w = {
		.machine = name, .host = &c->host, .guest = &c->guest, .masquerade = &c->masquerade
	};
	size_t at = 0;
	int r;

	if (c->argv.n == 0)
		return err_set(e, STATUS_FAILED, EOPNOTSUPP,
		               "%s was not started by machdeck, or you may not read /run/machdeck/%s: what "
		               "its network "
		               "should be is not known",
		               name, name);
	r = claims_ports(c, &ports, &w.n_ports, e);
	w.ports = ports;
	w.bridge = claims_value(c, "network-bridge", &at);
	for (size_t i = 0; r == 0 && i < MEND_FAMILIES && w.n_ports > 0; i++)
		r = nft_forwards_whole(families[i], &w.forwards_whole[i], e);
	if (r == 0)
		r = gateway_holds(name, &c->masquerade, &w.way_out_holds, e);
	if (r < 0 && r != -EPERM)
		return err_wrap(e, r, "%s", name);
	if (r < 0) /* the map says so of forwards */
		w.way_out_holds = w.forwards_whole[MEND_V4] = w.forwards_whole[MEND_V6] = true;
	mend_decide(map, &w, ret);
	if (r < 0 && c->masquerade.n > 0)
		strs_add(&ret->cannot, "its way out can not be seen: that takes root (CAP_NET_ADMIN)");
	return 0;
}

static bool is_down(const struct machine *m)
{
	return m->state == MACHINE_STOPPED || m->state == MACHINE_FAILED || m->state == MACHINE_GHOST;
}

static int read_machine_id(uint8_t ret[static 16], struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	unsigned byte;
	int r = files_read("", "/etc/machine-id", 64, &text, NULL, e);

	for (int i = 0; r >= 0 && i < 16; i++) {
		if (text.len < 32 || sscanf(buf_text(&text) + 2 * (size_t)i, "%2x", &byte) != 1)
			return err_set(e, STATUS_UNSAFE_HOST, EINVAL, "/etc/machine-id is none");
		ret[i] = (uint8_t)byte;
	}
	return r;
}

static void add_addresses(const struct claims *c, struct strs *ret)
{
	for (size_t i = 0; i < c->guest.n; i++) {
		char text[ADDR_TEXT_SIZE];

		addr_print(&c->guest.v[i].addr, false, text);
		if (c->guest.v[i].kind == NETOP_ADDRESS)
			strs_add(ret, text);
	}
}

static int look_at_leavings(const struct snapshot *s, const struct netmap *map, struct mending *ret,
                            struct err *e)
{
	CLEANUP(strs_done) struct strs busy = { 0 }, addresses = { 0 }, owners = { 0 };
	CLEANUP(neighbours_done) struct neighbours running = { 0 }, starting = { 0 };
	const struct neighbours *both[] = { &running, &starting };
	uint8_t id[16];
	int r = read_machine_id(id, e);

	if (r >= 0)
		r = neighbours_find("", "", &running, e);
	if (r >= 0)
		r = neighbours_starting("", "", &starting, e);
	if (r >= 0)
		r = nft_gateway_owners(&owners, e);
	if (r == -EPERM) /* as of forwards, of which the map says so */
		r = 0;
	for (size_t i = 0; i < s->n; i++)
		if (!is_down(&s->v[i]))
			strs_add(&busy, s->v[i].name);
	for (size_t i = 0; i < COUNT(both); i++)
		for (size_t k = 0; k < both[i]->n; k++) {
			strs_add(&busy, both[i]->v[k].machine.name);
			add_addresses(&both[i]->v[k], &addresses);
		}
	if (busy.bad || addresses.bad || owners.bad)
		return err_no_memory(e);
	if (r >= 0)
		mend_leavings(map, &busy, &addresses, &owners, id, ret);
	return r;
}

static int must_run(const struct snapshot *s, const char *name, struct err *e)
{
	const struct machine *m = snapshot_find(s, name);

	if (!m)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "there is no machine '%s'", name);
	if (is_down(m))
		return err_set(e, STATUS_FAILED, ENOTCONN, "%s is not running: start it", name);
	return 0;
}

static int look(const char *name, const struct claims *c, struct mending *ret, struct err *e)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(netmap_done) struct netmap map = { 0 };
	struct mending m = { 0 };
	int r = observe_once(&s, e);

	if (r >= 0 && name)
		r = must_run(&s, name, e);
	if (r >= 0)
		r = netmap_read(&s, NETWATCH_MAP, &map, e);
	if (r >= 0)
		r = name ? look_at_one(name, c, &map, &m, e) : look_at_leavings(&s, &map, &m, e);
	if (r >= 0 && m.bad)
		r = err_no_memory(e);
	if (r < 0) {
		mending_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

int mend_look(const char *name, struct mending *ret, struct err *e)
{
	CLEANUP(claims_done) struct claims c = { 0 };
	int r = name ? claims_read("", name, &c, e) : 0;

	return r < 0 ? r : look(name, &c, ret, e);
}

/* ---- doing */

static size_t of_family(const struct netmap_forward *v, size_t n, uint8_t family, struct forward *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].to.family == family)
			ret[found++] = (struct forward){ v[i].port, v[i].to };
	return found;
}

static int mend_forwards(const struct mending *m, struct err *e)
{
	CLEANUP(free_p) struct forward *add = calloc(m->n_add + 1, sizeof(*add));
	CLEANUP(free_p) struct forward *gone = calloc(m->n_gone + 1, sizeof(*gone));
	int failed = add && gone ? 0 : err_no_memory(e);

	for (size_t i = 0; add && gone && i < MEND_FAMILIES; i++) {
		size_t n_add = of_family(m->add, m->n_add, families[i], add);
		size_t n_gone = of_family(m->gone, m->n_gone, families[i], gone);
		int r = n_add + n_gone > 0
		                ? nft_forwards_mend(families[i], add, n_add, gone, n_gone, failed ? NULL : e)
		                : 0;

		failed = failed ? failed : r;
	}
	return failed;
}

static int remove_links(const struct mending *m, struct err *e)
{
	struct nl nl;
	int failed = 0, r;

	if (m->n_links == 0)
		return 0;
	r = nl_open(NETLINK_ROUTE, &nl, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->n_links; i++) {
		r = rtnl_delete(&nl, m->links[i], failed ? NULL : e);
		failed = failed ? failed : r;
	}
	nl_close(&nl);
	return failed;
}

static int mend_ways_out(const char *name, const struct claims *c, const struct mending *m, struct err *e)
{
	CLEANUP(strs_done) struct strs says = { 0 };
	int failed = m->way_out ? gateway_set(name, &c->masquerade, &says, e) : 0;

	for (size_t i = 0; i < m->leavers.n; i++) {
		int r = nft_gateway_set(m->leavers.v[i], NULL, 0, NULL, failed ? NULL : e);
		failed = failed ? failed : r;
	}
	return failed;
}

static void tell(const char *name, const struct mending *m)
{
	char unit[NAME_UNIT_SIZE];

	if (name)
		name_unit(name, unit);
	for (size_t i = 0; i < m->commands.n; i++) {
		CLEANUP(buf_done) struct buf line = { 0 };

		buf_addf(&line, "machdeck: %s: mend: %s (%s)", name ? name : "what dead machines left",
		         m->commands.v[i], m->reasons.v[i]);
		journal_say(name ? unit : NULL, buf_text(&line));
	}
}

int mend_may(const char *name, struct err *e)
{
	const char *what = name ? name : "what dead machines left";
	int r = gate_ask(e, "cannot mend %s", what);

	if (r == 0 && geteuid() != 0)
		r = err_set(e, STATUS_NOT_PERMITTED, EPERM, "cannot mend %s: that takes root", what);
	return r;
}

static int carry_out(const char *name, const struct claims *c, const struct mending *m, struct err *e)
{
	int r = mend_may(name, e), failed;

	if (r < 0 || m->commands.n == 0)
		return r;
	tell(name, m);
	failed = m->host.n > 0 ? rtnl_apply(name, &m->host, e) : 0;
	r = m->guest.n > 0 ? guestnet_apply(name, &m->guest, failed ? NULL : e) : 0;
	failed = failed ? failed : r;
	r = remove_links(m, failed ? NULL : e);
	failed = failed ? failed : r;
	r = mend_forwards(m, failed ? NULL : e);
	failed = failed ? failed : r;
	r = mend_ways_out(name, c, m, failed ? NULL : e);
	return failed ? failed : r;
}

int mend_do(const char *name, const struct mending *m, struct err *e)
{
	CLEANUP(claims_done) struct claims c = { 0 };
	int r = name ? claims_read("", name, &c, e) : 0;

	return r < 0 ? r : carry_out(name, &c, m, e);
}

int mend_by(const char *name, const struct claims *c, struct strs *ret_left, struct err *e)
{
	CLEANUP(mending_done) struct mending m = { 0 };
	int r = mend_may(name, e);

	if (r >= 0)
		r = look(name, c, &m, e);
	if (r >= 0)
		r = carry_out(name, c, &m, e);
	if (r >= 0)
		strs_add_all(ret_left, &m.cannot);
	return r;
}

int mend_run(const char *name, struct strs *ret_left, struct err *e)
{
	CLEANUP(claims_done) struct claims c = { 0 };
	int r = claims_read("", name, &c, e);

	return r < 0 ? r : mend_by(name, &c, ret_left, e);
}

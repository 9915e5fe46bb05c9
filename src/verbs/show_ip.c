/* machdeck show-ip: the address by which a machine is reached, alone on a line (C.2). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "engine/load.h"
#include "engine/observe.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

/* LOCAL_ADDRESS of whatever family, else LOCAL_ADDRESS6; without the prefix. */
static bool configured(const struct container *c, char ret[static ADDR_TEXT_SIZE])
{
	const struct addr *a = addr_is_set(&c->addr[LOCAL4]) ? &c->addr[LOCAL4] : &c->addr[LOCAL6];

	if (!addr_is_set(a))
		return false;
	addr_print(a, false, ret);
	return true;
}

static int seen(const char *name, char ret[static ADDR_TEXT_SIZE], struct err *e)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	const struct machine *m;
	int r = observe_once(&s, e);

	if (r < 0)
		return r;
	m = snapshot_find(&s, name);
	if (!m)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: neither configured nor running", name);
	if (m->registered && !m->addresses_seen && s.limits)
		return err_set(
			e, STATUS_NOT_PERMITTED, EPERM,
			"%s: its address is not known: none is configured%s, and looking into it takes "
			"CAP_NET_ADMIN",
			name, m->conf_unread ? " as far as can be read" : "");
	if (!m->addresses_seen || m->addresses.n == 0)
		return err_set(e, STATUS_FAILED, EADDRNOTAVAIL,
		               "%s: has no address of its own: none is configured, and %s", name,
		               m->registered ? "none is seen in it" : "it does not run");
	(void)snprintf(ret, ADDR_TEXT_SIZE, "%s", m->addresses.v[0]);
	return 0;
}

int verb_show_ip(const struct verb *v, int argc, char **argv)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	char text[ADDR_TEXT_SIZE + 1];
	const char *name;
	struct err e = { 0 };
	bool json;
	int r;

	r = verb_one_name(v, argc, argv, &json, &name);
	if (r != STATUS_DONE)
		return r;
	r = load_container("", name, &l, &e);
	if (r < 0 && r != -ENOENT && r != -EACCES)
		return verb_fail(&e);
	if ((r < 0 || !configured(&l.container, text)) && seen(name, text, &e) < 0)
		return verb_fail(&e);
	if (json)
		return show_json(json_pack("{s:i, s:s, s:s}", "schema", 1, "name", name, "address", text));
	r = verb_print(text);
	return r == STATUS_DONE ? verb_print("\n") : r;
}

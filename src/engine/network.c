#include "engine/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "drivers/files.h"
#include "drivers/nft.h"
#include "engine/claims.h"

#define TRIES    5 /* at rules that change while we decide */
#define DONE_MAX 65536

/* What a decision looks at. */
struct scene {
	const char *name;
	struct nl nl;
	struct neighbours others;
	bool has_dead_forwards; /* the last look saw some */
};

static void scene_done(struct scene *s)
{
	nl_close(&s->nl);
	neighbours_done(&s->others);
}

static int scene_open(const char *host_root, const char *name, struct scene *ret, struct err *e)
{
	struct scene s = { .name = name, .nl = { .fd = -1 } };
	int r = nl_open(NETLINK_ROUTE, &s.nl, e);

	if (r == 0)
		r = neighbours_find(host_root, name, &s.others, e);
	if (r < 0) {
		scene_done(&s);
		return err_wrap(e, r, "%s", name);
	}
	*ret = s;
	return 0;
}

/* ---- links */

static const char *article(const char *kind)
{
	return strchr("aeiou", kind[0]) ? "an" : "a";
}

/* Whether a link that stands in the way may go. -EBUSY and whose it is, or what. */
static int judge_link(struct scene *s, const char *name, const struct link *l, struct err *e)
{
	const struct claims *owner;

	if (!l->kind[0])
		return err_set(e, STATUS_BUSY, EBUSY,
		               "%s: %s exists and is hardware, not ours (rename it, or the container)",
		               s->name, name);
	if (strcmp(l->kind, "veth") != 0)
		return err_set(e, STATUS_BUSY, EBUSY,
		               "%s: %s exists and is %s %s, not ours (rename it, or the container)", s->name,
		               name, article(l->kind), l->kind);
	owner = neighbours_with_link(&s->others, &s->nl, l);
	if (owner)
		return err_set(e, STATUS_BUSY, EBUSY,
		               "%s: link %s belongs to %s, which runs (stop that, or change one of "
		               "the names)",
		               s->name, name, owner->machine.name);
	return 0;
}

/* The index of the veth of that name that is nobody's; 0: no such link. */
static int find_stale(struct scene *s, const char *name, int *ret_index, struct err *e)
{
	CLEANUP(link_done) struct link l = { 0 };
	int index = rtnl_index(&s->nl, name), r;

	*ret_index = 0;
	if (index == 0)
		return 0;
	r = rtnl_link(&s->nl, index, &l, e);
	if (r == -ENODEV)
		return 0;
	if (r == 0)
		r = judge_link(s, name, &l, e);
	if (r == 0)
		*ret_index = index;
	return r;
}

static int clear_links(struct scene *s, const struct netops *deletions, bool really, struct err *e)
{
	for (size_t i = 0; i < deletions->n; i++) {
		int index, r;

		if (deletions->v[i].kind != NETOP_DELETE)
			continue;
		r = find_stale(s, deletions->v[i].dev, &index, e);
		if (r == 0 && index && really)
			r = rtnl_delete(&s->nl, index, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- ports */

static int refuse_port(const struct scene *s, const struct port *p, const char *owner, struct err *e)
{
	return err_set(e, STATUS_BUSY, EADDRINUSE,
	               "%s: host port %s:%u belongs to %s, which runs (stop that, or change "
	               "HOST_PORT)",
	               s->name, p->udp ? "udp" : "tcp", p->host, owner);
}

static const struct port *find_port(const struct port *v, size_t n, const struct port *p)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].udp == p->udp && v[i].host == p->host)
			return &v[i];
	return NULL;
}

/* One look at the forwards of these ports. A living one is left alone, or refused; a dead one is deleted if
 * really. -EAGAIN: the rules changed meanwhile. */
static int look_at_forwards(struct scene *s, const struct port *v, size_t n, bool refuse, bool really,
                            struct err *e)
{
	CLEANUP(free_p) struct forward *all = NULL;
	struct forwards l = { 0 };
	int r = nft_forwards(&l, e);

	all = l.v;
	s->has_dead_forwards = false;
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		const struct port *ours = find_port(v, n, &all[i].port);
		const struct claims *owner =
			ours ? neighbours_with_address(&s->others, &s->nl, &all[i].to) : NULL;

		if (owner && refuse)
			return refuse_port(s, ours, owner->machine.name, e);
		if (!ours || owner)
			continue;
		s->has_dead_forwards = true;
		if (!really)
			continue;
		r = nft_forward_delete(&all[i], l.generation, e);
		if (r == 0)
			return -EAGAIN; /* the rules changed: by us */
	}
	return r;
}

static int clear_forwards(struct scene *s, const struct port *v, size_t n, bool refuse, bool really,
                          struct err *e)
{
	int r = 0;

	for (size_t i = 0; n > 0 && i < 2 * n + TRIES; i++) {
		r = look_at_forwards(s, v, n, refuse, really, e);
		if (r != -EAGAIN)
			break;
	}
	return r;
}

static int check_claimed_ports(const struct scene *s, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n_ports; i++)
		for (size_t k = 0; k < s->others.n; k++)
			if (claims_has_port(&s->others.v[k], &c->ports[i]))
				return refuse_port(s, &c->ports[i], s->others.v[k].machine.name, e);
	return 0;
}

static int check_ports(struct scene *s, const struct container *c, struct err *e)
{
	int r = check_claimed_ports(s, c, e);

	return r < 0 ? r : clear_forwards(s, c->ports, c->n_ports, true, false, e);
}

/* ---- addresses, and links that must be there */

/* The rule of lint_pair(): what is a container's is nobody else's; the host's may be on the links of many. */
static int check_side(struct scene *s, const struct netops *ops, bool guests, struct err *e)
{
	for (size_t i = 0; i < ops->n; i++) {
		const struct addr *a = &ops->v[i].addr;
		const struct claims *owner;
		char addr[ADDR_TEXT_SIZE];

		if (ops->v[i].kind != NETOP_ADDRESS)
			continue;
		owner = neighbours_with_address(&s->others, &s->nl, a);
		if (!owner && guests)
			owner = neighbours_with_host_address(&s->others, a);
		addr_print(a, false, addr);
		if (owner)
			return err_set(e, STATUS_BUSY, EADDRINUSE,
			               "%s: address %s belongs to %s, which runs (stop that, or "
			               "change one of the addresses)",
			               s->name, addr, owner->machine.name);
	}
	return 0;
}

static int check_addresses(struct scene *s, const struct plan *p, struct err *e)
{
	int r = check_side(s, &p->init, true, e);

	return r < 0 ? r : check_side(s, &p->poststart, false, e);
}

static int must_exist(struct scene *s, const char *what, const char *link, const char *key, struct err *e)
{
	if (!link || rtnl_index(&s->nl, link) > 0)
		return 0;
	return err_set(e, STATUS_NO_CONTAINER, ENODEV, "%s: %s %s is not there (create it, or change %s)",
	               s->name, what, link, key);
}

static int check_parents(struct scene *s, const struct container *c, struct err *e)
{
	int r = must_exist(s, "bridge", c->host_bridge, "HOST_BRIDGE", e);

	for (size_t i = 0; r == 0 && i < c->n_veths; i++)
		r = must_exist(s, "bridge", c->veths[i].bridge, "EXTRA_VETHS", e);
	for (size_t i = 0; r == 0 && i < c->interfaces.n; i++)
		r = must_exist(s, "interface", c->interfaces.v[i], "INTERFACES", e);
	for (size_t i = 0; r == 0 && i < c->macvlans.n; i++)
		r = must_exist(s, "interface", c->macvlans.v[i], "MACVLANS", e);
	return r;
}

int network_prestart(const char *host_root, const struct container *c, const struct plan *p, struct err *e)
{
	CLEANUP(scene_done) struct scene s = { .nl = { .fd = -1 } };
	int r = scene_open(host_root, c->name, &s, e);

	if (r == 0)
		r = check_parents(&s, c, e);
	if (r == 0)
		r = clear_links(&s, &p->prestart, false, e);
	if (r == 0)
		r = check_addresses(&s, p, e);
	if (r == 0)
		r = check_ports(&s, c, e);
	if (r == 0)
		r = clear_links(&s, &p->prestart, true, e);
	if (r == 0 && s.has_dead_forwards)
		r = clear_forwards(&s, c->ports, c->n_ports, true, true, e);
	return r;
}

static bool claims_has_veth(const struct claims *c, const char *name)
{
	const char *value;

	for (size_t at = 0; (value = claims_value(c, "network-veth-extra", &at));)
		if (strncmp(value, name, strlen(name)) == 0 && strchr(":", value[strlen(name)]))
			return true;
	return false;
}

static int check_claimed_veths(const struct scene *s, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n_veths; i++)
		for (size_t k = 0; k < s->others.n; k++)
			if (claims_has_veth(&s->others.v[k], c->veths[i].name))
				return err_set(
					e, STATUS_BUSY, EBUSY,
					"%s: link %s is being made for %s, which starts (stop that, or "
					"change one of the names)",
					s->name, c->veths[i].name, s->others.v[k].machine.name);
	return 0;
}

/* A file of root's own: whoever can open something can lock it. */
static int lock_claims(const char *host_root, int *ret, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	CLEANUP(close_p) int lock = -1;
	int r = files_mkdir(host_root, PLAN_RUN_DIR, 0755, &dir, e);

	if (r < 0)
		return r;
	lock = openat(dir, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (lock >= 0 && flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot lock " PLAN_RUN_DIR "/.lock");
	if (lock < 0)
		return err_sys(e, errno, "cannot open " PLAN_RUN_DIR "/.lock");
	*ret = take_fd(&lock);
	return 0;
}

int network_claim(const char *host_root, const struct container *c, const struct plan *p, int *ret_lock,
                  struct err *e)
{
	CLEANUP(scene_done) struct scene s = { .name = c->name, .nl = { .fd = -1 } };
	CLEANUP(close_p) int lock = -1;
	int r = lock_claims(host_root, &lock, e);

	if (r == 0)
		r = neighbours_starting(host_root, c->name, &s.others, e);
	if (r == 0)
		r = check_addresses(&s, p, e);
	if (r == 0)
		r = check_claimed_ports(&s, c, e);
	if (r == 0)
		r = check_claimed_veths(&s, c, e);
	if (r == 0)
		*ret_lock = take_fd(&lock);
	return r;
}

/* ---- the host's side */

static void done_path(const char *name, char ret[static 128])
{
	(void)snprintf(ret, 128, PLAN_RUN_DIR "/%s/host.done", name);
}

/* The lines of what is done: each link once, by the index it has now; bad when one is gone. */
static void describe_done(struct nl *nl, const struct netops *ops, struct buf *ret)
{
	buf_puts(ret, "ok\n");
	for (size_t i = 0; i < ops->n; i++) {
		const char *dev = ops->v[i].dev;
		bool again = false;
		int index;

		for (size_t k = 0; k < i; k++)
			again = again || strcmp(ops->v[k].dev, dev) == 0;
		if (again)
			continue;
		index = rtnl_index(nl, dev);
		ret->bad = ret->bad || index == 0;
		buf_addf(ret, "%d %s\n", index, dev);
	}
}

bool network_is_done(const char *host_root, struct nl *nl, const char *name, const struct netops *ops)
{
	CLEANUP(buf_done) struct buf text = { 0 }, wanted = { 0 };
	char path[128];

	done_path(name, path);
	if (files_read(host_root, path, DONE_MAX, &text, NULL, NULL) < 0)
		return false;
	describe_done(nl, ops, &wanted);
	return !wanted.bad && strcmp(buf_text(&text), buf_text(&wanted)) == 0;
}

void network_mark_done(const char *host_root, struct nl *nl, const char *name, const struct netops *ops,
                       const struct err *failure)
{
	const struct files_new as = { .mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(close_p) int dir = -1;
	char path[128];

	done_path(name, path);
	*strrchr(path, '/') = '\0';
	if (failure)
		buf_addf(&text, "%s\n", failure->text);
	else
		describe_done(nl, ops, &text);
	if (!text.bad && files_open(host_root, path, O_PATH | O_DIRECTORY, &dir, NULL) == 0)
		(void)files_replace(dir, "host.done", &as, buf_text(&text), text.len);
}

int network_host_up(const char *host_root, const char *name, const struct netops *ops, struct err *e)
{
	struct nl nl;
	bool done;
	int r;

	if (ops->n == 0)
		return 0;
	r = nl_open(NETLINK_ROUTE, &nl, e);
	if (r < 0)
		return err_wrap(e, r, "%s", name);
	done = network_is_done(host_root, &nl, name, ops);
	nl_close(&nl);
	return done ? 0 : rtnl_apply(name, ops, e);
}

/* ---- after the end */

/* The links that its systemd-nspawn made on the host. */
static void links_of(const struct claims *c, struct netops *ret)
{
	static const char *const main_links[] = { "ve-", "vb-" };
	char name[NETOP_NAME_SIZE];
	const char *value;

	for (size_t i = 0; c->argv.n > 0 && i < COUNT(main_links); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", main_links[i], c->machine.name);
		(void)netops_add(ret, NETOP_DELETE, name);
	}
	for (size_t at = 0; (value = claims_value(c, "network-veth-extra", &at));) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(value, ":"), value);
		(void)netops_add(ret, NETOP_DELETE, name);
	}
}

/* What is somebody else's, or no veth, is not ours to remove, and no failure either. */
static int drop_links(struct scene *s, const struct netops *links, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < links->n; i++) {
		int index, r = find_stale(s, links->v[i].dev, &index, NULL);

		if (r == 0 && index)
			r = rtnl_delete(&s->nl, index, failed ? NULL : e);
		failed = failed || r == -EBUSY ? failed : r;
	}
	return failed;
}

int network_stopped(const char *host_root, const char *name, struct err *e)
{
	CLEANUP(scene_done) struct scene s = { .nl = { .fd = -1 } };
	CLEANUP(claims_done) struct claims own = { 0 };
	CLEANUP(netops_done) struct netops links = { 0 };
	CLEANUP(free_p) struct port *ports = NULL;
	size_t n_ports = 0;
	int r = claims_read(host_root, name, &own, e), failed;

	if (r < 0 || own.argv.n == 0)
		return r;
	r = scene_open(host_root, name, &s, e);
	if (r < 0)
		return r;
	links_of(&own, &links);
	r = claims_ports(&own, &ports, &n_ports, e);
	if (r < 0 || links.bad)
		return r < 0 ? r : err_no_memory(e);
	failed = drop_links(&s, &links, e);
	r = clear_forwards(&s, ports, n_ports, false, true, failed ? NULL : e);
	return failed ? failed : r;
}

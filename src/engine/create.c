#include "engine/beginning.h"
#include "engine/create.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/conf.h"
#include "decide/lint_host.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/subvolume.h"
#include "drivers/treecopy.h"
#include "drivers/wipe.h"
#include "engine/hostsfile.h"
#include "engine/occupied.h"
#include "engine/overlay.h"
#include "engine/settle.h"
#include "engine/snapshots.h"

#define UNIQUE_MAX 10000

void created_done(struct created *c)
{
	container_done(&c->container);
	buf_done(&c->conf);
}

/* ---- the name */

static int look_at_name(const char *name, enum build_source source, struct places *ret, struct err *e)
{
	struct places other;
	int r = places_new(name, ret, e);

	if (r < 0)
		return r;
	/* The other pair of folders holds containers, too. */
	if (places_find(name, &other, NULL) >= 0 && (other.has_conf || source != BUILD_ADOPT))
		*ret = other;
	if (ret->has_conf)
		return err_set(e, STATUS_BUSY, EEXIST, "there is a container %s already: %s", name,
		               ret->conf);
	if (ret->has_root && source != BUILD_ADOPT)
		return err_set(e, STATUS_BUSY, EEXIST,
		               "%s is there already (--adopt makes it the new container's root, destroy %s "
		               "removes it)",
		               ret->root, name);
	return 0;
}

/* Looked at twice: what was made while the lock was waited for is there now. */
static int take_one(const char *name, enum build_source source, struct places *ret, struct hold *hold,
                    struct err *e)
{
	int r = look_at_name(name, source, ret, e);

	if (r == 0)
		r = hold_name(name, hold, e);
	if (r < 0)
		return r;
	r = look_at_name(name, source, ret, e);
	if (r < 0)
		hold_done(hold);
	return r;
}

static int take_name(const struct create *c, struct places *ret, struct hold *hold, struct err *e)
{
	int r = take_one(c->name, c->build.source, ret, hold, e);

	for (int i = 0; c->unique_name && i < UNIQUE_MAX && (r == -EEXIST || r == -EBUSY); i++) {
		char name[NAME_MACHINE_MAX + 16];

		(void)snprintf(name, sizeof(name), "%.*s-%d", NAME_MACHINE_MAX, c->name, i);
		r = take_one(name, c->build.source, ret, hold, e);
	}
	return r;
}

/* ---- the conf */

static bool is_set(const struct draft *d, const char *base, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = base; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, key, len) == 0 && line[len] == '=')
			return true;
	return draft_get(d, key) != NULL;
}

static void set_default(struct draft *d, const char *base, const char *key, const char *value)
{
	if (!is_set(d, base, key))
		draft_set(d, key, value);
}

/* Whether the network is to be a link to the host with two addresses that nobody chose. */
static bool wants_pair(const struct draft *d, const char *base)
{
	static const char *const others[] = { "HOST_ADDRESS",   "HOST_ADDRESS6", "LOCAL_ADDRESS",
		                              "LOCAL_ADDRESS6", "HOST_BRIDGE",   "INTERFACES",
		                              "MACVLANS",       "EXTRA_VETHS",   "NETWORK_NAMESPACE_PATH" };
	const char *private = draft_get(d, "PRIVATE_NETWORK");

	for (size_t i = 0; i < COUNT(others); i++)
		if (is_set(d, base, others[i]))
			return false;
	return !private || strcmp(private, "1") == 0;
}

static void set_address(struct draft *d, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, false, text);
	draft_replace(d, key, text);
}

/* A free one in the network of the other container's, taken from now on. A point to point address of IPv6 has a network in
 * mind. */
static int take_near(const struct addr *theirs, struct occupied *o, struct addr *ret, struct err *e)
{
	struct addr near = *theirs, a;
	int r;

	if (near.prefix == addr_bits(&near))
		near.prefix = addr_bits(&near) == 32 ? 24 : 112;
	r = allocate_near(&o->taken, &near, ret, e);
	if (r < 0)
		return r;
	a = *ret;
	a.prefix = addr_bits(&a);
	taken_add(&o->taken, &a);
	return 0;
}

static int set_near(struct draft *d, const char *key, const struct addr *theirs, struct occupied *o,
                    struct err *e)
{
	struct addr a;
	char text[ADDR_TEXT_SIZE];
	int r;

	if (!addr_is_set(theirs) || draft_get(d, key))
		return 0;
	r = take_near(theirs, o, &a, e);
	if (r < 0)
		return r;
	addr_print(&a, true, text);
	draft_replace(d, key, text);
	return 0;
}

static int take_pair(struct occupied *o, struct addr *ret_host, struct addr *ret_local, struct err *e)
{
	int r = allocate_pair(&o->taken, ret_host, ret_local, e);

	if (r == 0) {
		taken_add(&o->taken, ret_host);
		taken_add(&o->taken, ret_local);
	}
	return r;
}

static bool is_taken(const struct occupied *o, const char *link)
{
	for (size_t i = 0; i < o->n; i++)
		for (size_t k = 0; k < o->v[i].n_veths; k++)
			if (strcmp(o->v[i].veths[k].name, link) == 0)
				return true;
	return if_nametoindex(link) != 0;
}

/* Both ends of an extra link have that name, so it is one that no link of the host has: "lan7" becomes "lan1". */
static int take_link(const char *like, const struct occupied *o, const struct strs *chosen,
                     char ret[static NAME_LINK_SIZE], struct err *e)
{
	size_t len = strlen(like);

	while (len > 1 && like[len - 1] >= '0' && like[len - 1] <= '9')
		len--;
	for (unsigned n = 1; n < 10000; n++) {
		char number[8];
		int digits = snprintf(number, sizeof(number), "%u", n);

		(void)snprintf(ret, NAME_LINK_SIZE, "%.*s%s",
		               (int)(len < 15U - (unsigned)digits ? len : 15U - (unsigned)digits), like,
		               number);
		if (!strs_has(chosen, ret) && !is_taken(o, ret))
			return 0;
	}
	return err_set(e, STATUS_CANNOT_CREATE, ENOSPC, "no name for a link like %s is free", like);
}

static int change_veth(struct veth *v, struct occupied *o, struct err *e)
{
	int r = 0;

	if (!v->bridge && v->addr[HOST4].family == AF_INET && v->addr[LOCAL4].family == AF_INET)
		r = take_pair(o, &v->addr[HOST4], &v->addr[LOCAL4], e);
	else if (addr_is_set(&v->addr[LOCAL4]))
		r = take_near(&v->addr[LOCAL4], o, &v->addr[LOCAL4], e);
	if (r == 0 && addr_is_set(&v->addr[LOCAL6]))
		r = take_near(&v->addr[LOCAL6], o, &v->addr[LOCAL6], e);
	return r;
}

static int change_veths(struct draft *d, const struct container *like, struct occupied *o, struct err *e)
{
	CLEANUP(strs_done) struct strs chosen = { 0 };
	CLEANUP(buf_done) struct buf words = { 0 };

	for (size_t i = 0; i < like->n_veths; i++) {
		struct veth v = like->veths[i];
		char name[NAME_LINK_SIZE];
		int r = take_link(v.name, o, &chosen, name, e);

		if (r == 0)
			r = change_veth(&v, o, e);
		if (r < 0)
			return r;
		v.name = name;
		strs_add(&chosen, name);
		buf_puts(&words, i == 0 ? "" : " ");
		conf_veth_word(&v, &words);
	}
	if (words.len > 0)
		draft_replace(d, "EXTRA_VETHS", buf_text(&words));
	return words.bad || chosen.bad ? err_no_memory(e) : 0;
}

static int change_ports(struct draft *d, const struct container *like, struct occupied *o, struct err *e)
{
	CLEANUP(buf_done) struct buf wished = { 0 };
	CLEANUP(buf_done) struct buf ports = { 0 };
	int r;

	for (size_t i = 0; i < like->n_ports; i++)
		buf_addf(&wished, "%s%s:auto:%u", i ? "," : "", like->ports[i].udp ? "udp" : "tcp",
		         like->ports[i].guest);
	r = allocate_ports(&o->taken, buf_text(&wished), &ports, e);
	if (r == 0 && ports.len > 0)
		draft_replace(d, "HOST_PORT", buf_text(&ports));
	return r;
}

/* What two containers can not both have. The host may have one address on several links (HOST_ADDRESS6 stays). */
static int change_what_is_taken(struct draft *d, const struct container *like, struct occupied *o,
                                struct err *e)
{
	const struct addr *a = like->addr;
	struct addr host, local;
	int r = 0;

	if (!like->host_bridge && a[HOST4].family == AF_INET && a[LOCAL4].family == AF_INET &&
	    !draft_get(d, "HOST_ADDRESS") && !draft_get(d, "LOCAL_ADDRESS")) {
		r = take_pair(o, &host, &local, e);
		if (r < 0)
			return r;
		set_address(d, "HOST_ADDRESS", &host);
		set_address(d, "LOCAL_ADDRESS", &local);
	}
	r = set_near(d, "LOCAL_ADDRESS", &a[LOCAL4], o, e);
	if (r == 0)
		r = set_near(d, "LOCAL_ADDRESS6", &a[LOCAL6], o, e);
	if (r == 0 && !draft_get(d, "HOST_PORT"))
		r = change_ports(d, like, o, e);
	if (r == 0 && !draft_get(d, "EXTRA_VETHS"))
		r = change_veths(d, like, o, e);
	if (r == 0 && like->has_mac && !draft_get(d, "LOCAL_MAC_ADDRESS"))
		draft_set(d, "LOCAL_MAC_ADDRESS", "");
	return r;
}

/* What is left open by the options is decided here. d is a copy of them. */
static int fill_in(struct draft *d, const struct create *c, struct occupied *o, struct err *e)
{
	const char *base = c->base ? c->base : "";
	CLEANUP(buf_done) struct buf ports = { 0 };
	const char *release = draft_get(d, "RELEASE"), *wished = draft_get(d, "HOST_PORT");
	struct addr host, local;
	int r = 0;

	if (c->like)
		r = change_what_is_taken(d, c->like, o, e);
	else if (!release || strcmp(release, "2014") != 0)
		set_default(d, base, "PRIVATE_USERS", "pick");
	if (!c->like && !is_set(d, base, "NETWORK_NAMESPACE_PATH"))
		set_default(d, base, "PRIVATE_NETWORK", "1");
	if (r == 0 && !c->like && (c->pair || wants_pair(d, base))) {
		r = allocate_pair(&o->taken, &host, &local, e);
		if (r < 0)
			return r;
		set_address(d, "HOST_ADDRESS", &host);
		set_address(d, "LOCAL_ADDRESS", &local);
	}
	if (r == 0 && wished) {
		r = allocate_ports(&o->taken, wished, &ports, e);
		if (r == 0)
			draft_replace(d, "HOST_PORT", buf_text(&ports));
	}
	return r;
}

/* A link that is moved is in one machine alone, and there is no other like it. */
static void leave_links(struct draft *d, const struct container *like, struct strs *warnings)
{
	CLEANUP(free_p) char *links = strs_join(&like->interfaces, " ");

	if (like->interfaces.n == 0 || draft_get(d, "INTERFACES"))
		return;
	draft_replace(d, "INTERFACES", "");
	strs_addf(warnings, "INTERFACES: %s stays with %s alone (--interfaces names others)",
	          links ? links : "", like->name);
}

static int decide_conf(const struct create *c, struct created *ret, struct strs *warnings, struct err *e)
{
	CLEANUP(occupied_done) struct occupied o = { 0 };
	CLEANUP(draft_done) struct draft d = { 0 };
	const char *base = c->base ? c->base : "", *name = ret->places.name;
	int r = occupied_read(name, &o, warnings, e);

	strs_add_all(&d.keys, &c->options->keys);
	strs_add_all(&d.values, &c->options->values);
	if (r == 0 && c->like)
		leave_links(&d, c->like, warnings);
	if (r == 0)
		r = fill_in(&d, c, &o, e);
	if (r == 0)
		r = draft_read(&d, base, name, &ret->container, NULL, c->base ? NULL : warnings, e);
	if (r == 0)
		r = occupied_judge(&o, &ret->container, e);
	for (size_t i = 0; r == 0 && i < o.n; i++)
		lint_overlap(&ret->container, &o.v[i], warnings);
	return r < 0 ? r : conf_write(&ret->container, &ret->conf, e);
}

/* Under one lock for all who choose; hold keeps what was chosen. */
static int decide(const struct create *c, struct hold *hold, struct created *ret, struct strs *warnings,
                  struct err *e)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(hold_done) struct hold host = { .fd = -1 };
	int r = hold_host(&host, e);

	if (r == 0)
		r = take_name(c, &made.places, hold, e);
	if (r == 0)
		r = build_check(&c->build, &made.places, e);
	if (r == 0)
		r = decide_conf(c, &made, warnings, e);
	if (r == 0)
		r = hold_note(hold, &made.conf, e);
	if (r < 0)
		return r;
	*ret = made;
	made = (struct created){ 0 };
	return 0;
}

int create_decide(const struct create *c, struct created *ret, struct strs *warnings, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };

	return decide(c, &hold, ret, warnings, e);
}

/* ---- doing it */

static int put_conf(const struct created *made, int *ret_dir, struct err *e)
{
	const struct files_new as = { .mode = conf_has_secrets(&made->container) ? 0600 : 0644,
		                      .uid = (uid_t)-1,
		                      .gid = (gid_t)-1,
		                      .durable = true,
		                      .exclusive = true };
	const struct places *p = &made->places;
	CLEANUP(close_p) int above = -1;
	int r = files_mkdir("", p->confs, 0755, &above, e);

	if (r < 0)
		return r;
	*ret_dir = openat(above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return err_sys(e, errno, "cannot open %s", p->confs);
	r = files_replace(*ret_dir, strrchr(p->conf, '/') + 1, &as, buf_text(&made->conf), made->conf.len);
	if (r == -EEXIST)
		return err_set(e, STATUS_BUSY, EEXIST, "somebody else has just made %s", p->conf);
	return r < 0 ? err_sys(e, -r, "cannot write %s", p->conf) : 0;
}

/* The conf first: a root without one would be a container that shares the host's network. */
static int publish(const struct create *c, const struct created *made, int roots, const char *temp,
                   struct err *e)
{
	const struct places *p = &made->places;
	CLEANUP(close_p) int confs = -1;
	int r = put_conf(made, &confs, e);

	if (r < 0 || c->build.source == BUILD_ADOPT)
		return r;
	if (renameat2(roots, temp, roots, p->name, RENAME_NOREPLACE) < 0) {
		r = err_sys(e, errno, "cannot make %s", p->root);
	} else if (c->build.source == BUILD_OVERLAY) {
		r = overlay_attach(p, e);
		if (r < 0)
			(void)unlinkat(roots, p->name, AT_REMOVEDIR);
	}
	if (r == 0)
		return 0;
	(void)unlinkat(confs, strrchr(p->conf, '/') + 1, 0);
	return r;
}

/* What processes that were killed had begun. One that lives holds the name. */
static void sweep(const struct places *p, int roots)
{
	CLEANUP(strs_done) struct strs temps = { 0 };
	CLEANUP(strs_done) struct strs held = { 0 };

	if (places_temps(p->roots, "new", NULL, &temps, NULL) < 0 || hold_notes(&held, NULL) < 0)
		return;
	for (size_t i = 0; i < temps.n; i++) {
		char owner[NAME_MACHINE_MAX + 1];

		places_temp_owner(temps.v[i], "new", owner);
		if (!strs_has(&held, owner) || strcmp(owner, p->name) == 0)
			(void)wipe_tree(roots, temps.v[i], temps.v[i], NULL, NULL);
	}
}

/* Whether a state costs next to nothing: a subvolume's, or shared blocks, of a tree that was just written. */
static bool keeps_base(const struct create *c, int roots, int root)
{
	switch (c->build.source) {
	case BUILD_TREE:
	case BUILD_IMAGE:
	case BUILD_TARBALL:
	case BUILD_BOOTSTRAP:
		return subvolume_is(root) || treecopy_shares(roots);
	case BUILD_ADOPT: /* may be of any size */
	case BUILD_EMPTY:
	case BUILD_OVERLAY:
	case BUILD_NIX:
		return subvolume_is(root);
	}
	return false;
}

/* What Nix is to build of it by and by. */
static int keep_configuration(const struct create *c, const struct places *p, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct places twin;

	if (c->build.twin_of) {
		places_name(p, c->build.twin_of, &twin);
		if (!beginning_configuration(&twin, &text))
			return 0;
	} else if (c->build.nix_config) {
		recipe_nix_configuration(p->name, c->build.nix_config, &text);
	} else {
		return 0;
	}
	return text.bad ? err_no_memory(e) : beginning_note_configuration(p, &text, e);
}

/* The state to reset to. */
static void keep_base(const struct create *c, const struct created *made, int roots,
                      const struct progress *progress, struct strs *warnings)
{
	CLEANUP(close_p)
	int root = openat(roots, made->places.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char kept[NAME_MACHINE_MAX + 1];
	enum built how;
	struct err e;
	int r = 0;

	if (root >= 0)
		r = keeps_base(c, roots, root)
		            ? snapshots_take_held(&made->places, SNAPSHOTS_BASE, progress, kept, &how, &e)
		            : beginning_note(&made->places, &c->build, &e);
	if (r == 0)
		r = keep_configuration(c, &made->places, &e);
	if (r < 0)
		strs_addf(warnings, "what it began as is not kept: %s", e.text);
}

static int build(const struct create *c, struct created *made, const struct progress *progress,
                 struct strs *warnings, struct err *e)
{
	const struct places *p = &made->places;
	CLEANUP(close_p) int roots = -1;
	char temp[PLACES_TEMP_SIZE];
	int r = places_open_roots(p, &roots, e);

	if (r == 0)
		sweep(p, roots);
	if (r == 0)
		overlay_sweep(p);
	if (r == 0)
		r = places_temp("new", p->name, temp, e);
	if (r == 0)
		r = build_root(&c->build, p, roots, temp, progress, &made->how, warnings, e);
	if (r < 0)
		return r;
	if (progress_stopped(progress))
		r = err_set(e, STATUS_FAILED, ECANCELED, "%s is not made: it was cancelled", p->name);
	if (r == 0)
		r = publish(c, made, roots, temp, e);
	if (r < 0)
		build_undo(&c->build, p, roots, temp);
	else
		keep_base(c, made, roots, progress, warnings);
	return r;
}

int create_container(const struct create *c, const struct progress *progress, struct created *ret,
                     struct strs *warnings, struct err *e)
{
	CLEANUP(created_done) struct created made = { 0 };
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	struct err ignored;
	int r = gate_ask(e, "cannot create %s", c->name);

	if (r == 0)
		r = decide(c, &hold, &made, warnings, e);
	if (r == 0)
		r = build(c, &made, progress, warnings, e);
	if (r < 0)
		return r;
	hostsfile_refresh("", warnings);
	if (settle_reread(NULL, &ignored) < 0)
		strs_addf(warnings, "%s is made, but systemd was not told: %s", made.places.name,
		          ignored.text);
	*ret = made;
	made = (struct created){ 0 };
	return 0;
}

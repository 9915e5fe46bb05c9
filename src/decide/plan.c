#include "decide/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "decide/gateway.h"
#include "decide/hosts.h"
#include "decide/lint.h"
#include "decide/releases.h"
#include "decide/values.h"

#define PROFILES "/nix/var/nix/profiles/per-container"
#define GCROOTS  "/nix/var/nix/gcroots/per-container"

/* What building a plan looks at. */
struct draft {
	const struct container *c;
	const struct facts *f;
	const struct release_rules *rules;
	struct plan *p;
};

static void fsops_done(struct fsops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		strs_done(&ops->v[i].paths);
	free(ops->v);
	*ops = (struct fsops){ 0 };
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n_service; i++)
		strs_done(&p->service[i].values);
	free(p->service);
	free(p->name);
	free(p->root);
	free(p->system);
	fsops_done(&p->prestart_files);
	fsops_done(&p->prepare);
	strs_done(&p->argv);
	netops_done(&p->prestart);
	netops_done(&p->init);
	netops_done(&p->poststart);
	strs_done(&p->masquerade);
	strs_done(&p->requires_mounts);
	strs_done(&p->wanted_by);
	strs_done(&p->wants);
	strs_done(&p->after);
	strs_done(&p->bind_sources);
	strs_done(&p->hosts);
	*p = (struct plan){ 0 };
}

/* --- the root (A.4) */

static struct strs *add_fsop(struct draft *d, struct fsops *ops, enum fsop_kind kind, unsigned mode)
{
	static struct strs nowhere;
	struct fsop *grown = reallocarray(ops->v, ops->n + 1, sizeof(*grown));

	if (!grown) {
		d->p->bad = true;
		strs_done(&nowhere);
		return &nowhere;
	}
	ops->v = grown;
	grown[ops->n] = (struct fsop){ .kind = kind, .mode = mode };
	return &grown[ops->n++].paths;
}

static bool has_ephemeral_root(const struct draft *d)
{
	return d->c->ephemeral && d->p->kind == KIND_NIX;
}

static const char *run_dir(const struct draft *d)
{
	return d->f->nixos_dirs ? "/run/nixos-containers" : "/run/containers";
}

const char *plan_roots(bool nixos_dirs)
{
	return nixos_dirs ? "/var/lib/nixos-containers" : "/var/lib/containers";
}

static const char *root_dir(const struct draft *d)
{
	return has_ephemeral_root(d) ? run_dir(d) : plan_roots(d->f->nixos_dirs);
}

static void plan_root(struct draft *d)
{
	struct plan *p = d->p;

	if (asprintf(&p->root, "%s/%s", root_dir(d), d->c->name) < 0) {
		p->root = NULL;
		p->bad = true;
	}
}

static void plan_prepare(struct draft *d)
{
	struct fsops *ops = &d->p->prepare;
	const char *root = d->p->root, *name = d->c->name;
	struct strs *paths = add_fsop(d, ops, FSOP_MKDIR, 0755);

	strs_addf(paths, "%s/etc", root);
	strs_addf(paths, "%s/var/lib", root);
	if (!d->rules->first_options) {
		paths = add_fsop(d, ops, FSOP_MKDIR, 0700);
		strs_addf(paths, "%s/var/lib/private", root);
		strs_addf(paths, "%s/root", root);
		if (d->p->kind == KIND_NIX)
			strs_add(paths, run_dir(d));
	}
	strs_addf(add_fsop(d, ops, FSOP_TOUCH, 0644), "%s/etc/os-release", root);
	if (!d->rules->first_options)
		strs_addf(add_fsop(d, ops, FSOP_TOUCH, 0644), "%s/etc/machine-id", root);
	if (d->p->kind == KIND_NIX) {
		paths = add_fsop(d, ops, FSOP_MKDIR, 0755);
		strs_addf(paths, PROFILES "/%s", name);
		strs_addf(paths, GCROOTS "/%s", name);
	}
	if (!d->rules->first_options && !d->c->no_resolv_conf) {
		paths = add_fsop(d, ops, FSOP_COPY, 0644);
		strs_add(paths, "/etc/resolv.conf");
		strs_addf(paths, "%s/etc/resolv.conf", root);
	}
}

/* --- argv (A.5) */

static void add_env(struct strs *argv, const char *key, const char *value)
{
	strs_add(argv, "--setenv");
	strs_addf(argv, "%s=%s", key, value);
}

static void argv_macvlans(struct draft *d)
{
	for (size_t i = 0; i < d->c->macvlans.n; i++)
		strs_addf(&d->p->argv, "--network-macvlan=%s", d->c->macvlans.v[i]);
}

static void argv_network(struct draft *d)
{
	const struct container *c = d->c;
	struct strs *argv = &d->p->argv;

	if (d->rules->private_net_is_veth) {
		if (c->private_network)
			strs_add(argv, "--network-veth");
		argv_macvlans(d);
		return;
	}
	if (c->private_network)
		strs_add(argv, "--private-network");
	if (c->private_users)
		strs_addf(argv, "--private-users=%s", c->private_users);
	/* What pick does by itself: else its root may write nothing of its tree. */
	if (c->private_users && c->private_users[0] >= '1' && c->private_users[0] <= '9')
		strs_add(argv, "--private-users-chown");
	if (container_has_address(c) || c->has_mac)
		strs_add(argv, "--network-veth");
	for (size_t i = 0; i < c->n_ports; i++) {
		char text[PORT_TEXT_SIZE];

		port_print(&c->ports[i], text);
		strs_addf(argv, "--port=%s", text);
	}
	if (c->host_bridge)
		strs_addf(argv, "--network-bridge=%s", c->host_bridge);
	if (c->netns_path)
		strs_addf(argv, "--network-namespace-path=%s", c->netns_path);
	for (size_t i = 0; i < c->n_veths; i++)
		strs_addf(argv, "--network-veth-extra=%s", c->veths[i].name);
	for (size_t i = 0; i < c->interfaces.n; i++)
		strs_addf(argv, "--network-interface=%s", c->interfaces.v[i]);
	argv_macvlans(d);
}

/* With ids of its own the container sees the store through mapped ids (B.1). */
static const char *idmap(const struct container *c)
{
	const char *users = c->private_users;

	return users && strcmp(users, "no") != 0 && strcmp(users, "identity") != 0 && strcmp(users, "0") != 0
	               ? ":idmap"
	               : "";
}

static void argv_nix(struct draft *d)
{
	static const char *const shared[] = { "/nix/store", "/nix/var/nix/db", "/nix/var/nix/daemon-socket" };
	struct strs *argv = &d->p->argv;
	const char *map = idmap(d->c);

	for (size_t i = 0; i < COUNT(shared); i++) {
		if (map[0])
			strs_addf(argv, "--bind-ro=%s:%s%s", shared[i], shared[i], map);
		else
			strs_addf(argv, "--bind-ro=%s", shared[i]);
	}
	strs_addf(argv, "--bind=" PROFILES "/%s:/nix/var/nix/profiles%s", d->c->name, map);
	strs_addf(argv, "--bind=" GCROOTS "/%s:/nix/var/nix/gcroots%s", d->c->name, map);
}

static void argv_environment(struct draft *d)
{
	const struct container *c = d->c;
	struct strs *argv = &d->p->argv;
	char addr[LINK_KEYS][ADDR_TEXT_SIZE];
	CLEANUP(buf_done) struct buf ports = { 0 };

	for (int k = 0; k < LINK_KEYS; k++)
		addr_print(&c->addr[k], true, addr[k]);
	for (size_t i = 0; i < c->n_ports; i++) {
		char text[PORT_TEXT_SIZE];

		port_print(&c->ports[i], text);
		buf_addf(&ports, "%s%s", i > 0 ? "," : "", text);
	}
	d->p->bad |= ports.bad;
	add_env(argv, "PRIVATE_NETWORK", c->private_network ? "1" : "");
	if (!d->rules->first_options)
		add_env(argv, "HOST_BRIDGE", c->host_bridge ? c->host_bridge : "");
	add_env(argv, "HOST_ADDRESS", addr[HOST4]);
	add_env(argv, "LOCAL_ADDRESS", addr[LOCAL4]);
	if (!d->rules->first_options) {
		add_env(argv, "HOST_ADDRESS6", addr[HOST6]);
		add_env(argv, "LOCAL_ADDRESS6", addr[LOCAL6]);
		add_env(argv, "HOST_PORT", buf_text(&ports));
	}
	add_env(argv, "PATH", d->f->path);
}

static void argv_capabilities(struct draft *d)
{
	CLEANUP(strs_done) struct strs all = { 0 };
	CLEANUP(free_p) char *joined = NULL;

	strs_add_all(&all, &d->c->capabilities);
	if (d->c->enable_tun)
		strs_add(&all, "CAP_NET_ADMIN");
	joined = strs_join(&all, ",");
	d->p->bad |= all.bad || !joined;
	if (joined && joined[0])
		strs_addf(&d->p->argv, "--capability=%s", joined);
}

static void argv_payload(struct draft *d)
{
	const struct container *c = d->c;
	struct strs *argv = &d->p->argv;

	strs_addf(argv, "--bind-ro=" PLAN_RUN_DIR "/%s/guest:" PLAN_GUEST_DIR, c->name);
	strs_add(argv, PLAN_GUEST_DIR "/init");
	if (d->p->kind == KIND_TREE)
		strs_add(argv, c->init ? c->init : "/sbin/init");
	else
		strs_addf(argv, "%s/init", c->system_path ? c->system_path : "/nix/var/nix/profiles/system");
}

static void plan_argv(struct draft *d)
{
	const struct container *c = d->c;
	struct strs *argv = &d->p->argv;

	strs_add(argv, "systemd-nspawn");
	strs_add(argv, "--keep-unit");
	strs_add(argv, "-M");
	strs_add(argv, c->name);
	strs_add(argv, "-D");
	strs_add(argv, d->p->root ? d->p->root : "");
	argv_network(d);
	if (d->p->kind == KIND_NIX && d->f->is_32_bit)
		strs_add(argv, "--personality=x86");
	strs_add_all(argv, &c->flags);
	if (d->rules->notify_ready)
		strs_add(argv, "--notify-ready=yes");
	if (d->rules->kill_signal_arg)
		strs_addf(argv, "--kill-signal=%s", d->rules->kill_signal_arg);
	if (d->p->kind == KIND_NIX)
		argv_nix(d);
	if (d->rules->link_journal && !c->ephemeral)
		strs_add(argv, "--link-journal=try-guest");
	argv_environment(d);
	/* --ephemeral copies the whole tree outside btrfs; an overlay costs nothing. The nix root is nearly
	 * empty. */
	if (c->ephemeral)
		strs_add(argv, d->p->kind == KIND_NIX ? "--ephemeral" : "--volatile=overlay");
	argv_capabilities(d);
	for (size_t i = 0; i < c->tmpfs.n; i++)
		strs_addf(argv, "--tmpfs=%s", c->tmpfs.v[i]);
	argv_payload(d);
}

/* --- the network (A.3, A.6, A.7) */

static bool is_six(int key)
{
	return key == HOST6 || key == LOCAL6;
}

static void add_addr_op(struct netops *ops, enum netop_kind kind, const char *dev, const struct addr *addr,
                        int key)
{
	struct netop *op;

	if (!addr_is_set(&addr[key]))
		return;
	op = netops_add(ops, kind, dev);
	if (!op)
		return;
	op->addr = addr[key];
	op->six = is_six(key) && addr[key].family == AF_INET6;
}

static void add_to(struct netops *ops, enum netop_kind kind, const char *dev, const char *to)
{
	struct netop *op = netops_add(ops, kind, dev);

	if (op)
		(void)snprintf(op->to, sizeof(op->to), "%s", to);
}

static void init_main_link(struct draft *d)
{
	const struct container *c = d->c;
	struct netops *ops = &d->p->init;

	add_to(ops, NETOP_RENAME, "host0", "eth0");
	if (c->has_mac) {
		struct netop *op = netops_add(ops, NETOP_MAC, "eth0");

		if (op)
			memcpy(op->mac, c->mac, sizeof(op->mac));
	}
	(void)netops_add(ops, NETOP_UP, "eth0");
	if (!d->rules->address_last) {
		add_addr_op(ops, NETOP_ADDRESS, "eth0", c->addr, LOCAL4);
		add_addr_op(ops, NETOP_ADDRESS, "eth0", c->addr, LOCAL6);
	}
	add_addr_op(ops, NETOP_ROUTE, "eth0", c->addr, HOST4);
	add_addr_op(ops, NETOP_DEFAULT, "eth0", c->addr, HOST4);
	add_addr_op(ops, NETOP_ROUTE, "eth0", c->addr, HOST6);
	add_addr_op(ops, NETOP_DEFAULT, "eth0", c->addr, HOST6);
	if (d->rules->address_last)
		add_addr_op(ops, NETOP_ADDRESS, "eth0", c->addr, LOCAL4);
}

static void host_main_link(struct draft *d, const char *ve)
{
	struct netops *ops = &d->p->poststart;

	(void)netops_add(ops, NETOP_UP, ve);
	add_addr_op(ops, NETOP_ADDRESS, ve, d->c->addr, HOST4);
	add_addr_op(ops, NETOP_ADDRESS, ve, d->c->addr, HOST6);
	add_addr_op(ops, NETOP_ROUTE, ve, d->c->addr, LOCAL4);
	add_addr_op(ops, NETOP_ROUTE, ve, d->c->addr, LOCAL6);
}

static void init_veth(struct netops *ops, const struct veth *v)
{
	(void)netops_add(ops, NETOP_UP, v->name);
	add_addr_op(ops, NETOP_ADDRESS, v->name, v->addr, LOCAL4);
	add_addr_op(ops, NETOP_ADDRESS, v->name, v->addr, LOCAL6);
	add_addr_op(ops, NETOP_ROUTE, v->name, v->addr, HOST4);
	add_addr_op(ops, NETOP_ROUTE, v->name, v->addr, HOST6);
}

static void host_veth(struct netops *ops, const struct veth *v)
{
	if (v->bridge) {
		add_to(ops, NETOP_MASTER, v->name, v->bridge);
		return;
	}
	(void)netops_add(ops, NETOP_UP, v->name);
	add_addr_op(ops, NETOP_ADDRESS, v->name, v->addr, HOST4);
	add_addr_op(ops, NETOP_ADDRESS, v->name, v->addr, HOST6);
	add_addr_op(ops, NETOP_ROUTE, v->name, v->addr, LOCAL4);
	add_addr_op(ops, NETOP_ROUTE, v->name, v->addr, LOCAL6);
}

static void add_delete(struct draft *d, const char *dev)
{
	struct netop *op = netops_add(&d->p->prestart, NETOP_DELETE, dev);

	if (op)
		op->may_be_absent = true;
}

static void plan_network(struct draft *d)
{
	const struct container *c = d->c;
	bool first = d->rules->private_net_is_veth;
	bool addressed = first ? c->private_network : container_has_address(c) || c->has_mac;
	bool linked = addressed || (!first && c->host_bridge);
	bool veths_skipped_inside = d->rules->veths_need_address && !linked;
	bool veths_skipped_outside = d->rules->veths_need_address && !addressed;
	char ve[NETOP_NAME_SIZE], vb[NETOP_NAME_SIZE];

	(void)snprintf(ve, sizeof(ve), "ve-%s", c->name);
	(void)snprintf(vb, sizeof(vb), "vb-%s", c->name);
	if (addressed)
		add_delete(d, ve);
	if (linked && !first)
		add_delete(d, vb); /* also for a bridge alone (BUG-2) */
	if (linked)
		init_main_link(d);
	if (addressed && (first || !c->host_bridge))
		host_main_link(d, ve);
	for (size_t i = 0; i < c->n_veths; i++) {
		add_delete(d, c->veths[i].name);
		if (!veths_skipped_inside)
			init_veth(&d->p->init, &c->veths[i]);
		if (!veths_skipped_outside)
			host_veth(&d->p->poststart, &c->veths[i]);
	}
}

/* --- the unit (A.8) */

static struct strs *add_directive(struct draft *d, const char *key, bool is_list, bool is_bool)
{
	static struct strs nowhere;
	struct plan *p = d->p;
	struct directive *grown = reallocarray(p->service, p->n_service + 1, sizeof(*grown));

	if (!grown) {
		p->bad = true;
		strs_done(&nowhere);
		return &nowhere;
	}
	p->service = grown;
	grown[p->n_service] = (struct directive){ .key = key, .is_list = is_list, .is_bool = is_bool };
	return &grown[p->n_service++].values;
}

static void set_directive(struct draft *d, const char *key, const char *value)
{
	strs_add(add_directive(d, key, false, false), value);
}

static void plan_devices(struct draft *d)
{
	struct strs *values = add_directive(d, "DeviceAllow", true, false);

	for (size_t i = 0; i < d->c->n_devices; i++)
		strs_addf(values, "%s %s", d->c->devices[i].node, d->c->devices[i].modifier);
	if (d->c->enable_tun)
		strs_add(values, "/dev/net/tun rw");
}

static void plan_unit(struct draft *d)
{
	const char *timeout = d->c->timeout_start ? d->c->timeout_start : d->rules->timeout_start;
	struct plan *p = d->p;

	set_directive(d, "Type", "notify");
	set_directive(d, "SyslogIdentifier", "container %i");
	set_directive(d, "Restart", "on-failure");
	set_directive(d, "KillMode", "mixed");
	set_directive(d, "KillSignal", d->rules->kill_signal);
	if (d->rules->new_unit) {
		set_directive(d, "RestartForceExitStatus", "133");
		set_directive(d, "SuccessExitStatus", "133");
		set_directive(d, "Slice", "machine.slice");
		strs_add(add_directive(d, "Delegate", false, true), "yes");
		set_directive(d, "DevicePolicy", "closed");
		plan_devices(d);
		if (has_ephemeral_root(d))
			strs_addf(add_directive(d, "RuntimeDirectory", true, false), "%s/%%i",
			          run_dir(d) + strlen("/run/"));
		else
			(void)add_directive(d, "RuntimeDirectory", true, false);
	}
	if (timeout)
		set_directive(d, "TimeoutStartSec", timeout);
	for (int i = 0; i < LIMITS; i++)
		if (d->c->limits[i])
			set_directive(d, limit_names[i].directive, d->c->limits[i]);
	if (!has_ephemeral_root(d))
		strs_addf(&p->requires_mounts, "%s/%%i", root_dir(d));
	if (d->c->auto_start) {
		strs_add(&p->wanted_by, "machines.target");
		strs_add(&p->wants, "network.target");
		strs_add(&p->after, "network.target");
	}
	p->stop_by_poweroff = d->rules->stop_by_poweroff;
}

const struct directive *plan_directive(const struct plan *p, const char *key)
{
	for (size_t i = 0; i < p->n_service; i++)
		if (strcmp(p->service[i].key, key) == 0)
			return &p->service[i];
	return NULL;
}

/* --- the rest */

static void plan_ready_fifo(struct draft *d)
{
	if (!d->rules->ready_fifo)
		return;
	strs_addf(add_fsop(d, &d->p->prestart_files, FSOP_MKDIR, 0755), "%s/var/lib", d->p->root);
	strs_addf(add_fsop(d, &d->p->prestart_files, FSOP_FIFO, 0600), "%s/var/lib/startup-done", d->p->root);
	d->p->wait_fifo = true;
}

static void plan_bind_sources(struct draft *d)
{
	const char *bind;

	for (size_t at = 0; (bind = value_next_bind(&d->c->flags, &at));) {
		CLEANUP(free_p) char *source = NULL, *target = NULL;
		struct why w;

		if (value_bind(bind, &source, &target, &w) == 0 && source[0] == '/')
			strs_add(&d->p->bind_sources, source);
	}
}

int plan_build(const struct container *c, const struct facts *f, struct plan *ret, struct err *e)
{
	CLEANUP(plan_done) struct plan p = { .release = c->release };
	struct draft d = { c, f, release_rules(c->release), &p };
	struct finding contradiction;

	for (size_t i = 0; lint_container(c, i, &contradiction); i++)
		if (contradiction.fatal)
			return err_set(e, STATUS_DATA, EINVAL, "%s: %s: %s", c->name, contradiction.key,
			               contradiction.text);
	p.kind = c->system_path || c->flake || f->has_profile ? KIND_NIX : KIND_TREE;
	p.name = strdup(c->name);
	if (p.kind == KIND_NIX && f->system)
		p.bad = !(p.system = strdup(f->system));
	plan_root(&d);
	if (!p.name || p.bad)
		return err_no_memory(e);
	plan_ready_fifo(&d);
	plan_prepare(&d);
	plan_argv(&d);
	plan_network(&d);
	gateway_addresses(c, &p.masquerade);
	plan_unit(&d);
	hosts_lines(c, &p.hosts);
	plan_bind_sources(&d);
	if (p.bad || p.argv.bad || p.init.bad || p.poststart.bad || p.prestart.bad || p.masquerade.bad ||
	    p.hosts.bad)
		return err_no_memory(e);
	*ret = p;
	p = (struct plan){ 0 };
	return 0;
}

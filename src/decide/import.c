#include "decide/import.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/lint.h"
#include "decide/releases.h"
#include "decide/values.h"
#include "words/name.h"

/* Where in the document a message is about: the file, and a JSON pointer that grows and shrinks. */
struct place {
	const char *file;
	char path[512];
	enum release release;
	struct err *e;
};

static size_t enter(struct place *at, const char *step)
{
	size_t len = strlen(at->path);

	(void)snprintf(at->path + len, sizeof(at->path) - len, "/%s", step);
	return len;
}

static size_t enter_index(struct place *at, size_t index)
{
	char step[24];

	(void)snprintf(step, sizeof(step), "%zu", index);
	return enter(at, step);
}

static void leave(struct place *at, size_t len)
{
	at->path[len] = '\0';
}

static int wrong(const struct place *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(const struct place *at, const char *format, ...)
{
	char why[VALUE_WHY_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	return err_set(at->e, STATUS_DATA, EINVAL, "%s: %s: %s", at->file, at->path, why);
}

/* What a value function said. */
static int judged(const struct place *at, int r, const struct why *w)
{
	if (r == -ENOMEM)
		return err_no_memory(at->e);
	return r < 0 ? wrong(at, "%s", w->text) : 0;
}

/* --- types
 * -------------------------------------------------------------------------------------------------- */

static const char *type_name(json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

/* A string without control characters: everything that a conf can hold. */
static int take_string(const struct place *at, json_t *v, const char **ret)
{
	if (!json_is_string(v))
		return wrong(at, "must be a string, but is %s", type_name(v));
	*ret = json_string_value(v);
	for (const char *p = *ret; *p; p++) {
		bool c1 = (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;

		if ((unsigned char)*p < ' ' || *p == 0x7f || c1)
			return wrong(at, "a control character (0x%02x) in the value",
			             (unsigned char)(c1 ? p[1] : *p));
	}
	return 0;
}

static int take_bool(const struct place *at, json_t *v, bool *ret)
{
	if (!json_is_boolean(v))
		return wrong(at, "must be true or false, but is %s", type_name(v));
	*ret = json_is_true(v);
	return 0;
}

/* Calls item for each string of a list. */
static int each_string(struct place *at, json_t *v, struct container *c,
                       int (*item)(struct container *, const char *, struct why *))
{
	json_t *element;
	size_t i;
	int r = 0;

	if (!json_is_array(v))
		return wrong(at, "must be a list of strings, but is %s", type_name(v));
	json_array_foreach(v, i, element)
	{
		size_t back = enter_index(at, i);
		const char *text;
		struct why w = { 0 };

		r = take_string(at, element, &text);
		if (r == 0)
			r = judged(at, item(c, text, &w), &w);
		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

/* --- options
 * ------------------------------------------------------------------------------------------------ */

struct option {
	const char *name;
	int (*set)(struct place *at, json_t *v, struct container *c);
	enum release since;
	bool or_null; /* null is the same as leaving it out */
};

static int set_addr(struct place *at, json_t *v, struct addr *ret)
{
	const char *text;
	struct why w = { 0 };
	int r = take_string(at, v, &text);

	return r < 0 ? r : judged(at, value_addr(text, ret, &w), &w);
}

static int set_text(struct place *at, json_t *v, char **ret,
                    int (*value)(const char *, char **, struct why *))
{
	const char *text;
	struct why w = { 0 };
	int r = take_string(at, v, &text);

	return r < 0 ? r : judged(at, value(text, ret, &w), &w);
}

static int opt_host4(struct place *at, json_t *v, struct container *c)
{
	return set_addr(at, v, &c->addr[HOST4]);
}

static int opt_host6(struct place *at, json_t *v, struct container *c)
{
	return set_addr(at, v, &c->addr[HOST6]);
}

static int opt_local4(struct place *at, json_t *v, struct container *c)
{
	return set_addr(at, v, &c->addr[LOCAL4]);
}

static int opt_local6(struct place *at, json_t *v, struct container *c)
{
	return set_addr(at, v, &c->addr[LOCAL6]);
}

static int opt_path(struct place *at, json_t *v, struct container *c)
{
	return set_text(at, v, &c->system_path, value_path);
}

static int opt_bridge(struct place *at, json_t *v, struct container *c)
{
	return set_text(at, v, &c->host_bridge, value_link);
}

static int opt_init(struct place *at, json_t *v, struct container *c)
{
	return set_text(at, v, &c->init, value_path);
}

static int opt_timeout(struct place *at, json_t *v, struct container *c)
{
	return set_text(at, v, &c->timeout_start, value_timespan);
}

static int opt_netns(struct place *at, json_t *v, struct container *c)
{
	return set_text(at, v, &c->netns_path, value_path);
}

static int opt_private_users(struct place *at, json_t *v, struct container *c)
{
	char number[24];
	struct why w = { 0 };

	if (!json_is_integer(v))
		return set_text(at, v, &c->private_users, value_private_users);
	(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
	return judged(at, value_private_users(number, &c->private_users, &w), &w);
}

static int opt_mac(struct place *at, json_t *v, struct container *c)
{
	const char *text;
	struct why w = { 0 };
	int r = take_string(at, v, &text);

	c->has_mac = true;
	return r < 0 ? r : judged(at, value_mac(text, c->mac, &w), &w);
}

static int opt_flake(struct place *at, json_t *v, struct container *c)
{
	const char *text;
	int r = take_string(at, v, &text);

	if (r < 0)
		return r;
	c->flake = strdup(text);
	return c->flake ? 0 : err_no_memory(at->e);
}

static int opt_private_network(struct place *at, json_t *v, struct container *c)
{
	return take_bool(at, v, &c->private_network);
}

static int opt_auto_start(struct place *at, json_t *v, struct container *c)
{
	return take_bool(at, v, &c->auto_start);
}

static int opt_ephemeral(struct place *at, json_t *v, struct container *c)
{
	return take_bool(at, v, &c->ephemeral);
}

static int opt_enable_tun(struct place *at, json_t *v, struct container *c)
{
	return take_bool(at, v, &c->enable_tun);
}

static int opt_copy_resolv_conf(struct place *at, json_t *v, struct container *c)
{
	bool copy = true;
	int r = take_bool(at, v, &copy);

	c->no_resolv_conf = !copy;
	return r;
}

static int opt_interfaces(struct place *at, json_t *v, struct container *c)
{
	return each_string(at, v, c, value_interface);
}

static int opt_macvlans(struct place *at, json_t *v, struct container *c)
{
	return each_string(at, v, c, value_macvlan);
}

static int opt_capabilities(struct place *at, json_t *v, struct container *c)
{
	return each_string(at, v, c, value_capability);
}

static int opt_tmpfs(struct place *at, json_t *v, struct container *c)
{
	return each_string(at, v, c, value_tmpfs);
}

static int opt_flags(struct place *at, json_t *v, struct container *c)
{
	return each_string(at, v, c, value_flag);
}

/* The system is evaluated by Nix; what it evaluated to is `path`. */
static int opt_config(struct place *at, json_t *v, struct container *c)
{
	(void)at;
	(void)v;
	(void)c;
	return 0;
}

static int opt_nixpkgs(struct place *at, json_t *v, struct container *c)
{
	const char *text;

	(void)c;
	return take_string(at, v, &text);
}

static int opt_pkgs(struct place *at, json_t *v, struct container *c)
{
	(void)v;
	(void)c;
	return wrong(at, "this option was removed: use nixpkgs, or config.nixpkgs.pkgs");
}

/* --- options that are objects or lists of them -------------------------------------------------------------
 */

/* Calls field for each member; a member that it does not take (-ENOENT) is an unknown option. */
static int each_field(struct place *at, json_t *v, void *arg,
                      int (*field)(struct place *at, const char *name, json_t *v, void *arg))
{
	json_t *value;
	const char *name;
	int r;

	if (!json_is_object(v))
		return wrong(at, "must be an object, but is %s", type_name(v));
	json_object_foreach(v, name, value)
	{
		size_t back = enter(at, name);

		r = field(at, name, value, arg);
		if (r == -ENOENT)
			return wrong(at, "there is no such option");
		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

struct port_draft {
	const char *protocol;
	json_int_t host, guest;
	bool has_host, has_guest;
};

static int take_port(const struct place *at, json_t *v, json_int_t *ret)
{
	if (!json_is_integer(v))
		return wrong(at, "must be an integer, but is %s", type_name(v));
	*ret = json_integer_value(v);
	if (*ret < 1 || *ret > UINT16_MAX)
		return wrong(at, "%lld is not a port (1 to 65535)", (long long)*ret);
	return 0;
}

static int port_field(struct place *at, const char *name, json_t *v, void *arg)
{
	struct port_draft *p = arg;

	if (strcmp(name, "protocol") == 0) {
		int r = take_string(at, v, &p->protocol);

		if (r == 0 && strcmp(p->protocol, "tcp") != 0 && strcmp(p->protocol, "udp") != 0)
			return wrong(at, "'%.40s' is neither tcp nor udp", p->protocol);
		return r;
	}
	if (strcmp(name, "hostPort") == 0) {
		p->has_host = true;
		return take_port(at, v, &p->host);
	}
	if (strcmp(name, "containerPort") == 0) {
		p->has_guest = !json_is_null(v);
		return p->has_guest ? take_port(at, v, &p->guest) : 0;
	}
	return -ENOENT;
}

static int opt_ports(struct place *at, json_t *v, struct container *c)
{
	json_t *element;
	size_t i;

	if (!json_is_array(v))
		return wrong(at, "must be a list, but is %s", type_name(v));
	json_array_foreach(v, i, element)
	{
		size_t back = enter_index(at, i);
		struct port_draft p = { .protocol = "tcp" };
		char text[64];
		struct why w = { 0 };
		int r = each_field(at, element, &p, port_field);

		if (r == 0 && !p.has_host)
			r = wrong(at, "hostPort is missing");
		(void)snprintf(text, sizeof(text), "%s:%lld:%lld", p.protocol, (long long)p.host,
		               (long long)(p.has_guest ? p.guest : p.host));
		if (r == 0)
			r = judged(at, value_port(c, text, &w), &w);
		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

struct device_draft {
	const char *node, *modifier;
};

static int device_field(struct place *at, const char *name, json_t *v, void *arg)
{
	struct device_draft *d = arg;

	if (strcmp(name, "node") == 0)
		return take_string(at, v, &d->node);
	if (strcmp(name, "modifier") == 0)
		return take_string(at, v, &d->modifier);
	return -ENOENT;
}

static int opt_devices(struct place *at, json_t *v, struct container *c)
{
	json_t *element;
	size_t i;

	if (!json_is_array(v))
		return wrong(at, "must be a list, but is %s", type_name(v));
	json_array_foreach(v, i, element)
	{
		size_t back = enter_index(at, i);
		struct device_draft d = { 0 };
		struct why w = { 0 };
		int r = each_field(at, element, &d, device_field);

		if (r == 0 && (!d.node || !d.modifier))
			r = wrong(at, "%s is missing", d.node ? "modifier" : "node");
		if (r == 0)
			r = judged(at, value_device(c, d.node, d.modifier, &w), &w);
		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

struct bind_draft {
	const char *mount_point, *host_path;
	bool read_only;
};

static int bind_field(struct place *at, const char *name, json_t *v, void *arg)
{
	struct bind_draft *b = arg;

	if (strcmp(name, "mountPoint") == 0)
		return take_string(at, v, &b->mount_point);
	if (strcmp(name, "hostPath") == 0)
		return json_is_null(v) ? 0 : take_string(at, v, &b->host_path);
	if (strcmp(name, "isReadOnly") == 0)
		return take_bool(at, v, &b->read_only);
	return -ENOENT;
}

/* A path as systemd-nspawn's bind options take it: ':' and '\' behind a backslash. */
static void put_path(struct buf *b, const char *path)
{
	for (; *path; path++) {
		if (*path == ':' || *path == '\\')
			buf_puts(b, "\\");
		buf_add(b, path, 1);
	}
}

static int add_bind(struct place *at, const char *name, json_t *v, struct container *c)
{
	struct bind_draft bind = { .mount_point = name, .read_only = true };
	CLEANUP(buf_done) struct buf word = { 0 };
	CLEANUP(free_p) char *checked = NULL;
	struct why w = { 0 };
	int r = each_field(at, v, &bind, bind_field);

	if (r == 0)
		r = judged(at, value_path(bind.mount_point, &checked, &w), &w);
	if (r == 0 && bind.host_path)
		r = judged(at, value_path(bind.host_path, &checked, &w), &w);
	if (r < 0)
		return r;
	buf_puts(&word, bind.read_only ? "--bind-ro=" : "--bind=");
	if (bind.host_path) {
		put_path(&word, bind.host_path);
		buf_puts(&word, ":");
	}
	put_path(&word, bind.mount_point);
	if (word.bad)
		return err_no_memory(at->e);
	return judged(at, value_flag(c, buf_text(&word), &w), &w);
}

/* EP-3: in the order of the attributes' names. */
static int opt_binds(struct place *at, json_t *v, struct container *c)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	json_t *value;
	const char *name;

	if (!json_is_object(v))
		return wrong(at, "must be an object, but is %s", type_name(v));
	json_object_foreach(v, name, value) strs_add(&names, name);
	if (names.bad)
		return err_no_memory(at->e);
	strs_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		size_t back = enter(at, names.v[i]);
		int r = add_bind(at, names.v[i], json_object_get(v, names.v[i]), c);

		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

static int veth_field(struct place *at, const char *name, json_t *v, void *arg)
{
	static const struct {
		const char *name;
		enum link_key key;
	} addresses[] = {
		{ "hostAddress", HOST4 },
		{ "hostAddress6", HOST6 },
		{ "localAddress", LOCAL4 },
		{ "localAddress6", LOCAL6 },
	};
	struct veth *veth = arg;

	for (size_t i = 0; i < COUNT(addresses); i++)
		if (strcmp(name, addresses[i].name) == 0)
			return json_is_null(v) ? 0 : set_addr(at, v, &veth->addr[addresses[i].key]);
	if (strcmp(name, "hostBridge") == 0)
		return json_is_null(v) ? 0 : set_text(at, v, &veth->bridge, value_link);
	if (strcmp(name, "forwardPorts") == 0 && json_is_array(v) && json_array_size(v) == 0)
		return 0;
	if (strcmp(name, "forwardPorts") == 0)
		return wrong(
			at,
			"ports can not be forwarded over an extra veth: put them into the container's own "
			"forwardPorts");
	return -ENOENT;
}

static int opt_veths(struct place *at, json_t *v, struct container *c)
{
	json_t *value;
	const char *name;

	if (!json_is_object(v))
		return wrong(at, "must be an object, but is %s", type_name(v));
	json_object_foreach(v, name, value)
	{
		size_t back = enter(at, name);
		struct veth *veth = NULL;
		struct why w = { 0 };
		int r = judged(at, value_veth(c, name, &veth, &w), &w);

		if (r == 0)
			r = each_field(at, value, veth, veth_field);
		if (r < 0)
			return r;
		leave(at, back);
	}
	value_veths_end(c);
	return 0;
}

/* In the order in which they are taken, so that bind mounts come before the other flags (CF-8). */
static const struct option options[] = {
	{ "config", opt_config, RELEASE_2014, false },
	{ "path", opt_path, RELEASE_2014, false },
	{ "flake", opt_flake, RELEASE_2021_11, true },
	{ "nixpkgs", opt_nixpkgs, RELEASE_2021_04, false },
	{ "pkgs", opt_pkgs, RELEASE_2021_04, false },
	{ "privateNetwork", opt_private_network, RELEASE_2014, false },
	{ "hostBridge", opt_bridge, RELEASE_2020, true },
	{ "forwardPorts", opt_ports, RELEASE_2020, false },
	{ "hostAddress", opt_host4, RELEASE_2014, true },
	{ "hostAddress6", opt_host6, RELEASE_2020, true },
	{ "localAddress", opt_local4, RELEASE_2014, true },
	{ "localAddress6", opt_local6, RELEASE_2020, true },
	{ "localMacAddress", opt_mac, RELEASE_2021_11, true },
	{ "networkNamespace", opt_netns, RELEASE_2021_11, true },
	{ "interfaces", opt_interfaces, RELEASE_2020, false },
	{ "macvlans", opt_macvlans, RELEASE_2020, false },
	{ "extraVeths", opt_veths, RELEASE_2020, false },
	{ "autoStart", opt_auto_start, RELEASE_2014, false },
	{ "ephemeral", opt_ephemeral, RELEASE_2020, false },
	{ "enableTun", opt_enable_tun, RELEASE_2020, false },
	{ "timeoutStartSec", opt_timeout, RELEASE_2020, false },
	{ "bindMounts", opt_binds, RELEASE_2020, false },
	{ "extraFlags", opt_flags, RELEASE_2020, false },
	{ "allowedDevices", opt_devices, RELEASE_2020, false },
	{ "additionalCapabilities", opt_capabilities, RELEASE_2020, false },
	{ "tmpfs", opt_tmpfs, RELEASE_2020, false },
	{ "copyResolvConf", opt_copy_resolv_conf, RELEASE_2021_11, false },
	{ "privateUsers", opt_private_users, RELEASE_2021_11, false },
	{ "init", opt_init, RELEASE_2014, true },
};

/* --- containers
 * --------------------------------------------------------------------------------------------- */

static int look_for_unknown(struct place *at, json_t *v)
{
	json_t *value;
	const char *name;

	json_object_foreach(v, name, value)
	{
		bool known = false;

		for (size_t i = 0; i < COUNT(options); i++)
			known |= strcmp(options[i].name, name) == 0 && options[i].since <= at->release;
		if (known)
			continue;
		(void)enter(at, name);
		return wrong(at, "the module of %s has no such option", release_name(at->release));
	}
	return 0;
}

static int take_options(struct place *at, json_t *v, struct container *c)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		json_t *value = json_object_get(v, options[i].name);
		size_t back;
		int r;

		if (!value || (options[i].or_null && json_is_null(value)))
			continue;
		back = enter(at, options[i].name);
		r = options[i].set(at, value, c);
		if (r < 0)
			return r;
		leave(at, back);
	}
	return 0;
}

static int found(struct place *at, const struct finding *f)
{
	if (f->veth) {
		(void)enter(at, "extraVeths");
		(void)enter(at, f->veth);
	}
	if (strcmp(f->option, "extraVeths") != 0)
		(void)enter(at, f->option);
	return wrong(at, "%s", f->text);
}

static int look_at_container(struct place *at, json_t *v, const struct container *c)
{
	struct finding f;
	struct why w = { 0 };
	size_t back;
	int r;

	back = enter(at, "extraFlags");
	r = judged(at, value_flags_end(c, &w), &w);
	if (r < 0)
		return r;
	leave(at, back);
	if (json_object_get(v, "config") && !c->system_path && !c->flake) {
		(void)enter(at, "config");
		return wrong(at, "it is evaluated by Nix: give the system it evaluates to as path");
	}
	return lint_container(c, 0, &f) ? found(at, &f) : 0;
}

static int take_container(struct place *at, const char *name, json_t *v, struct container *c)
{
	int r;

	if (!name_is_machine(name))
		return wrong(at,
		             "can not be a machine's name (letters, digits, inner '-' and '.', at most %d)",
		             NAME_MACHINE_MAX);
	if (name_is_foreign_conf(name))
		return wrong(at, "the file %s.conf belongs to podman", name);
	if (!json_is_object(v))
		return wrong(at, "must be an object, but is %s", type_name(v));
	*c = (struct container){ .name = strdup(name), .release = at->release };
	if (!c->name)
		return err_no_memory(at->e);
	r = look_for_unknown(at, v);
	if (r == 0)
		r = take_options(at, v, c);
	return r < 0 ? r : look_at_container(at, v, c);
}

void imported_done(struct imported *i)
{
	for (size_t k = 0; k < i->n; k++)
		container_done(&i->v[k]);
	free(i->v);
	*i = (struct imported){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct container *)a)->name, ((const struct container *)b)->name);
}

static int look_for_conflicts(struct place *at, const struct imported *all)
{
	struct finding f;

	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < i; j++) {
			if (!lint_pair(&all->v[i], &all->v[j], 0, &f))
				continue;
			(void)enter(at, all->v[i].name);
			return found(at, &f);
		}
	return 0;
}

static int take_all(struct place *at, json_t *root, struct imported *all)
{
	json_t *containers = json_object_get(root, "containers"), *value;
	const char *name;
	int r;

	json_object_foreach(root, name, value) if (strcmp(name, "containers") != 0)
	{
		(void)enter(at, name);
		return wrong(at, "only \"containers\" is expected here");
	}
	(void)enter(at, "containers");
	if (!json_is_object(containers))
		return wrong(at, "must be an object with a member for each container");
	all->v = calloc(json_object_size(containers) + 1, sizeof(*all->v));
	if (!all->v)
		return err_no_memory(at->e);
	json_object_foreach(containers, name, value)
	{
		size_t back = enter(at, name);

		r = take_container(at, name, value, &all->v[all->n++]);
		if (r < 0)
			return r;
		leave(at, back);
	}
	qsort(all->v, all->n, sizeof(*all->v), compare_names);
	return look_for_conflicts(at, all);
}

/* jansson recurses; how deep a text goes can be told before. */
static bool is_too_deep(const char *text, size_t len)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
		if (depth > IMPORT_DEPTH_MAX)
			return true;
	}
	return false;
}

int import_json(const char *file, const char *text, size_t len, enum release r, struct imported *ret,
                struct err *e)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	struct place at = { .file = file, .release = r, .e = e };
	json_error_t why;
	json_t *root;
	int result;

	if (len > IMPORT_SIZE_MAX)
		return err_set(e, STATUS_DATA, EINVAL, "%s: larger than 1 MiB", file);
	if (is_too_deep(text, len))
		return err_set(e, STATUS_DATA, EINVAL, "%s: nested deeper than %d levels", file,
		               IMPORT_DEPTH_MAX);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return err_set(e, STATUS_DATA, EINVAL, "%s:%d:%d: not JSON: %s", file, why.line, why.column,
		               why.text);
	result = take_all(&at, root, &all);
	json_decref(root);
	if (result < 0)
		return result;
	*ret = all;
	all = (struct imported){ 0 };
	return 0;
}

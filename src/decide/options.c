/* The options whose JSON is more than a text: what options.h takes besides fields.h. */
#include "decide/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "decide/fields.h"

static int set_addr(struct jsonplace *at, json_t *v, struct addr *ret)
{
	const char *text;
	struct why w = { 0 };
	int r = place_string(at, v, &text);

	return r < 0 ? r : place_judge(at, value_addr(text, ret, &w), &w);
}

static int set_bridge(struct jsonplace *at, json_t *v, char **ret)
{
	const char *text;
	struct why w = { 0 };
	int r = place_string(at, v, &text);

	return r < 0 ? r : place_judge(at, value_veth_bridge(text, ret, &w), &w);
}

static int opt_private_users(struct jsonplace *at, json_t *v, struct container *c)
{
	char number[24];
	const char *text = number;
	struct why w = { 0 };
	int r = 0;

	if (json_is_integer(v))
		(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
	else
		r = place_string(at, v, &text);
	return r < 0 ? r : place_judge(at, value_private_users(text, &c->private_users, &w), &w);
}

static int opt_copy_resolv_conf(struct jsonplace *at, json_t *v, struct container *c)
{
	bool copy = true;
	int r = place_bool(at, v, &copy);

	c->no_resolv_conf = !copy;
	return r;
}

/* The system is evaluated by Nix; what it evaluated to is `path`. */
static int opt_config(struct jsonplace *at, json_t *v, struct container *c)
{
	(void)at;
	(void)v;
	(void)c;
	return 0;
}

static int opt_nixpkgs(struct jsonplace *at, json_t *v, struct container *c)
{
	const char *text;

	(void)c;
	return place_string(at, v, &text);
}

static int opt_pkgs(struct jsonplace *at, json_t *v, struct container *c)
{
	(void)v;
	(void)c;
	return place_refuse(at, "this option was removed: use nixpkgs, or config.nixpkgs.pkgs");
}

struct port_draft {
	const char *protocol;
	json_int_t host, guest;
	bool has_host, has_guest;
};

static int port_field(struct jsonplace *at, const char *name, json_t *v, void *arg)
{
	struct port_draft *p = arg;

	if (strcmp(name, "protocol") == 0) {
		int r = place_string(at, v, &p->protocol);

		if (r == 0 && strcmp(p->protocol, "tcp") != 0 && strcmp(p->protocol, "udp") != 0)
			return place_refuse(at, "'%.40s' is neither tcp nor udp", p->protocol);
		return r;
	}
	if (strcmp(name, "hostPort") == 0) {
		p->has_host = true;
		return place_port(at, v, &p->host);
	}
	if (strcmp(name, "containerPort") == 0) {
		p->has_guest = !json_is_null(v);
		return p->has_guest ? place_port(at, v, &p->guest) : 0;
	}
	return -ENOENT;
}

static int add_port(struct jsonplace *at, json_t *v, void *c)
{
	struct port_draft p = { .protocol = "tcp" };
	char text[64];
	struct why w = { 0 };
	int r = place_each_field(at, v, &p, port_field);

	if (r == 0 && !p.has_host)
		r = place_refuse(at, "hostPort is missing");
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%s:%lld:%lld", p.protocol, (long long)p.host,
	               (long long)(p.has_guest ? p.guest : p.host));
	return place_judge(at, value_port(c, text, &w), &w);
}

static int opt_ports(struct jsonplace *at, json_t *v, struct container *c)
{
	return place_each_item(at, v, c, add_port);
}

struct device_draft {
	const char *node, *modifier;
};

static int device_field(struct jsonplace *at, const char *name, json_t *v, void *arg)
{
	struct device_draft *d = arg;

	if (strcmp(name, "node") == 0)
		return place_string(at, v, &d->node);
	if (strcmp(name, "modifier") == 0)
		return place_string(at, v, &d->modifier);
	return -ENOENT;
}

static int add_device(struct jsonplace *at, json_t *v, void *c)
{
	struct device_draft d = { 0 };
	struct why w = { 0 };
	int r = place_each_field(at, v, &d, device_field);

	if (r == 0 && (!d.node || !d.modifier))
		r = place_refuse(at, "%s is missing", d.node ? "modifier" : "node");
	return r < 0 ? r : place_judge(at, value_device(c, d.node, d.modifier, &w), &w);
}

static int opt_devices(struct jsonplace *at, json_t *v, struct container *c)
{
	return place_each_item(at, v, c, add_device);
}

struct bind_draft {
	const char *mount_point, *host_path;
	bool read_only;
};

static int bind_field(struct jsonplace *at, const char *name, json_t *v, void *arg)
{
	struct bind_draft *b = arg;

	if (strcmp(name, "mountPoint") == 0)
		return place_string(at, v, &b->mount_point);
	if (strcmp(name, "hostPath") == 0)
		return json_is_null(v) ? 0 : place_string(at, v, &b->host_path);
	if (strcmp(name, "isReadOnly") == 0)
		return place_bool(at, v, &b->read_only);
	return -ENOENT;
}

static int add_bind(struct jsonplace *at, const char *name, json_t *v, struct container *c)
{
	struct bind_draft bind = { .mount_point = name, .read_only = true };
	CLEANUP(buf_done) struct buf word = { 0 };
	CLEANUP(free_p) char *checked = NULL;
	struct why w = { 0 };
	int r = place_each_field(at, v, &bind, bind_field);

	if (r == 0)
		r = place_judge(at, value_path(bind.mount_point, &checked, &w), &w);
	if (r == 0 && bind.host_path)
		r = place_judge(at, value_path(bind.host_path, &checked, &w), &w);
	if (r < 0)
		return r;
	value_bind_word(bind.mount_point, bind.host_path, bind.read_only, &word);
	if (word.bad)
		return err_no_memory(at->e);
	return place_judge(at, value_flag(c, buf_text(&word), &w), &w);
}

static int add_unnamed_bind(struct jsonplace *at, json_t *v, void *c)
{
	return add_bind(at, "", v, c);
}

/* EP-3: in the order of the attributes' names. The module of 2020 takes a list, too (A.13). */
static int opt_binds(struct jsonplace *at, json_t *v, struct container *c)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	json_t *value;
	const char *name;

	if (json_is_array(v) && c->release == RELEASE_2020)
		return place_each_item(at, v, c, add_unnamed_bind);
	if (!json_is_object(v))
		return place_refuse(at, "must be an object, but is %s", place_type(v));
	json_object_foreach(v, name, value) {
		strs_add(&names, name);
	}
	if (names.bad)
		return err_no_memory(at->e);
	strs_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		size_t back = place_enter(at, names.v[i]);
		int r = add_bind(at, names.v[i], json_object_get(v, names.v[i]), c);

		if (r < 0)
			return r;
		place_leave(at, back);
	}
	return 0;
}

static int veth_field(struct jsonplace *at, const char *name, json_t *v, void *arg)
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
		return json_is_null(v) ? 0 : set_bridge(at, v, &veth->bridge);
	if (strcmp(name, "forwardPorts") == 0 && json_is_array(v) && json_array_size(v) == 0)
		return 0;
	if (strcmp(name, "forwardPorts") == 0)
		return place_refuse(
			at,
			"ports can not be forwarded over an extra veth: put them into the container's own "
			"forwardPorts");
	return -ENOENT;
}

static int opt_veths(struct jsonplace *at, json_t *v, struct container *c)
{
	json_t *value;
	const char *name;

	if (!json_is_object(v))
		return place_refuse(at, "must be an object, but is %s", place_type(v));
	json_object_foreach(v, name, value) {
		size_t back = place_enter(at, name);
		struct veth *veth = NULL;
		struct why w = { 0 };
		int r = place_judge(at, value_veth(c, name, &veth, &w), &w);

		if (r == 0)
			r = place_each_field(at, value, veth, veth_field);
		if (r < 0)
			return r;
		place_leave(at, back);
	}
	value_veths_end(c);
	return 0;
}

struct word_draft {
	struct container *c;
	int (*item)(struct container *c, const char *text, struct why *w);
};

static int add_word(struct jsonplace *at, json_t *v, void *arg)
{
	const struct word_draft *d = arg;
	const char *text;
	struct why w = { 0 };
	int r = place_string(at, v, &text);

	return r < 0 ? r : place_judge(at, d->item(d->c, text, &w), &w);
}

static int opt_flags(struct jsonplace *at, json_t *v, struct container *c)
{
	struct word_draft d = { c, value_flag };

	return place_each_item(at, v, &d, add_word);
}

static const struct own_option {
	const char *name;
	int (*set)(struct jsonplace *at, json_t *v, struct container *c);
} own_options[] = {
	{ "config", opt_config },
	{ "nixpkgs", opt_nixpkgs },
	{ "pkgs", opt_pkgs },
	{ "copyResolvConf", opt_copy_resolv_conf },
	{ "forwardPorts", opt_ports },
	{ "privateUsers", opt_private_users },
	{ "bindMounts", opt_binds },
	{ "extraFlags", opt_flags },
	{ "allowedDevices", opt_devices },
	{ "extraVeths", opt_veths },
};

static int set_own(struct jsonplace *at, const char *name, json_t *v, struct container *c)
{
	for (size_t i = 0; i < COUNT(own_options); i++)
		if (strcmp(own_options[i].name, name) == 0)
			return own_options[i].set(at, v, c);
	return place_refuse(at, "there is no such option");
}

static int set_option(struct jsonplace *at, const struct field *f, json_t *v, struct container *c)
{
	struct word_draft d = { c, f->item };
	const char *text;
	struct why w = { 0 };
	int r;

	switch (f->type) {
	case FIELD_OWN:
		return set_own(at, f->option, v, c);
	case FIELD_WORDS:
		return place_each_item(at, v, &d, add_word);
	case FIELD_BOOL:
		return place_bool(at, v, field_bool(f, c));
	case FIELD_ADDR:
	case FIELD_TEXT:
	case FIELD_WHOLE:
		break;
	}
	r = place_string(at, v, &text);
	return r < 0 ? r : place_judge(at, field_set(f, c, text, &w), &w);
}

static int look_for_unknown(struct jsonplace *at, json_t *v, const struct container *c)
{
	json_t *value;
	const char *name;

	json_object_foreach(v, name, value) {
		const struct field *f = field_of_option(name);

		if (f && f->since <= c->release)
			continue;
		(void)place_enter(at, name);
		return place_refuse(at, "the module of %s has no such option", release_name(c->release));
	}
	return 0;
}

int options_take(struct jsonplace *at, json_t *v, struct container *c)
{
	int r = look_for_unknown(at, v, c);

	for (size_t i = 0; r == 0 && i < FIELDS; i++) {
		const struct field *f = &fields[i];
		json_t *value = f->option ? json_object_get(v, f->option) : NULL;
		size_t back;

		if (!value || (f->or_null && json_is_null(value)))
			continue;
		back = place_enter(at, f->option);
		r = set_option(at, f, value, c);
		if (r == 0)
			place_leave(at, back);
	}
	return r;
}

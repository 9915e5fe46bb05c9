#include "decide/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/envfile.h"
#include "decide/fields.h"
#include "decide/lint.h"
#include "decide/releases.h"
#include "decide/shellwords.h"
#include "decide/values.h"

static const char blanks[] = " \t\n\r";

static int each_word(struct container *c, const char *text, struct why *w,
                     int (*add)(struct container *, const char *, struct why *))
{
	CLEANUP(strs_done) struct strs words = { 0 };
	int r = 0;

	strs_split(&words, text, blanks);
	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = add(c, words.v[i], w);
	return words.bad ? -ENOMEM : r;
}

/* --- keys; an empty value is an unset one, as the modules write it */

static int set_host_port(struct container *c, const char *text, struct why *w)
{
	size_t field = 1;
	int r = 0;

	for (const char *p = text; r == 0; p++, field++) {
		size_t len = strcspn(p, ",");
		CLEANUP(free_p) char *item = strndup(p, len);
		struct why inner;

		if (!item)
			return -ENOMEM;
		r = value_port(c, item, &inner);
		if (r == -EINVAL)
			(void)snprintf(w->text, sizeof(w->text), "field %zu: %.200s", field, inner.text);
		p += len;
		if (!*p)
			break;
	}
	return r;
}

static int set_flags(struct container *c, const char *text, struct why *w)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	int r = 0;

	if (shellwords_split(text, &words) < 0)
		return value_refuse(w, "a quote among its words is not closed");
	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = value_flag(c, words.v[i], w);
	return words.bad ? -ENOMEM : r < 0 ? r : value_flags_end(c, w);
}

static int set_copy_resolv_conf(struct container *c, const char *text, struct why *w)
{
	bool copy = false;
	int r = value_bool(text, &copy, w);

	c->no_resolv_conf = r == 0 && !copy;
	return r;
}

static int set_private_users(struct container *c, const char *text, struct why *w)
{
	return value_private_users(text, &c->private_users, w);
}

static int add_device(struct container *c, const char *text, struct why *w)
{
	const char *colon = strrchr(text, ':');
	CLEANUP(free_p) char *node = strndup(text, colon ? (size_t)(colon - text) : strlen(text));

	if (!node)
		return -ENOMEM;
	if (!colon)
		return value_refuse(w, "'%.60s' lacks what is allowed, as in /dev/fuse:rw", text);
	return value_device(c, node, colon + 1, w);
}

static int set_devices(struct container *c, const char *text, struct why *w)
{
	return each_word(c, text, w, add_device);
}

static const char *const veth_options[LINK_KEYS] = {
	[HOST4] = "hostAddress",
	[HOST6] = "hostAddress6",
	[LOCAL4] = "localAddress",
	[LOCAL6] = "localAddress6",
};

static int set_veth_option(struct veth *v, const char *text, struct why *w)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;

	if (len == strlen("hostBridge") && strncmp(text, "hostBridge", len) == 0)
		return value_veth_bridge(equals + 1, &v->bridge, w);
	for (int k = 0; k < LINK_KEYS; k++)
		if (len == strlen(veth_options[k]) && strncmp(text, veth_options[k], len) == 0)
			return value_addr(equals + 1, &v->addr[k], w);
	return value_refuse(
		w, "'%.60s' is not hostBridge=, hostAddress=, hostAddress6=, localAddress= or localAddress6=",
		text);
}

static int add_veth(struct container *c, const char *text, struct why *w)
{
	CLEANUP(strs_done) struct strs parts = { 0 };
	struct veth *v = NULL;
	int r;

	strs_split(&parts, text, ",");
	if (parts.bad)
		return -ENOMEM;
	r = value_veth(c, parts.n > 0 ? parts.v[0] : "", &v, w);
	for (size_t i = 1; r == 0 && i < parts.n; i++)
		r = set_veth_option(v, parts.v[i], w);
	return r;
}

static int set_veths(struct container *c, const char *text, struct why *w)
{
	int r = each_word(c, text, w, add_veth);

	value_veths_end(c);
	return r;
}

/* Keys whose values are written in a way of their own. */
static const struct own_key {
	const char *key;
	int (*set)(struct container *c, const char *text, struct why *w);
} own_keys[] = {
	{ "COPY_RESOLV_CONF", set_copy_resolv_conf }, { "HOST_PORT", set_host_port },
	{ "PRIVATE_USERS", set_private_users },       { "EXTRA_NSPAWN_FLAGS", set_flags },
	{ "ALLOWED_DEVICES", set_devices },           { "EXTRA_VETHS", set_veths },
};

static int set_field(const struct field *f, struct container *c, const char *text, struct why *w)
{
	if (f->type == FIELD_WORDS)
		return each_word(c, text, w, f->item);
	for (size_t i = 0; i < COUNT(own_keys); i++)
		if (strcmp(own_keys[i].key, f->key) == 0)
			return own_keys[i].set(c, text, w);
	return field_set(f, c, text, w);
}

bool conf_knows_key(const char *name)
{
	return field_of_key(name) != NULL;
}

/* --- reading */

struct reading {
	const char *file, *bytes;
	const struct envfile *env;
	struct strs *warnings;
};

static void place(const struct reading *r, size_t at, char *ret, size_t size)
{
	size_t line, column;

	envfile_place(r->bytes, at, &line, &column);
	(void)snprintf(ret, size, "%s:%zu:%zu", r->file, line, column);
}

static void warn(const struct reading *r, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(const struct reading *r, size_t at, const char *format, ...)
{
	char where[ERR_TEXT_MAX], text[ERR_TEXT_MAX];
	va_list ap;

	if (!r->warnings)
		return;
	place(r, at, where, sizeof(where));
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	strs_addf(r->warnings, "%s: %s", where, text);
}

static int set_entry(const struct reading *r, const struct env_entry *entry, struct container *c,
                     struct err *e)
{
	const struct field *field = entry->ignored ? NULL : field_of_key(entry->key);
	struct why w = { 0 };
	char where[ERR_TEXT_MAX];
	int result;

	if (entry->value_at == entry->key_at) {
		place(r, entry->key_at, where, sizeof(where));
		return err_set(e, STATUS_DATA, EINVAL, "%s: there is no \"=\" in this line", where);
	}
	if (entry->ignored)
		warn(r, entry->key_at, "'%.60s': systemd ignores such a line", entry->key);
	else if (!field)
		warn(r, entry->key_at, "%.60s: not a key we know, so it does nothing", entry->key);
	else if (envfile_find(r->env, entry->key) != entry)
		warn(r, entry->key_at, "%.60s is set again below; that one counts", entry->key);
	else if (entry->value[0]) {
		result = set_field(field, c, entry->value, &w);
		if (result == -ENOMEM)
			return err_no_memory(e);
		if (result < 0) {
			place(r, entry->value_at, where, sizeof(where));
			return err_set(e, STATUS_DATA, -result, "%s: %s: %s", where, entry->key, w.text);
		}
	}
	return 0;
}

/* The first module's plan has no place for the newer settings; it must not drop them silently. Its start reads
 * MACVLANS, which none of its options makes (BUG-7). */
static int look_for_newer(const struct reading *r, const struct container *c, struct err *e)
{
	for (size_t i = 0; release_rules(c->release)->first_options && i < r->env->n; i++) {
		const struct env_entry *entry = &r->env->v[i];
		const struct field *field = field_of_key(entry->key);
		char where[ERR_TEXT_MAX];

		if (!field || field->since == RELEASE_2014 || strcmp(entry->key, "MACVLANS") == 0 ||
		    !entry->value[0] || envfile_find(r->env, entry->key) != entry)
			continue;
		place(r, entry->value_at, where, sizeof(where));
		return err_set(e, STATUS_DATA, EINVAL,
		               "%s: %s: the module of %s has no such setting (see RELEASE)", where,
		               entry->key, release_name(c->release));
	}
	return 0;
}

/* all: takes a sentence for each; NULL: the first one is a failure. */
static int look_for_contradictions(const struct reading *r, const struct container *c, struct strs *all,
                                   struct err *e)
{
	struct finding f;

	for (size_t i = 0; lint_container(c, i, &f); i++) {
		const struct env_entry *entry = envfile_find(r->env, f.key);
		size_t at = entry ? entry->value_at : 0;
		char where[ERR_TEXT_MAX], what[256];

		(void)snprintf(what, sizeof(what), "%s%s%s", f.key, f.veth ? " " : "", f.veth ? f.veth : "");
		if (!f.fatal) {
			warn(r, at, "%s: %s", what, f.text);
			continue;
		}
		place(r, at, where, sizeof(where));
		if (!all)
			return err_set(e, STATUS_DATA, EINVAL, "%s: %s: %s", where, what, f.text);
		strs_addf(all, "%s: %s: %s", where, what, f.text);
	}
	return 0;
}

/* What each line says, and not whether they go together. */
static int read_lines(const struct reading *r, const char *name, struct container *c, struct err *e)
{
	int result = 0;

	*c = (struct container){ .name = strdup(name), .release = RELEASE_DEFAULT };
	if (!c->name)
		return err_no_memory(e);
	for (size_t i = 0; result == 0 && i < r->env->n; i++)
		result = set_entry(r, &r->env->v[i], c, e);
	return result == 0 ? look_for_newer(r, c, e) : result;
}

int conf_read(const char *file, const char *name, const char *bytes, size_t len, struct container *ret,
              struct strs *warnings, struct err *e)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(envfile_done) struct envfile env = { 0 };
	struct reading reading = { file, bytes, &env, warnings };
	int r = envfile_parse(file, bytes, len, &env, e);

	if (r == 0)
		r = read_lines(&reading, name, &c, e);
	if (r == 0)
		r = look_for_contradictions(&reading, &c, NULL, e);
	if (r == 0 && warnings && !container_has_private_net(&c))
		strs_addf(warnings, "%s: %s shares the host's network", file, name);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct container){ 0 };
	return 0;
}

int conf_rewrite(const char *file, const char *bytes, size_t len, struct buf *ret, struct err *e)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(envfile_done) struct envfile env = { 0 };
	int r = envfile_parse(file, bytes, len, &env, e);

	if (r == 0)
		r = read_lines(&(struct reading){ file, bytes, &env, NULL }, "x", &c, e);
	return r < 0 ? r : conf_write(&c, ret, e);
}

void conf_mistakes(const char *file, const char *name, const char *bytes, size_t len, struct strs *ret)
{
	CLEANUP(container_done) struct container c = { .release = RELEASE_DEFAULT, .name = strdup(name) };
	CLEANUP(envfile_done) struct envfile env = { 0 };
	struct reading reading = { file, bytes, &env, NULL };
	struct err e;
	size_t before = ret->n;

	ret->bad |= !c.name;
	if (envfile_parse(file, bytes, len, &env, &e) < 0)
		strs_add(ret, e.text);
	for (size_t i = 0; i < env.n; i++)
		if (set_entry(&reading, &env.v[i], &c, &e) < 0)
			strs_add(ret, e.text);
	if (ret->n > before || ret->bad)
		return;
	if (look_for_newer(&reading, &c, &e) < 0)
		strs_add(ret, e.text);
	(void)look_for_contradictions(&reading, &c, ret, &e);
}

/* --- writing */

static void put_quoted(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_puts(b, "\\");
		buf_add(b, value, 1);
	}
	buf_puts(b, "\"\n");
}

void conf_put(struct buf *b, const char *key, const char *value)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";

	if (value[strspn(value, plain)] == '\0')
		buf_addf(b, "%s=%s\n", key, value);
	else
		put_quoted(b, key, value);
}

static void put_if(struct buf *b, const char *key, const char *value)
{
	if (value)
		conf_put(b, key, value);
}

static void put_addr(struct buf *b, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, true, text);
	if (text[0])
		conf_put(b, key, text);
}

/* Lists are always quoted, as the modules write them (CF-6). */
static void put_list(struct buf *b, const char *key, const struct strs *list)
{
	CLEANUP(free_p) char *joined = strs_join(list, " ");

	b->bad |= !joined;
	if (joined)
		put_quoted(b, key, joined);
}

static void put_ports(struct buf *b, const struct container *c)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		char text[PORT_TEXT_SIZE];

		port_print(&c->ports[i], text);
		buf_addf(b, "%s%s", i == 0 ? "HOST_PORT=" : ",", text);
	}
	if (c->n_ports > 0)
		buf_puts(b, "\n");
}

static void put_flags(struct buf *b, const struct container *c)
{
	CLEANUP(buf_done) struct buf words = { 0 };

	for (size_t i = 0; i < c->flags.n; i++) {
		const char *word = c->flags.v[i];

		buf_puts(&words, " ");
		/* bare, as the modules write it, where nothing would be read differently */
		if (strpbrk(word, " '\"\\"))
			shellwords_quote(word, &words);
		else
			buf_puts(&words, word);
	}
	b->bad |= words.bad;
	if (c->flags.n == 0)
		buf_puts(b, "EXTRA_NSPAWN_FLAGS=\"\"\n");
	else
		conf_put(b, "EXTRA_NSPAWN_FLAGS", buf_text(&words));
}

void conf_veth_word(const struct veth *v, struct buf *ret)
{
	buf_puts(ret, v->name);
	if (v->bridge)
		buf_addf(ret, ",hostBridge=%s", v->bridge);
	for (int k = 0; k < LINK_KEYS; k++) {
		char text[ADDR_TEXT_SIZE];

		addr_print(&v->addr[k], true, text);
		if (text[0])
			buf_addf(ret, ",%s=%s", veth_options[k], text);
	}
}

static void put_veths(struct buf *b, const struct container *c)
{
	CLEANUP(buf_done) struct buf words = { 0 };

	for (size_t i = 0; i < c->n_veths; i++) {
		buf_puts(&words, i == 0 ? "" : " ");
		conf_veth_word(&c->veths[i], &words);
	}
	b->bad |= words.bad;
	if (c->n_veths > 0)
		put_quoted(b, "EXTRA_VETHS", buf_text(&words));
}

static void put_devices(struct buf *b, const struct container *c)
{
	CLEANUP(strs_done) struct strs words = { 0 };

	for (size_t i = 0; i < c->n_devices; i++)
		strs_addf(&words, "%s:%s", c->devices[i].node, c->devices[i].modifier);
	b->bad |= words.bad;
	if (c->n_devices > 0)
		put_list(b, "ALLOWED_DEVICES", &words);
}

static void put_network(struct buf *b, const struct container *c)
{
	if (c->private_network)
		conf_put(b, "PRIVATE_NETWORK", "1");
	put_if(b, "HOST_BRIDGE", c->host_bridge);
	put_ports(b, c);
	put_addr(b, "HOST_ADDRESS", &c->addr[HOST4]);
	put_addr(b, "HOST_ADDRESS6", &c->addr[HOST6]);
	put_addr(b, "LOCAL_ADDRESS", &c->addr[LOCAL4]);
	put_addr(b, "LOCAL_ADDRESS6", &c->addr[LOCAL6]);
	if (c->has_mac)
		buf_addf(b, "LOCAL_MAC_ADDRESS=%02x:%02x:%02x:%02x:%02x:%02x\n", c->mac[0], c->mac[1],
		         c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
	put_if(b, "NETWORK_NAMESPACE_PATH", c->netns_path);
	if (c->masquerade)
		conf_put(b, "MASQUERADE", "1");
}

static void put_newer(struct buf *b, const struct container *c)
{
	put_list(b, "INTERFACES", &c->interfaces);
	put_list(b, "MACVLANS", &c->macvlans);
	if (c->auto_start)
		conf_put(b, "AUTO_START", "1");
	put_flags(b, c);
	if (c->ephemeral)
		conf_put(b, "EPHEMERAL", "1");
	if (c->enable_tun)
		conf_put(b, "ENABLE_TUN", "1");
	put_if(b, "TIMEOUT_START_SEC", c->timeout_start);
	if (c->tmpfs.n > 0)
		put_list(b, "TMPFS", &c->tmpfs);
	if (c->capabilities.n > 0)
		put_list(b, "ADDITIONAL_CAPABILITIES", &c->capabilities);
	put_devices(b, c);
	put_veths(b, c);
}

bool conf_has_secrets(const struct container *c)
{
	for (size_t i = 0; i < c->flags.n; i++)
		if (strstr(c->flags.v[i], "credential") || strncmp(c->flags.v[i], "--setenv", 8) == 0 ||
		    strncmp(c->flags.v[i], "-E", 2) == 0)
			return true;
	return false;
}

int conf_write(const struct container *c, struct buf *ret, struct err *e)
{
	put_if(ret, "SYSTEM_PATH", c->system_path);
	put_if(ret, "FLAKE", c->flake);
	if (c->no_resolv_conf)
		conf_put(ret, "COPY_RESOLV_CONF", "0");
	put_network(ret, c);
	put_if(ret, "PRIVATE_USERS", c->private_users);
	if (!release_rules(c->release)->first_options)
		put_newer(ret, c);
	else if (c->macvlans.n > 0)
		put_list(ret, "MACVLANS", &c->macvlans);
	for (int i = 0; i < LIMITS; i++)
		put_if(ret, limit_names[i].key, c->limits[i]);
	put_if(ret, "INIT", c->init);
	if (c->release != RELEASE_DEFAULT)
		conf_put(ret, "RELEASE", release_name(c->release));
	return ret->bad ? err_no_memory(e) : 0;
}

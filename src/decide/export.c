#include "decide/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "decide/fields.h"
#include "decide/values.h"

/* What does not fit is noticed when the document is complete. */
struct writing {
	json_t *options;
	bool bad;
};

static void put(struct writing *w, const char *option, json_t *value)
{
	w->bad |= json_object_set_new(w->options, option, value) < 0;
}

static void append(struct writing *w, json_t *list, json_t *value)
{
	w->bad |= json_array_append_new(list, value) < 0;
}

static void put_list(struct writing *w, const char *option, const struct strs *list)
{
	json_t *array = list->n > 0 ? json_array() : NULL;

	for (size_t i = 0; i < list->n; i++)
		append(w, array, json_string(list->v[i]));
	if (list->n > 0)
		put(w, option, array);
}

static void put_addr(struct writing *w, json_t *object, const char *option, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, true, text);
	if (text[0])
		w->bad |= json_object_set_new(object, option, json_string(text)) < 0;
}

/* ---- bind mounts and flags: one list of words in a conf */

/* Whether the word is what a bind mount of that module becomes, and comes after the one before. */
static bool take_bind(struct writing *w, const char *word, const char *before, json_t *binds, char **ret_name)
{
	bool read_only = strncmp(word, "--bind-ro=", 10) == 0;
	CLEANUP(free_p) char *source = NULL, *target = NULL;
	CLEANUP(buf_done) struct buf again = { 0 };
	struct why why;
	json_t *bind;

	if ((!read_only && strncmp(word, "--bind=", 7) != 0) ||
	    value_bind(strchr(word, '=') + 1, &source, &target, &why) < 0)
		return false;
	value_bind_word(target, source, read_only, &again);
	if (strcmp(buf_text(&again), word) != 0) {
		buf_done(&again);
		again = (struct buf){ 0 };
		value_bind_word(target, NULL, read_only, &again);
		if (strcmp(buf_text(&again), word) != 0)
			return false;
		free(source);
		source = NULL;
	}
	if (!value_is_path(target) || (source && !value_is_path(source)) ||
	    (before && strcmp(before, target) >= 0))
		return false;
	bind = json_object();
	if (source)
		w->bad |= json_object_set_new(bind, "hostPath", json_string(source)) < 0;
	if (!read_only)
		w->bad |= json_object_set_new(bind, "isReadOnly", json_false()) < 0;
	w->bad |= json_object_set_new(binds, target, bind) < 0;
	*ret_name = take_p(&target);
	return true;
}

static void put_flags(struct writing *w, const struct container *c)
{
	CLEANUP(free_p) char *before = NULL;
	json_t *binds = json_object();
	struct strs rest;
	size_t n = 0;

	for (char *name; n < c->flags.n && take_bind(w, c->flags.v[n], before, binds, &name); n++) {
		free(before);
		before = name;
	}
	if (n > 0)
		put(w, "bindMounts", binds);
	else
		json_decref(binds);
	rest = (struct strs){ .v = c->flags.v + n, .n = c->flags.n - n };
	put_list(w, "extraFlags", &rest);
}

/* ---- what has a shape of its own */

static void put_ports(struct writing *w, const struct container *c)
{
	json_t *list = c->n_ports > 0 ? json_array() : NULL;

	for (size_t i = 0; i < c->n_ports; i++)
		append(w, list,
		       json_pack("{s:s, s:i, s:i}", "protocol", c->ports[i].udp ? "udp" : "tcp", "hostPort",
		                 (int)c->ports[i].host, "containerPort", (int)c->ports[i].guest));
	if (c->n_ports > 0)
		put(w, "forwardPorts", list);
}

static void put_devices(struct writing *w, const struct container *c)
{
	json_t *list = c->n_devices > 0 ? json_array() : NULL;

	for (size_t i = 0; i < c->n_devices; i++)
		append(w, list,
		       json_pack("{s:s, s:s}", "node", c->devices[i].node, "modifier",
		                 c->devices[i].modifier));
	if (c->n_devices > 0)
		put(w, "allowedDevices", list);
}

static void put_veths(struct writing *w, const struct container *c)
{
	static const char *const keys[LINK_KEYS] = {
		[HOST4] = "hostAddress",
		[HOST6] = "hostAddress6",
		[LOCAL4] = "localAddress",
		[LOCAL6] = "localAddress6",
	};
	json_t *all = c->n_veths > 0 ? json_object() : NULL;

	for (size_t i = 0; i < c->n_veths; i++) {
		json_t *veth = json_object();

		if (c->veths[i].bridge)
			w->bad |=
				json_object_set_new(veth, "hostBridge", json_string(c->veths[i].bridge)) < 0;
		for (int k = 0; k < LINK_KEYS; k++)
			put_addr(w, veth, keys[k], &c->veths[i].addr[k]);
		w->bad |= json_object_set_new(all, c->veths[i].name, veth) < 0;
	}
	if (c->n_veths > 0)
		put(w, "extraVeths", all);
}

static void put_private_users(struct writing *w, const char *text)
{
	uint64_t number;

	if (text)
		put(w, "privateUsers",
		    num_parse(text, 0, UINT32_MAX, &number) == 0 ? json_integer((json_int_t)number)
		                                                 : json_string(text));
}

static void put_mac(struct writing *w, const struct container *c)
{
	if (c->has_mac)
		put(w, "localMacAddress",
		    json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", c->mac[0], c->mac[1], c->mac[2], c->mac[3],
		                 c->mac[4], c->mac[5]));
}

static void put_own(struct writing *w, const struct container *c)
{
	if (c->no_resolv_conf)
		put(w, "copyResolvConf", json_false());
	put_ports(w, c);
	put_mac(w, c);
	put_private_users(w, c->private_users);
	put_list(w, "interfaces", &c->interfaces);
	put_list(w, "macvlans", &c->macvlans);
	put_flags(w, c);
	put_list(w, "tmpfs", &c->tmpfs);
	put_list(w, "additionalCapabilities", &c->capabilities);
	put_devices(w, c);
	put_veths(w, c);
}

/* ---- what is one value of the container */

static void put_field(struct writing *w, const struct field *f, const struct container *c)
{
	const void *member = (const char *)c + f->at;
	const char *text;

	switch (f->type) {
	case FIELD_BOOL:
		if (*(const bool *)member)
			put(w, f->option, json_true());
		break;
	case FIELD_ADDR:
		put_addr(w, w->options, f->option, member);
		break;
	case FIELD_TEXT:
		text = *(char *const *)member;
		if (text)
			put(w, f->option, json_string(text));
		break;
	case FIELD_WHOLE:
	case FIELD_WORDS:
	case FIELD_OWN:
		break; /* put_own() */
	}
}

static bool put_container(json_t *to, const struct container *c)
{
	struct writing w = { .options = json_object() };

	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].option)
			put_field(&w, &fields[i], c);
	put_own(&w, c);
	return json_object_set_new(to, c->name, w.options) == 0 && !w.bad;
}

int export_document(const struct container *const *all, size_t n, json_t **ret, struct err *e)
{
	json_t *containers = json_object(), *document;
	bool good = containers;

	for (size_t i = 1; i < n; i++)
		if (all[i]->release != all[0]->release) {
			json_decref(containers);
			return err_set(e, STATUS_DATA, EINVAL,
			               "%s behaves like release %s, %s like %s: no one import takes both, so "
			               "export them apart",
			               all[0]->name, release_name(all[0]->release), all[i]->name,
			               release_name(all[i]->release));
		}
	for (size_t i = 0; i < n; i++)
		good &= put_container(containers, all[i]);
	document = json_pack("{s:o}", "containers", containers);
	if (!good || !document) {
		json_decref(document);
		return err_no_memory(e);
	}
	*ret = document;
	return 0;
}

bool export_is_same(const struct container *a, const struct container *b)
{
	json_t *one = NULL, *other = NULL;
	bool same = a->release == b->release && export_document(&a, 1, &one, NULL) == 0 &&
	            export_document(&b, 1, &other, NULL) == 0 && json_equal(one, other);

	json_decref(one);
	json_decref(other);
	return same;
}

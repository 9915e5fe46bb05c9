#include "decide/virtualisation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* default-policy.json of skopeo 0.1.41 to 1.x */
static const char default_policy[] = "{\n"
				     "    \"default\": [\n"
				     "        {\n"
				     "            \"type\": \"insecureAcceptAnything\"\n"
				     "        }\n"
				     "    ],\n"
				     "    \"transports\":\n"
				     "        {\n"
				     "            \"docker-daemon\":\n"
				     "                {\n"
				     "                    \"\": [{\"type\":\"insecureAcceptAnything\"}]\n"
				     "                }\n"
				     "        }\n"
				     "}\n";

void virtualisation_done(struct virtualisation *v)
{
	strs_done(&v->search);
	strs_done(&v->insecure);
	strs_done(&v->block);
	strs_done(&v->users);
	free(v->policy);
	*v = (struct virtualisation){ 0 };
}

/* ---- options */

/* One that engines refuse would make them refuse the whole file. */
static int add_registry(struct jsonplace *at, json_t *v, void *list)
{
	const char *text;
	int r = place_string(at, v, &text);

	if (r < 0)
		return r;
	if (text[strspn(text, "/")] == '\0')
		return place_refuse(at, "a registry has a name");
	if (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0)
		return place_refuse(
			at, "a registry is named by host and path alone, without http:// or https://");
	strs_add(list, text);
	return 0;
}

static int registries_field(struct jsonplace *at, const char *name, json_t *value, void *arg)
{
	struct virtualisation *v = arg;
	struct strs *list = strcmp(name, "search") == 0     ? &v->search
	                    : strcmp(name, "insecure") == 0 ? &v->insecure
	                    : strcmp(name, "block") == 0    ? &v->block
	                                                    : NULL;

	if (!list)
		return -ENOENT;
	strs_done(list);
	return place_each_item(at, value, list, add_registry);
}

static int take_policy(struct jsonplace *at, json_t *value, struct virtualisation *v)
{
	if (!json_is_object(value))
		return place_refuse(at, "must be an object, but is %s", place_type(value));
	if (json_object_size(value) == 0)
		return 0;
	v->policy = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS); /* as builtins.toJSON */
	return v->policy ? 0 : err_no_memory(at->e);
}

/* What a line of subuid(5) can start with, and no number, which would be somebody's uid. */
static int add_user(struct jsonplace *at, json_t *value, void *users)
{
	const char *name;
	int r = place_string(at, value, &name);

	if (r < 0)
		return r;
	if (!*name || strpbrk(name, ": /#,") || *name == '-' || *name == '+' ||
	    name[strspn(name, "0123456789")] == '\0')
		return place_refuse(at, "'%.40s' can not be a user's name", name);
	if (strs_has(users, name))
		return 0;
	if (((struct strs *)users)->n >= VIRTUALISATION_USERS_MAX)
		return place_refuse(at, "more than %d users", VIRTUALISATION_USERS_MAX);
	strs_add(users, name);
	return 0;
}

static int option(struct jsonplace *at, const char *name, json_t *value, void *arg)
{
	struct virtualisation *v = arg;

	if (strcmp(name, "enable") == 0)
		return place_bool(at, value, &v->enable);
	if (strcmp(name, "registries") == 0)
		return place_each_field(at, value, v, registries_field);
	if (strcmp(name, "policy") == 0)
		return take_policy(at, value, v);
	if (strcmp(name, "users") == 0)
		return place_each_item(at, value, &v->users, add_user);
	return -ENOENT;
}

int virtualisation_take(struct jsonplace *at, json_t *options, struct virtualisation *ret)
{
	int r;

	strs_add(&ret->search, "docker.io");
	strs_add(&ret->search, "quay.io");
	r = place_each_field(at, options, ret, option);
	if (r == 0 && (ret->search.bad || ret->insecure.bad || ret->block.bad || ret->users.bad))
		r = err_no_memory(at->e);
	return r;
}

/* ---- files */

static void put_string(struct buf *ret, const char *text)
{
	buf_puts(ret, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_puts(ret, "\\");
		buf_add(ret, text, 1);
	}
	buf_puts(ret, "\"");
}

static void put_list(struct buf *ret, const char *key, const struct strs *list)
{
	buf_addf(ret, "%s = [", key);
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(ret, i > 0 ? ", " : "");
		put_string(ret, list->v[i]);
	}
	buf_puts(ret, "]\n");
}

static void put_v1(const struct virtualisation *v, struct buf *ret)
{
	buf_puts(ret, "[registries]\n[registries.block]\n");
	put_list(ret, "registries", &v->block);
	buf_puts(ret, "\n[registries.insecure]\n");
	put_list(ret, "registries", &v->insecure);
	buf_puts(ret, "\n[registries.search]\n");
	put_list(ret, "registries", &v->search);
}

/* Where a slash at its end does not count. */
static bool has_location(const struct strs *list, const char *location)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->v[i]);

		while (n > 0 && list->v[i][n - 1] == '/')
			n--;
		if (strncmp(list->v[i], location, n) == 0 && !location[n])
			return true;
	}
	return false;
}

static void locations(const struct strs *list, struct strs *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(list->v[i]);

		while (n > 0 && list->v[i][n - 1] == '/')
			n--;
		strs_add_n(ret, list->v[i], n);
	}
}

/* One table a registry, since two of one that say different things are an error. */
static void put_v2(const struct virtualisation *v, struct buf *ret)
{
	CLEANUP(strs_done) struct strs all = { 0 };

	put_list(ret, "unqualified-search-registries", &v->search);
	locations(&v->block, &all);
	locations(&v->insecure, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct strs before = { .v = all.v, .n = i };

		if (strs_has(&before, all.v[i]))
			continue;
		buf_puts(ret, "\n[[registry]]\nlocation = ");
		put_string(ret, all.v[i]);
		buf_puts(ret, "\n");
		if (has_location(&v->insecure, all.v[i]))
			buf_puts(ret, "insecure = true\n");
		if (has_location(&v->block, all.v[i]))
			buf_puts(ret, "blocked = true\n");
	}
	ret->bad |= all.bad;
}

void virtualisation_registries(const struct virtualisation *v, enum registries_format format, struct buf *ret)
{
	if (format == REGISTRIES_V1)
		put_v1(v, ret);
	else
		put_v2(v, ret);
}

const char *virtualisation_policy(const struct virtualisation *v)
{
	return v->policy ? v->policy : default_policy;
}

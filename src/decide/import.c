#include "decide/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/jsonplace.h"
#include "decide/lint.h"
#include "decide/options.h"
#include "decide/values.h"
#include "words/name.h"

static int found(struct jsonplace *at, const struct finding *f)
{
	if (f->veth) {
		(void)place_enter(at, "extraVeths");
		(void)place_enter(at, f->veth);
	}
	if (strcmp(f->option, "extraVeths") != 0)
		(void)place_enter(at, f->option);
	return place_refuse(at, "%s", f->text);
}

static int look_at_container(struct jsonplace *at, json_t *v, const struct container *c)
{
	struct finding f;
	struct why w = { 0 };
	size_t back;
	int r;

	back = place_enter(at, "extraFlags");
	r = place_judge(at, value_flags_end(c, &w), &w);
	if (r < 0)
		return r;
	place_leave(at, back);
	if (json_object_get(v, "config") && !c->system_path && !c->flake) {
		(void)place_enter(at, "config");
		return place_refuse(at, "it is evaluated by Nix: give the system it evaluates to as path");
	}
	return lint_container(c, 0, &f) ? found(at, &f) : 0;
}

static int take_container(struct jsonplace *at, const char *name, json_t *v, enum release release,
                          struct container *c)
{
	int r;

	if (!name_is_machine(name))
		return place_refuse(
			at, "can not be a machine's name (letters, digits, inner '-' and '.', at most %d)",
			NAME_MACHINE_MAX);
	if (name_is_foreign_conf(name))
		return place_refuse(at, "the file %s.conf belongs to podman", name);
	if (!json_is_object(v))
		return place_refuse(at, "must be an object, but is %s", place_type(v));
	*c = (struct container){ .name = strdup(name), .release = release };
	if (!c->name)
		return err_no_memory(at->e);
	r = options_take(at, v, c);
	return r < 0 ? r : look_at_container(at, v, c);
}

void imported_done(struct imported *i)
{
	for (size_t k = 0; k < i->n; k++)
		container_done(&i->v[k]);
	free(i->v);
	virtualisation_done(&i->engines);
	*i = (struct imported){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct container *)a)->name, ((const struct container *)b)->name);
}

static int look_for_conflicts(struct jsonplace *at, const struct imported *all,
                              const struct container *const *others, size_t n)
{
	CLEANUP(free_p) const struct container **v = calloc(n + all->n + 1, sizeof(*v));
	CLEANUP(free_p) bool *rival = calloc(n + all->n + 1, sizeof(*rival));
	struct finding f;

	if (!v || !rival)
		return err_no_memory(at->e);
	for (size_t i = 0; i < n + all->n; i++)
		v[i] = i < n ? others[i] : &all->v[i - n];
	if (lint_rivals(v, n + all->n, rival) < 0)
		return err_no_memory(at->e);
	for (size_t i = n; i < n + all->n; i++)
		for (size_t j = 0; j < i && rival[i]; j++) {
			if (!rival[j] || !lint_pair(v[i], v[j], 0, &f))
				continue;
			(void)place_enter(at, v[i]->name);
			return found(at, &f);
		}
	return 0;
}

int import_compare(const char *file, const struct imported *all, const struct container *const *others,
                   size_t n, struct err *e)
{
	struct jsonplace at = { .file = file, .path = "/containers", .e = e };

	return look_for_conflicts(&at, all, others, n);
}

static int take_containers(struct jsonplace *at, json_t *containers, enum release release,
                           struct imported *all)
{
	size_t back = place_enter(at, "containers");
	json_t *value;
	const char *name;
	int r;

	if (!json_is_object(containers))
		return place_refuse(at, "must be an object with a member for each container");
	all->v = calloc(json_object_size(containers) + 1, sizeof(*all->v));
	if (!all->v)
		return err_no_memory(at->e);
	json_object_foreach(containers, name, value) {
		size_t before = place_enter(at, name);

		r = take_container(at, name, value, release, &all->v[all->n++]);
		if (r < 0)
			return r;
		place_leave(at, before);
	}
	qsort(all->v, all->n, sizeof(*all->v), compare_names);
	r = look_for_conflicts(at, all, NULL, 0);
	if (r == 0)
		place_leave(at, back);
	return r;
}

static int engine_option(struct jsonplace *at, const char *name, json_t *value, void *arg)
{
	struct imported *all = arg;

	if (strcmp(name, "containers") != 0)
		return place_refuse(at, "only \"containers\" is expected here");
	all->has_engines = true;
	return virtualisation_take(at, value, &all->engines);
}

static int take_all(struct jsonplace *at, json_t *root, enum release release, struct imported *all)
{
	json_t *containers = json_object_get(root, "containers"), *other, *value;
	const char *name;
	int r = 0;

	json_object_foreach(root, name, value)
		if (strcmp(name, "containers") != 0 && strcmp(name, "virtualisation") != 0) {
			(void)place_enter(at, name);
			return place_refuse(at,
			                    "only \"containers\" and \"virtualisation\" are expected here");
		}
	other = json_object_get(root, "virtualisation");
	if (containers || !other)
		r = take_containers(at, containers, release, all);
	if (r == 0 && other) {
		(void)place_enter(at, "virtualisation");
		r = place_each_field(at, other, all, engine_option);
	}
	return r;
}

int import_json(const char *file, const char *text, size_t len, enum release r, struct imported *ret,
                struct err *e)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	struct jsonplace at = { .file = file, .e = e };
	json_error_t why;
	json_t *root;
	int result;

	if (len > IMPORT_SIZE_MAX)
		return err_set(e, STATUS_DATA, EINVAL, "%s: larger than 1 MiB", file);
	if (!place_find(&at, text, len)) /* jansson recurses */
		return place_refuse(&at, "nested deeper than %d levels", PLACE_DEPTH_MAX);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		(void)place_find(&at, text, (size_t)why.position);
		return place_refuse(&at, "not JSON: %s (line %d, column %d)", why.text, why.line, why.column);
	}
	at.path[0] = '\0';
	result = take_all(&at, root, r, &all);
	json_decref(root);
	if (result < 0)
		return result;
	*ret = all;
	all = (struct imported){ 0 };
	return 0;
}

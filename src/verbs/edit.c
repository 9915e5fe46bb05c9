/* set, unset, get, undo, history: a conf from the shell. What a change would do is shown by --dry-run. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/conf.h"
#include "decide/conflist.h"
#include "decide/envfile.h"
#include "decide/unitfile.h"
#include "drivers/confs.h"
#include "engine/edit.h"
#include "verbs/editing.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#define WAIT_MS 10000

/* ---- set, unset */

/* "KEY=VALUE", "KEY+=VALUE" and "KEY-=VALUE" of lists, or for unset "KEY". The key is cut out of the argument. */
static int take_change(const struct verb *v, char *argument, bool sets, struct unit_change *ret)
{
	char *sign = strchr(argument, '='), why[128];

	if (sets != (sign != NULL)) {
		(void)snprintf(why, sizeof(why), "'%.60s': %s", argument,
		               sets ? "KEY=VALUE is what it takes" : "a key alone is what it takes");
		return verb_usage(v, why);
	}
	*ret = (struct unit_change){ .operation = sets ? UNIT_SET : UNIT_UNSET, .name = argument };
	if (!sign)
		return STATUS_DONE;
	*sign = '\0';
	ret->value = sign + 1;
	if (sign > argument && (sign[-1] == '+' || sign[-1] == '-')) {
		ret->operation = sign[-1] == '+' ? UNIT_ADD : UNIT_REMOVE;
		sign[-1] = '\0';
	}
	return STATUS_DONE;
}

static int change_conf(const char *file, const struct buf *text, const struct unit_change *c, struct buf *ret,
                       struct err *e)
{
	CLEANUP(buf_done) struct buf value = { 0 };
	struct conf_change change = { c->name, c->operation == UNIT_UNSET ? NULL : c->value };
	int r = 0;

	if (c->operation == UNIT_ADD || c->operation == UNIT_REMOVE) {
		r = conf_list_change(file, text, c->name, c->value, c->operation == UNIT_ADD, &value, e);
		change.value = value.len > 0 ? buf_text(&value) : NULL;
	}
	if (r == 0)
		r = conf_edit(file, buf_text(text), text->len, &change, 1, ret, e);
	return r < 0 ? r : 0;
}

/* One after the other: each sees what the one before it did. */
static int change_all(const struct edit *x, const struct unit_change *changes, size_t n, struct buf *ret,
                      struct err *e)
{
	buf_add(ret, buf_text(&x->old), x->old.len);
	for (size_t i = 0; i < n; i++) {
		struct buf next = { 0 };
		int r = x->kind == EDIT_CONF ? change_conf(x->path, ret, &changes[i], &next, e)
		                             : unitfile_edit(x->path, ret, &changes[i], 1, &next, e);

		buf_done(ret);
		*ret = next;
		if (r < 0)
			return r;
	}
	return ret->bad ? err_no_memory(e) : 0;
}

static int change(const char *name, const struct edit_options *o, const struct unit_change *changes, size_t n)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (edit_begin_any(name, o->unit, WAIT_MS, &x, &e) < 0 || change_all(&x, changes, n, &text, &e) < 0)
		return verb_fail(&e);
	return editing_save(&x, &text, o->dry);
}

int verb_set(const struct verb *v, int argc, char **argv)
{
	CLEANUP(free_p) struct unit_change *changes = calloc((size_t)argc, sizeof(*changes));
	bool sets = strcmp(v->name, "set") == 0;
	struct edit_options o;
	size_t n = 0;
	int r = editing_options(v, argc, argv, "nu", &o);

	if (r != STATUS_DONE || !changes)
		return r != STATUS_DONE ? r : STATUS_SYSTEM;
	for (int i = optind + 1; i < argc && r == STATUS_DONE; i++)
		r = take_change(v, argv[i], sets, &changes[n++]);
	if (r == STATUS_DONE && n == 0)
		r = verb_usage(v, "which key?");
	return r != STATUS_DONE ? r : change(argv[optind], &o, changes, n);
}

/* ---- get */

static int print_values(const struct envfile *f, int argc, char **argv)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int status = STATUS_DONE;

	for (int i = 0; i < argc; i++) {
		const struct env_entry *a = envfile_find(f, argv[i]);

		if (!a)
			status = STATUS_FAILED;
		else if (argc == 1)
			buf_addf(&text, "%s\n", a->value);
		else
			conf_put(&text, a->key, a->value);
	}
	for (size_t i = 0; argc == 0 && i < f->n; i++)
		if (envfile_find(f, f->v[i].key) == &f->v[i])
			conf_put(&text, f->v[i].key, f->v[i].value);
	return verb_print_buf(&text) == STATUS_DONE ? status : STATUS_IO;
}

static int print_document(const char *name, const struct envfile *f, int argc, char **argv)
{
	json_t *keys = json_object();

	for (size_t i = 0; i < f->n; i++) {
		bool wanted = argc == 0;

		for (int k = 0; k < argc; k++)
			wanted |= strcmp(argv[k], f->v[i].key) == 0;
		if (wanted && envfile_find(f, f->v[i].key) == &f->v[i])
			(void)json_object_set_new(keys, f->v[i].key, show_json_text(f->v[i].value));
	}
	return show_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "name", name, "conf", keys));
}

static void tell_others(const struct edit *x)
{
	CLEANUP(strs_done) struct strs others = { 0 }, notes = { 0 };

	edit_others(x, &others);
	for (size_t i = 0; i < others.n; i++)
		strs_addf(&notes, "%s: there is %s, too (--unit=%s)", x->places.name, others.v[i],
		          others.v[i]);
	verb_warn(&notes);
}

/* Of no conf: all of it, or the values of one setting. */
static int print_settings(struct edit *x, int argc, char **argv, bool json)
{
	CLEANUP(strs_done) struct strs values = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (json || argc > 1) {
		(void)err_set(&e, STATUS_USAGE, EOPNOTSUPP,
		              "%s has no conf: of its settings get prints all, or one SECTION.KEY",
		              x->places.name);
		return verb_fail(&e);
	}
	if (edit_read(x, &e) < 0 ||
	    (argc == 1 && unitfile_values(x->path, &x->old, argv[0], &values, &e) < 0))
		return verb_fail(&e);
	tell_others(x);
	if (argc == 0)
		return verb_print_buf(&x->old);
	for (size_t i = 0; i < values.n; i++)
		buf_addf(&text, "%s\n", values.v[i]);
	return verb_print_buf(&text) != STATUS_DONE ? STATUS_IO : values.n > 0 ? STATUS_DONE : STATUS_FAILED;
}

int verb_get(const struct verb *v, int argc, char **argv)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(envfile_done) struct envfile f = { 0 };
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	struct edit_options o;
	struct err e;
	int r = editing_options(v, argc, argv, "ju", &o);

	if (r != STATUS_DONE)
		return r;
	if (edit_find(argv[optind], o.unit, &x, &e) < 0)
		return verb_fail(&e);
	if (x.kind != EDIT_CONF)
		return print_settings(&x, argc - optind - 1, argv + optind + 1, o.json);
	if (confs_load("", argv[optind], &file, &e) < 0 ||
	    envfile_parse(file.path, buf_text(&file.text), file.text.len, &f, &e) < 0)
		return verb_fail(&e);
	return o.json ? print_document(argv[optind], &f, argc - optind - 1, argv + optind + 1)
	              : print_values(&f, argc - optind - 1, argv + optind + 1);
}

/* ---- undo, history */

int verb_history(const struct verb *v, int argc, char **argv)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(free_p) uint64_t *usec = NULL;
	struct edit_saves saves = { 0 };
	struct edit_options o;
	struct err e;
	json_t *list;
	int r = editing_options(v, argc, argv, "ju", &o);

	if (r == STATUS_DONE)
		r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (edit_find(argv[optind], o.unit, &x, &e) < 0 || edit_history(x.store, &saves, &e) < 0)
		return verb_fail(&e);
	usec = saves.usec;
	list = json_array();
	for (size_t i = 0; i < saves.n; i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		char when[32];

		if (edit_history_read(x.store, usec[i], &text, &e) < 0) {
			json_decref(list);
			return verb_fail(&e);
		}
		if (o.json) {
			show_time(usec[i], when);
			(void)json_array_append_new(
				list, json_pack("{s:s, s:o}", "until", when, "conf", show_json_lines(&text)));
			continue;
		}
		show_local_time(usec[i], when);
		printf("# %zu: until %s\n%s\n", i + 1, when, buf_text(&text));
	}
	if (o.json)
		return show_json(
			json_pack("{s:i, s:s, s:o}", "schema", 1, "name", argv[optind], "saves", list));
	json_decref(list);
	return STATUS_DONE;
}

int verb_undo(const struct verb *v, int argc, char **argv)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(free_p) uint64_t *usec = NULL;
	struct edit_saves saves = { 0 };
	struct edit_options o;
	struct err e;
	int r = editing_options(v, argc, argv, "nu", &o);

	if (r == STATUS_DONE)
		r = verb_name(v, argc, argv);
	if (r != STATUS_DONE)
		return r;
	if (edit_begin_any(argv[optind], o.unit, WAIT_MS, &x, &e) < 0 ||
	    edit_history(x.store, &saves, &e) < 0)
		return verb_fail(&e);
	usec = saves.usec;
	if (saves.n == 0) {
		(void)err_set(&e, STATUS_FAILED, ENOENT,
		              "%s: there is nothing to undo: no change of its %s is known", x.places.name,
		              x.kind == EDIT_CONF ? "conf" : "settings");
		return verb_fail(&e);
	}
	if (edit_history_read(x.store, usec[0], &text, &e) < 0)
		return verb_fail(&e);
	return editing_undo(&x, &text, usec[0], o.dry);
}

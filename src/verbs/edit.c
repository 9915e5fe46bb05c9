/* set, unset, get, undo, history: a conf from the shell. What a change would do is shown by --dry-run. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/conf.h"
#include "decide/envfile.h"
#include "drivers/confs.h"
#include "engine/edit.h"
#include "verbs/editing.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

#define WAIT_MS 10000

/* ---- set, unset */

/* "KEY=VALUE", or for unset "KEY". The key is cut out of the argument. */
static int take_change(const struct verb *v, char *argument, bool sets, struct conf_change *ret)
{
	char *sign = strchr(argument, '='), why[128];

	if (sets != (sign != NULL)) {
		(void)snprintf(why, sizeof(why), "'%.60s': %s", argument,
		               sets ? "KEY=VALUE is what it takes" : "a key alone is what it takes");
		return verb_usage(v, why);
	}
	if (sign)
		*sign = '\0';
	*ret = (struct conf_change){ argument, sign ? sign + 1 : NULL };
	if (sets && !conf_knows_key(argument))
		fprintf(stderr, "machdeck: warning: %.60s is not a key we know, so it does nothing\n",
		        envfile_is_name(argument) ? argument : "that");
	return STATUS_DONE;
}

static int change(const char *name, const struct conf_change *changes, size_t n, bool dry)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (edit_begin(name, WAIT_MS, &x, &e) < 0 ||
	    conf_edit(x.places.conf, buf_text(&x.old), x.old.len, changes, n, &text, &e) < 0)
		return verb_fail(&e);
	return editing_save(&x, &text, dry);
}

int verb_set(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	CLEANUP(free_p) struct conf_change *changes = calloc((size_t)argc, sizeof(*changes));
	bool sets = strcmp(v->name, "set") == 0, dry = false;
	size_t n = 0;
	int option, r;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		dry = true;
	}
	r = verb_names(v, optind < argc ? optind + 1 : argc, argv, optind);
	if (r != STATUS_DONE || !changes)
		return r != STATUS_DONE ? r : STATUS_SYSTEM;
	for (int i = optind + 1; i < argc && r == STATUS_DONE; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			dry = true;
		else
			r = take_change(v, argv[i], sets, &changes[n++]);
	}
	if (r == STATUS_DONE && n == 0)
		r = verb_usage(v, "which key?");
	return r != STATUS_DONE ? r : change(argv[optind], changes, n, dry);
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
	return verb_print(buf_text(&text)) == STATUS_DONE ? status : STATUS_IO;
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

int verb_get(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(envfile_done) struct envfile f = { 0 };
	bool json = false;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		json = true;
	}
	r = verb_names(v, optind < argc ? optind + 1 : argc, argv, optind);
	if (r != STATUS_DONE)
		return r;
	if (confs_load("", argv[optind], &file, &e) < 0 ||
	    envfile_parse(file.path, buf_text(&file.text), file.text.len, &f, &e) < 0)
		return verb_fail(&e);
	return json ? print_document(argv[optind], &f, argc - optind - 1, argv + optind + 1)
	            : print_values(&f, argc - optind - 1, argv + optind + 1);
}

/* ---- undo, history */

int verb_history(const struct verb *v, int argc, char **argv)
{
	CLEANUP(free_p) uint64_t *usec = NULL;
	struct edit_saves saves = { 0 };
	const char *name;
	struct err e;
	bool json;
	json_t *list;
	int r = verb_one_name(v, argc, argv, &json, &name);

	if (r != STATUS_DONE)
		return r;
	if (edit_history(name, &saves, &e) < 0)
		return verb_fail(&e);
	usec = saves.usec;
	list = json_array();
	for (size_t i = 0; i < saves.n; i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		char when[32];

		if (edit_history_read(name, usec[i], &text, &e) < 0) {
			json_decref(list);
			return verb_fail(&e);
		}
		if (json) {
			show_time(usec[i], when);
			(void)json_array_append_new(list, json_pack("{s:s, s:o}", "until", when, "conf",
			                                            show_json_text(buf_text(&text))));
			continue;
		}
		show_local_time(usec[i], when);
		printf("# %zu: until %s\n%s\n", i + 1, when, buf_text(&text));
	}
	if (json)
		return show_json(json_pack("{s:i, s:s, s:o}", "schema", 1, "name", name, "saves", list));
	json_decref(list);
	return STATUS_DONE;
}

int verb_undo(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(free_p) uint64_t *usec = NULL;
	struct edit_saves saves = { 0 };
	bool dry = false;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		dry = true;
	}
	r = verb_names(v, argc, argv, optind);
	if (r != STATUS_DONE)
		return r;
	if (argc - optind > 1)
		return verb_usage(v, "one name only");
	if (edit_begin(argv[optind], WAIT_MS, &x, &e) < 0 || edit_history(x.places.name, &saves, &e) < 0)
		return verb_fail(&e);
	usec = saves.usec;
	if (saves.n == 0) {
		(void)err_set(&e, STATUS_FAILED, ENOENT, "%s: there is nothing to undo: no change of its conf is known",
		              x.places.name);
		return verb_fail(&e);
	}
	if (edit_history_read(x.places.name, usec[0], &text, &e) < 0)
		return verb_fail(&e);
	return editing_undo(&x, &text, usec[0], dry);
}

/* What the reference modules do, vector by vector (tests/conformance). */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/confedit.h"
#include "decide/conflist.h"
#include "decide/envfile.h"
#include "decide/export.h"
#include "decide/import.h"
#include "decide/plan.h"
#include "ui/form.h"

#define DIR "tests/conformance/"

static const char *compared; /* what is being compared, for messages */

static void assert_same(const char *what, json_t *want, json_t *got)
{
	char *w, *g;

	if (json_equal(want, got))
		return;
	w = json_dumps(want, JSON_ENCODE_ANY);
	g = json_dumps(got, JSON_ENCODE_ANY);
	print_error("%s: %s\n want %s\n got  %s\n", compared, what, w ? w : "nothing", g ? g : "nothing");
	free(w);
	free(g);
	fail();
}

static json_t *at(json_t *object, const char *a, const char *b, const char *c)
{
	object = json_object_get(object, a);
	object = b ? json_object_get(object, b) : object;
	return c ? json_object_get(object, c) : object;
}

/* The conf is compared word by word: blanks between words carry no meaning in it. */
static void compare_conf(json_t *vector, const struct container *c)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(envfile_done) struct envfile env = { 0 };
	CLEANUP(container_done) struct container again = { 0 };
	json_t *want = json_object_get(vector, "conf"), *value;
	const char *key;
	struct err e = { 0 };

	assert_int_equal(conf_write(c, &text, &e), 0);
	assert_int_equal(envfile_parse("conf", buf_text(&text), text.len, &env, &e), 0);
	json_object_foreach(want, key, value) {
		CLEANUP(strs_done) struct strs words = { 0 }, others = { 0 };
		const struct env_entry *entry = envfile_find(&env, key);

		assert_non_null(entry);
		strs_split(&words, json_string_value(value), " ");
		strs_split(&others, entry->value, " ");
		assert_int_equal(words.n, others.n);
		for (size_t i = 0; i < words.n; i++)
			assert_string_equal(words.v[i], others.v[i]);
	}
	if (conf_read("conf", c->name, buf_text(&text), text.len, &again, NULL, &e) < 0)
		fail_msg("%s: %s", compared, e.text);
}

/* A copy of the argv with what differs by design made equal. */
static json_t *plain_argv(json_t *argv)
{
	json_t *plain = json_array(), *word;
	size_t i, n = json_array_size(argv);

	json_array_foreach(argv, i, word) {
		const char *text = json_string_value(word);

		if (i == n - 3 &&
		    strncmp(text, "--bind-ro=" PLAN_RUN_DIR, strlen("--bind-ro=" PLAN_RUN_DIR)) == 0)
			continue;
		if (i == n - 2)
			text = "@INIT@";
		if (strncmp(text, "PATH=", 5) == 0)
			text = "PATH=@PATH@";
		json_array_append_new(plain, json_string(text));
	}
	return plain;
}

static void compare_argv(json_t *vector, json_t *plan)
{
	json_t *want = plain_argv(json_object_get(vector, "argv")),
	       *got = plain_argv(json_object_get(plan, "argv"));

	assert_same("argv", want, got);
	json_decref(want);
	json_decref(got);
}

/* Commands of ours beyond the vector's may only delete a stale vb- link. */
static void compare_prestart(json_t *vector, json_t *plan)
{
	json_t *want = json_object_get(vector, "prestart"), *rest = json_array(), *command;
	const char *name = json_string_value(json_object_get(vector, "name"));
	size_t i, next = 0;
	char vb[128];

	(void)snprintf(vb, sizeof(vb), "vb-%s", name);
	json_array_foreach(json_object_get(plan, "prestart"), i, command) {
		const char *last = json_string_value(json_array_get(command, json_array_size(command) - 1));

		if (json_equal(command, json_array_get(want, next)))
			json_array_append(rest, json_array_get(want, next++));
		else
			assert_string_equal(last, vb);
	}
	assert_same("prestart", want, rest);
	json_decref(rest);
}

static void compare_unit(json_t *vector, json_t *plan)
{
	json_t *value;
	const char *key;

	json_object_foreach(at(vector, "unit", "service", NULL), key, value)
		if (strcmp(key, "ExecReload") != 0 && strcmp(key, "EnvironmentFile") != 0)
			assert_same(key, value, at(plan, "unit", "service", key));
	assert_same("RequiresMountsFor", at(vector, "unit", "unit", "RequiresMountsFor"),
	            at(plan, "unit", "unit", "RequiresMountsFor"));
	assert_same("wantedBy", at(vector, "unit", "wantedBy", NULL), at(plan, "unit", "wantedBy", NULL));
	assert_same("wants", at(vector, "unit", "wants", NULL), at(plan, "unit", "wants", NULL));
	assert_same("after", at(vector, "unit", "after", NULL), at(plan, "unit", "after", NULL));
}

static void compare_hosts(json_t *vector, json_t *plan)
{
	json_t *line, *ours;
	size_t i, k;

	json_array_foreach(json_object_get(vector, "hosts"), i, line) {
		bool found = false;

		json_array_foreach(json_object_get(plan, "hosts"), k, ours)
			found |= json_equal(line, ours);
		assert_true(found);
	}
}

static char *conf_of(const struct container *c)
{
	struct buf text = { 0 };

	assert_int_equal(conf_write(c, &text, NULL), 0);
	return text.p ? text.p : strdup("");
}

/* What is exported is imported as the same conf, and exported as the same document (the threat model's case 152). */
static void compare_export(const struct container *c)
{
	CLEANUP(imported_done) struct imported back = { 0 };
	CLEANUP(free_p) char *bytes = NULL, *conf = conf_of(c), *conf_back = NULL;
	json_t *document = NULL, *again = NULL;
	struct err e = { 0 };

	assert_int_equal(export_document(&c, 1, &document, &e), 0);
	bytes = json_dumps(document, 0);
	if (import_json("export", bytes, strlen(bytes), c->release, &back, &e) < 0)
		fail_msg("%s: %s", compared, e.text);
	conf_back = conf_of(&back.v[0]);
	assert_string_equal(conf_back, conf);
	assert_int_equal(export_document(&(const struct container *){ &back.v[0] }, 1, &again, &e), 0);
	assert_same("export", document, again);
	json_decref(document);
	json_decref(again);
}

/* All keys set, at once or one after the other, in whatever order: byte for byte what import wrote. */
static void compare_set(const struct container *c)
{
	struct container empty = { .name = c->name, .release = c->release };
	CLEANUP(free_p) char *conf = conf_of(c), *text = conf_of(&empty);
	CLEANUP(free_p) struct conf_change *changes = NULL;
	CLEANUP(envfile_done) struct envfile env = { 0 };
	CLEANUP(buf_done) struct buf set = { 0 }, step = { 0 };
	struct err e = { 0 };

	assert_true(envfile_parse("conf", conf, strlen(conf), &env, &e) >= 0);
	changes = calloc(env.n + 1, sizeof(*changes));
	assert_non_null(changes);
	for (size_t i = 0; i < env.n; i++)
		changes[env.n - 1 - i] = (struct conf_change){ env.v[i].key, env.v[i].value };
	if (conf_edit("conf", text, strlen(text), changes, env.n, &set, &e) < 0)
		fail_msg("%s: %s", compared, e.text);
	assert_string_equal(buf_text(&set), conf);
	buf_puts(&step, text);
	for (size_t i = 0; i < env.n; i++) {
		struct buf next = { 0 };

		assert_true(conf_edit("conf", buf_text(&step), step.len, &changes[i], 1, &next, &e) >= 0);
		buf_done(&step);
		step = next;
	}
	assert_string_equal(buf_text(&step), conf);
}

static size_t form_field(const struct form *f, const char *key)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };

	form_rows(f, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.v[i].kind != FORM_GROUP && strcmp(form_key(rows.v[i].field), key) == 0)
			return rows.v[i].field;
	fail_msg("%s: the form has no %s", compared, key);
	return SIZE_MAX;
}

static void type_value(struct form *f, const char *key, const char *value)
{
	CLEANUP(strs_done) struct strs items = { 0 };
	size_t field = form_field(f, key);
	struct err e = { 0 };

	if (conf_list_is(key))
		conf_list_split(key, value, &items);
	else if (value[0])
		strs_add(&items, value);
	for (size_t i = 0; i < items.n; i++)
		if (form_set(f, field, i, items.v[i], &e) < 0)
			fail_msg("%s: %s", compared, e.text);
}

/* Every value typed in the form, from the last line to the first, the items of lists one by one: byte for byte what import
 * wrote, and the same plan. */
static void compare_form(const struct container *c, const struct facts *facts, const char *wanted_plan)
{
	struct container empty = { .name = c->name, .release = c->release };
	CLEANUP(free_p) char *conf = conf_of(c), *base = conf_of(&empty);
	CLEANUP(container_done) struct container typed = { 0 };
	CLEANUP(envfile_done) struct envfile env = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 }, json = { 0 };
	CLEANUP(plan_done) struct plan plan = { 0 };
	struct form f = { 0 };
	struct err e = { 0 };

	assert_true(envfile_parse("conf", conf, strlen(conf), &env, &e) >= 0);
	buf_puts(&text, base);
	form_open(&f, c->name, &text);
	for (size_t i = env.n; i-- > 0;)
		type_value(&f, env.v[i].key, env.v[i].value);
	assert_string_equal(buf_text(&f.text), conf);
	if (conf_read("conf", c->name, buf_text(&f.text), f.text.len, &typed, NULL, &e) < 0 ||
	    plan_build(&typed, facts, &plan, &e) < 0)
		fail_msg("%s: %s", compared, e.text);
	plan_json(&plan, &json);
	assert_string_equal(buf_text(&json), wanted_plan);
	form_close(&f);
}

/* Of a vector's option what says something: not a default, and not what another spelling says as well. */
static bool says_something(const json_t *value)
{
	return !json_is_null(value) && !json_is_false(value) &&
	       !(json_is_array(value) && json_array_size(value) == 0) &&
	       !(json_is_object(value) && json_object_size(value) == 0);
}

/* Every option of the vector is there again, by its name. */
static void compare_options(json_t *vector, const struct container *c)
{
	json_t *document = NULL, *options, *value;
	const char *option;

	assert_int_equal(export_document(&c, 1, &document, NULL), 0);
	options = json_object_get(json_object_get(document, "containers"), c->name);
	json_object_foreach(json_object_get(vector, "options"), option, value)
		if (says_something(value) && !json_object_get(options, option))
			fail_msg("%s: %s is not exported", compared, option);
	json_decref(document);
}

static void compare(json_t *vector, enum release release)
{
	const char *name = json_string_value(json_object_get(vector, "name"));
	const struct facts facts = {
		.is_32_bit = strcmp(json_string_value(json_object_get(vector, "system")), "i686-linux") == 0,
		.path = "/bin",
	};
	CLEANUP(imported_done) struct imported all = { 0 };
	CLEANUP(plan_done) struct plan plan = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	json_t *doc = json_pack("{s:{s:O}}", "containers", name, json_object_get(vector, "options")), *json;
	char *bytes = json_dumps(doc, 0);
	struct err e = { 0 };

	compared = name;
	if (import_json("doc", bytes, strlen(bytes), release, &all, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	compare_conf(vector, &all.v[0]);
	compare_export(&all.v[0]);
	compare_options(vector, &all.v[0]);
	compare_set(&all.v[0]);
	assert_int_equal(plan_build(&all.v[0], &facts, &plan, &e), 0);
	plan_json(&plan, &text);
	compare_form(&all.v[0], &facts, buf_text(&text));
	json = json_loads(buf_text(&text), 0, NULL);
	assert_non_null(json);
	compare_argv(vector, json);
	compare_prestart(vector, json);
	assert_same("prepare", json_object_get(vector, "prepare"), json_object_get(json, "prepare"));
	assert_same("init", json_object_get(vector, "init"), json_object_get(json, "init"));
	assert_same("poststart", json_object_get(vector, "poststart"), json_object_get(json, "poststart"));
	compare_unit(vector, json);
	compare_hosts(vector, json);
	json_decref(json);
	json_decref(doc);
	free(bytes);
}

static void every_vector_agrees(void **state)
{
	enum release release = (enum release)(uintptr_t)*state;
	char path[128], *line = NULL;
	size_t size = 0, n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), DIR "nixos-%s.jsonl", release_name(release));
	f = fopen(path, "re");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		json_t *vector = json_loads(line, 0, NULL);

		assert_non_null(vector);
		compare(vector, release);
		json_decref(vector);
		n++;
	}
	assert_true(n > 0);
	free(line);
	fclose(f);
}

#define RELEASE(r, text)                                                                                     \
	{                                                                                                    \
		"every_vector_of_" text "_agrees", every_vector_agrees, NULL, NULL, (void *)(uintptr_t)(r)   \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELEASE(RELEASE_2014, "2014"),       RELEASE(RELEASE_2020, "2020"),
		RELEASE(RELEASE_2021_04, "2021_04"), RELEASE(RELEASE_2021_05, "2021_05"),
		RELEASE(RELEASE_2021_11, "2021_11"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

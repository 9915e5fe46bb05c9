/* What the module virtualisation.containers does (PM-1 to PM-5), and what is known to be wrong with it (BUG-21, BUG-22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/import.h"
#include "decide/subids.h"
#include "words/name.h"

static int import(const char *options, struct imported *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	buf_addf(&text, "{\"virtualisation\": {\"containers\": {%s}}}", options);
	return import_json("in.json", buf_text(&text), text.len, RELEASE_DEFAULT, ret, e);
}

static void assert_refused(const char *options, const char *why)
{
	struct imported all = { 0 };
	struct err e = { 0 };

	if (import(options, &all, &e) == 0)
		fail_msg("accepted: %s", options);
	assert_int_equal(e.status, STATUS_DATA);
	assert_string_equal(e.text, why);
	assert_false(all.has_engines);
}

static void assert_registries(const char *options, enum registries_format format, const char *wanted)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	if (import(options, &all, &e) < 0)
		fail_msg("%s", e.text);
	virtualisation_registries(&all.engines, format, &text);
	assert_string_equal(buf_text(&text), wanted);
}

static void assert_policy(const char *options, const char *wanted)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	struct err e = { 0 };

	if (import(options, &all, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(virtualisation_policy(&all.engines), wanted);
}

/* users as JSON; what is in the files before and after; both of them have the same unless gids say otherwise */
struct ranges {
	const char *users;
	struct subids_known known;
	const char *uids, *gids;
};

static void assert_ranges(const struct ranges *t)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	CLEANUP(buf_done) struct buf options = { 0 }, uids = { 0 }, gids = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct subids_known known = {
		.subuid = t->known.subuid ? t->known.subuid : "",
		.subgid = t->known.subgid   ? t->known.subgid
		          : t->known.subuid ? t->known.subuid
		                            : "",
		.passwd = t->known.passwd ? t->known.passwd : "",
		.group = t->known.group ? t->known.group : "",
	};
	struct err e = { 0 };

	buf_addf(&options, "\"enable\": true, \"users\": %s", t->users);
	if (import(buf_text(&options), &all, &e) < 0)
		fail_msg("%s", e.text);
	if (subids_assign(&all.engines.users, &known, &uids, &gids, &warnings, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&uids), t->uids);
	assert_string_equal(buf_text(&gids), t->gids ? t->gids : t->uids);
}

/* ---- the seven facts */

static void pm1_without_enable_nothing_is_to_be_written(void **state)
{
	CLEANUP(imported_done) struct imported all = { 0 }, on = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(import("\"users\": [\"a\"], \"registries\": {\"search\": [\"x.io\"]}", &all, &e), 0);
	assert_true(all.has_engines);
	assert_false(all.engines.enable);
	assert_int_equal(import("\"enable\": true", &on, &e), 0);
	assert_true(on.engines.enable);
	assert_refused(
		"\"enable\": 1",
		"in.json: /virtualisation/containers/enable: must be true or false, but is an integer");
}

static void pm2_registries_are_three_tables_of_one_list_each(void **state)
{
	(void)state;
	assert_registries("\"enable\": true", REGISTRIES_V1,
	                  "[registries]\n"
	                  "[registries.block]\nregistries = []\n\n"
	                  "[registries.insecure]\nregistries = []\n\n"
	                  "[registries.search]\nregistries = [\"docker.io\", \"quay.io\"]\n");
	assert_registries(
		"\"registries\": {\"search\": [], \"insecure\": [\"b:5000\", \"a\\\"\\\\\", \"b:5000\"],"
		"\"block\": [\"c.example/d\"]}",
		REGISTRIES_V1,
		"[registries]\n"
		"[registries.block]\nregistries = [\"c.example/d\"]\n\n"
		"[registries.insecure]\nregistries = [\"b:5000\", \"a\\\"\\\\\", \"b:5000\"]\n\n"
		"[registries.search]\nregistries = []\n");
}

static void pm3_a_policy_is_its_json_and_none_is_skopeos(void **state)
{
	static const char skopeo[] =
		"{\n    \"default\": [\n        {\n            \"type\": "
		"\"insecureAcceptAnything\"\n        }\n    ],\n    \"transports\":\n        {\n"
		"            \"docker-daemon\":\n                {\n                    \"\": "
		"[{\"type\":\"insecureAcceptAnything\"}]\n                }\n        }\n}\n";

	(void)state;
	assert_policy("\"policy\": {\"transports\": {\"docker\": {\"\": []}}, \"default\": [ { \"type\": "
	              "\"reject\" } ]}",
	              "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"\":[]}}}");
	assert_policy("\"policy\": {}", skopeo);
	assert_policy("", skopeo);
}

static void pm4_user_number_i_gets_65536_ids_from_100000_on(void **state)
{
	(void)state;
	assert_ranges(&(struct ranges){
		.users = "[\"alice\", \"bob\", \"alice\", \"carol\", \"bob\"]",
		.uids = "alice:100000:65536\nbob:165536:65536\ncarol:231072:65536\n",
	});
	assert_ranges(&(struct ranges){ .users = "[]", .uids = "" });
}

static void pm5_registries_beside_confs_are_no_container(void **state)
{
	CLEANUP(imported_done) struct imported all = { 0 };
	static const char both[] =
		"{\"containers\": {\"web\": {}}, \"virtualisation\": {\"containers\": {\"enable\": true}}}";
	struct err e = { 0 };

	(void)state;
	assert_int_equal(import_json("in.json", both, strlen(both), RELEASE_DEFAULT, &all, &e), 0);
	assert_int_equal(all.n, 1);
	assert_true(all.engines.enable);
	assert_true(name_is_foreign_conf("registries"));
}

static void bug21_the_format_that_engines_take_today_says_the_same(void **state)
{
	(void)state;
	assert_registries("\"enable\": true", REGISTRIES_V2,
	                  "unqualified-search-registries = [\"docker.io\", \"quay.io\"]\n");
	assert_registries("\"registries\": {\"insecure\": [\"a:5000\", \"b/\", \"a:5000/\"], \"block\": "
	                  "[\"c\", \"b\", \"c\"]}",
	                  REGISTRIES_V2,
	                  "unqualified-search-registries = [\"docker.io\", \"quay.io\"]\n\n"
	                  "[[registry]]\nlocation = \"c\"\nblocked = true\n\n"
	                  "[[registry]]\nlocation = \"b\"\ninsecure = true\nblocked = true\n\n"
	                  "[[registry]]\nlocation = \"a:5000\"\ninsecure = true\n");
}

static void bug22_no_range_moves_and_none_overlaps(void **state)
{
	(void)state;
	/* another order, one less, one more */
	assert_ranges(&(struct ranges){
		.users = "[\"carol\", \"bob\", \"dave\"]",
		.known.subuid = "alice:100000:65536\nbob:165536:65536\ncarol:231072:65536\n",
		.uids = "alice:100000:65536\nbob:165536:65536\ncarol:231072:65536\ndave:296608:65536\n",
	});
	/* ranges of others, off the grid, one of gids alone, and no newline at the end */
	assert_ranges(&(struct ranges){
		.users = "[\"alice\", \"bob\", \"carol\"]",
		.known = { .subuid = "x:99990:11", .subgid = "y:300000:1" },
		.uids = "x:99990:11\nalice:165536:65536\nbob:231072:65536\ncarol:362144:65536\n",
		.gids = "y:300000:1\nalice:165536:65536\nbob:231072:65536\ncarol:362144:65536\n",
	});
}

/* ---- ranges */

static void ids_of_users_and_groups_are_not_given_away(void **state)
{
	(void)state;
	assert_ranges(&(struct ranges){
		.users = "[\"alice\", \"bob\"]",
		.known = { .passwd = "alice:x:1000:1000::/:/bin/sh\nbob:x:100500:100::/:/bin/sh\n",
	                   .group = "many:x:200000:\n" },
		.uids = "alice:231072:65536\nbob:296608:65536\n",
	});
}

static void a_range_by_uid_is_its_users_and_a_small_one_is_not_enough(void **state)
{
	(void)state;
	assert_ranges(&(struct ranges){
		.users = "[\"alice\", \"bob\"]",
		.known = { .subuid = "1000:500000:65536\nbob:1000000:1000\n",
	                   .passwd = "alice:x:1000:1000::/:\n" },
		.uids = "1000:500000:65536\nbob:1000000:1000\nbob:165536:65536\n",
	});
}

static void who_has_uids_alone_gets_the_same_gids(void **state)
{
	(void)state;
	assert_ranges(&(struct ranges){
		.users = "[\"alice\"]",
		.known = { .subuid = "alice:500000:65536\n", .subgid = "" },
		.uids = "alice:500000:65536\n",
		.gids = "alice:500000:65536\n",
	});
	assert_ranges(&(struct ranges){
		.users = "[\"alice\"]",
		.known = { .subuid = "alice:500000:65536\n", .subgid = "bob:500001:1\n" },
		.uids = "alice:500000:65536\n",
		.gids = "bob:500001:1\nalice:100000:65536\n",
	});
}

static void lines_that_say_nothing_stay_as_they_are(void **state)
{
	static const struct subids_known known = { .subuid = "# mine\n\na:b\nx:1:2:3\n:\nalice:100000:65536",
		                                   .subgid = "",
		                                   .passwd = "\n",
		                                   .group = "x" };
	CLEANUP(buf_done) struct buf uids = { 0 }, gids = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 }, users = { 0 };
	struct err e = { 0 };

	(void)state;
	strs_add(&users, "alice");
	assert_int_equal(subids_assign(&users, &known, &uids, &gids, &warnings, &e), 0);
	assert_string_equal(buf_text(&uids), known.subuid);
	assert_string_equal(buf_text(&gids), "alice:100000:65536\n");
	assert_int_equal(warnings.n, 5);
	assert_string_equal(warnings.v[0],
	                    "/etc/subuid:1: no line of NAME:START:COUNT: it stays, and is not looked at");
	assert_string_equal(warnings.v[4], "alice is no user in /etc/passwd: its ids wait for it");
}

static void when_all_ids_are_taken_nobody_gets_one(void **state)
{
	static const struct subids_known known = {
		.subuid = "all:0:4294967295\n", .subgid = "", .passwd = "", .group = ""
	};
	CLEANUP(buf_done) struct buf uids = { 0 }, gids = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 }, users = { 0 };
	struct err e = { 0 };

	(void)state;
	strs_add(&users, "alice");
	assert_int_equal(subids_assign(&users, &known, &uids, &gids, &warnings, &e), -28);
	assert_string_equal(e.text, "there are no 65536 ids left for alice");
}

/* ---- the way back */

/* options -> files -> options -> files */
static void assert_comes_back(const char *options, enum registries_format format)
{
	CLEANUP(imported_done) struct imported first = { 0 }, second = { 0 };
	CLEANUP(virtualisation_done) struct virtualisation read = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 }, again = { 0 }, uids = { 0 }, gids = { 0 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	const struct subids_known nobody = { "", "", "", "" };
	enum registries_format got;
	json_t *document = json_object();
	CLEANUP(free_p) char *exported = NULL;
	struct err e = { 0 };

	assert_int_equal(import(options, &first, &e), 0);
	virtualisation_registries(&first.engines, format, &text);
	assert_int_equal(subids_assign(&first.engines.users, &nobody, &uids, &gids, &warnings, &e), 0);
	if (virtualisation_read(&(struct virtualisation_files){ buf_text(&text),
	                                                        virtualisation_policy(&first.engines),
	                                                        buf_text(&uids), buf_text(&gids) },
	                        &read, &got, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(got, format);
	assert_int_equal(virtualisation_export(&read, document, &e), 0);
	exported = json_dumps(document, 0);
	json_decref(document);
	if (import_json("again.json", exported, strlen(exported), RELEASE_DEFAULT, &second, &e) < 0)
		fail_msg("%s", e.text);
	virtualisation_registries(&second.engines, format, &again);
	assert_string_equal(buf_text(&again), buf_text(&text));
	assert_string_equal(virtualisation_policy(&second.engines), virtualisation_policy(&first.engines));
	assert_true(strs_same(&second.engines.users, &first.engines.users));
	assert_true(second.engines.enable);
}

static void what_is_exported_is_imported_as_the_same_files(void **state)
{
	static const char *const vectors[] = {
		"\"enable\": true",
		"\"enable\": true, \"users\": [\"b\", \"a\", \"b\"]",
		"\"enable\": true, \"registries\": {\"search\": []}",
		"\"enable\": true, \"registries\": {\"search\": [\"a]\", \"b\\\"\\\\, c\"], \"insecure\": "
		"[\"x\", \"é\"]}",
		"\"enable\": true, \"registries\": {\"insecure\": [\"x\", \"y\"], \"block\": [\"y\", "
		"\"[registries.block]\"]}",
		"\"enable\": true, \"policy\": {\"default\": [{\"type\": \"reject\"}], \"n\": [1, 1.5, null, "
		"\"é\\n\"]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		assert_comes_back(vectors[i], REGISTRIES_V1);
		assert_comes_back(vectors[i], REGISTRIES_V2);
	}
}

static void what_no_import_writes_is_not_exported(void **state)
{
	static const char *const others[] = {
		"",
		"# mine\n",
		"unqualified-search-registries = [\"a\"]\nshort-name-mode = \"enforcing\"\n",
		"[registries]\n[registries.block]\nregistries = []\n",
		"unqualified-search-registries = [\"a\n",
		"location = \"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct virtualisation_files files = { others[i], "", "", "" };
		struct virtualisation v = { 0 };
		enum registries_format format;
		struct err e = { 0 };

		assert_int_equal(virtualisation_read(&files, &v, &format, &e), -22);
		assert_int_equal(e.status, STATUS_DATA);
	}
}

/* ---- mistakes */

static void what_is_wrong_is_named_by_its_json_path(void **state)
{
	struct imported all = { 0 };
	static const char other[] = "{\"virtualisation\": {\"podman\": {}}}";
	static const char list[] = "{\"virtualisation\": []}";
	struct err e = { 0 };

	(void)state;
	assert_refused("\"storage\": {}",
	               "in.json: /virtualisation/containers/storage: there is no such option");
	assert_refused("\"registries\": {\"mirror\": []}",
	               "in.json: /virtualisation/containers/registries/mirror: there is no such option");
	assert_refused("\"registries\": {\"search\": [\"a\", 1]}",
	               "in.json: /virtualisation/containers/registries/search/1: must be a string, but is an "
	               "integer");
	assert_refused("\"registries\": {\"block\": [\"https://x\"]}",
	               "in.json: /virtualisation/containers/registries/block/0: a registry is named by host "
	               "and path "
	               "alone, without http:// or https://");
	assert_refused("\"registries\": {\"insecure\": [\"a\\nb\"]}",
	               "in.json: /virtualisation/containers/registries/insecure/0: a control character "
	               "(0x0a) in the value");
	assert_refused("\"policy\": []",
	               "in.json: /virtualisation/containers/policy: must be an object, but is a list");
	assert_refused("\"users\": [\"a\", \"root:0:1\"]",
	               "in.json: /virtualisation/containers/users/1: 'root:0:1' can not be a user's name");
	assert_refused("\"users\": [\"1000\"]",
	               "in.json: /virtualisation/containers/users/0: '1000' can not be a user's name");
	assert_refused("\"users\": null",
	               "in.json: /virtualisation/containers/users: must be a list, but is null");
	assert_int_equal(import_json("in.json", other, strlen(other), RELEASE_DEFAULT, &all, &e), -22);
	assert_string_equal(e.text, "in.json: /virtualisation/podman: only \"containers\" is expected here");
	assert_int_equal(import_json("in.json", list, strlen(list), RELEASE_DEFAULT, &all, &e), -22);
	assert_string_equal(e.text, "in.json: /virtualisation: must be an object, but is a list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pm1_without_enable_nothing_is_to_be_written),
		cmocka_unit_test(pm2_registries_are_three_tables_of_one_list_each),
		cmocka_unit_test(pm3_a_policy_is_its_json_and_none_is_skopeos),
		cmocka_unit_test(pm4_user_number_i_gets_65536_ids_from_100000_on),
		cmocka_unit_test(pm5_registries_beside_confs_are_no_container),
		cmocka_unit_test(bug21_the_format_that_engines_take_today_says_the_same),
		cmocka_unit_test(bug22_no_range_moves_and_none_overlaps),
		cmocka_unit_test(ids_of_users_and_groups_are_not_given_away),
		cmocka_unit_test(a_range_by_uid_is_its_users_and_a_small_one_is_not_enough),
		cmocka_unit_test(who_has_uids_alone_gets_the_same_gids),
		cmocka_unit_test(lines_that_say_nothing_stay_as_they_are),
		cmocka_unit_test(when_all_ids_are_taken_nobody_gets_one),
		cmocka_unit_test(what_is_exported_is_imported_as_the_same_files),
		cmocka_unit_test(what_no_import_writes_is_not_exported),
		cmocka_unit_test(what_is_wrong_is_named_by_its_json_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

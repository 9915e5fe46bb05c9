/* A conf as a form: what is typed becomes the same text that set and import make. */
#include "sample.h"

#include <errno.h>

#include "decide/fields.h"
#include "ui/form.h"

static void open_form(struct form *f, const char *text)
{
	CLEANUP(buf_done) struct buf b = { 0 };

	*f = (struct form){ 0 };
	buf_puts(&b, text);
	form_open(f, "web", &b);
}

static size_t field_of(const char *key)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	struct form f;
	size_t found = SIZE_MAX;

	open_form(&f, "");
	form_rows(&f, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.v[i].kind != FORM_GROUP && strcmp(form_key(rows.v[i].field), key) == 0)
			found = rows.v[i].field;
	form_close(&f);
	if (found == SIZE_MAX)
		fail_msg("the form has no %s", key);
	return found;
}

static void set(struct form *f, const char *key, size_t item, const char *value)
{
	struct err e;

	if (form_set(f, field_of(key), item, value, &e) < 0)
		fail_msg("%s", e.text);
}

static void every_key_of_a_conf_is_in_the_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].key)
			(void)field_of(fields[i].key);
}

static void a_value_is_typed_changed_and_taken_out(void **state)
{
	struct form f;

	(void)state;
	open_form(&f, "# mine\nPRIVATE_NETWORK=1\n");
	assert_false(form_is_dirty(&f));
	set(&f, "HOST_ADDRESS", 0, "10.0.0.1");
	assert_string_equal(buf_text(&f.text), "# mine\nPRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\n");
	assert_true(form_is_dirty(&f));
	set(&f, "HOST_ADDRESS", 0, "10.0.0.2");
	set(&f, "PRIVATE_NETWORK", 0, NULL);
	assert_string_equal(buf_text(&f.text), "# mine\nHOST_ADDRESS=10.0.0.2\n");
	form_close(&f);
}

static void a_list_is_edited_item_by_item(void **state)
{
	struct form f;

	(void)state;
	open_form(&f, "# mine\nHOST_PORT=80,443\n");
	set(&f, "HOST_PORT", 1, "8443:443");
	set(&f, "HOST_PORT", 2, "udp:53");
	assert_string_equal(buf_text(&f.text), "# mine\nHOST_PORT=80,8443:443,udp:53\n");
	set(&f, "HOST_PORT", 0, "");
	assert_string_equal(buf_text(&f.text), "# mine\nHOST_PORT=8443:443,udp:53\n");
	set(&f, "EXTRA_NSPAWN_FLAGS", 0, "--bind=/srv/a b");
	set(&f, "EXTRA_NSPAWN_FLAGS", 1, "--quiet");
	set(&f, "EXTRA_NSPAWN_FLAGS", 0, "--bind=/srv/c d");
	assert_non_null(strstr(buf_text(&f.text), "/srv/c d"));
	assert_null(strstr(buf_text(&f.text), "/srv/a b"));
	set(&f, "HOST_PORT", 0, NULL);
	set(&f, "HOST_PORT", 0, NULL);
	assert_null(strstr(buf_text(&f.text), "HOST_PORT"));
	form_close(&f);
}

static void what_a_start_refuses_is_said_while_it_is_typed(void **state)
{
	struct form f;
	struct err e;

	(void)state;
	open_form(&f, "PRIVATE_NETWORK=1\n");
	assert_int_equal(form_try(&f, field_of("HOST_ADDRESS"), 0, "10.0.0.", &e), -EINVAL);
	assert_non_null(strstr(e.text, "HOST_ADDRESS"));
	assert_int_equal(form_try(&f, field_of("HOST_ADDRESS"), 0, "10.0.0.1", &e), 0);
	assert_int_equal(form_try(&f, field_of("HOST_PORT"), 0, "70000", &e), -EINVAL);
	assert_false(form_is_dirty(&f));
	form_close(&f);
}

static void choices_go_round_among_those_that_begin_alike(void **state)
{
	struct form f;
	size_t bridge = field_of("HOST_BRIDGE");

	(void)state;
	open_form(&f, "");
	strs_split(&f.choices[CHOICE_BRIDGE], "br0 br1 lan", " ");
	assert_string_equal(form_complete(&f, bridge, "", ""), "br0");
	assert_string_equal(form_complete(&f, bridge, "", "br0"), "br1");
	assert_string_equal(form_complete(&f, bridge, "", "lan"), "br0");
	assert_string_equal(form_complete(&f, bridge, "b", "br1"), "br0");
	assert_null(form_complete(&f, bridge, "x", "x"));
	form_close(&f);
}

static void a_path_of_the_host_is_completed_up_to_its_last_folder(void **state)
{
	size_t flags = field_of("EXTRA_NSPAWN_FLAGS"), begin = 99;

	(void)state;
	assert_int_equal(form_folder(field_of("SYSTEM_PATH"), "/nix/store/ab", &begin), 11);
	assert_int_equal(begin, 0);
	assert_int_equal(form_folder(flags, "--bind=/srv/a", &begin), 12);
	assert_int_equal(begin, 7);
	assert_int_equal(form_folder(flags, "--bind=/", &begin), 8);
	assert_int_equal(form_folder(flags, "--bind=/srv:/in", &begin), 0); /* the container's */
	assert_int_equal(form_folder(flags, "--bind", &begin), 0);
	assert_int_equal(form_folder(flags, "--bind=srv/", &begin), 0);
	assert_int_equal(form_folder(field_of("INIT"), "/sbin/", &begin), 0);
}

static void a_field_that_takes_a_path_begins_with_what_it_can_begin_with(void **state)
{
	size_t flags = field_of("EXTRA_NSPAWN_FLAGS");
	struct form f;

	(void)state;
	open_form(&f, "");
	strs_split(&f.choices[CHOICE_FLAG], "--bind=/ --bind-ro=/", " ");
	strs_split(&f.choices[CHOICE_PATH], "--bind=/srv/", " ");
	assert_string_equal(form_complete(&f, flags, "", ""), "--bind=/");
	assert_string_equal(form_complete(&f, flags, "--bi", "--bind=/"), "--bind-ro=/");
	assert_string_equal(form_complete(&f, flags, "--bind=/s", "--bind=/s"), "--bind=/srv/");
	form_close(&f);
}

/* A line each: what comes of it in systemd-nspawn, in the unit, or in the network. */
static void each_field_says_what_becomes_of_it(void **state)
{
	static const char *const effects[] = { "nspawn", "unit", "(ip ", "nftables" };

	(void)state;
	for (size_t i = 0; i < FIELDS; i++) {
		const char *help = fields[i].key ? form_help(field_of(fields[i].key)) : NULL;
		bool said = !help;

		for (size_t k = 0; help && k < COUNT(effects); k++)
			said = said || strstr(help, effects[k]);
		if (!said)
			fail_msg("%s: '%s' names no effect", fields[i].key, help);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_a_conf_is_in_the_form),
		cmocka_unit_test(a_value_is_typed_changed_and_taken_out),
		cmocka_unit_test(a_list_is_edited_item_by_item),
		cmocka_unit_test(what_a_start_refuses_is_said_while_it_is_typed),
		cmocka_unit_test(choices_go_round_among_those_that_begin_alike),
		cmocka_unit_test(a_path_of_the_host_is_completed_up_to_its_last_folder),
		cmocka_unit_test(a_field_that_takes_a_path_begins_with_what_it_can_begin_with),
		cmocka_unit_test(each_field_says_what_becomes_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

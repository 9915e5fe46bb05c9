#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/input.h"
#include "ui/keymap.h"

static void set(struct keymap *k, const char *action, const char *keys)
{
	struct err e = { 0 };

	if (keymap_set(k, action, keys, "machdeck.conf", 7, &e) < 0)
		fail_msg("%s", e.text);
}

static void assert_refused(const char *action, const char *keys, const char *why)
{
	struct keymap k = { 0 };
	struct err e = { 0 };

	assert_int_equal(keymap_set(&k, action, keys, NULL, 0, &e), -EINVAL);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
}

static void names_of_keys_are_known(void **state)
{
	static const struct {
		const char *name;
		int key;
	} known[] = {
		{ "x", 'x' },
		{ "Space", ' ' },
		{ "Del", INPUT_DELETE },
		{ "BackTab", INPUT_BACKTAB },
		{ "F12", INPUT_F12 },
		{ "C-x", 24 },
		{ "C-h", INPUT_BACKSPACE },
		{ "C-j", INPUT_ENTER },
		{ "F13", INPUT_NONE },
		{ "Return", INPUT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		assert_int_equal(keys_parse(known[i].name, strlen(known[i].name)), known[i].key);
}

static void no_key_of_the_table_means_two_things_on_a_screen(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct keymap k = { 0 };

	(void)state;
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		set(&k, keys_binding(a)->name, keys_binding(a)->keys);
	keymap_settle(&k, &warnings);
	if (warnings.n > 0)
		fail_msg("%s", warnings.v[0]);
}

static void an_action_gets_the_keys_that_were_set_and_no_others(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct keymap k = { 0 };
	char first[KEY_TEXT_MAX];

	(void)state;
	set(&k, "stop", "  F7   Del ");
	keymap_settle(&k, &warnings);
	assert_int_equal(warnings.n, 0);
	assert_string_equal(keymap_keys(&k, ACTION_STOP), "F7 Del");
	keymap_install(&k);
	assert_int_equal(keys_action(SCREEN_LIST, INPUT_DELETE), ACTION_STOP);
	assert_int_equal(keys_action(SCREEN_LIST, 'x'), ACTION_NONE);
	keys_first(ACTION_STOP, first);
	assert_string_equal(first, "F7");
	keymap_install(&(struct keymap){ 0 });
	assert_int_equal(keys_action(SCREEN_LIST, 'x'), ACTION_STOP);
}

static void two_actions_can_change_their_keys(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct keymap k = { 0 };

	(void)state;
	set(&k, "STOP", "R");
	set(&k, "RESTART", "x");
	keymap_settle(&k, &warnings);
	assert_int_equal(warnings.n, 0);
}

static void a_clash_names_both_actions_and_the_set_one_goes_back(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct keymap k = { 0 };

	(void)state;
	set(&k, "STOP", "R");
	keymap_settle(&k, &warnings);
	assert_int_equal(warnings.n, 1);
	assert_string_equal(
		warnings.v[0],
		"machdeck.conf:7: the key 'R' can not mean both STOP and RESTART: STOP keeps 'x'");
	assert_string_equal(keymap_keys(&k, ACTION_STOP), "x");
}

static void clashes_come_to_an_end_whatever_was_set(void **state)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct keymap k = { 0 };
	size_t warned;

	(void)state;
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		set(&k, keys_binding(a)->name, keys_binding(a)->screens & SCREEN_PROMPT ? "F9" : "a F9");
	keymap_settle(&k, &warnings);
	assert_true(warnings.n > 0 && warnings.n < ACTION_COUNT);
	warned = warnings.n;
	keymap_settle(&k, &warnings);
	assert_int_equal(warnings.n, warned); /* nothing was left */
}

static void what_would_make_a_trap_is_refused(void **state)
{
	(void)state;
	assert_refused("DANCE", "d", "there is no action 'DANCE'");
	assert_refused("STOP", "x Foo", "there is no key 'Foo'");
	assert_refused("QUIT", "", "QUIT must have a key");
	assert_refused("NO", "  ", "NO must have a key");
	assert_refused("YES", "Enter", "pressed without reading");
	assert_refused("YES", "Space", "pressed without reading");
	assert_refused("ACCEPT", "a", "typed in a prompt");
	assert_refused("STOP", "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 PgUp PgDn Home End Left Right Up",
	               "too many");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_keys_are_known),
		cmocka_unit_test(no_key_of_the_table_means_two_things_on_a_screen),
		cmocka_unit_test(an_action_gets_the_keys_that_were_set_and_no_others),
		cmocka_unit_test(two_actions_can_change_their_keys),
		cmocka_unit_test(a_clash_names_both_actions_and_the_set_one_goes_back),
		cmocka_unit_test(clashes_come_to_an_end_whatever_was_set),
		cmocka_unit_test(what_would_make_a_trap_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The generations of a profile of Nix's: read from its folder, and switched. */
#include "tests/unit/faketree.h"

#include "base/gate.h"
#include "drivers/profile.h"

#define FOLDER "/nix/var/nix/profiles/per-container/web"

static struct profile profile;
static struct err err;

static void link_to(const char *target, const char *leaf)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s" FOLDER "/%s", fake_root, leaf);
	(void)unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void read_it(void)
{
	profile_done(&profile);
	if (profile_read(fake_root, FOLDER, &profile, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	int r = faketree_new(state);

	put(FOLDER "/other", "");
	link_to("/nix/store/c", "system-10-link");
	link_to("/nix/store/a", "system-1-link");
	link_to("/nix/store/b", "system-9-link");
	link_to("system-9-link", "system");
	return r;
}

static int tear_down(void **state)
{
	profile_done(&profile);
	return faketree_end(state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void generations_are_sorted_by_their_number(void **state)
{
	(void)state;
	read_it();
	assert_int_equal(profile.n, 3);
	assert_int_equal(profile.v[0].number, 1);
	assert_int_equal(profile.v[1].number, 9);
	assert_int_equal(profile.v[2].number, 10);
	assert_string_equal(profile.v[2].system, "/nix/store/c");
	assert_true(profile.v[2].made_usec > 1600000000000000);
	assert_int_equal(profile_current(&profile)->number, 9);
	assert_int_equal(profile_before(&profile)->number, 1);
	assert_null(profile_find(&profile, 2));
}

static void what_only_looks_like_a_generation_is_none(void **state)
{
	static const char *const names[] = { "system-0-link",
		                             "system-01-link",
		                             "system-1-link2",
		                             "system--1-link",
		                             "system-99999999999-link",
		                             "system-1",
		                             "system-link",
		                             "other-2-link",
		                             "system-33333333333333333333333333333333-link",
		                             "system-1-link-",
		                             "system- 2-link" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		link_to("/nix/store/x", names[i]);
	put(FOLDER "/system-4-link", "a file");
	read_it();
	assert_int_equal(profile.n, 3);
}

static void a_profile_that_leads_elsewhere_has_no_current_one(void **state)
{
	(void)state;
	link_to("/nix/store/b", "system");
	read_it();
	assert_null(profile_current(&profile));
	assert_null(profile_before(&profile));
	link_to(FOLDER "/system-10-link", "system");
	read_it();
	assert_int_equal(profile_current(&profile)->number, 10);
}

static void a_switch_replaces_the_link_and_leaves_nothing(void **state)
{
	char path[512], target[64] = "";

	(void)state;
	link_to("left", ".system.machdeck");
	assert_int_equal(profile_switch(fake_root, FOLDER, 1, &err), 0);
	(void)snprintf(path, sizeof(path), "%s" FOLDER "/system", fake_root);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "system-1-link");
	(void)snprintf(path, sizeof(path), "%s" FOLDER "/.system.machdeck", fake_root);
	assert_int_equal(access(path, F_OK), -1);
	read_it();
	assert_int_equal(profile_current(&profile)->number, 1);
	assert_null(profile_before(&profile));
}

static void a_closed_gate_lets_no_switch_through(void **state)
{
	(void)state;
	gate_close("you started it with --read-only");
	assert_int_equal(profile_switch(fake_root, FOLDER, 1, &err), -EPERM);
	gate_open();
	read_it();
	assert_int_equal(profile_current(&profile)->number, 9);
}

static void a_profile_that_is_not_there_is_said_to_be_missing(void **state)
{
	(void)state;
	assert_int_equal(profile_read(fake_root, FOLDER "x", &profile, &err), -ENOENT);
	assert_int_equal(err.status, STATUS_NO_CONTAINER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(generations_are_sorted_by_their_number),
		T(what_only_looks_like_a_generation_is_none),
		T(a_profile_that_leads_elsewhere_has_no_current_one),
		T(a_switch_replaces_the_link_and_leaves_nothing),
		T(a_closed_gate_lets_no_switch_through),
		T(a_profile_that_is_not_there_is_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

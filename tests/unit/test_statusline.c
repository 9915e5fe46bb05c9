#include "decide/statusline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define NOW 1700000000000000ull

static struct machine machines[24];
static struct snapshot s;

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < s.n; i++)
		machine_done(&s.v[i]);
	s = (struct snapshot){ 0 };
	return 0;
}

static struct machine *add(const char *name, enum machine_state state)
{
	struct machine *m = &machines[s.n++];

	s.v = machines;
	s.taken_usec = NOW;
	*m = (struct machine){ .name = strdup(name), .state = state, .since_usec = NOW - 4000000 };
	return m;
}

/* The twelve of an everyday evening. */
static void everyday(void)
{
	static const char *const up[] = {
		"chat", "db", "dns", "git", "proxy", "registry", "web-01", "web-02"
	};

	add("build", MACHINE_STARTING);
	add("cache", MACHINE_FAILED)->cause = "oom-kill";
	add("lab", MACHINE_STOPPED);
	strs_add(&add("mail", MACHINE_RUNNING)->guest_failed, "rspamd.service");
	machines[3].cause = "guest-unit";
	for (size_t i = 0; i < COUNT(up); i++)
		add(up[i], MACHINE_RUNNING);
}

static const char *line(size_t width, bool tmux)
{
	static char text[512];
	CLEANUP(buf_done) struct buf b = { 0 };

	statusline(&s, width, tmux, &b);
	assert_false(b.bad);
	(void)snprintf(text, sizeof(text), "%s", buf_text(&b));
	return text;
}

static void the_counts_are_followed_by_who_is_not_well(void **state)
{
	(void)state;
	everyday();
	assert_string_equal(line(80, false), "12m 8+ 1* 1~ 1! 1-  cache:oom-kill  mail:guest-unit  build 4s");
	assert_false(statusline_is_well(&s));
}

static void the_narrower_the_less_is_said_and_what_failed_goes_last(void **state)
{
	(void)state;
	everyday();
	assert_string_equal(line(50, false), "12m 8+ 1* 1~ 1! 1-  cache:oom-kill  mail  build 4s");
	assert_string_equal(line(40, false), "12m 8+ 1* 1~ 1! 1-  cache:oom-kill  mail");
	assert_string_equal(line(38, false), "12m 8+ 1* 1~ 1! 1-  cache:oom-kill +2");
	assert_string_equal(line(25, false), "12m 8+ 1* 1~ 1! 1-  cache");
	assert_string_equal(line(20, false), "1! cache:oom-kill");
	assert_string_equal(line(10, false), "1! cache");
	assert_string_equal(line(6, false), "1! cac");
	assert_string_equal(line(3, false), "1!");
	assert_string_equal(line(1, false), "!");
}

static void no_width_is_exceeded(void **state)
{
	(void)state;
	everyday();
	add("averyveryveryveryveryveryveryverylongname", MACHINE_GHOST);
	for (size_t width = 0; width < 200; width++)
		assert_true(strlen(line(width, false)) <= width);
}

static void what_is_frozen_is_told_and_no_fault(void **state)
{
	(void)state;
	add("web", MACHINE_RUNNING);
	add("cold", MACHINE_RUNNING)->frozen = true;
	assert_string_equal(line(80, false), "2m 1+ 1=  cold:frozen");
	assert_true(statusline_is_well(&s));
}

static void only_what_failed_is_red_in_tmux(void **state)
{
	(void)state;
	everyday();
	assert_string_equal(line(38, true), "12m 8+ 1* 1~ #[fg=red]1!#[default] 1-  "
	                                    "#[fg=red]cache:oom-kill#[default] +2");
}

static void a_sign_of_tmux_in_a_name_is_escaped(void **state)
{
	(void)state;
	add("a#[fg=green]b", MACHINE_FAILED);
	assert_string_equal(line(80, true),
	                    "1m #[fg=red]1!#[default]  #[fg=red]a##[fg=green]b:failed#[default]");
}

static void all_well_says_so(void **state)
{
	(void)state;
	add("web", MACHINE_RUNNING);
	add("lab", MACHINE_STOPPED);
	assert_string_equal(line(80, false), "2m 1+ 1-");
	assert_string_equal(line(4, false), "2m");
	assert_string_equal(line(1, false), "+");
	assert_true(statusline_is_well(&s));
}

static void what_is_not_known_is_not_well(void **state)
{
	static char lost[] = "the bus is gone";

	(void)state;
	add("web", MACHINE_UNKNOWN);
	assert_string_equal(line(80, false), "1m 1?");
	assert_false(statusline_is_well(&s));
	machines[0].state = MACHINE_RUNNING;
	assert_true(statusline_is_well(&s));
	s.stale = lost;
	assert_string_equal(line(80, false), "1m 1+ old");
	assert_false(statusline_is_well(&s));
}

static void what_is_tried_again_and_again_has_failed_all_along(void **state)
{
	(void)state;
	add("web", MACHINE_RESTARTING)->cause = "guest-exit";
	assert_string_equal(line(80, false), "1m 1!  web:restarting");
	machines[0].state = MACHINE_STARTING;
	machines[0].cause = NULL;
	machines[0].tried_again = true;
	assert_string_equal(line(80, false), "1m 1!  web:restarting");
	assert_false(statusline_is_well(&s));
}

static void a_conf_that_can_not_be_used_has_failed(void **state)
{
	(void)state;
	add("web", MACHINE_STOPPED)->bad_conf = true;
	machines[0].cause = "bad-conf";
	assert_string_equal(line(80, false), "1m 1!  web:bad-conf");
}

static void no_machines_are_well(void **state)
{
	(void)state;
	assert_string_equal(line(80, false), "0m");
	assert_true(statusline_is_well(&s));
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_counts_are_followed_by_who_is_not_well),
		TEST(the_narrower_the_less_is_said_and_what_failed_goes_last),
		TEST(no_width_is_exceeded),
		TEST(what_is_frozen_is_told_and_no_fault),
		TEST(only_what_failed_is_red_in_tmux),
		TEST(a_sign_of_tmux_in_a_name_is_escaped),
		TEST(all_well_says_so),
		TEST(what_is_not_known_is_not_well),
		TEST(what_is_tried_again_and_again_has_failed_all_along),
		TEST(a_conf_that_can_not_be_used_has_failed),
		TEST(no_machines_are_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

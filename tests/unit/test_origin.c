#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/origin.h"

static const struct facts no_facts = { .path = "/usr/bin:/bin" };

static struct origins origins_of(const char *conf)
{
	struct origins o = { 0 };
	struct err e = { 0 };

	if (origins_find("web.conf", "web", conf, strlen(conf), &no_facts, &o, &e) < 0)
		fail_msg("%s", e.text);
	return o;
}

static void each_key_becomes_what_the_plan_lacks_without_it(void **state)
{
	CLEANUP(origins_done)
	struct origins o = origins_of("PRIVATE_NETWORK=1\n"
	                              "HOST_ADDRESS=10.231.136.1\n"
	                              "LOCAL_ADDRESS=10.231.136.2\n"
	                              "\n# the port\n"
	                              "HOST_PORT=tcp:8080:80\n");

	(void)state;
	assert_int_equal(o.n, 4);
	assert_int_equal(o.v[3].line, 6);
	assert_int_equal(o.v[3].kind, ORIGIN_KEY);
	assert_true(strs_has(&o.v[3].becomes, "--port=tcp:8080:80"));
	assert_true(strs_has(&o.v[1].becomes, "host: ip addr add 10.231.136.1 dev ve-web"));
	assert_false(strs_has(&o.v[2].becomes, "--port=tcp:8080:80"));
}

static void a_key_the_rest_needs_shows_what_it_does_alone(void **state)
{
	CLEANUP(origins_done)
	struct origins o = origins_of("PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nHOST_PORT=tcp:8080:80\n");

	(void)state;
	assert_int_equal(o.v[0].kind, ORIGIN_KEY);
	assert_true(o.v[0].becomes.n > 0);
}

static void an_unknown_key_does_nothing(void **state)
{
	CLEANUP(origins_done) struct origins o = origins_of("NO_SUCH_KEY=1\n");

	(void)state;
	assert_int_equal(o.n, 1);
	assert_int_equal(o.v[0].kind, ORIGIN_UNKNOWN);
	assert_int_equal(o.v[0].becomes.n, 0);
}

static void only_the_last_of_a_key_that_is_set_twice_counts(void **state)
{
	CLEANUP(origins_done) struct origins o = origins_of("AUTO_START=0\nAUTO_START=1\n");

	(void)state;
	assert_int_equal(o.v[0].kind, ORIGIN_AGAIN);
	assert_int_equal(o.v[0].becomes.n, 0);
	assert_int_equal(o.v[1].kind, ORIGIN_KEY);
	assert_true(o.v[1].becomes.n > 0);
}

static void of_a_conf_that_can_not_be_used_only_the_lines_are_known(void **state)
{
	CLEANUP(origins_done) struct origins o = origins_of("AUTO_START=1\nHOST_ADDRESS=10.0.0.300\n");

	(void)state;
	assert_int_equal(o.n, 2);
	assert_int_equal(o.v[1].line, 2);
	assert_int_equal(o.v[0].becomes.n + o.v[1].becomes.n, 0);
}

static void what_is_no_text_of_assignments_is_refused(void **state)
{
	static const char conf[] = "AUTO_START=\"1\n";
	struct origins o = { .n = 7 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(origins_find("web.conf", "web", conf, sizeof(conf) - 1, &no_facts, &o, &e), -EINVAL);
	assert_int_equal(o.n, 7);
	assert_non_null(strstr(e.text, "web.conf:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_becomes_what_the_plan_lacks_without_it),
		cmocka_unit_test(a_key_the_rest_needs_shows_what_it_does_alone),
		cmocka_unit_test(an_unknown_key_does_nothing),
		cmocka_unit_test(only_the_last_of_a_key_that_is_set_twice_counts),
		cmocka_unit_test(of_a_conf_that_can_not_be_used_only_the_lines_are_known),
		cmocka_unit_test(what_is_no_text_of_assignments_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

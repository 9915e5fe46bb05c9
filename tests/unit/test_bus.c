#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/systemd1.h"

struct seen {
	bool up, down, answered;
	sd_bus *bus;
	struct err e;
};

static void on_changed(sd_bus *bus, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->bus = bus;
	s->up = bus != NULL;
	s->down = !bus;
	if (!bus)
		s->e = *e;
}

static void nobody_listening_is_told_at_once(void **state)
{
	struct systemd1 systemd;
	struct seen s = { 0 };
	struct bus *b;
	struct err e;

	(void)state;
	systemd1_up(&systemd, false);
	OK(bus_new(systemd.loop, BUS_SYSTEMD, on_changed, &s, &b, &e));
	assert_false(s.down);
	systemd1_run(&systemd, &s.down);
	assert_int_equal(s.e.status, STATUS_UNAVAILABLE);
	assert_string_equal(s.e.text, "cannot connect to systemd: No such file or directory");
	bus_free(b);
	systemd1_down(&systemd);
}

static void one_that_never_answers_is_given_up_after_three_seconds(void **state)
{
	struct systemd1 systemd;
	struct seen s = { 0 };
	struct bus *b;
	struct err e;

	(void)state;
	systemd1_up(&systemd, true);
	OK(sd_event_source_set_enabled(systemd.listener,
	                               SD_EVENT_OFF)); /* the kernel accepts, nobody reads */
	OK(bus_new(systemd.loop, BUS_SYSTEMD, on_changed, &s, &b, &e));
	systemd1_run(&systemd, &s.down);
	assert_string_equal(s.e.text, "systemd does not answer");
	bus_free(b);
	systemd1_down(&systemd);
}

static void a_loop_that_ends_waits_for_nobody(void **state)
{
	struct systemd1 systemd;
	struct seen s = { 0 };
	struct bus *b;
	struct err e;

	(void)state;
	systemd1_up(&systemd, true);
	OK(sd_event_source_set_enabled(systemd.listener, SD_EVENT_OFF));
	OK(bus_new(systemd.loop, BUS_SYSTEMD, on_changed, &s, &b, &e));
	OK(sd_event_run(systemd.loop, BUS_SECOND)); /* it connects */
	OK(sd_event_exit(systemd.loop, 0));
	(void)alarm(30);
	OK(sd_event_loop(systemd.loop));
	(void)alarm(0);
	assert_false(s.up);
	bus_free(b);
	systemd1_down(&systemd);
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	struct seen *s = arg;

	(void)unused;
	s->answered = true;
	(void)bus_refused(sd_bus_message_get_error(m), &s->e, "asking");
	return 0;
}

static void a_call_ends_at_its_own_deadline(void **state)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct systemd1 systemd;
	struct seen s = { 0 };
	struct bus *b;
	struct err e;

	(void)state;
	systemd1_up(&systemd, true);
	systemd.mute = true;
	OK(bus_new(systemd.loop, BUS_SYSTEMD, on_changed, &s, &b, &e));
	systemd1_run(&systemd, &s.up);
	OK(sd_bus_message_new_method_call(s.bus, &m, "x.y", "/x", "x.y", "Z"));
	OK(sd_bus_message_append(m, "s", "a"));
	OK(bus_call(s.bus, m, BUS_SECOND / 20, on_answer, &s, NULL, &e));
	systemd1_run(&systemd, &s.answered);
	assert_int_equal(s.e.status, STATUS_DEADLINE);
	assert_string_equal(s.e.text, "asking: Method call timed out");
	bus_free(b);
	systemd1_down(&systemd);
}

static void each_kind_of_refusal_has_its_status(void **state)
{
	static const struct {
		const char *name;
		enum status status;
		int r;
	} cases[] = {
		{ SD_BUS_ERROR_ACCESS_DENIED, STATUS_NOT_PERMITTED, -EACCES },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, STATUS_NOT_PERMITTED, -EACCES },
		{ SD_BUS_ERROR_SERVICE_UNKNOWN, STATUS_UNAVAILABLE, -EHOSTUNREACH },
		{ SD_BUS_ERROR_NO_REPLY, STATUS_UNAVAILABLE, -ECONNRESET },
		{ "org.freedesktop.systemd1.NoSuchUnit", STATUS_NO_CONTAINER, -ENOENT },
		{ "org.freedesktop.systemd1.UnitMasked", STATUS_FAILED, -EREMOTEIO },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const sd_bus_error answer = SD_BUS_ERROR_MAKE_CONST(cases[i].name, "so it is");
		struct err e;

		assert_int_equal(bus_refused(&answer, &e, "web"), cases[i].r);
		assert_int_equal(e.status, cases[i].status);
		assert_string_equal(e.text, "web: so it is");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_listening_is_told_at_once),
		cmocka_unit_test(one_that_never_answers_is_given_up_after_three_seconds),
		cmocka_unit_test(a_loop_that_ends_waits_for_nobody),
		cmocka_unit_test(a_call_ends_at_its_own_deadline),
		cmocka_unit_test(each_kind_of_refusal_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

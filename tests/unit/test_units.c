#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "drivers/units.h"
#include "tests/unit/systemd1.h"

struct seen {
	struct systemd1 systemd;
	struct units *units;
	bool up, down, answered;
	unsigned n_up, n_down, n_states;
	int r;
	struct err e;
	size_t n;
	char text[512]; /* what was told, one line each */
};

static void note(struct seen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct seen *s, const char *format, ...)
{
	size_t at = strlen(s->text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(s->text + at, sizeof(s->text) - at, format, args);
	va_end(args);
}

static void on_event(const struct units_event *event, void *arg)
{
	struct seen *s = arg;

	switch (event->change) {
	case UNITS_UP:
		s->up = true;
		s->n_up++;
		break;
	case UNITS_DOWN:
		s->down = true;
		s->up = false;
		s->n_down++;
		s->e = *event->e;
		break;
	case UNITS_STATE:
		s->n_states++;
		if (event->unit->has_state)
			note(s, "%s %s %s\n", event->unit->name, event->unit->active, event->unit->sub);
		if (event->unit->has_service)
			note(s, "%s result %s\n", event->unit->name, event->unit->result);
		break;
	case UNITS_JOB_REMOVED:
		note(s, "%s job %s\n", event->unit->name, event->result);
		break;
	case UNITS_GONE:
	case UNITS_JOB_NEW:
	case UNITS_RELOADED:
		break;
	}
}

static int up(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));
	struct err e;

	systemd1_up(&s->systemd, true);
	OK(units_new(s->systemd.loop, on_event, s, &s->units, &e));
	systemd1_run(&s->systemd, &s->up);
	*state = s;
	return 0;
}

static int down(void **state)
{
	struct seen *s = *state;

	units_free(s->units);
	systemd1_down(&s->systemd);
	free(s);
	return 0;
}

static void on_list(int r, const struct unit *v, size_t n, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->answered = true;
	s->r = r;
	s->n = n;
	if (r < 0)
		s->e = *e;
	for (size_t i = 0; i < n; i++)
		note(s, "%s %s %s %s\n", v[i].name, v[i].active, v[i].sub, v[i].job ? v[i].job : "-");
}

static void on_get(int r, const struct unit *u, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->answered = true;
	s->r = r;
	if (r < 0)
		s->e = *e;
	else
		note(s, "%s %s %s %.4s %s %u %d %s %d %ju", u->name, u->active, u->result, u->invocation,
		     u->status_text, u->n_restarts, u->main_status, u->failed_phase ? u->failed_phase : "-",
		     u->failed_status, (uintmax_t)u->start_timeout_usec);
}

static void on_done(int r, const char *job, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->answered = true;
	s->r = r;
	if (r < 0)
		s->e = *e;
	note(s, "%s\n", job ? job : "-");
}

static void the_list_has_states_and_jobs(void **state)
{
	struct seen *s = *state;
	struct err e;

	OK(units_list(s->units, on_list, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->r, 0);
	assert_string_equal(s->text,
	                    "container@db.service active running -\n"
	                    "container@web.service activating start /org/freedesktop/systemd1/job/9\n");
}

static void one_unit_is_told_with_the_phase_that_failed(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.active = "failed";
	s->systemd.result = "exit-code";
	s->systemd.post_status = 75;
	s->systemd.status_text = "Container running: Ready.";
	OK(units_get(s->units, "container@web.service", on_get, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_string_equal(s->text,
	                    "container@web.service failed exit-code abcd Container running: Ready. 3 0 "
	                    "ExecStartPost 75 60000000");
}

static void changes_are_told_for_machines_only(void **state)
{
	struct seen *s = *state;

	systemd1_changed(&s->systemd, "container@web.service", false);
	systemd1_changed(&s->systemd, "ssh.service", false);
	systemd1_changed(&s->systemd, "container@web.service", true);
	systemd1_job_removed(&s->systemd, "container@web.service", "canceled");
	systemd1_settle(&s->systemd);
	assert_string_equal(s->text, "container@web.service active running\n"
	                             "container@web.service result success\n"
	                             "container@web.service job canceled\n");
}

static void an_answer_of_another_shape_is_an_error(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.odd_answers = true;
	OK(units_list(s->units, on_list, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->r, -EBADMSG);
	s->answered = false;
	OK(units_get(s->units, "container@web.service", on_get, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->r, -EBADMSG);
	assert_string_equal(s->e.text,
	                    "systemd: cannot ask for container@web.service: its answer can not be read");
}

static void no_answer_is_an_error_after_a_second(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.mute = true;
	OK(units_list(s->units, on_list, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->r, -ETIMEDOUT);
	assert_int_equal(s->e.status, STATUS_DEADLINE);
}

static void a_lost_connection_ends_questions_and_comes_back(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.mute = true;
	OK(units_list(s->units, on_list, s, NULL, &e));
	systemd1_settle(&s->systemd);
	systemd1_hang_up(&s->systemd);
	systemd1_run(&s->systemd, &s->down);
	assert_true(s->answered);
	assert_int_equal(s->r, -ECONNRESET);
	assert_int_equal(s->e.status, STATUS_UNAVAILABLE);
	assert_int_equal(units_list(s->units, on_list, s, NULL, &e), -ENOTCONN);
	systemd1_run(&s->systemd, &s->up);
	assert_int_equal(s->systemd.n_connected, 2);
	systemd1_changed(&s->systemd, "container@web.service", false);
	systemd1_settle(&s->systemd);
	assert_string_equal(s->text, "container@web.service active running\n");
}

static void an_absent_systemd_is_told_once_and_waited_for(void **state)
{
	struct seen *s = *state;

	systemd1_deaf(&s->systemd);
	systemd1_hang_up(&s->systemd);
	systemd1_run(&s->systemd, &s->down);
	s->down = false;
	for (int i = 0; i < 45; i++)
		(void)sd_event_run(s->systemd.loop, BUS_SECOND / 50);
	assert_false(s->down);
	systemd1_listen(&s->systemd);
	systemd1_run(&s->systemd, &s->up);
	assert_int_equal(s->n_down, 1);
}

static void a_refusal_names_the_action_of_polkit(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.error = SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED;
	s->systemd.error_text = "Interactive authentication required.";
	OK(units_job(s->units, UNITS_STOP, "container@web.service", on_done, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->e.status, STATUS_NOT_PERMITTED);
	assert_non_null(strstr(s->e.text, "cannot stop container@web.service: not authorised "
	                                  "(org.freedesktop.systemd1.manage-units)"));
}

static void what_systemd_says_is_shown_without_escapes(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.error = "org.freedesktop.systemd1.UnitMasked";
	s->systemd.error_text = "Unit \033[31m is masked.";
	OK(units_job(s->units, UNITS_START, "container@web.service", on_done, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_string_equal(s->e.text, "cannot start container@web.service: Unit \\x1b[31m is masked.");
	assert_int_equal(s->e.status, STATUS_FAILED);
}

static void killing_what_is_gone_is_success(void **state)
{
	struct seen *s = *state;
	struct err e;

	s->systemd.error = "org.freedesktop.systemd1.NoSuchProcess";
	s->systemd.error_text = "No matching processes to kill";
	OK(units_kill(s->units, "container@web.service", on_done, s, NULL, &e));
	systemd1_run(&s->systemd, &s->answered);
	assert_int_equal(s->r, 0);
}

static void a_dropped_question_is_never_answered(void **state)
{
	struct seen *s = *state;
	sd_bus_slot *slot = NULL;
	struct err e;

	OK(units_list(s->units, on_list, s, &slot, &e));
	sd_bus_slot_unref(slot);
	systemd1_settle(&s->systemd);
	assert_false(s->answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
		T(the_list_has_states_and_jobs),
		T(one_unit_is_told_with_the_phase_that_failed),
		T(changes_are_told_for_machines_only),
		T(an_answer_of_another_shape_is_an_error),
		T(no_answer_is_an_error_after_a_second),
		T(a_lost_connection_ends_questions_and_comes_back),
		T(an_absent_systemd_is_told_once_and_waited_for),
		T(a_refusal_names_the_action_of_polkit),
		T(what_systemd_says_is_shown_without_escapes),
		T(killing_what_is_gone_is_success),
		T(a_dropped_question_is_never_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

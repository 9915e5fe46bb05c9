#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decide/ending.h"
#include "engine/autostart.h"
#include "engine/control.h"
#include "engine/load.h"
#include "engine/mend.h"
#include "tests/unit/systemd1.h"

/* In place of the real ones: which containers there are. */
static int load_result;

int load_container(const char *host_root, const char *name, struct loaded *ret, struct err *e)
{
	(void)host_root, (void)ret;
	if (load_result < 0)
		return err_set(e, STATUS_DATA, -load_result, "%s.conf:3:1: not a key", name);
	return strcmp(name, "web") == 0 || strcmp(name, "db") == 0
	               ? 0
	               : err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: no such container", name);
}

int mend_run(const char *name, struct strs *ret_left, struct err *e)
{
	(void)e;
	if (strcmp(name, "bridgeless") == 0)
		strs_add(ret_left, "there is no bridge br0");
	return 0;
}

void loaded_done(struct loaded *l)
{
	(void)l;
}

/* Called in a process of its own. */
static int saves;

int autostart_set(const char *name, bool on, struct err *e)
{
	(void)name, (void)on;
	return saves < 0 ? err_set(e, STATUS_UNSAFE_HOST, -saves, "web.conf is a link") : 0;
}

struct seen {
	struct systemd1 systemd;
	struct control *control;
	bool ended;
	unsigned n_ended;
	int r;
	struct err e;
};

static int up(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));

	systemd1_up(&s->systemd, true);
	load_result = 0;
	*state = s;
	return 0;
}

static int down(void **state)
{
	struct seen *s = *state;

	systemd1_down(&s->systemd);
	free(s);
	return 0;
}

static void on_done(int r, const struct err *e, void *arg)
{
	struct seen *s = arg;

	s->ended = true;
	s->n_ended++;
	s->r = r;
	if (r < 0)
		s->e = *e;
}

static void begin(struct seen *s, enum control_verb verb)
{
	OK(control_begin(s->systemd.loop, verb, "web", on_done, s, &s->control, &s->e));
	assert_false(s->ended);
}

static void follow(struct seen *s, enum control_verb verb)
{
	begin(s, verb);
	systemd1_run(&s->systemd, &s->ended);
	systemd1_settle(&s->systemd);
	assert_int_equal(s->n_ended, 1);
}

/* systemd's count of failed starts does not stand in the way of who asks for one. */
#define FORGIVEN "ResetFailedUnit container@web.service, "

static void called(struct seen *s, const char *calls)
{
	CLEANUP(free_p) char *got = strs_join(&s->systemd.calls, ", ");

	assert_string_equal(got, calls);
}

static void a_job_that_is_done_is_success(void **state)
{
	struct seen *s = *state;

	follow(s, CONTROL_START);
	assert_int_equal(s->r, 0);
	called(s, FORGIVEN "StartUnit container@web.service");
}

static void restart_stops_and_then_starts(void **state)
{
	struct seen *s = *state;

	follow(s, CONTROL_RESTART);
	assert_int_equal(s->r, 0);
	called(s, "StopUnit container@web.service, " FORGIVEN "StartUnit container@web.service");
}

static void terminate_stops_before_it_kills_and_forgets_the_failure(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_TERMINATE);
	systemd1_settle(&s->systemd);
	called(s, "StopUnit container@web.service, KillUnit container@web.service");
	systemd1_job_removed(&s->systemd, "container@web.service", "done");
	systemd1_run(&s->systemd, &s->ended);
	assert_int_equal(s->r, 0);
	called(s, "StopUnit container@web.service, KillUnit container@web.service, "
	          "ResetFailedUnit container@web.service");
}

static void kill_kills_again_what_tidies_up(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_KILL);
	systemd1_settle(&s->systemd);
	called(s, "StopUnit container@web.service, KillUnit container@web.service");
	s->systemd.active = "deactivating";
	s->systemd.sub = "stop-post";
	systemd1_changed(&s->systemd, "container@web.service", false);
	systemd1_settle(&s->systemd);
	called(s, "StopUnit container@web.service, KillUnit container@web.service, "
	          "KillUnit container@web.service");
	systemd1_changed(&s->systemd, "container@web.service",
	                 false); /* its next command, in the same phase */
	systemd1_settle(&s->systemd);
	called(s, "StopUnit container@web.service, KillUnit container@web.service, "
	          "KillUnit container@web.service, KillUnit container@web.service");
	systemd1_job_removed(&s->systemd, "container@web.service", "done");
	systemd1_run(&s->systemd, &s->ended);
	assert_int_equal(s->r, 0);
}

static void freeze_thaw_and_forgive_are_one_call_each(void **state)
{
	struct seen *s = *state;

	follow(s, CONTROL_FREEZE);
	assert_int_equal(s->r, 0);
	s->ended = false;
	s->n_ended = 0;
	follow(s, CONTROL_THAW);
	s->ended = false;
	s->n_ended = 0;
	follow(s, CONTROL_FORGIVE);
	called(s, "FreezeUnit container@web.service, ThawUnit container@web.service, "
	          "ResetFailedUnit container@web.service");
}

static void a_manager_that_can_not_freeze_says_so(void **state)
{
	struct seen *s = *state;

	s->systemd.error = SD_BUS_ERROR_NOT_SUPPORTED;
	s->systemd.error_text = "Unit 'container@web.service' does not support freezing";
	follow(s, CONTROL_FREEZE);
	assert_true(s->r < 0);
	assert_string_equal(s->e.text, "cannot freeze container@web.service: Unit 'container@web.service' "
	                               "does not support freezing");
}

static void enable_saves_the_conf_and_makes_systemd_read_it(void **state)
{
	struct seen *s = *state;

	saves = 0;
	follow(s, CONTROL_ENABLE);
	assert_int_equal(s->r, 0);
	called(s, "Reload");
}

static void a_conf_that_is_declared_elsewhere_is_not_enabled(void **state)
{
	struct seen *s = *state;

	saves = -ELOOP;
	follow(s, CONTROL_DISABLE);
	assert_int_equal(s->r, -ELOOP);
	assert_int_equal(s->e.status, STATUS_UNSAFE_HOST);
	assert_string_equal(s->e.text, "cannot disable web: web.conf is a link");
	called(s, "");
}

static void what_has_no_ghost_is_not_dropped(void **state)
{
	struct seen *s = *state;

	assert_true(control_begin(s->systemd.loop, CONTROL_DROP, "web", on_done, s, &s->control, &s->e) < 0);
	assert_string_equal(s->e.text,
	                    "cannot drop web: it is not registered with systemd-machined: there is "
	                    "nothing to drop");
}

static void a_start_that_is_cancelled_is_stopped(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_START);
	systemd1_settle(&s->systemd);
	control_cancel_job(s->control);
	s->systemd.mute_about_jobs = false;
	systemd1_run(&s->systemd, &s->ended);
	called(s, FORGIVEN "StartUnit container@web.service, CancelJob, StopUnit container@web.service");
	assert_int_equal(s->r, -ECANCELED);
	assert_string_equal(s->e.text, "web: the start was cancelled; it is stopped");
}

static void a_stop_that_is_cancelled_goes_on_by_itself(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_STOP);
	systemd1_settle(&s->systemd);
	control_cancel_job(s->control);
	systemd1_run(&s->systemd, &s->ended);
	called(s, "StopUnit container@web.service, CancelJob");
	assert_string_equal(s->e.text, "web: the stop was cancelled; what it had begun goes on by itself");
}

static void what_is_cancelled_before_it_began_never_begins(void **state)
{
	struct seen *s = *state;

	begin(s, CONTROL_STOP);
	control_cancel_job(s->control);
	systemd1_run(&s->systemd, &s->ended);
	assert_string_equal(s->e.text, "web: the stop was cancelled before it began");
	called(s, "");
}

/* ---- what fits, and its command */

static void every_kind_says_what_it_can_not(void **state)
{
	static const struct {
		enum machine_kind kind;
		const char *unit;
		enum machine_state state;
		enum control_verb verb;
		const char *why;
	} cases[] = {
		{ MACHINE_CONTAINER, NULL, MACHINE_RUNNING, CONTROL_START, "is running already" },
		{ MACHINE_CONTAINER, NULL, MACHINE_GHOST, CONTROL_START, NULL },
		{ MACHINE_CONTAINER, NULL, MACHINE_STOPPED, CONTROL_KILL, "is not running" },
		{ MACHINE_CONTAINER, NULL, MACHINE_RUNNING, CONTROL_FREEZE, NULL },
		{ MACHINE_CONTAINER, NULL, MACHINE_RUNNING, CONTROL_FORGIVE, "has not failed" },
		{ MACHINE_CONTAINER, NULL, MACHINE_RUNNING, CONTROL_DISABLE,
		  "does not start by itself anyway" },
		{ MACHINE_CONTAINER, NULL, MACHINE_RUNNING, CONTROL_DROP,
		  "is not a ghost: its registration is needed" },
		{ MACHINE_NSPAWN, "systemd-nspawn@a.service", MACHINE_RUNNING, CONTROL_RELOAD,
		  "can not be reloaded: systemd-nspawn@ knows no reload, only a restart" },
		{ MACHINE_NSPAWN, "systemd-nspawn@a.service", MACHINE_GHOST, CONTROL_START,
		  "is a ghost that keeps its name taken: drop the registration first" },
		{ MACHINE_IMAGE, NULL, MACHINE_STOPPED, CONTROL_START, NULL },
		{ MACHINE_IMAGE, NULL, MACHINE_STOPPED, CONTROL_STOP, "is not running" },
		{ MACHINE_VM, "machine-qemu.scope", MACHINE_RUNNING, CONTROL_STOP,
		  "is a virtual machine: use the tool that started it" },
		{ MACHINE_VM, "machine-qemu.scope", MACHINE_RUNNING, CONTROL_TERMINATE, NULL },
		{ MACHINE_VM, "session-1.scope", MACHINE_RUNNING, CONTROL_TERMINATE,
		  "runs in a unit that is not its alone: end it where it was started" },
		{ MACHINE_VM, "session-1.scope", MACHINE_RUNNING, CONTROL_KILL, NULL },
		{ MACHINE_OTHER, "run-7.service", MACHINE_RUNNING, CONTROL_STOP, NULL },
		{ MACHINE_OTHER, "run-7.service", MACHINE_RUNNING, CONTROL_ENABLE,
		  "was started by somebody else: use the tool that started it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char unit[64] = "";
		const struct machine m = { .kind = cases[i].kind,
			                   .unit = cases[i].unit ? unit : NULL,
			                   .configured = true,
			                   .state = cases[i].state };
		const char *why;

		(void)snprintf(unit, sizeof(unit), "%s", cases[i].unit ? cases[i].unit : "");
		why = control_refuses(&m, cases[i].verb);
		if (!cases[i].why)
			assert_null(why);
		else
			assert_string_equal(why, cases[i].why);
	}
}

static void every_verb_has_its_command(void **state)
{
	static const struct {
		enum machine_kind kind;
		const char *unit;
		enum control_verb verb;
		const char *command;
	} cases[] = {
		{ MACHINE_CONTAINER, NULL, CONTROL_STOP, "systemctl stop container@web.service" },
		{ MACHINE_IMAGE, NULL, CONTROL_START, "systemctl start systemd-nspawn@web.service" },
		{ MACHINE_CONTAINER, NULL, CONTROL_ENABLE, "machdeck enable web" },
		{ MACHINE_NSPAWN, NULL, CONTROL_DISABLE, "systemctl disable systemd-nspawn@web.service" },
		{ MACHINE_OTHER, "machine-a\\x2db.scope", CONTROL_FREEZE,
		  "systemctl freeze 'machine-a\\x2db.scope'" },
		{ MACHINE_VM, "machine-web.scope", CONTROL_TERMINATE, "machinectl terminate web" },
		{ MACHINE_OTHER, "session-1.scope", CONTROL_KILL,
		  "machinectl kill --signal=KILL --kill-whom=leader web" },
		{ MACHINE_CONTAINER, NULL, CONTROL_FORGIVE, "systemctl reset-failed container@web.service" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		char unit[64], name[] = "web";
		const struct machine m = { .name = name,
			                   .kind = cases[i].kind,
			                   .unit = cases[i].unit ? unit : NULL };

		(void)snprintf(unit, sizeof(unit), "%s", cases[i].unit ? cases[i].unit : "");
		control_command(cases[i].verb, &m, &text);
		assert_string_equal(buf_text(&text), cases[i].command);
	}
}

static void a_failed_start_says_what_the_exit_status_means(void **state)
{
	struct seen *s = *state;

	s->systemd.job_result = "failed";
	s->systemd.active = "failed";
	s->systemd.result = "exit-code";
	s->systemd.main_code = 1;
	s->systemd.main_status = 75;
	follow(s, CONTROL_START);
	assert_int_equal(s->r, -EIO);
	assert_int_equal(s->e.status, STATUS_BUSY);
	assert_string_equal(s->e.text, "cannot start web: something it needs is taken (status 75)");
}

static void a_guest_that_had_to_be_killed_makes_stop_fail(void **state)
{
	struct seen *s = *state;

	s->systemd.active = "failed";
	s->systemd.result = "timeout";
	follow(s, CONTROL_STOP);
	assert_string_equal(
		s->e.text,
		"web is stopped, but not cleanly: its guest did not end within 90 s and was killed");
}

static void stopping_what_had_failed_before_is_success(void **state)
{
	struct seen *s = *state;

	s->systemd.active = "failed";
	s->systemd.result = "exit-code";
	s->systemd.state_usec = 1;
	follow(s, CONTROL_STOP);
	assert_int_equal(s->r, 0);
}

static void a_refused_job_is_told(void **state)
{
	struct seen *s = *state;

	s->systemd.error = "org.freedesktop.systemd1.UnitMasked";
	s->systemd.error_text = "Unit container@web.service is masked.";
	follow(s, CONTROL_START);
	assert_string_equal(s->e.text,
	                    "cannot start container@web.service: Unit container@web.service is masked.");
}

static void a_job_is_followed_over_a_lost_connection(void **state)
{
	struct seen *s = *state;

	s->systemd.hang_up = true;
	s->systemd.job_pending = true;
	s->systemd.sub = "start";
	begin(s, CONTROL_START);
	for (unsigned i = 0; i < 100 && s->systemd.calls.n < 3; i++)
		(void)sd_event_run(s->systemd.loop, BUS_SECOND / 50);
	systemd1_settle(&s->systemd);
	assert_false(s->ended);
	called(s, FORGIVEN "StartUnit container@web.service, GetAll");
	systemd1_job_removed(&s->systemd, "container@web.service", "done");
	systemd1_run(&s->systemd, &s->ended);
	assert_int_equal(s->r, 0);
}

static void a_question_lost_with_its_connection_ends_nothing(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_START);
	systemd1_settle(&s->systemd);
	s->systemd.mute = true;
	for (unsigned i = 0; i < 100 && s->systemd.calls.n < 3; i++)
		(void)sd_event_run(s->systemd.loop, BUS_SECOND / 50);
	called(s, FORGIVEN "StartUnit container@web.service, GetAll");
	systemd1_hang_up(&s->systemd);
	s->systemd.mute = false;
	systemd1_run(&s->systemd, &s->ended);
	assert_int_equal(s->r, 0);
}

static void an_end_that_passed_unheard_is_found(void **state)
{
	struct seen *s = *state;

	s->systemd.hang_up = true;
	follow(s, CONTROL_START);
	assert_int_equal(s->r, 0);
}

/* The question after its state may take longer than was left for the job. */
static void a_stop_that_is_done_is_success_though_nothing_more_is_told(void **state)
{
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	begin(s, CONTROL_STOP);
	systemd1_settle(&s->systemd);
	s->systemd.mute = true;
	systemd1_job_removed(&s->systemd, "container@web.service", "done");
	systemd1_run(&s->systemd, &s->ended);
	assert_int_equal(s->r, 0);
}

static void a_frozen_machine_is_thawed_when_systemd_does_not_stop_it_so(void **state)
{
	static const char *const second[] = { "done", "frozen" };
	struct seen *s = *state;

	s->systemd.mute_about_jobs = true;
	for (size_t i = 0; i < COUNT(second); i++) {
		strs_done(&s->systemd.calls);
		s->ended = false;
		s->n_ended = 0;
		begin(s, CONTROL_STOP);
		systemd1_settle(&s->systemd);
		systemd1_job_removed(&s->systemd, "container@web.service", "frozen");
		systemd1_settle(&s->systemd);
		called(s, "StopUnit container@web.service, ThawUnit container@web.service, "
		          "StopUnit container@web.service");
		systemd1_job_removed(&s->systemd, "container@web.service", second[i]);
		systemd1_run(&s->systemd, &s->ended);
	}
	assert_string_equal(s->e.text, "cannot stop web: it is frozen; thaw it first");
}

static void a_systemd_out_of_reach_is_unavailable(void **state)
{
	struct seen *s = *state;

	systemd1_deaf(&s->systemd);
	follow(s, CONTROL_STOP);
	assert_int_equal(s->e.status, STATUS_UNAVAILABLE);
	assert_string_equal(s->e.text, "cannot connect to systemd: No such file or directory");
	systemd1_listen(&s->systemd);
}

static void several_machines_share_one_connection(void **state)
{
	struct seen *s = *state, other = { 0 };
	struct control *second;

	begin(s, CONTROL_START);
	OK(control_begin(s->systemd.loop, CONTROL_START, "db", on_done, &other, &second, &other.e));
	systemd1_run(&s->systemd, &s->ended);
	systemd1_run(&s->systemd, &other.ended);
	assert_int_equal(other.r, 0);
	assert_int_equal(s->systemd.n_connected, 1);
}

static void a_cancelled_control_calls_nobody(void **state)
{
	struct seen *s = *state;

	begin(s, CONTROL_START);
	control_cancel(s->control);
	systemd1_settle(&s->systemd);
	assert_false(s->ended);
	begin(s, CONTROL_STOP);
	systemd1_settle(&s->systemd);
	assert_int_equal(s->n_ended, 1);
}

static void what_is_waited_for_follows_the_unit(void **state)
{
	struct seen *s = *state;
	struct control_look look;

	s->systemd.mute_about_jobs = true;
	s->systemd.sub = "start";
	begin(s, CONTROL_START);
	control_look(s->control, &look);
	assert_string_equal(look.waits_for, "systemd");
	systemd1_settle(&s->systemd);
	systemd1_changed(&s->systemd, "container@web.service", false);
	systemd1_settle(&s->systemd);
	control_look(s->control, &look);
	assert_string_equal(look.waits_for, "its guest boots");
	assert_int_equal(look.limit_usec, 0);
	for (unsigned i = 0; i < 200 && !look.limit_usec; i++) {
		(void)sd_event_run(s->systemd.loop, BUS_SECOND / 50);
		control_look(s->control, &look);
	}
	assert_int_equal(look.limit_usec, 60 * BUS_SECOND);
	control_cancel(s->control);
}

static void names_are_looked_at_first(void **state)
{
	struct seen *s = *state;
	struct control *c;
	struct err e;

	assert_int_equal(control_begin(s->systemd.loop, CONTROL_STOP, "../x", on_done, s, &c, &e), -EINVAL);
	assert_int_equal(e.status, STATUS_USAGE);
	assert_int_equal(control_begin(s->systemd.loop, CONTROL_STOP, "nosuch", on_done, s, &c, &e), -ENOENT);
	assert_int_equal(e.status, STATUS_NO_CONTAINER);
	assert_string_equal(e.text, "nosuch: there is no container of that name (`machdeck list` shows all)");
}

static void a_bad_conf_hinders_starting_but_not_stopping(void **state)
{
	static const enum control_verb starts[] = { CONTROL_START, CONTROL_RESTART };
	struct seen *s = *state;

	load_result = -EINVAL;
	for (size_t i = 0; i < COUNT(starts); i++) {
		s->e.text[0] = '\0';
		assert_int_equal(
			control_begin(s->systemd.loop, starts[i], "web", on_done, s, &s->control, &s->e),
			-EINVAL);
		assert_string_equal(s->e.text, "web.conf:3:1: not a key");
	}
	follow(s, CONTROL_STOP);
	assert_int_equal(s->r, 0);
}

/* ---- sentences */

static struct err e;

static const char *explained(const char *verb, const char *result, const struct why_facts *f)
{

	assert_true(ending_explain(verb, "web", result, f, &e) < 0);
	return e.text;
}

static void every_ending_says_what_was_asked_for(void **state)
{
	struct why_facts f = { .name = "web", .state = MACHINE_RESTARTING, .result = "oom-kill" };
	struct loglines lines = { 0 };

	(void)state;
	assert_non_null(strstr(explained("start", "failed", &f), "out of memory"));
	assert_non_null(strstr(explained("start", "failed", &f), "; systemd tries again by itself"));
	f = (struct why_facts){ .name = "web", .state = MACHINE_RUNNING, .result = "success" };
	f.failed_phase = "ExecReload";
	f.failed_code = CLD_EXITED;
	f.failed_status = 4;
	assert_string_equal(explained("reload", "failed", &f),
	                    "cannot reload web: it ended with exit status 4; the machine runs on");
	assert_int_equal(e.status, 4);
	f = (struct why_facts){ .name = "web", .state = MACHINE_FAILED, .result = "exit-code" };
	f.main_code = CLD_EXITED;
	f.main_status = STATUS_UNSAFE_TREE;
	assert_non_null(strstr(explained("start", "failed", &f), "its tree is not safe"));
	assert_int_equal(e.status, STATUS_UNSAFE_TREE);
	f.main_status = STATUS_NO_CONTAINER; /* a bind's source */
	(void)explained("start", "failed", &f);
	assert_int_equal(e.status, STATUS_NO_CONTAINER);
	f.main_status = STATUS_CANNOT_CREATE;
	(void)explained("start", "failed", &f);
	assert_int_equal(e.status, STATUS_CANNOT_CREATE);
	loglines_add(&lines, 1, false, "Container web failed with error code 73.");
	f.lines = &lines;
	(void)explained("start", "failed", &f);
	assert_int_equal(e.status, STATUS_FAILED); /* the guest's */
	loglines_done(&lines);
	f.lines = NULL;
	f.main_status = 2;
	(void)explained("start", "failed", &f);
	assert_int_equal(e.status, STATUS_FAILED);
	assert_string_equal(
		explained("start", "canceled", &f),
		"cannot start web: another job took its place: somebody asked for something else meanwhile");
	assert_string_equal(explained("start", "failed", NULL),
	                    "cannot start web: its job is 'failed', and systemd does not say why");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
		T(a_job_that_is_done_is_success),
		T(restart_stops_and_then_starts),
		T(terminate_stops_before_it_kills_and_forgets_the_failure),
		T(kill_kills_again_what_tidies_up),
		T(freeze_thaw_and_forgive_are_one_call_each),
		T(a_manager_that_can_not_freeze_says_so),
		T(enable_saves_the_conf_and_makes_systemd_read_it),
		T(a_conf_that_is_declared_elsewhere_is_not_enabled),
		T(what_has_no_ghost_is_not_dropped),
		T(a_start_that_is_cancelled_is_stopped),
		T(a_stop_that_is_cancelled_goes_on_by_itself),
		T(what_is_cancelled_before_it_began_never_begins),
		cmocka_unit_test(every_kind_says_what_it_can_not),
		cmocka_unit_test(every_verb_has_its_command),
		T(a_failed_start_says_what_the_exit_status_means),
		T(a_guest_that_had_to_be_killed_makes_stop_fail),
		T(stopping_what_had_failed_before_is_success),
		T(a_refused_job_is_told),
		T(a_job_is_followed_over_a_lost_connection),
		T(a_question_lost_with_its_connection_ends_nothing),
		T(an_end_that_passed_unheard_is_found),
		T(a_stop_that_is_done_is_success_though_nothing_more_is_told),
		T(a_frozen_machine_is_thawed_when_systemd_does_not_stop_it_so),
		T(a_systemd_out_of_reach_is_unavailable),
		T(several_machines_share_one_connection),
		T(a_cancelled_control_calls_nobody),
		T(what_is_waited_for_follows_the_unit),
		T(names_are_looked_at_first),
		T(a_bad_conf_hinders_starting_but_not_stopping),
		cmocka_unit_test(every_ending_says_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

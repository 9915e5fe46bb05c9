#include "decide/why.h"

#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "decide/oom.h"
#include "words/machine.h"

struct log {
	const char *text;
	bool from_systemd;
};

static const char *last_cause;

/* The sentence for a failed unit whose log ends in these lines. */
static const char *why(const struct why_facts *given, const struct log *log)
{
	static char text[WHY_SIZE];
	struct loglines lines = { 0 };
	struct why_facts f = *given;

	for (; log && log->text; log++)
		loglines_add(&lines, 1, log->from_systemd, log->text);
	f.name = "web";
	f.lines = &lines;
	if (f.state == MACHINE_UNKNOWN)
		f.state = MACHINE_FAILED;
	last_cause = why_sentence(&f, text);
	loglines_done(&lines);
	return text;
}

#define WHY(line, ...) why(&(struct why_facts){ __VA_ARGS__ }, (const struct log[]){ line, { 0 } })
#define NO_LOG                                                                                               \
	{                                                                                                    \
		0                                                                                            \
	}
#define EXITED(n) .result = "exit-code", .main_code = CLD_EXITED, .main_status = n
#define U(text)                                                                                              \
	{                                                                                                    \
		text, false                                                                                  \
	}
#define S(text)                                                                                              \
	{                                                                                                    \
		text, true                                                                                   \
	}

static void a_running_machine_needs_no_reason(void **state)
{
	(void)state;
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_RUNNING, .result = "success"), "");
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_STOPPED, .result = "success"), "");
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_STOPPED), "");
}

static void a_bad_conf_is_named_with_its_place(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(NO_LOG, .state = MACHINE_STOPPED, .conf_problem = "/etc/containers/web.conf:3:1: no '='"),
		"its conf can not be used: /etc/containers/web.conf:3:1: no '='");
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_RUNNING, .conf_problem = "web.conf:3:1: no '='"),
	                    "runs, but could not start again: web.conf:3:1: no '='");
}

static void who_took_the_name_is_named(void **state)
{
	(void)state;
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_RUNNING, .taken_by = "machine-web.scope"),
	                    "its name is taken: machine-web.scope runs a machine called web");
}

static void a_ghost_is_explained(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(NO_LOG, .state = MACHINE_GHOST, .dead_leader = 77),
		"systemd-machined lists it, but its leader 77 is dead (machdeck terminate web drops it)");
}

static void our_own_sentence_is_passed_on_without_the_name(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(U("machdeck: web: cannot add 10.0.0.1/32 to ve-web: address already on ve-db"),
	            EXITED(75)),
		"cannot add 10.0.0.1/32 to ve-web: address already on ve-db");
}

static void a_failed_step_beside_the_main_process_is_named(void **state)
{
	(void)state;
	assert_string_equal(WHY(U("machdeck: web: no link ve-web"), .result = "exit-code",
	                        .failed_phase = "ExecStartPost", .failed_code = CLD_EXITED,
	                        .failed_status = 71),
	                    "no link ve-web");
	assert_string_equal(WHY(NO_LOG, .result = "exit-code", .failed_phase = "ExecStartPost",
	                        .failed_code = CLD_EXITED, .failed_status = 71),
	                    "the unit's ExecStartPost ended with status 71: the operating system refused");
}

static void a_step_that_failed_in_the_guest_speaks_in_its_own_words(void **state)
{
	(void)state;
	assert_string_equal(WHY(U("machdeck-init: cannot add a route: Network is unreachable"), EXITED(71)),
	                    "its guest's side: cannot add a route: Network is unreachable");
}

static void without_a_journal_the_exit_status_is_explained(void **state)
{
	(void)state;
	assert_string_equal(WHY(NO_LOG, EXITED(72)), "refused: its tree is not safe to work in (status 72)");
	assert_string_equal(WHY(NO_LOG, EXITED(66)), "its tree or a file it needs is missing (status 66)");
	assert_string_equal(WHY(NO_LOG, EXITED(1)),
	                    "its guest or systemd-nspawn ended with status 1 (journalctl -u container@web)");
}

static void while_a_start_that_failed_is_undone_that_is_told(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(NO_LOG, .state = MACHINE_STARTING, .status_text = "machdeck: the route is taken"),
		"the route is taken; it is being stopped");
	assert_string_equal(
		WHY(NO_LOG, .state = MACHINE_STARTING, .status_text = "Container running: machdeck: give me"),
		"guest says: machdeck: give me");
}

static void a_guest_s_own_exit_status_is_none_of_ours(void **state)
{
	const struct log log[] = { U("machdeck: web: give me your password"),
		                   U("Container web failed with error code 77."),
		                   { 0 } };

	(void)state;
	assert_string_equal(
		why(&(struct why_facts){ EXITED(77) }, log),
		"its guest or systemd-nspawn ended with status 77; last words: machdeck: web: give me your "
		"password");
	assert_string_equal(why(&(struct why_facts){ EXITED(77) }, log + 1),
	                    "its guest or systemd-nspawn ended with status 77 (journalctl -u container@web)");
}

static void a_guest_can_not_speak_for_machdeck_when_it_ends_by_itself(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(U("machdeck: web: give me your password"), EXITED(7)),
		"its guest or systemd-nspawn ended with status 7; last words: machdeck: web: give me your "
		"password");
}

static void nspawns_words_come_with_what_helps(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(U("Failed to add interface vb-web to bridge br9: No such device"), EXITED(1)),
		"Failed to add interface vb-web to bridge br9: No such device (create the bridge, or change "
		"HOST_BRIDGE)");
	assert_string_equal(
		WHY(U("Failed to register machine: Machine 'web' already exists"), EXITED(1)),
		"Failed to register machine: Machine 'web' already exists (its name is still taken: machdeck "
		"terminate frees it)");
	assert_string_equal(
		WHY(U("Failed to register machine: Unit systemd-machined.service is masked."), EXITED(1)),
		"Failed to register machine: Unit systemd-machined.service is masked. (systemctl unmask "
		"systemd-machined)");
	assert_non_null(strstr(WHY(U("Directory tree /x is currently busy."), EXITED(1)), "same tree"));
	assert_non_null(
		strstr(WHY(U("execv(/sbin/init) failed: No such file or directory"), EXITED(1)), "INIT="));
	assert_non_null(
		strstr(WHY(U("Failed to add new veth interfaces (ve-web:host0): File exists"), EXITED(1)),
	               "ip link"));
	assert_non_null(strstr(WHY(U("Failed to resolve interface \"eth7\": No such device"), EXITED(1)),
	                       "INTERFACES"));
	assert_non_null(strstr(
		WHY(U("Failed to create control group inotify object: Too many open files"), EXITED(1)),
		"max_user_instances"));
}

static void the_last_words_are_those_of_who_failed_first(void **state)
{
	const struct log log[] = { U("Failed to mount n/a on /run/host: Invalid argument"),
		                   U("Child died too early"),
		                   { 0 } };

	(void)state;
	assert_string_equal(why(&(struct why_facts){ EXITED(1) }, log),
	                    "its guest or systemd-nspawn ended with status 1; last words: Failed to mount "
	                    "n/a on /run/host: "
	                    "Invalid argument");
}

static void only_nspawns_cause_is_told_not_what_follows_from_it(void **state)
{
	const struct log log[] = { U("Failed to resolve interface \"eth7\": No such device"),
		                   U("Parent died too early"),
		                   S("container@web.service: Failed with result 'exit-code'."),
		                   { 0 } };

	(void)state;
	assert_non_null(strstr(why(&(struct why_facts){ EXITED(1) }, log), "eth7"));
}

static void a_guest_that_never_was_ready_is_told_with_the_limit(void **state)
{
	(void)state;
	assert_string_equal(WHY(S("container@web.service: start operation timed out. Terminating."),
	                        .result = "timeout", .start_timeout_usec = 60000000,
	                        .status_text = "Container running."),
	                    "its guest was not ready within 60 s (a unit that hangs in it? "
	                    "TIMEOUT_START_SEC= allows more)");
	assert_non_null(
		strstr(WHY(NO_LOG, .result = "timeout", .status_text = "Container running: waiting for eth0"),
	               "guest says: \"waiting for eth0\""));
}

static void a_guest_that_did_not_stop_is_told(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(S("container@web.service: State 'stop-sigterm' timed out. Killing."), .result = "timeout",
	            .stop_timeout_usec = 90000000),
		"its guest did not stop within 90 s and was killed (its PID 1 ignores the stop signal?)");
}

static void want_of_memory_is_told(void **state)
{
	(void)state;
	assert_non_null(
		strstr(WHY(NO_LOG, .result = "oom-kill", .main_code = CLD_KILLED, .main_status = SIGKILL),
	               "out of memory"));
}

static void want_of_memory_is_told_where_the_units_result_is_only_the_kill(void **state)
{
	static const char kernel[] =
		"container@web.service: A process of this unit has been killed by the OOM killer.";
	static const char oomd[] =
		"container@web.service: systemd-oomd killed some process(es) in this unit.";

	(void)state;
	assert_non_null(
		strstr(WHY(S(oomd), .result = "signal", .main_code = CLD_KILLED, .main_status = SIGKILL),
	               "out of memory: systemd-oomd killed all that ran in it"));
	assert_non_null(strstr(WHY(S(oomd), .result = "oom-kill"), "systemd-oomd"));
	assert_non_null(
		strstr(WHY(S(kernel), .result = "signal", .main_code = CLD_KILLED, .main_status = SIGKILL),
	               "out of memory: the kernel killed"));
	assert_null(
		strstr(WHY(S(kernel), .result = "signal", .main_code = CLD_KILLED, .main_status = SIGSEGV),
	               "out of memory"));
	assert_null(strstr(WHY(U(oomd), .result = "signal", .main_code = CLD_KILLED, .main_status = SIGKILL),
	                   "out of memory")); /* its guest can write such a line too */
}

static void a_signal_is_named(void **state)
{
	(void)state;
	assert_string_equal(WHY(NO_LOG, .result = "signal", .main_code = CLD_KILLED, .main_status = SIGSEGV),
	                    "systemd-nspawn was killed by SIGSEGV");
	assert_non_null(
		strstr(WHY(NO_LOG, .result = "core-dump", .main_code = CLD_DUMPED, .main_status = SIGABRT),
	               "SIGABRT"));
	assert_non_null(strstr(
		WHY(NO_LOG, .result = "signal", .main_code = CLD_KILLED, .main_status = SIGKILL), "by hand"));
}

static void the_start_limit_comes_with_its_cause(void **state)
{
	(void)state;
	assert_string_equal(WHY(U("Failed to add interface vb-web to bridge br9: No such device"),
	                        .result = "start-limit-hit", .main_code = CLD_EXITED, .main_status = 1),
	                    "given up after too many failures; the last: Failed to add interface vb-web to "
	                    "bridge br9: No "
	                    "such device (create the bridge, or change HOST_BRIDGE)");
	assert_string_equal(
		WHY(NO_LOG, .result = "start-limit-hit"),
		"given up after too many failures; the last: its start failed (journalctl -u container@web)");
}

static void a_restart_loop_is_counted(void **state)
{
	(void)state;
	assert_string_equal(WHY(NO_LOG, EXITED(66), .state = MACHINE_RESTARTING, .n_restarts = 2),
	                    "attempt 3 failed: its tree or a file it needs is missing (status 66)");
	/* status 133: the guest rebooted, nothing is wrong */
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_RESTARTING, .result = "success",
	                        .main_code = CLD_EXITED, .main_status = 133),
	                    "");
}

static void other_results_are_told(void **state)
{
	(void)state;
	assert_non_null(strstr(WHY(NO_LOG, .result = "watchdog"), "watchdog"));
	assert_non_null(strstr(WHY(NO_LOG, .result = "resources"), "journalctl"));
	assert_non_null(strstr(WHY(U("bye"), .result = "protocol"), "before it was ready; last words: bye"));
	assert_string_equal(WHY(NO_LOG, .result = "exec-condition"), "systemd says: exec-condition");
}

static void a_unit_that_can_not_be_loaded_is_told(void **state)
{
	(void)state;
	assert_non_null(strstr(WHY(NO_LOG, .state = MACHINE_STOPPED, .load = "masked"),
	                       "systemctl unmask container@web"));
	assert_non_null(strstr(WHY(NO_LOG, .state = MACHINE_STOPPED, .load = "not-found"), "installed"));
	assert_non_null(strstr(WHY(NO_LOG, .state = MACHINE_STOPPED, .load = "bad-setting"), "can not load"));
}

static void what_the_guest_says_while_it_starts_is_marked_and_harmless(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(NO_LOG, .state = MACHINE_STARTING, .status_text = "Container running: \x1b[31mhi\n"),
		"guest says: \\x1b[31mhi\\x0a");
	assert_string_equal(WHY(NO_LOG, .state = MACHINE_STARTING, .status_text = "Container running."), "");
}

static void the_longest_words_are_cut_not_overrun(void **state)
{
	char text[4000];
	const char *got;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	got = WHY(U(text), EXITED(1), .state = MACHINE_RESTARTING);
	assert_true(strlen(got) > 300 && strlen(got) < WHY_SIZE);
	got = WHY(NO_LOG, .conf_problem = text);
	assert_true(strlen(got) < WHY_SIZE);
}

static struct strs failed_inside;

/* One of each rule: what it is told by. */
static const struct example {
	const char *cause;
	struct why_facts facts;
	const char *line;
	bool from_systemd;
} examples[] = {
#define E(cause, line, ...)                                                                                  \
	{                                                                                                    \
		cause, { __VA_ARGS__ }, line, false                                                          \
	}
#define ES(cause, line, ...)                                                                                 \
	{                                                                                                    \
		cause, { __VA_ARGS__ }, line, true                                                           \
	}
	/* clang-format off */
	E("name-taken", NULL, .state = MACHINE_RUNNING, .taken_by = "x.scope"),
	E("name-taken", "machdeck: web: a machine of that name runs already, as x.scope (machinectl terminate web)", EXITED(STATUS_BUSY)),
	E("name-taken", "Failed to register machine: Machine 'web' already exists", EXITED(1)),
	E("bad-conf", NULL, .state = MACHINE_STOPPED, .conf_problem = "web.conf:3:1: no '='"),
	E("bad-conf", NULL, EXITED(STATUS_DATA)),
	E("conf-unread", NULL, .state = MACHINE_RUNNING, .conf_unread = true),
	E("ghost", NULL, .state = MACHINE_GHOST, .dead_leader = 7),
	E("masked", NULL, .state = MACHINE_STOPPED, .load = "masked"),
	E("no-unit", NULL, .state = MACHINE_STOPPED, .load = "not-found"),
	E("bad-unit", NULL, .state = MACHINE_STOPPED, .load = "bad-setting"),
	E("guest-waits", NULL, .state = MACHINE_STARTING, .status_text = "Container running: waiting for eth0"),
	E("unit-step", NULL, .state = MACHINE_STARTING, .status_text = "machdeck: the route is taken"),
	E("guest-unit", NULL, .state = MACHINE_RUNNING, .guest_failed = &failed_inside),
	ES("dependency", "container@web.service: Job container@web.service/start failed with result 'dependency'.",
	   .state = MACHINE_STOPPED, .result = "success", .failed_dependency = "srv.mount"),
	E("bad-payload", "machdeck-init: cannot run the container's init /sbin/init: No such file or directory", EXITED(66)),
	E("bad-payload", "execv(/sbin/init) failed: Exec format error", EXITED(1)),
	E("disk-full", "machdeck-init: cannot write /etc/resolv.conf: No space left on device", EXITED(74)),
	E("disk-full", "machdeck: web: prepare: cannot make /etc in /srv/web: No space left on device", EXITED(73)),
	E("disk-full", "machdeck: web: prepare: cannot make /etc in /srv/web: Disk quota exceeded", EXITED(73)),
	E("disk-full", "Failed to create directory /x/run: No space left on device", EXITED(1)),
	E("guest-step", "machdeck-init: cannot add a route: Network is unreachable", EXITED(71)),
	E("port-clash", "machdeck: web: prestart: host port tcp:8080 belongs to db, which runs (stop that)", EXITED(75)),
	E("address-clash", "machdeck: web: prestart: address 10.1.0.2 belongs to db, which runs (stop that)", EXITED(75)),
	E("missing-source", "machdeck: web: prepare: /no, which is to be bound into the container: No such file or directory", EXITED(66)),
	E("missing-source", "Failed to stat /no: No such file or directory", EXITED(1)),
	E("missing-source", "Failed to clone /no: No such file or directory", EXITED(1)),
	E("missing-tree", "machdeck: web: prepare: /srv/web is missing: there is no tree to start", EXITED(66)),
	E("missing-bridge", "machdeck: web: prestart: bridge br9 is not there (create it, or change HOST_BRIDGE)", EXITED(66)),
	E("missing-link", "machdeck: web: prestart: interface eth7 is not there (create it, or change INTERFACES)", EXITED(66)),
	E("missing-tree", "Directory /srv/web doesn't look like it has an OS tree (/usr/ directory is missing).", EXITED(1)),
	E("missing-tree", NULL, EXITED(STATUS_NO_CONTAINER)),
	E("tree-busy", "machdeck: web: prepare: /srv/web is busy: something runs in it or prepares it", EXITED(75)),
	E("tree-busy", "Directory tree /srv/web is currently busy.", EXITED(1)),
	E("unit-step", NULL, .result = "exit-code", .failed_phase = "ExecStartPost", .failed_code = CLD_EXITED, .failed_status = 2),
	E("killed", NULL, .result = "signal", .main_code = CLD_KILLED, .main_status = SIGSEGV),
	E("missing-bridge", "Failed to add interface vb-web to bridge br9: No such device", EXITED(1)),
	E("link-taken", "Failed to add new veth interfaces (ve-web:host0): File exists", EXITED(1)),
	E("missing-link", "Failed to resolve interface \"eth7\": No such device", EXITED(1)),
	E("bad-parent", "Failed to add new macvlan interfaces: Device or resource busy", EXITED(1)),
	E("bus-full", "Failed to register machine: No buffer space available", EXITED(1)),
	E("machined-masked", "Failed to register machine: Unit dbus-org.freedesktop.machine1.service is masked.", EXITED(1)),
	E("machined-hung", "Failed to register machine: Connection timed out", EXITED(1)),
	E("machined", "Failed to register machine: Access denied", EXITED(1)),
	E("bus-lost", "Failed to open system bus: No such file or directory", EXITED(1)),
	E("bus-lost", NULL, EXITED(STATUS_UNAVAILABLE)),
	E("no-idmap", "Failed to map ids for bind mount /var/lib/containers/web/nix/store: Invalid argument", EXITED(1)),
	E("link-stuck", "Failed to move interface eth7 to network namespace: Device or resource busy", EXITED(1)),
	E("inotify-limit", "Failed to create control group inotify object: Too many open files", EXITED(1)),
	E("start-failed", NULL, .result = "exit-code"),
	E("guest-exit", "the disk is on fire", EXITED(3)),
	E("guest-exit", NULL, EXITED(3)),
	ES("stop-timeout", "container@web.service: State 'stop-sigterm' timed out. Killing.", .result = "timeout"),
	E("guest-timeout", "[***   ] A start job is running for hang.service (5s / no limit)", .result = "timeout"),
	E("guest-timeout", NULL, .result = "timeout"),
	ES("oom-kill", "container@web.service: systemd-oomd killed 3 process(es) in this unit.", .result = "oom-kill"),
	E("oom-kill", NULL, .result = "oom-kill"),
	E("early-exit", "bye", .result = "protocol"),
	E("early-exit", NULL, .result = "protocol"),
	E("watchdog", NULL, .result = "watchdog"),
	E("resources", NULL, .result = "resources"),
	E("result", NULL, .result = "exec-condition"),
	E("bad-name", NULL, EXITED(STATUS_USAGE)),
	E("bug", NULL, EXITED(STATUS_BUG)),
	E("system", NULL, EXITED(STATUS_SYSTEM)),
	E("unsafe-tree", NULL, EXITED(STATUS_UNSAFE_TREE)),
	E("cannot-create", NULL, EXITED(STATUS_CANNOT_CREATE)),
	E("io-error", NULL, EXITED(STATUS_IO)),
	E("busy", NULL, EXITED(STATUS_BUSY)),
	E("not-permitted", NULL, EXITED(STATUS_NOT_PERMITTED)),
	E("unsafe-host", NULL, EXITED(STATUS_UNSAFE_HOST)),
	E("deadline", NULL, EXITED(STATUS_DEADLINE)),
	E("start-limit", "bye", .result = "start-limit-hit", .main_code = CLD_EXITED, .main_status = 3),
	E("start-limit", NULL, .result = "start-limit-hit"),
	/* clang-format on */
};

static void each_rule_gives_its_cause(void **state)
{
	(void)state;
	strs_add(&failed_inside, "rspamd.service");
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct log log[] = { { examples[i].line, examples[i].from_systemd }, { 0 } };
		const char *text = why(&examples[i].facts, log);

		if (!last_cause || strcmp(last_cause, examples[i].cause) != 0)
			fail_msg("'%s' is said to be %s, not %s", text, last_cause ? last_cause : "well",
			         examples[i].cause);
		assert_true(*text != '\0');
	}
	strs_done(&failed_inside);
}

static size_t n_of(const char *cause, bool of_rules)
{
	size_t n = 0;

	for (size_t i = 0; of_rules && why_cause(i); i++)
		n += strcmp(why_cause(i), cause) == 0;
	for (size_t i = 0; !of_rules && i < COUNT(examples); i++)
		n += strcmp(examples[i].cause, cause) == 0;
	return n;
}

static void each_rule_has_its_example(void **state)
{
	(void)state;
	for (size_t i = 0; why_cause(i); i++)
		if (n_of(why_cause(i), false) < n_of(why_cause(i), true))
			fail_msg("%s: %zu rules, %zu examples", why_cause(i), n_of(why_cause(i), true),
			         n_of(why_cause(i), false));
}

static void too_many_starts_are_the_cause_only_where_no_better_is_known(void **state)
{
	(void)state;
	(void)WHY(U("Failed to add interface vb-web to bridge br9: No such device"),
	          .result = "start-limit-hit", .main_code = CLD_EXITED, .main_status = 1);
	assert_string_equal(last_cause, "missing-bridge");
	(void)WHY(S("container@web.service: Start request repeated too quickly."), EXITED(3));
	assert_string_equal(last_cause, "start-limit");
}

static void units_that_failed_inside_are_named(void **state)
{
	const struct why_facts f = { .state = MACHINE_RUNNING, .guest_failed = &failed_inside };

	(void)state;
	strs_add(&failed_inside, "rspamd.service");
	assert_string_equal(why(&f, NULL), "1 unit failed inside: rspamd.service");
	strs_add(&failed_inside, "a\x1b[31m.service");
	assert_string_equal(why(&f, NULL), "2 units failed inside: rspamd.service, a\\x1b[31m.service");
	for (int i = 0; i < 60; i++)
		strs_addf(&failed_inside, "a-very-long-name-of-a-unit-that-fills-the-line-%d.service", i);
	assert_non_null(strstr(why(&f, NULL), "62 units failed inside: "));
	strs_done(&failed_inside);
}

static const char oom_line[] =
	"kernel: "
	"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=payload,mems_allowed=0,oom_memcg="
	"/machine.slice/container@web.service,task_memcg=/machine.slice/container@web.service/payload/"
	"system.slice/rspamd.service,task=rspamd,pid=4242,uid=101";

static void the_victim_is_named_with_the_limit_that_it_met(void **state)
{
	(void)state;
	assert_string_equal(
		WHY(S(oom_line), .result = "oom-kill", .unit = "container@web.service",
	            .memory_max = 512 * 1024 * 1024),
		"out of memory: the kernel killed rspamd (process 4242) at its limit of 512 MiB (raise "
		"the unit's MemoryMax=, or find what eats it)");
	assert_non_null(strstr(WHY(U(oom_line), .result = "oom-kill", .unit = "container@web.service"),
	                       "killed a process of it (")); /* its guest can write such a line too */
}

static bool is_victim(const char *paths)
{
	struct oom_victim victim;
	char line[300];

	(void)snprintf(line, sizeof(line), "oom-kill:constraint=X,%s,task=a,task=b,pid=7,uid=0", paths);
	return oom_read(line, "container@web.service", &victim) && victim.pid == 7 &&
	       strcmp(victim.process, "b") == 0;
}

static void only_the_kernels_own_word_names_a_victim(void **state)
{
	(void)state;
	assert_true(is_victim("oom_memcg=/machine.slice/container@web.service/payload,task_memcg=/x"));
	assert_true(is_victim(
		"oom_memcg=/machine.slice,task_memcg=/machine.slice/container@web.service/payload"));
	assert_true(is_victim("oom_memcg=/,task_memcg=/machine.slice/container@web.service/payload"));
	assert_true(is_victim("global_oom,task_memcg=/a.slice/a-b.slice/container@web.service,task=x"));
	assert_false(is_victim("oom_memcg=/machine.slice/container@db.service,task_memcg=/machine.slice/"
	                       "container@db.service"));
	assert_false(is_victim(
		"oom_memcg=/machine.slice/container@db.service/container@web.service,task_memcg=/x"));
	assert_false(is_victim("oom_memcg=/machine.slice/container@db.service/x,task_memcg=/machine.slice/"
	                       "container@web.service/payload"));
	assert_false(is_victim("oom_memcg=/machine.slice/container@web.service2,task_memcg=/x"));
	assert_false(is_victim("none"));
}

static void unit_states_become_one_word(void **state)
{
	(void)state;
	assert_int_equal(machine_state_of_unit("active", "running"), MACHINE_RUNNING);
	assert_int_equal(machine_state_of_unit("activating", "start"), MACHINE_STARTING);
	assert_int_equal(machine_state_of_unit("activating", "auto-restart"), MACHINE_RESTARTING);
	assert_int_equal(machine_state_of_unit("activating", "auto-restart-queued"), MACHINE_RESTARTING);
	assert_int_equal(machine_state_of_unit("reloading", "reload"), MACHINE_RELOADING);
	assert_int_equal(machine_state_of_unit("deactivating", "stop-sigterm"), MACHINE_STOPPING);
	assert_int_equal(machine_state_of_unit("failed", "failed"), MACHINE_FAILED);
	assert_int_equal(machine_state_of_unit("inactive", "dead"), MACHINE_STOPPED);
	assert_int_equal(machine_state_of_unit("\x1b[31m", "x"), MACHINE_UNKNOWN);
}

static void colours_fall_away_from_log_lines_and_nothing_else_slips_through(void **state)
{
	char text[LOGLINE_SIZE];
	static const char line[] = "[\x1b[0;32m  OK  \x1b[0m] Reached \x1b]0;title\x07 \xe2\x80\xae \xff\r\n";

	(void)state;
	assert_true(logline_clean(text, line, sizeof(line) - 1) > 0);
	assert_string_equal(text, "[  OK  ] Reached \\x1b]0;title\\x07 <U+202E> \\xff");
	assert_int_equal(logline_clean(text, " \r\n", 3), 0);
	assert_int_equal(logline_clean(text, "\x1b[", 2), strlen("\\x1b["));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_machine_needs_no_reason),
		cmocka_unit_test(a_bad_conf_is_named_with_its_place),
		cmocka_unit_test(who_took_the_name_is_named),
		cmocka_unit_test(a_ghost_is_explained),
		cmocka_unit_test(our_own_sentence_is_passed_on_without_the_name),
		cmocka_unit_test(a_failed_step_beside_the_main_process_is_named),
		cmocka_unit_test(a_step_that_failed_in_the_guest_speaks_in_its_own_words),
		cmocka_unit_test(without_a_journal_the_exit_status_is_explained),
		cmocka_unit_test(while_a_start_that_failed_is_undone_that_is_told),
		cmocka_unit_test(a_guest_s_own_exit_status_is_none_of_ours),
		cmocka_unit_test(a_guest_can_not_speak_for_machdeck_when_it_ends_by_itself),
		cmocka_unit_test(nspawns_words_come_with_what_helps),
		cmocka_unit_test(the_last_words_are_those_of_who_failed_first),
		cmocka_unit_test(only_nspawns_cause_is_told_not_what_follows_from_it),
		cmocka_unit_test(a_guest_that_never_was_ready_is_told_with_the_limit),
		cmocka_unit_test(a_guest_that_did_not_stop_is_told),
		cmocka_unit_test(want_of_memory_is_told),
		cmocka_unit_test(want_of_memory_is_told_where_the_units_result_is_only_the_kill),
		cmocka_unit_test(a_signal_is_named),
		cmocka_unit_test(the_start_limit_comes_with_its_cause),
		cmocka_unit_test(a_restart_loop_is_counted),
		cmocka_unit_test(other_results_are_told),
		cmocka_unit_test(a_unit_that_can_not_be_loaded_is_told),
		cmocka_unit_test(what_the_guest_says_while_it_starts_is_marked_and_harmless),
		cmocka_unit_test(the_longest_words_are_cut_not_overrun),
		cmocka_unit_test(the_victim_is_named_with_the_limit_that_it_met),
		cmocka_unit_test(only_the_kernels_own_word_names_a_victim),
		cmocka_unit_test(each_rule_gives_its_cause),
		cmocka_unit_test(each_rule_has_its_example),
		cmocka_unit_test(too_many_starts_are_the_cause_only_where_no_better_is_known),
		cmocka_unit_test(units_that_failed_inside_are_named),
		cmocka_unit_test(unit_states_become_one_word),
		cmocka_unit_test(colours_fall_away_from_log_lines_and_nothing_else_slips_through),
	};

	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}

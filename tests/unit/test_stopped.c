#include "tests/unit/faketree.h"

#include "base/cleanup.h"
#include "drivers/stopped.h"

static int begin(void **state)
{
	if (faketree_new(state) < 0)
		return -1;
	put("/sys/fs/cgroup/system.slice/systemd-machined.service/cgroup.procs", "99\n");
	put("/sys/fs/cgroup/system.slice/dbus-broker.service/cgroup.procs", "40\n41\n");
	put("/proc/1/stat", "1 (systemd) S 0 1 1\n");
	put("/proc/40/stat", "40 (dbus-broker-lau) S 1 40 40\n");
	put("/proc/41/stat", "41 (dbus-broker) S 40 40 40\n");
	put("/proc/99/stat", "99 (systemd-machine) S 1 99 99\n");
	return 0;
}

static void tells(const char *wanted)
{
	CLEANUP(free_p) char *said = stopped_daemon(fake_root);

	if (wanted)
		assert_string_equal(said, wanted);
	else
		assert_null(said);
}

static void nothing_is_said_while_all_of_them_can_run(void **state)
{
	(void)state;
	tells(NULL);
}

static void a_stopped_daemon_is_named_with_what_lets_it_go_on(void **state)
{
	(void)state;
	put("/proc/99/stat", "99 (systemd-machine) T 1 99 99\n");
	tells("systemd-machined is stopped by a signal (kill -CONT 99 lets it go on)");
}

static void systemd_itself_counts_most(void **state)
{
	(void)state;
	put("/proc/99/stat", "99 (systemd-machine) T 1 99 99\n");
	put("/proc/1/stat", "1 (systemd) T 0 1 1\n");
	tells("systemd is stopped by a signal (kill -CONT 1 lets it go on)");
}

static void every_process_of_a_daemon_counts(void **state)
{
	(void)state;
	put("/proc/41/stat", "41 (dbus-broker) T 40 40 40\n");
	tells("the system bus is stopped by a signal (kill -CONT 41 lets it go on)");
}

static void one_under_a_debugger_is_told_as_such(void **state)
{
	(void)state;
	put("/proc/99/stat", "99 (systemd-machine) t 1 99 99\n");
	tells("systemd-machined is stopped by a debugger (process 99)");
}

static void a_name_that_looks_like_a_state_is_none(void **state)
{
	(void)state;
	put("/proc/99/stat", "99 (x) T 1 (y) S 1 99 99\n");
	tells(NULL);
}

static void what_proc_hides_is_not_stopped(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/proc/99/stat", fake_root);
	assert_int_equal(unlink(path), 0);
	tells(NULL);
}

static void a_bus_that_is_gone_is_told(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup/system.slice/dbus-broker.service/cgroup.procs",
	               fake_root);
	assert_int_equal(unlink(path), 0);
	tells("the system bus does not run (systemctl start dbus)");
	put("/sys/fs/cgroup/system.slice/dbus.service/cgroup.procs", "40\n");
	tells(NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, faketree_end)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_said_while_all_of_them_can_run),
		CASE(a_stopped_daemon_is_named_with_what_lets_it_go_on),
		CASE(systemd_itself_counts_most),
		CASE(every_process_of_a_daemon_counts),
		CASE(one_under_a_debugger_is_told_as_such),
		CASE(a_name_that_looks_like_a_state_is_none),
		CASE(what_proc_hides_is_not_stopped),
		CASE(a_bus_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

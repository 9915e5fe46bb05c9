#include "tests/unit/faketree.h"

#include <math.h>

#include "drivers/cgroup.h"
#include "drivers/hoststat.h"

#define WEB "/machine.slice/container@web.service"
#define AT  "/sys/fs/cgroup" WEB

static struct err err;

static struct cgroupfs *tree(void)
{
	struct cgroupfs *fs = NULL;

	assert_int_equal(cgroupfs_open(fake_root, &fs, &err), 0);
	return fs;
}

static struct cgroup_now reading(struct cgroupfs *fs)
{
	struct cgroup *c = NULL;
	struct cgroup_now now;

	assert_int_equal(cgroup_open(fs, WEB, &c), 0);
	assert_int_equal(cgroup_read(c, &now), 0);
	(void)cgroup_estimate(c, &now);
	cgroup_close(c);
	return now;
}

static void put_all(void)
{
	put(AT "/cpu.stat",
	    "usage_usec 5000000\nuser_usec 1\nnr_periods 4\nnr_throttled 2\nthrottled_usec 700\n");
	put(AT "/cpu.max", "250000 100000\n");
	put(AT "/memory.current", "1048576\n");
	put(AT "/memory.max", "2097152\n");
	put(AT "/memory.swap.current", "4096\n");
	put(AT "/memory.events", "low 0\noom 9\noom_kill 3\noom_group_kill 0\n");
	put(AT "/pids.current", "7\n");
	put(AT "/pids.max", "100\n");
	put(AT "/io.stat",
	    "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=5 dios=1\n8:16 rbytes=1 wbytes=2 rios=1\n");
	put(AT "/cpu.pressure",
	    "some avg10=12.50 avg60=0.00 avg300=0.00 total=5\nfull avg10=3.25 avg60=0.00\n");
	put(AT "/cgroup.events", "populated 1\nfrozen 0\n");
}

static void the_unit_is_what_stays_of_a_leaders_cgroup(void **state)
{
	static const char *const cases[][2] = {
		{ WEB "/payload/init.scope", WEB },
		{ WEB "/payload", WEB },
		{ WEB "/payload/system.slice/evil.service/payload", WEB },
		{ "/machine.slice/machine-qemu\\x2d1.scope/libvirt/emulator",
		  "/machine.slice/machine-qemu\\x2d1.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/mine.service/payload",
		  "/user.slice/user-1000.slice/user@1000.service/app.slice/mine.service" },
		{ "/lxc/web", "/lxc/web" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(cgroup_of_machine(cases[i][0]), strlen(cases[i][1]));
		assert_memory_equal(cases[i][0], cases[i][1], strlen(cases[i][1]));
	}
}

static void the_leaders_line_of_cgroup_2_is_found_among_the_old_ones(void **state)
{
	struct cgroupfs *fs = tree();
	char *path = NULL;

	(void)state;
	put("/proc/42/cgroup", "4:memory:/other.service\n0::" WEB "/payload/init.scope\n");
	assert_int_equal(cgroup_of_leader(fs, 42, &path), 0);
	assert_string_equal(path, WEB);
	free(path);
	put("/proc/42/cgroup", "4:memory:/other.service\n");
	assert_int_equal(cgroup_of_leader(fs, 42, &path), -ENOENT);
	assert_int_equal(cgroup_of_leader(fs, 43, &path), -ESRCH);
	cgroupfs_close(fs);
}

static void every_file_is_read(void **state)
{
	struct cgroupfs *fs = tree();
	struct cgroup_now now;

	(void)state;
	put_all();
	now = reading(fs);
	assert_int_equal(now.cpu_usec, 5000000);
	assert_int_equal(now.throttled_usec, 700);
	assert_true(now.cpu_limit > 249.9f && now.cpu_limit < 250.1f);
	assert_int_equal(now.memory, 1048576);
	assert_int_equal(now.memory_limit, 2097152);
	assert_int_equal(now.swap, 4096);
	assert_int_equal(now.oom_kills, 3);
	assert_int_equal(now.tasks, 7);
	assert_int_equal(now.tasks_limit, 100);
	assert_int_equal(now.io_read, 101);
	assert_int_equal(now.io_write, 22);
	assert_true(now.cpu_pressure.some > 12.49f && now.cpu_pressure.some < 12.51f);
	assert_true(now.cpu_pressure.full > 3.24f && now.cpu_pressure.full < 3.26f);
	assert_false(now.frozen || now.memory_is_estimate || now.tasks_is_estimate);
	cgroupfs_close(fs);
}

static void max_is_no_limit_and_what_is_missing_is_unknown(void **state)
{
	struct cgroupfs *fs = tree();
	struct cgroup_now now;

	(void)state;
	put(AT "/cpu.stat", "usage_usec 1\n");
	put(AT "/cpu.max", "max 100000\n");
	put(AT "/memory.current", "1\n");
	put(AT "/memory.max", "max\n");
	put(AT "/pids.current", "1\n");
	now = reading(fs);
	assert_true(isnan(now.cpu_limit));
	assert_int_equal(now.memory_limit, STATS_UNKNOWN);
	assert_int_equal(now.throttled_usec, STATS_UNKNOWN);
	assert_int_equal(now.swap, STATS_UNKNOWN);
	assert_int_equal(now.oom_kills, STATS_UNKNOWN);
	assert_int_equal(now.io_read, STATS_UNKNOWN);
	assert_true(isnan(now.io_pressure.some) && isnan(now.memory_pressure.full));
	cgroupfs_close(fs);
}

static void of_more_disks_than_are_read_nothing_is_told(void **state)
{
	struct cgroupfs *fs = tree();
	static char text[32768];
	struct cgroup_now now;
	size_t len = 0;

	(void)state;
	put_all();
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		                        "8:%d rbytes=1000000 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n", i);
	put(AT "/io.stat", text);
	now = reading(fs);
	assert_int_equal(now.io_read, 200000000);
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		                        "9:%d rbytes=1000000 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n", i);
	put(AT "/io.stat", text);
	now = reading(fs);
	assert_int_equal(now.io_read, STATS_UNKNOWN);
	assert_int_equal(now.io_write, STATS_UNKNOWN);
	cgroupfs_close(fs);
}

static void a_frozen_payload_is_frozen_though_its_unit_is_not(void **state)
{
	struct cgroupfs *fs = tree();

	(void)state;
	put_all();
	put(AT "/payload/cgroup.events", "populated 1\nfrozen 1\n");
	assert_true(reading(fs).frozen);
	assert_true(cgroup_is_frozen(fs, WEB));
	put(AT "/payload/cgroup.events", "populated 1\nfrozen 0\n");
	assert_false(cgroup_is_frozen(fs, WEB));
	assert_false(cgroup_is_frozen(fs, "/nowhere"));
	cgroupfs_close(fs);
}

static void without_controllers_memory_and_tasks_are_estimates_of_the_whole_tree(void **state)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct cgroupfs *fs = tree();
	struct cgroup_now now;

	(void)state;
	put(AT "/cgroup.procs", "10\n");
	put(AT "/cgroup.threads", "10\n");
	put(AT "/payload/system.slice/db.service/cgroup.procs", "11\n0\n");
	put(AT "/payload/system.slice/db.service/cgroup.threads", "11\n12\n13\n");
	put("/proc/10/statm", "900 50 20 1 0 1 0\n");
	put("/proc/11/statm", "900 300 100 1 0 1 0\n");
	now = reading(fs);
	assert_int_equal(now.memory, 230 * page);
	assert_int_equal(now.tasks, 4);
	assert_true(now.memory_is_estimate && now.tasks_is_estimate);
	cgroupfs_close(fs);
}

static void what_proc_hides_is_not_estimated_as_nothing(void **state)
{
	struct cgroupfs *fs = tree();
	struct cgroup_now now;

	(void)state;
	put(AT "/cgroup.procs", "10\n");
	now = reading(fs);
	assert_int_equal(now.memory, STATS_UNKNOWN);
	assert_false(now.memory_is_estimate);
	cgroupfs_close(fs);
}

static void a_missing_file_is_not_asked_for_again(void **state)
{
	struct cgroupfs *fs = tree();
	struct cgroup *c = NULL;
	struct cgroup_now now;

	(void)state;
	put(AT "/cpu.stat", "usage_usec 1\n");
	assert_int_equal(cgroup_open(fs, WEB, &c), 0);
	assert_int_equal(cgroup_read(c, &now), 0);
	put_all();
	assert_int_equal(cgroup_read(c, &now), 0);
	assert_int_equal(now.cpu_usec, 5000000);
	assert_int_equal(now.tasks, STATS_UNKNOWN);
	cgroup_close(c);
	cgroupfs_close(fs);
}

static void many_cgroups_keep_a_bounded_number_of_files_open(void **state)
{
	enum { MANY = 100 };
	struct cgroupfs *fs = tree();
	struct cgroup *c[MANY];
	struct cgroup_now now;
	size_t before = open_files();

	(void)state;
	put_all();
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(cgroup_open(fs, WEB, &c[i]), 0);
		assert_int_equal(cgroup_read(c[i], &now), 0);
		assert_int_equal(now.tasks, 7);
	}
	assert_int_equal(open_files(), before + MANY + 512);
	assert_int_equal(cgroup_read(c[MANY - 1], &now), 0);
	assert_int_equal(now.cpu_usec, 5000000);
	for (size_t i = 0; i < MANY; i++)
		cgroup_close(c[i]);
	assert_int_equal(open_files(), before);
	cgroupfs_close(fs);
}

static void a_path_that_climbs_is_refused(void **state)
{
	struct cgroupfs *fs = tree();
	struct cgroup *c = NULL;

	(void)state;
	assert_int_equal(cgroup_open(fs, "/../proc", &c), -EINVAL);
	assert_int_equal(cgroup_open(fs, "/a/..", &c), -EINVAL);
	assert_int_equal(cgroup_open(fs, "/", &c), -EINVAL);
	assert_int_equal(cgroup_open(fs, "machine.slice", &c), -EINVAL);
	assert_int_equal(cgroup_open(fs, "/not/there", &c), -ENOENT);
	cgroupfs_close(fs);
}

static void a_host_without_cgroup_2_is_told(void **state)
{
	struct cgroupfs *fs = NULL;
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup/cgroup.controllers", fake_root);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cgroupfs_open(fake_root, &fs, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cgroup 2 is not mounted"));
	put("/sys/fs/cgroup/unified/cgroup.controllers", "");
	assert_string_equal(cgroup_where(fake_root), "/sys/fs/cgroup/unified");
}

static void put_process(int pid, const char *comm, const char *cmdline)
{
	char path[64], text[512];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	(void)snprintf(text, sizeof(text),
	               "%d (%s) S 1 1 1 0 -1 4194560 1 1 1 1 150 50 0 0 20 0 1 0 5 900000 25 1\n", pid, comm);
	put(path, text);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	(void)snprintf(text, sizeof(text), "Name:\tx\nNSpid:\t%d\t%d\t1\nVmRSS:\t1 kB\n", pid, pid - 8);
	put(path, text);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	put(path, cmdline);
}

static void the_tree_tells_each_process_under_its_guests_unit(void **state)
{
	struct cgroupfs *fs = tree();
	struct proctree t = { 0 };

	(void)state;
	put(AT "/cgroup.procs", "");
	put(AT "/payload/db.service/cgroup.procs", "10\n11\n12\n");
	put_process(10, "a) R 1 (b", "/bin/db\x1b[2J");
	put_process(11, "kid\n", "");
	assert_int_equal(cgroup_processes(fs, WEB, &t, &err), 0);
	assert_int_equal(t.n_groups, 3);
	assert_string_equal(t.groups[0].name, "container@web.service");
	assert_string_equal(t.groups[2].name, "db.service");
	assert_int_equal(t.groups[2].depth, 2);
	assert_int_equal(t.groups[2].n, 3);
	assert_int_equal(t.n_processes, 3);
	assert_int_equal(t.processes[0].pid, 10);
	assert_int_equal(t.processes[0].guest_pid, 2);
	assert_int_equal(t.processes[0].state, 'S');
	assert_int_equal(t.processes[0].cpu_usec, 200 * (1000000 / sysconf(_SC_CLK_TCK)));
	assert_int_equal(t.processes[0].rss, 25 * sysconf(_SC_PAGESIZE));
	assert_string_equal(t.processes[0].command, "/bin/db\\x1b[2J");
	assert_string_equal(t.processes[1].command, "[kid\\x0a]");
	assert_null(t.processes[2].command);
	assert_int_equal(t.processes[2].state, '?');
	assert_int_equal(t.processes[2].rss, STATS_UNKNOWN);
	assert_false(t.cut);
	proctree_done(&t);
	cgroupfs_close(fs);
}

static void the_tree_is_bounded_and_says_so(void **state)
{
	struct cgroupfs *fs = tree();
	struct proctree t = { 0 };
	char path[400] = AT, many[16384] = "";
	size_t len = 0;

	(void)state;
	for (int i = 0; i < PROCTREE_DEPTH + 2; i++) {
		(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d/cgroup.procs");
		put(path, "");
		*strrchr(path, '/') = '\0';
	}
	assert_int_equal(cgroup_processes(fs, WEB, &t, &err), 0);
	assert_int_equal(t.n_groups, PROCTREE_DEPTH);
	assert_true(t.cut);
	proctree_done(&t);
	for (int i = 0; i < PROCTREE_PROCESSES + 1; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "%d\n", 4000000 + i);
	put(AT "/cgroup.procs", many);
	assert_int_equal(cgroup_processes(fs, WEB, &t, &err), 0);
	assert_int_equal(t.n_processes, PROCTREE_PROCESSES);
	assert_int_equal(t.processes[PROCTREE_PROCESSES - 1].pid, 4000000 + PROCTREE_PROCESSES - 1);
	assert_true(t.cut);
	proctree_done(&t);
	cgroupfs_close(fs);
}

static void the_hosts_own_numbers_are_read(void **state)
{
	struct hoststat h;
	struct host_now now;

	(void)state;
	put("/proc/stat", "cpu  10 1 20 100 30 2 3 5 10 0\ncpu0 1 1 1\n");
	put("/proc/meminfo",
	    "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\nSwapTotal: 50 kB\n");
	put("/proc/pressure/io", "some avg10=99.99 avg60=1.00\nfull avg10=1.00\n");
	assert_int_equal(hoststat_open(fake_root, &h, &err), 0);
	hoststat_read(&h, &now);
	assert_int_equal(now.all, 171);
	assert_int_equal(now.busy, 36);
	assert_int_equal(now.memory_total, 1000 * 1024);
	assert_int_equal(now.memory, 600 * 1024);
	assert_int_equal(now.swap, STATS_UNKNOWN);
	assert_true(now.io_pressure.some > 99.9f && isnan(now.cpu_pressure.some));
	hoststat_close(&h);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, faketree_new, faketree_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_unit_is_what_stays_of_a_leaders_cgroup),
		CASE(the_leaders_line_of_cgroup_2_is_found_among_the_old_ones),
		CASE(every_file_is_read),
		CASE(max_is_no_limit_and_what_is_missing_is_unknown),
		CASE(of_more_disks_than_are_read_nothing_is_told),
		CASE(a_frozen_payload_is_frozen_though_its_unit_is_not),
		CASE(without_controllers_memory_and_tasks_are_estimates_of_the_whole_tree),
		CASE(what_proc_hides_is_not_estimated_as_nothing),
		CASE(a_missing_file_is_not_asked_for_again),
		CASE(many_cgroups_keep_a_bounded_number_of_files_open),
		CASE(a_path_that_climbs_is_refused),
		CASE(a_host_without_cgroup_2_is_told),
		CASE(the_tree_tells_each_process_under_its_guests_unit),
		CASE(the_tree_is_bounded_and_says_so),
		CASE(the_hosts_own_numbers_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

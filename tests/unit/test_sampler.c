#include "tests/unit/faketree.h"

#include <math.h>
#include <time.h>

#include "engine/sampler.h"

#define PERIOD 400000

static sd_event *loop;
static struct sampler *sampler;
static unsigned times;
static struct err err;

static void on_sampled(void *arg)
{
	(void)arg;
	times++;
}

static int begin(void **state)
{
	int r = faketree_new(state);

	times = 0;
	return r < 0 || sd_event_new(&loop) < 0 ||
	       sampler_new_at(fake_root, loop, on_sampled, NULL, &sampler, &err) < 0;
}

static int end(void **state)
{
	sampler_free(sampler);
	sd_event_unref(loop);
	return faketree_end(state);
}

static uint64_t usec(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Let the loop run until values changed so often. */
static void await(unsigned wanted)
{
	uint64_t deadline = usec(CLOCK_MONOTONIC) + 5000000;

	while (times < wanted && usec(CLOCK_MONOTONIC) < deadline)
		assert_true(sd_event_run(loop, 1000000) >= 0);
	assert_int_equal(times, wanted);
}

/* Let it run until a rate is known: the first time that values change may come too soon for one. */
static void await_rate(const float *rate)
{
	for (unsigned i = 0; i < 3 && isnan(*rate); i++)
		await(times + 1);
	assert_true(*rate >= 0);
}

/* A machine whose processes are in NAME.service; its leader's number is given. */
static struct machine machine(const char *name, pid_t leader)
{
	char path[128], text[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", leader);
	(void)snprintf(text, sizeof(text), "0::/%s.service/payload/init.scope\n", name);
	put(path, text);
	return (struct machine){ .name = (char *)(uintptr_t)name, .leader = leader, .netnsid = -1 };
}

static void uses(const char *name, const char *cpu_usec, const char *memory)
{
	char path[128], text[128];

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s.service/cpu.stat", name);
	(void)snprintf(text, sizeof(text), "usage_usec %s\n", cpu_usec);
	put(path, text);
	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s.service/memory.current", name);
	put(path, memory);
}

static const struct stats *of(const char *name)
{
	const struct stats *st = stats_find(sampler_now(sampler), name);

	assert_non_null(st);
	return st;
}

static void want(const struct machine *a, const struct machine *b)
{
	const struct machine *v[] = { a, b };

	assert_int_equal(sampler_want(sampler, v, b ? 2 : 1, PERIOD), 0);
}

static void the_first_rate_comes_soon_and_the_rest_at_once(void **state)
{
	struct machine web = machine("web", 10);
	uint64_t began = usec(CLOCK_MONOTONIC);
	const struct machine *v[] = { &web };

	(void)state;
	uses("web", "1000000", "4096\n");
	assert_int_equal(sampler_want(sampler, v, 1, 3600000000), 0);
	assert_true(isnan(of("web")->cpu));
	assert_int_equal(of("web")->memory, 4096);
	assert_int_equal(of("web")->rx, STATS_UNKNOWN);
	uses("web", "1100000", "8192\n");
	await(1);
	assert_in_range(usec(CLOCK_MONOTONIC) - began, 200000, 2000000);
	assert_in_range((unsigned)of("web")->cpu, 5, 45); /* 100 ms in at least 250 */
	assert_int_equal(of("web")->memory, 8192);
	assert_true(isnan(of("web")->cpu_history[STATS_HISTORY - 1])); /* no whole period yet */
}

static void samples_fall_on_whole_periods_of_wall_time(void **state)
{
	struct machine web = machine("web", 10);
	unsigned near = 0;

	(void)state;
	uses("web", "1", "1\n");
	want(&web, NULL);
	await(1);
	/* of four one may be the second sample of a new machine; what else runs here may delay some */
	for (unsigned i = 2; near < 3 && i < 30; i++) {
		near = i % 4 == 2 ? 0 : near;
		await(i);
		near += usec(CLOCK_REALTIME) % PERIOD < PERIOD / 2;
	}
	assert_in_range(near, 3, 4);
}

static void a_history_grows_by_one_a_period(void **state)
{
	struct machine web = machine("web", 10);
	unsigned known = 0;

	(void)state;
	uses("web", "1", "4096\n");
	want(&web, NULL);
	await(4);
	for (size_t i = 0; i < STATS_HISTORY; i++)
		known += isnan(of("web")->memory_history[i]) ? 0 : 1;
	assert_in_range(known, 3, 4);
	assert_true(of("web")->memory_history[STATS_HISTORY - 1] == 4096.0f);
}

static void nothing_wanted_leaves_nothing_open_and_no_timer(void **state)
{
	struct machine web = machine("web", 10);
	size_t before = open_files();

	(void)state;
	uses("web", "1", "1\n");
	want(&web, NULL);
	assert_true(open_files() > before);
	assert_int_equal(sampler_want(sampler, NULL, 0, PERIOD), 0);
	assert_int_equal(open_files(), before);
	assert_int_equal(sampler_now(sampler)->n, 0);
	assert_int_equal(sd_event_run(loop, 2 * PERIOD), 0);
	assert_int_equal(times, 0);
}

static void a_machine_that_left_the_screen_is_closed_and_found_again_with_its_history(void **state)
{
	struct machine web = machine("web", 10), db = machine("db", 11);
	size_t both;

	(void)state;
	uses("web", "1", "4096\n");
	uses("db", "1", "8192\n");
	want(&web, &db);
	assert_string_equal(sampler_now(sampler)->v[0].name, "db");
	await(3);
	both = open_files();
	want(&db, NULL);
	assert_true(open_files() < both);
	assert_null(stats_find(sampler_now(sampler), "web"));
	want(&db, &web);
	assert_true(of("web")->memory_history[STATS_HISTORY - 1] == 4096.0f);
	assert_true(of("db")->memory_history[STATS_HISTORY - 1] == 8192.0f);
	assert_true(isnan(of("web")->cpu));
	assert_true(of("db")->cpu >= 0);
}

static void another_run_is_counted_anew(void **state)
{
	struct machine web = machine("web", 10), again;

	(void)state;
	uses("web", "9000000", "1\n");
	want(&web, NULL);
	await_rate(&of("web")->cpu);
	uses("web", "9900000", "1\n");
	again = machine("web", 12);
	want(&again, NULL);
	assert_true(isnan(of("web")->cpu));
	await_rate(&of("web")->cpu);
	assert_true(of("web")->cpu < 1.0f);
}

static void a_machine_without_a_leader_is_unknown_not_idle(void **state)
{
	struct machine off = { .name = (char *)(uintptr_t) "off", .netnsid = -1 };

	(void)state;
	want(&off, NULL);
	await(1);
	assert_true(isnan(of("off")->cpu));
	assert_int_equal(of("off")->memory, STATS_UNKNOWN);
	assert_int_equal(of("off")->tasks, STATS_UNKNOWN);
	assert_int_equal(of("off")->rx, STATS_UNKNOWN);
}

static void the_host_is_a_share_of_all_its_cores(void **state)
{
	struct machine web = machine("web", 10);
	float cores = (float)sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	put("/proc/stat", "cpu  100 0 0 100 0 0 0 0 0 0\n");
	put("/proc/meminfo", "MemTotal: 100 kB\nMemAvailable: 25 kB\n");
	want(&web, NULL);
	assert_int_equal(sampler_host(sampler)->memory, 75 * 1024);
	assert_true(isnan(sampler_host(sampler)->cpu));
	put("/proc/stat", "cpu  130 0 0 170 0 0 0 0 0 0\n");
	await_rate(&sampler_host(sampler)->cpu);
	assert_true(fabsf(sampler_host(sampler)->cpu - 30 * cores) < 0.1f);
	assert_int_equal(sampler_host(sampler)->cores, (int)cores);
}

static void a_host_without_cgroup_2_says_so_and_the_rest_goes_on(void **state)
{
	struct machine web = machine("web", 10);
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup/cgroup.controllers", fake_root);
	assert_int_equal(unlink(path), 0);
	put("/proc/meminfo", "MemTotal: 100 kB\nMemAvailable: 25 kB\n");
	want(&web, NULL);
	assert_non_null(strstr(sampler_trouble(sampler), "cgroup 2 is not mounted"));
	await(1);
	assert_int_equal(of("web")->memory, STATS_UNKNOWN);
	assert_int_equal(sampler_host(sampler)->memory_total, 100 * 1024);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_first_rate_comes_soon_and_the_rest_at_once),
		CASE(samples_fall_on_whole_periods_of_wall_time),
		CASE(a_history_grows_by_one_a_period),
		CASE(nothing_wanted_leaves_nothing_open_and_no_timer),
		CASE(a_machine_that_left_the_screen_is_closed_and_found_again_with_its_history),
		CASE(another_run_is_counted_anew),
		CASE(a_machine_without_a_leader_is_unknown_not_idle),
		CASE(the_host_is_a_share_of_all_its_cores),
		CASE(a_host_without_cgroup_2_says_so_and_the_rest_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

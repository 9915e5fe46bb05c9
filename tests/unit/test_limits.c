#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/dropin.h"
#include "decide/limitvalue.h"

static void a_limit_becomes_what_systemd_takes(void **state)
{
	static const struct {
		enum limit which;
		const char *text, *property;
		char type;
		uint64_t number;
	} good[] = {
		{ LIMIT_MEMORY, "512M", "MemoryMax", 't', 512ULL << 20 },
		{ LIMIT_MEMORY, "1000", "MemoryMax", 't', 1000 },
		{ LIMIT_MEMORY, "50%", "MemoryMaxScale", 'u', UINT32_MAX / 2 },
		{ LIMIT_MEMORY, "infinity", "MemoryMax", 't', UINT64_MAX },
		{ LIMIT_CPU, "150%", "CPUQuotaPerSecUSec", 't', 1500000 },
		{ LIMIT_CPU, "infinity", "CPUQuotaPerSecUSec", 't', UINT64_MAX },
		{ LIMIT_TASKS, "100", "TasksMax", 't', 100 },
		{ LIMIT_TASKS, "100%", "TasksMaxScale", 'u', UINT32_MAX },
		{ LIMIT_IO, "10000", "IOWeight", 't', 10000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct limit_value v = { 0 };
		struct why why;

		assert_int_equal(limit_parse(good[i].which, good[i].text, &v, &why), 0);
		assert_string_equal(v.property, good[i].property);
		assert_int_equal(v.type, good[i].type);
		assert_true(v.number == good[i].number);
	}
}

static void what_is_no_limit_is_refused(void **state)
{
	static const struct {
		enum limit which;
		const char *text;
	} bad[] = {
		{ LIMIT_MEMORY, "" },
		{ LIMIT_MEMORY, "0" },
		{ LIMIT_MEMORY, "M" },
		{ LIMIT_MEMORY, "1 G" },
		{ LIMIT_MEMORY, "101%" },
		{ LIMIT_MEMORY, "1Gb" },
		{ LIMIT_MEMORY, "99999999E" },
		{ LIMIT_CPU, "50" },
		{ LIMIT_CPU, "%" },
		{ LIMIT_CPU, "0%" },
		{ LIMIT_TASKS, "-1" },
		{ LIMIT_TASKS, "1K" },
		{ LIMIT_IO, "0" },
		{ LIMIT_IO, "10001" },
		{ LIMIT_IO, "infinity" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct limit_value v;
		struct why why;

		if (limit_parse(bad[i].which, bad[i].text, &v, &why) != -EINVAL)
			fail_msg("'%s' is taken", bad[i].text);
	}
}

static void limits_of_a_conf_are_in_the_plan_and_the_drop_in(void **state)
{
	static const char conf[] = "INTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\nMEMORY_MAX="
				   "1G\nCPU_QUOTA=50%\nTASKS_MAX=99\nIO_WEIGHT=10\n";
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 }, again = { 0 };
	struct err e = { 0 };

	(void)state;
	if (conf_read("web.conf", "web", conf, strlen(conf), &c, NULL, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(plan_build(&c, &(struct facts){ .path = "/bin" }, &p, &e), 0);
	assert_string_equal(plan_directive(&p, "MemoryMax")->values.v[0], "1G");
	dropin_text(&c, &p, "/etc/containers/web.conf", &text);
	assert_non_null(strstr(buf_text(&text), "\nMemoryMax=1G\nCPUQuota=50%\nTasksMax=99\nIOWeight=10\n"));
	assert_int_equal(conf_write(&c, &again, &e), 0);
	assert_string_equal(buf_text(&again), conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_becomes_what_systemd_takes),
		cmocka_unit_test(what_is_no_limit_is_refused),
		cmocka_unit_test(limits_of_a_conf_are_in_the_plan_and_the_drop_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

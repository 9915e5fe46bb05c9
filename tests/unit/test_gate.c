#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/gate.h"
#include "drivers/enter.h"
#include "drivers/files.h"
#include "drivers/fileset.h"
#include "drivers/machined_ask.h"
#include "drivers/nft.h"
#include "drivers/rootfs.h"
#include "drivers/rtnl.h"
#include "drivers/units.h"
#include "tests/unit/systemd1.h"

static void it_is_open_until_somebody_closes_it(void **state)
{
	struct err e;

	(void)state;
	assert_true(gate_is_open());
	assert_int_equal(gate_ask(&e, "cannot stop web"), 0);
	gate_close("a test wants it so");
	assert_false(gate_is_open());
	assert_int_equal(gate_ask(&e, "cannot stop %s", "web"), -EPERM);
	assert_int_equal(e.status, STATUS_NOT_PERMITTED);
	assert_string_equal(e.text, "cannot stop web: read-only: a test wants it so");
	gate_open();
	assert_string_equal(gate_reason(), "");
	assert_int_equal(gate_ask(&e, "cannot stop web"), 0);
}

static bool refused(int r, const struct err *e)
{
	return r == -EPERM && e->status == STATUS_NOT_PERMITTED && strstr(e->text, ": read-only: ");
}

static void on_units(const struct units_event *event, void *arg)
{
	*(bool *)arg |= event->change == UNITS_UP;
}

static void on_done(int r, const char *job, const struct err *e, void *arg)
{
	(void)r, (void)job, (void)e, (void)arg;
	fail_msg("a call-back though nothing was asked");
}

static void behind_a_closed_gate_systemd_hears_of_nothing(void **state)
{
	struct systemd1 s;
	struct units *u;
	bool connected = false;
	struct err e;

	(void)state;
	systemd1_up(&s, true);
	OK(units_new(s.loop, on_units, &connected, &u, &e));
	systemd1_run(&s, &connected);
	gate_close("a test");
	for (enum units_verb v = UNITS_START; v <= UNITS_RELOAD; v++)
		assert_true(refused(units_job(u, v, "container@web.service", on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_kill(u, "container@web.service", on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_forgive(u, "container@web.service", on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_freeze(u, "container@web.service", true, on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_freeze(u, "container@web.service", false, on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_enable(u, "container@web.service", true, on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_cancel_job(u, "/o/job/7", on_done, NULL, NULL, &e), &e));
	assert_true(refused(units_reload_manager(u, on_done, NULL, NULL, &e), &e));
	systemd1_settle(&s);
	assert_int_equal(s.calls.n, 0);
	units_free(u);
	systemd1_down(&s);
	gate_open();
}

static void behind_a_closed_gate_no_file_is_written(void **state)
{
	char dir[] = "/tmp/gate-XXXXXX", path[64], *const words[] = { (char[]){ "true" }, NULL };
	const struct fileset_entry entry = { .path = "/b", .bytes = "x", .len = 1, .mode = 0644 };
	struct forward forward = { 0 };
	struct netops ops = { .n = 1 };
	struct nl nl = { .fd = -1 };
	struct rootfs t = { .fd = -1, .path = dir };
	struct err e;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a", dir);
	gate_close("a test");
	assert_true(refused(files_save(dir, "/a", 0644, "x", 1, &e), &e));
	assert_int_equal(files_replace(-1, "a", &(struct files_new){ 0 }, "x", 1), -EPERM);
	assert_true(refused(files_mkdir(dir, "/a", 0755, &fd, &e), &e));
	assert_true(refused(fileset_save(dir, &entry, 1, &e), &e));
	assert_true(refused(rootfs_mkdir(&t, "a", 0755, &e), &e));
	assert_true(refused(rootfs_touch(&t, "a", 0644, &e), &e));
	assert_true(refused(rootfs_put(&t, "a", 0644, "x", 1, &e), &e));
	assert_true(refused(rootfs_fifo(&t, "a", 0644, &e), &e));
	assert_true(refused(rtnl_apply("web", &ops, &e), &e));
	assert_true(refused(rtnl_delete(&nl, 7, &e), &e));
	assert_true(refused(nft_forward_delete(&forward, 1, &e), &e));
	assert_true(refused(enter_run("web", words, -1, &e), &e));
	assert_true(refused(machined_await(MACHINED_TERMINATE, "web", NULL, NULL, &e), &e));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
	gate_open();
}

/* Last: nothing opens it again. */
static void a_sealed_gate_stays_closed(void **state)
{
	(void)state;
	gate_seal("for good");
	gate_open();
	gate_close("another reason");
	assert_false(gate_is_open());
	assert_true(gate_is_sealed());
	assert_string_equal(gate_reason(), "for good");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_open_until_somebody_closes_it),
		cmocka_unit_test(behind_a_closed_gate_systemd_hears_of_nothing),
		cmocka_unit_test(behind_a_closed_gate_no_file_is_written),
		cmocka_unit_test(a_sealed_gate_stays_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

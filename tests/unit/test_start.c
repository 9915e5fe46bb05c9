/* Before systemd-nspawn is executed: the registration, the runtime folder, and which program it is. Cases 55,
 * 71 to 73 and what start leaves for the guest, as root of a host of our own that has neither a bus nor
 * systemd-machined. */
#include "tests/unit/fakehost.h"

#include "base/cleanup.h"
#include "engine/start.h"

#define NSPAWN "/usr/bin/systemd-nspawn"
#define INIT   LIBEXECDIR "/machdeck-init"
#define RUN    "/run/machdeck/web"

static struct loaded box;
static struct strs warnings;
static struct err err;

static void make_dirs(const char *path)
{
	char part[128];

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(part, 0755);
			*p = '/';
		}
	(void)mkdir(part, 0755);
}

static void same_text(const char *path, const char *wanted)
{
	char text[8192] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static int set_up(void **state)
{
	static const char text[] = "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.0.0.1\nLOCAL_ADDRESS=10.0.0.2\n";

	(void)state;
	put_file("/etc/containers/web.conf", text, 0644);
	put_file(INIT, "init", 0755);
	return load_plan("", "web", &box, &err);
}

static int tear_down(void **state)
{
	(void)state;
	loaded_done(&box);
	strs_done(&warnings);
	(void)unlink(NSPAWN);
	return 0;
}

/* --- the runtime folder */

static void the_runtime_folder_has_all_that_the_guest_and_the_host_need(void **state)
{
	struct stat st;

	(void)state;
	make_dirs(RUN);
	put_file(RUN "/host.done", "of an earlier start", 0644);
	assert_int_equal(start_files(&box, &err), 0);
	same_text(RUN "/guest/init", "init");
	assert_int_equal(lstat(RUN "/guest/init", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0555);
	same_text(RUN "/guest/net", "rename host0 eth0\nup eth0\naddress eth0 10.0.0.2\nroute eth0 10.0.0.1\n"
	                            "default eth0 10.0.0.1\n");
	same_text(RUN "/host", "up ve-web\naddress ve-web 10.0.0.1\nroute ve-web 10.0.0.2\n");
	assert_int_equal(lstat(RUN "/host.done", &st), -1);
}

static void the_plan_is_kept_with_the_hash_of_its_conf(void **state)
{
	CLEANUP(buf_done) struct buf plan = { 0 };
	char wanted[8192];

	(void)state;
	assert_int_equal(start_files(&box, &err), 0);
	plan_json(&box.plan, &plan);
	(void)snprintf(wanted, sizeof(wanted), "{\"conf_hash\":\"%s\",%s", box.hash, buf_text(&plan) + 1);
	same_text(RUN "/plan.json", wanted);
}

static void each_start_gets_a_fresh_init(void **state)
{
	struct stat first, second;

	(void)state;
	assert_int_equal(start_files(&box, &err), 0);
	assert_int_equal(lstat(RUN "/guest/init", &first), 0);
	put_file(RUN "/guest/init", "changed by the guest's root", 0555);
	assert_int_equal(start_files(&box, &err), 0);
	assert_int_equal(lstat(RUN "/guest/init", &second), 0);
	assert_int_not_equal(first.st_ino, second.st_ino);
	same_text(RUN "/guest/init", "init");
	same_text(INIT, "init");
}

static void an_init_that_others_can_change_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(INIT, 0775), 0);
	assert_int_equal(start_files(&box, &err), -EPERM);
	assert_int_equal(err.status, STATUS_UNSAFE_HOST);
	assert_int_equal(unlink(INIT), 0);
	assert_int_equal(start_files(&box, &err), -ENOENT);
	assert_int_equal(err.status, STATUS_NO_CONTAINER);
	assert_non_null(strstr(err.text, INIT));
}

/* --- the registration. The unit of this process is not web's. */

static void register_web(const char *unit, pid_t leader)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "NAME=web\nSCOPE=%s\nCLASS=container\nLEADER=%d\n", unit, leader);
	put_file("/run/systemd/machines/web", text, 0644);
}

static void case_73_a_foreign_machine_is_named_and_left_alone(void **state)
{
	(void)state;
	register_web("machine-web.scope", getpid());
	assert_int_equal(start_clear("web", &warnings, &err), -EBUSY);
	assert_int_equal(err.status, STATUS_BUSY);
	assert_non_null(strstr(err.text, "machine-web.scope"));
	assert_int_equal(access("/run/systemd/machines/web", F_OK), 0);
}

static void a_stale_registration_without_a_bus_is_a_warning(void **state)
{
	(void)state;
	register_web("container@web.service", 0x3ffffff);
	assert_int_equal(start_clear("web", &warnings, &err), 0);
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.v[0], "stale registration"));
}

static void no_registration_is_the_usual_case(void **state)
{
	(void)state;
	(void)unlink("/run/systemd/machines/web");
	assert_int_equal(start_clear("web", &warnings, &err), 0);
	assert_int_equal(warnings.n, 0);
}

/* --- the program */

static void is_not_executed(const char *words)
{
	assert_true(start_exec(&box.plan, &err) < 0);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in '%s'", words, err.text);
	assert_int_equal(err.status, STATUS_UNSAFE_HOST);
}

static void case_55_a_missing_nspawn_is_told(void **state)
{
	(void)state;
	is_not_executed("install systemd-container");
}

static void case_55_an_nspawn_that_can_not_be_executed_is_told(void **state)
{
	(void)state;
	put_file(NSPAWN, "#!/bin/sh\n", 0644);
	is_not_executed("can not be executed");
	put_file(NSPAWN,
	         "\x7f"
	         "ELF of another machine",
	         0755);
	is_not_executed("can not be executed");
}

static void case_55_an_nspawn_that_others_can_change_is_refused(void **state)
{
	(void)state;
	put_file(NSPAWN, "#!/bin/sh\n", 0777);
	is_not_executed("mode 0777");
}

/* --- case 50 */

static bool is_of_flags(const char *key, const char *word)
{
	return strcmp(key, "EXTRA_NSPAWN_FLAGS") == 0 &&
	       (strcmp(word, "--x") == 0 || strcmp(word, "$(id)") == 0);
}

static void case_50_no_value_becomes_a_word_of_its_own(void **state)
{
	static const char *const keys[] = {
		"SYSTEM_PATH",
		"PRIVATE_NETWORK",
		"HOST_BRIDGE",
		"HOST_PORT",
		"HOST_ADDRESS",
		"HOST_ADDRESS6",
		"LOCAL_ADDRESS",
		"LOCAL_ADDRESS6",
		"INTERFACES",
		"MACVLANS",
		"AUTO_START",
		"EXTRA_NSPAWN_FLAGS",
		"COPY_RESOLV_CONF",
		"PRIVATE_USERS",
		"LOCAL_MAC_ADDRESS",
		"NETWORK_NAMESPACE_PATH",
		"FLAKE",
		"EPHEMERAL",
		"ENABLE_TUN",
		"TIMEOUT_START_SEC",
		"TMPFS",
		"ADDITIONAL_CAPABILITIES",
		"ALLOWED_DEVICES",
		"EXTRA_VETHS",
		"MASQUERADE",
		"INIT",
		"RELEASE",
	};
	static const char *const values[] = { "x --bind=/:/h", "x\t-D/", "--x",
		                              "\\$(id)",       "*",      "/a\t--bind=/:/h" };
	static const char *const injected[] = { "--bind=/:/h", "-D/", "--x", "$(id)", "*", "x" };
	unsigned accepted = 0;

	(void)state;
	for (size_t k = 0; k < COUNT(keys); k++)
		for (size_t i = 0; i < COUNT(values); i++) {
			CLEANUP(loaded_done) struct loaded l = { 0 };
			char text[128];

			(void)snprintf(text, sizeof(text), "%s=\"%s\"\n", keys[k], values[i]);
			put_file("/etc/containers/web.conf", text, 0644);
			if (load_plan("", "web", &l, &err) < 0) {
				assert_int_equal(err.status, STATUS_DATA);
				continue;
			}
			accepted++;
			for (size_t a = 0; a < l.plan.argv.n; a++)
				for (size_t w = 0; w < COUNT(injected); w++)
					if (strcmp(l.plan.argv.v[a], injected[w]) == 0 &&
					    !is_of_flags(keys[k], injected[w]))
						fail_msg("%s gives the word %s", text, injected[w]);
		}
	print_message("%u of %zu are accepted\n", accepted, COUNT(keys) * COUNT(values));
}

static int make_host(void **state)
{
	static const char *const folders[] = { "/etc/containers", "/run/systemd/machines", "/usr/bin",
		                               LIBEXECDIR, "/var/lib/containers/web" };

	(void)state;
	for (size_t i = 0; i < COUNT(folders); i++)
		make_dirs(folders[i]);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int all(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_runtime_folder_has_all_that_the_guest_and_the_host_need),
		T(the_plan_is_kept_with_the_hash_of_its_conf),
		T(each_start_gets_a_fresh_init),
		T(an_init_that_others_can_change_is_refused),
		T(case_73_a_foreign_machine_is_named_and_left_alone),
		T(a_stale_registration_without_a_bus_is_a_warning),
		T(no_registration_is_the_usual_case),
		T(case_55_a_missing_nspawn_is_told),
		T(case_55_an_nspawn_that_can_not_be_executed_is_told),
		T(case_55_an_nspawn_that_others_can_change_is_refused),
		T(case_50_no_value_becomes_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return fakehost_run(all);
}

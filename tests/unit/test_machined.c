#include "drivers/machined.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/test-machined-XXXXXX";

static void write_file(const char *name, const char *text, size_t len)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/run/systemd/machines/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static int make_root(void **state)
{
	static const char *const folders[] = { "/run", "/run/systemd", "/run/systemd/machines" };
	char path[256];

	(void)state;
	(void)snprintf(root + strlen(root) - 6, 7, "XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	return 0;
}

static int remove_root(void **state)
{
	char command[256];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void a_machine_is_read_from_its_file(void **state)
{
	struct registrations l;
	struct err e;

	(void)state;
	write_text("web", "# This is private data. Do not parse.\nNAME=web\nSCOPE=container@web.service\n"
	                  "SERVICE=systemd-nspawn\nROOT=/var/lib/containers/"
	                  "web\nID=0123\nLEADER=4711\nCLASS=container\n"
	                  "REALTIME=1700000000000001\nMONOTONIC=5\nNETIF=3 17\n");
	assert_int_equal(machined_list(root, &l, &e), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].name, "web");
	assert_string_equal(l.v[0].unit, "container@web.service");
	assert_string_equal(l.v[0].class, "container");
	assert_string_equal(l.v[0].service, "systemd-nspawn");
	assert_string_equal(l.v[0].root, "/var/lib/containers/web");
	assert_int_equal(l.v[0].leader, 4711);
	assert_int_equal(l.v[0].since_usec, 1700000000000001);
	assert_int_equal(l.v[0].n_links, 2);
	assert_int_equal(l.v[0].links[1], 17);
	registrations_done(&l);
}

static void an_escaped_unit_is_unescaped(void **state)
{
	struct registration m;

	(void)state;
	write_text("a-b", "SCOPE=machine-a\\\\x2db.scope\n");
	assert_int_equal(machined_find(root, "a-b", &m, NULL), 0);
	assert_string_equal(m.unit, "machine-a\\x2db.scope");
	registration_done(&m);
}

static void machines_are_sorted_and_the_host_is_left_out(void **state)
{
	struct registrations l;

	(void)state;
	write_text("zoo", "CLASS=vm\n");
	write_text("db", "CLASS=container\n");
	write_text("me", "CLASS=host\n");
	write_text(".host", "CLASS=container\n");
	write_text("unit:container@db.service", "CLASS=container\n");
	assert_int_equal(machined_list(root, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].name, "db");
	assert_string_equal(l.v[1].name, "zoo");
	registrations_done(&l);
}

static void a_machine_that_did_not_change_is_taken_over(void **state)
{
	struct registrations l = { 0 };

	(void)state;
	write_text("web", "NAME=web\nCLASS=container\nSERVICE=nspawn\nSCOPE=web.scope\nROOT=/x\n"
	                  "ID=0123456789abcdef0123456789abcdef\nNETIF=3 4\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(machined_refresh(root, &l, NULL), 0);
		assert_int_equal(l.n, 1);
		assert_string_equal(l.v[0].class, "container");
		assert_int_equal(l.v[0].n_links, 2);
	}
	registrations_done(&l);
}

static void what_is_not_a_machines_file_is_left_out(void **state)
{
	char path[512], *big = malloc(100000);
	struct registrations l;

	(void)state;
	memset(big, 'A', 100000);
	write_file("big", big, 100000);
	free(big);
	write_text("e\x1b[31m", "CLASS=container\n");
	(void)snprintf(path, sizeof(path), "%s/run/systemd/machines/fifo", root);
	assert_int_equal(mkfifo(path, 0644), 0);
	(void)snprintf(path, sizeof(path), "%s/run/systemd/machines/dir", root);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/run/systemd/machines/link", root);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(machined_list(root, &l, NULL), 0);
	assert_int_equal(l.n, 0);
	registrations_done(&l);
}

/* One descriptor is left: the folder's. */
static void what_can_not_be_opened_is_not_taken_for_gone(void **state)
{
	int next = dup(0);
	struct rlimit before, few;
	struct registrations l = { 0 };
	struct err e = { 0 };
	int r;

	(void)state;
	write_text("web", "CLASS=container\nLEADER=1\n");
	close(next);
	assert_int_equal(machined_list(root, &l, &e), 0);
	write_text("zoo", "CLASS=container\nLEADER=1\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ (rlim_t)next + 1, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = machined_refresh(root, &l, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_string_equal(e.text, "cannot read /run/systemd/machines/zoo: Too many open files");
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].class, "container");
	registrations_done(&l);
}

static void nonsense_in_a_file_does_no_harm(void **state)
{
	static const char text[] =
		"LEADER=-1\nLEADER=99999999999999\nREALTIME=x\nNETIF=  -3 x 0 7 \n=\n\nCLASS\nUNIT=\n"
		"SCOPE=\\\nCLASS=a\0b\nROOT=\xff\xfe\n";
	struct registration m;

	(void)state;
	write_file("odd", text, sizeof(text) - 1);
	assert_int_equal(machined_find(root, "odd", &m, NULL), 0);
	assert_int_equal(m.leader, 0);
	assert_int_equal(m.since_usec, 0);
	assert_int_equal(m.n_links, 1);
	assert_int_equal(m.links[0], 7);
	assert_string_equal(m.class, "a");
	registration_done(&m);
}

static void a_missing_folder_means_no_machines(void **state)
{
	struct registrations l;
	struct registration m;
	struct err e;

	(void)state;
	assert_int_equal(machined_list("/nonexistent", &l, &e), 0);
	assert_int_equal(l.n, 0);
	registrations_done(&l);
	assert_int_equal(machined_find("/nonexistent", "web", &m, &e), -ENOENT);
	assert_int_equal(e.status, STATUS_NO_CONTAINER);
}

static void a_path_is_never_made_from_a_bad_name(void **state)
{
	struct registration m;

	(void)state;
	assert_int_equal(machined_find(root, "../../../etc/passwd", &m, NULL), -ENOENT);
}

static void a_thousand_machines_are_read(void **state)
{
	struct registrations l;
	char name[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "m%04d", i);
		write_text(name, "CLASS=container\n");
	}
	assert_int_equal(machined_list(root, &l, NULL), 0);
	assert_int_equal(l.n, 1000);
	assert_string_equal(l.v[999].name, "m0999");
	assert_false(l.cut);
	registrations_done(&l);
}

static void a_dead_or_foreign_leader_is_seen(void **state)
{
	struct registration m = { .name = "web" };
	pid_t child;

	(void)state;
	assert_true(machined_leader_lives(&m)); /* nothing known is no proof */
	m.leader = getpid();
	assert_true(machined_leader_lives(&m));
	m.unit = strdup("container@some-other-machine.service");
	assert_false(machined_leader_lives(&m));
	registration_done(&m);

	child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	m.leader = child;
	assert_false(machined_leader_lives(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_is_read_from_its_file, make_root, remove_root),
		cmocka_unit_test_setup_teardown(an_escaped_unit_is_unescaped, make_root, remove_root),
		cmocka_unit_test_setup_teardown(machines_are_sorted_and_the_host_is_left_out, make_root,
		                                remove_root),
		cmocka_unit_test_setup_teardown(a_machine_that_did_not_change_is_taken_over, make_root,
		                                remove_root),
		cmocka_unit_test_setup_teardown(what_is_not_a_machines_file_is_left_out, make_root,
		                                remove_root),
		cmocka_unit_test_setup_teardown(what_can_not_be_opened_is_not_taken_for_gone, make_root,
		                                remove_root),
		cmocka_unit_test_setup_teardown(nonsense_in_a_file_does_no_harm, make_root, remove_root),
		cmocka_unit_test_setup_teardown(a_path_is_never_made_from_a_bad_name, make_root, remove_root),
		cmocka_unit_test_setup_teardown(a_thousand_machines_are_read, make_root, remove_root),
		cmocka_unit_test(a_missing_folder_means_no_machines),
		cmocka_unit_test(a_dead_or_foreign_leader_is_seen),
	};

	return cmocka_run_group_tests_name("machined", tests, NULL, NULL);
}

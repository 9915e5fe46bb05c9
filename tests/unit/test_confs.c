/* Which confs there are, and reading one safely: the threat model's cases 4, 22 to 24, as root of a host of our
 * own. */
#include "tests/unit/fakehost.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/cleanup.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "tests/unit/unreadable.h"

#define WEB "/etc/containers/web.conf"

static struct err err;
static struct conf_file conf;

static int set_up(void **state)
{
	(void)state;
	put_file(WEB, "PRIVATE_NETWORK=1\n", 0644);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_file_done(&conf);
	(void)unlink(WEB);
	(void)rmdir(WEB);
	return 0;
}

static void is_refused(int r, enum status status, const char *words)
{
	time_t began = time(NULL);

	assert_int_equal(confs_load("", "web", &conf, &err), r);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in '%s'", words, err.text);
	assert_int_equal(err.status, status);
	assert_null(conf.path);
	assert_true(time(NULL) - began < 2);
}

static void a_conf_is_read_whole(void **state)
{
	(void)state;
	assert_int_equal(confs_load("", "web", &conf, &err), 0);
	assert_string_equal(buf_text(&conf.text), "PRIVATE_NETWORK=1\n");
	assert_string_equal(conf.path, WEB);
	assert_false(conf.nixos_dirs);
	assert_null(conf.leads_to);
	assert_true(conf.mtime_usec / 1000000 >= (uint64_t)time(NULL) - 5);
}

static void the_newer_folder_comes_first(void **state)
{
	struct strs names = { 0 };

	(void)state;
	assert_int_equal(mkdir("/etc/nixos-containers", 0755), 0);
	put_file("/etc/nixos-containers/web.conf", "AUTO_START=1\n", 0644);
	put_file("/etc/nixos-containers/db.conf", "AUTO_START=1\n", 0644);
	assert_int_equal(confs_load("", "web", &conf, &err), 0);
	assert_true(conf.nixos_dirs);
	assert_int_equal(confs_list("", &names, &err), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[0], "db");
	assert_string_equal(names.v[1], "web");
	strs_done(&names);
	assert_int_equal(unlink("/etc/nixos-containers/web.conf") | unlink("/etc/nixos-containers/db.conf"),
	                 0);
	assert_int_equal(rmdir("/etc/nixos-containers"), 0);
}

static void only_files_that_say_something_of_ours_are_listed(void **state)
{
	static const char *const others[] = { "registries", "storage", "policy", "libpod", "containers" };
	struct strs names = { 0 };
	char path[64];

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		(void)snprintf(path, sizeof(path), "/etc/containers/%s.conf", others[i]);
		put_file(path, "HOST_ADDRESS=10.0.0.1\n", 0644);
	}
	put_file("/etc/containers/policy.json", "{}", 0644);
	put_file("/etc/containers/mounts.conf", "[engine]\nnetwork = \"x\"\n# HOST_PORT=1\n", 0644);
	put_file("/etc/containers/a_b.conf", "AUTO_START=1\n", 0644);
	put_file("/etc/containers/empty.conf", "", 0644);
	put_file("/etc/containers/bad.conf", "# \xff\n  HOST_PORT = \"tcp:1\n", 0644);
	put_file("/etc/containers/open.conf", "AUTO_START=1\n", 0666);
	assert_int_equal(confs_list("", &names, &err), 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0], "bad");  /* ours, with a mistake */
	assert_string_equal(names.v[1], "open"); /* can not be used, must not be overlooked */
	assert_string_equal(names.v[2], "web");
	strs_done(&names);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(confs_load("", others[i], &conf, &err), -ENOENT);
}

static void a_folder_that_can_not_be_listed_to_its_end_is_an_error(void **state)
{
	struct strs names = { 0 };
	int r;

	(void)state;
	unreadable = true;
	r = confs_list("", &names, &err);
	unreadable = false;
	assert_int_equal(r, -EIO);
	assert_string_equal(err.text, "cannot read /etc/containers: Input/output error");
	strs_done(&names);
}

static void a_folder_that_is_missing_is_an_empty_one(void **state)
{
	struct strs names = { 0 };

	(void)state;
	assert_int_equal(confs_list("/sentinel", &names, &err), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(confs_load("/sentinel", "web", &conf, &err), -ENOENT);
	assert_int_equal(err.status, STATUS_NO_CONTAINER);
}

static void another_root_is_not_asked_whose_it_is(void **state)
{
	(void)state;
	assert_int_equal(chmod("/etc/containers", 0777) | chmod(WEB, 0666), 0);
	assert_int_equal(confs_load("/", "web", &conf, &err), 0);
	assert_int_equal(chmod("/etc/containers", 0755), 0);
}

static void case_22_a_conf_that_others_can_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(WEB, 0666), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "mode 0666");
	assert_int_equal(chmod(WEB, 0664), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "mode 0664");
}

static void case_22_a_folder_that_others_can_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod("/etc/containers", 0777), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "the folder containers");
	assert_int_equal(chmod("/etc/containers", 01777), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "mode 1777");
	assert_int_equal(chmod("/etc/containers", 01775), 0);
	assert_int_equal(confs_load("", "web", &conf, &err), 0); /* as /nix/store is */
	assert_int_equal(chmod("/etc/containers", 0755), 0);
}

static void case_22_a_users_conf_is_refused(void **state)
{
	(void)state;
	if (!fakehost_is_root)
		skip();
	assert_int_equal(chown(WEB, 65534, 65534), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "uid 65534");
}

static void case_22_a_users_link_is_refused(void **state)
{
	(void)state;
	if (!fakehost_is_root)
		skip();
	assert_int_equal(unlink(WEB) | symlink("/etc/shadow", WEB) | lchown(WEB, 65534, 65534), 0);
	is_refused(-EPERM, STATUS_UNSAFE_HOST, "the link web.conf");
}

static void case_23_a_link_to_roots_file_is_followed(void **state)
{
	(void)state;
	assert_int_equal(unlink(WEB) | symlink("../static/web", WEB) | mkdir("/etc/static", 0755), 0);
	put_file("/etc/static/web", "AUTO_START=1\n", 0444);
	assert_int_equal(confs_load("", "web", &conf, &err), 0);
	assert_string_equal(buf_text(&conf.text), "AUTO_START=1\n");
	assert_string_equal(conf.leads_to, "../static/web");
}

static void case_23_a_link_that_leads_nowhere_is_no_missing_conf(void **state)
{
	(void)state;
	assert_int_equal(unlink(WEB) | symlink("/etc/nothing", WEB), 0);
	is_refused(-ELOOP, STATUS_NO_CONTAINER, "leads nowhere");
	assert_int_equal(unlink(WEB) | symlink("web.conf", WEB), 0);
	is_refused(-ELOOP, STATUS_NO_CONTAINER, "leads nowhere");
}

static void case_24_only_a_regular_file_of_a_fair_size_is_read(void **state)
{
	(void)state;
	assert_int_equal(unlink(WEB) | mkfifo(WEB, 0644), 0);
	is_refused(-EINVAL, STATUS_DATA, "not a regular file");
	assert_int_equal(unlink(WEB) | mkdir(WEB, 0755), 0);
	is_refused(-EINVAL, STATUS_DATA, "not a regular file");
	assert_int_equal(rmdir(WEB), 0);
	put_file(WEB, "", 0644);
	assert_int_equal(truncate(WEB, 1 << 30), 0);
	is_refused(-EFBIG, STATUS_DATA, "larger than 65536");
	assert_int_equal(truncate(WEB, 65537), 0);
	is_refused(-EFBIG, STATUS_DATA, "larger than 65536");
	assert_int_equal(truncate(WEB, 65536), 0);
	assert_int_equal(confs_load("", "web", &conf, &err), 0);
	if (fakehost_is_root) {
		conf_file_done(&conf);
		assert_int_equal(unlink(WEB) | mknod(WEB, S_IFCHR | 0644, makedev(1, 5)), 0);
		is_refused(-EINVAL, STATUS_DATA, "not a regular file");
	}
}

static void a_save_keeps_owner_and_mode_and_refuses_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(chmod(WEB, 0600), 0);
	assert_int_equal(files_save("", WEB, 0644, "X=1\n", 4, &err), 0);
	assert_int_equal(lstat(WEB, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(unlink(WEB), 0);
	assert_int_equal(files_save("", WEB, 0644, "X=1\n", 4, &err), 0);
	assert_int_equal(lstat(WEB, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(unlink(WEB) | symlink("/etc/static", WEB), 0);
	assert_int_equal(files_save("", WEB, 0644, "X=1\n", 4, &err), -ELOOP);
	assert_int_equal(err.status, STATUS_UNSAFE_HOST);
}

static void a_failed_save_leaves_the_old_text_and_nothing_else(void **state)
{
	struct stat st;
	int left = 0;
	DIR *dir;

	(void)state;
	assert_int_equal(mount("none", "/sentinel", "tmpfs", 0, "mode=0755,size=16k"), 0);
	put_file("/sentinel/f", "old", 0644);
	assert_true(files_save("", "/sentinel/f", 0644, (char[65536]){ 0 }, 65536, &err) < 0);
	assert_int_equal(err.status, STATUS_CANNOT_CREATE);
	assert_int_equal(lstat("/sentinel/f", &st), 0);
	assert_int_equal(st.st_size, 3);
	dir = opendir("/sentinel");
	for (struct dirent *entry; (entry = readdir(dir));)
		left += entry->d_name[0] != '.' || entry->d_name[1] == '#';
	closedir(dir);
	assert_int_equal(left, 1);
	assert_int_equal(umount2("/sentinel", MNT_DETACH), 0);
}

static int make_host(void **state)
{
	(void)state;
	return mkdir("/etc", 0755) | mkdir("/etc/containers", 0755) | mkdir("/sentinel", 0755);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int all(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_conf_is_read_whole),
		T(the_newer_folder_comes_first),
		T(only_files_that_say_something_of_ours_are_listed),
		T(a_folder_that_is_missing_is_an_empty_one),
		T(a_folder_that_can_not_be_listed_to_its_end_is_an_error),
		T(another_root_is_not_asked_whose_it_is),
		T(case_22_a_conf_that_others_can_write_is_refused),
		T(case_22_a_folder_that_others_can_write_is_refused),
		T(case_22_a_users_conf_is_refused),
		T(case_22_a_users_link_is_refused),
		T(case_23_a_link_to_roots_file_is_followed),
		T(case_23_a_link_that_leads_nowhere_is_no_missing_conf),
		T(case_24_only_a_regular_file_of_a_fair_size_is_read),
		T(a_save_keeps_owner_and_mode_and_refuses_a_link),
		T(a_failed_save_leaves_the_old_text_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return fakehost_run(all);
}

/* Names in a hostile tree that are not what they should be: the threat model's cases 27 to 37, 39, 44 and 48.
 */
#include "tests/unit/trees.h"

#include <signal.h>
#include <time.h>

#include "drivers/rootfs.h"

/* --- cases 27 to 31: folders that lead elsewhere */

static void case_27_a_link_to_a_host_folder_is_refused(void **state)
{
	(void)state;
	make_link("/sentinel", in("etc"));
	is_refused(STATUS_UNSAFE_TREE, "is a symlink that leads to no directory inside the root");
	assert_non_null(strstr(err.text, "etc in "));
}

static void case_27_the_same_path_inside_the_root_is_used(void **state)
{
	(void)state;
	make_dir(in("sentinel"));
	make_link("/sentinel", in("etc"));
	is_prepared();
	same_text(in("sentinel/resolv.conf"), RESOLV_TEXT);
}

static void case_28_no_way_of_writing_a_link_leads_out(void **state)
{
	static const char *const targets[] = { "../../../../../../../etc", "../../../../sentinel",
		                               "/proc/self/root/etc",      "/proc/1/root/etc",
		                               "/proc/self/cwd/etc",       "etc" };

	(void)state;
	make_dir(in("proc"));
	for (size_t i = 0; i < COUNT(targets); i++) {
		make_link(targets[i], in("etc"));
		is_refused(STATUS_UNSAFE_TREE, "etc");
		assert_int_equal(unlink(in("etc")), 0);
	}
}

static void case_28_a_magic_link_in_a_mounted_proc_is_refused(void **state)
{
	(void)state;
	make_dir(in("proc"));
	assert_int_equal(mount("/proc", in("proc"), NULL, MS_BIND | MS_REC, NULL), 0);
	make_link("/proc/self/root/etc", in("etc"));
	is_refused(STATUS_UNSAFE_TREE, "etc");
	assert_int_equal(umount2(in("proc"), MNT_DETACH), 0);
}

static void case_29_a_link_inside_the_root_is_followed(void **state)
{
	(void)state;
	make_dir(in("usr"));
	make_dir(in("usr/etc"));
	make_link("/usr/etc", in("etc"));
	is_prepared();
	same_text(in("usr/etc/resolv.conf"), RESOLV_TEXT);
	assert_true(exists(in("usr/etc/machine-id")));
}

static void case_30_var_var_lib_and_root_may_not_lead_out(void **state)
{
	(void)state;
	make_link("/sentinel", in("var"));
	is_refused(STATUS_UNSAFE_TREE, "var in ");
	assert_int_equal(unlink(in("var")), 0);
	make_dir(in("var"));
	make_link("/sentinel", in("var/lib"));
	is_refused(STATUS_UNSAFE_TREE, "var/lib in ");
	assert_int_equal(unlink(in("var/lib")), 0);
	make_link("/sentinel", in("root"));
	is_refused(STATUS_UNSAFE_TREE, "root in ");
}

static void case_31_etc_that_is_no_folder_is_refused(void **state)
{
	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		if (!make_odd(kind, in("etc")))
			continue;
		is_refused(STATUS_UNSAFE_TREE, "etc");
		assert_non_null(strstr(err.text, "is not a directory"));
		assert_int_equal(unlink(in("etc")), 0);
	}
}

/* --- cases 32 to 37: what is in etc */

static void case_32_an_os_release_that_leads_out_makes_nothing_there(void **state)
{
	static const char *const targets[] = { "/sentinel/new", "/sentinel/file" };

	(void)state;
	make_dir(in("etc"));
	for (size_t i = 0; i < COUNT(targets); i++) {
		make_link(targets[i], in("etc/os-release"));
		make_link(targets[i], in("etc/machine-id"));
		is_prepared();
		assert_true(S_ISLNK(mode_of(in("etc/os-release"))));
		assert_int_equal(unlink(in("etc/os-release")) | unlink(in("etc/machine-id")), 0);
	}
}

static void case_33_a_resolv_conf_that_leads_out_is_replaced(void **state)
{
	static const char *const targets[] = { "/etc/resolv.conf", "/sentinel", "/sentinel/fifo",
		                               "/sentinel/new" };

	(void)state;
	make_dir(in("etc"));
	for (size_t i = 0; i < COUNT(targets); i++) {
		make_link(targets[i], in("etc/resolv.conf"));
		is_prepared();
		same_text(in("etc/resolv.conf"), RESOLV_TEXT);
		assert_int_equal(unlink(in("etc/resolv.conf")), 0);
	}
}

static void case_34_a_resolv_conf_of_an_odd_kind_is_replaced(void **state)
{
	(void)state;
	make_dir(in("etc"));
	for (int kind = 0; kind < 5; kind++) {
		if (!make_odd(kind, in("etc/resolv.conf")))
			continue;
		is_prepared();
		same_text(in("etc/resolv.conf"), RESOLV_TEXT);
		assert_int_equal(unlink(in("etc/resolv.conf")), 0);
	}
}

static void case_35_a_resolv_conf_that_is_a_folder_is_refused(void **state)
{
	(void)state;
	make_dir(in("etc"));
	make_dir(in("etc/resolv.conf"));
	is_refused(STATUS_UNSAFE_TREE, "is a directory");
	put_file(in("etc/resolv.conf/mine"), "x", 0644);
	is_refused(STATUS_UNSAFE_TREE, "is a directory");
	assert_int_equal(unlink(in("etc/resolv.conf/mine")), 0);
	assert_int_equal(rmdir(in("etc/resolv.conf")), 0); /* nothing was put inside */
	assert_true(has_no_temp(in("etc")));
}

static void case_36_another_name_of_resolv_conf_keeps_its_text(void **state)
{
	(void)state;
	make_dir(in("etc"));
	put_file(in("other"), "mine", 0644);
	assert_int_equal(link(in("other"), in("etc/resolv.conf")), 0);
	is_prepared();
	same_text(in("other"), "mine");
	same_text(in("etc/resolv.conf"), RESOLV_TEXT);
}

static void case_37_the_immutable_flag_is_named(void **state)
{
	static const char *const paths[] = { "etc", "etc/resolv.conf" };

	(void)state;
	make_dir(in("etc"));
	put_file(in("etc/resolv.conf"), "old", 0644);
	for (size_t i = 0; i < COUNT(paths); i++) {
		if (!set_flags(in(paths[i]), FS_IMMUTABLE_FL))
			skip();
		is_refused(STATUS_CANNOT_CREATE, "immutable (chattr -i ");
		assert_true(set_flags(in(paths[i]), 0));
		same_text(in("etc/resolv.conf"), "old");
		assert_true(has_no_temp(in("etc")));
	}
	assert_true(set_flags(in("etc"), FS_APPEND_FL));
	is_refused(STATUS_CANNOT_CREATE, "append-only (chattr -a ");
	assert_true(set_flags(in("etc"), 0));
	assert_true(has_no_temp(in("etc")));
	is_prepared();
}

static void case_44_endless_links_and_names_are_refused(void **state)
{
	char from[32], to[32], lengthy[4000];

	(void)state;
	make_dir(in("l0"));
	for (int i = 1; i <= 45; i++) {
		(void)snprintf(from, sizeof(from), "l%d", i - 1);
		(void)snprintf(to, sizeof(to), "l%d", i);
		make_link(from, in(to));
	}
	make_link("l45", in("etc"));
	is_refused(STATUS_UNSAFE_TREE, "etc");
	assert_int_equal(unlink(in("etc")), 0);
	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	make_link(lengthy, in("etc"));
	is_refused(STATUS_UNSAFE_TREE, "etc");
	assert_int_equal(unlink(in("etc")), 0);
	make_link("a\n\x1b[31mb", in("etc"));
	is_refused(STATUS_UNSAFE_TREE, "etc");
	assert_null(strpbrk(err.text, "\n\x1b"));
}

/* --- case 48: reading */

static int read_os_release(size_t *ret_len)
{
	struct rootfs t = { .fd = -1 };
	struct buf text = { 0 };
	int r;

	assert_int_equal(rootfs_open(root, ROOTFS_REFUSE, 0, &t, &err), 0);
	r = rootfs_read(&t, "etc/os-release", 65536, &text, &err);
	*ret_len = text.len;
	buf_done(&text);
	rootfs_done(&t);
	return r;
}

static void case_48_nothing_in_os_release_hangs_a_reader(void **state)
{
	time_t began = time(NULL);
	size_t len;

	(void)state;
	make_dir(in("etc"));
	for (int kind = 1; kind < 5; kind++) {
		if (!make_odd(kind, in("etc/os-release")))
			continue;
		assert_int_equal(read_os_release(&len),
		                 -EINVAL); /* of no device or socket it is known what opening does */
		assert_non_null(strstr(err.text, "is not a regular file"));
		assert_int_equal(unlink(in("etc/os-release")), 0);
	}
	make_link("os-release", in("etc/os-release"));
	assert_true(read_os_release(&len) < 0);
	assert_int_equal(unlink(in("etc/os-release")), 0);
	make_link("/sentinel/file", in("etc/os-release"));
	assert_true(read_os_release(&len) < 0);
	assert_int_equal(unlink(in("etc/os-release")), 0);
	put_file(in("etc/os-release"), "", 0644);
	assert_int_equal(truncate(in("etc/os-release"), 1 << 30), 0);
	assert_int_equal(read_os_release(&len), -EFBIG);
	assert_int_equal(len, 0);
	assert_true(time(NULL) - began < 2);
}

/* --- case 39: the race */

/* Swaps a and b as fast as it can until it is killed. */
static pid_t race(const char *a, const char *b)
{
	char one[256], other[256];
	pid_t pid;

	(void)snprintf(one, sizeof(one), "%s", a);
	(void)snprintf(other, sizeof(other), "%s", b);
	pid = fork();
	if (pid == 0)
		for (;;)
			if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) < 0)
				_exit(1);
	return pid;
}

static void race_against(const char *folder, const char *elsewhere, int runs)
{
	int refused = 0, status;
	pid_t racer = race(in(folder), in(elsewhere));

	for (int i = 0; i < runs; i++)
		if (prepare() < 0) {
			refused++;
			if (err.status != STATUS_UNSAFE_TREE)
				fail_msg("run %d: status %d: %s", i, err.status, err.text);
		}
	kill(racer, SIGKILL);
	assert_int_equal(waitpid(racer, &status, 0), racer);
	assert_true(WIFSIGNALED(status)); /* it raced to the end */
	print_message("%d of %d refused\n", refused, runs);
}

static void case_39_swapping_etc_changes_nothing_outside(void **state)
{
	(void)state;
	make_dir(in("etc"));
	make_link("/sentinel", in("away"));
	race_against("etc", "away", 5000);
}

static void case_39_swapping_var_lib_changes_nothing_outside(void **state)
{
	(void)state;
	make_dir(in("var"));
	make_dir(in("var/lib"));
	make_link("../../../../sentinel", in("away"));
	race_against("var/lib", "away", 1000);
}

static void case_39_swapping_resolv_conf_changes_nothing_outside(void **state)
{
	(void)state;
	make_dir(in("etc"));
	put_file(in("etc/resolv.conf"), "x", 0644);
	make_link("/sentinel/file", in("etc/away"));
	race_against("etc/resolv.conf", "etc/away", 1000);
}

static void case_39_moving_etc_about_changes_nothing_outside(void **state)
{
	(void)state;
	make_dir(in("etc"));
	make_dir(in("usr"));
	make_dir(in("usr/etc"));
	make_dir(in("usr/etc/deep"));
	race_against("etc", "usr/etc", 1000);
}

static int all(void)
{
	static const struct CMUnitTest tests[] = {
		T(case_27_a_link_to_a_host_folder_is_refused),
		T(case_27_the_same_path_inside_the_root_is_used),
		T(case_28_no_way_of_writing_a_link_leads_out),
		T(case_28_a_magic_link_in_a_mounted_proc_is_refused),
		T(case_29_a_link_inside_the_root_is_followed),
		T(case_30_var_var_lib_and_root_may_not_lead_out),
		T(case_31_etc_that_is_no_folder_is_refused),
		T(case_32_an_os_release_that_leads_out_makes_nothing_there),
		T(case_33_a_resolv_conf_that_leads_out_is_replaced),
		T(case_34_a_resolv_conf_of_an_odd_kind_is_replaced),
		T(case_35_a_resolv_conf_that_is_a_folder_is_refused),
		T(case_36_another_name_of_resolv_conf_keeps_its_text),
		T(case_37_the_immutable_flag_is_named),
		T(case_44_endless_links_and_names_are_refused),
		T(case_48_nothing_in_os_release_hangs_a_reader),
		T(case_39_swapping_etc_changes_nothing_outside),
		T(case_39_swapping_var_lib_changes_nothing_outside),
		T(case_39_swapping_resolv_conf_changes_nothing_outside),
		T(case_39_moving_etc_about_changes_nothing_outside),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return trees_run(all);
}

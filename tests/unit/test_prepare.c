/* What a start makes in a tree, and what must be right around it: the threat model's cases 38, 40 to 43, 45
 * to 47. */
#include "tests/unit/trees.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "drivers/rootfs.h"

/* --- what a start makes */

static void an_empty_tree_is_furnished(void **state)
{
	(void)state;
	is_prepared();
	assert_int_equal(mode_of(in("etc")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("var/lib")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("var/lib/private")), S_IFDIR | 0700);
	assert_int_equal(mode_of(in("root")), S_IFDIR | 0700);
	assert_int_equal(mode_of(in("etc/os-release")), S_IFREG | 0644);
	assert_int_equal(mode_of(in("etc/machine-id")), S_IFREG | 0644);
	same_text(in("etc/resolv.conf"), RESOLV_TEXT);
	assert_true(has_no_temp(in("etc")));
}

static void what_is_there_keeps_its_mode_and_text(void **state)
{
	(void)state;
	make_dir(in("root"));
	make_dir(in("etc"));
	put_file(in("etc/os-release"), "ID=x\n", 0600);
	is_prepared();
	assert_int_equal(mode_of(in("root")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("etc/os-release")), S_IFREG | 0600);
	same_text(in("etc/os-release"), "ID=x\n");
}

static void modes_do_not_depend_on_the_umask(void **state)
{
	mode_t old = umask(0077);

	(void)state;
	is_prepared();
	umask(old);
	assert_int_equal(mode_of(in("etc")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("var")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("etc/machine-id")), S_IFREG | 0644);
	assert_int_equal(mode_of(in("etc/resolv.conf")), S_IFREG | 0644);
}

static void a_tree_that_is_missing_is_named(void **state)
{
	(void)state;
	assert_int_equal(rmdir(root), 0);
	is_refused(STATUS_NO_CONTAINER, root);
}

static void a_nix_root_is_made_with_what_nspawn_wants(void **state)
{
	(void)state;
	make_dir("/nix");
	make_dir("/nix/store");
	make_dir("/nix/var");
	make_dir("/nix/var/nix");
	make_dir("/nix/var/nix/db");
	make_dir("/nix/var/nix/daemon-socket");
	assert_int_equal(rmdir(root), 0);
	assert_int_equal(rename("/var/lib/containers", "/var/lib/others"), 0);
	box.system_path = strdup("/nix/store/x");
	is_prepared();
	assert_int_equal(mode_of("/var/lib/containers"), S_IFDIR | 0700);
	assert_int_equal(mode_of(root), S_IFDIR | 0755);
	assert_true(exists(in("usr")));
	assert_int_equal(mode_of("/run/containers"), S_IFDIR | 0700);
	assert_true(exists("/nix/var/nix/profiles/per-container"));
}

static void the_first_release_gets_its_fifo(void **state)
{
	(void)state;
	box.release = RELEASE_2014;
	make_dir(in("var"));
	make_dir(in("var/lib"));
	put_file(in("var/lib/startup-done"), "old", 0644);
	is_prepared();
	assert_int_equal(mode_of(in("var/lib/startup-done")), S_IFIFO | 0600);
	assert_false(exists(in("etc/resolv.conf")));
}

static int wait_ready(void)
{
	struct plan p = { 0 };
	struct pollfd fifo = { .fd = -1, .events = POLLIN };
	int r = plan_build(&box, &facts, &p, &err);

	if (r == 0)
		r = prepare_open_ready(&box, &p, &fifo.fd, &err);
	if (r == 0) {
		assert_int_equal(poll(&fifo, 1, 10000), 1);
		r = prepare_was_ready(&box, &p, &err);
		close(fifo.fd);
	}
	plan_done(&p);
	return r;
}

static void the_first_release_is_ready_when_its_fifo_is_written(void **state)
{
	const char *fifo = in("var/lib/startup-done");
	pid_t guest;

	(void)state;
	box.release = RELEASE_2014;
	is_prepared();
	guest = fork();
	if (guest == 0) {
		int fd = open(fifo, O_WRONLY | O_CLOEXEC);

		_exit(fd >= 0 && write(fd, "done\n", 5) == 5 ? 0 : 1);
	}
	assert_int_equal(wait_ready(), 0);
	assert_int_equal(waitpid(guest, NULL, 0), guest);
	assert_false(exists(fifo));
	make_link("/sentinel/fifo", fifo);
	assert_true(wait_ready() < 0);
	assert_int_equal(err.status, STATUS_UNSAFE_TREE);
}

static void a_bind_source_that_is_missing_is_named(void **state)
{
	(void)state;
	strs_add(&box.flags, "--bind=/no/such/source:/data");
	is_refused(STATUS_NO_CONTAINER, "/no/such/source");
	assert_false(exists(in("etc")));
}

/* --- case 38, 40, 41: whose the root is, and what is above it */

static void case_38_what_is_made_in_a_shifted_tree_is_its_owners(void **state)
{
	static const char *const made[] = { "etc", "var/lib", "root", "etc/os-release", "etc/resolv.conf" };
	mode_t old = umask(0077);

	(void)state;
	if (!fakehost_is_root)
		skip();
	assert_int_equal(chown(root, 65536 * 9, 65536 * 9), 0);
	assert_int_equal(chmod(root, 0500), 0);
	is_prepared();
	umask(old);
	for (size_t i = 0; i < COUNT(made); i++) {
		struct stat st;

		assert_int_equal(lstat(in(made[i]), &st), 0);
		assert_int_equal(st.st_uid, 65536 * 9);
		assert_int_equal(st.st_gid, 65536 * 9);
	}
	assert_int_equal(mode_of(in("etc")), S_IFDIR | 0755);
	assert_int_equal(mode_of(in("root")), S_IFDIR | 0700);
	assert_int_equal(mode_of(in("etc/resolv.conf")), S_IFREG | 0644);
}

static void case_38_a_uid_that_the_conf_names_may_own_the_root(void **state)
{
	(void)state;
	if (!fakehost_is_root)
		skip();
	assert_int_equal(chown(root, 100000, 100000), 0);
	is_refused(STATUS_UNSAFE_TREE, "uid 100000");
	box.private_users = strdup("100000:65536");
	is_prepared();
}

static void case_40_the_folder_of_the_roots_may_be_roots_link(void **state)
{
	(void)state;
	assert_int_equal(rename("/var/lib/containers", "/disk"), 0);
	make_link("../../disk", "/var/lib/containers");
	is_prepared();
	same_text(in("etc/resolv.conf"), RESOLV_TEXT);
	assert_int_equal(unlink("/var/lib/containers"), 0);
	assert_int_equal(rename("/disk", "/var/lib/containers"), 0);
}

static void case_40_a_users_link_above_the_root_is_refused(void **state)
{
	(void)state;
	if (!fakehost_is_root)
		skip();
	assert_int_equal(rename("/var/lib/containers", "/disk"), 0);
	make_link("/disk", "/var/lib/containers");
	assert_int_equal(lchown("/var/lib/containers", 1000, 1000), 0);
	is_refused(STATUS_UNSAFE_HOST, "uid 1000");
	assert_int_equal(unlink("/var/lib/containers"), 0);
	assert_int_equal(rename("/disk", "/var/lib/containers"), 0);
}

static void case_40_a_folder_above_that_others_can_write_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod("/var/lib/containers", 0777), 0);
	is_refused(STATUS_UNSAFE_HOST, "mode 0777");
	assert_int_equal(chmod("/var/lib/containers", 0755), 0);
	assert_false(exists(in("etc")));
}

static void case_40_a_root_that_is_a_users_is_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(root, 0777), 0);
	is_refused(STATUS_UNSAFE_TREE, "mode 0777");
	assert_int_equal(chmod(root, 0755), 0);
	if (!fakehost_is_root)
		return;
	assert_int_equal(chown(root, 1000, 1000), 0);
	is_refused(STATUS_UNSAFE_TREE, "uid 1000");
	assert_false(exists(in("etc")));
}

static void case_41_a_root_that_is_a_link_is_refused(void **state)
{
	static const char *const targets[] = { "/", "/sentinel", "t1" };

	(void)state;
	assert_int_equal(rmdir(root), 0);
	for (size_t i = 0; i < COUNT(targets); i++) {
		make_link(targets[i], root);
		is_refused(STATUS_UNSAFE_TREE, "is not a folder");
		assert_int_equal(unlink(root), 0);
	}
}

/* --- cases 42 to 47 */

static void case_42_a_read_only_tree_is_told(void **state)
{
	(void)state;
	assert_int_equal(mount("none", root, "tmpfs", MS_RDONLY, "mode=0755"), 0);
	is_refused(STATUS_CANNOT_CREATE, "Read-only");
	assert_int_equal(umount2(root, MNT_DETACH), 0);
}

static void case_42_a_full_tree_is_told_and_left_as_it_was(void **state)
{
	char page[4096] = { 'x' };
	int fd;

	(void)state;
	assert_int_equal(mount("none", root, "tmpfs", 0, "mode=0755,size=64k"), 0);
	is_prepared();
	fd = open(in("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	while (write(fd, page, sizeof(page)) > 0)
		;
	close(fd);
	is_refused(STATUS_CANNOT_CREATE, "No space left");
	same_text(in("etc/resolv.conf"), RESOLV_TEXT);
	assert_true(has_no_temp(in("etc")));
	assert_int_equal(umount2(root, MNT_DETACH), 0);
}

static void case_42_a_tree_without_inodes_is_told(void **state)
{
	(void)state;
	assert_int_equal(mount("none", root, "tmpfs", 0, "mode=0755,nr_inodes=4"), 0);
	is_refused(STATUS_CANNOT_CREATE, "No space left");
	assert_int_equal(umount2(root, MNT_DETACH), 0);
}

static bool block_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void case_43_without_openat2_nothing_is_tried(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(block_openat2() && prepare() < 0 && err.status == STATUS_UNSAFE_HOST &&
		                      strstr(err.text, "RestrictSUIDSGID=")
		              ? 0
		              : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(exists(in("etc")));
}

static void case_45_no_host_resolv_conf_matters_on_the_hosts_network(void **state)
{
	(void)state;
	host_resolv_conf(NULL);
	is_refused(STATUS_CANNOT_CREATE, "/etc/resolv.conf is missing");
	box.private_network = true;
	is_prepared();
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.v[0], "/etc/resolv.conf is missing"));
	assert_false(exists(in("etc/resolv.conf")));
}

static void case_45_a_large_host_resolv_conf_is_refused(void **state)
{
	(void)state;
	assert_int_equal(truncate("/var/lib/resolv-of-host", 10 * 1024 * 1024), 0);
	is_refused(STATUS_DATA, "larger than 65536");
}

static void case_45_a_host_resolv_conf_that_is_a_fifo_is_refused(void **state)
{
	(void)state;
	host_resolv_conf(NULL);
	assert_int_equal(mkfifo("/var/lib/resolv-of-host", 0644), 0);
	is_refused(STATUS_DATA, "not a regular file");
}

static void case_45_what_not_everybody_may_read_is_not_copied(void **state)
{
	(void)state;
	assert_int_equal(chmod("/var/lib/resolv-of-host", 0640), 0);
	is_refused(STATUS_UNSAFE_HOST, "not for everybody");
	assert_false(exists(in("etc/resolv.conf")));
}

static void no_copy_is_made_when_the_conf_says_so(void **state)
{
	(void)state;
	host_resolv_conf(NULL);
	box.no_resolv_conf = true;
	is_prepared();
	assert_false(exists(in("etc/resolv.conf")));
}

static void case_46_two_preparations_at_once_are_one_too_many(void **state)
{
	struct rootfs other = { .fd = -1 };

	(void)state;
	assert_int_equal(rootfs_open(root, ROOTFS_REFUSE, 0, &other, &err), 0);
	assert_int_equal(rootfs_lock(&other, &err), 0);
	is_refused(STATUS_BUSY, "is busy");
	assert_false(exists(in("etc")));
	rootfs_done(&other);
	is_prepared();
}

static void case_47_settings_beside_the_tree_are_refused(void **state)
{
	char path[80];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s.nspawn", root);
	put_file(path, "[Exec]\nEphemeral=yes\n", 0644);
	is_refused(STATUS_UNSAFE_HOST, path);
	assert_false(exists(in("etc")));
	assert_int_equal(unlink(path), 0);
}

static int all(void)
{
	static const struct CMUnitTest tests[] = {
		T(an_empty_tree_is_furnished),
		T(what_is_there_keeps_its_mode_and_text),
		T(modes_do_not_depend_on_the_umask),
		T(a_tree_that_is_missing_is_named),
		T(a_nix_root_is_made_with_what_nspawn_wants),
		T(the_first_release_gets_its_fifo),
		T(the_first_release_is_ready_when_its_fifo_is_written),
		T(a_bind_source_that_is_missing_is_named),
		T(case_38_what_is_made_in_a_shifted_tree_is_its_owners),
		T(case_38_a_uid_that_the_conf_names_may_own_the_root),
		T(case_40_the_folder_of_the_roots_may_be_roots_link),
		T(case_40_a_users_link_above_the_root_is_refused),
		T(case_40_a_folder_above_that_others_can_write_is_refused),
		T(case_40_a_root_that_is_a_users_is_refused),
		T(case_41_a_root_that_is_a_link_is_refused),
		T(case_42_a_read_only_tree_is_told),
		T(case_42_a_full_tree_is_told_and_left_as_it_was),
		T(case_42_a_tree_without_inodes_is_told),
		T(case_43_without_openat2_nothing_is_tried),
		T(case_45_no_host_resolv_conf_matters_on_the_hosts_network),
		T(case_45_a_large_host_resolv_conf_is_refused),
		T(case_45_a_host_resolv_conf_that_is_a_fifo_is_refused),
		T(case_45_what_not_everybody_may_read_is_not_copied),
		T(no_copy_is_made_when_the_conf_says_so),
		T(case_46_two_preparations_at_once_are_one_too_many),
		T(case_47_settings_beside_the_tree_are_refused),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return trees_run(all);
}

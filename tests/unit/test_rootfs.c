/* The preparation of hostile trees: the threat model's cases 27 to 48, as root of a host of our own. After
 * each case the host is as it was before. */
#include "tests/unit/fakehost.h"

#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "decide/plan.h"
#include "drivers/rootfs.h"
#include "engine/prepare.h"

#define RESOLV_TEXT "nameserver 192.0.2.53\n\x1b[31m\n"

static char name[16], root[64];
static struct container box;
static struct facts facts = { .path = "/bin" };
static struct strs warnings;
static struct err err;
static struct buf before;

/* A path in the tree; good for four more calls. */
static const char *in(const char *path)
{
	static char all[4][256];
	static unsigned at;
	char *p = all[at++ % 4];

	(void)snprintf(p, sizeof(all[0]), "%s/%s", root, path);
	return p;
}

static void make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const char *to, const char *path)
{
	assert_int_equal(symlink(to, path), 0);
}

static int prepare(void)
{
	struct plan p = { 0 };
	int r;

	strs_done(&warnings);
	err = (struct err){ 0 };
	r = plan_build(&box, &facts, &p, &err);
	if (r == 0)
		r = prepare_root(&box, &p, &warnings, &err);
	plan_done(&p);
	return r;
}

static void is_refused(enum status status, const char *words)
{
	assert_true(prepare() < 0);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in '%s'", words, err.text);
	assert_int_equal(err.status, status);
}

static void is_prepared(void)
{
	if (prepare() < 0)
		fail_msg("%s", err.text);
}

static void same_text(const char *path, const char *wanted)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Nothing of ours is left beside what belongs there. */
static bool has_no_temp(const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = false;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		found = found || strncmp(entry->d_name, ".#", 2) == 0;
	closedir(dir);
	return !found;
}

static void snapshot_host(struct buf *into)
{
	fakehost_snapshot("/etc", into);
	fakehost_snapshot("/sentinel", into);
}

static int set_up(void **state)
{
	static unsigned count;

	(void)state;
	(void)snprintf(name, sizeof(name), "t%u", ++count);
	(void)snprintf(root, sizeof(root), "/var/lib/containers/%s", name);
	box = (struct container){ .name = strdup(name), .release = RELEASE_DEFAULT };
	make_dir(root);
	snapshot_host(&before);
	return 0;
}

static int tear_down(void **state)
{
	struct buf after = { 0 };

	(void)state;
	snapshot_host(&after);
	assert_string_equal(buf_text(&before), buf_text(&after));
	buf_done(&before);
	buf_done(&after);
	container_done(&box);
	strs_done(&warnings);
	return 0;
}

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
	box.system_path = strdup("/nix/store/x");
	is_prepared();
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
	int r = plan_build(&box, &facts, &p, &err);

	if (r == 0)
		r = prepare_wait_ready(&box, &p, &err);
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
	assert_int_equal(unlink(fifo), 0);
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

static void make_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

/* 0 to 4: a file, a FIFO, a socket, a character and a block device. False: can not be made here. */
static bool make_odd(int kind, const char *path)
{
	switch (kind) {
	case 0:
		put_file(path, "", 0644);
		return true;
	case 1:
		assert_int_equal(mkfifo(path, 0644), 0);
		return true;
	case 2:
		make_socket(path);
		return true;
	case 3:
		return mknod(path, S_IFCHR | 0600, makedev(1, 5)) == 0;
	default:
		return mknod(path, S_IFBLK | 0600, makedev(254, 0)) == 0;
	}
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

static bool set_flags(const char *path, unsigned flags)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	bool set = fd >= 0 && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;

	close(fd);
	return set;
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

/* The host's own file is a link, so that these cases change its target and not /etc. */
static void host_resolv_conf(const char *text)
{
	(void)unlink("/var/lib/resolv-of-host");
	if (text)
		put_file("/var/lib/resolv-of-host", text, 0644);
}

static int restore(void **state)
{
	(void)(set_flags(in("etc"), 0) && set_flags(in("etc/resolv.conf"), 0)); /* after a failure, too */
	host_resolv_conf(RESOLV_TEXT);
	return tear_down(state);
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
	for (int kind = 1; kind < 4; kind++) {
		if (!make_odd(kind, in("etc/os-release")))
			continue;
		assert_true(read_os_release(&len) < 0);
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

static int make_host(void **state)
{
	static const char *const folders[] = { "/etc",     "/run", "/var", "/var/lib", "/var/lib/containers",
		                               "/sentinel" };

	(void)state;
	for (size_t i = 0; i < COUNT(folders); i++)
		make_dir(folders[i]);
	put_file("/sentinel/file", "precious", 0644);
	assert_int_equal(mkfifo("/sentinel/fifo", 0644), 0);
	host_resolv_conf(RESOLV_TEXT);
	make_link("../var/lib/resolv-of-host", "/etc/resolv.conf");
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, restore)

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
		T(case_38_what_is_made_in_a_shifted_tree_is_its_owners),
		T(case_38_a_uid_that_the_conf_names_may_own_the_root),
		T(case_39_swapping_etc_changes_nothing_outside),
		T(case_39_swapping_var_lib_changes_nothing_outside),
		T(case_39_swapping_resolv_conf_changes_nothing_outside),
		T(case_39_moving_etc_about_changes_nothing_outside),
		T(case_40_the_folder_of_the_roots_may_be_roots_link),
		T(case_40_a_users_link_above_the_root_is_refused),
		T(case_40_a_folder_above_that_others_can_write_is_refused),
		T(case_40_a_root_that_is_a_users_is_refused),
		T(case_41_a_root_that_is_a_link_is_refused),
		T(case_42_a_read_only_tree_is_told),
		T(case_42_a_full_tree_is_told_and_left_as_it_was),
		T(case_42_a_tree_without_inodes_is_told),
		T(case_43_without_openat2_nothing_is_tried),
		T(case_44_endless_links_and_names_are_refused),
		T(case_45_no_host_resolv_conf_matters_on_the_hosts_network),
		T(case_45_a_large_host_resolv_conf_is_refused),
		T(case_45_a_host_resolv_conf_that_is_a_fifo_is_refused),
		T(case_45_what_not_everybody_may_read_is_not_copied),
		T(no_copy_is_made_when_the_conf_says_so),
		T(case_46_two_preparations_at_once_are_one_too_many),
		T(case_47_settings_beside_the_tree_are_refused),
		T(case_48_nothing_in_os_release_hangs_a_reader),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS) {
		puts("SKIP: no openat2 here (valgrind does not know it)");
		return 77;
	}
	return fakehost_run(all);
}

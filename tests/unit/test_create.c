/* Copying a hostile tree, and making a container on a host without systemd: nothing outside changes, and a failure leaves
 * nothing (the threat model's case 126). */
#include "tests/unit/trees.h"

#include <signal.h>
#include <sys/xattr.h>

#include "drivers/hold.h"
#include "drivers/treecopy.h"
#include "engine/clone.h"
#include "engine/create.h"
#include "engine/snapshots.h"
#include "tests/unit/unreadable.h"

static struct treecopied copied;

static int copy_to(const char *path, enum treecopy_how how, const struct progress *p)
{
	int from = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), to, r;

	make_dir(path);
	to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = (struct err){ 0 };
	r = treecopy(from, to, root, how, p, &copied, &err);
	close(from);
	close(to);
	return r;
}

static void forget(const char *path)
{
	assert_int_equal(nftw(path, fakehost_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int leave(void **state)
{
	if (exists(root))
		forget(root);
	return tear_down(state);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, leave)

static void what_can_not_be_listed_to_its_end_is_not_taken_for_copied(void **state)
{
	int r;

	(void)state;
	put_file(in("file"), "text", 0640);
	unreadable = true;
	r = copy_to("/var/lib/copy", TREECOPY_SHARE_OR_COPY, NULL);
	unreadable = false;
	assert_int_equal(r, -EIO);
	assert_non_null(strstr(err.text, "Input/output error"));
	forget("/var/lib/copy");
}

static void a_copy_is_like_its_original(void **state)
{
	static const char to[] = "/var/lib/copy";
	const struct timespec times[] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000001 } };
	struct stat a, b;
	int fd;

	(void)state;
	make_dir(in("d"));
	put_file(in("d/file"), "text", 0640);
	assert_int_equal(chmod(in("d/file"), 04750), 0);
	assert_int_equal(link(in("d/file"), in("twin")), 0);
	make_link("/sentinel/file", in("link"));
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	make_socket(in("socket"));
	fd = open(in("holes"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 10 << 20), 1);
	assert_int_equal(ftruncate(fd, 20 << 20), 0);
	close(fd);
	(void)setxattr(in("d/file"), "user.colour", "red", 3, 0);
	assert_int_equal(utimensat(AT_FDCWD, in("d"), times, 0), 0);
	if (copy_to(to, TREECOPY_SHARE_OR_COPY, NULL) < 0)
		fail_msg("%s", err.text);
	same_text("/var/lib/copy/d/file", "text");
	assert_int_equal(mode_of("/var/lib/copy/d/file"), S_IFREG | 04750);
	assert_int_equal(stat("/var/lib/copy/d/file", &a), 0);
	assert_int_equal(stat("/var/lib/copy/twin", &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(stat("/var/lib/copy/d", &a), 0);
	assert_int_equal(a.st_mtim.tv_sec, 1000000001);
	assert_int_equal(stat("/var/lib/copy/holes", &a), 0);
	assert_int_equal(a.st_size, 20 << 20);
	assert_true(a.st_blocks < 2048);
	assert_true(S_ISLNK(mode_of("/var/lib/copy/link")) && S_ISFIFO(mode_of("/var/lib/copy/fifo")));
	assert_false(exists("/var/lib/copy/socket"));
	forget(to);
}

static void what_is_mounted_in_a_tree_is_not_copied(void **state)
{
	(void)state;
	make_dir(in("data"));
	assert_int_equal(mount("/sentinel", in("data"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(copy_to("/var/lib/copy", TREECOPY_SHARE_OR_COPY, NULL), 0);
	assert_true(exists("/var/lib/copy/data"));
	assert_false(exists("/var/lib/copy/data/file"));
	assert_int_equal(umount2(in("data"), MNT_DETACH), 0);
	forget("/var/lib/copy");
}

static void a_race_copies_nothing_from_outside(void **state)
{
	(void)state;
	make_dir(in("d"));
	put_file(in("d/mine"), "x", 0644);
	make_link("/sentinel", in("l"));
	for (int i = 0; i < 30; i++) {
		pid_t racer = fork();
		int r;

		if (racer == 0) {
			while (renameat2(AT_FDCWD, in("d"), AT_FDCWD, in("l"), RENAME_EXCHANGE) == 0)
				;
			_exit(0);
		}
		r = copy_to("/var/lib/copy", TREECOPY_SHARE_OR_COPY, NULL);
		(void)kill(racer, SIGKILL);
		(void)waitpid(racer, NULL, 0);
		if (r < 0)
			fail_msg("%s", err.text);
		if (S_ISDIR(mode_of("/var/lib/copy/d")))
			assert_false(exists("/var/lib/copy/d/file"));
		if (S_ISDIR(mode_of("/var/lib/copy/l")))
			assert_false(exists("/var/lib/copy/l/file"));
		forget("/var/lib/copy");
	}
}

static bool at_once(void *arg)
{
	(void)arg;
	return true;
}

static void a_copy_can_be_given_up(void **state)
{
	const struct progress p = { .stopped = at_once };

	(void)state;
	put_file(in("file"), "x", 0644);
	assert_int_equal(copy_to("/var/lib/copy", TREECOPY_SHARE_OR_COPY, &p), -ECANCELED);
	forget("/var/lib/copy");
}

/* --- create */

static struct draft draft;
static struct created made;

static int create_as(const char *as, const struct progress *p)
{
	const struct create c = { .name = as,
		                  .options = &draft,
		                  .build = { .source = BUILD_TREE, .from = root } };

	created_done(&made);
	strs_done(&warnings);
	err = (struct err){ 0 };
	return create_container(&c, p, &made, &warnings, &err);
}

static int set_up_create(void **state)
{
	make_dir("/etc/containers");
	if (set_up(state) < 0)
		return -1;
	make_dir(in("usr"));
	draft_set(&draft, "HOST_ADDRESS", "10.99.0.1");
	draft_set(&draft, "LOCAL_ADDRESS", "10.99.0.2");
	return 0;
}

static int tear_down_create(void **state)
{
	static const char *const folders[] = { "/var/lib/containers/new", "/var/lib/containers/.snapshots",
		                               "/var/lib/containers/second" };

	for (size_t i = 0; i < COUNT(folders); i++)
		if (exists(folders[i]))
			forget(folders[i]);
	forget("/etc/containers");
	draft_done(&draft);
	created_done(&made);
	forget(root);
	buf_done(&before);
	snapshot_host(&before); /* the conf folder has come and gone */
	return tear_down(state);
}

#define C(f) cmocka_unit_test_setup_teardown(f, set_up_create, tear_down_create)

static void nothing_is_left_but(size_t wanted)
{
	DIR *dir = opendir("/var/lib/containers");
	size_t n = 0;

	for (struct dirent *entry; (entry = readdir(dir));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	assert_int_equal(n, wanted);
}

static void a_container_is_made_with_users_of_its_own(void **state)
{
	(void)state;
	if (create_as("new", NULL) < 0)
		fail_msg("%s", err.text);
	assert_true(exists("/var/lib/containers/new/usr"));
	same_text("/etc/containers/new.conf",
	          "PRIVATE_NETWORK=1\nHOST_ADDRESS=10.99.0.1\nLOCAL_ADDRESS=10.99.0.2\n"
	          "PRIVATE_USERS=pick\nINTERFACES=\"\"\nMACVLANS=\"\"\nEXTRA_NSPAWN_FLAGS=\"\"\n");
	assert_int_equal(create_as("new", NULL), -EEXIST);
	assert_int_equal(err.status, STATUS_BUSY);
	assert_int_equal(create_as("second", NULL), -EINVAL); /* its address */
	assert_int_equal(err.status, STATUS_DATA);
	nothing_is_left_but(3); /* and what new was made of */
	assert_int_equal(readlink("/var/lib/containers/.snapshots/new/.origin", (char[1]){ 0 }, 1), 1);
}

static void a_cancelled_creation_leaves_nothing(void **state)
{
	const struct progress p = { .stopped = at_once };

	(void)state;
	put_file(in("file"), "x", 0644);
	assert_int_equal(create_as("new", &p), -ECANCELED);
	assert_false(exists("/etc/containers/new.conf"));
	nothing_is_left_but(1);
}

/* The last that is said before the root is published: the name is taken by somebody who has no lock. */
static void take_name(const char *text, void *arg)
{
	(void)text;
	put_file(arg, "AUTO_START=1\n", 0644);
}

static void a_name_that_is_taken_meanwhile_is_refused(void **state)
{
	char conf[] = "/etc/containers/new.conf";
	const struct progress p = { .say = take_name, .arg = conf };

	(void)state;
	assert_int_equal(create_as("new", &p), -EEXIST);
	assert_int_equal(err.status, STATUS_BUSY);
	same_text(conf, "AUTO_START=1\n");
	nothing_is_left_but(1);
}

static void one_that_is_being_made_is_busy_and_its_addresses_are_taken(void **state)
{
	struct hold hold = { .fd = -1 };
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(hold_name("new", &hold, &err), 0);
	buf_puts(&text, "PRIVATE_NETWORK=1\nLOCAL_ADDRESS=10.99.0.2\n");
	assert_int_equal(hold_note(&hold, &text, &err), 0);
	assert_int_equal(create_as("new", NULL), -EBUSY);
	assert_int_equal(create_as("second", NULL), -EINVAL);
	assert_non_null(strstr(err.text, "address 10.99.0.2 is container new's too"));
	hold_done(&hold);
	buf_done(&text);
}

static void what_is_no_system_is_refused(void **state)
{
	(void)state;
	assert_int_equal(rmdir(in("usr")), 0);
	assert_true(create_as("new", NULL) < 0);
	assert_non_null(strstr(err.text, "there is no usr in it"));
	assert_int_equal(err.status, STATUS_DATA);
	nothing_is_left_but(1);
}

/* --- clone, rename, snapshots */

static void a_clone_has_what_is_free_and_a_name_of_its_own(void **state)
{
	struct draft none = { 0 };
	const struct clone c = { .from = "new", .to = "second", .options = &none };

	(void)state;
	make_dir(in("etc"));
	put_file(in("etc/hostname"), "new\n", 0644);
	put_file(in("etc/machine-id"), "0123456789abcdef0123456789abcdef\n", 0444);
	draft_set(&draft, "HOST_PORT", "tcp:18080:80");
	draft_set(&draft, "EXTRA_VETHS",
	          "vq9,hostAddress=10.77.0.1,localAddress=10.77.0.2 "
	          "vq8,hostBridge=br0,localAddress=10.78.0.5/24");
	draft_set(&draft, "INTERFACES", "nic7");
	draft_set(&draft, "PRIVATE_USERS", "no");
	assert_int_equal(create_as("new", NULL), 0);
	created_done(&made);
	strs_done(&warnings);
	if (clone_container(&c, NULL, &made, &warnings, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(made.container.addr[LOCAL4].bytes[3] == 2 && made.container.addr[LOCAL4].bytes[1] != 99);
	assert_int_not_equal(made.container.ports[0].host, 18080);
	assert_int_equal(made.container.ports[0].guest, 80);
	assert_string_equal(made.container.private_users, "no");
	assert_int_equal(made.container.interfaces.n, 0);
	assert_true(strs_has(&warnings, "INTERFACES: nic7 stays with new alone (--interfaces names others)"));
	assert_int_equal(made.container.n_veths, 2);
	assert_string_equal(made.container.veths[0].name, "vq1");
	assert_string_equal(made.container.veths[0].bridge, "br0");
	assert_int_equal(made.container.veths[0].addr[LOCAL4].bytes[3], 6);
	assert_string_equal(made.container.veths[1].name, "vq2");
	assert_true(made.container.veths[1].addr[HOST4].bytes[1] != 77);
	assert_int_equal(made.container.veths[1].addr[LOCAL4].bytes[3], 2);
	assert_true(made.container.veths[1].addr[LOCAL4].bytes[2] != made.container.addr[LOCAL4].bytes[2]);
	same_text("/var/lib/containers/second/etc/hostname", "second\n");
	same_text("/var/lib/containers/second/etc/machine-id", "");
}

static void a_rename_takes_all_along_and_resumes(void **state)
{
	(void)state;
	assert_int_equal(create_as("new", NULL), 0);
	assert_int_equal(rename_container("new", "new", &warnings, &err), -EINVAL);
	assert_int_equal(rename_container("none", "x", &warnings, &err), -ENOENT);
	assert_int_equal(rename_container("new", name, &warnings, &err), -EEXIST); /* a root of that name */
	assert_int_equal(link("/etc/containers/new.conf", "/etc/containers/second.conf"), 0);
	if (rename_container("new", "second", &warnings, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(exists("/var/lib/containers/second/usr") && exists("/etc/containers/second.conf"));
	assert_false(exists("/var/lib/containers/new") || exists("/etc/containers/new.conf"));
}

static void a_root_goes_back_to_what_was_kept(void **state)
{
	char kept[NAME_MACHINE_MAX + 1], again[NAME_MACHINE_MAX + 1];
	struct root_snapshots all = { 0 };
	enum built how;

	(void)state;
	assert_int_equal(create_as("new", NULL), 0);
	put_file("/var/lib/containers/new/changed", "x", 0644);
	if (snapshots_reset("new", NULL, kept, &err) < 0) /* made anew of the tree that it was a copy of */
		fail_msg("%s", err.text);
	assert_false(exists("/var/lib/containers/new/changed"));
	assert_int_equal(unlink("/var/lib/containers/.snapshots/new/.origin"), 0);
	assert_int_equal(snapshots_reset("new", NULL, kept, &err), -ENOENT);
	assert_int_equal(snapshots_take("new", "../x", true, NULL, kept, &how, &err), -EINVAL);
	assert_int_equal(snapshots_take("new", "base", true, NULL, kept, &how, &err), 0);
	assert_int_equal(snapshots_take("new", "base", true, NULL, kept, &how, &err), -EEXIST);
	put_file("/var/lib/containers/new/changed", "x", 0644);
	if (snapshots_reset("new", NULL, kept, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(exists("/var/lib/containers/new/changed"));
	for (int i = 0; i < 3; i++) /* within the same second */
		assert_int_equal(snapshots_restore("new", kept, NULL, again, &err), 0);
	assert_true(exists("/var/lib/containers/new/changed"));
	assert_int_equal(snapshots_list("new", &all, &err), 0);
	assert_int_equal(all.n, 6);
	root_snapshots_done(&all);
	assert_int_equal(snapshots_delete("new", "base", NULL, &err), 0);
	assert_int_equal(snapshots_delete("new", "base", NULL, &err), -ENOENT);
}

static int all(void)
{
	const struct CMUnitTest tests[] = {
		T(what_can_not_be_listed_to_its_end_is_not_taken_for_copied),
		T(a_copy_is_like_its_original),
		T(what_is_mounted_in_a_tree_is_not_copied),
		T(a_race_copies_nothing_from_outside),
		T(a_copy_can_be_given_up),
		C(a_container_is_made_with_users_of_its_own),
		C(a_cancelled_creation_leaves_nothing),
		C(a_name_that_is_taken_meanwhile_is_refused),
		C(one_that_is_being_made_is_busy_and_its_addresses_are_taken),
		C(what_is_no_system_is_refused),
		C(a_clone_has_what_is_free_and_a_name_of_its_own),
		C(a_rename_takes_all_along_and_resumes),
		C(a_root_goes_back_to_what_was_kept),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return trees_run(all);
}

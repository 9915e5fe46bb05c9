/* Deleting a hostile tree, what is mounted in it, and removing a container: the threat model's cases 146 and 147. */
#include "tests/unit/trees.h"

#include <signal.h>
#include <sys/file.h>

#include "drivers/hold.h"
#include "drivers/mounts.h"
#include "drivers/wipe.h"
#include "engine/destroy.h"
#include "engine/overlay.h"
#include "engine/places.h"
#include "engine/snapshots.h"
#include "tests/unit/unreadable.h"

static int roots = -1;

static int wipe(void)
{
	err = (struct err){ 0 };
	return wipe_tree(roots, name, root, NULL, &err);
}

static void is_wiped(void)
{
	if (wipe() < 0)
		fail_msg("%s", err.text);
	assert_false(exists(root));
}

static int set_up_roots(void **state)
{
	roots = open("/var/lib/containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return roots < 0 ? -1 : set_up(state);
}

static int leave(void **state)
{
	close(roots);
	if (exists(root))
		(void)nftw(root, fakehost_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return tear_down(state);
}

#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, set_up_roots, leave)

static void a_tree_of_all_kinds_of_names_is_deleted(void **state)
{
	(void)state;
	make_dir(in("etc"));
	make_dir(in("etc/deep"));
	for (int kind = 0; kind < 5; kind++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "etc/deep/odd%d", kind);
		(void)make_odd(kind, in(path));
	}
	put_file(in("etc/\n\x1b[31m"), "x", 0);
	make_link("nowhere", in("dangling"));
	is_wiped();
}

static void links_are_deleted_and_not_what_they_lead_to(void **state)
{
	(void)state;
	make_link("/sentinel", in("folder"));
	make_link("/sentinel/file", in("file"));
	make_link("../../../../sentinel", in("up"));
	assert_int_equal(link("/sentinel/file", in("hard")), 0);
	is_wiped();
	assert_true(exists("/sentinel/file"));
	buf_done(&before); /* the hard link has changed a time of it */
	snapshot_host(&before);
}

static void what_can_not_be_listed_to_its_end_is_never_taken_for_empty(void **state)
{
	CLEANUP(root_snapshots_done) struct root_snapshots kept = { 0 };
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(strs_done) struct strs got = { 0 };
	char snapshots[64];
	struct places p;
	int r[5];

	(void)state;
	(void)snprintf(snapshots, sizeof(snapshots), "/var/lib/containers/.snapshots/%s", name);
	make_dir("/var/lib/containers/.overlays");
	make_dir("/var/lib/containers/.snapshots");
	make_dir(snapshots);
	assert_int_equal(hold_name(name, &hold, &err), 0);
	assert_int_equal(places_find(name, &p, &err), 0);
	unreadable = true;
	r[0] = wipe();
	r[1] = places_temps(p.roots, "trash", name, &got, &err);
	r[2] = hold_notes(&got, &err);
	r[3] = snapshots_list(name, &kept, &err);
	r[4] = overlay_look(&p, "destroy", &err);
	unreadable = false;
	for (size_t i = 0; i < COUNT(r); i++) {
		printf("DBG %zu %d\n", i, r[i]);
		assert_int_equal(r[i], -EIO);
	}
	assert_string_equal(err.text, "cannot read /var/lib/containers/.overlays: Input/output error");
	assert_int_equal(rmdir("/var/lib/containers/.overlays"), 0);
	assert_int_equal(rmdir(snapshots), 0);
	assert_int_equal(rmdir("/var/lib/containers/.snapshots"), 0);
}

static void a_root_that_is_a_link_is_only_unlinked(void **state)
{
	(void)state;
	assert_int_equal(rmdir(root), 0);
	make_link("/sentinel", root);
	is_wiped();
}

static void a_tree_deeper_than_there_are_descriptors_is_deleted(void **state)
{
	int at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	is_wiped();
}

/* Beside the flags that it has: ext4 does not let go of some. */
static bool add_flag(const char *path, int flag)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC), flags = 0;
	bool set = fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;

	flags = flag ? flags | flag : flags & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	set = set && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
	close(fd);
	return set;
}

static void immutable_names_are_deleted(void **state)
{
	(void)state;
	make_dir(in("var"));
	make_dir(in("var/empty"));
	put_file(in("var/file"), "x", 0644);
	put_file("/var/lib/twin", "x", 0644);
	assert_int_equal(link("/var/lib/twin", in("var/twin")), 0);
	if (!add_flag(in("var/twin"), FS_APPEND_FL)) {
		assert_int_equal(unlink("/var/lib/twin"), 0);
		skip(); /* not root, or a file system without such flags */
	}
	assert_true(add_flag(in("var/empty"), FS_IMMUTABLE_FL) && add_flag(in("var/file"), FS_IMMUTABLE_FL) &&
	            add_flag(in("var"), FS_IMMUTABLE_FL));
	is_wiped();
	assert_int_equal(unlink("/var/lib/twin"), -1); /* it has its flag again */
	assert_true(add_flag("/var/lib/twin", 0));
	assert_int_equal(unlink("/var/lib/twin"), 0);
}

static void the_folder_that_a_tree_is_in_keeps_its_flag(void **state)
{
	(void)state;
	if (!add_flag("/var/lib/containers", FS_IMMUTABLE_FL))
		skip();
	assert_int_equal(wipe(), -EPERM);
	assert_int_equal(mkdir("/var/lib/containers/new", 0700), -1);
	assert_int_equal(errno, EPERM);
	assert_true(add_flag("/var/lib/containers", 0));
	is_wiped();
}

static void what_is_mounted_in_it_is_not_entered(void **state)
{
	(void)state;
	make_dir(in("data"));
	assert_int_equal(mount("/sentinel", in("data"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(wipe(), -EBUSY);
	assert_int_equal(err.status, STATUS_BUSY);
	assert_non_null(strstr(err.text, "something is mounted on data in it"));
	assert_true(exists(in("data/file")));
	assert_int_equal(umount2(in("data"), MNT_DETACH), 0);
	is_wiped();
}

static void mounts_are_told_and_detached(void **state)
{
	struct strs found = { 0 };

	(void)state;
	make_dir(in("a b"));
	make_dir(in("a b/c"));
	assert_int_equal(mount("/sentinel", root, NULL, MS_BIND, NULL), 0);
	assert_int_equal(umount2(root, MNT_DETACH), 0);
	assert_int_equal(mount("/sentinel", in("a b"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount("/etc", in("a b/lib"), NULL, MS_BIND, NULL), -1);
	assert_int_equal(mount("/sentinel", in("a b"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mounts_below(root, &found, &err), 0);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.v[0], in("a b"));
	strs_done(&found);
	if (mounts_detach(root, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mounts_below(root, &found, &err), 0);
	assert_int_equal(found.n, 0);
	assert_true(exists("/sentinel/file"));
	is_wiped();
}

static bool stop_now(void *arg)
{
	return --*(int *)arg < 0;
}

static void a_cancelled_removal_goes_on_where_it_ended(void **state)
{
	int left = 5;
	const struct progress p = { .stopped = stop_now, .arg = &left };

	(void)state;
	for (int i = 0; i < 20; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "f%d", i);
		put_file(in(path), "x", 0644);
	}
	assert_int_equal(wipe_tree(roots, name, root, &p, &err), -ECANCELED);
	assert_true(exists(root));
	is_wiped();
}

static void a_race_for_links_changes_nothing_outside(void **state)
{
	pid_t racer;

	(void)state;
	for (int round = 0; round < 20; round++) {
		int r;

		(void)mkdir(root, 0755);
		make_dir(in("d"));
		make_dir(in("d/lib"));
		put_file(in("d/lib/file"), "x", 0644);
		make_link("/sentinel", in("l"));
		racer = fork();
		if (racer == 0) {
			while (renameat2(AT_FDCWD, in("d"), AT_FDCWD, in("l"), RENAME_EXCHANGE) == 0)
				;
			_exit(0);
		}
		do {
			r = wipe();
		} while (r == -EBUSY);
		(void)kill(racer, SIGKILL);
		(void)waitpid(racer, NULL, 0);
		if (r < 0)
			fail_msg("%s", err.text);
		assert_true(exists("/sentinel/file") && exists("/sentinel/fifo"));
	}
}

/* --- destroy, on a host without systemd */

static void conf_of(const char *text)
{
	char path[64];

	(void)mkdir("/etc/containers", 0755);
	(void)snprintf(path, sizeof(path), "/etc/containers/%s.conf", name);
	put_file(path, text, 0644);
	buf_done(&before); /* the folder's times, and what the case itself puts there */
	(void)unlink(path);
	snapshot_host(&before);
	put_file(path, text, 0644);
}

static int remove_it(const struct destroy_options *o)
{
	strs_done(&warnings);
	err = (struct err){ 0 };
	return destroy_container(name, o, NULL, &warnings, &err);
}

static void forget_times(void)
{
	buf_done(&before);
	snapshot_host(&before);
}

static bool conf_is_there(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/etc/containers/%s.conf", name);
	return exists(path);
}

static void a_container_is_removed_with_all_that_belongs_to_it(void **state)
{
	static const char *const parts[] = { "/nix",
		                             "/nix/var",
		                             "/nix/var/nix",
		                             "/nix/var/nix/profiles",
		                             "/nix/var/nix/profiles/per-container",
		                             "/nix/var/nix/gcroots",
		                             "/nix/var/nix/gcroots/per-container" };
	char profile[96];

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++)
		(void)mkdir(parts[i], 0755);
	(void)snprintf(profile, sizeof(profile), PLACES_PROFILES "/%s", name);
	make_dir(profile);
	conf_of("PRIVATE_NETWORK=1\n");
	put_file(in("file"), "x", 0644);
	if (remove_it(&(struct destroy_options){ 0 }) < 0)
		fail_msg("%s", err.text);
	assert_false(exists(root) || exists(profile) || conf_is_there());
	assert_int_equal(remove_it(&(struct destroy_options){ 0 }), -ENOENT);
	forget_times();
}

static void a_killed_removal_is_finished_by_the_next(void **state)
{
	char trash[128], owner[NAME_MACHINE_MAX + 1];
	struct strs left = { 0 };

	(void)state;
	(void)snprintf(trash, sizeof(trash), "/var/lib/containers/.trash-%s-0123456789abcdef", name);
	places_temp_owner(strrchr(trash, '/') + 1, "trash", owner);
	assert_string_equal(owner, name);
	put_file(in("file"), "x", 0644);
	assert_int_equal(rename(root, trash), 0);
	assert_int_equal(destroy_leftovers(&left, &err), 0);
	assert_true(strs_has(&left, name));
	strs_done(&left);
	if (remove_it(&(struct destroy_options){ 0 }) < 0)
		fail_msg("%s", err.text);
	assert_false(exists(trash));
}

static void only_names_of_that_form_are_leftovers(void **state)
{
	static const char *const none[] = { ".trash-web-0123456789abcde",  ".trash--0123456789abcdef",
		                            ".trash-a_b-0123456789abcdef", ".new-web-0123456789abcdef",
		                            ".trash-web-0123456789abcdeg", "trash-web-0123456789abcdef" };
	char owner[NAME_MACHINE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		places_temp_owner(none[i], "trash", owner);
		assert_string_equal(owner, "");
	}
	places_temp_owner(".trash-a-b.c-0123456789abcdef", "trash", owner);
	assert_string_equal(owner, "a-b.c");
}

static void a_mounted_root_is_refused_or_detached(void **state)
{
	(void)state;
	conf_of("PRIVATE_NETWORK=1\n");
	make_dir(in("data"));
	assert_int_equal(mount("/sentinel", in("data"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(root, root, NULL, MS_BIND | MS_REC, NULL), 0);
	assert_int_equal(remove_it(&(struct destroy_options){ 0 }), -EBUSY);
	assert_non_null(strstr(err.text, "still mounted: /var/lib/containers/"));
	assert_true(conf_is_there());
	if (remove_it(&(struct destroy_options){ .detach = true }) < 0)
		fail_msg("%s", err.text);
	assert_false(exists(root) || conf_is_there());
	assert_true(exists("/sentinel/file"));
	forget_times();
}

static void a_declared_container_is_refused_and_where_is_said(void **state)
{
	char path[64];

	(void)state;
	conf_of("PRIVATE_NETWORK=1\n");
	(void)snprintf(path, sizeof(path), "/etc/containers/%s.conf", name);
	assert_int_equal(unlink(path), 0);
	make_link("/nix/store/x-conf", path);
	assert_int_equal(remove_it(&(struct destroy_options){ 0 }), -ELOOP);
	assert_int_equal(err.status, STATUS_UNSAFE_HOST);
	assert_non_null(strstr(err.text, "in /nix/store/x-conf"));
	assert_true(exists(root));
	assert_int_equal(unlink(path), 0);
	forget_times();
}

static void podmans_storage_is_never_a_container(void **state)
{
	struct destroy_options o = { 0 };

	(void)state;
	(void)mkdir("/var/lib/containers/storage", 0755);
	assert_int_equal(destroy_container("storage", &o, NULL, &warnings, &err), -EINVAL);
	assert_non_null(strstr(err.text, "podman's"));
	assert_int_equal(destroy_container("..", &o, NULL, &warnings, &err), -EINVAL);
	assert_true(exists("/var/lib/containers/storage"));
	assert_int_equal(rmdir("/var/lib/containers/storage"), 0);
}

static void a_tree_that_somebody_works_in_is_busy(void **state)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hold hold = { .fd = -1 };

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(remove_it(&(struct destroy_options){ 0 }), -EBUSY);
	close(fd);
	assert_int_equal(hold_name(name, &hold, &err), 0);
	assert_int_equal(remove_it(&(struct destroy_options){ 0 }), -EBUSY);
	assert_non_null(strstr(err.text, "by another process"));
	hold_done(&hold);
	if (remove_it(&(struct destroy_options){ 0 }) < 0)
		fail_msg("%s", err.text);
}

static void only_living_holders_notes_are_seen(void **state)
{
	struct hold hold = { .fd = -1 };
	struct strs names = { 0 };
	struct buf text = { 0 }, read_text = { 0 };

	(void)state;
	put_file("/run/machdeck/.locks/dead", "HOST_ADDRESS=10.0.0.1\n", 0600);
	put_file("/run/machdeck/.locks/living", "HOST_ADDRESS=10.0.0.3\nHOST_PORT=tcp:80:80\n", 0600);
	assert_int_equal(hold_name("living", &hold, &err), 0);
	buf_puts(&text, "HOST_ADDRESS=10.0.0.2\n");
	assert_int_equal(hold_note(&hold, &text, &err), 0);
	assert_int_equal(hold_notes(&names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0], "living");
	assert_int_equal(hold_read_note("living", &read_text, &err), 0);
	assert_string_equal(buf_text(&read_text), buf_text(&text));
	hold_done(&hold);
	assert_false(exists("/run/machdeck/.locks/living"));
	strs_done(&names);
	buf_done(&text);
	buf_done(&read_text);
}

static pid_t holder_of(const char *machine, bool edits)
{
	int held[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct hold hold = { .fd = -1 };

		if (hold_name(machine, &hold, NULL) < 0 || (edits && hold_edited(&hold, NULL) < 0) ||
		    write(held[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(held[0], &byte, 1), 1);
	close(held[0]);
	close(held[1]);
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void who_holds_a_name_is_known_and_who_waits_for_it_goes_on_when_it_is_killed(void **state)
{
	struct hold_who who = { 0 };
	struct buf note = { 0 };
	struct hold hold;

	(void)state;
	for (int edits = 0; edits <= 1; edits++) {
		pid_t holder = holder_of("edited", edits), waits;
		int status;

		assert_true(hold_who("edited", &who));
		assert_int_equal(who.pid, holder);
		assert_int_equal(who.edits, edits);
		assert_int_equal(hold_name("edited", &hold, &err), -EBUSY);
		assert_non_null(strstr(err.text, edits ? "edited is being edited by another process since "
		                                       : "made, changed or removed"));
		assert_int_equal(hold_read_note("edited", &note, &err), 0);
		assert_int_equal(note.len, 0);
		waits = fork();
		if (waits == 0)
			_exit(hold_wait("edited", NULL) < 0);
		assert_int_equal(usleep(20000), 0);
		assert_int_equal(waitpid(waits, &status, WNOHANG), 0);
		end(holder);
		assert_int_equal(waitpid(waits, &status, 0), waits);
		assert_int_equal(status, 0);
		assert_false(hold_who("edited", &who));
	}
	assert_int_equal(hold_name("edited", &hold, &err), 0);
	hold_done(&hold);
	assert_int_equal(hold_wait("edited", &err), 0); /* there is no such file */
}

static int all(void)
{
	const struct CMUnitTest tests[] = {
		T(a_tree_of_all_kinds_of_names_is_deleted),
		T(links_are_deleted_and_not_what_they_lead_to),
		T(what_can_not_be_listed_to_its_end_is_never_taken_for_empty),
		T(a_root_that_is_a_link_is_only_unlinked),
		T(a_tree_deeper_than_there_are_descriptors_is_deleted),
		T(immutable_names_are_deleted),
		T(the_folder_that_a_tree_is_in_keeps_its_flag),
		T(what_is_mounted_in_it_is_not_entered),
		T(mounts_are_told_and_detached),
		T(a_cancelled_removal_goes_on_where_it_ended),
		T(a_race_for_links_changes_nothing_outside),
		T(a_container_is_removed_with_all_that_belongs_to_it),
		T(a_killed_removal_is_finished_by_the_next),
		T(only_names_of_that_form_are_leftovers),
		T(a_mounted_root_is_refused_or_detached),
		T(a_declared_container_is_refused_and_where_is_said),
		T(podmans_storage_is_never_a_container),
		T(a_tree_that_somebody_works_in_is_busy),
		T(only_living_holders_notes_are_seen),
		T(who_holds_a_name_is_known_and_who_waits_for_it_goes_on_when_it_is_killed),
	};

	return cmocka_run_group_tests(tests, make_host, NULL);
}

int main(void)
{
	return trees_run(all);
}

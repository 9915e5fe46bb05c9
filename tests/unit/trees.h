/* trees - a container's tree on a fakehost: made anew for each case, whose preparation must leave the host as
 * it was. */
#pragma once

#include "tests/unit/fakehost.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "decide/plan.h"
#include "engine/prepare.h"

#define RESOLV_TEXT "nameserver 192.0.2.53\n\x1b[31m\n"

static char name[16], root[64];
static struct container box;
static struct facts facts = { .path = "/bin" };
static struct strs warnings;
static struct err err;
static struct buf before;

/* A path in the tree; good for four more calls. */
static inline const char *in(const char *path)
{
	static char all[4][256];
	static unsigned at;
	char *p = all[at++ % 4];

	(void)snprintf(p, sizeof(all[0]), "%s/%s", root, path);
	return p;
}

static inline void make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static inline void make_link(const char *to, const char *path)
{
	assert_int_equal(symlink(to, path), 0);
}

static inline int prepare(void)
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

static inline void is_refused(enum status status, const char *words)
{
	assert_true(prepare() < 0);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in '%s'", words, err.text);
	assert_int_equal(err.status, status);
}

static inline void is_prepared(void)
{
	if (prepare() < 0)
		fail_msg("%s", err.text);
}

static inline void same_text(const char *path, const char *wanted)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static inline mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Nothing of ours is left beside what belongs there. */
static inline bool has_no_temp(const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = false;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		found = found || strncmp(entry->d_name, ".#", 2) == 0;
	closedir(dir);
	return !found;
}

static inline void snapshot_host(struct buf *into)
{
	fakehost_snapshot("/etc", into);
	fakehost_snapshot("/sentinel", into);
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline void make_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

/* 0 to 4: a file, a FIFO, a socket, a character and a block device. False: can not be made here. */
static inline bool make_odd(int kind, const char *path)
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

static inline bool set_flags(const char *path, unsigned flags)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	bool set = fd >= 0 && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;

	close(fd);
	return set;
}

/* The host's own file is a link, so that these cases change its target and not /etc. */
static inline void host_resolv_conf(const char *text)
{
	(void)unlink("/var/lib/resolv-of-host");
	if (text)
		put_file("/var/lib/resolv-of-host", text, 0644);
}

static inline int restore(void **state)
{
	(void)(set_flags(in("etc"), 0) && set_flags(in("etc/resolv.conf"), 0)); /* after a failure, too */
	host_resolv_conf(RESOLV_TEXT);
	return tear_down(state);
}

static inline int make_host(void **state)
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

static inline int trees_run(int (*all)(void))
{
	if (syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno == ENOSYS) {
		puts("SKIP: no openat2 here (valgrind does not know it)");
		return 77;
	}
	return fakehost_run(all);
}

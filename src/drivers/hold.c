#include "drivers/hold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/num.h"
#include "drivers/files.h"

#define COMMAND_MAX 65536
#define FOLDER      "/run/machdeck/.locks"
#define HOST        ".host"      /* no machine's name */
#define EDITED      "# edited\n" /* a note: of a conf that is there, it has nothing to tell */
#define PATH_SIZE   (sizeof(FOLDER) + NAME_MACHINE_MAX + 8)
#define NOTE_MAX    65536
#define LOGIN_MAX   32
#define WAIT_MS     10000
#define STEP_MS     20
#define GLANCE_MS   200 /* who only looks whether it is held has it for a moment */

/* Somebody who lets go removes the file, so what was locked may be no longer the one of that name. */
static bool is_the_one(int dir, const char *leaf, int fd)
{
	struct stat named, held;

	return fstatat(dir, leaf, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &held) == 0 &&
	       named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

/* Returns a locked descriptor of an empty file, whatever a killed holder had noted in it; -EWOULDBLOCK, or another
 * negative errno. */
static int try_lock(int dir, const char *leaf)
{
	for (;;) {
		CLEANUP(close_p)
		int fd = openat(dir, leaf, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;
		if (is_the_one(dir, leaf, fd))
			return ftruncate(fd, 0) < 0 ? -errno : take_fd(&fd);
	}
}

static int lock(const char *leaf, int wait_ms, struct hold *ret, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	int r = gate_ask(e, "cannot lock %s", leaf);

	if (r == 0 && geteuid() != 0)
		r = err_set(e, STATUS_NOT_PERMITTED, EACCES,
		            "making, changing and removing machines takes root");
	if (r == 0)
		r = files_mkdir("", FOLDER, 0700, &dir, e);
	if (r < 0)
		return r;
	for (;; wait_ms -= STEP_MS) {
		r = try_lock(dir, leaf);
		if (r != -EWOULDBLOCK || wait_ms <= 0)
			break;
		(void)nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000 }, NULL);
	}
	if (r < 0)
		return r == -EWOULDBLOCK ? r : err_sys(e, -r, "cannot lock " FOLDER "/%s", leaf);
	*ret = (struct hold){ .fd = r };
	(void)snprintf(ret->leaf, sizeof(ret->leaf), "%s", leaf);
	return 0;
}

static void path_of(const char *name, char ret[static PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, FOLDER "/%s", name);
}

static int read_note(const char *name, struct buf *ret, struct err *e)
{
	char path[PATH_SIZE];

	path_of(name, path);
	return files_read("", path, NOTE_MAX, ret, NULL, e);
}

/* By proc_locks(5): "1: FLOCK  ADVISORY  WRITE 707 08:01:131 0 EOF". 0: not known. */
static int holder(const char *leaf)
{
	char path[PATH_SIZE], line[256];
	FILE *locks = fopen("/proc/locks", "re");
	struct stat st = { 0 };
	int found = 0;

	path_of(leaf, path);
	while (locks && lstat(path, &st) == 0 && !found && fgets(line, sizeof(line), locks)) {
		const char *flock = strstr(line, "FLOCK");
		uintmax_t inode;
		int pid;

		if (flock && sscanf(flock, "FLOCK %*s WRITE %d %*x:%*x:%ju", &pid, &inode) == 2 &&
		    inode == (uintmax_t)st.st_ino && pid > 0)
			found = pid;
	}
	if (locks)
		fclose(locks);
	return found;
}

/* When it was locked, or noted what it makes. */
static void since(const char *name, struct hold_who *who)
{
	char path[PATH_SIZE];
	struct stat st;
	struct tm t;

	path_of(name, path);
	if (lstat(path, &st) == 0 && localtime_r(&st.st_mtime, &t))
		(void)strftime(who->since, sizeof(who->since), "%H:%M:%S", &t);
}

/* By the host's own list alone: no server is asked. */
static void name_user(uid_t uid, struct hold_who *who)
{
	FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user = NULL;

	while (users && (user = fgetpwent(users)) && user->pw_uid != uid)
		;
	if (user)
		(void)snprintf(who->login, sizeof(who->login), "%.40s", user->pw_name);
	else
		(void)snprintf(who->login, sizeof(who->login), "uid %u", (unsigned)uid);
	if (users)
		fclose(users);
}

static int read_of(int pid, const char *leaf, size_t max, struct buf *ret)
{
	char path[48];
	CLEANUP(close_p) int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, leaf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : files_read_fd(fd, path, max, ret, NULL, NULL);
}

/* proc_pid_loginuid(5) */
static void login_of(struct hold_who *who)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	uint64_t uid;

	if (read_of(who->pid, "loginuid", LOGIN_MAX, &text) >= 0 &&
	    num_parse(buf_text(&text), 0, UINT32_MAX - 1, &uid) >= 0)
		name_user((uid_t)uid, who);
}

bool hold_who(const char *name, struct hold_who *ret)
{
	CLEANUP(buf_done) struct buf command = { 0 }, note = { 0 };
	struct hold_who who = { .pid = holder(name) };

	if (!who.pid || read_of(who.pid, "cmdline", COMMAND_MAX, &command) < 0 || command.len == 0)
		return false;
	for (size_t i = 0; i + 1 < command.len; i++)
		if (!command.p[i])
			command.p[i] = ' ';
	(void)snprintf(who.command, sizeof(who.command), "%s", buf_text(&command));
	who.edits = read_note(name, &note, NULL) >= 0 && strcmp(buf_text(&note), EDITED) == 0;
	since(name, &who);
	login_of(&who);
	*ret = who;
	return true;
}

static int held_by(const char *name, struct err *e)
{
	struct hold_who who;

	if (!hold_who(name, &who))
		return err_set(e, STATUS_BUSY, EBUSY,
		               "%s is being made, changed or removed by another process", name);
	return err_set(e, STATUS_BUSY, EBUSY, "%s is being %s by another process%s%s: PID %d%s%s, %s", name,
	               who.edits ? "edited" : "made, changed or removed", who.since[0] ? " since " : "",
	               who.since, who.pid, who.login[0] ? " of " : "", who.login, who.command);
}

int hold_name(const char *name, struct hold *ret, struct err *e)
{
	return hold_name_within(name, GLANCE_MS, ret, e);
}

int hold_name_within(const char *name, int wait_ms, struct hold *ret, struct err *e)
{
	int r = lock(name, wait_ms > GLANCE_MS ? wait_ms : GLANCE_MS, ret, e);

	return r == -EWOULDBLOCK ? held_by(name, e) : r;
}

int hold_host(struct hold *ret, struct err *e)
{
	int r = lock(HOST, WAIT_MS, ret, e);

	return r != -EWOULDBLOCK
	               ? r
	               : err_set(e, STATUS_BUSY, EBUSY,
	                         "another process has been choosing addresses for %d s", WAIT_MS / 1000);
}

void hold_done(struct hold *h)
{
	char path[PATH_SIZE];

	if (h->fd < 0 || !h->leaf[0])
		return;
	path_of(h->leaf, path);
	if (gate_ask(NULL, "cannot unlock %s", h->leaf) == 0)
		(void)unlink(path);
	close(h->fd);
	*h = (struct hold){ .fd = -1 };
}

static int write_note(const struct hold *h, const char *text, size_t len, struct err *e)
{
	if (pwrite(h->fd, text, len, 0) != (ssize_t)len)
		return err_sys(e, errno, "cannot write to " FOLDER "/%s", h->leaf);
	return 0;
}

int hold_note(const struct hold *h, const struct buf *text, struct err *e)
{
	if (text->bad)
		return err_no_memory(e);
	return write_note(h, buf_text(text), text->len, e);
}

int hold_edited(const struct hold *h, struct err *e)
{
	return write_note(h, EDITED, strlen(EDITED), e);
}

/* Whether a note's writer lives: its lock ends with it. */
static bool is_held(int dir, const char *leaf)
{
	CLEANUP(close_p) int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}

/* What a holder that was killed left behind. */
static void forget(int dir, const char *leaf)
{
	CLEANUP(close_p) int fd = try_lock(dir, leaf);

	if (fd >= 0 && gate_ask(NULL, "cannot unlock %s", leaf) == 0)
		(void)unlinkat(dir, leaf, 0);
}

int hold_notes(struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	int fd = -1, r = files_open("", FOLDER, O_RDONLY | O_DIRECTORY, &fd, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return err_no_memory(e);
	}
	for (struct dirent *entry; (errno = 0, entry = readdir(folder));) {
		if (!name_is_machine(entry->d_name))
			continue;
		if (is_held(dirfd(folder), entry->d_name))
			strs_add(ret, entry->d_name);
		else
			forget(dirfd(folder), entry->d_name);
	}
	if (errno)
		return err_sys(e, errno, "cannot read " FOLDER);
	return ret->bad ? err_no_memory(e) : 0;
}

int hold_read_note(const char *name, struct buf *ret, struct err *e)
{
	int r = read_note(name, ret, e);

	if (r >= 0 && strcmp(buf_text(ret), EDITED) == 0) /* it has a conf already */
		buf_done(ret);
	return r;
}

int hold_wait(const char *name, struct err *e)
{
	char path[PATH_SIZE];

	path_of(name, path);
	for (;;) {
		CLEANUP(close_p) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd < 0 || (flock(fd, LOCK_SH) < 0 && errno != EINTR))
			return err_sys(e, errno, "cannot wait for %s", path);
		if (is_the_one(AT_FDCWD, path, fd))
			return 0;
	}
}

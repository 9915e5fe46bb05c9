#include "ui/setfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "drivers/files.h"

#define STATE "state"

static void place(char ret[static PATH_MAX], const char *home, const char *of_home, const char *xdg,
                  const char *leaf)
{
	int n = 0;

	if (xdg && xdg[0] == '/')
		n = snprintf(ret, PATH_MAX, "%s/machdeck%s", xdg, leaf);
	else if (home && home[0] == '/')
		n = snprintf(ret, PATH_MAX, "%s%s/machdeck%s", home, of_home, leaf);
	if (n <= 0 || n >= PATH_MAX)
		ret[0] = '\0';
}

void setfile_find(uid_t uid, const char *home, const char *config_home, const char *state_home,
                  struct setfile_places *ret)
{
	if (uid == 0) {
		home = "/root";
		config_home = state_home = NULL;
	}
	ret->host_root = "";
	ret->uid = uid;
	place(ret->config, home, "/.config", config_home, "/machdeck.conf");
	place(ret->state, home, "/.local/state", state_home, "");
}

/* Whether only its user and root can have written it. */
static int check_owner(int fd, const char *path, uid_t uid, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", path);
	if ((st.st_uid != uid && st.st_uid != 0) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(
			e, STATUS_UNSAFE_HOST, EPERM,
			"%s is not used: it is uid %u's with mode %04o, and must be yours alone to write",
			path, st.st_uid, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* -ENOENT: there is none, and e is not set. */
static int read_theirs(const char *path, uid_t uid, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : err_sys(e, errno, "%s", path);
	r = check_owner(fd, path, uid, e);
	return r < 0 ? r : files_read_fd(fd, path, SETTINGS_SIZE_MAX, ret, NULL, e);
}

static int read_file(const struct setfile_places *p, const char *path, bool of_system, struct buf *ret,
                     struct err *e)
{
	if (p->uid == 0 || of_system)
		return files_read(p->host_root, path, SETTINGS_SIZE_MAX, ret, NULL, e);
	return read_theirs(path, p->uid, ret, e);
}

static void load_file(const struct setfile_places *p, const char *path, bool of_system, struct settings *s,
                      struct strs *warnings)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e = { 0 };
	int r = path[0] ? read_file(p, path, of_system, &text, &e) : -ENOENT;

	if (r == 0)
		settings_parse(s, path, buf_text(&text), text.len, warnings);
	else if (r != -ENOENT)
		strs_add(warnings, e.text);
}

static int read_state(const struct setfile_places *p, struct buf *ret)
{
	char path[PATH_MAX + sizeof("/" STATE)];

	(void)snprintf(path, sizeof(path), "%s/" STATE, p->state);
	return p->state[0] ? read_file(p, path, false, ret, NULL) : -ENOENT;
}

void setfile_load(const struct setfile_places *p, struct settings *ret_files, struct settings *ret_now,
                  struct strs *warnings)
{
	CLEANUP(buf_done) struct buf state = { 0 };

	settings_default(ret_files);
	load_file(p, SETFILE_SYSTEM, true, ret_files, warnings);
	ret_files->host_is_read_only = ret_files->number[SETTING_READ_ONLY] != 0;
	load_file(p, p->config, false, ret_files, warnings);
	settings_settle(ret_files, warnings);
	*ret_now = *ret_files;
	if (read_state(p, &state) == 0)
		settings_parse_state(ret_now, buf_text(&state), state.len);
}

/* Makes the folder with those above it, as their user may. */
static int make_theirs(const char *path, int *ret)
{
	char part[PATH_MAX];

	for (const char *at = path; *at; at += strcspn(at, "/")) {
		at += strspn(at, "/");
		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - path + (ptrdiff_t)strcspn(at, "/")),
		               path);
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

static int open_state(const struct setfile_places *p, int *ret, struct err *e)
{
	int r;

	if (p->uid == 0)
		return files_mkdir(p->host_root, p->state, 0700, ret, e);
	r = make_theirs(p->state, ret);
	return r < 0 ? err_sys(e, -r, "cannot make %s", p->state) : check_owner(*ret, p->state, p->uid, e);
}

int setfile_store(const struct setfile_places *p, const struct settings *files, const struct settings *now,
                  struct err *e)
{
	const struct files_new as = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	CLEANUP(buf_done) struct buf before = { 0 }, text = { 0 };
	CLEANUP(close_p) int dir = -1;
	int r;

	if (!p->state[0])
		return 0;
	settings_print_state(now, files, &text);
	if (text.bad)
		return err_no_memory(e);
	(void)read_state(p, &before); /* missing or broken: it is replaced */
	if (strcmp(buf_text(&before), buf_text(&text)) == 0)
		return 0;
	r = open_state(p, &dir, e);
	if (r < 0)
		return r;
	r = files_replace(dir, STATE, &as, buf_text(&text), text.len);
	return r < 0 ? err_sys(e, -r, "cannot write %s/" STATE, p->state) : 1;
}

#include "engine/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/conf.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/rootfs.h"
#include "drivers/subvolume.h"
#include "drivers/treecopy.h"
#include "engine/load.h"
#include "engine/overlay.h"
#include "engine/settle.h"

#define LINK_MAX_SIZE 512

/* All that is known of the original. */
struct original {
	struct places places;
	struct loaded loaded;
	struct conf_file conf;
	char *profile; /* what its profile of Nix leads to; NULL */
};

static void original_done(struct original *o)
{
	loaded_done(&o->loaded);
	conf_file_done(&o->conf);
	free(o->profile);
}

static char *read_profile(const char *name)
{
	char path[LINK_MAX_SIZE];

	(void)snprintf(path, sizeof(path), PLACES_PROFILES "/%s/system", name);
	return realpath(path, NULL);
}

static int read_original(const char *name, struct original *ret, struct err *e)
{
	int r = places_find(name, &ret->places, e);

	if (r == 0 && !ret->places.has_conf)
		r = err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s has no conf to take over", name);
	if (r == 0)
		r = load_container("", name, &ret->loaded, e);
	if (r == 0)
		r = confs_load("", name, &ret->conf, e);
	if (r == 0)
		ret->profile = read_profile(name);
	return r;
}

static bool is_subvolume(const char *path)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && subvolume_is(fd);
}

static bool is_nix(const struct original *o)
{
	return o->profile || o->loaded.container.system_path || o->loaded.container.flake;
}

static void describe(const struct clone *c, const struct original *o, struct create *ret)
{
	*ret = (struct create){
		.name = c->to,
		.unique_name = c->unique_name,
		.options = c->options,
		.base = buf_text(&o->conf.text),
		.like = &o->loaded.container,
		.build = { .source = c->overlay           ? BUILD_OVERLAY
		                     : o->places.has_root ? BUILD_TREE
		                                          : BUILD_EMPTY,
		           .from = o->places.root,
		           .no_system = is_nix(o),
		           .twin_of = o->places.has_root ? c->from : NULL },
	};
}

/* A copy of what is being written to is of no moment at all; ret_up: whether it runs. */
static int ask_whether_still(const struct clone *c, const struct original *o, bool *ret_up, struct err *e)
{
	*ret_up = settle_is_up(c->from);
	if (*ret_up && c->overlay)
		return err_set(
			e, STATUS_BUSY, EBUSY,
			"cannot lay an overlay over %s: it is running, and must be down while there is one "
			"(machdeck stop %s, or clone without --overlay)",
			c->from, c->from);
	if (!*ret_up || c->live || is_subvolume(o->places.root))
		return 0;
	return err_set(e, STATUS_BUSY, EBUSY,
	               "cannot clone %s: it is running (stop it, or clone with --live: it stands still while "
	               "it is copied)",
	               c->from);
}

static int check_overlay(const struct clone *c, const struct original *o, struct err *e)
{
	char of[NAME_MACHINE_MAX + 1];

	if (!c->overlay)
		return 0;
	if (!o->places.has_root)
		return err_set(e, STATUS_USAGE, EOPNOTSUPP,
		               "%s has no root to lay an overlay over (leave out --overlay)", c->from);
	if (overlay_of(&o->places, of))
		return err_set(
			e, STATUS_USAGE, EOPNOTSUPP,
			"%s is an overlay over %s itself (clone without --overlay makes a full copy of both)",
			c->from, of);
	return 0;
}

static void warn_of_boot(const struct clone *c, const struct original *o, struct strs *warnings)
{
	if (c->overlay && o->loaded.container.auto_start)
		strs_addf(warnings,
		          "%s is to start at boot (AUTO_START=1), which it can not while the clone is there",
		          c->from);
}

/* How build_root() would copy it: that tries the same ways in this order. */
static enum built how_copied(const struct clone *c, const struct original *o)
{
	CLEANUP(close_p) int roots = open(o->places.roots, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!o->places.has_root)
		return BUILT_NEW;
	if (c->overlay)
		return BUILT_OVERLAY;
	if (is_subvolume(o->places.root))
		return BUILT_SNAPSHOT;
	return roots >= 0 && treecopy_shares(roots) ? BUILT_SHARED : BUILT_COPIED;
}

/* The value of that line's key in another conf; NULL: it is not there. */
static const char *value_in(const struct strs *lines, const char *line)
{
	size_t len = strcspn(line, "=") + 1;

	for (size_t i = 0; i < lines->n; i++)
		if (strncmp(lines->v[i], line, len) == 0)
			return lines->v[i] + len;
	return NULL;
}

static void say_changes(const struct strs *before, const struct strs *after, struct strs *says)
{
	for (size_t i = 0; i < before->n; i++) {
		const char *line = before->v[i], *now = value_in(after, line);
		int key = (int)strcspn(line, "=");

		if (line[key] == '\0')
			continue;
		if (!now)
			strs_addf(says, "%.*s: %s is left out", key, line, line + key + 1);
		else if (strcmp(now, line + key + 1) != 0)
			strs_addf(says, "%.*s: %s becomes %s", key, line, line + key + 1, now);
	}
	for (size_t i = 0; i < after->n; i++) {
		const char *line = after->v[i];
		int key = (int)strcspn(line, "=");

		if (line[key] == '=' && !value_in(before, line))
			strs_addf(says, "%.*s: %s is new", key, line, line + key + 1);
	}
}

static int say_all(const struct clone *c, const struct original *o, const struct created *made, bool up,
                   struct strs *says, struct err *e)
{
	CLEANUP(buf_done) struct buf conf = { 0 };
	CLEANUP(strs_done) struct strs before = { 0 };
	CLEANUP(strs_done) struct strs after = { 0 };
	int r = conf_write(&o->loaded.container, &conf, e);

	if (r < 0)
		return r;
	if (made->how == BUILT_NEW)
		strs_addf(says, "root: an empty one, as that of %s is made by its start", c->from);
	else
		strs_addf(says, "root: %s %s %s", built_word(made->how), c->overlay ? "over" : "of",
		          o->places.root);
	if (c->overlay)
		strs_addf(says, "%s can not be started, reset, renamed or destroyed while the clone is there",
		          c->from);
	if (up && made->how != BUILT_SNAPSHOT)
		strs_addf(says, "%s runs: it stands still while it is copied", c->from);
	if (o->places.has_root)
		strs_add(says, "host name and machine ID: its own");
	strs_split(&before, buf_text(&conf), "\n");
	strs_split(&after, buf_text(&made->conf), "\n");
	say_changes(&before, &after, says);
	return before.bad || after.bad || says->bad ? err_no_memory(e) : 0;
}

int clone_decide(const struct clone *c, struct created *ret, struct strs *says, struct strs *warnings,
                 struct err *e)
{
	CLEANUP(original_done) struct original o = { 0 };
	CLEANUP(created_done) struct created made = { 0 };
	struct create create;
	int r = read_original(c->from, &o, e);
	bool up = false;

	if (r == 0)
		r = check_overlay(c, &o, e);
	if (r == 0)
		r = ask_whether_still(c, &o, &up, e);
	if (r < 0)
		return r;
	describe(c, &o, &create);
	r = create_decide(&create, &made, warnings, e);
	if (r < 0)
		return r;
	made.how = how_copied(c, &o);
	warn_of_boot(c, &o, warnings);
	r = say_all(c, &o, &made, up, says, e);
	if (r < 0)
		return r;
	*ret = made;
	made = (struct created){ 0 };
	return 0;
}

/* A profile of one generation, as Nix makes them: system -> system-1-link -> the store. */
static int copy_profile(const char *name, const char *system, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	char path[LINK_MAX_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), PLACES_PROFILES "/%s", name);
	r = files_mkdir("", path, 0755, &dir, e);
	if (r < 0)
		return r;
	if (symlinkat(system, dir, "system-1-link") < 0 || symlinkat("system-1-link", dir, "system") < 0)
		return err_sys(e, errno, "cannot make the profile %s", path);
	return 0;
}

/* A process that thaws the machine when we are killed meanwhile. */
struct guard {
	pid_t pid;
	int fd; /* closed without a word, we are dead */
};

static int guard_begin(const char *name, struct guard *ret, struct err *e)
{
	char word;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	ret->pid = fork();
	if (ret->pid == 0) {
		close(fds[1]);
		(void)setsid();
		if (read(fds[0], &word, 1) != 1)
			(void)settle_control(CONTROL_THAW, name, NULL, NULL);
		_exit(0);
	}
	close(fds[0]);
	ret->fd = fds[1];
	if (ret->pid > 0)
		return 0;
	close(fds[1]);
	return err_sys(e, errno, "cannot make a process");
}

static void guard_end(struct guard *g, bool thawed)
{
	if (thawed && write(g->fd, "", 1) != 1)
		(void)kill(g->pid, SIGKILL);
	close(g->fd);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int freeze_source(const char *name, const struct progress *progress, struct guard *guard,
                         struct err *e)
{
	int r = guard_begin(name, guard, e);

	if (r < 0)
		return r;
	r = settle_control(CONTROL_FREEZE, name, progress, e);
	if (r < 0) /* cancelled, it may stand still all the same */
		guard_end(guard, false);
	return r;
}

static void thaw_source(const char *name, struct guard *guard, struct strs *warnings)
{
	struct err e = { 0 };

	if (settle_control(CONTROL_THAW, name, NULL, &e) < 0)
		strs_addf(warnings, "%s stands still: %s", name, e.text);
	guard_end(guard, true);
}

static int make(const struct clone *c, const struct original *o, bool up, const struct progress *progress,
                struct created *ret, struct strs *warnings, struct err *e)
{
	bool freeze = up && !is_subvolume(o->places.root);
	struct guard guard = { .fd = -1 };
	struct create create;
	struct err why = { 0 };
	int r = freeze ? freeze_source(c->from, progress, &guard, e) : 0;

	if (r < 0)
		return r;
	describe(c, o, &create);
	create.build.live = up;
	r = create_container(&create, progress, ret, warnings, e);
	if (freeze)
		thaw_source(c->from, &guard, warnings);
	if (r == 0 && o->profile && copy_profile(ret->places.name, o->profile, &why) < 0)
		strs_addf(warnings, "%s has no system to run: %s", ret->places.name, why.text);
	return r;
}

/* Until it is seen that there is an overlay, nothing starts in what is below it. */
static int lock_lower(const struct original *o, struct rootfs *ret, struct err *e)
{
	ret->path = strdup(o->places.root);
	ret->fd = open(o->places.root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!ret->path)
		return err_no_memory(e);
	return ret->fd < 0 ? err_sys(e, errno, "cannot open %s", ret->path) : rootfs_lock_shared(ret, e);
}

int clone_container(const struct clone *c, const struct progress *progress, struct created *ret,
                    struct strs *warnings, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(original_done) struct original o = { 0 };
	CLEANUP(rootfs_done) struct rootfs lower = { .fd = -1 };
	int r = gate_ask(e, "cannot clone %s", c->from);
	bool up = false;

	if (r == 0)
		r = places_hold(c->from, &hold, &o.places, e);
	if (r == 0)
		r = read_original(c->from, &o, e);
	if (r == 0)
		r = check_overlay(c, &o, e);
	if (r == 0)
		r = ask_whether_still(c, &o, &up, e);
	if (r == 0)
		r = overlay_attach(&o.places, e); /* else its root looks empty */
	if (r == 0 && c->overlay)
		r = lock_lower(&o, &lower, e);
	if (r < 0)
		return r;
	r = make(c, &o, up, progress, ret, warnings, e);
	if (r == 0)
		warn_of_boot(c, &o, warnings);
	return r;
}

#include "engine/start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/releases.h"
#include "drivers/cgroup.h"
#include "drivers/files.h"
#include "drivers/machined.h"
#include "words/name.h"

#define EXPORTS "/run/systemd/nspawn/unix-export"

/* --- a name that is free */

int start_look(const char *name, bool *ret_stale, struct err *e)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	char unit[NAME_UNIT_SIZE];
	int r = machined_find("", name, &m, e);

	*ret_stale = false;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	name_unit(name, unit);
	if (!m.unit || strcmp(m.unit, unit) != 0)
		return err_set(e, STATUS_BUSY, EBUSY,
		               "a machine of that name runs already, as %s (machinectl terminate %s)",
		               m.unit ? m.unit : "somebody's", name);
	if (!machined_is_in(unit) && machined_leader_lives(&m))
		return err_set(e, STATUS_BUSY, EBUSY, "it is running (machdeck stop %s)", name);
	*ret_stale = true;
	return 0;
}

int start_free_export(const char *name, struct err *e)
{
	char path[sizeof(EXPORTS) + NAME_MACHINE_MAX + 1];

	(void)snprintf(path, sizeof(path), EXPORTS "/%s", name);
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		(void)rmdir(path);
	else if (errno != EINVAL && errno != ENOENT) /* no mount */
		return err_sys(e, errno, "cannot unmount %s, over which systemd-nspawn does not start", path);
	return 0;
}

/* --- /run/machdeck/NAME */

static int put(int dir, const char *leaf, mode_t mode, const struct buf *text, struct err *e)
{
	struct files_new as = { .mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	int r = text->bad ? -ENOMEM : files_replace(dir, leaf, &as, buf_text(text), text->len);

	return r < 0 ? err_sys(e, -r, "cannot write %s in " PLAN_RUN_DIR, leaf) : 0;
}

int start_put_ops(int dir, const char *leaf, const struct netops *ops, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	for (size_t i = 0; i < ops->n; i++) {
		char line[2 * NETOP_NAME_SIZE + 64];

		netop_line(&ops->v[i], line, sizeof(line));
		buf_addf(&text, "%s\n", line);
	}
	return put(dir, leaf, 0444, &text, e);
}

/* The guest's root can change what is bound into the container (M11), so it gets a copy of its own. */
static int put_init(int guest, struct err *e)
{
	struct files_new as = { .mode = 0555, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	CLEANUP(close_p) int from = -1;
	int r = files_open("", LIBEXECDIR "/machdeck-init", O_RDONLY, &from, e);

	if (r < 0)
		return r;
	r = files_copy(guest, "init", &as, from);
	return r < 0 ? err_sys(e, -r, "cannot write init in " PLAN_RUN_DIR) : 0;
}

void start_plan_text(const struct loaded *l, struct buf *ret)
{
	CLEANUP(buf_done) struct buf plan = { 0 };

	plan_json(&l->plan, &plan);
	buf_addf(ret, "{\"conf_hash\":\"%s\",%s", l->hash, buf_text(&plan) + 1);
	ret->bad |= plan.bad;
}

int start_put_plan(int dir, const struct buf *text, struct err *e)
{
	return put(dir, "plan.json", 0644, text, e);
}

int start_files(const struct loaded *l, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	CLEANUP(close_p) int guest = -1;
	CLEANUP(buf_done) struct buf text = { 0 };
	char path[sizeof(PLAN_RUN_DIR) + NAME_MACHINE_MAX + 8];
	int r;

	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s", l->plan.name);
	r = files_mkdir("", path, 0755, &dir, e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), PLAN_RUN_DIR "/%s/guest", l->plan.name);
	r = files_mkdir("", path, 0755, &guest, e);
	if (r < 0)
		return r;
	(void)unlinkat(dir, "host.done", 0); /* an earlier start's */
	start_plan_text(l, &text);
	r = put_init(guest, e);
	if (r == 0)
		r = start_put_ops(guest, "net", &l->plan.init, e);
	if (r == 0)
		r = start_put_plan(dir, &text, e);
	if (r == 0)
		r = start_put_ops(dir, "host", &l->plan.poststart, e);
	return r;
}

/* --- becoming systemd-nspawn */

static void build_environment(const struct plan *p, struct strs *ret)
{
	static const char *const passed[] = { "NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM" };

	strs_add(ret, "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin");
	strs_add(ret, "LANG=C.UTF-8");
	for (size_t i = 0; i < COUNT(passed); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			strs_addf(ret, "%s=%s", passed[i], value);
	}
	/* A guest decides by what it finds; where the host has both, systemd-nspawn would show it the old
	 * one. */
	if (cgroup_where(""))
		strs_add(ret, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1");
	if (release_rules(p->release)->exit_on_reboot)
		strs_add(ret, "EXIT_ON_REBOOT=1");
}

static int find_nspawn(const char **ret, struct err *e)
{
	static const char *const paths[] = { "/usr/bin/systemd-nspawn",
		                             "/run/current-system/sw/bin/systemd-nspawn" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		CLEANUP(close_p) int fd = -1;
		int r = files_open("", paths[i], O_RDONLY, &fd, e);

		if (r == -ENOENT)
			continue;
		*ret = paths[i];
		return r;
	}
	return err_set(e, STATUS_UNSAFE_HOST, ENOENT,
	               "systemd-nspawn is missing (install systemd-container)");
}

int start_exec(const struct plan *p, struct err *e)
{
	CLEANUP(strs_done) struct strs environment = { 0 };
	const char *program = "";
	int r = find_nspawn(&program, e);

	if (r < 0)
		return r;
	build_environment(p, &environment);
	if (environment.bad)
		return err_no_memory(e);
	if (chdir("/") < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot leave what was inherited behind");
	(void)execve(program, p->argv.v, environment.v);
	if (errno == EACCES || errno == ENOEXEC)
		return err_set(e, STATUS_UNSAFE_HOST, errno, "%s can not be executed: %s", program,
		               strerror(errno));
	return err_sys(e, errno, "cannot execute %s", program);
}

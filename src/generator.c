/* machdeck-generator - at boot and daemon-reload: one drop-in a configured container, and the wants of those
 * that start by themselves (systemd.generator(7)). There is no bus and no journal yet: what is wrong goes to
 * the kernel's log, and one bad conf keeps no other container from starting. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/dropin.h"
#include "decide/overlay.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/load.h"
#include "engine/overlay.h"

#define UNIT_MAX 65536

static void complain(const struct err *e)
{
	CLEANUP(close_p) int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (kmsg < 0 || dprintf(kmsg, "<4>machdeck-generator: %s\n", e->text) < 0)
		fprintf(stderr, "machdeck-generator: %s\n", e->text);
}

/* Opens the folder below out, making it. */
static int open_folder(int out, const char *folder, struct err *e)
{
	int fd;

	if (mkdirat(out, folder, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s", folder);
	fd = openat(out, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "cannot open %s", folder) : fd;
}

static int write_file(int dir, const char *leaf, const char *shown, const struct buf *text, struct err *e)
{
	CLEANUP(close_p) int fd = openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno, "cannot make %s of %s", leaf, shown);
	n = write(fd, text->p, text->len);
	if (n != (ssize_t)text->len)
		return err_sys(e, n < 0 ? errno : ENOSPC, "cannot write %s of %s", leaf, shown);
	return 0;
}

static int write_dropin(int out, const char *unit, const struct buf *text, struct err *e)
{
	char folder[NAME_UNIT_SIZE + 2];
	CLEANUP(close_p) int dir = -1;

	(void)snprintf(folder, sizeof(folder), "%s.d", unit);
	dir = open_folder(out, folder, e);
	return dir < 0 ? dir : write_file(dir, "50-machdeck.conf", folder, text, e);
}

/* systemd reads the unit's name from the link's own name. */
static int write_want(int out, const char *target, const char *unit, const char *file, struct err *e)
{
	char folder[NAME_UNIT_SIZE], to[NAME_UNIT_SIZE];
	CLEANUP(close_p) int dir = -1;

	(void)snprintf(folder, sizeof(folder), "%s.wants", target);
	(void)snprintf(to, sizeof(to), "../%s", file);
	dir = open_folder(out, folder, e);
	if (dir < 0)
		return dir;
	if (symlinkat(to, dir, unit) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot link %s into %s", unit, folder);
	return 0;
}

/* The mount of a root that is an overlay. */
static int write_overlay(int out, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf unit = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	char of[NAME_MACHINE_MAX + 1];
	struct places p;
	int r;

	if (places_find(name, &p, e) < 0 || !overlay_of(&p, of))
		return 0;
	overlay_unit(p.roots, name, &unit);
	overlay_unit_text(p.roots, name, of, &text);
	if (unit.bad || text.bad)
		return err_no_memory(e);
	r = write_file(out, buf_text(&unit), name, &text, e);
	return r < 0 ? r : write_want(out, "multi-user.target", buf_text(&unit), buf_text(&unit), e);
}

/* Whether that unit file is an administrator's or NixOS's, and starts containers without us. */
static int is_foreign(const char *file)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	char path[NAME_UNIT_SIZE + 32];

	(void)snprintf(path, sizeof(path), "/etc/systemd/system/%s", file);
	if (files_read("", path, UNIT_MAX, &text, NULL, NULL) < 0)
		return -1;
	return !strstr(buf_text(&text), "machdeck-unit");
}

/* A unit of its own comes before the template. What either says is not to be changed by a drop-in of ours. */
static bool runs_without_us(const char *unit)
{
	int own = is_foreign(unit);

	return own < 0 ? is_foreign("container@.service") > 0 : own > 0;
}

static int generate(int out, const char *name, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	char unit[NAME_UNIT_SIZE];
	int r = load_plan("", name, &l, e);

	if (r < 0)
		return r;
	if (!l.conf_path)
		return 0; /* deleted meanwhile */
	dropin_text(&l.container, &l.plan, l.conf_path, &text);
	if (text.bad)
		return err_no_memory(e);
	name_unit(name, unit);
	if (runs_without_us(unit))
		return 0;
	r = write_dropin(out, unit, &text, e);
	if (r == 0)
		r = write_overlay(out, name, e);
	for (size_t i = 0; r == 0 && i < l.plan.wanted_by.n; i++)
		r = write_want(out, l.plan.wanted_by.v[i], unit, "container@.service", e);
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(close_p) int out = -1;
	struct err e;
	int status = STATUS_DONE;

	if (argc < 2) {
		fputs("usage: machdeck-generator DIR [EARLY LATE] (systemd calls it: systemd.generator(7))\n",
		      stderr);
		return STATUS_USAGE;
	}
	umask(022);
	out = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out < 0) {
		(void)err_sys(&e, errno, "cannot open %s", argv[1]);
		complain(&e);
		return (int)e.status;
	}
	if (confs_list("", &names, &e) < 0) {
		complain(&e);
		return (int)e.status;
	}
	if (names.n > 0 && write_want(out, "multi-user.target", "machines.target", "machines.target", &e) < 0)
		complain(&e);
	for (size_t i = 0; i < names.n; i++) {
		if (generate(out, names.v[i], &e) == 0)
			continue;
		complain(&e);
		status = STATUS_FAILED;
	}
	return status;
}

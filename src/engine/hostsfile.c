#include "engine/hostsfile.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/confedit.h"
#include "decide/hosts.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "engine/load.h"

#define HOSTS_FILE     "/etc/hosts"
#define HOSTS_SIZE_MAX (16 << 20) /* lists of blocked names are that long */

int hostsfile_lines(const char *host_root, struct strs *ret, struct strs *problems, enum status *ret_status,
                    struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	int r = confs_list(host_root, &names, e);

	*ret_status = STATUS_DONE;
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		CLEANUP(loaded_done) struct loaded l = { 0 };
		struct err bad = { 0 };

		if (load_container(host_root, names.v[i], &l, &bad) < 0) {
			strs_add(problems, bad.text);
			*ret_status = bad.status;
		} else {
			hosts_lines(&l.container, ret);
		}
	}
	return r < 0 ? r : ret->bad || problems->bad ? err_no_memory(e) : 0;
}

static int texts(const char *host_root, const struct strs *lines, struct buf *old, struct buf *new,
                 struct err *e)
{
	int r = files_read(host_root, HOSTS_FILE, HOSTS_SIZE_MAX, old, NULL, e);

	if (r < 0 && r != -ENOENT)
		return r;
	r = hosts_edit(buf_text(old), old->len, lines, new, e);
	return r < 0 ? err_wrap(e, r, "%s" HOSTS_FILE, host_root) : 0;
}

int hostsfile_write(const char *host_root, const struct strs *lines, struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	CLEANUP(buf_done) struct buf new = { 0 };
	int r = texts(host_root, lines, &old, &new, e);

	if (r < 0)
		return r;
	if (new.len == old.len && memcmp(buf_text(&new), buf_text(&old), old.len) == 0)
		return 0;
	r = files_save(host_root, HOSTS_FILE, 0644, buf_text(&new), new.len, e);
	return r < 0 ? r : 1;
}

int hostsfile_show(const char *host_root, const struct strs *lines, struct buf *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	CLEANUP(buf_done) struct buf new = { 0 };
	int r = texts(host_root, lines, &old, &new, e);

	if (r < 0)
		return r;
	return conf_diff(HOSTS_FILE, buf_text(&old), buf_text(&new), ret) < 0 ? err_no_memory(e) : 0;
}

void hostsfile_refresh(const char *host_root, struct strs *warnings)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	CLEANUP(strs_done) struct strs lines = { 0 };
	CLEANUP(strs_done) struct strs problems = { 0 };
	enum status status;
	struct err e = { 0 };
	int r;

	if (files_read(host_root, HOSTS_FILE, HOSTS_SIZE_MAX, &old, NULL, NULL) < 0 ||
	    !strstr(buf_text(&old), HOSTS_BEGIN))
		return;
	r = hostsfile_lines(host_root, &lines, &problems, &status, &e);
	if (r >= 0 && problems.n > 0)
		r = err_set(&e, STATUS_DATA, EINVAL, "its block would lose lines: %s", problems.v[0]);
	if (r >= 0)
		r = hostsfile_write(host_root, &lines, &e);
	if (r < 0)
		strs_addf(warnings, HOSTS_FILE " is not brought up to date: %s", e.text);
}

#include "engine/autostart.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "drivers/confs.h"
#include "engine/edit.h"

#define WAIT_MS 10000

static int next_text(const char *path, const struct buf *old, bool on, struct buf *ret, struct err *e)
{
	struct conf_change change = { "AUTO_START", on ? "1" : NULL };

	return conf_edit(path, buf_text(old), old->len, &change, 1, ret, e);
}

static int no_conf(const char *name, struct err *e)
{
	return err_set(e, STATUS_NO_CONTAINER, ENOENT,
	               "%s has no conf that could say whether it starts by itself", name);
}

int autostart_set(const char *name, bool on, struct err *e)
{
	CLEANUP(edit_done) struct edit x = { .hold.fd = -1, .dir = -1 };
	CLEANUP(strs_done) struct strs warnings = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(free_p) char *joined = NULL;
	int r = edit_find(name, NULL, &x, e);

	if (r == -ENOENT || (r == 0 && x.kind != EDIT_CONF))
		return no_conf(name, e);
	if (r == 0)
		r = edit_begin(name, WAIT_MS, &x, e);
	if (r == -EACCES)
		return err_set(e, STATUS_NOT_PERMITTED, EACCES,
		               "%s can only be written by root: sudo machdeck %s %s", x.path,
		               on ? "enable" : "disable", name);
	if (r == 0)
		r = next_text(x.path, &x.old, on, &text, e);
	x.unjudged = true;
	if (r > 0)
		r = edit_save(&x, &text, &warnings, e);
	if (r < 0)
		return r;
	joined = strs_join(&warnings, "; ");
	(void)snprintf(e->text, sizeof(e->text), "%s", joined ? joined : "");
	return 0;
}

int autostart_show(const char *name, bool on, struct buf *ret, struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	int r = confs_load("", name, &file, e);

	if (r == -ENOENT)
		return no_conf(name, e);
	if (r == 0)
		r = next_text(file.path, &file.text, on, &text, e);
	if (r < 0)
		return r;
	return conf_diff(file.path, buf_text(&file.text), buf_text(&text), ret) < 0 ? err_no_memory(e) : 0;
}

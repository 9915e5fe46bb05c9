#include "engine/autostart.h"

#include <errno.h>

#include "base/cleanup.h"
#include "decide/confedit.h"
#include "drivers/confs.h"
#include "drivers/files.h"

int autostart_set(const char *host_root, const char *name, bool on, struct err *e)
{
	struct conf_change change = { "AUTO_START", on ? "1" : NULL };
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	int r = confs_load(host_root, name, &file, e);

	if (r == -ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s has no conf that could say whether it starts by itself", name);
	if (r < 0)
		return r;
	r = conf_edit(file.path, buf_text(&file.text), file.text.len, &change, 1, &text, e);
	if (r <= 0)
		return r;
	r = files_save(host_root, file.path, 0644, text.p, text.len, e);
	if (r == -EACCES)
		return err_set(e, STATUS_NOT_PERMITTED, EACCES,
		               "%s can only be written by root: sudo machdeck %s %s", file.path,
		               on ? "enable" : "disable", name);
	return r;
}

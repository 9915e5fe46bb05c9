#include "engine/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "drivers/files.h"
#include "drivers/wipe.h"

void snapshots_folder(const struct places *p, char ret[static SNAPSHOTS_PATH_SIZE])
{
	(void)snprintf(ret, SNAPSHOTS_PATH_SIZE, "%s/.snapshots", p->roots);
}

int snapshots_forget(const struct places *p, const struct progress *progress, struct err *e)
{
	CLEANUP(free_p) char *shown = NULL;
	CLEANUP(close_p) int above = -1;
	char folder[SNAPSHOTS_PATH_SIZE];
	int r;

	snapshots_folder(p, folder);
	r = files_open("", folder, O_RDONLY | O_DIRECTORY, &above, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (asprintf(&shown, "%s/%s", folder, p->name) < 0)
		return shown = NULL, err_no_memory(e);
	return wipe_tree(above, p->name, shown, progress, e);
}

#include "drivers/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/cleanup.h"

struct folder_watch {
	char *path;
	const char *leaf; /* of path */
	folder_changed_fn *changed;
	void *arg;
	sd_event_source *parent, *folder; /* the latter NULL while there is no folder */
};

void folder_watch_free(struct folder_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->folder);
	sd_event_source_disable_unref(w->parent);
	free(w->path);
	free(w);
}

static int on_file(sd_event_source *s, const struct inotify_event *event, void *arg)
{
	struct folder_watch *w = arg;

	if (event->mask & IN_IGNORED) /* the folder is gone */
		w->folder = sd_event_source_disable_unref(s);
	w->changed(w->arg);
	return 0;
}

static int watch_folder(struct folder_watch *w)
{
	w->folder = sd_event_source_disable_unref(w->folder);
	return sd_event_add_inotify(sd_event_source_get_event(w->parent), &w->folder, w->path,
	                            IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE | IN_DELETE |
	                                    IN_DELETE_SELF | IN_ONLYDIR,
	                            on_file, w);
}

static int on_parent(sd_event_source *s, const struct inotify_event *event, void *arg)
{
	struct folder_watch *w = arg;

	(void)s;
	if (!(event->mask & IN_Q_OVERFLOW) && (event->len == 0 || strcmp(event->name, w->leaf) != 0))
		return 0;
	(void)watch_folder(w); /* when it is gone again the next event tells */
	w->changed(w->arg);
	return 0;
}

static int start(struct folder_watch *w, sd_event *loop, const char *path)
{
	CLEANUP(free_p) char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	int r;

	w->path = strdup(path);
	if (!w->path || !slash)
		return -ENOMEM;
	w->leaf = w->path + (slash - parent) + 1;
	slash[slash == parent] = '\0';
	r = sd_event_add_inotify(loop, &w->parent, parent, IN_CREATE | IN_MOVE | IN_DELETE | IN_ONLYDIR,
	                         on_parent, w);
	if (r < 0)
		return r;
	r = watch_folder(w);
	return r == -ENOENT ? 0 : r;
}

int folder_watch_new(sd_event *loop, const char *path, folder_changed_fn *changed, void *arg,
                     struct folder_watch **ret, struct err *e)
{
	struct folder_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_no_memory(e);
	w->changed = changed;
	w->arg = arg;
	r = start(w, loop, path);
	if (r < 0) {
		folder_watch_free(w);
		return err_sys(e, -r, "cannot watch %s", path);
	}
	*ret = w;
	return 0;
}

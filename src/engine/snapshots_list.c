#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/files.h"
#include "engine/snapshots.h"

void root_snapshots_done(struct root_snapshots *s)
{
	free(s->v);
	*s = (struct root_snapshots){ 0 };
}

static int by_time(const void *a, const void *b)
{
	const struct root_snapshot *x = a, *y = b;

	if (x->made_usec != y->made_usec)
		return x->made_usec < y->made_usec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A copy is made when its folder is; a root that was put aside is older than that, but its name changed then, which ctime
 * tells. Nothing changes in either afterwards. */
static uint64_t made_usec(int dir, const char *leaf)
{
	struct statx x;
	const struct statx_timestamp *at = &x.stx_ctime;

	if (statx(dir, leaf, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_CTIME, &x) < 0)
		return 0;
	if ((x.stx_mask & STATX_BTIME) && x.stx_btime.tv_sec > at->tv_sec)
		at = &x.stx_btime;
	return (uint64_t)at->tv_sec * 1000000 + at->tv_nsec / 1000;
}

static int add(struct root_snapshots *s, int dir, const char *leaf)
{
	struct root_snapshot *grown = reallocarray(s->v, s->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->v = grown;
	grown[s->n] = (struct root_snapshot){ 0 };
	(void)snprintf(grown[s->n].name, sizeof(grown->name), "%.*s", NAME_MACHINE_MAX, leaf);
	grown[s->n].made_usec = made_usec(dir, leaf);
	s->n++;
	return 0;
}

int snapshots_list(const char *name, struct root_snapshots *ret, struct err *e)
{
	CLEANUP(root_snapshots_done) struct root_snapshots s = { 0 };
	CLEANUP(closedir_p) DIR *folder = NULL;
	struct places p = { 0 };
	char own[SNAPSHOTS_OWN_SIZE];
	int fd = -1, r = places_find(name, &p, e);

	if (r == 0) {
		snapshots_own_folder(&p, own);
		r = files_open("", own, O_RDONLY | O_DIRECTORY, &fd, e);
	}
	if (r == -ENOENT && places_find(name, &p, NULL) >= 0) {
		*ret = s;
		return 0;
	}
	if (r < 0)
		return r;
	folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return err_no_memory(e);
	}
	for (struct dirent *entry; r == 0 && (errno = 0, entry = readdir(folder));)
		if (name_is_machine(entry->d_name))
			r = add(&s, fd, entry->d_name);
	if (r < 0)
		return err_no_memory(e);
	if (errno)
		return err_sys(e, errno, "cannot read the snapshots of %s", name);
	if (s.n > 0)
		qsort(s.v, s.n, sizeof(*s.v), by_time);
	*ret = s;
	s = (struct root_snapshots){ 0 };
	return 0;
}

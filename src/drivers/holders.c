#include "drivers/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/cgroup_fs.h"
#include "drivers/files.h"

#define LINKS_MAX                                                                                            \
	50000 /* a guest can open as many as it likes: 50 ms of them, then whose the rest is stays unknown */

struct search {
	int proc;
	struct holder **v; /* by inode */
	size_t n, left, links;
};

/* ---- one process */

/* "0::/machine.slice/container@web.service/payload/system.slice/nginx.service" */
static void unit_of(char *text, char ret[static HOLDERS_NAME])
{
	static const char *const suffixes[] = { ".service", ".socket", ".scope" };
	char *line, *rest = text, *part;

	ret[0] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, "0::", 3) == 0)
			break;
	while (line && (part = strsep(&line, "/")))
		for (size_t i = 0; i < COUNT(suffixes); i++) {
			size_t len = strlen(part), end = strlen(suffixes[i]);

			if (len > end && strcmp(part + len - end, suffixes[i]) == 0)
				(void)snprintf(ret, HOLDERS_NAME, "%s", part);
		}
}

static void describe(int proc, pid_t pid, struct holder *h)
{
	char leaf[32], text[4096];
	ssize_t n;

	h->pid = pid;
	(void)snprintf(leaf, sizeof(leaf), "%d/comm", (int)pid);
	n = cgroup_text(proc, leaf, h->process, sizeof(h->process));
	h->process[n > 0 ? strcspn(h->process, "\n") : 0] = '\0';
	(void)snprintf(leaf, sizeof(leaf), "%d/cgroup", (int)pid);
	n = cgroup_text(proc, leaf, text, sizeof(text));
	if (n > 0)
		unit_of(text, h->unit);
}

static int by_inode(const void *a, const void *b)
{
	const struct holder *const *x = a, *const *y = b;

	return ((*x)->inode > (*y)->inode) - ((*x)->inode < (*y)->inode);
}

static void take(struct search *s, pid_t pid, uint64_t inode)
{
	struct holder key = { .inode = inode }, *wanted = &key, **found;

	found = bsearch(&wanted, s->v, s->n, sizeof(*s->v), by_inode);
	if (!found || (*found)->pid != 0)
		return;
	describe(s->proc, pid, *found);
	s->left--;
}

static int look_at(pid_t pid, void *arg)
{
	struct search *s = arg;
	char path[32], target[64];
	CLEANUP(closedir_p) DIR *folder = NULL;
	struct dirent *entry;

	(void)snprintf(path, sizeof(path), "%d/fd", (int)pid);
	folder = files_opendir(s->proc, path);
	while (folder && s->left > 0 && s->links < LINKS_MAX && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		s->links++;
		if (strncmp(target, "socket:[", 8) == 0)
			take(s, pid, strtoull(target + 8, NULL, 10));
	}
	return s->left == 0 || s->links >= LINKS_MAX;
}

/* ---- all of them */

static int look_at_group(int dir, const char *name, unsigned depth, void *arg)
{
	(void)name, (void)depth;
	return cgroup_pids(dir, "cgroup.procs", look_at, arg);
}

static void look_at_all(struct search *s)
{
	CLEANUP(closedir_p) DIR *folder = files_opendir(s->proc, ".");
	struct dirent *entry;

	while (folder && s->left > 0 && s->links < LINKS_MAX && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]))
			(void)look_at((pid_t)strtol(entry->d_name, NULL, 10), s);
}

void holders_find(const struct cgroupfs *fs, const char *cgroup, struct holder *v, size_t n)
{
	CLEANUP(free_p) struct holder **sorted = calloc(n + 1, sizeof(struct holder *));
	struct search s = { .proc = fs->proc, .v = sorted, .n = n, .left = n };
	int dir;

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct holder){ .inode = v[i].inode };
		if (sorted)
			sorted[i] = &v[i];
	}
	if (n == 0 || !sorted)
		return;
	qsort(sorted, n, sizeof(struct holder *), by_inode);
	if (!cgroup) {
		look_at_all(&s);
		return;
	}
	dir = cgroup_dir(fs, cgroup, O_RDONLY);
	if (dir < 0)
		return;
	(void)cgroup_walk(dir, "", 0, look_at_group, &s);
	close(dir);
}

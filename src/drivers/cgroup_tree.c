#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/cgroup_fs.h"

#define NAME_SHOWN    256
#define COMMAND_READ  512
#define COMMAND_SHOWN 1024

/* ---- walking */

ssize_t cgroup_text(int dir, const char *leaf, char *buf, size_t size)
{
	CLEANUP(close_p) int fd = openat(dir, leaf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

static bool climbs(const char *path)
{
	for (; *path; path += strcspn(path, "/")) {
		path += strspn(path, "/");
		if (strcspn(path, "/") == 2 && path[0] == '.' && path[1] == '.')
			return true;
	}
	return false;
}

int cgroup_dir(const struct cgroupfs *fs, const char *path, int access)
{
	int fd;

	if (path[0] != '/' || path[strspn(path, "/")] == '\0' || climbs(path))
		return -EINVAL;
	fd = openat(fs->root, path + strspn(path, "/"), access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* cgroupfs counts a folder's folders in its links, so most need not be listed. */
static bool may_have_folders(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_nlink != 2;
}

static int walk_into(int dir, const char *name, unsigned depth, cgroup_walk_fn *each, void *arg)
{
	CLEANUP(close_p) int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return below < 0 ? 0 : cgroup_walk(below, name, depth, each, arg);
}

/* By the system call itself: estimates walk often, and opendir() costs more than what is read by it. */
static int walk_below(int dir, unsigned depth, cgroup_walk_fn *each, void *arg)
{
	_Alignas(struct dirent64) char buf[4096];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getdents64(dir, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buf + at);

			at += entry->d_reclen;
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				r = walk_into(dir, entry->d_name, depth, each, arg);
		}
	return r;
}

int cgroup_walk(int dir, const char *name, unsigned depth, cgroup_walk_fn *each, void *arg)
{
	int r = each(dir, name, depth, arg);

	if (r != 0 || depth + 1 >= PROCTREE_DEPTH || !may_have_folders(dir))
		return r;
	return walk_below(dir, depth + 1, each, arg);
}

int cgroup_pids(int dir, const char *leaf, cgroup_pid_fn *each, void *arg)
{
	CLEANUP(close_p) int fd = openat(dir, leaf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char buf[4096];
	pid_t pid = 0; /* may be parted by the end of buf */
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
		for (ssize_t i = 0; r == 0 && i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			r = pid > 0 ? each(pid, arg) : 0;
			pid = 0;
		}
	} while (r == 0 && n > (ssize_t)sizeof(buf) / 2); /* the kernel fills it but for a last line */
	return r;
}

/* ---- one process */

static char *printable(const char *text, size_t len, size_t most)
{
	char shown[COMMAND_SHOWN];

	text_printable(shown, most < sizeof(shown) ? most : sizeof(shown), text, len);
	return strdup(shown);
}

/* Arguments end in NULs, and what a process writes over them may not. One in state D may hold the lock of its
 * memory, and who asks for its arguments would wait with it. */
static char *command_of(int proc, char state, const char *comm, size_t comm_len)
{
	char text[COMMAND_READ] = "";
	ssize_t n = state == 'D' ? 0 : cgroup_text(proc, "cmdline", text, sizeof(text));

	while (n > 0 && text[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	if (n > 0)
		return printable(text, (size_t)n, sizeof(text));
	(void)snprintf(text, sizeof(text), "[%.*s]", (int)comm_len, comm);
	return printable(text, strlen(text), sizeof(text));
}

/* Behind the name, whose bytes are the process's own: state, then numbers; utime is the 12th, stime the 13th,
 * rss the 22nd (proc_pid_stat(5)). */
static void read_numbers(char *rest, struct process *p)
{
	const uint64_t tick = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t field[23] = { 0 };
	char *at;

	if (rest[0])
		p->state = rest[0];
	at = rest + (rest[0] != '\0');
	for (size_t i = 1; i < COUNT(field); i++)
		field[i] = strtoull(at, &at, 10);
	p->cpu_usec = (field[11] + field[12]) * tick;
	p->rss = field[21] * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void read_stat(int proc, struct process *p)
{
	char text[1024];
	char *name, *end;

	if (cgroup_text(proc, "stat", text, sizeof(text)) < 0)
		return;
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end < name || end[1] != ' ')
		return;
	read_numbers(end + 2, p);
	p->command = command_of(proc, p->state, name + 1, (size_t)(end - name - 1));
}

/* "NSpid:\tHOST\tCONTAINER...": one number for each process namespace, the outermost first. */
static pid_t guest_pid(int proc)
{
	char text[4096];
	const char *line;

	if (cgroup_text(proc, "status", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nNSpid:\t");
	if (!line)
		return 0;
	line += strlen("\nNSpid:\t");
	line += strcspn(line, "\t\n");
	return *line == '\t' ? (pid_t)strtol(line, NULL, 10) : 0;
}

/* ---- the tree */

struct reading {
	const struct cgroupfs *fs;
	struct proctree t;
};

static int add_process(pid_t pid, void *arg)
{
	struct reading *x = arg;
	struct proctree *t = &x->t;
	struct process p = { .pid = pid, .state = '?', .cpu_usec = STATS_UNKNOWN, .rss = STATS_UNKNOWN };
	CLEANUP(close_p) int proc = -1;
	char leaf[16];

	if (t->n_processes == PROCTREE_PROCESSES) {
		t->cut = true;
		return 1;
	}
	/* The folder stays that process's, also when another gets its number. */
	(void)snprintf(leaf, sizeof(leaf), "%d", pid);
	proc = openat(x->fs->proc, leaf, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc >= 0) {
		read_stat(proc, &p);
		p.guest_pid = guest_pid(proc);
	}
	t->processes[t->n_processes++] = p;
	t->groups[t->n_groups - 1].n++;
	return 0;
}

static int add_group(int dir, const char *name, unsigned depth, void *arg)
{
	struct reading *x = arg;
	struct proctree *t = &x->t;
	struct process_group g = { .depth = depth, .first = t->n_processes };

	if (t->n_groups == PROCTREE_GROUPS) {
		t->cut = true;
		return 1;
	}
	g.name = printable(name, strlen(name), NAME_SHOWN);
	if (!g.name)
		return -ENOMEM;
	t->groups[t->n_groups++] = g;
	(void)cgroup_pids(dir, "cgroup.procs", add_process, x);
	if (depth + 1 == PROCTREE_DEPTH && may_have_folders(dir))
		t->cut = true;
	return t->cut && t->n_processes == PROCTREE_PROCESSES;
}

static void shrink(struct proctree *t)
{
	void *groups = reallocarray(t->groups, t->n_groups + 1, sizeof(*t->groups));
	void *processes = reallocarray(t->processes, t->n_processes + 1, sizeof(*t->processes));

	t->groups = groups ? groups : t->groups;
	t->processes = processes ? processes : t->processes;
}

int cgroup_processes(const struct cgroupfs *fs, const char *path, struct proctree *ret, struct err *e)
{
	CLEANUP(close_p) int dir = cgroup_dir(fs, path, O_RDONLY);
	struct reading x = { .fs = fs };
	int r;

	if (dir < 0)
		return err_sys(e, -dir, "cannot read the processes of %s", path);
	x.t.groups = calloc(PROCTREE_GROUPS, sizeof(*x.t.groups));
	x.t.processes = calloc(PROCTREE_PROCESSES, sizeof(*x.t.processes));
	r = x.t.groups && x.t.processes ? cgroup_walk(dir, strrchr(path, '/') + 1, 0, add_group, &x)
	                                : -ENOMEM;
	if (r < 0) {
		proctree_done(&x.t);
		return err_no_memory(e);
	}
	shrink(&x.t);
	*ret = x.t;
	return 0;
}

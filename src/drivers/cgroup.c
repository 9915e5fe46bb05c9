#include "drivers/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/cgroup_fs.h"
#include "drivers/kept.h"

#define KEPT_MAX  512
#define TEXT_SIZE 16384

/* Turns between readings of what changes slowly. */
#define LIMITS_EVERY   4
#define PRESSURE_EVERY 2

enum leaf {
	CPU_STAT,
	CPU_MAX,
	MEMORY_CURRENT,
	MEMORY_MAX,
	MEMORY_SWAP,
	MEMORY_EVENTS,
	PIDS_CURRENT,
	PIDS_MAX,
	IO_STAT,
	CPU_PRESSURE,
	MEMORY_PRESSURE,
	IO_PRESSURE,
	PAYLOAD_EVENTS,
	EVENTS,
	LEAVES
};

static const char *const leaves[LEAVES] = {
	[CPU_STAT] = "cpu.stat",
	[CPU_MAX] = "cpu.max",
	[MEMORY_CURRENT] = "memory.current",
	[MEMORY_MAX] = "memory.max",
	[MEMORY_SWAP] = "memory.swap.current",
	[MEMORY_EVENTS] = "memory.events",
	[PIDS_CURRENT] = "pids.current",
	[PIDS_MAX] = "pids.max",
	[IO_STAT] = "io.stat",
	[CPU_PRESSURE] = "cpu.pressure",
	[MEMORY_PRESSURE] = "memory.pressure",
	[IO_PRESSURE] = "io.pressure",
	[PAYLOAD_EVENTS] = "payload/cgroup.events",
	[EVENTS] = "cgroup.events",
};

struct cgroup {
	struct cgroupfs *fs;
	int dir;
	struct kept files[LEAVES];
	unsigned turn; /* 0: nothing was read yet */
	struct cgroup_now last;
};

/* ---- where it is */

/* Each folder of it has that file. One that only is called so has it too, so the whole is asked first. */
const char *cgroup_where(const char *host_root)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < COUNT(places); i++) {
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s%s/cgroup.controllers", host_root, places[i]);
		if (access(path, F_OK) == 0)
			return places[i];
	}
	return NULL;
}

static int open_folder(const char *host_root, const char *path, int *ret, struct err *e)
{
	char full[4096];

	(void)snprintf(full, sizeof(full), "%s%s", host_root, path);
	*ret = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, errno, "cannot open %s", full) : 0;
}

int cgroupfs_open(const char *host_root, struct cgroupfs **ret, struct err *e)
{
	const char *where = cgroup_where(host_root);
	CLEANUP(close_p) int root = -1;
	CLEANUP(close_p) int proc = -1;
	struct cgroupfs *fs;
	int r;

	if (!where)
		return err_set(
			e, STATUS_UNAVAILABLE, ENOENT,
			"cgroup 2 is not mounted in /sys/fs/cgroup, so nothing tells what machines use");
	r = open_folder(host_root, where, &root, e);
	if (r == 0)
		r = open_folder(host_root, "/proc", &proc, e);
	if (r < 0)
		return r;
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return err_no_memory(e);
	fs->root = take_fd(&root);
	fs->proc = take_fd(&proc);
	*ret = fs;
	return 0;
}

void cgroupfs_close(struct cgroupfs *fs)
{
	if (!fs)
		return;
	close(fs->root);
	close(fs->proc);
	free(fs);
}

static bool ends_in(const char *word, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(word + len - n, end, n) == 0;
}

/* A user's own manager is no machine's unit; what runs in it may be. */
static bool is_unit(const char *word, size_t len)
{
	if (len > 5 && memcmp(word, "user@", 5) == 0)
		return false;
	return ends_in(word, len, ".service") || ends_in(word, len, ".scope");
}

size_t cgroup_of_machine(const char *path)
{
	size_t at = 0;

	while (path[at] == '/') {
		size_t len = strcspn(path + at + 1, "/");

		at += 1 + len;
		if (is_unit(path + at - len, len))
			return at;
	}
	return at;
}

int cgroup_of_leader(const struct cgroupfs *fs, pid_t leader, char **ret)
{
	char leaf[32], text[TEXT_SIZE];
	const char *line, *path;
	ssize_t n;

	(void)snprintf(leaf, sizeof(leaf), "%d/cgroup", leader);
	n = cgroup_text(fs->proc, leaf, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line || !strchr(line + 1, '\n')) /* cut */
		return -ENOENT;
	path = strchr(line, '/');
	*strchr(path, '\n') = '\0';
	*ret = strndup(path, cgroup_of_machine(path));
	return *ret ? 0 : -ENOMEM;
}

/* ---- one of them */

int cgroup_open(struct cgroupfs *fs, const char *path, struct cgroup **ret)
{
	CLEANUP(close_p) int dir = cgroup_dir(fs, path, O_PATH);
	struct cgroup *c;

	if (dir < 0)
		return dir;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fs = fs;
	c->dir = take_fd(&dir);
	for (size_t i = 0; i < LEAVES; i++)
		c->files[i].fd = KEPT_UNOPENED;
	*ret = c;
	return 0;
}

void cgroup_close(struct cgroup *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < LEAVES; i++) {
		c->fs->n_kept -= c->files[i].fd >= 0;
		kept_close(&c->files[i]);
	}
	close(c->dir);
	free(c);
}

/* Read a file into text, which is "" when that can not be. */
static int read_leaf(struct cgroup *c, enum leaf i, char text[static TEXT_SIZE])
{
	struct kept *k = &c->files[i];
	bool was_open = k->fd >= 0;
	int r = kept_read(k, c->dir, leaves[i], text, TEXT_SIZE);

	if (r < 0)
		text[0] = '\0';
	if (!was_open && k->fd >= 0 && c->fs->n_kept >= KEPT_MAX)
		kept_close(k);
	c->fs->n_kept += (size_t)(k->fd >= 0) - (size_t)was_open;
	return r;
}

static uint64_t number(struct cgroup *c, enum leaf i, char text[static TEXT_SIZE])
{
	(void)read_leaf(c, i, text);
	return kept_number(text);
}

/* "200000 100000": microseconds of each period. */
static float quota(const char *text)
{
	uint64_t most = kept_number(text), period = kept_number(text + strcspn(text, " "));

	if (most == STATS_UNKNOWN || period == STATS_UNKNOWN || period == 0)
		return NAN;
	return 100 * (float)most / (float)period;
}

/* Lines "8:0 rbytes=1 wbytes=2 ...", one a device; a whole file without one: nothing was read or written yet.
 */
static uint64_t sum_of(const char *text, const char *key)
{
	uint64_t sum = 0, value;

	for (const char *at = text; (at = strstr(at, key)); at += strlen(key)) {
		value = kept_number(at + strlen(key));
		sum += value == STATS_UNKNOWN ? 0 : value;
	}
	return sum;
}

static void read_io(struct cgroup *c, char text[static TEXT_SIZE], struct cgroup_now *now)
{
	int len = read_leaf(c, IO_STAT, text);
	bool known = len >= 0 && len < TEXT_SIZE - 1; /* else it may be cut within a number */

	now->io_read = known ? sum_of(text, " rbytes=") : STATS_UNKNOWN;
	now->io_write = known ? sum_of(text, " wbytes=") : STATS_UNKNOWN;
}

static struct stats_pressure pressure(struct cgroup *c, enum leaf i, char text[static TEXT_SIZE])
{
	(void)read_leaf(c, i, text);
	return kept_pressure(text);
}

static bool frozen(struct cgroup *c, char text[static TEXT_SIZE])
{
	if (read_leaf(c, PAYLOAD_EVENTS, text) < 0)
		(void)read_leaf(c, EVENTS, text);
	return kept_keyed(text, "frozen") == 1;
}

bool cgroup_is_frozen(struct cgroupfs *fs, const char *path)
{
	char text[TEXT_SIZE];
	struct cgroup *c;
	bool is;

	if (cgroup_open(fs, path, &c) < 0)
		return false;
	is = frozen(c, text);
	cgroup_close(c);
	return is;
}

void cgroup_unknown(struct cgroup_now *ret)
{
	static const struct stats_pressure none = { NAN, NAN };

	*ret = (struct cgroup_now){ .cpu_usec = STATS_UNKNOWN,
		                    .throttled_usec = STATS_UNKNOWN,
		                    .cpu_limit = NAN,
		                    .memory = STATS_UNKNOWN,
		                    .memory_limit = STATS_UNKNOWN,
		                    .swap = STATS_UNKNOWN,
		                    .oom_kills = STATS_UNKNOWN,
		                    .tasks = STATS_UNKNOWN,
		                    .tasks_limit = STATS_UNKNOWN,
		                    .io_read = STATS_UNKNOWN,
		                    .io_write = STATS_UNKNOWN,
		                    .cpu_pressure = none,
		                    .memory_pressure = none,
		                    .io_pressure = none };
}

static void read_limits(struct cgroup *c, char text[static TEXT_SIZE], struct cgroup_now *now)
{
	(void)read_leaf(c, CPU_MAX, text);
	now->cpu_limit = quota(text);
	now->memory_limit = number(c, MEMORY_MAX, text);
	now->tasks_limit = number(c, PIDS_MAX, text);
}

static void read_pressure(struct cgroup *c, char text[static TEXT_SIZE], struct cgroup_now *now)
{
	now->cpu_pressure = pressure(c, CPU_PRESSURE, text);
	now->memory_pressure = pressure(c, MEMORY_PRESSURE, text);
	now->io_pressure = pressure(c, IO_PRESSURE, text);
}

int cgroup_read(struct cgroup *c, struct cgroup_now *ret)
{
	char text[TEXT_SIZE];
	struct cgroup_now *now = &c->last;
	bool first = c->turn == 0;
	int r = read_leaf(c, CPU_STAT, text);

	if (first)
		c->turn =
			++c->fs->n_opened % LIMITS_EVERY; /* so that not all have their long turn together */
	now->cpu_usec = kept_keyed(text, "usage_usec");
	now->throttled_usec = kept_keyed(text, "throttled_usec");
	now->memory = number(c, MEMORY_CURRENT, text);
	now->swap = number(c, MEMORY_SWAP, text);
	(void)read_leaf(c, MEMORY_EVENTS, text);
	now->oom_kills = kept_keyed(text, "oom_kill");
	now->tasks = number(c, PIDS_CURRENT, text);
	read_io(c, text, now);
	now->frozen = frozen(c, text);
	if (first || c->turn % LIMITS_EVERY == 0)
		read_limits(c, text, now);
	if (first || c->turn % PRESSURE_EVERY == 0)
		read_pressure(c, text, now);
	c->turn = c->turn % LIMITS_EVERY + 1;
	*ret = *now;
	return r == -ENODEV ? r : 0;
}

/* ---- what its processes tell instead */

struct estimate {
	const struct cgroup *c;
	bool memory, tasks; /* what is wanted */
	uint64_t bytes, threads;
	size_t looked, hidden, seen;
};

static int count_thread(pid_t pid, void *arg)
{
	struct estimate *x = arg;

	(void)pid;
	x->threads++;
	return 0;
}

/* "SIZE RESIDENT SHARED ...", in pages. */
static int add_memory(pid_t pid, void *arg)
{
	struct estimate *x = arg;
	char leaf[32], text[128], *rest;
	unsigned long resident, shared;

	x->looked++;
	(void)snprintf(leaf, sizeof(leaf), "%d/statm", pid);
	if (cgroup_text(x->c->fs->proc, leaf, text, sizeof(text)) < 0) {
		x->hidden++;
		return 0;
	}
	(void)strtoul(text, &rest, 10);
	resident = strtoul(rest, &rest, 10);
	shared = strtoul(rest, NULL, 10);
	x->bytes += resident > shared ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	x->seen++;
	return 0;
}

static int estimate_one(int dir, const char *name, unsigned depth, void *arg)
{
	struct estimate *x = arg;

	(void)name, (void)depth;
	x->looked++;
	if (x->memory)
		(void)cgroup_pids(dir, "cgroup.procs", add_memory, x);
	if (x->tasks)
		(void)cgroup_pids(dir, "cgroup.threads", count_thread, x);
	return x->looked > PROCTREE_PROCESSES;
}

size_t cgroup_estimate(struct cgroup *c, struct cgroup_now *io)
{
	CLEANUP(close_p) int dir = -1;
	struct estimate x = { .c = c,
		              .memory = c->files[MEMORY_CURRENT].fd == KEPT_MISSING,
		              .tasks = c->files[PIDS_CURRENT].fd == KEPT_MISSING };

	if (!x.memory && !x.tasks)
		return 0;
	dir = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	(void)cgroup_walk(dir, "", 0, estimate_one, &x);
	if (x.memory && (x.seen > 0 || x.hidden == 0)) {
		io->memory = x.bytes;
		io->memory_is_estimate = true;
	}
	if (x.tasks) {
		io->tasks = x.threads;
		io->tasks_is_estimate = true;
	}
	return x.looked;
}

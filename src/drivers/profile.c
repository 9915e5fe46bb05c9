#include "drivers/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/num.h"
#include "drivers/files.h"

#define PROFILE   "system"
#define LINK_SIZE 32
#define TEMP      ".system.machdeck" /* whoever switches holds the container's name */

void profile_done(struct profile *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].system);
	free(p->v);
	*p = (struct profile){ 0 };
}

static void link_name(unsigned number, char ret[static LINK_SIZE])
{
	(void)snprintf(ret, LINK_SIZE, PROFILE "-%u-link", number);
}

/* The number in "system-N-link"; 0: it is not such a name. */
static unsigned number_of(const char *leaf)
{
	char digits[LINK_SIZE], wanted[LINK_SIZE];
	uint64_t number;

	if (strncmp(leaf, PROFILE "-", strlen(PROFILE "-")) != 0)
		return 0;
	leaf += strlen(PROFILE "-");
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(strcspn(leaf, "-") % LINK_SIZE), leaf);
	if (num_parse(digits, 1, UINT_MAX, &number) < 0)
		return 0;
	link_name((unsigned)number, wanted);
	return strcmp(wanted + strlen(PROFILE "-"), leaf) == 0 ? (unsigned)number : 0;
}

static int read_link(int dir, const char *leaf, char ret[static PATH_MAX])
{
	ssize_t len = readlinkat(dir, leaf, ret, PATH_MAX - 1);

	if (len < 0)
		return -errno;
	ret[len] = '\0';
	return 0;
}

static int add(struct profile *p, int dir, const char *leaf, struct err *e)
{
	struct generation g = { .number = number_of(leaf) }, *grown;
	char target[PATH_MAX];
	struct stat st;

	if (g.number == 0 || fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    read_link(dir, leaf, target) < 0)
		return 0;
	g.made_usec = (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
	grown = reallocarray(p->v, p->n + 1, sizeof(*p->v));
	if (!grown)
		return err_no_memory(e);
	p->v = grown;
	g.system = strdup(target);
	if (!g.system)
		return err_no_memory(e);
	p->v[p->n++] = g;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct generation *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void mark_current(struct profile *p, int dir)
{
	char target[PATH_MAX];
	const char *leaf;
	unsigned number;

	if (read_link(dir, PROFILE, target) < 0)
		return;
	leaf = strrchr(target, '/');
	number = number_of(leaf ? leaf + 1 : target);
	for (size_t i = 0; i < p->n; i++)
		p->v[i].current = p->v[i].number == number;
}

static int read_folder(int fd, struct profile *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *dir = files_opendir(fd, ".");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_sys(e, errno, "cannot read the profile's folder");
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		r = add(ret, fd, entry->d_name, e);
	return r == 0 && errno ? err_sys(e, errno, "cannot read the profile's folder") : r;
}

int profile_read(const char *host_root, const char *folder, struct profile *ret, struct err *e)
{
	CLEANUP(profile_done) struct profile p = { 0 };
	CLEANUP(close_p) int fd = -1;
	int r = files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &fd, e);

	if (r == 0)
		r = read_folder(fd, &p, e);
	if (r < 0)
		return r;
	if (p.n > 0)
		qsort(p.v, p.n, sizeof(*p.v), compare);
	mark_current(&p, fd);
	*ret = p;
	p = (struct profile){ 0 };
	return 0;
}

const struct generation *profile_current(const struct profile *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].current)
			return &p->v[i];
	return NULL;
}

const struct generation *profile_find(const struct profile *p, unsigned number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].number == number)
			return &p->v[i];
	return NULL;
}

const struct generation *profile_before(const struct profile *p)
{
	const struct generation *current = profile_current(p);

	return current && current > p->v ? current - 1 : NULL;
}

int profile_switch(const char *host_root, const char *folder, unsigned number, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	char target[LINK_SIZE];
	int r = gate_ask(e, "cannot switch %s", folder);

	if (r == 0)
		r = files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &fd, e);
	if (r < 0)
		return r;
	link_name(number, target);
	(void)unlinkat(fd, TEMP, 0); /* of one that was killed */
	if (symlinkat(target, fd, TEMP) < 0)
		return err_sys(e, errno, "cannot make a link in %s", folder);
	if (renameat(fd, TEMP, fd, PROFILE) < 0) {
		r = err_sys(e, errno, "cannot switch the link " PROFILE " in %s (it is as it was)", folder);
		(void)unlinkat(fd, TEMP, 0);
		return r;
	}
	if (fsync(fd) < 0)
		return err_sys(e, errno,
		               "the link " PROFILE " in %s is switched, but not confirmed on the disk",
		               folder);
	return 0;
}

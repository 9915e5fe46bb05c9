#include "ui/doer_paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/aside.h"

#define LIMIT_USEC   2000000
#define LISTING_SIZE (64 * 1024)

/* The memory that the process aside writes into: names with a NUL each, then one more. */
struct doer_paths {
	doer_paths_fn *done;
	void *arg;
	struct aside *aside;
	char *within;
	size_t begin;
	char *names;
};

void doer_paths_free(struct doer_paths *p)
{
	if (!p)
		return;
	aside_forget(p->aside);
	if (p->names)
		(void)munmap(p->names, LISTING_SIZE);
	free(p->within);
	free(p);
}

static bool is_fit(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == ':')
			return false;
	return *name != '.' && text_is_utf8(name, strlen(name), NULL);
}

static bool is_folder(DIR *dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return fstatat(dirfd(dir), d->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int list(void *arg, struct err *e)
{
	const struct doer_paths *p = arg;
	const char *folder = p->within + p->begin;
	DIR *dir = opendir(folder);
	size_t used = 0;

	if (!dir)
		return err_set(e, err_status_of(errno), errno, "cannot look into %s: %s", folder,
		               strerror(errno));
	for (const struct dirent *d; (d = readdir(dir));) {
		size_t len = strlen(d->d_name);

		if (!is_fit(d->d_name))
			continue;
		if (used + len + 3 > LISTING_SIZE)
			break;
		memcpy(p->names + used, d->d_name, len);
		used += len;
		if (is_folder(dir, d))
			p->names[used++] = '/';
		p->names[used++] = '\0';
	}
	(void)closedir(dir);
	return 0;
}

static void on_listed(int r, const struct err *e, void *arg)
{
	CLEANUP(strs_done) struct strs choices = { 0 };
	struct doer_paths *p = arg;

	p->aside = NULL;
	for (const char *name = p->names; r == 0 && *name; name += strlen(name) + 1)
		strs_addf(&choices, "%s%s", p->within, name);
	strs_sort(&choices);
	p->done(r, p->within, &choices, e, p->arg);
	doer_paths_free(p);
}

int doer_paths_new(sd_event *loop, const char *within, size_t begin, doer_paths_fn *done, void *arg,
                   struct doer_paths **ret, struct err *e)
{
	struct doer_paths *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_no_memory(e);
	*p = (struct doer_paths){ .done = done, .arg = arg, .begin = begin, .within = strdup(within) };
	p->names = mmap(NULL, LISTING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->names == MAP_FAILED)
		p->names = NULL;
	r = p->within && p->names ? aside_begin(loop, list, p, LIMIT_USEC, on_listed, p, &p->aside, e)
	                          : err_no_memory(e);
	if (r < 0) {
		doer_paths_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

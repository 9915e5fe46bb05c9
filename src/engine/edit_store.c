#include "engine/edit_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gate.h"
#include "base/num.h"
#include "drivers/files.h"

#define FOLDER   "/var/lib/machdeck"
#define HISTORY  FOLDER "/history"
#define TEXT_MAX (1U << 20)

static const struct files_new durable = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1, .durable = true };

/* ---- history */

static int open_history(const char *name, bool make, int *ret, struct err *e)
{
	char path[sizeof(HISTORY) + EDIT_STORE_SIZE];
	int r = make ? files_mkdir("", HISTORY, 0700, ret, e) : 0;

	if (r < 0)
		return r;
	if (make)
		close_p(ret);
	(void)snprintf(path, sizeof(path), HISTORY "/%s", name);
	return make ? files_mkdir("", path, 0700, ret, e)
	            : files_open("", path, O_RDONLY | O_DIRECTORY, ret, e);
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

static int list(int dir, struct edit_saves *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = files_opendir(dir, ".");
	struct dirent *entry;

	if (!folder)
		return err_sys(e, errno, "cannot list " HISTORY);
	while ((errno = 0, entry = readdir(folder))) {
		uint64_t usec, *grown;

		if (num_parse(entry->d_name, 1, UINT64_MAX, &usec) < 0)
			continue;
		grown = reallocarray(ret->usec, ret->n + 1, sizeof(*grown));
		if (!grown)
			return err_no_memory(e);
		ret->usec = grown;
		grown[ret->n++] = usec;
	}
	if (errno)
		return err_sys(e, errno, "cannot list " HISTORY);
	if (ret->n > 0)
		qsort(ret->usec, ret->n, sizeof(*ret->usec), newest_first);
	return 0;
}

int edit_history(const char *name, struct edit_saves *ret, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	int r = open_history(name, false, &dir, e);

	*ret = (struct edit_saves){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = list(dir, ret, e);
	if (r < 0) {
		free(ret->usec);
		*ret = (struct edit_saves){ 0 };
	}
	return r;
}

int edit_history_read(const char *name, uint64_t usec, struct buf *ret, struct err *e)
{
	char path[sizeof(HISTORY) + EDIT_STORE_SIZE + 24];

	(void)snprintf(path, sizeof(path), HISTORY "/%s/%" PRIu64, name, usec);
	return files_read("", path, TEXT_MAX, ret, NULL, e);
}

static void drop(int dir, uint64_t usec)
{
	char leaf[24];

	(void)snprintf(leaf, sizeof(leaf), "%" PRIu64, usec);
	if (gate_ask(NULL, "cannot remove %s", leaf) == 0)
		(void)unlinkat(dir, leaf, 0);
}

int edit_undone(const char *name, uint64_t usec, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	int r = open_history(name, false, &dir, e);

	if (r == 0)
		drop(dir, usec);
	return r;
}

int edit_history_add(const char *name, const struct buf *text, struct err *e)
{
	CLEANUP(free_p) uint64_t *usec = NULL;
	CLEANUP(close_p) int dir = -1;
	struct edit_saves saves = { 0 };
	uint64_t at = clock_usec(CLOCK_REALTIME);
	char leaf[24];
	int r = open_history(name, true, &dir, e);

	if (r == 0)
		r = list(dir, &saves, e);
	usec = saves.usec;
	if (r < 0)
		return r;
	if (saves.n > 0 && at <= saves.usec[0]) /* a clock that was set back */
		at = saves.usec[0] + 1;
	(void)snprintf(leaf, sizeof(leaf), "%" PRIu64, at);
	r = files_replace(dir, leaf, &durable, buf_text(text), text->len);
	if (r < 0)
		return err_sys(e, -r, "cannot write in " HISTORY);
	for (size_t i = EDIT_HISTORY - 1; i < saves.n; i++)
		drop(dir, saves.usec[i]);
	return 0;
}

/* ---- drafts */

static void base_of(const char *name, char ret[static EDIT_STORE_SIZE + sizeof(PLACES_BASE)])
{
	(void)snprintf(ret, EDIT_STORE_SIZE + sizeof(PLACES_BASE), "%s" PLACES_BASE, name);
}

int edit_draft_save(const char *name, const struct buf *base, const struct buf *text, struct err *e)
{
	char other[EDIT_STORE_SIZE + sizeof(PLACES_BASE)];
	CLEANUP(close_p) int dir = -1;
	int r = files_mkdir("", EDIT_DRAFTS, 0700, &dir, e);

	if (r < 0)
		return r;
	base_of(name, other);
	if (base)
		r = files_replace(dir, other, &durable, buf_text(base), base->len);
	else
		r = unlinkat(dir, other, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (r >= 0)
		r = files_replace(dir, name, &durable, buf_text(text), text->len);
	return r < 0 ? err_sys(e, -r, "cannot keep what was typed in " EDIT_DRAFTS "/%s", name) : 0;
}

int edit_draft_read(const char *name, struct buf *ret, struct err *e)
{
	char path[sizeof(EDIT_DRAFTS) + EDIT_STORE_SIZE];

	(void)snprintf(path, sizeof(path), EDIT_DRAFTS "/%s", name);
	return files_read("", path, TEXT_MAX, ret, NULL, e);
}

int edit_draft_take(const struct edit *x, struct buf *ret, struct err *e)
{
	char path[sizeof(EDIT_DRAFTS) + EDIT_STORE_SIZE + sizeof(PLACES_BASE)],
		other[EDIT_STORE_SIZE + sizeof(PLACES_BASE)];
	CLEANUP(buf_done) struct buf draft = { 0 }, base = { 0 }, both = { 0 };
	int r = edit_draft_read(x->store, &draft, e);

	if (r < 0)
		return r;
	base_of(x->store, other);
	(void)snprintf(path, sizeof(path), EDIT_DRAFTS "/%s", other);
	if (x->kind == EDIT_CONF && files_read("", path, TEXT_MAX, &base, NULL, NULL) >= 0 &&
	    !buf_same(&base, &x->old) &&
	    conf_merge(x->path, &base, &draft, &x->old, CLASH_MINE, &both, NULL) == 0) {
		buf_done(&draft);
		draft = both;
		both = (struct buf){ 0 };
	}
	*ret = draft;
	draft = (struct buf){ 0 };
	return 0;
}

int edit_draft_drop(const char *name, struct err *e)
{
	char path[sizeof(EDIT_DRAFTS) + EDIT_STORE_SIZE + sizeof(PLACES_BASE)];
	int r = gate_ask(e, "cannot remove a draft");

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), EDIT_DRAFTS "/%s" PLACES_BASE, name);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), EDIT_DRAFTS "/%s", name);
	return unlink(path) < 0 && errno != ENOENT ? err_sys(e, errno, "cannot remove %s", path) : 0;
}

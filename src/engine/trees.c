#include "engine/trees.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/osrelease.h"
#include "decide/plan.h"
#include "drivers/rootfs.h"

static void tree_done(struct tree_seen *t)
{
	free(t->name);
	free(t->root);
	free(t->os);
	*t = (struct tree_seen){ 0 };
}

static void free_all(struct tree_seen *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tree_done(&v[i]);
	free(v);
}

void trees_done(struct sources *s)
{
	free_all(s->trees, s->n_trees);
	s->trees = NULL;
	s->n_trees = 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tree_seen *)a)->name, ((const struct tree_seen *)b)->name);
}

struct trees {
	struct tree_seen *v;
	size_t n;
	bool bad;
};

static void add(struct trees *t, const char *name, const char *folder, uint64_t inode)
{
	struct tree_seen *made = &t->v[t->n];

	*made = (struct tree_seen){ .name = strdup(name), .inode = inode, .stale = true };
	if (asprintf(&made->root, "%s%s%s", folder, inode ? "" : "/", inode ? "" : name) < 0)
		made->root = NULL;
	if (made->name && made->root) {
		t->n++;
		return;
	}
	tree_done(made);
	t->bad = true;
}

static int by_machine(const void *key, const void *item)
{
	return strcmp(key, ((const struct registration *)item)->name);
}

static bool is_told(const struct sources *s, const char *name)
{
	const struct registration *m = s->machines.n > 0 ? bsearch(name, s->machines.v, s->machines.n,
	                                                           sizeof(*s->machines.v), by_machine)
	                                                 : NULL;

	return m && m->root;
}

/* Each name once: a machine that runs told its root, a conf goes before an image. */
static void add_all(const struct sources *s, struct trees *t)
{
	for (size_t i = 0; i < s->machines.n; i++)
		if (s->machines.v[i].root)
			add(t, s->machines.v[i].name, s->machines.v[i].root, s->machines.v[i].inode);
	for (size_t i = 0; i < s->n_confs; i++)
		if (!is_told(s, s->confs[i].name))
			add(t, s->confs[i].name, plan_roots(s->confs[i].nixos_dirs), 0);
	for (size_t i = 0; i < s->images.n; i++)
		if (!is_told(s, s->images.v[i]) && !sources_conf(s, s->images.v[i]))
			add(t, s->images.v[i], "/var/lib/machines", 0);
}

/* What was read before is kept while nothing happened to it. */
static void take_over(const struct sources *s, struct tree_seen *t)
{
	struct tree_seen *old = sources_tree(s, t->name);

	if (!old || old->inode != t->inode || strcmp(old->root, t->root) != 0)
		return;
	t->stale = old->stale;
	t->os = take_p(&old->os);
}

int trees_gather(struct sources *s, struct err *e)
{
	struct trees t = { .v = calloc(s->machines.n + s->n_confs + s->images.n + 1, sizeof(*t.v)) };

	if (!t.v)
		return err_no_memory(e);
	add_all(s, &t);
	qsort(t.v, t.n, sizeof(*t.v), by_name);
	for (size_t i = 0; i < t.n; i++)
		take_over(s, &t.v[i]);
	trees_done(s);
	s->trees = t.v;
	s->n_trees = t.n;
	return t.bad ? err_no_memory(e) : 0;
}

static char *read_os(const char *root)
{
	static const char *const places[] = { "etc/os-release", "usr/lib/os-release" };
	CLEANUP(rootfs_done) struct rootfs tree = { .fd = -1 };
	char name[OSRELEASE_NAME];

	if (root[0] != '/' || !root[1] || rootfs_open(root, ROOTFS_REFUSE, 0, &tree, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < COUNT(places); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };

		if (rootfs_read(&tree, places[i], OSRELEASE_FILE_MAX, &text, NULL) >= 0 &&
		    osrelease_name(buf_text(&text), text.len, name))
			return strdup(name);
	}
	return NULL;
}

bool trees_read(struct sources *s, size_t max, bool *ret_more)
{
	bool learnt = false;
	size_t i = 0;

	for (size_t n = 0; i < s->n_trees && n < max; i++) {
		struct tree_seen *t = &s->trees[i];

		if (!t->stale)
			continue;
		n++;
		t->stale = false;
		free(t->os);
		t->os = read_os(t->root);
		learnt |= t->os != NULL;
	}
	while (i < s->n_trees && !s->trees[i].stale)
		i++;
	*ret_more = i < s->n_trees;
	return learnt;
}

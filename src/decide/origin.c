#include "decide/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/envfile.h"

void origins_done(struct origins *o)
{
	for (size_t i = 0; i < o->n; i++)
		strs_done(&o->v[i].becomes);
	free(o->v);
	*o = (struct origins){ 0 };
}

/* ---- a plan as lines */

/* An option and its value in a word of its own are one line. */
static void add_argv(struct strs *lines, const struct strs *argv)
{
	static const char *const parted[] = { "-M", "-D", "--setenv" };

	for (size_t i = 1; i < argv->n; i++) {
		bool takes_next = false;

		for (size_t k = 0; k < COUNT(parted); k++)
			takes_next |= i + 1 < argv->n && strcmp(argv->v[i], parted[k]) == 0;
		if (takes_next)
			strs_addf(lines, "%s %s", argv->v[i], argv->v[i + 1]);
		else
			strs_add(lines, argv->v[i]);
		i += takes_next;
	}
}

static void add_words(struct strs *lines, const char *where, const struct strs *words)
{
	CLEANUP(free_p) char *joined = strs_join(words, " ");

	lines->bad |= !joined;
	if (joined)
		strs_addf(lines, "%s%s", where, joined);
}

static void add_netops(struct strs *lines, const char *where, const struct netops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };

		netop_words(&ops->v[i], &words);
		add_words(lines, where, &words);
	}
}

static void add_all(struct strs *lines, const char *key, const struct strs *values)
{
	for (size_t i = 0; i < values->n; i++)
		strs_addf(lines, "%s=%s", key, values->v[i]);
}

static void add_plan(struct strs *lines, const struct plan *p)
{
	add_argv(lines, &p->argv);
	add_netops(lines, "host: ", &p->poststart);
	add_netops(lines, "inside: ", &p->init);
	for (size_t i = 0; i < p->n_service; i++)
		add_all(lines, p->service[i].key, &p->service[i].values);
	add_all(lines, "RequiresMountsFor", &p->requires_mounts);
	add_all(lines, "RequiresMountsFor", &p->bind_sources);
	add_all(lines, "Wants", &p->wants);
	add_all(lines, "WantedBy", &p->wanted_by);
	for (size_t i = 0; i < p->prepare.n; i++) {
		CLEANUP(strs_done) struct strs words = { 0 };

		plan_fsop_words(&p->prepare.v[i], &words);
		add_words(lines, "in its tree: ", &words);
	}
	for (size_t i = 0; i < p->hosts.n; i++)
		strs_addf(lines, "/etc/hosts: %s", p->hosts.v[i]);
}

/* -EINVAL: there is no plan for that text. */
static int plan_lines(const char *name, const char *bytes, size_t len, const struct facts *f,
                      struct strs *ret)
{
	CLEANUP(container_done) struct container c = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	int r = conf_read("", name, bytes, len, &c, NULL, NULL);

	if (r == 0)
		r = plan_build(&c, f, &p, NULL);
	if (r == 0)
		add_plan(ret, &p);
	return ret->bad ? -ENOMEM : r;
}

/* ---- one key's share */

struct reading {
	const char *name, *bytes;
	size_t len;
	const struct facts *facts;
	const struct envfile *env;
	const struct strs *all; /* lines of the whole conf's plan */
};

/* The entry's text, with what lies between it and the next one. */
static void span(const struct reading *r, size_t i, size_t *ret_from, size_t *ret_to)
{
	*ret_from = r->env->v[i].key_at;
	*ret_to = i + 1 < r->env->n ? r->env->v[i + 1].key_at : r->len;
}

/* The text with all assignments of that key, or with all others left out. */
static void text_without(const struct reading *r, const char *key, bool others, struct buf *ret)
{
	for (size_t i = 0; i < r->env->n; i++) {
		size_t from, to;

		span(r, i, &from, &to);
		if ((strcmp(r->env->v[i].key, key) == 0) == others)
			buf_add(ret, r->bytes + from, to - from);
	}
	buf_puts(ret, "\n");
}

static size_t count(const struct strs *lines, size_t n, const char *line)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += strcmp(lines->v[i], line) == 0;
	return found;
}

/* Lines that more has more often than less. */
static void difference(const struct strs *more, const struct strs *less, struct strs *ret)
{
	for (size_t i = 0; i < more->n; i++)
		if (count(more, i + 1, more->v[i]) > count(less, less->n, more->v[i]))
			strs_add(ret, more->v[i]);
}

static int share_of(const struct reading *r, const char *key, struct strs *ret)
{
	CLEANUP(buf_done) struct buf without = { 0 }, alone = { 0 };
	CLEANUP(strs_done) struct strs fewer = { 0 }, some = { 0 }, none = { 0 };
	int result;

	text_without(r, key, false, &without);
	text_without(r, key, true, &alone);
	result = plan_lines(r->name, buf_text(&without), without.len, r->facts, &fewer);
	if (result == 0) {
		difference(r->all, &fewer, ret);
	} else if (plan_lines(r->name, buf_text(&alone), alone.len, r->facts, &some) == 0 &&
	           plan_lines(r->name, "", 0, r->facts, &none) == 0) {
		difference(&some, &none, ret);
	}
	return without.bad || alone.bad || ret->bad ? -ENOMEM : 0;
}

static int find_one(const struct reading *r, size_t i, struct origin *o)
{
	const struct env_entry *entry = &r->env->v[i];
	size_t column;

	envfile_place(r->bytes, entry->key_at, &o->line, &column);
	o->kind = entry->ignored || !conf_knows_key(entry->key) ? ORIGIN_UNKNOWN
	          : envfile_find(r->env, entry->key) != entry   ? ORIGIN_AGAIN
	                                                        : ORIGIN_KEY;
	return o->kind == ORIGIN_KEY && r->all ? share_of(r, entry->key, &o->becomes) : 0;
}

int origins_find(const char *file, const char *name, const char *bytes, size_t len, const struct facts *f,
                 struct origins *ret, struct err *e)
{
	CLEANUP(envfile_done) struct envfile env = { 0 };
	CLEANUP(strs_done) struct strs all = { 0 };
	CLEANUP(origins_done) struct origins o = { 0 };
	struct reading reading = { name, bytes, len, f, &env, &all };
	int r = envfile_parse(file, bytes, len, &env, e);

	if (r < 0)
		return r;
	r = plan_lines(name, bytes, len, f, &all);
	if (r == -EINVAL)
		reading.all = NULL;
	o.v = calloc(env.n + 1, sizeof(*o.v));
	if (!o.v || r == -ENOMEM)
		return err_no_memory(e);
	for (o.n = 0; o.n < env.n; o.n++)
		if (find_one(&reading, o.n, &o.v[o.n]) < 0)
			return err_no_memory(e);
	*ret = o;
	o = (struct origins){ 0 };
	return 0;
}

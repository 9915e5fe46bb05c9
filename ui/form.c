#include "ui/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/confedit.h"
#include "decide/conflist.h"
#include "decide/envfile.h"

static const struct {
	const char *key, *group;
	enum form_choice choice;
	const char *help;
} fields[] = {
#define X(key, group, choice, help) { key, group, choice, help },
	FORM_FIELDS(X)
#undef X
};

const char *form_key(size_t field)
{
	return fields[field].key;
}

const char *form_help(size_t field)
{
	return fields[field].help;
}

const char *form_group(size_t field)
{
	return fields[field].group;
}

void form_open(struct form *f, const char *name, const struct buf *text)
{
	form_close(f);
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	buf_add(&f->base, buf_text(text), text->len);
	buf_add(&f->text, buf_text(text), text->len);
	f->open = true;
}

void form_close(struct form *f)
{
	buf_done(&f->base);
	buf_done(&f->text);
	buf_done(&f->theirs);
	strs_done(&f->clashes);
	free(f->within);
	for (size_t i = 0; i < CHOICE_COUNT; i++)
		strs_done(&f->choices[i]);
	*f = (struct form){ 0 };
}

bool form_is_dirty(const struct form *f)
{
	return f->open && (f->base.len != f->text.len ||
	                   memcmp(buf_text(&f->base), buf_text(&f->text), f->base.len) != 0);
}

void form_hold(struct form *f, int pid, const char *login, const char *since)
{
	(void)snprintf(f->held, sizeof(f->held), "PID %d (%s%s%.5s)", pid, *login ? login : "root",
	               *since ? ", since " : "", since);
}

void form_reread(struct form *f, const struct buf *text)
{
	buf_done(&f->base);
	buf_done(&f->text);
	buf_add(&f->base, buf_text(text), text->len);
	buf_add(&f->text, buf_text(text), text->len);
}

bool form_why_not(const struct form *f, char ret[static ERR_TEXT_MAX])
{
	if (f->saving)
		(void)snprintf(ret, ERR_TEXT_MAX, "it is being saved; q leaves it to that");
	else if (f->freed)
		(void)snprintf(ret, ERR_TEXT_MAX, "read-only until e takes it: nobody edits it now");
	else
		(void)snprintf(ret, ERR_TEXT_MAX, "read-only: %s edits it; e takes it when that is over",
		               f->held);
	return f->saving || f->held[0];
}

/* ---- what others saved meanwhile */

int form_clash(struct form *f, const struct buf *theirs, struct err *e)
{
	buf_done(&f->theirs);
	strs_done(&f->clashes);
	buf_add(&f->theirs, buf_text(theirs), theirs->len);
	return conf_clashes(f->name, &f->base, &f->text, &f->theirs, &f->clashes, e);
}

int form_settle(struct form *f, bool ours, struct err *e)
{
	struct buf both = { 0 };
	int r = conf_merge(f->name, &f->base, &f->text, &f->theirs, ours ? CLASH_MINE : CLASH_THEIRS, &both,
	                   e);

	if (r < 0) {
		buf_done(&both);
		return r;
	}
	buf_done(&f->base);
	buf_done(&f->text);
	f->base = f->theirs;
	f->text = both;
	f->theirs = (struct buf){ 0 };
	strs_done(&f->clashes);
	return 0;
}

/* ---- rows */

static const char *keep(struct form_rows *r, const char *text)
{
	strs_add(&r->pool, text);
	return r->pool.bad ? "" : r->pool.v[r->pool.n - 1];
}

static void add(struct form_rows *r, enum form_row_kind kind, size_t field, size_t item, const char *value)
{
	struct form_row *grown = reallocarray(r->v, r->n + 1, sizeof(*grown));

	if (!grown)
		return;
	r->v = grown;
	grown[r->n++] = (struct form_row){ kind, field, item, value };
}

static void add_field(struct form_rows *r, size_t field, const char *value)
{
	CLEANUP(strs_done) struct strs items = { 0 };

	if (!conf_list_is(fields[field].key)) {
		add(r, FORM_FIELD, field, 0, value ? keep(r, value) : NULL);
		return;
	}
	if (value)
		conf_list_split(fields[field].key, value, &items);
	for (size_t i = 0; i < items.n; i++)
		add(r, FORM_ITEM, field, i, keep(r, items.v[i]));
	add(r, FORM_ADD, field, items.n, NULL);
}

static const char *value_of(const struct envfile *conf, size_t field)
{
	const struct env_entry *a = envfile_find(conf, fields[field].key);

	return a ? a->value : NULL;
}

void form_rows(const struct form *f, struct form_rows *ret)
{
	CLEANUP(envfile_done) struct envfile conf = { 0 };

	*ret = (struct form_rows){ 0 };
	(void)envfile_parse("", buf_text(&f->text), f->text.len, &conf, NULL);
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (i == 0 || strcmp(fields[i].group, fields[i - 1].group) != 0)
			add(ret, FORM_GROUP, i, 0, NULL);
		add_field(ret, i, value_of(&conf, i));
	}
}

void form_rows_done(struct form_rows *r)
{
	free(r->v);
	strs_done(&r->pool);
	*r = (struct form_rows){ 0 };
}

/* ---- values */

/* The field's whole value with that item in it, or without it. */
static int whole(const struct form *f, size_t field, size_t item, const char *value, struct buf *ret,
                 struct err *e)
{
	CLEANUP(envfile_done) struct envfile conf = { 0 };
	CLEANUP(strs_done) struct strs items = { 0 }, after = { 0 };
	const char *before;
	int r;

	if (!conf_list_is(fields[field].key)) {
		buf_puts(ret, value);
		return 0;
	}
	r = envfile_parse(f->name, buf_text(&f->text), f->text.len, &conf, e);
	if (r < 0)
		return r;
	before = value_of(&conf, field);
	if (before)
		conf_list_split(fields[field].key, before, &items);
	for (size_t i = 0; i <= items.n; i++) {
		const char *text = i == item ? value : i < items.n ? items.v[i] : "";

		if (*text)
			strs_add(&after, text);
	}
	conf_list_join(fields[field].key, &after, ret);
	return after.bad || ret->bad ? err_no_memory(e) : 0;
}

int form_with(const struct form *f, size_t field, size_t item, const char *value, struct buf *ret,
              struct err *e)
{
	CLEANUP(buf_done) struct buf all = { 0 };
	struct conf_change change = { .key = fields[field].key };
	int r = whole(f, field, item, value ? value : "", &all, e);

	if (r < 0)
		return r;
	change.value = all.len > 0 ? buf_text(&all) : NULL;
	r = conf_edit(f->name, buf_text(&f->text), f->text.len, &change, 1, ret, e);
	return r < 0 ? r : 0;
}

int form_try(const struct form *f, size_t field, size_t item, const char *value, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(container_done) struct container c = { 0 };
	int r = form_with(f, field, item, value, &text, e);

	return r < 0 ? r : conf_read(f->name, f->name, buf_text(&text), text.len, &c, NULL, e);
}

int form_set(struct form *f, size_t field, size_t item, const char *value, struct err *e)
{
	struct buf text = { 0 };
	int r = form_with(f, field, item, value, &text, e);

	if (r < 0) {
		buf_done(&text);
		return r;
	}
	buf_done(&f->text);
	f->text = text;
	return 0;
}

static bool takes_path(size_t field)
{
	enum form_choice c = fields[field].choice;

	return c == CHOICE_STORE || c == CHOICE_NETNS || c == CHOICE_FLAG;
}

size_t form_folder(size_t field, const char *typed, size_t *ret_begin)
{
	const char *path = strncmp(typed, "--", 2) == 0 ? strchr(typed, '=') : typed;
	const char *last;

	path = path && *path == '=' ? path + 1 : path;
	if (!takes_path(field) || !path || *path != '/' || strchr(path, ':'))
		return 0; /* behind a ':' it is one of the container's */
	*ret_begin = (size_t)(path - typed);
	last = strrchr(path, '/');
	return (size_t)(last + 1 - typed);
}

const char *form_complete(const struct form *f, size_t field, const char *prefix, const char *value)
{
	size_t begin;
	bool is_path = form_folder(field, prefix, &begin) > 0;
	const struct strs *all = &f->choices[is_path ? CHOICE_PATH : fields[field].choice];
	const char *first = NULL;
	bool passed = false;

	for (size_t i = 0; i < all->n; i++) {
		if (strncmp(all->v[i], prefix, strlen(prefix)) != 0)
			continue;
		if (passed)
			return all->v[i];
		first = first ? first : all->v[i];
		passed = strcmp(all->v[i], value) == 0;
	}
	return first;
}

#include "decide/confedit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/conf.h"
#include "decide/envfile.h"
#include "decide/unitfile.h"

/* ---- one key */

static bool is_key(const struct env_entry *a, const char *key)
{
	return !a->ignored && strcmp(a->key, key) == 0;
}

/* Whether new says what old says, but for key, which has that value (NULL: it is gone). */
static bool says(const struct envfile *old, const struct envfile *new, const char *key, const char *value)
{
	const struct env_entry *now = envfile_find(new, key);
	size_t k = 0;

	if (value ? !now || strcmp(now->value, value) != 0 : now != NULL)
		return false;
	for (size_t i = 0; i < old->n; i++) {
		if (is_key(&old->v[i], key))
			continue;
		while (k < new->n && is_key(&new->v[k], key))
			k++;
		if (k == new->n || strcmp(old->v[i].key, new->v[k].key) != 0 ||
		    strcmp(old->v[i].value, new->v[k].value) != 0)
			return false;
		k++;
	}
	while (k < new->n && is_key(&new->v[k], key))
		k++;
	return k == new->n;
}

static bool reads_well(const char *file, const struct envfile *old, const struct buf *text, const char *key,
                       const char *value)
{
	CLEANUP(envfile_done) struct envfile new = { 0 };

	return !text->bad && envfile_parse(file, buf_text(text), text->len, &new, NULL) >= 0 &&
	       says(old, &new, key, value);
}

/* Where the assignment's line begins: what is before the key on it are blanks. */
static size_t line_begin(const char *bytes, size_t at)
{
	while (at > 0 && bytes[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const char *bytes, size_t len, size_t at)
{
	const char *end = memchr(bytes + at, '\n', len - at);

	return end ? (size_t)(end - bytes) + 1 : len;
}

/* Puts `with` in place of the assignment a, which may go over several lines: as many as it takes. */
static bool replace(const char *file, const struct envfile *old, const char *bytes, size_t len,
                    const struct env_entry *a, const char *with, const char *value, struct buf *ret)
{
	size_t begin = line_begin(bytes, a->key_at), end = a->value_at;

	while (end < len || end == a->value_at) {
		buf_done(ret);
		*ret = (struct buf){ 0 };
		end = end < len ? line_end(bytes, len, end) : len;
		buf_add(ret, bytes, begin);
		buf_puts(ret, with);
		buf_add(ret, bytes + end, len - end);
		if (reads_well(file, old, ret, a->key, value))
			return true;
		if (end == len)
			break;
	}
	return false;
}

static int cannot(const char *file, const char *key, const char *value, struct err *e)
{
	if (value && strpbrk(value, "\n\r"))
		return err_set(e, STATUS_DATA, EINVAL,
		               "%s: %s: its value has a line break, which a conf can not hold", file, key);
	if (value && !text_is_utf8(value, strlen(value), NULL))
		return err_set(e, STATUS_DATA, EINVAL,
		               "%s: %s: its value is not UTF-8, which all of a conf is", file, key);
	return err_set(e, STATUS_DATA, EINVAL,
	               "%s: %s can not be changed in it by a program: edit it by hand", file, key);
}

/* The last assignment of the key, which counts, gives the new value its place. */
static int change_one(const char *file, const struct buf *text, const struct conf_change *c, struct buf *ret,
                      struct err *e)
{
	CLEANUP(envfile_done) struct envfile old = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };
	const struct env_entry *a;
	int r = envfile_parse(file, buf_text(text), text->len, &old, e);

	if (r < 0)
		return r;
	a = envfile_find(&old, c->key);
	if (c->value)
		conf_put(&line, c->key, c->value);
	if (!a) {
		buf_add(ret, buf_text(text), text->len);
		if (text->len > 0 && text->p[text->len - 1] != '\n')
			buf_puts(ret, "\n");
		buf_puts(ret, buf_text(&line));
		if (reads_well(file, &old, ret, c->key, c->value))
			return 0;
	} else if (replace(file, &old, buf_text(text), text->len, a, buf_text(&line), c->value, ret)) {
		return 0;
	}
	return ret->bad || line.bad ? err_no_memory(e) : cannot(file, c->key, c->value, e);
}

/* Of a key that is to go and is there more than once, what does not count goes first. */
static int drop_earlier(const char *file, const char *key, struct buf *text, struct err *e)
{
	for (;;) {
		CLEANUP(envfile_done) struct envfile all = { 0 };
		const struct env_entry *last, *first = NULL;
		struct buf less = { 0 };
		int r = envfile_parse(file, buf_text(text), text->len, &all, e);
		bool done;

		if (r < 0)
			return r;
		last = envfile_find(&all, key);
		for (size_t i = 0; i < all.n && !first; i++)
			first = is_key(&all.v[i], key) ? &all.v[i] : NULL;
		if (!first || first == last)
			return 0;
		done = replace(file, &all, buf_text(text), text->len, first, "", last->value, &less);
		if (!done) {
			buf_done(&less);
			return cannot(file, key, NULL, e);
		}
		buf_done(text);
		*text = less;
	}
}

/* ---- our own order */

/* conf_write() leaves out what it does not know. */
static bool knows_all(const char *file, const struct buf *text)
{
	CLEANUP(envfile_done) struct envfile f = { 0 };
	bool all = envfile_parse(file, buf_text(text), text->len, &f, NULL) >= 0;

	for (size_t i = 0; i < f.n; i++)
		all = all && conf_knows_key(f.v[i].key);
	return all;
}

static void keep_our_order(const char *file, const struct buf *old, struct buf *new)
{
	CLEANUP(buf_done) struct buf before = { 0 };
	struct buf after = { 0 };

	if (conf_rewrite(file, buf_text(old), old->len, &before, NULL) == 0 && buf_same(old, &before) &&
	    knows_all(file, new) && conf_rewrite(file, buf_text(new), new->len, &after, NULL) == 0) {
		buf_done(new);
		*new = after;
	} else {
		buf_done(&after);
	}
}

int conf_edit(const char *file, const char *bytes, size_t len, const struct conf_change *changes, size_t n,
              struct buf *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 }, text = { 0 };

	buf_add(&old, bytes, len);
	buf_add(&text, bytes, len);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(envfile_done) struct envfile now = { 0 };
		struct buf next = { 0 };
		const struct env_entry *a;
		int r;

		if (!envfile_is_name(changes[i].key))
			return err_set(e, STATUS_USAGE, EINVAL, "'%s' is no key of a conf", changes[i].key);
		r = envfile_parse(file, buf_text(&text), text.len, &now, e);
		if (r < 0)
			return r;
		a = envfile_find(&now, changes[i].key);
		if (changes[i].value ? a && strcmp(a->value, changes[i].value) == 0 : !a)
			continue;
		r = changes[i].value ? 0 : drop_earlier(file, changes[i].key, &text, e);
		if (r == 0)
			r = change_one(file, &text, &changes[i], &next, e);
		if (r < 0) {
			buf_done(&next);
			return r;
		}
		buf_done(&text);
		text = next;
	}
	if (old.bad || text.bad)
		return err_no_memory(e);
	if (buf_same(&old, &text)) {
		buf_add(ret, text.p, text.len);
		return ret->bad ? err_no_memory(e) : 0;
	}
	keep_our_order(file, &old, &text);
	buf_add(ret, text.p, text.len);
	return ret->bad ? err_no_memory(e) : !buf_same(&old, &text);
}

/* ---- two who changed the same */

static const char *value_of(const struct envfile *f, const char *key)
{
	const struct env_entry *a = envfile_find(f, key);

	return a ? a->value : NULL;
}

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* The three texts, read. */
struct three {
	struct envfile base, mine, theirs;
};

static void three_done(struct three *x)
{
	envfile_done(&x->base);
	envfile_done(&x->mine);
	envfile_done(&x->theirs);
}

static int three_read(const char *file, const struct buf *base, const struct buf *mine,
                      const struct buf *theirs, struct three *ret, struct err *e)
{
	int r = envfile_parse(file, buf_text(base), base->len, &ret->base, e);

	if (r >= 0)
		r = envfile_parse(file, buf_text(mine), mine->len, &ret->mine, e);
	if (r >= 0)
		r = envfile_parse(file, buf_text(theirs), theirs->len, &ret->theirs, e);
	return r;
}

static bool is_theirs(const struct three *x, const char *key) /* to be taken over: they changed it */
{
	const char *their = value_of(&x->theirs, key);

	return differ(value_of(&x->base, key), their) && differ(value_of(&x->mine, key), their);
}

static bool clashes(const struct three *x, const char *key)
{
	return is_theirs(x, key) && differ(value_of(&x->base, key), value_of(&x->mine, key));
}

/* Whose of one key is to count; NULL: it is not set. */
static const char *wanted(const struct three *x, const char *key, enum conf_clash clash)
{
	bool theirs = clashes(x, key) ? clash != CLASH_MINE : is_theirs(x, key);

	return value_of(theirs ? &x->theirs : &x->mine, key);
}

/* Of every key of one of the three texts what is wanted goes into text. */
static int put_wanted(const char *file, const struct envfile *keys, const struct three *x,
                      enum conf_clash clash, struct buf *text, struct err *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		const char *key = keys->v[i].key;
		struct conf_change c = { key, keys->v[i].ignored ? NULL : wanted(x, key, clash) };
		struct buf next = { 0 };
		int r;

		if (keys->v[i].ignored)
			continue;
		if (clash == CLASH_REFUSED && clashes(x, key))
			return err_set(e, STATUS_BUSY, EBUSY, "%s: %s was changed meanwhile, to '%s'", file,
			               key, c.value ? c.value : "");
		r = conf_edit(file, buf_text(text), text->len, &c, 1, &next, e);
		if (r < 0) {
			buf_done(&next);
			return r;
		}
		buf_done(text);
		*text = next;
	}
	return 0;
}

static int put_all_wanted(const char *file, const struct three *x, enum conf_clash clash,
                          const struct buf *from, struct buf *ret, struct err *e)
{
	const struct envfile *const all[] = { &x->base, &x->theirs, &x->mine };
	int r = 0;

	buf_add(ret, buf_text(from), from->len);
	for (size_t i = 0; r == 0 && i < COUNT(all); i++)
		r = put_wanted(file, all[i], x, clash, ret, e);
	return r;
}

/* The text without its assignments: comments, and lines that systemd ignores. */
static int notes_of(const char *file, const struct buf *text, struct buf *ret)
{
	buf_add(ret, buf_text(text), text->len);
	for (;;) {
		CLEANUP(envfile_done) struct envfile f = { 0 };
		struct conf_change gone = { 0 };
		struct buf less = { 0 };
		int r = envfile_parse(file, buf_text(ret), ret->len, &f, NULL);

		for (size_t i = 0; r >= 0 && i < f.n && !gone.key; i++)
			gone.key = f.v[i].ignored ? NULL : f.v[i].key;
		if (r < 0 || !gone.key)
			return r < 0 ? r : 0;
		r = drop_earlier(file, gone.key, ret, NULL);
		if (r == 0)
			r = change_one(file, ret, &gone, &less, NULL);
		buf_done(ret);
		*ret = less;
		if (r < 0)
			return r;
	}
}

static bool notes_differ(const char *file, const struct buf *a, const struct buf *b)
{
	CLEANUP(buf_done) struct buf one = { 0 }, other = { 0 };

	return notes_of(file, a, &one) < 0 || notes_of(file, b, &other) < 0 ? !buf_same(a, b)
	                                                                    : !buf_same(&one, &other);
}

/* Both wrote comments: their lines and mine, where they do not touch and every key is as it is wanted. */
static bool merge_lines(const char *file, const struct buf *base, const struct buf *mine,
                        const struct buf *theirs, const struct three *x, enum conf_clash clash,
                        struct buf *ret)
{
	const struct envfile *const all[] = { &x->base, &x->theirs, &x->mine };
	CLEANUP(envfile_done) struct envfile both = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	bool good = unitfile_merge(file, base, mine, theirs, &text, NULL) == 0 &&
	            envfile_parse(file, buf_text(&text), text.len, &both, NULL) >= 0;

	for (size_t k = 0; k < COUNT(all); k++)
		for (size_t i = 0; good && i < all[k]->n; i++)
			good = all[k]->v[i].ignored ||
			       !differ(value_of(&both, all[k]->v[i].key), wanted(x, all[k]->v[i].key, clash));
	if (good)
		buf_add(ret, buf_text(&text), text.len);
	return good;
}

/* Whether both changed what is no key, and that can not be put together. */
static bool notes_clash(const char *file, const struct buf *base, const struct buf *mine,
                        const struct buf *theirs, const struct three *x)
{
	CLEANUP(buf_done) struct buf both = { 0 };

	return notes_differ(file, base, mine) && notes_differ(file, base, theirs) &&
	       notes_differ(file, mine, theirs) &&
	       !merge_lines(file, base, mine, theirs, x, CLASH_MINE, &both);
}

int conf_merge(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
               enum conf_clash clash, struct buf *ret, struct err *e)
{
	CLEANUP(three_done) struct three x = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	bool my_notes, their_notes;
	int r = three_read(file, base, mine, theirs, &x, e);

	if (r < 0)
		return r;
	my_notes = notes_differ(file, base, mine);
	their_notes = notes_differ(file, base, theirs) && notes_differ(file, mine, theirs);
	if (my_notes && their_notes && merge_lines(file, base, mine, theirs, &x, clash, &text))
		r = put_all_wanted(file, &x, clash, &text, ret, e); /* which tells of a clash */
	else
		r = put_all_wanted(file, &x, clash,
		                   !their_notes || (my_notes && clash == CLASH_MINE) ? mine : theirs, ret, e);
	if (r == 0 && my_notes && their_notes && text.len == 0 && clash == CLASH_REFUSED)
		r = err_set(e, STATUS_BUSY, EBUSY, "%s: its comments were changed meanwhile, too", file);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

/* Once, and not whether it stands in base or only in theirs. */
static void add_clash(const struct three *x, const char *key, struct strs *ret)
{
	const struct envfile *const files[] = { &x->base, &x->theirs, &x->mine };

	if (!clashes(x, key))
		return;
	for (size_t i = 0; i < ret->n; i += 4)
		if (strcmp(ret->v[i], key) == 0)
			return;
	strs_add(ret, key);
	for (size_t i = 0; i < COUNT(files); i++)
		strs_add(ret, value_of(files[i], key) ? value_of(files[i], key) : "");
}

static void add_notes(const char *file, const struct buf *base, const struct buf *mine,
                      const struct buf *theirs, struct strs *ret)
{
	const struct buf *const texts[] = { base, theirs, mine };

	strs_add(ret, "comments");
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(buf_done) struct buf notes = { 0 };

		(void)notes_of(file, texts[i], &notes);
		strs_add(ret, buf_text(&notes));
	}
}

int conf_clashes(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
                 struct strs *ret, struct err *e)
{
	CLEANUP(three_done) struct three x = { 0 };
	int r = three_read(file, base, mine, theirs, &x, e);

	for (size_t i = 0; r >= 0 && i < x.mine.n; i++)
		add_clash(&x, x.mine.v[i].key, ret);
	for (size_t i = 0; r >= 0 && i < x.theirs.n; i++)
		add_clash(&x, x.theirs.v[i].key, ret);
	if (r >= 0 && notes_clash(file, base, mine, theirs, &x))
		add_notes(file, base, mine, theirs, ret);
	if (r >= 0 && ret->bad)
		r = err_no_memory(e);
	return r < 0 ? r : 0;
}

#include "decide/autostart.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/envfile.h"

#define KEY "AUTO_START"

static bool is_on(const struct envfile *f)
{
	const struct env_entry *a = envfile_find(f, KEY);

	return a && strcmp(a->value, "1") == 0;
}

/* Whether what was made says of every other key what the old text said. */
static bool says_the_same(const struct envfile *old, const struct envfile *new)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct env_entry *a = &old->v[i], *b = i < new->n ? &new->v[i] : NULL;

		if (!b || strcmp(a->key, b->key) != 0)
			return false;
		if (strcmp(a->key, KEY) != 0 && strcmp(a->value, b->value) != 0)
			return false;
	}
	return new->n == old->n || new->n == old->n + 1;
}

static bool is_well(const char *file, const struct envfile *old, const struct buf *text, bool on)
{
	CLEANUP(envfile_done) struct envfile new = { 0 };

	return !text->bad && envfile_parse(file, text->p, text->len, &new, NULL) >= 0 && is_on(&new) == on &&
	       says_the_same(old, &new);
}

static void replace_line(const char *bytes, size_t len, size_t value_at, bool on, struct buf *ret)
{
	const char *end = memchr(bytes + value_at, '\n', len - value_at);

	buf_add(ret, bytes, value_at);
	buf_puts(ret, on ? "1" : "0");
	if (end)
		buf_add(ret, end, len - (size_t)(end - bytes));
}

static void add_line(const char *bytes, size_t len, bool on, struct buf *ret)
{
	buf_add(ret, bytes, len);
	if (len > 0 && bytes[len - 1] != '\n')
		buf_puts(ret, "\n");
	buf_addf(ret, KEY "=%d\n", on);
}

int autostart_edit(const char *file, const char *bytes, size_t len, bool on, struct buf *ret, struct err *e)
{
	CLEANUP(envfile_done) struct envfile old = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct env_entry *a;
	int r = envfile_parse(file, bytes, len, &old, e);

	if (r < 0)
		return r;
	if (is_on(&old) == on)
		return 0;
	a = envfile_find(&old, KEY);
	if (a)
		replace_line(bytes, len, a->value_at, on, &text);
	if (!a || !is_well(file, &old, &text, on)) { /* a value of several lines */
		buf_done(&text);
		text = (struct buf){ 0 };
		add_line(bytes, len, on, &text);
	}
	if (text.bad)
		return err_no_memory(e);
	if (!is_well(file, &old, &text, on))
		return err_set(e, STATUS_DATA, EINVAL, "%s: AUTO_START can not be changed in it: edit it",
		               file);
	buf_add(ret, text.p, text.len);
	return ret->bad ? err_no_memory(e) : 1;
}

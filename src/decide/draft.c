#include "decide/draft.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/fields.h"

void draft_done(struct draft *d)
{
	strs_done(&d->keys);
	strs_done(&d->values);
}

void draft_option(const char *key, char ret[static DRAFT_OPTION_SIZE])
{
	size_t i = 0;

	for (; key[i] && i + 1 < DRAFT_OPTION_SIZE; i++)
		ret[i] = (char)(key[i] == '_' ? '-' : tolower((unsigned char)key[i]));
	ret[i] = '\0';
}

static size_t find(const struct draft *d, const char *key)
{
	size_t i = 0;

	while (i < d->keys.n && strcmp(d->keys.v[i], key) != 0)
		i++;
	return i;
}

const char *draft_get(const struct draft *d, const char *key)
{
	size_t i = find(d, key);

	return i < d->keys.n ? d->values.v[i] : NULL;
}

void draft_replace(struct draft *d, const char *key, const char *value)
{
	size_t i = find(d, key);
	char *copy;

	if (i == d->keys.n) {
		strs_add(&d->keys, key);
		strs_add(&d->values, value);
		return;
	}
	copy = strdup(value);
	d->values.bad |= !copy;
	if (!copy)
		return;
	free(d->values.v[i]);
	d->values.v[i] = copy;
}

/* Between the values of a list; NULL: it is none. */
static const char *between(const char *key)
{
	static const char *const lists[] = { "EXTRA_NSPAWN_FLAGS", "ALLOWED_DEVICES", "EXTRA_VETHS" };
	const struct field *f = field_of_key(key);

	if (strcmp(key, "HOST_PORT") == 0)
		return ",";
	for (size_t i = 0; i < COUNT(lists); i++)
		if (strcmp(key, lists[i]) == 0)
			return " ";
	return f && f->type == FIELD_WORDS ? " " : NULL;
}

void draft_set(struct draft *d, const char *key, const char *value)
{
	const char *before = draft_get(d, key), *sign = between(key);
	CLEANUP(free_p) char *joined = NULL;

	if (!value)
		value = "1";
	if (!before || !sign) {
		draft_replace(d, key, value);
	} else if (asprintf(&joined, "%s%s%s", before, sign, value) < 0) {
		joined = NULL;
		d->values.bad = true;
	} else {
		draft_replace(d, key, joined);
	}
}

int draft_read(const struct draft *d, const char *base, const char *name, struct container *ret,
               struct buf *ret_text, struct strs *warnings, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	size_t len = strlen(base);
	int r;

	buf_add(&text, base, len);
	if (len > 0 && base[len - 1] != '\n')
		buf_puts(&text, "\n");
	for (size_t i = 0; i < d->keys.n; i++)
		conf_put(&text, d->keys.v[i], d->values.v[i]);
	if (text.bad || d->keys.bad || d->values.bad)
		return err_no_memory(e);
	r = conf_read("(options)", name, buf_text(&text), text.len, ret, warnings, e);
	if (r == 0 && ret_text) {
		*ret_text = text;
		text = (struct buf){ 0 };
	}
	return r;
}

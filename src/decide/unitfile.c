#include "decide/unitfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BLANKS " \t\r"

void unitfile_done(struct unitfile *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].section);
		free(f->v[i].key);
		free(f->v[i].value);
	}
	free(f->v);
	*f = (struct unitfile){ 0 };
}

/* ---- read */

struct reader {
	const char *file, *text;
	size_t at, len, line;
	char *section; /* NULL: none yet */
};

static size_t line_end(const struct reader *r, size_t at)
{
	const char *newline = memchr(r->text + at, '\n', r->len - at);

	return newline ? (size_t)(newline - r->text) + 1 : r->len;
}

static char *trimmed(const char *text, size_t len)
{
	while (len > 0 && strchr(BLANKS, text[0]))
		text++, len--;
	while (len > 0 && strchr(BLANKS, text[len - 1]))
		len--;
	return strndup(text, len);
}

static bool is_note(const char *line)
{
	return line[0] == '#' || line[0] == ';';
}

/* A line, and those it goes on with, as one; comments in between are left out. The last byte of bytes is its newline. */
static char *whole_line(struct reader *r)
{
	CLEANUP(buf_done) struct buf all = { 0 };
	bool goes_on = true;

	for (bool first = true; goes_on && r->at < r->len; first = false) {
		size_t end = line_end(r, r->at), stop = end;
		const char *line = r->text + r->at;

		r->line++;
		stop -= stop > r->at && r->text[stop - 1] == '\n';
		r->at = end;
		if (!first && is_note(line + strspn(line, BLANKS)))
			continue;
		goes_on = stop > (size_t)(line - r->text) && r->text[stop - 1] == '\\' &&
		          !(first && is_note(line + strspn(line, BLANKS)));
		buf_add(&all, line, stop - (size_t)(line - r->text) - goes_on);
		if (goes_on)
			buf_puts(&all, " ");
	}
	return all.bad ? NULL : trimmed(buf_text(&all), all.len);
}

static int bad_line(const struct reader *r, size_t line, const char *why, struct err *e)
{
	return err_set(e, STATUS_DATA, EINVAL, "%s:%zu:1: %s", r->file, line, why);
}

static int take_line(struct reader *r, const char *line, struct unit_entry *ret, struct err *e)
{
	const char *sign = strchr(line, '=');
	size_t len = strlen(line);

	if (line[0] == '[') {
		if (len < 3 || line[len - 1] != ']')
			return bad_line(r, ret->line, "a section is written [Name]", e);
		free(r->section);
		r->section = strndup(line + 1, len - 2);
	} else if (!r->section) {
		return bad_line(r, ret->line, "it stands before the first [Section], so it does nothing", e);
	} else if (!sign || sign == line) {
		return bad_line(r, ret->line, "KEY=VALUE is what a line of it is", e);
	} else {
		ret->key = trimmed(line, (size_t)(sign - line));
		ret->value = trimmed(sign + 1, strlen(sign + 1));
	}
	ret->section = r->section ? strdup(r->section) : NULL;
	return ret->section && (!ret->key == !ret->value) ? 0 : err_no_memory(e);
}

int unitfile_parse(const char *file, const struct buf *text, struct unitfile *ret, struct err *e)
{
	struct reader r = { .file = file, .text = buf_text(text), .len = text->len };
	CLEANUP(unitfile_done) struct unitfile f = { 0 };
	int result = 0;

	if (memchr(r.text, '\0', r.len))
		return err_set(e, STATUS_DATA, EINVAL, "%s: it holds a NUL byte", file);
	while (result == 0 && r.at < r.len) {
		struct unit_entry entry = { .at = r.at, .line = r.line + 1 }, *grown;
		CLEANUP(free_p) char *line = whole_line(&r);

		entry.end = r.at;
		if (line && (!line[0] || is_note(line)))
			continue;
		grown = line ? reallocarray(f.v, f.n + 1, sizeof(*grown)) : NULL;
		if (!grown) {
			result = err_no_memory(e);
			break;
		}
		f.v = grown;
		result = take_line(&r, line, &entry, e);
		f.v[f.n++] = entry;
	}
	free(r.section);
	if (result < 0)
		return result;
	*ret = f;
	f = (struct unitfile){ 0 };
	return 0;
}

/* ---- change */

struct name {
	char section[64];
	const char *key;
};

static int read_name(const char *text, struct name *ret, struct err *e)
{
	const char *dot = strchr(text, '.');
	size_t n = dot ? (size_t)(dot - text) : 0;

	if (n == 0 || n >= sizeof(ret->section) || !dot[1] || strpbrk(text, " \t\r\n=[]#;\\"))
		return err_set(
			e, STATUS_USAGE, EINVAL,
			"'%s': a setting of it is SECTION.KEY, as in Network.Port (all else: machdeck edit)",
			text);
	memcpy(ret->section, text, n);
	ret->section[n] = '\0';
	ret->key = dot + 1;
	return 0;
}

static bool is_of(const struct unit_entry *a, const struct name *name)
{
	return a->key && strcmp(a->section, name->section) == 0 && strcmp(a->key, name->key) == 0;
}

/* Without the entry's lines; with other ones in their place. */
static void replace(const struct buf *text, const struct unit_entry *a, const char *line, struct buf *ret)
{
	buf_add(ret, buf_text(text), a->at);
	buf_puts(ret, line);
	buf_add(ret, buf_text(text) + a->end, text->len - a->end);
}

/* At the end of its section, before the empty lines and comments that belong to the next. */
static void append(const struct buf *text, const struct unitfile *f, const struct name *name,
                   const char *line, struct buf *ret)
{
	const struct unit_entry *last = NULL;
	size_t at;

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].section, name->section) == 0)
			last = &f->v[i];
	at = last ? last->end : text->len;
	buf_add(ret, buf_text(text), at);
	if (at > 0 && buf_text(text)[at - 1] != '\n')
		buf_puts(ret, "\n");
	if (!last)
		buf_addf(ret, "%s[%s]\n", at > 0 ? "\n" : "", name->section);
	buf_puts(ret, line);
	buf_add(ret, buf_text(text) + at, text->len - at);
}

static int take_out(const char *file, const struct buf *text, const struct name *name, const char *value,
                    struct buf *ret, struct err *e)
{
	CLEANUP(unitfile_done) struct unitfile f = { 0 };
	size_t from = 0;
	int r = unitfile_parse(file, text, &f, e);

	for (size_t i = 0; r == 0 && i < f.n; i++) {
		if (!is_of(&f.v[i], name) || (value && strcmp(f.v[i].value, value) != 0))
			continue;
		buf_add(ret, buf_text(text) + from, f.v[i].at - from);
		from = f.v[i].end;
	}
	if (r < 0)
		return r;
	if (value && from == 0)
		return err_set(e, STATUS_FAILED, ENOENT, "%s has no %s=%s in [%s]", file, name->key, value,
		               name->section);
	buf_add(ret, buf_text(text) + from, text->len - from);
	return 0;
}

static int put(const char *file, const struct buf *text, const struct name *name, const struct unit_change *c,
               struct buf *ret, struct err *e)
{
	CLEANUP(unitfile_done) struct unitfile f = { 0 };
	CLEANUP(buf_done) struct buf line = { 0 };
	const struct unit_entry *found = NULL;
	size_t n = 0;
	int r = unitfile_parse(file, text, &f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f.n; i++) {
		if (!is_of(&f.v[i], name) ||
		    (c->operation == UNIT_ADD && strcmp(f.v[i].value, c->value) != 0))
			continue;
		found = &f.v[i];
		n++;
	}
	if (c->operation == UNIT_SET && n > 1)
		return err_set(e, STATUS_USAGE, EINVAL,
		               "%s has %zu lines of %s: add and remove them one at a time (%s+=..., "
		               "%s-=...), or all by "
		               "unset",
		               file, n, c->name, c->name, c->name);
	buf_addf(&line, "%s=%s\n", name->key, c->value);
	if (found && strcmp(found->value, c->value) == 0)
		buf_add(ret, buf_text(text), text->len);
	else if (found)
		replace(text, found, buf_text(&line), ret);
	else
		append(text, &f, name, buf_text(&line), ret);
	return line.bad ? err_no_memory(e) : 0;
}

static int change_one(const char *file, const struct buf *text, const struct unit_change *c, struct buf *ret,
                      struct err *e)
{
	struct name name;
	size_t len = c->value ? strlen(c->value) : 0;
	int r = read_name(c->name, &name, e);

	if (r < 0)
		return r;
	if (c->operation == UNIT_UNSET)
		return take_out(file, text, &name, NULL, ret, e);
	if (!c->value || strpbrk(c->value, "\n\r") || (len > 0 && c->value[len - 1] == '\\'))
		return err_set(e, STATUS_USAGE, EINVAL, "%s: a value is one line that does not end in '\\'",
		               c->name);
	return c->operation == UNIT_REMOVE ? take_out(file, text, &name, c->value, ret, e)
	                                   : put(file, text, &name, c, ret, e);
}

int unitfile_edit(const char *file, const struct buf *text, const struct unit_change *changes, size_t n,
                  struct buf *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf now = { 0 };

	buf_add(&now, buf_text(text), text->len);
	for (size_t i = 0; i < n; i++) {
		struct buf next = { 0 };
		int r = change_one(file, &now, &changes[i], &next, e);

		buf_done(&now);
		now = next;
		if (r < 0)
			return r;
	}
	buf_add(ret, buf_text(&now), now.len);
	return now.bad || ret->bad ? err_no_memory(e) : 0;
}

int unitfile_values(const char *file, const struct buf *text, const char *name, struct strs *ret,
                    struct err *e)
{
	CLEANUP(unitfile_done) struct unitfile f = { 0 };
	struct name wanted;
	int r = read_name(name, &wanted, e);

	if (r == 0)
		r = unitfile_parse(file, text, &f, e);
	for (size_t i = 0; r == 0 && i < f.n; i++)
		if (is_of(&f.v[i], &wanted))
			strs_add(ret, f.v[i].value);
	return r < 0 ? r : ret->bad ? err_no_memory(e) : 0;
}

/* ---- two who changed it */

/* The lines of base that a text has others for: all but those that are the same at both ends. */
struct span {
	size_t from, to;         /* bytes of base */
	size_t new_from, new_to; /* of the text: what stands there now */
};

static size_t line_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static struct span changed_span(const struct buf *base, const struct buf *text)
{
	const char *a = buf_text(base), *b = buf_text(text);
	size_t head = 0, tail = 0, least = base->len < text->len ? base->len : text->len;

	while (head < least && a[head] == b[head])
		head++;
	head = line_start(a, head);
	while (tail < least - head && a[base->len - 1 - tail] == b[text->len - 1 - tail])
		tail++;
	while (tail > 0 && ((base->len > tail && a[base->len - tail - 1] != '\n') ||
	                    (text->len > tail && b[text->len - tail - 1] != '\n')))
		tail--;
	return (struct span){ head, base->len - tail, head, text->len - tail };
}

static void put_span(const struct buf *from, const struct span *s, struct buf *ret)
{
	buf_add(ret, buf_text(from) + s->new_from, s->new_to - s->new_from);
}

int unitfile_merge(const char *file, const struct buf *base, const struct buf *mine, const struct buf *theirs,
                   struct buf *ret, struct err *e)
{
	struct span m = changed_span(base, mine), t = changed_span(base, theirs);
	bool first = m.from < t.from || (m.from == t.from && m.to <= t.from);
	const struct span *a = first ? &m : &t, *b = first ? &t : &m;
	const char *was = buf_text(base);

	if (buf_same(mine, theirs)) {
		buf_add(ret, buf_text(mine), mine->len);
		return ret->bad ? err_no_memory(e) : 0;
	}
	if (a->to > b->from || (a->from == b->from && a->to == b->to))
		return err_set(e, STATUS_BUSY, EBUSY, "%s: the same lines were changed meanwhile", file);
	buf_add(ret, was, a->from);
	put_span(first ? mine : theirs, a, ret);
	buf_add(ret, was + a->to, b->from - a->to);
	put_span(first ? theirs : mine, b, ret);
	buf_add(ret, was + b->to, base->len - b->to);
	return ret->bad ? err_no_memory(e) : 0;
}

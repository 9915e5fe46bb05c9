#include "decide/subids.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"

#define PLACES ((UINT32_MAX - SUBIDS_FIRST) / SUBIDS_COUNT)

struct range {
	const char *owner; /* of a subordinate range: a login name or a uid; NULL: an account of its own */
	size_t owner_len;
	uint64_t start, count;
};

/* What is known of uids, or of gids. */
struct space {
	struct range *v;
	size_t n;
	bool *taken; /* [PLACES] */
	bool bad;
};

static void space_done(struct space *s)
{
	free(s->v);
	free(s->taken);
	*s = (struct space){ 0 };
}

static uint64_t place(size_t k)
{
	return SUBIDS_FIRST + (uint64_t)k * SUBIDS_COUNT;
}

static void take(struct space *s, const struct range *r)
{
	struct range *grown =
		(s->n & (s->n + 1)) == 0 ? reallocarray(s->v, 2 * (s->n + 1), sizeof(*grown)) : s->v;

	if (!grown) {
		s->bad = true;
		return;
	}
	s->v = grown;
	s->v[s->n++] = *r;
	if (r->count == 0 || r->start + r->count <= SUBIDS_FIRST)
		return;
	for (size_t k = r->start < SUBIDS_FIRST ? 0 : (r->start - SUBIDS_FIRST) / SUBIDS_COUNT;
	     k < PLACES && place(k) < r->start + r->count; k++)
		s->taken[k] = true;
}

/* ---- lines of fields that a colon parts */

struct fields {
	const char *v[4];
	size_t len[4], n; /* n: how many there are, which may be more */
};

static const char *next_line(const char *line, struct fields *ret)
{
	const char *end = line + strcspn(line, "\n");

	*ret = (struct fields){ 0 };
	for (const char *p = line; p <= end && *line != '\n'; ret->n++) {
		size_t len = strcspn(p, ":\n");

		if (ret->n < COUNT(ret->v)) {
			ret->v[ret->n] = p;
			ret->len[ret->n] = len;
		}
		p += len + 1;
	}
	return *end ? end + 1 : end;
}

static bool number(const struct fields *f, size_t i, uint64_t *ret)
{
	char text[24];

	if (i >= f->n || f->len[i] >= sizeof(text))
		return false;
	memcpy(text, f->v[i], f->len[i]);
	text[f->len[i]] = '\0';
	return num_parse(text, 0, UINT32_MAX, ret) == 0;
}

static void read_ranges(const char *text, const char *file, struct space *s, struct strs *warnings)
{
	struct fields f;

	for (size_t line = 1; *text; line++) {
		struct range r = { 0 };

		text = next_line(text, &f);
		if (f.n == 0)
			continue;
		if (f.n == 3 && number(&f, 1, &r.start) && number(&f, 2, &r.count)) {
			r.owner = f.v[0];
			r.owner_len = f.len[0];
			take(s, &r);
		} else {
			strs_addf(warnings,
			          "%s:%zu: no line of NAME:START:COUNT: it stays, and is not looked at", file,
			          line);
		}
	}
}

/* Of passwd and of group: the third field. */
static void read_accounts(const char *text, struct space *s)
{
	struct fields f;

	while (*text) {
		struct range r = { .count = 1 };

		text = next_line(text, &f);
		if (number(&f, 2, &r.start))
			take(s, &r);
	}
}

static bool find_uid(const char *passwd, const char *user, uint64_t *ret)
{
	struct fields f;

	while (*passwd) {
		passwd = next_line(passwd, &f);
		if (f.n > 2 && f.len[0] == strlen(user) && memcmp(f.v[0], user, f.len[0]) == 0)
			return number(&f, 2, ret);
	}
	return false;
}

/* ---- whose, and where */

static bool owns(const struct range *r, const char *user, const uint64_t *uid)
{
	const struct fields f = { .v = { r->owner }, .len = { r->owner_len }, .n = 1 };
	uint64_t owner;

	if (!r->owner)
		return false;
	return (r->owner_len == strlen(user) && memcmp(r->owner, user, r->owner_len) == 0) ||
	       (uid && number(&f, 0, &owner) && owner == *uid);
}

static const struct range *range_of(const struct space *s, const char *user, const uint64_t *uid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].count >= SUBIDS_COUNT && owns(&s->v[i], user, uid))
			return &s->v[i];
	return NULL;
}

static bool is_free(const struct space *s, uint64_t start)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].start < start + SUBIDS_COUNT && start < s->v[i].start + s->v[i].count)
			return false;
	return true;
}

/* For the user number i; a space where it has a range already does not count. 0: there is none. */
static uint64_t find_place(const struct space *uids, const struct space *gids, const struct range *uid,
                           const struct range *gid, size_t i)
{
	const struct range *other = uid ? uid : gid;

	/* the same ids of both kinds */
	if (other && other->start + SUBIDS_COUNT < UINT32_MAX && is_free(uid ? gids : uids, other->start))
		return other->start;
	for (size_t k = 0; k <= PLACES; k++) {
		size_t at = k == 0 ? i : k - 1;

		if (at < PLACES && (uid || !uids->taken[at]) && (gid || !gids->taken[at]))
			return place(at);
	}
	return 0;
}

static void add(struct space *s, const char *user, uint64_t start, struct buf *text)
{
	take(s, &(struct range){
			.owner = user, .owner_len = strlen(user), .start = start, .count = SUBIDS_COUNT });
	if (text->len > 0 && text->p[text->len - 1] != '\n')
		buf_puts(text, "\n");
	buf_addf(text, "%s:%" PRIu64 ":%d\n", user, start, SUBIDS_COUNT);
}

static int assign(const char *user, size_t i, const struct subids_known *known, struct space *uids,
                  struct space *gids, struct buf *ret_subuid, struct buf *ret_subgid, struct strs *warnings,
                  struct err *e)
{
	uint64_t uid, start;
	bool is_known = find_uid(known->passwd, user, &uid);
	const struct range *u = range_of(uids, user, is_known ? &uid : NULL);
	const struct range *g = range_of(gids, user, is_known ? &uid : NULL);
	bool has_uids = u, has_gids = g; /* what they point to may move */

	if (!is_known)
		strs_addf(warnings, "%s is no user in /etc/passwd: its ids wait for it", user);
	if (has_uids && has_gids)
		return 0;
	start = find_place(uids, gids, u, g, i);
	if (start == 0)
		return err_set(e, STATUS_CANNOT_CREATE, ENOSPC, "there are no %d ids left for %s",
		               SUBIDS_COUNT, user);
	if (!has_uids)
		add(uids, user, start, ret_subuid);
	if (!has_gids)
		add(gids, user, start, ret_subgid);
	return 0;
}

int subids_assign(const struct strs *users, const struct subids_known *known, struct buf *ret_subuid,
                  struct buf *ret_subgid, struct strs *warnings, struct err *e)
{
	CLEANUP(space_done) struct space uids = { .taken = calloc(PLACES, sizeof(bool)) };
	CLEANUP(space_done) struct space gids = { .taken = calloc(PLACES, sizeof(bool)) };
	int r = 0;

	if (!uids.taken || !gids.taken)
		return err_no_memory(e);
	read_ranges(known->subuid, "/etc/subuid", &uids, warnings);
	read_ranges(known->subgid, "/etc/subgid", &gids, warnings);
	read_accounts(known->passwd, &uids);
	read_accounts(known->group, &gids);
	buf_puts(ret_subuid, known->subuid);
	buf_puts(ret_subgid, known->subgid);
	for (size_t i = 0; r == 0 && i < users->n; i++)
		r = assign(users->v[i], i, known, &uids, &gids, ret_subuid, ret_subgid, warnings, e);
	if (r == 0 && (uids.bad || gids.bad || ret_subuid->bad || ret_subgid->bad || warnings->bad))
		r = err_no_memory(e);
	return r;
}

static bool is_large(const struct fields *f)
{
	uint64_t start, count;

	return f->n == 3 && number(f, 1, &start) && number(f, 2, &count) && count >= SUBIDS_COUNT;
}

static void add_users(const char *text, const struct strs *among, struct strs *ret)
{
	struct fields f;
	uint64_t uid;

	while (*text) {
		CLEANUP(strs_done) struct strs name = { 0 };

		text = next_line(text, &f);
		if (!is_large(&f) || number(&f, 0, &uid))
			continue;
		strs_add_n(&name, f.v[0], f.len[0]);
		ret->bad |= name.bad;
		if (!name.bad && !strs_has(ret, name.v[0]) && (!among || strs_has(among, name.v[0])))
			strs_add(ret, name.v[0]);
	}
}

void subids_users(const char *subuid, const char *subgid, struct strs *ret)
{
	CLEANUP(strs_done) struct strs with_gids = { 0 };

	add_users(subgid, NULL, &with_gids);
	add_users(subuid, &with_gids, ret);
	ret->bad |= with_gids.bad;
}

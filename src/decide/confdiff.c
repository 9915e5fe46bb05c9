/* The difference of two texts, line by line: the longest common lines stay. Confs are short. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strs.h"
#include "decide/confedit.h"

#define AROUND    3
#define LINES_MAX 5000

struct lines {
	struct strs old, new;
	uint16_t *common; /* [old.n + 1][new.n + 1]: how many of the lines from there on are common */
};

static uint16_t *common(const struct lines *l, size_t i, size_t k)
{
	return &l->common[i * (l->new.n + 1) + k];
}

static void split(const char *text, struct strs *ret)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		strs_addf(ret, "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void count_common(const struct lines *l)
{
	for (size_t i = l->old.n; i-- > 0;)
		for (size_t k = l->new.n; k-- > 0;) {
			uint16_t down = *common(l, i + 1, k), right = *common(l, i, k + 1);

			*common(l, i, k) = strcmp(l->old.v[i], l->new.v[k]) == 0
			                           ? (uint16_t)(*common(l, i + 1, k + 1) + 1)
			                           : (down > right ? down : right);
		}
}

struct step {
	char sign;
	const char *line;
	size_t old, new; /* lines before it */
};

static size_t walk(const struct lines *l, struct step *steps)
{
	size_t i = 0, k = 0, n = 0;

	while (i < l->old.n || k < l->new.n) {
		struct step *s = &steps[n++];

		*s = (struct step){ .old = i, .new = k };
		if (i < l->old.n && k < l->new.n &&strcmp(l->old.v[i], l->new.v[k]) == 0) {
			s->sign = ' ';
			s->line = l->old.v[i++];
			k++;
		} else if (k == l->new.n || (i < l->old.n && *common(l, i + 1, k) >= *common(l, i, k + 1))) {
			s->sign = '-';
			s->line = l->old.v[i++];
		} else {
			s->sign = '+';
			s->line = l->new.v[k++];
		}
	}
	return n;
}

/* The end of the hunk that begins at step `at`: no more than twice AROUND lines are the same in a row. */
static size_t hunk_end(const struct step *steps, size_t n, size_t at)
{
	size_t last = at;

	for (size_t i = at; i < n && i <= last + 2 * AROUND; i++)
		if (steps[i].sign != ' ')
			last = i;
	return last + 1 + AROUND < n ? last + 1 + AROUND : n;
}

static void put_hunk(const struct step *steps, size_t from, size_t to, struct buf *ret)
{
	size_t old = 0, new = 0;

	for (size_t i = from; i < to; i++) {
		old += steps[i].sign != '+';
		new += steps[i].sign != '-';
	}
	buf_addf(ret, "@@ -%zu,%zu +%zu,%zu @@\n", steps[from].old + (old > 0), old,
	         steps[from].new + (new > 0), new);
	for (size_t i = from; i < to; i++)
		buf_addf(ret, "%c%s\n", steps[i].sign, steps[i].line);
}

int conf_diff(const char *label, const char *old, const char *new, struct buf *ret)
{
	CLEANUP(strs_done) struct strs olds = { 0 }, news = { 0 };
	CLEANUP(free_p) uint16_t *table = NULL;
	CLEANUP(free_p) struct step *steps = NULL;
	struct lines l;
	size_t n;

	if (strcmp(old, new) == 0)
		return 0;
	split(old, &olds);
	split(new, &news);
	if (olds.bad || news.bad || olds.n > LINES_MAX || news.n > LINES_MAX)
		return -ENOMEM;
	table = calloc((olds.n + 1) * (news.n + 1), sizeof(*table));
	steps = calloc(olds.n + news.n + 1, sizeof(*steps));
	if (!table || !steps)
		return -ENOMEM;
	l = (struct lines){ olds, news, table };
	count_common(&l);
	n = walk(&l, steps);
	buf_addf(ret, "--- %s\n+++ %s\n", label, label);
	for (size_t i = 0; i < n;) {
		size_t from, to;

		while (i < n && steps[i].sign == ' ')
			i++;
		if (i == n)
			break;
		from = i > AROUND ? i - AROUND : 0;
		to = hunk_end(steps, n, i);
		put_hunk(steps, from, to, ret);
		i = to;
	}
	return ret->bad ? -ENOMEM : 0;
}

#include "words/logring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"

int logring_init(struct logring *r, size_t records, size_t bytes)
{
	*r = (struct logring){ .cap = records, .bytes_max = bytes };
	r->v = calloc(records + 1, sizeof(*r->v));
	return r->v ? 0 : -ENOMEM;
}

static struct logrec **slot(const struct logring *r, size_t i)
{
	return &r->v[(r->first + i) % (r->cap + 1)];
}

static size_t cost(const struct logrec *rec)
{
	return sizeof(*rec) + strlen(rec->ident) + strlen(rec->text) + 2;
}

static void drop_oldest(struct logring *r)
{
	struct logrec *rec = *slot(r, 0);

	r->bytes -= cost(rec);
	free(rec);
	r->first = (r->first + 1) % (r->cap + 1);
	r->n--;
	r->fallen++;
}

void logring_done(struct logring *r)
{
	while (r->n > 0)
		drop_oldest(r);
	free(r->v);
	*r = (struct logring){ 0 };
}

static struct logrec *copy(const struct logrec *rec, uint64_t id)
{
	size_t ident = strlen(rec->ident) + 1, text = strlen(rec->text) + 1;
	struct logrec *made = malloc(sizeof(*made) + ident + text);
	char *bytes = (char *)(made + 1);

	if (!made)
		return NULL;
	*made = *rec;
	made->id = id;
	made->ident = memcpy(bytes, rec->ident, ident);
	made->text = memcpy(bytes + ident, rec->text, text);
	return made;
}

/* The host's journal gives what the console and systemd say in one order. */
static bool of_one_journal(const struct logrec *a, const struct logrec *b)
{
	return a->machine == b->machine && (a->source == LOG_GUEST) == (b->source == LOG_GUEST);
}

void logring_add(struct logring *r, const struct logrec *rec)
{
	struct logrec *made = copy(rec, r->received++);
	size_t at = r->n;

	if (!made) {
		r->lost++;
		return;
	}
	for (; at > 0; at--) {
		struct logrec *before = *slot(r, at - 1);

		if (before->usec <= made->usec || of_one_journal(before, made))
			break;
		*slot(r, at) = before;
	}
	*slot(r, at) = made;
	r->n++;
	r->bytes += cost(made);
	if (r->fallen + at < r->news)
		r->news = r->fallen + at;
	while (r->n > r->cap || r->bytes > r->bytes_max)
		drop_oldest(r);
}

uint64_t logring_begin(const struct logring *r)
{
	return r->fallen;
}

uint64_t logring_end(const struct logring *r)
{
	return r->fallen + r->n;
}

const struct logrec *logring_at(const struct logring *r, uint64_t position)
{
	return position >= r->fallen && position - r->fallen < r->n ? *slot(r, (size_t)(position - r->fallen))
	                                                            : NULL;
}

uint64_t logring_news(struct logring *r)
{
	uint64_t from = r->news > r->fallen ? r->news : r->fallen;

	r->news = logring_end(r);
	return from;
}

void logring_rewind(struct logring *r)
{
	r->news = 0;
}

const char *log_source_word(enum log_source s)
{
	switch (s) {
	case LOG_CONSOLE:
		return "console";
	case LOG_SYSTEMD:
		return "systemd";
	case LOG_GUEST:
		return "guest";
	case LOG_READER:
		return "reader";
	}
	return "?";
}

static const char *const priorities[] = { "emerg",   "alert",  "crit", "err",
	                                  "warning", "notice", "info", "debug" };

const char *log_priority_word(unsigned priority)
{
	return priorities[priority < COUNT(priorities) ? priority : LOG_PRIORITY_ALL];
}

int log_priority_parse(const char *text, unsigned *ret)
{
	uint64_t number;

	for (unsigned i = 0; i < COUNT(priorities); i++)
		if (strcmp(text, priorities[i]) == 0) {
			*ret = i;
			return 0;
		}
	if (num_parse(text, 0, LOG_PRIORITY_ALL, &number) < 0)
		return -EINVAL;
	*ret = (unsigned)number;
	return 0;
}

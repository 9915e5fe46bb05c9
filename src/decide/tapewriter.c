#include "decide/tapewriter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct tapewriter_told {
	char name[NAME_MACHINE_MAX + 1];
	uint64_t hash; /* of its line, without the time */
};

void tapewriter_done(struct tapewriter *w)
{
	free(w->told);
	free(w->measured);
	*w = (struct tapewriter){ 0 };
}

/* The names stay, so that who is gone meanwhile is told. */
void tapewriter_forget(struct tapewriter *w)
{
	for (size_t i = 0; i < w->n_told; i++)
		w->told[i].hash = 0;
	for (size_t i = 0; i < w->n_measured; i++)
		w->measured[i].hash = 0;
	w->stale = 1;
}

static uint64_t advance(struct tapewriter *w, uint64_t usec)
{
	w->at_usec = usec > w->at_usec ? usec : w->at_usec;
	return w->at_usec;
}

/* The record's line goes to `to` unless it says what is told already; returns the hash of what it says. */
static uint64_t tell(const struct tape_record *r, uint64_t told, struct buf *to)
{
	CLEANUP(buf_done) struct buf line = { 0 }, said = { 0 };
	uint64_t hash;

	tape_line(&line, r);
	if (line.bad) {
		to->bad = true;
		return told;
	}
	buf_puts(&said, strchr(buf_text(&line), ','));
	hash = buf_hash(&said);
	to->bad |= said.bad;
	if (hash != told)
		buf_add(to, line.p, line.len);
	return hash;
}

/* The names of a sorted list, one after the other. */
struct list {
	const void *v;
	size_t n;
	const char *(*name)(const void *v, size_t i);
	uint64_t (*say)(const void *v, size_t i, bool is_new, uint64_t told, uint64_t at, struct buf *to);
	enum tape_kind gone;
};

static void say_gone(enum tape_kind kind, char *name, uint64_t at, struct buf *to)
{
	tape_line(to, &(struct tape_record){ .kind = kind, .at_usec = at, .text = name });
}

/* Walks what was told and what is there side by side. */
static void tell_list(const struct list *l, struct tapewriter_told **told, size_t *n_told, uint64_t at,
                      struct buf *to)
{
	struct tapewriter_told *next = calloc(l->n + 1, sizeof(*next));
	size_t old = 0;

	if (!next) {
		to->bad = true;
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		const char *name = l->name(l->v, i);
		bool is_new = true;

		while (old < *n_told && strcmp((*told)[old].name, name) < 0)
			say_gone(l->gone, (*told)[old++].name, at, to);
		if (old < *n_told && strcmp((*told)[old].name, name) == 0) {
			next[i].hash = (*told)[old++].hash;
			is_new = false;
		}
		(void)snprintf(next[i].name, sizeof(next[i].name), "%s", name);
		next[i].hash = l->say(l->v, i, is_new, next[i].hash, at, to);
	}
	while (old < *n_told)
		say_gone(l->gone, (*told)[old++].name, at, to);
	free(*told);
	*told = next;
	*n_told = l->n;
}

static const char *machine_name(const void *v, size_t i)
{
	return ((const struct machine *)v)[i].name;
}

static uint64_t say_machine(const void *v, size_t i, bool is_new, uint64_t told, uint64_t at, struct buf *to)
{
	(void)is_new;
	return tell(&(struct tape_record){ .kind = TAPE_MACHINE,
	                                   .at_usec = at,
	                                   .machine = ((const struct machine *)v)[i] },
	            told, to);
}

static const char *stats_name(const void *v, size_t i)
{
	return ((const struct stats *)v)[i].name;
}

static uint64_t say_stats(const void *v, size_t i, bool is_new, uint64_t told, uint64_t at, struct buf *to)
{
	CLEANUP(buf_done) struct buf unused = { 0 };
	struct tape_record r = { .kind = TAPE_STATS, .at_usec = at, .stats = ((const struct stats *)v)[i] };
	uint64_t hash = tell(&r, told, is_new ? &unused : to);

	r.has_history = true;
	if (is_new)
		tape_line(to, &r);
	to->bad |= unused.bad;
	return hash;
}

void tapewriter_begin(struct tapewriter *w, const char *host, uint64_t usec, struct buf *to)
{
	CLEANUP(free_p) char *copy = host ? strdup(host) : NULL;

	tapewriter_done(w);
	to->bad |= host && !copy;
	tape_line(to, &(struct tape_record){ .kind = TAPE_HEAD, .at_usec = advance(w, usec), .text = copy });
}

void tapewriter_snapshot(struct tapewriter *w, const struct snapshot *s, struct buf *to)
{
	const struct list machines = { s->v, s->n, machine_name, say_machine, TAPE_GONE };
	uint64_t at = advance(w, s->taken_usec);

	tell_list(&machines, &w->told, &w->n_told, at, to);
	if (s->stale || w->stale)
		w->stale = tell(&(struct tape_record){ .kind = TAPE_STALE, .at_usec = at, .text = s->stale },
		                w->stale, to);
}

void tapewriter_stats(struct tapewriter *w, const struct stats_table *t, uint64_t usec, struct buf *to)
{
	const struct list stats = { t->v, t->n, stats_name, say_stats, TAPE_UNMEASURED };

	tell_list(&stats, &w->measured, &w->n_measured, advance(w, usec), to);
}

void tapewriter_event(struct tapewriter *w, const struct event *e, struct buf *to)
{
	tape_line(to, &(struct tape_record){
			      .kind = TAPE_HAPPENED, .at_usec = advance(w, e->usec), .event = *e });
}

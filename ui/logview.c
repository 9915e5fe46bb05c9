#include "ui/logview.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

enum { MATCH_UNKNOWN, MATCH_YES, MATCH_NO };

int logview_init(struct logview *v, struct logring *ring, const struct strs *names)
{
	*v = (struct logview){
		.ring = ring, .names = names, .follow = true, .priority = LOG_PRIORITY_ALL, .cap = ring->cap
	};
	v->rows = calloc(v->cap + 1, sizeof(*v->rows));
	if (!v->rows)
		return -ENOMEM;
	logring_rewind(ring);
	logview_update(v);
	return 0;
}

void logview_done(struct logview *v)
{
	free(v->rows);
	logregex_done(&v->search);
	logregex_done(&v->filter);
	*v = (struct logview){ 0 };
}

static struct logview_row *row_at(const struct logview *v, size_t row)
{
	return &v->rows[(v->first + row) % (v->cap + 1)];
}

const struct logrec *logview_record(const struct logview *v, size_t row)
{
	return row < v->n ? logring_at(v->ring, row_at(v, row)->position) : NULL;
}

/* ---- which records are shown */

static bool is_shown(const struct logview *v, const struct logrec *rec)
{
	if (rec->source == LOG_READER)
		return true;
	if (v->sources != LOGVIEW_BOTH && (v->sources == LOGVIEW_GUEST) != (rec->source == LOG_GUEST))
		return false;
	return rec->priority <= v->priority && (!v->filter.text || logregex_in(&v->filter, rec));
}

static void remember_cursor(struct logview *v)
{
	const struct logrec *rec = logview_record(v, v->cursor);

	v->cursor_id = rec ? rec->id : 0;
}

static void go_to(struct logview *v, size_t row)
{
	v->cursor = row;
	v->follow = v->n == 0 || row == v->n - 1;
	if (v->follow)
		v->below = 0;
	remember_cursor(v);
}

/* Rows before it fell out, or older records came in above it: the cursor stays on its record. */
static void find_cursor(struct logview *v)
{
	if (v->follow || v->n == 0) {
		go_to(v, v->n > 0 ? v->n - 1 : 0);
		return;
	}
	for (size_t row = v->cursor; row < v->n; row++)
		if (logview_record(v, row)->id == v->cursor_id) {
			v->cursor = row;
			return;
		}
	if (v->cursor >= v->n)
		v->cursor = v->n - 1;
	remember_cursor(v);
}

static void drop_fallen(struct logview *v)
{
	while (v->n > 0 && row_at(v, 0)->position < logring_begin(v->ring)) {
		v->first = (v->first + 1) % (v->cap + 1);
		v->n--;
		v->cursor -= v->cursor > 0;
		v->top -= v->top > 0;
	}
}

void logview_update(struct logview *v)
{
	uint64_t news = logring_news(v->ring), end = logring_end(v->ring);
	size_t before;

	drop_fallen(v);
	before = v->n;
	while (v->n > 0 && row_at(v, v->n - 1)->position >= news)
		v->n--;
	for (; news < end; news++)
		if (is_shown(v, logring_at(v->ring, news)))
			*row_at(v, v->n++) = (struct logview_row){ .position = news };
	if (!v->follow)
		v->below += v->n > before ? v->n - before : 0;
	find_cursor(v);
}

/* Everything is chosen anew; the cursor stays on its record, or goes to the first one after it. */
static void choose_again(struct logview *v)
{
	uint64_t position = v->n > 0 ? row_at(v, v->cursor)->position : 0, below = v->below;
	size_t row = 0;

	logring_rewind(v->ring);
	v->first = v->n = v->top = 0;
	logview_update(v);
	v->below = v->follow ? 0 : below;
	if (v->follow)
		return;
	while (row + 1 < v->n && row_at(v, row)->position < position)
		row++;
	go_to(v, row);
}

void logview_source_next(struct logview *v)
{
	v->sources = v->sources == LOGVIEW_BOTH    ? LOGVIEW_GUEST
	             : v->sources == LOGVIEW_GUEST ? LOGVIEW_HOST
	                                           : LOGVIEW_BOTH;
	choose_again(v);
}

void logview_priority_next(struct logview *v)
{
	v->priority = v->priority == LOG_PRIORITY_ALL  ? LOG_PRIORITY_ERR + 1
	              : v->priority > LOG_PRIORITY_ERR ? LOG_PRIORITY_ERR
	                                               : LOG_PRIORITY_ALL;
	choose_again(v);
}

int logview_filter(struct logview *v, const char *text, struct err *e)
{
	int r = logregex_set(&v->filter, text, e);

	if (r < 0)
		return r;
	choose_again(v);
	return 0;
}

/* ---- moving */

void logview_scroll(struct logview *v, long by)
{
	size_t last = v->n > 0 ? v->n - 1 : 0;

	if (by < 0)
		go_to(v, v->cursor > (size_t)-by ? v->cursor - (size_t)-by : 0);
	else
		go_to(v, last - v->cursor > (size_t)by ? v->cursor + (size_t)by : last);
}

void logview_page(struct logview *v, int dir, int height)
{
	logview_scroll(v, (long)dir * (height > 2 ? height - 2 : 1));
}

void logview_end(struct logview *v)
{
	go_to(v, v->n > 0 ? v->n - 1 : 0);
}

void logview_begin(struct logview *v)
{
	go_to(v, 0);
}

void logview_side(struct logview *v, int by)
{
	if (by < 0 && v->column < (size_t)-by)
		v->column = 0;
	else if (v->column < LOG_TEXT_MAX)
		v->column = (size_t)((long)v->column + by);
}

void logview_wrap(struct logview *v)
{
	v->wrap = !v->wrap;
	v->column = 0;
}

void logview_time_next(struct logview *v)
{
	v->time = v->time == LOGVIEW_NO_TIME ? LOGVIEW_CLOCK : (enum logview_time)(v->time + 1);
}

/* ---- searching */

static bool is_match(const struct logview *v, size_t row)
{
	struct logview_row *r = row_at(v, row);

	if (r->match == MATCH_UNKNOWN)
		r->match = logregex_in(&v->search, logview_record(v, row)) ? MATCH_YES : MATCH_NO;
	return r->match == MATCH_YES;
}

static bool is_error(const struct logview *v, size_t row)
{
	return logview_record(v, row)->priority <= LOG_PRIORITY_ERR;
}

static bool go_to_next(struct logview *v, int dir, bool (*is_it)(const struct logview *v, size_t row))
{
	for (size_t row = v->cursor + (size_t)dir; row < v->n; row += (size_t)dir)
		if (is_it(v, row)) {
			go_to(v, row);
			return true;
		}
	return false;
}

bool logview_next(struct logview *v, int dir)
{
	return v->search.text && go_to_next(v, dir, is_match);
}

bool logview_error_next(struct logview *v, int dir)
{
	return go_to_next(v, dir, is_error);
}

int logview_search(struct logview *v, const char *text, struct err *e)
{
	int r = logregex_set(&v->search, text, e);

	if (r < 0)
		return r;
	for (size_t row = 0; row < v->n; row++)
		row_at(v, row)->match = MATCH_UNKNOWN;
	if (v->n == 0 || !v->search.text)
		return 0;
	return is_match(v, v->cursor) || logview_next(v, -1) || logview_next(v, 1);
}

/* ---- as text */

static void add_line(const struct logview *v, const struct logrec *rec, struct buf *ret)
{
	time_t seconds = (time_t)(rec->usec / 1000000);
	const char *line = rec->text;
	char when[32] = "";
	struct tm parts;

	if (localtime_r(&seconds, &parts))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts);
	for (;;) {
		size_t len = strcspn(line, "\n");

		buf_addf(ret, "%s %s %s", when, rec->machine < v->names->n ? v->names->v[rec->machine] : "?",
		         rec->ident);
		if (rec->pid > 0)
			buf_addf(ret, "[%d]", (int)rec->pid);
		buf_addf(ret, ": %.*s\n", (int)len, line);
		line += len;
		if (!*line++)
			break;
	}
}

void logview_line(const struct logview *v, struct buf *ret)
{
	const struct logrec *rec = logview_record(v, v->cursor);

	if (rec)
		add_line(v, rec, ret);
}

void logview_save(const struct logview *v, struct buf *ret)
{
	for (size_t row = 0; row < v->n; row++)
		add_line(v, logview_record(v, row), ret);
}

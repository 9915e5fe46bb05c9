/* How a log view is drawn: the columns of a record, its text with what is searched for, and the status line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ui/logview.h"

#define ROOMY       80 /* columns from which on the source is a word */
#define CRAMPED     40 /* ... below which there is the text alone */
#define NAME_MAX_W  12
#define PID_FROM    60 /* ... from which on there are process numbers */
#define WORD_W      7  /* "console" */
#define TIME_MAX_W  20
#define FULL_TIME_W 19

/* ---- columns */

struct layout {
	int time, name, source; /* widths; 0: none */
	int text;               /* where it begins */
	bool pid;
};

static int time_width(enum logview_time t)
{
	switch (t) {
	case LOGVIEW_CLOCK:
		return 8;
	case LOGVIEW_FULL:
		return FULL_TIME_W;
	case LOGVIEW_RELATIVE:
		return 4;
	case LOGVIEW_NO_TIME:
		break;
	}
	return 0;
}

static int name_width(const struct logview *v, const struct grid *g)
{
	int width = 0;

	for (size_t i = 0; i < v->names->n; i++) {
		int w = grid_columns(g, v->names->v[i]);

		width = w > width ? w : width;
	}
	return width > NAME_MAX_W ? NAME_MAX_W : width;
}

static struct layout lay_out(const struct logview *v, const struct grid *g, int w)
{
	struct layout l = { .pid = w >= PID_FROM };

	if (w >= CRAMPED)
		l.time = time_width(v->time);
	if (v->names->n > 1)
		l.name = w < CRAMPED ? 5 : name_width(v, g);
	if (v->sources == LOGVIEW_BOTH)
		l.source = w >= ROOMY ? WORD_W : w >= CRAMPED ? 1 : 0;
	for (const int *width = (const int[]){ l.time, l.name, l.source, -1 }; *width >= 0; width++)
		l.text += *width > 0 ? *width + 1 : 0;
	return l;
}

static void write_time(const struct logview *v, const struct logrec *rec, uint64_t now_usec,
                       char ret[static TIME_MAX_W])
{
	uint64_t age = now_usec > rec->usec ? (now_usec - rec->usec) / 1000000 : 0;
	time_t seconds = (time_t)(rec->usec / 1000000);
	struct tm parts;

	*ret = '\0';
	if (v->time == LOGVIEW_RELATIVE)
		(void)snprintf(ret, TIME_MAX_W, "%3" PRIu64 "%c",
		               age < 100      ? age
		               : age < 6000   ? age / 60
		               : age < 172800 ? age / 3600
		                              : age / 86400,
		               age < 100      ? 's'
		               : age < 6000   ? 'm'
		               : age < 172800 ? 'h'
		                              : 'd');
	else if (localtime_r(&seconds, &parts))
		(void)strftime(ret, TIME_MAX_W, v->time == LOGVIEW_CLOCK ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S",
		               &parts);
}

static void draw_columns(struct grid *g, int x, int y, const struct layout *l, const struct logview *v,
                         const struct logrec *rec, uint64_t now_usec)
{
	const char *source = log_source_word(rec->source);
	char when[TIME_MAX_W], initial[] = { source[0], '\0' };

	if (l->time > 0) {
		write_time(v, rec, now_usec, when);
		(void)grid_text(g, x, y, l->time, STYLE_DIM, when);
		x += l->time + 1;
	}
	if (l->name > 0) {
		const char *name = rec->machine < v->names->n ? v->names->v[rec->machine] : "?";

		(void)grid_text(g, x, y, l->name, STYLE_STRONG, name);
		x += l->name + 1;
	}
	if (l->source > 0)
		(void)grid_text(g, x, y, l->source, STYLE_DIM, l->source == 1 ? initial : source);
}

/* ---- the text of a record */

static enum style style_of(const struct logrec *rec)
{
	return rec->priority <= LOG_PRIORITY_ERR       ? STYLE_BAD
	       : rec->priority == LOG_PRIORITY_ERR + 1 ? STYLE_BUSY
	       : rec->priority == LOG_PRIORITY_ALL     ? STYLE_DIM
	                                               : STYLE_TEXT;
}

/* Who wrote it and what, on one line or, wrapped, on several. Returns where the text begins. */
static size_t write_text(const struct logview *v, const struct grid *g, bool pid, const struct logrec *rec,
                         struct buf *ret)
{
	size_t begin;

	buf_puts(ret, rec->ident);
	if (pid && rec->pid > 0)
		buf_addf(ret, "[%d]", (int)rec->pid);
	buf_puts(ret, ": ");
	begin = ret->len;
	for (const char *p = rec->text; *p;) {
		size_t len = strcspn(p, "\n");

		buf_add(ret, p, len);
		p += len;
		if (*p) {
			buf_puts(ret, v->wrap ? "\n" : g->ascii ? "\\n" : "\xe2\x86\xb5");
			p++;
		}
	}
	return begin;
}

/* Bytes from `from` on that fit into w columns and end before a new line. */
static size_t fitting(const char *text, size_t from, size_t len, int w)
{
	size_t at = from;
	int used = 0;

	while (at < len && text[at] != '\n') {
		uint32_t code = 0;
		size_t n = text_decode(text + at, len - at, &code);
		int width = n > 0 ? text_width(code) : 4;

		if (used + width > w)
			break;
		used += width;
		at += n > 0 ? n : 1;
	}
	return at > from || at == len || text[at] == '\n' ? at - from : 1;
}

/* The piece of a line, in the style of its parts. */
static void draw_piece(struct grid *g, int x, int y, int w, const struct logview *v, const struct logrec *rec,
                       const struct buf *text, size_t begin, size_t from, size_t to)
{
	enum style style = style_of(rec);
	size_t hit = 0, hit_len = 0;
	bool any = logregex_find(&v->search, text->p, 0, &hit, &hit_len);

	while (from < to && w > 0) {
		CLEANUP(buf_done) struct buf part = { 0 };
		size_t end = from < begin && begin < to ? begin : to;
		bool is_hit;
		int used;

		while (any && hit + hit_len <= from && text->p[hit])
			any = logregex_find(&v->search, text->p, hit + (hit_len > 0 ? hit_len : 1), &hit,
			                    &hit_len);
		is_hit = any && hit_len > 0 && hit <= from && hit + hit_len > from;
		if (is_hit && hit + hit_len < end)
			end = hit + hit_len;
		else if (!is_hit && any && hit > from && hit < end)
			end = hit;
		buf_add(&part, text->p + from, end - from);
		used = grid_text(g, x, y, w,
		                 is_hit         ? STYLE_MATCH
		                 : from < begin ? STYLE_DIM
		                                : style,
		                 buf_text(&part));
		x += used;
		w -= used;
		from = end;
	}
}

/* ---- rows */

static int lines_of(const struct logview *v, const struct grid *g, const struct layout *l, size_t row, int w,
                    int max)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int lines = 0;

	if (!v->wrap || w <= 0)
		return 1;
	(void)write_text(v, g, l->pid, logview_record(v, row), &text);
	for (size_t at = 0; at < text.len && lines < max; lines++) {
		at += fitting(text.p, at, text.len, w);
		at += at < text.len && text.p[at] == '\n';
	}
	return lines > 0 ? lines : 1;
}

static int draw_wrapped(struct grid *g, struct rect r, const struct logview *v, const struct logrec *rec,
                        const struct buf *text, size_t begin)
{
	int y = 0;

	for (size_t at = 0; at < text->len && y < r.h; y++) {
		size_t len = fitting(text->p, at, text->len, r.w);

		draw_piece(g, r.x, r.y + y, r.w, v, rec, text, begin, at, at + len);
		at += len;
		at += at < text->len && text->p[at] == '\n';
	}
	return y > 0 ? y : 1;
}

static void draw_cut(struct grid *g, struct rect r, const struct logview *v, const struct logrec *rec,
                     const struct buf *text, size_t begin)
{
	size_t from = v->column > 0 ? fitting(text->p, 0, text->len, (int)v->column) : 0;
	size_t len = fitting(text->p, from, text->len, r.w);

	if (from + len < text->len && r.w > 1) {
		len = fitting(text->p, from, text->len, r.w - 1);
		(void)grid_text(g, r.x + r.w - 1, r.y, 1, STYLE_DIM, g->ascii ? ">" : "\xe2\x80\xa6");
		r.w--;
	}
	draw_piece(g, r.x, r.y, r.w, v, rec, text, begin, from, from + len);
}

/* Returns the lines used. */
static int draw_row(struct grid *g, struct rect r, const struct layout *l, const struct logview *v,
                    const struct logrec *rec, uint64_t now_usec)
{
	struct rect of_text = { r.x + l->text, r.y, r.w - l->text, r.h };
	CLEANUP(buf_done) struct buf text = { 0 };
	size_t begin = write_text(v, g, l->pid, rec, &text);

	draw_columns(g, r.x, r.y, l, v, rec, now_usec);
	if (text.bad || of_text.w <= 0)
		return 1;
	if (v->wrap)
		return draw_wrapped(g, of_text, v, rec, &text, begin);
	draw_cut(g, of_text, v, rec, &text, begin);
	return 1;
}

/* ---- the status line */

#define STATUS_PARTS 12

struct status_line {
	struct span spans[STATUS_PARTS];
	char texts[STATUS_PARTS][160];
	size_t n;
};

__attribute__((format(printf, 3, 4))) static void say(struct status_line *s, enum style style,
                                                      const char *format, ...)
{
	char *text = s->texts[s->n];
	va_list ap;
	int len = s->n > 0 ? snprintf(text, sizeof(s->texts[0]), "  ") : 0;

	va_start(ap, format);
	(void)vsnprintf(text + len, sizeof(s->texts[0]) - (size_t)len, format, ap);
	va_end(ap);
	s->spans[s->n++] = (struct span){ text, style };
}

/* "1,234" */
static const char *with_commas(uint64_t n, char ret[static 32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			ret[at++] = ',';
		ret[at++] = digits[i];
	}
	ret[at] = '\0';
	return ret;
}

static void write_status(const struct logview *v, struct status_line *s)
{
	char number[32];

	if (v->follow)
		say(s, STYLE_GOOD, "following");
	else if (v->below > 0)
		say(s, STYLE_BUSY, "+%s new below", with_commas(v->below, number));
	else
		say(s, STYLE_DIM, "stopped at %zu of %zu", v->cursor + 1, v->n);
	if (v->note)
		say(s, STYLE_BAD, "%s", v->note);
	if (v->filter.text)
		say(s, STYLE_BUSY, "only /%s/", v->filter.text);
	if (v->priority < LOG_PRIORITY_ALL)
		say(s, STYLE_BUSY, "%s and worse", log_priority_word(v->priority));
	if (v->sources != LOGVIEW_BOTH)
		say(s, STYLE_BUSY, "only the %s",
		    v->sources == LOGVIEW_GUEST ? "guest's journal" : "host's view");
	if (v->search.text)
		say(s, STYLE_KEY, "/%s", v->search.text);
	if (v->column > 0)
		say(s, STYLE_DIM, "from column %zu", v->column + 1);
	if (v->wrap)
		say(s, STYLE_DIM, "wrapped");
	if (v->ring->fallen > 0)
		say(s, STYLE_DIM, "%s older fell out", with_commas(v->ring->fallen, number));
	if (v->ring->lost > 0)
		say(s, STYLE_BAD, "%s lost: out of memory", with_commas(v->ring->lost, number));
}

/* ---- */

static bool has_status(struct rect r)
{
	return r.h >= 3;
}

void logview_fit(struct logview *v, const struct grid *g, struct rect r)
{
	struct layout l = lay_out(v, g, r.w);
	int room = r.h - has_status(r), w = r.w - l.text;
	size_t top = v->cursor;

	if (v->n == 0 || room <= 0) {
		v->top = 0;
		return;
	}
	room -= lines_of(v, g, &l, v->cursor, w, room);
	while (top > 0 && top > (v->follow ? 0 : v->top) &&
	       (room -= lines_of(v, g, &l, top - 1, w, room + 1)) >= 0)
		top--;
	if (v->top > v->cursor || v->top < top || v->follow)
		v->top = top;
	/* no empty lines at the end while there is more above */
	for (size_t row = v->cursor + 1; row < v->n && room > 0; row++)
		room -= lines_of(v, g, &l, row, w, room);
	while (v->top > 0 && room > 0 && (room -= lines_of(v, g, &l, v->top - 1, w, room + 1)) >= 0)
		v->top--;
}

void logview_draw(struct grid *g, struct rect r, const struct logview *v, uint64_t now_usec)
{
	struct layout l = lay_out(v, g, r.w);
	struct status_line s = { 0 };
	int room = r.h - has_status(r), y = 0;

	if (r.w <= 0 || r.h <= 0)
		return;
	grid_fill(g, r, STYLE_TEXT);
	if (v->n == 0)
		(void)grid_text(g, r.x, r.y, r.w, STYLE_DIM,
		                v->ring->n > 0 ? "nothing of what is logged is shown"
		                : v->note      ? v->note
		                               : "nothing is logged yet");
	for (size_t row = v->top; row < v->n && y < room; row++) {
		struct rect at = { r.x, r.y + y, r.w, room - y };
		int lines = draw_row(g, at, &l, v, logview_record(v, row), now_usec);

		if (row == v->cursor) {
			grid_pick(g, (struct rect){ r.x, at.y, r.w, lines });
			g->cursor_x = r.x;
			g->cursor_y = at.y;
		}
		y += lines;
	}
	if (!has_status(r))
		return;
	write_status(v, &s);
	(void)grid_spans(g, r.x, r.y + r.h - 1, r.w, s.spans, s.n);
}

#include "drivers/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "drivers/child.h"
#include "drivers/journal_child.h"
#include "drivers/journal_files.h"
#include "drivers/journal_follow.h"
#include "words/logline.h"

#define THRESHOLD       (4 * LOG_TEXT_MAX) /* bytes of a field we ask for */
#define CURSOR_EVERY    1024               /* records of a stream */
#define ROUND           256   /* records after which a stream that had nothing is looked at again */
#define PAUSE_USEC      20000 /* between two looks: a guest decides how often its folder changes */
#define SAME_MOMENT_MAX 10000 /* entries */
#define STUCK_S         10    /* a journal that takes so long for a step is broken on purpose */
#define NOBODY          65534
#define MEMORY_MAX      (256u << 20)

struct reading {
	const struct journal_stream *spec;
	sd_journal *j;
	struct journal_files files;
	bool loaded; /* j stands on an entry that was not told yet, of usec */
	bool told;   /* j stands on an entry that was told */
	bool empty;  /* nothing was there the last time we looked */
	uint64_t usec, skip;
	uint32_t since_cursor;
};

struct reader {
	int out, leash, inotify;
	struct reading *v;
	size_t n;
	volatile uint32_t *at;
	bool changed; /* a folder: end, and be made again */
	uint64_t begun_ms;
	unsigned lives_ms;
	size_t held;
	char bytes[32768 + sizeof(struct frame) + FRAME_TEXTS_MAX];
};

/* ---- telling */

/* The clock stands while the parent has no time for us. */
static void flush(struct reader *r)
{
	(void)alarm(0);
	for (size_t done = 0; done < r->held;) {
		ssize_t n = write(r->out, r->bytes + done, r->held - done);

		if (n < 0 && errno != EINTR)
			_exit(READER_UNABLE); /* nobody listens any more */
		done += n > 0 ? (size_t)n : 0;
	}
	r->held = 0;
	(void)alarm(STUCK_S);
}

static void tell(struct reader *r, struct frame *f, const char *ident, const char *text, size_t text_len)
{
	size_t ident_len = strlen(ident);

	f->ident_len = (uint32_t)ident_len;
	f->text_len = (uint32_t)text_len;
	memcpy(r->bytes + r->held, f, sizeof(*f));
	r->held += sizeof(*f);
	memcpy(r->bytes + r->held, ident, ident_len);
	r->held += ident_len;
	memcpy(r->bytes + r->held, text, text_len);
	r->held += text_len;
	if (r->held > 32768)
		flush(r);
}

static void tell_state(struct reader *r, size_t i, enum journal_state state, const char *text)
{
	struct frame f = { .kind = FRAME_STATE, .stream = (uint32_t)i, .n = state };

	tell(r, &f, "", text, strlen(text));
}

/* Where the stream is, so that another reader can go on from there. */
static void tell_cursor(struct reader *r, struct reading *s)
{
	struct frame f = { .kind = FRAME_CURSOR, .stream = (uint32_t)(s - r->v), .n = s->told };
	CLEANUP(free_p) char *cursor = NULL;

	if (s->loaded || s->told) {
		if (sd_journal_get_cursor(s->j, &cursor) < 0 || strlen(cursor) > LOG_TEXT_MAX)
			return;
	}
	tell(r, &f, "", cursor ? cursor : "", cursor ? strlen(cursor) : 0);
	s->since_cursor = 0;
}

/* ---- one entry */

struct entry {
	struct frame f;
	bool has_text, by_nspawn, by_systemd;
	char ident[LOG_IDENT_MAX], comm[LOG_IDENT_MAX], text[LOG_TEXT_MAX + 1];
	size_t text_len;
};

static bool takes(const char *data, size_t len, const char *name, const char **ret, size_t *ret_len)
{
	size_t skip = strlen(name);

	if (len < skip || memcmp(data, name, skip) != 0)
		return false;
	*ret = data + skip;
	*ret_len = len - skip;
	return true;
}

static void take_field(struct entry *x, const char *data, size_t len)
{
	const char *p;
	size_t n;

	if (takes(data, len, "MESSAGE=", &p, &n)) {
		x->has_text = true;
		x->text_len = logline_record(x->text, sizeof(x->text), p, n);
	} else if (takes(data, len, "PRIORITY=", &p, &n)) {
		if (n == 1 && *p >= '0' && *p <= '7')
			x->f.priority = (uint32_t)(*p - '0');
	} else if (takes(data, len, "SYSLOG_IDENTIFIER=", &p, &n)) {
		(void)logline_record(x->ident, sizeof(x->ident), p, n);
	} else if (takes(data, len, "_COMM=", &p, &n)) {
		x->by_nspawn = n == strlen("systemd-nspawn") && memcmp(p, "systemd-nspawn", n) == 0;
		(void)logline_record(x->comm, sizeof(x->comm), p, n);
	} else if (takes(data, len, "_PID=", &p, &n) && n < 10) {
		x->by_systemd = n == 1 && *p == '1';
		for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++)
			x->f.pid = x->f.pid * 10 + (p[i] - '0');
	}
}

/* Who says it, as the host knows: a guest has no way to speak in systemd's name, or in another machine's. */
static void name_source(const struct reading *s, struct entry *x)
{
	x->f.source = s->spec->guest ? LOG_GUEST : x->by_systemd ? LOG_SYSTEMD : LOG_CONSOLE;
	if (!s->spec->guest && x->by_nspawn) {
		(void)snprintf(x->ident, sizeof(x->ident), "console");
		x->f.pid = 0;
	} else if (!x->ident[0]) {
		memcpy(x->ident, x->comm, sizeof(x->ident));
	}
}

static void tell_entry(struct reader *r, struct reading *s)
{
	struct entry x;
	const void *data;
	size_t len;

	x.f = (struct frame){
		.kind = FRAME_RECORD, .stream = (uint32_t)(s - r->v), .priority = 6, .usec = s->usec
	};
	x.has_text = x.by_nspawn = x.by_systemd = false;
	x.ident[0] = x.comm[0] = x.text[0] = '\0';
	x.text_len = 0;
	s->loaded = false;
	s->told = true;
	sd_journal_restart_data(s->j);
	while (sd_journal_enumerate_available_data(s->j, &data, &len) > 0)
		take_field(&x, data, len);
	if (!x.has_text || (x.text_len == 0 && !s->spec->guest))
		return; /* the console's empty lines */
	if (s->skip > 0) {
		s->skip--;
		return;
	}
	name_source(s, &x);
	tell(r, &x.f, x.ident, x.text, x.text_len);
	if (++s->since_cursor >= CURSOR_EVERY)
		tell_cursor(r, s);
}

/* ---- all entries, the oldest of all streams first */

static void give_up(struct reader *r, struct reading *s, int error)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "log read error: %s", strerror(-error));
	tell_state(r, (size_t)(s - r->v), JOURNAL_BROKEN, text);
	sd_journal_close(s->j);
	s->j = NULL;
}

static void load(struct reader *r, struct reading *s)
{
	uint64_t now = clock_usec(CLOCK_REALTIME);
	int got;

	if (s->loaded || s->empty || !s->j)
		return;
	*r->at = (uint32_t)(s - r->v);
	got = sd_journal_next(s->j);
	if (got < 0) {
		give_up(r, s, got);
		return;
	}
	s->loaded = got > 0;
	s->empty = !s->loaded;
	s->told &= s->empty;
	if (s->loaded && (sd_journal_get_realtime_usec(s->j, &s->usec) < 0 || s->usec > now))
		s->usec = now; /* a guest can write any time into its journal */
}

static struct reading *oldest(struct reader *r)
{
	struct reading *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct reading *s = &r->v[i];

		load(r, s);
		if (s->loaded && (!found || s->usec < found->usec))
			found = s;
	}
	return found;
}

static void look_at_all_again(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->v[i].empty = false;
}

/* All of it is told. A tree that nobody runs in can be unmounted: an open file would be in the way. */
static void pause_reading(struct reader *r, struct reading *s)
{
	*r->at = (uint32_t)(s - r->v);
	if (s->j && s->since_cursor > 0)
		tell_cursor(r, s);
	if (!s->files.still)
		return;
	sd_journal_close(s->j);
	s->j = NULL;
}

static void tell_all(struct reader *r)
{
	struct reading *s;

	(void)alarm(STUCK_S);
	look_at_all_again(r);
	for (size_t i = 1; (s = oldest(r)); i++) {
		*r->at = (uint32_t)(s - r->v);
		tell_entry(r, s);
		if (i % ROUND != 0)
			continue;
		look_at_all_again(r);
		(void)alarm(STUCK_S);
	}
	for (size_t i = 0; i < r->n; i++)
		pause_reading(r, &r->v[i]);
	flush(r);
}

/* ---- the beginning of a stream */

static void match_unit(sd_journal *j, const char *unit)
{
	journal_match(j, "_SYSTEMD_UNIT", unit);
	(void)sd_journal_add_disjunction(j);
	journal_match(j, "UNIT", unit);
	journal_match(j, "_PID", "1");
}

/* What in a cursor is of the entry alone: ";b=BOOT;m=...;t=...;x=HASH". The rest names its file, and when
 * journald moves its entries to the disk they come into another one. */
static const char *identity(const char *cursor)
{
	const char *p = cursor ? strstr(cursor, ";b=") : NULL;

	return p ? p : "";
}

/* Whether the journal stands on the entry, or on one before it of the same moment: many lines can come in
 * one. */
static bool is_at(sd_journal *j, const char *cursor)
{
	uint64_t begin, usec;

	if (sd_journal_get_realtime_usec(j, &begin) < 0)
		return false;
	for (int i = 0; i < SAME_MOMENT_MAX; i++) {
		CLEANUP(free_p) char *here = NULL;

		if (sd_journal_get_cursor(j, &here) < 0)
			return false;
		if (strcmp(identity(here), identity(cursor)) == 0)
			return true;
		if (sd_journal_next(j) <= 0 || sd_journal_get_realtime_usec(j, &usec) < 0 || usec != begin)
			return false;
	}
	return false;
}

static int go_on(struct reading *s)
{
	const char *cursor = s->spec->cursor;
	int r = sd_journal_seek_cursor(s->j, cursor);

	if (r >= 0)
		r = sd_journal_next(s->j);
	s->loaded = r > 0;
	if (r <= 0)
		return r;
	if (!is_at(s->j, cursor)) { /* it is gone, and what is found came after it */
		r = sd_journal_seek_cursor(s->j, cursor);
		return r < 0 ? r : sd_journal_next(s->j);
	}
	s->skip = s->spec->since;
	s->told = s->spec->done;
	s->loaded = !s->told;
	return r;
}

static int find_backlog(struct reading *s)
{
	int r = sd_journal_seek_tail(s->j);

	if (r >= 0 && s->spec->backlog > 0)
		r = sd_journal_previous_skip(s->j, s->spec->backlog);
	else if (r >= 0 && (r = sd_journal_previous(s->j)) > 0) {
		s->told = true;
		return r;
	}
	s->loaded = r > 0;
	return r == 0 ? sd_journal_seek_head(s->j) : r;
}

static int seek(struct reading *s)
{
	if (!s->spec->cursor)
		return find_backlog(s);
	if (s->spec->cursor[0])
		return go_on(s);
	s->skip = s->spec->since;
	return sd_journal_seek_head(s->j);
}

static void begin(struct reader *r, size_t i)
{
	struct reading *s = &r->v[i];
	int failed;

	*r->at = (uint32_t)i;
	s->j = journal_files_open(&s->files);
	if (!s->j) {
		tell_state(r, i, s->files.denied ? JOURNAL_DENIED : JOURNAL_MISSING, "");
		if (!s->spec->cursor && !s->files.denied)
			tell_cursor(r, s); /* all that comes is new */
		return;
	}
	(void)sd_journal_set_data_threshold(s->j, THRESHOLD);
	if (!s->spec->guest)
		match_unit(s->j, s->spec->unit);
	failed = seek(s);
	if (s->loaded)
		(void)sd_journal_get_realtime_usec(s->j, &s->usec);
	if (failed < 0) {
		give_up(r, s, failed);
		return;
	}
	tell_state(r, i, s->files.denied ? JOURNAL_DENIED : JOURNAL_FOLLOWED, "");
	if (!s->spec->cursor)
		tell_cursor(r, s);
}

/* ---- life */

static void listen_for_changes(struct reader *r)
{
	_Alignas(struct inotify_event) char bytes[4096];
	const struct inotify_event *event;
	ssize_t n = read(r->inotify, bytes, sizeof(bytes));

	for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)(const void *)(bytes + at);
		if (event->mask & ~(uint32_t)IN_MODIFY)
			r->changed = true;
	}
}

/* The leash was let go: poll() would say so for ever. */
static void let_go(struct reader *r, struct pollfd p[static 2])
{
	p[1].fd = -1;
	r->changed = true;
}

static void live(struct reader *r)
{
	struct pollfd p[] = { { .fd = r->inotify, .events = POLLIN }, { .fd = r->leash, .events = POLLIN } };
	struct frame caught_up = { .kind = FRAME_CAUGHT_UP };

	tell_all(r);
	tell(r, &caught_up, "", "", 0);
	flush(r);
	for (;;) {
		uint64_t age = clock_usec(CLOCK_MONOTONIC) / 1000 - r->begun_ms;

		if (r->changed && age >= r->lives_ms) {
			tell_all(r);
			_exit(READER_AGAIN);
		}
		(void)alarm(0);
		(void)poll(p, COUNT(p), r->changed ? (int)(r->lives_ms - age) : -1);
		if (p[1].revents)
			let_go(r, p);
		listen_for_changes(r);
		tell_all(r);
		(void)usleep(PAUSE_USEC);
	}
}

/* Root's rights end here: from now on only what is open already can be read. */
static void give_up_rights(void)
{
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	(void)setrlimit(RLIMIT_DATA, &memory);
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	                       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		_exit(READER_UNABLE);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the kernel forgets it when the user changes */
}

/* Leaves out as 3, leash as 4, and what stands for the terminal empty. */
static void close_others(struct reader *r, int out, int leash)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high = fcntl(out, F_DUPFD_CLOEXEC, 10), high_leash = fcntl(leash, F_DUPFD_CLOEXEC, 10);

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		(void)dup2(null, fd);
	r->out = dup3(high, 3, O_CLOEXEC);
	r->leash = dup3(high_leash, 4, O_CLOEXEC);
	if (r->out < 0 || r->leash < 0 || close_range(5, ~0U, 0) < 0)
		_exit(READER_UNABLE);
}

void journal_reader_run(int out, int leash, unsigned lives_ms, const struct journal_stream *streams, size_t n,
                        volatile uint32_t *at)
{
	static struct reader r;
	struct rlimit files;

	child_become();
	close_others(&r, out, leash);
	r.at = at;
	r.lives_ms = lives_ms;
	r.n = n;
	r.v = calloc(n + 1, sizeof(*r.v));
	r.begun_ms = clock_usec(CLOCK_MONOTONIC) / 1000;
	r.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!r.v || r.inotify < 0)
		_exit(READER_UNABLE);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	for (size_t i = 0; i < n; i++) {
		r.v[i].spec = &streams[i];
		if (!streams[i].off)
			journal_files_find(&streams[i], r.inotify, &r.v[i].files);
	}
	give_up_rights();
	(void)alarm(STUCK_S);
	for (size_t i = 0; i < n; i++)
		if (!streams[i].off)
			begin(&r, i);
	live(&r);
	_exit(READER_UNABLE);
}

#include "drivers/journal_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "drivers/journal_reader.h"

#define SLICE        65536 /* bytes taken in a turn of the loop */
#define PIPE_SIZE    262144
#define PRIORITY     100         /* of the loop: keys and events come first */
#define FIRST_USEC   250000ULL   /* how long a journal that killed its reader is left out, the first time */
#define LONGEST_USEC 16000000ULL /* ... at most */
#define LIVES_MS     250         /* a reader lives at least so long, and ... */
#define LIVES_MAX_MS 8000        /* ... longer where a guest changes its folders again and again */
#define PATIENCE     8
#define END_USEC     2000000ULL  /* how long a reader may take to end */
#define CALM_USEC    60000000ULL /* after so long without trouble it is a first time again */
#define FRAME_MAX    (sizeof(struct frame) + FRAME_TEXTS_MAX)

struct kept { /* of a stream, what outlives a reader */
	char *machine, *unit, *root, *cursor;
	enum journal_state state;
	uint64_t back_off_usec, trouble_usec, off_until_usec; /* CLOCK_MONOTONIC */
};

struct journal_follow {
	sd_event *loop;
	struct journal_sink sink;
	struct journal_stream *streams; /* two a place: the host's, the guest's */
	struct kept *kept;
	size_t n;
	volatile uint32_t *at;
	pid_t child;
	int pipe, leash;
	bool caught_up, ended_by_us;
	uint64_t launched_usec;      /* CLOCK_MONOTONIC */
	unsigned in_a_row, lives_ms; /* readers that soon ended because a folder changed */
	sd_event_source *io, *retry;
	size_t held;
	char bytes[SLICE + FRAME_MAX];
};

static void launch_again(struct journal_follow *f);

/* ---- the child's end */

/* It has closed its pipe, so it has ended or is about to; one that only pretends is killed. */
static int reap(struct journal_follow *f)
{
	CLEANUP(close_p) int pidfd = f->child > 0 ? process_open(f->child) : -1;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int status = 0;

	if (f->child <= 0)
		return 0;
	if (pidfd < 0 || poll(&p, 1, 100) <= 0)
		(void)kill(f->child, SIGKILL);
	while (waitpid(f->child, &status, 0) < 0 && errno == EINTR)
		;
	f->child = 0;
	return status;
}

static void stop_listening(struct journal_follow *f)
{
	f->io = sd_event_source_disable_unref(f->io);
	close_p(&f->pipe);
	close_p(&f->leash);
	f->pipe = f->leash = -1;
	f->held = 0;
}

static void set_state(struct journal_follow *f, size_t i, enum journal_state state, const char *text)
{
	if (f->kept[i].state == state && state != JOURNAL_BROKEN)
		return;
	f->kept[i].state = state;
	f->sink.state(f->streams[i].place, f->streams[i].guest, state, text, f->sink.arg);
}

static void tell_trouble(struct journal_follow *f, size_t i, const char *text)
{
	struct logrec rec = { .usec = clock_usec(CLOCK_REALTIME),
		              .machine = f->streams[i].place,
		              .source = LOG_READER,
		              .priority = LOG_PRIORITY_ERR,
		              .ident = "machdeck",
		              .text = text };

	f->sink.record(&rec, f->sink.arg);
	set_state(f, i, JOURNAL_BROKEN, text);
}

static const char *why_ended(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
		return "a journal file was truncated while it was read";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return "reading a journal took too long";
	return "the journal's reader ended";
}

/* The reader was killed at the stream i, which is left out for a while so that the others can be read. */
static void leave_out(struct journal_follow *f, size_t i, int status)
{
	struct kept *k = &f->kept[i];
	uint64_t now = clock_usec(CLOCK_MONOTONIC);
	char text[256];

	if (k->back_off_usec == 0 || now - k->trouble_usec > CALM_USEC)
		k->back_off_usec = FIRST_USEC;
	else
		k->back_off_usec = k->back_off_usec * 4 > LONGEST_USEC ? LONGEST_USEC : k->back_off_usec * 4;
	k->trouble_usec = now;
	k->off_until_usec = now + k->back_off_usec;
	(void)snprintf(text, sizeof(text), "log read error: %s (%s); it is read on in %.1f s",
	               why_ended(status), WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "unexpectedly",
	               (double)k->back_off_usec / 1e6);
	tell_trouble(f, i, text);
}

static int on_retry(sd_event_source *s, uint64_t usec, void *arg);

static int retry_at(struct journal_follow *f, uint64_t usec)
{
	if (!f->retry)
		return sd_event_add_time(f->loop, &f->retry, CLOCK_MONOTONIC, usec, 10000, on_retry, f);
	(void)sd_event_source_set_time(f->retry, usec);
	return sd_event_source_set_enabled(f->retry, SD_EVENT_ONESHOT);
}

/* The reader ends by itself after its last words are out; one that does not is killed. */
static int on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	struct journal_follow *f = arg;

	(void)s;
	if (f->child <= 0) {
		launch_again(f);
		return 0;
	}
	f->ended_by_us = true;
	if (f->leash < 0)
		(void)kill(f->child, SIGKILL);
	close_p(&f->leash);
	f->leash = -1;
	return retry_at(f, usec + END_USEC);
}

/* A guest that changes its folders again and again gets a reader less often. */
static void pace(struct journal_follow *f)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (now - f->launched_usec > f->lives_ms * 2000ULL) {
		f->in_a_row = 0;
		f->lives_ms = LIVES_MS;
	} else if (++f->in_a_row > PATIENCE && f->lives_ms < LIVES_MAX_MS) {
		f->lives_ms *= 2;
	}
	f->launched_usec = now;
}

static void on_end(struct journal_follow *f)
{
	int status = reap(f);
	uint32_t at = *f->at;

	stop_listening(f);
	if (!f->ended_by_us && !(WIFEXITED(status) && WEXITSTATUS(status) == READER_AGAIN))
		leave_out(f, at < f->n ? at : 0, status);
	f->ended_by_us = false;
	pace(f);
	if (f->retry)
		(void)sd_event_source_set_enabled(f->retry, SD_EVENT_OFF);
	launch_again(f);
	f->sink.turn(f->sink.arg);
}

/* ---- frames: the child reads what a guest wrote, so it is not believed */

static bool is_text(const char *p, size_t len)
{
	return memchr(p, '\0', len) == NULL;
}

static void take_record(struct journal_follow *f, const struct frame *head, const char *p)
{
	char ident[LOG_IDENT_MAX + 1], text[LOG_TEXT_MAX + 17];
	struct journal_stream *s = &f->streams[head->stream];
	struct logrec rec = { .usec = head->usec,
		              .machine = s->place,
		              .source = head->source <= LOG_GUEST ? (enum log_source)head->source : LOG_GUEST,
		              .priority = (uint8_t)(head->priority & LOG_PRIORITY_ALL),
		              .pid = head->pid,
		              .ident = ident,
		              .text = text };

	s->since++;
	memcpy(ident, p, head->ident_len);
	ident[head->ident_len] = '\0';
	memcpy(text, p + head->ident_len, head->text_len);
	text[head->text_len] = '\0';
	f->sink.record(&rec, f->sink.arg);
}

static void take_cursor(struct journal_follow *f, const struct frame *head, const char *p)
{
	struct journal_stream *s = &f->streams[head->stream];
	char *copy = strndup(p, head->text_len);

	if (!copy)
		return; /* from the last one on it is as exact */
	free(f->kept[head->stream].cursor);
	s->cursor = f->kept[head->stream].cursor = copy;
	s->done = head->n;
	s->since = 0;
}

static void take_frame(struct journal_follow *f, const struct frame *head, const char *p)
{
	CLEANUP(free_p) char *text = NULL;

	switch ((enum frame_kind)head->kind) {
	case FRAME_RECORD:
		take_record(f, head, p);
		break;
	case FRAME_CURSOR:
		take_cursor(f, head, p);
		break;
	case FRAME_STATE:
		text = strndup(p, head->text_len);
		if (text && head->n <= JOURNAL_BROKEN)
			set_state(f, head->stream, (enum journal_state)head->n, text);
		break;
	case FRAME_CAUGHT_UP:
		if (!f->caught_up)
			f->sink.caught_up(f->sink.arg);
		f->caught_up = true;
		break;
	}
}

static bool can_be(const struct journal_follow *f, const struct frame *head)
{
	return head->kind <= FRAME_CAUGHT_UP && head->stream < f->n && head->ident_len <= LOG_IDENT_MAX &&
	       head->text_len <= LOG_TEXT_MAX;
}

/* Takes the whole frames. False: what came can not be one. */
static bool take_frames(struct journal_follow *f)
{
	size_t at = 0;

	while (f->held - at >= sizeof(struct frame)) {
		struct frame head;
		size_t texts;

		memcpy(&head, f->bytes + at, sizeof(head));
		if (!can_be(f, &head))
			return false;
		texts = head.ident_len + head.text_len;
		if (f->held - at < sizeof(head) + texts)
			break;
		if (!is_text(f->bytes + at + sizeof(head), texts))
			return false;
		take_frame(f, &head, f->bytes + at + sizeof(head));
		at += sizeof(head) + texts;
	}
	memmove(f->bytes, f->bytes + at, f->held - at);
	f->held -= at;
	return true;
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct journal_follow *f = arg;
	ssize_t n = read(fd, f->bytes + f->held, SLICE);

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		on_end(f);
		return 0;
	}
	f->held += (size_t)n;
	if (!take_frames(f)) {
		(void)kill(f->child, SIGKILL);
		on_end(f);
		return 0;
	}
	f->sink.turn(f->sink.arg);
	return 0;
}

/* ---- the child's beginning */

/* Which streams are read now; returns whether any is. Those that are left out are tried again in time. */
static bool choose(struct journal_follow *f)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC), next = UINT64_MAX;
	bool any = false;

	for (size_t i = 0; i < f->n; i++) {
		f->streams[i].off =
			f->kept[i].off_until_usec > now || (!f->streams[i].guest && !f->streams[i].unit);
		any |= !f->streams[i].off;
		if (f->kept[i].off_until_usec > now && f->kept[i].off_until_usec < next)
			next = f->kept[i].off_until_usec;
	}
	if (next != UINT64_MAX)
		(void)retry_at(f, next);
	return any;
}

static int start(struct journal_follow *f, struct err *e)
{
	CLEANUP(close_p) int out = -1;
	CLEANUP(close_p) int end_of_leash = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	f->pipe = fds[0];
	out = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	end_of_leash = fds[0];
	f->leash = fds[1];
	(void)fcntl(out, F_SETPIPE_SZ, PIPE_SIZE);
	f->child = fork();
	if (f->child == 0)
		journal_reader_run(out, end_of_leash, f->lives_ms, f->streams, f->n, f->at);
	r = f->child < 0 ? -errno : 0;
	if (r == 0) {
		(void)fcntl(f->pipe, F_SETFL, O_NONBLOCK);
		r = sd_event_add_io(f->loop, &f->io, f->pipe, EPOLLIN, on_readable, f);
	}
	if (r >= 0)
		r = sd_event_source_set_priority(f->io, PRIORITY);
	return r < 0 ? err_sys(e, -r, "cannot make the journal's reader") : 0;
}

static int launch(struct journal_follow *f, struct err *e)
{
	int r;

	if (!choose(f))
		return 0;
	*f->at = 0;
	r = start(f, e);
	if (r >= 0)
		return 0;
	stop_listening(f);
	if (f->child > 0)
		(void)kill(f->child, SIGKILL);
	(void)reap(f);
	return r;
}

static void launch_again(struct journal_follow *f)
{
	struct err e;

	if (launch(f, &e) >= 0)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (!f->streams[i].off)
			set_state(f, i, JOURNAL_BROKEN, e.text);
	(void)retry_at(f, clock_usec(CLOCK_MONOTONIC) + LONGEST_USEC);
}

/* ---- */

static int set_text(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int set_places(struct journal_follow *f, const struct journal_place *places, struct err *e)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct journal_place *p = &places[i / 2];
		struct journal_stream *s = &f->streams[i];
		struct kept *k = &f->kept[i];

		if (set_text(&k->machine, p->machine) < 0 || set_text(&k->unit, p->unit) < 0 ||
		    set_text(&k->root, p->root) < 0)
			return err_no_memory(e);
		s->place = (uint32_t)(i / 2);
		s->guest = i % 2 == 1;
		s->machine = k->machine;
		s->unit = k->unit;
		s->root = k->root;
	}
	return 0;
}

void journal_follow_free(struct journal_follow *f)
{
	if (!f)
		return;
	if (f->child > 0)
		(void)kill(f->child, SIGKILL);
	stop_listening(f);
	(void)reap(f);
	sd_event_source_disable_unref(f->retry);
	for (size_t i = 0; f->kept && i < f->n; i++) {
		free(f->kept[i].machine);
		free(f->kept[i].unit);
		free(f->kept[i].root);
		free(f->kept[i].cursor);
	}
	if (f->at)
		(void)munmap((void *)(uintptr_t)f->at, sizeof(*f->at));
	free(f->kept);
	free(f->streams);
	free(f);
}

static void free_follow(struct journal_follow **f)
{
	journal_follow_free(*f);
}

int journal_follow(sd_event *loop, const struct journal_place *places, size_t n, size_t backlog,
                   const struct journal_sink *sink, struct journal_follow **ret, struct err *e)
{
	CLEANUP(free_follow) struct journal_follow *f = NULL;
	void *shared;
	int r;

	if (n > JOURNAL_PLACES_MAX)
		return err_set(e, STATUS_USAGE, E2BIG, "the logs of at most %d machines can be read at once",
		               JOURNAL_PLACES_MAX);
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_no_memory(e);
	f->loop = loop;
	f->sink = *sink;
	f->pipe = f->leash = -1;
	f->n = 2 * n;
	f->lives_ms = LIVES_MS;
	f->launched_usec = clock_usec(CLOCK_MONOTONIC);
	f->streams = calloc(f->n + 1, sizeof(*f->streams));
	f->kept = calloc(f->n + 1, sizeof(*f->kept));
	shared = mmap(NULL, sizeof(*f->at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared != MAP_FAILED)
		f->at = shared;
	if (!f->streams || !f->kept || !f->at)
		return err_no_memory(e);
	r = set_places(f, places, e);
	for (size_t i = 0; i < f->n; i++)
		f->streams[i].backlog = backlog;
	if (r >= 0)
		r = launch(f, e);
	if (r < 0)
		return r;
	*ret = take_p(&f);
	return 0;
}

void journal_follow_again(struct journal_follow *f)
{
	(void)retry_at(f, clock_usec(CLOCK_MONOTONIC));
}

#include "engine/player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "decide/scene.h"
#include "decide/tape.h"

#define CHUNK      65536
#define EVENTS_MAX 2000

struct player {
	int fd;
	char *name;
	char *text; /* TAPE_LINE_MAX + CHUNK bytes: what is read and not parsed yet is [from, to) */
	size_t from, to;
	bool at_end; /* of the file */

	struct tape_reader reader;
	struct scene scene;
	struct tape_record next; /* read ahead: it is the first of the next moment */
	bool has_next;
	char note[ERR_TEXT_MAX];

	double speed;
	uint64_t began_usec; /* CLOCK_MONOTONIC when the scene's moment was, at this speed */
	sd_event_source *timer;
	player_changed_fn *changed;
	void *arg;
};

/* ---- the file */

static int fill(struct player *p, struct err *e)
{
	ssize_t n;

	memmove(p->text, p->text + p->from, p->to - p->from);
	p->to -= p->from;
	p->from = 0;
	do
		n = read(p->fd, p->text + p->to, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "cannot read %s", p->name);
	p->to += (size_t)n;
	p->at_end = n == 0;
	return 0;
}

/* The next line, without its newline; its length, or -ENODATA at the end. A line that is too long comes cut,
 * and is refused by who parses it. */
static ssize_t next_line(struct player *p, const char **ret, struct err *e)
{
	size_t looked = 0;

	for (;;) {
		char *end = memchr(p->text + p->from + looked, '\n', p->to - p->from - looked);
		size_t len = end ? (size_t)(end - p->text) - p->from : p->to - p->from;
		int r;

		if (end || len > TAPE_LINE_MAX || (p->at_end && len > 0)) {
			*ret = p->text + p->from;
			p->from += end ? len + 1 : len;
			return (ssize_t)len;
		}
		if (p->at_end)
			return -ENODATA;
		looked = len;
		r = fill(p, e);
		if (r < 0)
			return r;
	}
}

/* ---- playing */

static void end_with(struct player *p, const char *why)
{
	(void)snprintf(p->note, sizeof(p->note), "%s", why);
	p->has_next = false;
}

static int read_next(struct player *p, struct err *e)
{
	const char *line = NULL;
	ssize_t len = next_line(p, &line, e);
	int r;

	p->has_next = false;
	if (len == -ENODATA) {
		end_with(p, "the tape ends here");
		return 0;
	}
	if (len < 0)
		return (int)len;
	tape_record_done(&p->next);
	r = tape_parse(&p->reader, line, (size_t)len, &p->next, e);
	p->has_next = r >= 0;
	return r;
}

static void bound_events(struct events *all)
{
	size_t gone = all->n > EVENTS_MAX ? all->n - EVENTS_MAX : 0;

	for (size_t i = 0; i < gone; i++)
		free(all->v[i].text);
	all->n -= gone;
	if (gone > 0)
		memmove(all->v, all->v + gone, all->n * sizeof(*all->v));
}

/* All that has the time of the next record. */
static int play_moment(struct player *p, struct err *e)
{
	uint64_t at = p->next.at_usec;
	int r = 0;

	while (r >= 0 && p->has_next && p->next.at_usec == at) {
		r = scene_apply(&p->scene, &p->next, e);
		bound_events(&p->scene.events);
		if (r >= 0)
			r = read_next(p, e);
	}
	p->began_usec = clock_usec(CLOCK_MONOTONIC);
	return r;
}

static void plan(struct player *p)
{
	double wait;

	if (!p->timer)
		return;
	if (!p->has_next || p->speed <= 0) {
		(void)sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
		return;
	}
	wait = (double)(p->next.at_usec - p->scene.now.taken_usec) / p->speed;
	(void)sd_event_source_set_time(p->timer, p->began_usec + (uint64_t)wait);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

bool player_step(struct player *p)
{
	struct err e;

	if (!p->has_next)
		return false;
	if (play_moment(p, &e) < 0)
		end_with(p, e.text);
	plan(p);
	return true;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct player *p = arg;

	(void)s;
	(void)usec;
	(void)player_step(p);
	if (p->changed)
		p->changed(p->arg);
	return 0;
}

uint64_t player_clock_usec(const struct player *p)
{
	uint64_t at = p->scene.now.taken_usec, passed;

	if (!p->timer || p->speed <= 0 || !p->has_next)
		return at;
	passed = (uint64_t)((double)(clock_usec(CLOCK_MONOTONIC) - p->began_usec) * p->speed);
	return at + passed > p->next.at_usec ? p->next.at_usec : at + passed;
}

const struct snapshot *player_now(const struct player *p)
{
	return &p->scene.now;
}

const struct stats_table *player_stats(const struct player *p)
{
	return &p->scene.stats;
}

const struct events *player_events(const struct player *p)
{
	return &p->scene.events;
}

const char *player_note(const struct player *p)
{
	return p->note[0] ? p->note : NULL;
}

/* ---- making and freeing */

void player_free(struct player *p)
{
	if (!p)
		return;
	sd_event_source_disable_unref(p->timer);
	close_p(&p->fd);
	tape_record_done(&p->next);
	scene_done(&p->scene);
	tape_reader_done(&p->reader);
	free(p->text);
	free(p->name);
	free(p);
}

static int start(struct player *p, sd_event *loop, struct err *e)
{
	struct stat st;
	int r;

	if (!p->name || !p->text)
		return err_no_memory(e);
	p->reader.file = p->name;
	if (fstat(p->fd, &st) < 0)
		return err_sys(e, errno, "cannot look at %s", p->name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, STATUS_DATA, EINVAL, "%s is no regular file", p->name);
	r = read_next(p, e);
	if (r >= 0 && !p->has_next)
		return err_set(e, STATUS_DATA, EINVAL, "%s is empty: no tape", p->name);
	if (r >= 0)
		r = play_moment(p, e);
	if (r < 0 || !loop)
		return r;
	r = sd_event_add_time(loop, &p->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, p);
	if (r < 0)
		return err_sys(e, -r, "cannot set a timer");
	plan(p);
	return 0;
}

int player_new(sd_event *loop, int fd, const char *name, double speed, player_changed_fn *changed, void *arg,
               struct player **ret, struct err *e)
{
	CLEANUP(close_p) int file = fd;
	struct player *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_no_memory(e);
	*p = (struct player){ .fd = take_fd(&file),
		              .name = strdup(name),
		              .text = malloc(TAPE_LINE_MAX + 2 * CHUNK),
		              .speed = speed > 0 ? speed : 0,
		              .changed = changed,
		              .arg = arg };
	r = start(p, loop, e);
	if (r < 0) {
		player_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

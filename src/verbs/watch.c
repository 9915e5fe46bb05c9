/* machdeck watch: a line for each change, when it happens and never else, until it is interrupted or nobody
 * reads. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/driftlog.h"
#include "engine/observe.h"
#include "engine/timeline.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

struct watch {
	sd_event *loop;
	struct observer *observer;
	struct timeline *timeline;
	struct driftlog *driftlog;
	bool json, begun;
};

/* Who reads is gone, or cannot be written to. */
static void give_up(struct watch *w, int errnum)
{
	struct err e;
	int status = STATUS_DONE;

	if (errnum != EPIPE) {
		(void)err_sys(&e, errnum, "cannot write the output");
		e.status = STATUS_IO;
		status = verb_fail(&e);
	}
	(void)sd_event_exit(w->loop, status);
}

static void say(struct watch *w, struct buf *line)
{
	buf_puts(line, "\n");
	if (line->bad)
		give_up(w, ENOMEM);
	else if (fputs(buf_text(line), stdout) < 0)
		give_up(w, errno);
}

static void say_json(struct watch *w, json_t *object)
{
	CLEANUP(buf_done) struct buf line = { 0 };
	CLEANUP(free_p) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	line.bad = !text;
	buf_puts(&line, text ? text : "");
	say(w, &line);
}

static void flush(struct watch *w)
{
	if (fflush(stdout) != 0)
		give_up(w, errno);
}

static json_t *event_json(const struct event *e, const struct machine *m)
{
	char time[32];

	show_time(e->usec, time);
	return json_pack("{s:i, s:s, s:I, s:o, s:s, s:b, s:o, s:o}", "schema", 1, "time", time, "usec",
	                 (json_int_t)e->usec, "name", show_json_text(e->name[0] ? e->name : NULL), "kind",
	                 event_kind_word(e->kind), "bad", e->bad, "text", show_json_text(e->text), "state",
	                 m ? json_string(machine_state_word(m->state)) : json_null());
}

static void say_event(struct watch *w, const struct snapshot *now, const struct event *e)
{
	CLEANUP(buf_done) struct buf line = { 0 };
	char time[32];

	if (w->json) {
		say_json(w, event_json(e, snapshot_find(now, e->name)));
		return;
	}
	show_local_time(e->usec, time);
	buf_addf(&line, "%s ", time);
	show_text(&line, e->name[0] ? e->name : now->host);
	buf_addf(&line, ": %s", e->text);
	say(w, &line);
}

static void on_fresh(const struct events *fresh, void *arg)
{
	struct watch *w = arg;
	const struct snapshot *now = observer_snapshot(w->observer);

	for (size_t i = 0; i < fresh->n; i++)
		say_event(w, now, &fresh->v[i]);
	flush(w);
}

static void on_drift(const struct events *fresh, void *arg)
{
	struct watch *w = arg;

	timeline_add(w->timeline, fresh);
}

/* From here on nothing is missed: who waits for this line may act. */
static void begin(struct watch *w, const struct snapshot *now)
{
	CLEANUP(buf_done) struct buf line = { 0 };

	w->begun = true;
	if (w->json) {
		say_json(w, json_pack("{s:i, s:o, s:i}", "schema", 1, "host", show_json_text(now->host),
		                      "machines", (int)now->n));
	} else {
		buf_addf(&line, "watching %zu machine%s on ", now->n, now->n == 1 ? "" : "s");
		show_text(&line, now->host);
		say(w, &line);
	}
	flush(w);
}

static void on_change(const struct snapshot *now, void *arg)
{
	struct watch *w = arg;

	if (!w->begun && !(w->observer && observer_is_settled(w->observer)))
		return;
	timeline_snapshot(w->timeline, now);
	if (!w->begun)
		begin(w, now);
	(void)driftlog_snapshot(w->driftlog, now, NULL); /* what the kernel does not tell is not compared */
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)si;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), STATUS_DONE);
}

static int on_reader_gone(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), STATUS_DONE);
}

static int add_sources(struct watch *w)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	int r = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT(ends) && r >= 0; i++)
		r = sd_event_add_signal(w->loop, NULL, ends[i] | SD_EVENT_SIGNAL_PROCMASK, on_signal, NULL);
	if (r >= 0) /* only errors and hang-ups; a file has none */
		(void)sd_event_add_io(w->loop, NULL, STDOUT_FILENO, 0, on_reader_gone, NULL);
	return r;
}

static int run(struct watch *w, struct err *e)
{
	int r = sd_event_new(&w->loop);

	if (r >= 0)
		r = add_sources(w);
	if (r < 0)
		return err_sys(e, -r, "cannot make an event loop");
	r = timeline_new(NULL, on_fresh, w, &w->timeline, e);
	if (r >= 0)
		r = observer_new(w->loop, on_change, w, &w->observer, e);
	if (r >= 0)
		r = driftlog_new(w->loop, w->observer, on_drift, w, &w->driftlog, e);
	if (r < 0)
		return r;
	r = sd_event_loop(w->loop);
	return r < 0 ? err_sys(e, -r, "the event loop broke") : r;
}

int verb_watch(const struct verb *v, int argc, char **argv)
{
	struct watch w = { 0 };
	struct err e;
	int r = verb_no_name(v, argc, argv, &w.json, "it watches all machines");

	if (r != STATUS_DONE)
		return r;
	r = run(&w, &e);
	driftlog_free(w.driftlog);
	observer_free(w.observer);
	timeline_free(w.timeline);
	sd_event_unref(w.loop);
	return r < 0 ? verb_fail(&e) : r;
}

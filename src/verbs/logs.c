/* machdeck logs: what machines log, the guest's journal and the host's view merged by time. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "engine/logs.h"
#include "engine/target.h"
#include "verbs/show.h"
#include "verbs/verbs.h"
#include "words/logregex.h"

#define LINES_DEFAULT 50
#define DEADLINE_USEC 5000000ULL

struct request {
	bool follow, json;
	size_t lines;
	unsigned priority;
	struct logregex grep;
};

struct watching {
	sd_event *loop;
	const struct request *q;
	struct logs *logs;
	struct strs units, names;
	uint64_t printed; /* records that arrived before this one were looked at */
	char *noted;
	bool begun;
	int status;
};

/* ---- printing */

static bool wanted(const struct request *q, const struct logrec *rec)
{
	return rec->source == LOG_READER ||
	       (rec->priority <= q->priority && (!q->grep.text || logregex_in(&q->grep, rec)));
}

static void add_text(struct buf *to, const struct watching *w, const struct logrec *rec, bool colours)
{
	char when[32];
	const char *colour = !colours                                ? ""
	                     : rec->priority <= LOG_PRIORITY_ERR     ? "\x1b[1;31m"
	                     : rec->priority == LOG_PRIORITY_ERR + 1 ? "\x1b[33m"
	                                                             : "";

	show_local_time(rec->usec, when);
	for (const char *line = rec->text; line; line = strchr(line, '\n')) {
		size_t len;

		line += *line == '\n';
		len = strcspn(line, "\n");
		buf_puts(to, when);
		if (w->names.n > 1)
			buf_addf(to, " %-12s", w->names.v[rec->machine]);
		buf_addf(to, " %s", rec->ident);
		if (rec->pid > 0)
			buf_addf(to, "[%d]", (int)rec->pid);
		buf_addf(to, ": %s%.*s%s\n", colour, (int)len, line, *colour ? "\x1b[0m" : "");
		line += len;
		if (!*line)
			break;
	}
}

static void add_json(struct buf *to, const struct watching *w, const struct logrec *rec)
{
	char when[32];
	json_t *doc;
	char *text;

	show_time(rec->usec, when);
	doc = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:s}", "time", when, "usec",
	                (json_int_t)rec->usec, "machine", w->names.v[rec->machine], "from",
	                log_source_word(rec->source), "priority", log_priority_word(rec->priority), "ident",
	                rec->ident, "pid", rec->pid > 0 ? json_integer(rec->pid) : json_null(), "text",
	                rec->text);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	buf_addf(to, "%s\n", text ? text : "null");
	free(text);
	json_decref(doc);
}

/* How many of the records are left out at first, so that of those that are wanted only the last few are
 * printed. */
static uint64_t first_position(const struct watching *w)
{
	const struct logring *r = logs_ring(w->logs);
	uint64_t at = logring_end(r);
	size_t found = 0;

	while (at > logring_begin(r) && found < w->q->lines)
		found += wanted(w->q, logring_at(r, --at));
	return at;
}

static void print_new(struct watching *w)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct logring *r = logs_ring(w->logs);
	uint64_t news = logring_news(r), from = w->begun ? news : first_position(w), next = r->received;

	for (uint64_t at = from; at < logring_end(r); at++) {
		const struct logrec *rec = logring_at(r, at);

		if (rec->id < w->printed || !wanted(w->q, rec))
			continue;
		if (w->q->json)
			add_json(&text, w, rec);
		else
			add_text(&text, w, rec, show_colours());
	}
	w->begun = true;
	w->printed = next;
	if (text.len > 0)
		w->status = verb_print_buf(&text);
}

static void print_note(struct watching *w)
{
	const char *note = logs_note(w->logs);

	if (note && (!w->noted || strcmp(w->noted, note) != 0)) {
		fprintf(stderr, "machdeck: %s\n", note);
		free(w->noted);
		w->noted = strdup(note);
	}
}

static void on_changed(void *arg)
{
	struct watching *w = arg;

	if (!logs_caught_up(w->logs))
		return;
	print_note(w);
	print_new(w);
	if (w->noted && logs_ring(w->logs)->received == 0)
		w->status = STATUS_NOT_PERMITTED;
	if (!w->q->follow || w->status != STATUS_DONE)
		(void)sd_event_exit(w->loop, 0);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct watching *w = arg;

	(void)s;
	(void)usec;
	if (logs_caught_up(w->logs))
		return 0;
	fprintf(stderr, "machdeck: the journals could not be read within %d s; this is what came\n",
	        (int)(DEADLINE_USEC / 1000000));
	print_new(w);
	w->status = STATUS_DEADLINE;
	return sd_event_exit(w->loop, 0);
}

/* ---- */

static int find_targets(struct watching *w, int n, char **names, struct logs_target *ret, struct err *e)
{
	for (int i = 0; i < n; i++) {
		CLEANUP(target_done) struct target t = { 0 };
		int r = target_find(names[i], false, &t, e);

		if (r < 0)
			return r;
		strs_add(&w->names, names[i]);
		strs_add(&w->units,
		         t.unit ? t.unit : ""); /* a person's session has a guest's journal all the same */
	}
	if (w->names.bad || w->units.bad)
		return err_no_memory(e);
	for (int i = 0; i < n; i++) {
		ret[i].name = w->names.v[i];
		ret[i].unit = w->units.v[i][0] ? w->units.v[i] : NULL;
	}
	return 0;
}

static int on_reader_gone(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int watch(struct watching *w, int n, char **names, struct err *e)
{
	struct logs_target targets[LOGS_TARGETS_MAX] = { 0 };
	size_t backlog = w->q->grep.text || w->q->priority < LOG_PRIORITY_ALL ? LOGRING_RECORDS : w->q->lines;
	int r;

	if (n > LOGS_TARGETS_MAX)
		return err_set(e, STATUS_USAGE, E2BIG, "the logs of at most %d machines can be read at once",
		               LOGS_TARGETS_MAX);
	r = find_targets(w, n, names, targets, e);
	if (r >= 0 && (r = sd_event_new(&w->loop)) < 0)
		r = err_sys(e, -r, "cannot make a loop");
	if (r >= 0)
		r = logs_open(w->loop, targets, (size_t)n, backlog, on_changed, w, &w->logs, e);
	if (r >= 0 && (r = sd_event_add_time_relative(w->loop, NULL, CLOCK_MONOTONIC, DEADLINE_USEC, 0,
	                                              on_deadline, w)) < 0)
		r = err_sys(e, -r, "cannot wait for logs");
	if (r >= 0 && w->q->follow) /* only errors and hang-ups; a file has none */
		(void)sd_event_add_io(w->loop, NULL, STDOUT_FILENO, 0, on_reader_gone, NULL);
	if (r >= 0 && (r = sd_event_loop(w->loop)) < 0)
		r = err_sys(e, -r, "cannot wait for logs");
	return r;
}

static void watching_done(struct watching *w)
{
	logs_free(w->logs);
	strs_done(&w->units);
	strs_done(&w->names);
	free(w->noted);
	sd_event_unref(w->loop);
}

static int parse(int argc, char **argv, struct request *q, const char **ret_why, struct err *e)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },         { "lines", required_argument, NULL, 'n' },
		{ "priority", required_argument, NULL, 'p' }, { "grep", required_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },           { 0 },
	};
	uint64_t lines;
	int option;

	while ((option = getopt_long(argc, argv, "fn:p:", options, NULL)) >= 0) {
		if (option == 'f')
			q->follow = true;
		else if (option == 'j')
			q->json = true;
		else if (option == 'n' && num_parse(optarg, 0, LOGRING_RECORDS, &lines) == 0)
			q->lines = (size_t)lines;
		else if (option == 'g' && logregex_set(&q->grep, optarg, e) < 0)
			return -EINVAL;
		else if (option == 'p' && log_priority_parse(optarg, &q->priority) < 0)
			*ret_why = "a priority is emerg, alert, crit, err, warning, notice, info or debug, "
				   "or 0 to 7";
		else if (option == 'n')
			*ret_why = "-n takes a number of lines, at most 10000";
		else if (option == '?')
			*ret_why = "an option it does not have, or one that lacks its value";
		if (*ret_why)
			return -EINVAL;
	}
	return 0;
}

int verb_logs(const struct verb *v, int argc, char **argv)
{
	struct request q = { .lines = LINES_DEFAULT, .priority = LOG_PRIORITY_ALL };
	CLEANUP(watching_done) struct watching w = { .q = &q };
	const char *why = NULL;
	struct err e = { 0 };
	int r = parse(argc, argv, &q, &why, &e);

	if (r < 0)
		return why ? verb_usage(v, why) : verb_fail(&e);
	r = verb_names(v, argc, argv, optind);
	if (r != STATUS_DONE)
		return r;
	r = watch(&w, argc - optind, argv + optind, &e);
	logregex_done(&q.grep);
	return r < 0 ? verb_fail(&e) : w.status;
}

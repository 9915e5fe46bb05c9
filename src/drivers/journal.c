#include "drivers/journal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "drivers/journal_child.h"

#define LOOK_AT_MAX   5000     /* entries a reader walks back over */
#define ANSWER_MAX    1048576  /* bytes */
#define OOM_LEAD_USEC 60000000 /* how long before the unit's lines the kernel's are looked for */

/* ---- the child */

static bool field_is(sd_journal *j, const char *name, const char *value)
{
	size_t len;
	const char *p = journal_field(j, name, &len);

	return p && len == strlen(value) && memcmp(p, value, len) == 0;
}

/* Of what PID 1 says only notices and worse: "Failed with result", not "Starting". */
static bool is_routine(sd_journal *j)
{
	size_t len;
	const char *priority = journal_field(j, "PRIORITY", &len);

	return priority && len == 1 && *priority > '5';
}

/* What systemd-nspawn prints at each start. */
static bool is_greeting(const char *text)
{
	return strncmp(text, "Spawning container ", strlen("Spawning container ")) == 0 ||
	       strncmp(text, "Press ^] three times ", strlen("Press ^] three times ")) == 0;
}

static void take_entry(sd_journal *j, struct loglines *found)
{
	bool from_systemd = field_is(j, "_PID", "1");
	char text[LOGLINE_SIZE];
	const char *message;
	uint64_t usec = 0;
	size_t len;

	if (from_systemd && is_routine(j))
		return;
	message = journal_field(j, "MESSAGE", &len);
	if (!message || logline_clean(text, message, len) == 0 || is_greeting(text))
		return;
	(void)sd_journal_get_realtime_usec(j, &usec);
	loglines_add(found, usec, from_systemd, text);
}

static bool tells_of_oom(const struct loglines *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].from_systemd &&
		    (strstr(found->v[i].text, "oom-kill") || strstr(found->v[i].text, "OOM killer")))
			return true;
	return false;
}

/* The kernel's last word on a process that was killed in the unit; among the unit's lines as the oldest one,
 * as which it came. */
static void take_oom(sd_journal *j, const char *unit, struct loglines *found)
{
	static const char start[] = "oom-kill:";
	uint64_t first = found->v[found->n - 1].usec, usec = 0;

	sd_journal_flush_matches(j);
	journal_match(j, "_TRANSPORT", "kernel");
	if (sd_journal_seek_tail(j) < 0)
		return;
	for (int i = 0; i < LOOK_AT_MAX && sd_journal_previous(j) > 0; i++) {
		char text[LOGLINE_SIZE], clean[LOGLINE_SIZE];
		const char *message;
		size_t len;

		(void)sd_journal_get_realtime_usec(j, &usec);
		if (usec + OOM_LEAD_USEC < first)
			return;
		message = journal_field(j, "MESSAGE", &len);
		if (!message || len < strlen(start) || memcmp(message, start, strlen(start)) != 0 ||
		    !memmem(message, len, unit, strlen(unit)))
			continue;
		(void)logline_clean(clean, message,
		                    len); /* it ends in the process's name, which is its own choice */
		(void)snprintf(text, sizeof(text), "kernel: %.*s", (int)(sizeof(text) - sizeof("kernel: ")),
		               clean);
		loglines_add(found, usec, true, text);
		return;
	}
}

struct question {
	const char *unit, *invocation;
	size_t n;
};

/* Our own last complaint in that run, from before the lines that were found: a guest that is stopped for it can have
 * said more since then than anybody wants to read. */
static void take_complaint(sd_journal *j, const struct question *q, struct loglines *found)
{
	static const char start[] = "machdeck: ";

	sd_journal_flush_matches(j);
	journal_match(j, "_SYSTEMD_UNIT", q->unit);
	journal_match(j, "_SYSTEMD_INVOCATION_ID", q->invocation);
	journal_match(j, "PRIORITY", "3");
	if (sd_journal_seek_tail(j) < 0)
		return;
	for (int i = 0; i < LOOK_AT_MAX && sd_journal_previous(j) > 0; i++) {
		uint64_t usec = 0;
		size_t len;
		const char *message = journal_field(j, "MESSAGE", &len);

		if (!message || len < strlen(start) || memcmp(message, start, strlen(start)) != 0)
			continue;
		(void)sd_journal_get_realtime_usec(j, &usec);
		if (usec < found->v[found->n - 1].usec)
			take_entry(j, found);
		return;
	}
}

static int look(sd_journal *j, FILE *answer, const void *question)
{
	const struct question *q = question;
	struct loglines found = { 0 };

	(void)sd_journal_set_data_threshold(j, 4 * LOGLINE_SIZE);
	journal_match(j, "_SYSTEMD_UNIT", q->unit);
	if (q->invocation && *q->invocation)
		journal_match(j, "_SYSTEMD_INVOCATION_ID", q->invocation);
	(void)sd_journal_add_disjunction(j);
	journal_match(j, "UNIT", q->unit);
	journal_match(j, "_PID", "1");
	if (q->invocation && *q->invocation)
		journal_match(j, "INVOCATION_ID", q->invocation);

	if (sd_journal_seek_tail(j) < 0)
		return -1;
	for (int i = 0; i < LOOK_AT_MAX && found.n < q->n && sd_journal_previous(j) > 0; i++) {
		if (!q->invocation && field_is(j, "_PID", "1") && is_routine(j))
			break;
		take_entry(j, &found);
	}
	if (!found.v)
		return found.bad ? -1 : 0;
	if (found.n == q->n && q->invocation && *q->invocation)
		take_complaint(j, q, &found);
	if (tells_of_oom(&found))
		take_oom(j, q->unit, &found);
	for (size_t i = found.n; i > 0; i--)
		(void)fprintf(answer, "%" PRIu64 " %c%s\n", found.v[i - 1].usec,
		              found.v[i - 1].from_systemd ? 's' : 'u', found.v[i - 1].text);
	return found.bad ? -1 : 0;
}

/* ---- the parent */

struct journal_tail {
	journal_done_fn *done;
	void *arg;
	struct journal_child *child;
};

void journal_tail_cancel(struct journal_tail *t)
{
	if (!t)
		return;
	journal_child_cancel(t->child);
	free(t);
}

static void parse(char *text, struct loglines *ret)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *origin = strchr(line, ' ');
		uint64_t usec;

		if (!origin || !origin[1])
			continue;
		*origin++ = '\0';
		if (num_parse(line, 0, UINT64_MAX, &usec) == 0)
			loglines_add(ret, usec, *origin == 's', origin + 1);
	}
}

static void on_answer(int r, char *text, const struct err *e, void *arg)
{
	CLEANUP(loglines_done) struct loglines lines = { 0 };
	struct journal_tail *t = arg;
	journal_done_fn *done = t->done;
	struct err no_memory;

	arg = t->arg;
	free(t);
	parse(text, &lines);
	if (r == 0 && lines.bad) {
		r = err_no_memory(&no_memory);
		e = &no_memory;
	}
	done(r, &lines, e, arg);
}

int journal_tail(sd_event *loop, const char *unit, const char *invocation, size_t n, journal_done_fn *done,
                 void *arg, struct journal_tail **ret, struct err *e)
{
	const struct question q = { unit, invocation, n };
	struct journal_tail *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_no_memory(e);
	t->done = done;
	t->arg = arg;
	r = journal_child_ask(loop, look, &q, ANSWER_MAX, on_answer, t, &t->child, e);
	if (r < 0) {
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

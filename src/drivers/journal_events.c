#include "drivers/journal_events.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "drivers/journal_child.h"

#define LOOK_AT_MAX 20000   /* entries a reader walks back over */
#define LOOK_USEC   1500000 /* and for how long: what it has by then is the answer */
#define BACK_USEC   (7 * 86400 * 1000000ull)
#define ANSWER_MAX  1048576 /* bytes */
#define WORD_SIZE   128

/* ---- the child */

/* By its message identifier, sd-messages.h; those of systemd carry UNIT=, those of systemd-machined NAME=. */
struct message {
	const char *id;
	enum event_kind kind;
	bool bad;
	const char *text;
	const char *field; /* whose value follows the text; NULL: none */
};

static const struct message of_units[] = {
	{ "39f53479d3a045ac8e11786248231fbf", EVENT_STATE, false, "running", NULL },
	{ "9d1aaa27d60140bd96365438aad20286", EVENT_STATE, false, "stopped", NULL },
	{ "be02cf6855d2428ba40df7e9d022f03d", EVENT_STATE, true, "could not be started: ", "JOB_RESULT" },
	{ "d9b373ed55a64feb8242e02dbe79a49c", EVENT_STATE, true, "failed: ", "UNIT_RESULT" },
	{ "7b05ebc668384222baa8881179cfda54", EVENT_UNIT, false, "reloaded", NULL },
	{ "5eb03494b6584870a536b337290809b3", EVENT_UNIT, true, "restarts by itself, time ", "N_RESTARTS" },
	{ "fe6faa94e7774663a0da52717891d8ef", EVENT_OOM, true,
	  "out of memory: a process of its unit was killed", NULL },
};

static const struct message of_machines[] = {
	{ "24d8d4452573402496068381a6312df2", EVENT_STATE, false, "is up, leader ", "LEADER" },
	{ "58432bd3bace477cb514b56381b8a758", EVENT_STATE, false, "is down", NULL },
};

struct found {
	struct events v; /* newest first */
	uint64_t since_usec;
};

static bool word(sd_journal *j, const char *name, char ret[static WORD_SIZE])
{
	size_t len;
	const char *p = journal_field(j, name, &len);

	*ret = '\0';
	if (p)
		(void)text_printable(ret, WORD_SIZE, p, len);
	return p;
}

static const struct message *find(const struct message *v, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].id, id) == 0)
			return &v[i];
	return NULL;
}

/* The machine whose unit it is: container@NAME.service or systemd-nspawn@NAME.service. */
static bool machine_of(const char *unit, char ret[static WORD_SIZE])
{
	static const char *const templates[] = { "container@", "systemd-nspawn@" };
	const char *tail = strstr(unit, ".service");

	for (size_t i = 0; i < COUNT(templates) && tail; i++) {
		size_t head = strlen(templates[i]);

		if (strncmp(unit, templates[i], head) != 0 || tail[strlen(".service")])
			continue;
		(void)snprintf(ret, WORD_SIZE, "%.*s", (int)(tail - unit) - (int)head, unit + head);
		return name_is_machine(ret);
	}
	return false;
}

static void take_entry(sd_journal *j, struct found *found)
{
	char id[WORD_SIZE], unit[WORD_SIZE], name[WORD_SIZE], value[WORD_SIZE] = "";
	const struct message *m;
	uint64_t usec = 0;

	if (!word(j, "MESSAGE_ID", id))
		return;
	m = find(of_units, COUNT(of_units), id);
	if (m) {
		if (!word(j, "UNIT", unit) || !machine_of(unit, name))
			return;
	} else {
		m = find(of_machines, COUNT(of_machines), id);
		if (!m || !word(j, "NAME", name) || !name_is_machine(name))
			return;
	}
	if (m->field)
		(void)word(j, m->field, value);
	(void)sd_journal_get_realtime_usec(j, &usec);
	events_add(&found->v, usec, name, m->kind, m->bad, "%s%s", m->text, value);
}

static void match_all(sd_journal *j, const struct message *v, size_t n, const char *by_key, const char *by)
{
	journal_match(j, by_key, by);
	for (size_t i = 0; i < n; i++)
		journal_match(j, "MESSAGE_ID", v[i].id);
}

static int look(sd_journal *j, FILE *answer, const void *question)
{
	const uint64_t *until = question, deadline = clock_usec(CLOCK_MONOTONIC) + LOOK_USEC;
	struct found found = { .since_usec = *until > BACK_USEC ? *until - BACK_USEC : 0 };

	match_all(j, of_units, COUNT(of_units), "_PID", "1");
	(void)sd_journal_add_disjunction(j);
	match_all(j, of_machines, COUNT(of_machines), "_SYSTEMD_UNIT", "systemd-machined.service");
	if (sd_journal_seek_realtime_usec(j, *until) < 0)
		return -1;
	for (int i = 0; i < LOOK_AT_MAX && found.v.n < JOURNAL_EVENTS_MAX; i++) {
		uint64_t usec = 0;

		if (sd_journal_previous(j) <= 0 || sd_journal_get_realtime_usec(j, &usec) < 0 ||
		    usec < found.since_usec || clock_usec(CLOCK_MONOTONIC) > deadline)
			break;
		if (usec < *until)
			take_entry(j, &found);
	}
	for (size_t i = found.v.n; i > 0; i--) {
		const struct event *e = &found.v.v[i - 1];

		(void)fprintf(answer, "%" PRIu64 " %d %d %s %s\n", e->usec, (int)e->kind, e->bad, e->name,
		              e->text);
	}
	return found.v.bad ? -1 : 0;
}

/* ---- the parent */

struct journal_events {
	journal_events_fn *done;
	void *arg;
	struct journal_child *child;
};

void journal_events_cancel(struct journal_events *j)
{
	if (!j)
		return;
	journal_child_cancel(j->child);
	free(j);
}

static void parse(char *text, struct events *ret)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *parts[4];
		uint64_t usec, kind, bad;
		size_t n = 0;

		while (n < COUNT(parts) && line)
			parts[n++] = strsep(&line, " ");
		if (line && num_parse(parts[0], 0, UINT64_MAX, &usec) == 0 &&
		    num_parse(parts[1], 0, EVENT_CONF, &kind) == 0 && num_parse(parts[2], 0, 1, &bad) == 0)
			events_add(ret, usec, parts[3], (enum event_kind)kind, bad, "%s", line);
	}
}

static void on_answer(int r, char *text, const struct err *e, void *arg)
{
	CLEANUP(events_done) struct events events = { 0 };
	struct journal_events *j = arg;
	journal_events_fn *done = j->done;
	struct err no_memory;

	arg = j->arg;
	free(j);
	parse(text, &events);
	if (r == 0 && events.bad) {
		r = err_no_memory(&no_memory);
		e = &no_memory;
	}
	done(r, &events, e, arg);
}

int journal_events(sd_event *loop, uint64_t until_usec, journal_events_fn *done, void *arg,
                   struct journal_events **ret, struct err *e)
{
	struct journal_events *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return err_no_memory(e);
	j->done = done;
	j->arg = arg;
	r = journal_child_ask(loop, look, &until_usec, ANSWER_MAX, on_answer, j, &j->child, e);
	if (r < 0) {
		free(j);
		return r;
	}
	*ret = j;
	return 0;
}

#include "engine/logs.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "drivers/folder.h"
#include "drivers/journal_follow.h"
#include "drivers/machined.h"
#include "engine/load.h"

#define PACE_USEC 40000 /* between two calls of changed */

_Static_assert(LOGS_TARGETS_MAX == JOURNAL_PLACES_MAX, "a target is a place");

struct logs {
	sd_event *loop;
	logs_changed_fn *changed;
	void *arg;
	struct strs names;
	enum journal_state (*states)[2]; /* of each machine: the host's, the guest's */
	char *broken;                    /* the last trouble */
	struct logring ring;
	struct journal_follow *follow;
	struct folder_watch *machines;
	pid_t leaders[LOGS_TARGETS_MAX];
	sd_event_source *pace;
	uint64_t called_usec;        /* CLOCK_MONOTONIC, of changed */
	size_t unseen, unseen_bytes; /* records since */
	bool caught_up, pending;
	struct buf note;
};

/* ---- what can not be seen */

static size_t count(const struct logs *l, bool guest, enum journal_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < l->names.n; i++)
		n += l->states[i][guest] == state;
	return n;
}

static void write_note(struct logs *l)
{
	size_t host = count(l, false, JOURNAL_DENIED), guest = count(l, true, JOURNAL_DENIED);

	buf_done(&l->note);
	l->note = (struct buf){ 0 };
	if (count(l, false, JOURNAL_BROKEN) + count(l, true, JOURNAL_BROKEN) > 0 && l->broken)
		buf_puts(&l->note, l->broken);
	else if (host > 0)
		buf_puts(&l->note,
		         "the journal can not be read: that takes root, or the group systemd-journal");
	else if (guest > 0 && geteuid() != 0)
		buf_puts(&l->note, "the guest's own journal can not be read: run as root");
}

const char *logs_note(const struct logs *l)
{
	return l->note.len > 0 ? l->note.p : NULL;
}

/* ---- telling */

static int on_pace(sd_event_source *s, uint64_t usec, void *arg)
{
	struct logs *l = arg;

	(void)s;
	(void)usec;
	if (!l->pending)
		return 0;
	l->pending = false;
	l->unseen = l->unseen_bytes = 0;
	(void)sd_event_now(l->loop, CLOCK_MONOTONIC, &l->called_usec);
	l->changed(l->arg);
	return 0;
}

/* Nothing may fall out of the ring before it was shown to changed. */
static bool is_urgent(const struct logs *l)
{
	return l->unseen > LOGRING_RECORDS / 4 || l->unseen_bytes > LOGRING_BYTES / 4;
}

static void on_turn(void *arg)
{
	struct logs *l = arg;

	if (l->pending && !is_urgent(l))
		return;
	l->pending = true;
	(void)sd_event_source_set_time(l->pace, is_urgent(l) ? 0 : l->called_usec + PACE_USEC);
	(void)sd_event_source_set_enabled(l->pace, SD_EVENT_ONESHOT);
}

static void on_record(const struct logrec *rec, void *arg)
{
	struct logs *l = arg;

	logring_add(&l->ring, rec);
	l->unseen++;
	l->unseen_bytes += strlen(rec->text);
}

static void on_state(size_t place, bool guest, enum journal_state state, const char *text, void *arg)
{
	struct logs *l = arg;
	char *copy;

	l->states[place][guest] = state;
	if (state == JOURNAL_BROKEN && asprintf(&copy, "%s: %s", l->names.v[place], text) >= 0) {
		free(l->broken);
		l->broken = copy;
	}
	write_note(l);
}

static void on_caught_up(void *arg)
{
	((struct logs *)arg)->caught_up = true;
}

/* ---- */

/* Where the tree of a machine that does not run is; NULL when that is not known. */
static char *find_root(const char *name)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	char *path;

	if (geteuid() != 0)
		return NULL;
	if (load_plan("", name, &l, NULL) == 0)
		return l.plan.root ? strdup(l.plan.root) : NULL;
	return asprintf(&path, "/var/lib/machines/%s", name) < 0 ? NULL : path;
}

static pid_t leader_of(const char *name)
{
	CLEANUP(registration_done) struct registration m = { 0 };

	return machined_find("", name, &m, NULL) == 0 ? m.leader : 0;
}

static void on_machines(void *arg)
{
	struct logs *l = arg;
	bool again = false;

	for (size_t i = 0; i < l->names.n; i++) {
		pid_t leader = leader_of(l->names.v[i]);

		again |= leader != l->leaders[i];
		l->leaders[i] = leader;
	}
	if (again)
		journal_follow_again(l->follow);
}

void logs_free(struct logs *l)
{
	if (!l)
		return;
	journal_follow_free(l->follow);
	folder_watch_free(l->machines);
	sd_event_source_disable_unref(l->pace);
	logring_done(&l->ring);
	strs_done(&l->names);
	buf_done(&l->note);
	free(l->states);
	free(l->broken);
	free(l);
}

struct roots {
	char *v[LOGS_TARGETS_MAX];
};

static void roots_done(struct roots *roots)
{
	for (size_t i = 0; i < LOGS_TARGETS_MAX; i++)
		free(roots->v[i]);
}

static int follow(struct logs *l, const struct logs_target *targets, size_t n, size_t backlog, struct err *e)
{
	CLEANUP(roots_done) struct roots roots = { { NULL } };
	struct journal_place places[LOGS_TARGETS_MAX];
	const struct journal_sink sink = { on_record, on_state, on_caught_up, on_turn, l };

	for (size_t i = 0; i < n; i++) {
		const struct logs_target *t = &targets[i];

		l->leaders[i] = leader_of(t->name);
		if (!t->root)
			roots.v[i] = find_root(t->name);
		places[i] = (struct journal_place){ .machine = t->name,
			                            .unit = t->unit,
			                            .root = t->root ? t->root : roots.v[i] };
	}
	return journal_follow(l->loop, places, n, backlog, &sink, &l->follow, e);
}

static int open_all(struct logs *l, const struct logs_target *targets, size_t n, size_t backlog,
                    struct err *e)
{
	int r;

	for (size_t i = 0; i < n; i++)
		strs_add(&l->names, targets[i].name);
	l->states = calloc(n + 1, sizeof(*l->states));
	if (l->names.bad || !l->states || logring_init(&l->ring, LOGRING_RECORDS, LOGRING_BYTES) < 0)
		return err_no_memory(e);
	r = sd_event_add_time(l->loop, &l->pace, CLOCK_MONOTONIC, 0, 1000, on_pace, l);
	if (r < 0)
		return err_sys(e, -r, "cannot wait for logs");
	(void)sd_event_source_set_enabled(l->pace, SD_EVENT_OFF);
	/* Without systemd-machined there is no such folder, and no machine of its. */
	r = folder_watch_new(l->loop, MACHINED_FOLDER, on_machines, l, &l->machines, e);
	if (r < 0 && r != -ENOENT)
		return r;
	return follow(l, targets, n, backlog, e);
}

int logs_open(sd_event *loop, const struct logs_target *targets, size_t n, size_t backlog,
              logs_changed_fn *changed, void *arg, struct logs **ret, struct err *e)
{
	struct logs *l;
	int r;

	if (n > LOGS_TARGETS_MAX)
		return err_set(e, STATUS_USAGE, E2BIG, "the logs of at most %d machines can be read at once",
		               LOGS_TARGETS_MAX);
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_no_memory(e);
	l->loop = loop;
	l->changed = changed;
	l->arg = arg;
	r = open_all(l, targets, n, backlog, e);
	if (r < 0) {
		logs_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

struct logring *logs_ring(struct logs *l)
{
	return &l->ring;
}

bool logs_caught_up(const struct logs *l)
{
	return l->caught_up;
}

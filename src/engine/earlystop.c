#include "engine/earlystop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/strs.h"
#include "drivers/machined.h"
#include "drivers/units.h"
#include "words/name.h"

struct earlystop {
	struct units *units;
	struct strs starting, stopping; /* units that are, now */
};

static void set_in(struct strs *list, const char *unit, bool is_in)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], unit) != 0)
			continue;
		if (is_in)
			return;
		free(list->v[i]);
		list->v[i] = list->v[--list->n];
		list->v[list->n] = NULL;
		return;
	}
	if (is_in)
		strs_add(list, unit);
}

static void read_proc(pid_t pid, const char *leaf, char *ret, size_t size)
{
	char path[64];
	FILE *f;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
	f = fopen(path, "re");
	if (f) {
		n = fread(ret, 1, size - 1, f);
		(void)fclose(f);
	}
	ret[n] = '\0';
}

/* Stage 2 is run by a shell, which hears of nothing until its command has ended. */
static bool is_shell(pid_t leader)
{
	char comm[32];

	read_proc(leader, "comm", comm, sizeof(comm));
	return strstr(comm, "sh") || strncmp(comm, "busybox", strlen("busybox")) == 0;
}

static bool is_child_of(pid_t child, pid_t leader)
{
	char stat[512];
	const char *end;

	read_proc(child, "stat", stat, sizeof(stat));
	end = strrchr(stat, ')'); /* of its name, which may hold anything; then state and parent: proc(5) */
	return end && strlen(end) > 4 && strtol(end + 4, NULL, 10) == leader;
}

/* By a pidfd, so that nobody else is hit who has got the number meanwhile. */
static void end_commands(pid_t leader)
{
	char leaf[32], children[1024], *rest = children, *word;

	(void)snprintf(leaf, sizeof(leaf), "task/%d/children", (int)leader);
	read_proc(leader, leaf, children, sizeof(children));
	while ((word = strsep(&rest, " "))) {
		pid_t child = (pid_t)strtol(word, NULL, 10);
		CLEANUP(close_p) int fd = child > 1 ? process_open(child) : -1;

		if (fd >= 0 && is_child_of(child, leader))
			(void)syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	}
}

/* Its leader is root's, as we are, unless it has user ids of its own. */
static void stop_again(const char *unit, bool only_shells)
{
	CLEANUP(registrations_done) struct registrations all = { 0 };

	if (machined_list("", &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		const struct registration *m = &all.v[i];
		CLEANUP(close_p) int fd = m->leader > 1 ? process_open(m->leader) : -1;

		if (fd < 0 || !m->unit || strcmp(m->unit, unit) != 0 || !machined_leader_lives(m) ||
		    (only_shells && !is_shell(m->leader)))
			continue;
		(void)syscall(SYS_pidfd_send_signal, fd, SIGRTMIN + 3, NULL, 0);
		if (is_shell(m->leader))
			end_commands(m->leader);
	}
}

static void on_state(struct earlystop *s, const struct unit *unit)
{
	bool was_starting = strs_has(&s->starting, unit->name),
	     was_stopping = strs_has(&s->stopping, unit->name);
	bool is_stopping = strcmp(unit->active, "deactivating") == 0;

	set_in(&s->starting, unit->name, strcmp(unit->active, "activating") == 0);
	set_in(&s->stopping, unit->name, is_stopping);
	if (is_stopping && !was_stopping)
		stop_again(unit->name, !was_starting);
}

static void on_unit(const struct units_event *event, void *arg)
{
	const struct unit *unit = event->unit;
	struct earlystop *s = arg;

	if (event->change == UNITS_DOWN || event->change == UNITS_UP) {
		strs_done(&s->starting);
		strs_done(&s->stopping);
	}
	if (event->change == UNITS_GONE) {
		set_in(&s->starting, unit->name, false);
		set_in(&s->stopping, unit->name, false);
	}
	if (event->change != UNITS_STATE || strncmp(unit->name, "container@", 10) != 0)
		return;
	if (unit->has_state && unit->active)
		on_state(s, unit);
	if (unit->has_service && unit->status_text && strstr(unit->status_text, EARLYSTOP_STATUS) &&
	    strs_has(&s->stopping, unit->name))
		stop_again(unit->name, false);
}

int earlystop_new(sd_event *loop, struct earlystop **ret, struct err *e)
{
	struct earlystop *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_no_memory(e);
	r = units_new(loop, on_unit, s, &s->units, e);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void earlystop_free(struct earlystop *s)
{
	if (!s)
		return;
	units_free(s->units);
	strs_done(&s->starting);
	strs_done(&s->stopping);
	free(s);
}

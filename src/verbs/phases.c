#include "verbs/phases.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/process.h"
#include "base/text.h"
#include "drivers/readiness.h"
#include "engine/claims.h"
#include "engine/gateway.h"
#include "engine/load.h"
#include "engine/network.h"
#include "engine/poweroff.h"
#include "engine/prepare.h"
#include "engine/start.h"
#include "engine/startlimit.h"
#include "words/name.h"

#define ENDING_MS 1000

static const char *without_name(const struct phase_call *c, const char *sentence)
{
	size_t len = strlen(c->name);

	return strncmp(sentence, c->name, len) == 0 && strncmp(sentence + len, ": ", 2) == 0
	               ? sentence + len + 2
	               : sentence;
}

/* One line "machdeck: NAME: STEP: SENTENCE" with the priority that the journal takes off again. */
void phase_say(const struct phase_call *c, int priority, const char *sentence)
{
	char shown[ERR_TEXT_MAX];

	sentence = without_name(c, sentence);
	text_printable(shown, sizeof(shown), sentence, strlen(sentence));
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "machdeck: %s: %s: %s\n", c->name, c->step, shown);
}

static void warn_all(const struct phase_call *c, const struct strs *warnings)
{
	for (size_t i = 0; i < warnings->n; i++)
		phase_say(c, 4, warnings->v[i]);
}

/* --- the steps of a start */

static int make_way_out(struct phase_call *c, const struct strs *addresses, struct err *e)
{
	CLEANUP(strs_done) struct strs says = { 0 };
	int r = gateway_set(c->name, addresses, &says, e);

	for (size_t i = 0; i < says.n; i++)
		phase_say(c, 5, says.v[i]);
	return r;
}

static int take_way_out(struct phase_call *c, struct err *e)
{
	const struct strs none = { 0 };

	return make_way_out(c, &none, e);
}

static int free_name(struct phase_call *c, struct strs *warnings, struct err *e)
{
	int r = c->clear(c, warnings, e);
	struct err cause;

	if (r == 0 && start_free_export(c->name, &cause) < 0)
		strs_add(warnings, cause.text);
	return r;
}

static int step_prestart(struct phase_call *c, const struct loaded *l, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	int r;

	c->step = "prestart";
	r = free_name(c, &warnings, e);
	warn_all(c, &l->warnings);
	warn_all(c, &warnings);
	if (r == 0)
		r = network_prestart("", &l->container, &l->plan, e);
	return r < 0 ? r : take_way_out(c, e);
}

static int step_prepare(struct phase_call *c, const struct loaded *l, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	int r;

	c->step = "prepare";
	r = prepare_root(&l->container, &l->plan, &warnings, e);
	warn_all(c, &warnings);
	return r;
}

/* Links go a moment before systemd-nspawn does. */
static bool is_ending(int pidfd)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };

	return poll(&process, 1, ENDING_MS) > 0;
}

static int step_poststart(struct phase_call *c, const struct netops *host, const struct strs *masquerade,
                          struct err *e)
{
	int r;

	c->step = "poststart";
	r = network_host_up("", c->name, host, e);
	return r < 0 || masquerade->n == 0 ? r : make_way_out(c, masquerade, e);
}

static int wait_fifo(const struct loaded *l, struct readiness *ready, struct err *e)
{
	CLEANUP(close_p) int fifo = -1;
	int r = prepare_open_ready(&l->container, &l->plan, &fifo, e);

	if (r == 0)
		r = readiness_wait_for(ready, fifo, e);
	return r < 0 ? r : prepare_was_ready(&l->container, &l->plan, e);
}

/* The fork of a start: systemd hears that the container is up when its host's side is, too. One that ends meanwhile has
 * failed to start, but has said why itself. */
static int step_ready(struct phase_call *c, const struct loaded *l, struct readiness *ready, struct err *e)
{
	int r = readiness_wait(ready, e);

	if (r == 0)
		r = step_poststart(c, &l->plan.poststart, &l->plan.masquerade, e);
	if (r == 0 && l->plan.wait_fifo)
		r = wait_fifo(l, ready, e);
	if (r == 0) {
		r = readiness_pass(ready, e);
		c->quiet = r < 0 && is_ending(ready->main_fd);
		return r;
	}
	if (!is_ending(ready->main_fd)) {
		phase_say(c, 3, e->text);
		readiness_stop(ready, without_name(c, e->text));
	}
	c->quiet = true;
	return r;
}

/* --- the phases */

static int phase_prestart(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load_plan("", c->name, &l, e);

	return r < 0 ? r : step_prestart(c, &l, e);
}

static int phase_prepare(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load_plan("", c->name, &l, e);

	if (r < 0)
		return r;
	warn_all(c, &l.warnings);
	return step_prepare(c, &l, e);
}

static int phase_start(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(close_p) int lock = -1;
	struct readiness ready;
	char run[sizeof(PLAN_RUN_DIR) + NAME_MACHINE_MAX + 1];
	int r;

	startlimit_begin(c->name, c->forgive);
	r = load_plan("", c->name, &l, e);
	if (r == 0)
		r = step_prestart(c, &l, e);
	if (r == 0)
		r = step_prepare(c, &l, e);
	if (r < 0)
		return r;
	c->step = "prestart";
	r = network_claim("", &l.container, &l.plan, &lock, e);
	if (r < 0)
		return r;
	c->step = "start";
	r = start_files(&l, e);
	close(take_fd(&lock));
	(void)snprintf(run, sizeof(run), PLAN_RUN_DIR "/%s", c->name);
	if (r == 0)
		r = readiness_fork(run, &ready, e);
	if (r == 1)
		return step_ready(c, &l, &ready, e);
	return r < 0 ? r : start_exec(&l.plan, e);
}

/* systemd-nspawn, as systemd.exec(5) tells who it is; -1 when nobody does. */
static int open_main_process(pid_t *ret_pid)
{
	const char *text = getenv("MAINPID");
	uint64_t pid;

	if (!text || num_parse(text, 1, INT_MAX, &pid) < 0)
		return -1;
	*ret_pid = (pid_t)pid;
	return process_open(*ret_pid);
}

/* What was started counts, whatever the conf says by now. */
static int phase_poststart(struct phase_call *c, struct err *e)
{
	CLEANUP(claims_done) struct claims started = { 0 };
	int r = claims_read("", c->name, &started, e);

	return r < 0 ? r : step_poststart(c, &started.host, &started.masquerade, e);
}

static int phase_poweroff(struct phase_call *c, struct err *e)
{
	pid_t pid;
	CLEANUP(close_p) int pidfd = open_main_process(&pid);

	return pidfd < 0 ? 0 : poweroff_ask(c->name, pid, pidfd, e);
}

/* The network first: it needs nobody's answer. */
static int phase_stopped(struct phase_call *c, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err cause;
	int r, left;

	startlimit_end(c->name);
	left = take_way_out(c, e);
	r = network_stopped("", c->name, left < 0 ? NULL : e);
	if (free_name(c, &warnings, &cause) < 0)
		strs_add(&warnings, cause.text);
	warn_all(c, &warnings);
	return left < 0 ? left : r;
}

const struct phase phases[] = {
	{ "prestart", phase_prestart, false },
	{ "prepare", phase_prepare, false },
	{ "start", phase_start, false },
	{ "poststart", phase_poststart, false },
	{ "poweroff", phase_poweroff, false },
	{ "stopped", phase_stopped, false },
	{ 0 },
};

const struct phase *phase_find(const struct phase *list, const char *name)
{
	while (list->name && strcmp(list->name, name) != 0)
		list++;
	return list->name ? list : NULL;
}

int phase_run(const struct phase *p, struct phase_call *c)
{
	struct err e = { .status = STATUS_BUG, .text = "no reason was given" };

	c->phase = c->step = p->name;
	if (p->run(c, &e) == 0)
		return STATUS_DONE;
	if (!c->quiet)
		phase_say(c, 3, e.text);
	return (int)e.status;
}

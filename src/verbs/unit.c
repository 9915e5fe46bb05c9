/* unit - the phases that container@NAME.service calls. Each says what went wrong in one line for the journal.
 */
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
#include "engine/claims.h"
#include "engine/load.h"
#include "engine/network.h"
#include "engine/prepare.h"
#include "engine/reload.h"
#include "engine/start.h"
#include "engine/startlimit.h"
#include "engine/watch.h"
#include "verbs/verbs.h"

#define ENDING_MS 1000

/* What a phase works on, and where it says that something is amiss without being fatal. */
struct phase_call {
	const char *name; /* the machine's */
	const char *step; /* for messages: the phase, or the step of `start` that is done */
	bool quiet;       /* the failure has been told already */
};

/* One line "machdeck: NAME: STEP: SENTENCE" with the priority that the journal takes off again. */
static void say(const struct phase_call *c, int priority, const char *sentence)
{
	char shown[ERR_TEXT_MAX];
	size_t len = strlen(c->name);

	if (strncmp(sentence, c->name, len) == 0 && strncmp(sentence + len, ": ", 2) == 0)
		sentence += len + 2;
	text_printable(shown, sizeof(shown), sentence, strlen(sentence));
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "machdeck: %s: %s: %s\n", c->name, c->step, shown);
}

static void warn_all(const struct phase_call *c, const struct strs *warnings)
{
	for (size_t i = 0; i < warnings->n; i++)
		say(c, 4, warnings->v[i]);
}

static int load(struct phase_call *c, struct loaded *ret, struct err *e)
{
	int r = load_plan("", c->name, ret, e);

	if (r == 0)
		warn_all(c, &ret->warnings);
	return r;
}

/* --- the steps of a start */

static int step_prestart(struct phase_call *c, const struct loaded *l, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	int r;

	c->step = "prestart";
	r = start_clear(l->plan.name, &warnings, e);
	warn_all(c, &warnings);
	return r < 0 ? r : network_prestart("", &l->container, &l->plan, e);
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

/* --- the phases */

static int phase_prestart(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load(c, &l, e);

	return r < 0 ? r : step_prestart(c, &l, e);
}

static int phase_prepare(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load(c, &l, e);

	return r < 0 ? r : step_prepare(c, &l, e);
}

static int phase_start(struct phase_call *c, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r;

	startlimit_begin(c->name);
	r = load(c, &l, e);
	if (r == 0)
		r = step_prestart(c, &l, e);
	if (r == 0)
		r = step_prepare(c, &l, e);
	if (r < 0)
		return r;
	c->step = "start";
	r = start_files(&l, e);
	return r < 0 ? r : start_exec(&l.plan, e);
}

static int phase_reload(struct phase_call *c, struct err *e)
{
	CLEANUP(strs_done) struct strs says = { 0 };
	int r = reload_run(c->name, &says, e);

	for (size_t i = 0; i < says.n; i++)
		say(c, 5, says.v[i]);
	return r;
}

/* systemd-nspawn, as systemd.exec(5) tells who it is; -1 when nobody does. */
static int open_main_process(void)
{
	const char *text = getenv("MAINPID");
	uint64_t pid;

	return text && num_parse(text, 1, INT_MAX, &pid) == 0 ? process_open((pid_t)pid) : -1;
}

/* Links go a moment before systemd-nspawn does. */
static bool is_ending(int pidfd)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };

	return poll(&process, 1, ENDING_MS) > 0;
}

/* What was started counts, whatever the conf says by now. A container that ends at once has failed to start, but has
 * said why itself. */
static int phase_poststart(struct phase_call *c, struct err *e)
{
	CLEANUP(claims_done) struct claims started = { 0 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(close_p) int pidfd = open_main_process();
	int r;

	r = claims_read("", c->name, &started, e);
	if (r == 0)
		r = network_host_up("", c->name, &started.host, e);
	if (r == 0 && load_plan("", c->name, &l, NULL) == 0 && l.plan.wait_fifo)
		r = prepare_wait_ready(&l.container, &l.plan, pidfd, e);
	if (r < 0 && pidfd >= 0 && is_ending(pidfd))
		c->quiet = true;
	return r;
}

/* The network first: it needs nobody's answer. */
static int phase_stopped(struct phase_call *c, struct err *e)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct err cause;
	int r;

	startlimit_end(c->name);
	r = network_stopped("", c->name, e);
	if (start_clear(c->name, &warnings, &cause) < 0)
		strs_add(&warnings, cause.text);
	warn_all(c, &warnings);
	return r;
}

static int phase_watch(struct phase_call *c, struct err *e)
{
	(void)c;
	return watch_run(e);
}

static const struct phase {
	const char *name;
	int (*run)(struct phase_call *c, struct err *e);
	bool for_all; /* takes no name */
} phases[] = {
	{ "prestart", phase_prestart, false }, { "prepare", phase_prepare, false },
	{ "start", phase_start, false },       { "poststart", phase_poststart, false },
	{ "reload", phase_reload, false },     { "stopped", phase_stopped, false },
	{ "watch", phase_watch, true },
};

int verb_unit(const struct verb *v, int argc, char **argv)
{
	for (size_t i = 0; argc >= 2 && i < COUNT(phases); i++) {
		struct phase_call c = { .name = "all", .step = phases[i].name };
		struct err e = { .status = STATUS_BUG, .text = "no reason was given" };

		if (strcmp(argv[1], phases[i].name) != 0)
			continue;
		if (argc != (phases[i].for_all ? 2 : 3))
			return verb_usage(v, phases[i].for_all ? "it is for all machines"
			                                       : "one machine's name, please");
		if (!phases[i].for_all && verb_names(v, argc, argv, 2) != STATUS_DONE)
			return STATUS_USAGE;
		if (!phases[i].for_all)
			c.name = argv[2];
		if (phases[i].run(&c, &e) == 0)
			return STATUS_DONE;
		if (!c.quiet)
			say(&c, 3, e.text);
		return (int)e.status;
	}
	return verb_usage(v, "no such phase");
}

/* start, stop and all else that control.h asks of machines: all named ones at once. What ended is printed for good; on a
 * terminal the machines that are still waited for stand below it, redrawn every second. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/autostart.h"
#include "engine/control.h"
#include "engine/load.h"
#include "engine/observe.h"
#include "engine/reload.h"
#include "verbs/verbs.h"

#define SECOND     1000000ULL
#define SHOW_AFTER (SECOND / 3)
#define LOG_LINES  10

struct all;

struct one {
	struct all *all;
	const char *name;
	struct control *control; /* NULL: ended */
};

struct all {
	enum control_verb verb;
	sd_event *loop;
	struct one *v;
	size_t n, left;
	bool terminal; /* stderr is one */
	int drawn;     /* lines below what was printed for good */
	int status;
};

static void undraw(struct all *a)
{
	if (a->drawn)
		fprintf(stderr, "\033[%dA\033[J", a->drawn);
	a->drawn = 0;
}

static void draw_one(const struct one *o, int columns)
{
	struct control_look look;
	char line[256], limit[32] = "";

	control_look(o->control, &look);
	if (look.limit_usec)
		(void)snprintf(limit, sizeof(limit), " of %ju", (uintmax_t)(look.limit_usec / SECOND));
	(void)snprintf(line, sizeof(line), "%s waits: %s, %ju%s s", o->name, look.waits_for,
	               (uintmax_t)((clock_usec(CLOCK_MONOTONIC) - look.since_usec) / SECOND), limit);
	fprintf(stderr, "%.*s\n", columns - 1, line);
}

static void draw(struct all *a)
{
	struct winsize size = { 0 };
	int rows, columns;

	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row > 2 ? size.ws_row - 1 : 1;
	columns = size.ws_col > 1 ? size.ws_col : 80;
	undraw(a);
	for (size_t i = 0; i < a->n && a->drawn < rows; i++) {
		if (!a->v[i].control)
			continue;
		draw_one(&a->v[i], columns);
		a->drawn++;
	}
	fflush(stderr);
}

static int on_second(sd_event_source *s, uint64_t now, void *arg)
{
	(void)now;
	draw(arg);
	(void)sd_event_source_set_time_relative(s, SECOND);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static void show_log(const struct loglines *lines)
{
	for (size_t i = lines->n > LOG_LINES ? lines->n - LOG_LINES : 0; i < lines->n; i++)
		fprintf(stderr, "    %s%s\n", lines->v[i].from_systemd ? "systemd: " : "", lines->v[i].text);
}

/* What a reload could not do is known by what it noted; without the right to read that, the log has it. */
static void show_pending(const char *name)
{
	CLEANUP(strs_done) struct strs pending = { 0 };
	bool live;

	if (reload_pending(name, &pending, &live, NULL) < 0)
		return;
	for (size_t i = 0; i < pending.n; i++)
		printf("%s: restart needed: %s\n", name, pending.v[i]);
}

/* What the switch printed, a line at a time; false: nothing that we know of. */
static bool show_output(const char *name)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	const char *at, *end, *stop;
	char shown[LOGLINE_SIZE];

	if (reload_output(name, &text, NULL) < 0 || text.len == 0)
		return false;
	for (at = text.p, end = at + text.len; at < end; at = stop < end ? stop + 1 : end) {
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		(void)logline_clean(shown, at, (size_t)(stop - at));
		printf("%s\n", shown);
	}
	return true;
}

static void take_status(struct all *a, int status)
{
	if (status > a->status)
		a->status = status;
}

static void on_done(int r, const struct err *e, void *arg)
{
	CLEANUP(strs_done) struct strs warnings = { 0 };
	struct control_look look;
	struct one *o = arg;
	struct all *a = o->all;
	bool told;

	undraw(a);
	told = a->verb == CONTROL_RELOAD && show_output(o->name);
	fflush(stdout);
	if (r < 0) {
		take_status(a, verb_fail(e));
		control_look(o->control, &look);
		if (!told)
			show_log(look.lines);
	} else {
		if (e)
			strs_add(&warnings, e->text);
		verb_warn(&warnings);
		printf("%s: %s\n", o->name, control_did(a->verb));
		if (a->verb == CONTROL_RELOAD)
			show_pending(o->name);
		fflush(stdout);
	}
	o->control = NULL;
	if (--a->left == 0)
		(void)sd_event_exit(a->loop, 0);
}

static int run_all(struct all *a)
{
	CLEANUP(sd_event_source_unrefp) sd_event_source *clock = NULL;
	struct err e;
	int r = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct one *o = &a->v[i];

		if (a->verb == CONTROL_RELOAD)
			reload_forget_output(o->name);
		if (control_begin(a->loop, a->verb, o->name, on_done, o, &o->control, &e) < 0)
			take_status(a, verb_fail(&e));
		else
			a->left++;
	}
	if (a->left == 0)
		return 0;
	if (a->terminal)
		r = sd_event_add_time_relative(a->loop, &clock, CLOCK_MONOTONIC, SHOW_AFTER, 0, on_second, a);
	return r < 0 ? r : sd_event_loop(a->loop);
}

/* ---- --dry-run */

/* What a start takes; what a reload changes; what of the conf is written. */
static void add_details(enum control_verb verb, const char *name, const struct target *t, struct buf *to)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(strs_done) struct strs pending = { 0 };
	bool live = false;

	if (t->kind != MACHINE_CONTAINER)
		return;
	if ((verb == CONTROL_START || verb == CONTROL_RESTART) && load_plan("", name, &l, NULL) == 0)
		plan_preview(&l.plan, LIBEXECDIR "/machdeck-init", to);
	if (verb == CONTROL_ENABLE || verb == CONTROL_DISABLE)
		(void)autostart_show(name, verb == CONTROL_ENABLE, to, NULL);
	if (verb != CONTROL_RELOAD || reload_pending(name, &pending, &live, NULL) < 0)
		return;
	buf_addf(to, "# %s\n",
	         live ? "something of it changes while it runs (machdeck diff)"
	              : "nothing changes while it runs");
	for (size_t i = 0; i < pending.n; i++)
		buf_addf(to, "# restart needed: %s\n", pending.v[i]);
}

static int show_one(const struct snapshot *s, enum control_verb verb, char *name)
{
	CLEANUP(target_done) struct target t = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct machine *seen = snapshot_find(s, name);
	const char *why;
	struct err e;

	if (control_try(verb, name, &t, &e) < 0)
		return verb_fail(&e);
	why = seen ? control_refuses(seen, verb) : NULL;
	if (why) { /* systemd takes such a job, and does nothing */
		printf("%s: %s would change nothing: it %s\n", name, control_word(verb), why);
		return STATUS_DONE;
	}
	buf_addf(&text, "# %s would be %s:\n", name, control_did(verb));
	control_command(verb, seen ? seen : &(struct machine){ .name = name, .kind = t.kind, .unit = t.unit },
	                &text);
	buf_puts(&text, "\n");
	add_details(verb, name, &t, &text);
	return verb_print_buf(&text);
}

static int show_all(enum control_verb verb, char **names, size_t n)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	int status = STATUS_DONE;
	struct err e;

	if (observe_once(&s, &e) < 0)
		return verb_fail(&e);
	for (size_t i = 0; i < n; i++) {
		int r = show_one(&s, verb, names[i]);

		status = r > status ? r : status;
	}
	return status;
}

int verb_control(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	CLEANUP(sd_event_unrefp) sd_event *loop = NULL;
	CLEANUP(free_p) struct one *list = NULL;
	struct all all = { .terminal = isatty(STDERR_FILENO) };
	bool dry = false;
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		dry = true;
	}
	r = verb_names(v, argc, argv, optind);
	if (r != STATUS_DONE)
		return r;
	all.n = (size_t)(argc - optind);
	while (strcmp(control_word(all.verb), v->name) != 0)
		all.verb++;
	if (dry)
		return show_all(all.verb, argv + optind, all.n);
	all.v = list = calloc(all.n, sizeof(*list));
	r = list ? sd_event_new(&loop) : -ENOMEM;
	all.loop = loop;
	for (size_t i = 0; r >= 0 && i < all.n; i++)
		list[i] = (struct one){ .all = &all, .name = argv[optind + (int)i] };
	if (r >= 0)
		r = run_all(&all);
	if (r >= 0)
		return all.status;
	(void)err_sys(&e, -r, "cannot %s", v->name);
	return verb_fail(&e);
}

/* A connection for each, since they are rare and the connection may be the trouble. The outcome is told from
 * a defer source, so that nothing is freed while an event of the connection is handed around. */
#include "drivers/machined_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/bus.h"
#include "words/name.h"

#define MACHINE1     "org.freedesktop.machine1"
#define ANSWER_LIMIT (3 * BUS_SECOND)
#define LOGIN_LIMIT  (120 * BUS_SECOND)
#define COPY_LIMIT   (3600 * BUS_SECOND)
#define COPY_REPLACE 1U /* MACHINE_COPY_REPLACE of org.freedesktop.machine1(5) */

static const struct {
	const char *method, *cannot, *action;
} kinds[] = {
	[MACHINED_TERMINATE] = { "TerminateMachine", "cannot terminate it", MACHINE1 ".manage-machines" },
	[MACHINED_KILL_LEADER] = { "KillMachine", "cannot kill its first process",
	                           MACHINE1 ".manage-machines" },
	[MACHINED_KILL_ALL] = { "KillMachine", "cannot kill it", MACHINE1 ".manage-machines" },
	[MACHINED_UNREGISTER] = { "UnregisterMachine", "cannot drop its registration",
	                          MACHINE1 ".manage-machines" },
	[MACHINED_LOGIN] = { "OpenMachineLogin", "cannot open a login console", MACHINE1 ".login" },
	[MACHINED_SHELL] = { "OpenMachineShell", "cannot open a shell", MACHINE1 ".shell" },
	[MACHINED_COPY_TO] = { "CopyToMachineWithFlags", "cannot copy into it", MACHINE1 ".manage-machines" },
	[MACHINED_COPY_FROM] = { "CopyFromMachineWithFlags", "cannot copy out of it",
	                         MACHINE1 ".manage-machines" },
	[MACHINED_BIND] = { "BindMountMachine", "cannot bind into it", MACHINE1 ".manage-machines" },
};

struct machined_ask {
	enum machined_verb verb;
	char name[NAME_MACHINE_MAX + 1];
	char *const *words;
	machined_done_fn *done;
	void *arg;
	struct bus *bus;
	sd_event_source *timer, *end;
	sd_bus_slot *slot;
	bool sent, person;
	int r, pty;
	struct err e;
};

static uint64_t limit(const struct machined_ask *a)
{
	if (a->verb == MACHINED_COPY_TO || a->verb == MACHINED_COPY_FROM)
		return COPY_LIMIT;
	return a->person ? LOGIN_LIMIT : ANSWER_LIMIT;
}

void machined_ask_cancel(struct machined_ask *a)
{
	if (!a)
		return;
	sd_bus_slot_unref(a->slot);
	sd_event_source_disable_unref(a->timer);
	sd_event_source_disable_unref(a->end);
	bus_free(a->bus);
	close_p(&a->pty);
	free(a);
}

static void finish(struct machined_ask *a, int r)
{
	a->r = r;
	(void)sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(a->end, SD_EVENT_ONESHOT);
}

static int on_end(sd_event_source *s, void *arg)
{
	struct machined_ask *a = arg;
	int pty = take_fd(&a->pty);

	(void)s;
	a->done(a->r, pty, a->r < 0 ? &a->e : NULL, a->arg);
	machined_ask_cancel(a);
	return 0;
}

static int refused(struct machined_ask *a, const sd_bus_error *answer)
{
	int r;

	if (sd_bus_error_has_name(answer, MACHINE1 ".NoSuchMachine"))
		return a->verb == MACHINED_UNREGISTER
		               ? 0
		               : err_set(&a->e, STATUS_NO_CONTAINER, ENOENT, "%s: not running", a->name);
	r = bus_refused(answer, &a->e, "%s: %s: systemd-machined", a->name, kinds[a->verb].cannot);
	if (a->e.status == STATUS_NOT_PERMITTED)
		return err_set(&a->e, STATUS_NOT_PERMITTED, EACCES,
		               "%s: %s: not authorised (%s); be root, or be allowed to by polkit", a->name,
		               kinds[a->verb].cannot, kinds[a->verb].action);
	if (a->verb == MACHINED_BIND && sd_bus_error_has_name(answer, SD_BUS_ERROR_NOT_SUPPORTED) &&
	    answer->message && strstr(answer->message, "user namespac")) {
		char said[ERR_TEXT_MAX];

		(void)snprintf(said, sizeof(said), "%s", a->e.text);
		return err_set(&a->e, a->e.status, EOPNOTSUPP, "%s (as root, `machdeck bind` does it)", said);
	}
	return sd_bus_error_get_errno(answer) == EEXIST ? -EEXIST : r; /* the caller has a remedy */
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct machined_ask *a = arg;
	int fd, r = 0;

	(void)unused;
	if (error) {
		r = refused(a, error);
	} else if (sd_bus_message_has_signature(m, "hs")) {
		r = sd_bus_message_read(m, "h", &fd);
		a->pty = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message owns the first */
		r = a->pty < 0 ? err_sys(&a->e, r < 0 ? -r : errno, "%s: %s", a->name, kinds[a->verb].cannot)
		               : 0;
	}
	finish(a, r);
	return 0;
}

static int append_shell(sd_bus_message *m, char *const *words)
{
	const char *term = getenv("TERM");
	char variable[80];
	int r = sd_bus_message_append(m, "ss", "root", words ? words[0] : "");

	(void)snprintf(variable, sizeof(variable), "TERM=%s", term && strlen(term) <= 64 ? term : "dumb");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && words && words[i]; i++)
		r = sd_bus_message_append(m, "s", words[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_append(m, "as", 1, variable);
}

static int append_arguments(const struct machined_ask *a, sd_bus_message *m)
{
	int r = sd_bus_message_append(m, "s", a->name);

	if (r < 0)
		return r;
	switch (a->verb) {
	case MACHINED_KILL_LEADER:
		return sd_bus_message_append(m, "si", "leader", SIGKILL);
	case MACHINED_KILL_ALL:
		return sd_bus_message_append(m, "si", "all", SIGKILL);
	case MACHINED_SHELL:
		return append_shell(m, a->words);
	case MACHINED_COPY_TO:
	case MACHINED_COPY_FROM:
		return sd_bus_message_append(m, "sst", a->words[0], a->words[1],
		                             (uint64_t)(a->words[2] ? COPY_REPLACE : 0));
	case MACHINED_BIND:
		return sd_bus_message_append(m, "ssbb", a->words[0], a->words[1],
		                             strcmp(a->words[2], "ro") == 0, true);
	case MACHINED_TERMINATE:
	case MACHINED_UNREGISTER:
	case MACHINED_LOGIN:
		return 0;
	}
	return 0;
}

static int send_it(struct machined_ask *a, sd_bus *bus)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, MACHINE1, "/org/freedesktop/machine1",
	                                       MACHINE1 ".Manager", kinds[a->verb].method);

	if (r >= 0)
		r = append_arguments(a, m);
	if (r >= 0 && a->person)
		r = sd_bus_message_set_allow_interactive_authorization(m, true);
	if (r < 0)
		return err_sys(&a->e, -r, "%s: %s", a->name, kinds[a->verb].cannot);
	return bus_call(bus, m, limit(a), on_answer, a, &a->slot, &a->e);
}

static void on_bus(sd_bus *bus, const struct err *e, void *arg)
{
	struct machined_ask *a = arg;
	int r;

	if (!bus) { /* also after the call went out: whether it was heard is not known */
		finish(a, err_set(&a->e, STATUS_UNAVAILABLE, EHOSTDOWN, "%s: %s: %s", a->name,
		                  kinds[a->verb].cannot, e->text));
		return;
	}
	if (a->sent)
		return;
	a->sent = true;
	r = send_it(a, bus);
	if (r < 0)
		finish(a, r);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct machined_ask *a = arg;

	(void)s, (void)usec;
	finish(a, err_set(&a->e, STATUS_DEADLINE, ETIMEDOUT,
	                  "%s: %s: systemd-machined did not answer within %d s (is it stopped? systemctl "
	                  "status systemd-machined)",
	                  a->name, kinds[a->verb].cannot, (int)(limit(a) / BUS_SECOND)));
	return 0;
}

int machined_ask(sd_event *loop, enum machined_verb verb, const char *name, char *const *words,
                 machined_done_fn *done, void *arg, struct machined_ask **ret, struct err *e)
{
	struct machined_ask *a;
	int r = gate_ask(e, "%s: %s", name, kinds[verb].cannot);

	if (r < 0)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return err_no_memory(e);
	*a = (struct machined_ask){ .verb = verb, .words = words, .done = done, .arg = arg, .pty = -1 };
	a->person = geteuid() != 0 && isatty(STDIN_FILENO);
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	r = sd_event_add_defer(loop, &a->end, on_end, a);
	if (r >= 0)
		r = sd_event_source_set_enabled(a->end, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &a->timer, CLOCK_MONOTONIC, limit(a), 1000, on_deadline,
		                               a);
	if (r < 0)
		(void)err_sys(e, -r, "%s: cannot wait for systemd-machined", name);
	else
		r = bus_new(loop, BUS_SYSTEM, on_bus, a, &a->bus, e);
	if (r < 0) {
		machined_ask_cancel(a);
		return r;
	}
	if (ret)
		*ret = a;
	return 0;
}

/* ---- waited for */

struct outcome {
	sd_event *loop;
	int r, pty;
	struct err e;
};

static void on_outcome(int r, int pty, const struct err *e, void *arg)
{
	struct outcome *o = arg;

	o->r = r;
	o->pty = pty;
	if (r < 0)
		o->e = *e;
	(void)sd_event_exit(o->loop, 0);
}

int machined_await(enum machined_verb verb, const char *name, char *const *words, int *ret_pty, struct err *e)
{
	struct outcome o = { .pty = -1 };
	int r = sd_event_new(&o.loop);

	if (r < 0)
		return err_sys(e, -r, "cannot make an event loop");
	r = machined_ask(o.loop, verb, name, words, on_outcome, &o, NULL, &o.e);
	if (r >= 0) {
		r = sd_event_loop(o.loop);
		r = r < 0 ? err_sys(&o.e, -r, "cannot run an event loop") : o.r;
	}
	sd_event_unref(o.loop);
	if (r < 0 && e)
		*e = o.e;
	if (r < 0 || !ret_pty)
		close_p(&o.pty);
	else
		*ret_pty = o.pty;
	return r;
}

#include "drivers/polkit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "drivers/bus.h"

#define POLKIT       "org.freedesktop.PolicyKit1"
#define ANSWER_LIMIT (3 * BUS_SECOND)

struct polkit_check {
	char action[128];
	polkit_done_fn *done;
	void *arg;
	struct bus *bus;
	sd_bus_slot *slot;
	sd_event_source *timer, *end;
	bool sent;
	int r;
	enum polkit_answer answer;
	struct err e;
};

void polkit_cancel(struct polkit_check *c)
{
	if (!c)
		return;
	sd_bus_slot_unref(c->slot);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->end);
	bus_free(c->bus);
	free(c);
}

/* The outcome is told from a defer source, so that nothing is freed while the connection's events are handed
 * around. */
static void finish(struct polkit_check *c, int r)
{
	c->r = r;
	(void)sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(c->end, SD_EVENT_ONESHOT);
}

static int on_end(sd_event_source *s, void *arg)
{
	struct polkit_check *c = arg;

	(void)s;
	c->done(c->r, c->answer, c->r < 0 ? &c->e : NULL, c->arg);
	polkit_cancel(c);
	return 0;
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct polkit_check *c = arg;
	int allowed, challenge, r;

	(void)unused;
	if (error) {
		finish(c, bus_refused(error, &c->e, "polkit"));
		return 0;
	}
	r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(m, "bb", &allowed, &challenge);
	if (r >= 0)
		c->answer = allowed ? POLKIT_YES : challenge ? POLKIT_CHALLENGE : POLKIT_NO;
	finish(c,
	       r < 0 ? err_set(&c->e, STATUS_UNAVAILABLE, EBADMSG, "polkit: its answer can not be read") : 0);
	return 0;
}

static int send_it(struct polkit_check *c, sd_bus *bus)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	const char *name;
	int r = sd_bus_get_unique_name(bus, &name);

	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &m, POLKIT, "/org/freedesktop/PolicyKit1/Authority",
		                                   POLKIT ".Authority", "CheckAuthorization");
	if (r >= 0) /* flags 0: nobody is asked */
		r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", name,
		                          c->action, 0, 0U, "");
	if (r < 0)
		return err_sys(&c->e, -r, "cannot ask polkit");
	return bus_call(bus, m, ANSWER_LIMIT, on_answer, c, &c->slot, &c->e);
}

static void on_bus(sd_bus *bus, const struct err *e, void *arg)
{
	struct polkit_check *c = arg;
	int r;

	if (!bus) {
		finish(c,
		       err_set(&c->e, STATUS_UNAVAILABLE, EHOSTDOWN, "polkit can not be asked: %s", e->text));
		return;
	}
	if (c->sent)
		return;
	c->sent = true;
	r = send_it(c, bus);
	if (r < 0)
		finish(c, r);
}

static int on_deadline(sd_event_source *s, uint64_t now, void *arg)
{
	struct polkit_check *c = arg;

	(void)s, (void)now;
	finish(c, err_set(&c->e, STATUS_DEADLINE, ETIMEDOUT, "polkit does not answer"));
	return 0;
}

int polkit_check(sd_event *loop, const char *action, polkit_done_fn *done, void *arg,
                 struct polkit_check **ret, struct err *e)
{
	struct polkit_check *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_no_memory(e);
	*c = (struct polkit_check){ .done = done, .arg = arg, .answer = POLKIT_NO };
	(void)snprintf(c->action, sizeof(c->action), "%s", action);
	r = sd_event_add_defer(loop, &c->end, on_end, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->end, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &c->timer, CLOCK_MONOTONIC, ANSWER_LIMIT, 1000,
		                               on_deadline, c);
	if (r < 0)
		(void)err_sys(e, -r, "cannot wait for polkit");
	else
		r = bus_new(loop, BUS_SYSTEM, on_bus, c, &c->bus, e);
	if (r < 0) {
		polkit_cancel(c);
		return r;
	}
	*ret = c;
	return 0;
}

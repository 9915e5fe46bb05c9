#include "engine/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/guestunits.h"

#define ASKS_MAX      4
#define GAP_USEC      5000000
#define RETRIES_MAX   2
#define HUNG_GAP_USEC 300000000 /* of one that let us wait */
/* A service that fails leaves its cgroup a moment before its state says so. */
#define CALM_USEC 200000

struct guest {
	struct guests *g;
	uint64_t inode; /* of its registration */
	bool due, here;
	unsigned retries;    /* in a row, unanswered */
	uint64_t gap_usec;   /* from one question to the next */
	uint64_t asked_usec; /* CLOCK_MONOTONIC; 0: never */
	struct guestunits_ask *ask;
	sd_event_source *watch; /* NULL from the first change until it is asked again */
	sd_event_source *timer;
	struct guest *next;
};

static void guest_free(struct guest *guest)
{
	guestunits_cancel(guest->ask);
	sd_event_source_disable_unref(guest->watch);
	sd_event_source_disable_unref(guest->timer);
	free(guest);
}

void guests_done(struct guests *g)
{
	while (g->list) {
		struct guest *next = g->list->next;

		guest_free(g->list);
		g->list = next;
	}
	*g = (struct guests){ 0 };
}

static size_t find_machine(const struct sources *s, uint64_t inode)
{
	size_t i = 0;

	while (i < s->machines.n && s->machines.v[i].inode != inode)
		i++;
	return i;
}

static void pump(struct guests *g);

static void ask_later(struct guest *guest, uint64_t when_usec)
{
	(void)sd_event_source_set_time(guest->timer, when_usec);
	(void)sd_event_source_set_enabled(guest->timer, SD_EVENT_ONESHOT);
}

/* One that did not answer keeps what it said before, and is asked once more: it may have been at its start. */
static void on_told(int r, const struct strs *failed, const struct err *e, void *arg)
{
	struct guest *guest = arg;
	struct sources *s = guest->g->seen;
	size_t i = find_machine(s, guest->inode);

	(void)e;
	guest->ask = NULL;
	guest->gap_usec = r == -ETIMEDOUT ? HUNG_GAP_USEC : GAP_USEC;
	guest->retries = r == -ETIMEDOUT || r == -EIO ? guest->retries + 1 : 0;
	if (guest->retries > 0 && guest->retries <= RETRIES_MAX)
		ask_later(guest, guest->asked_usec + GAP_USEC);
	if (r >= 0 && i < s->machines.n && !strs_same(&s->net[i].failed, failed)) {
		strs_done(&s->net[i].failed);
		strs_add_all(&s->net[i].failed, failed);
		guest->g->changed(guest->g->arg);
	}
	pump(guest->g);
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	struct guest *guest = arg;

	(void)source, (void)usec;
	guest->due = true;
	pump(guest->g);
	return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct guest *guest = arg;
	uint64_t now = 0, when;

	(void)event;
	guest->watch = sd_event_source_disable_unref(source);
	(void)sd_event_now(guest->g->loop, CLOCK_MONOTONIC, &now);
	when = guest->asked_usec + guest->gap_usec;
	if (when < now + CALM_USEC)
		when = now + CALM_USEC;
	ask_later(guest, when);
	return 0;
}

/* The watch stands before the question, so that nothing falls between. */
static void ask(struct guest *guest, size_t machine)
{
	struct guests *g = guest->g;

	guest->due = false;
	(void)sd_event_now(g->loop, CLOCK_MONOTONIC, &guest->asked_usec);
	if (!guest->watch)
		(void)sd_event_add_inotify(g->loop, &guest->watch, g->seen->net[machine].services,
		                           IN_CREATE | IN_DELETE | IN_ONLYDIR, on_change, guest);
	(void)guestunits_ask(g->loop, &g->seen->machines.v[machine], on_told, guest, &guest->ask, NULL);
}

static void pump(struct guests *g)
{
	size_t running = 0;

	for (struct guest *guest = g->list; guest; guest = guest->next)
		running += guest->ask != NULL;
	for (struct guest *guest = g->list; guest && running < ASKS_MAX; guest = guest->next) {
		size_t i =
			guest->due && !guest->ask ? find_machine(g->seen, guest->inode) : g->seen->machines.n;

		if (i == g->seen->machines.n)
			continue;
		ask(guest, i);
		running++;
	}
}

static struct guest *find_guest(const struct guests *g, uint64_t inode)
{
	struct guest *guest = g->list;

	while (guest && guest->inode != inode)
		guest = guest->next;
	return guest;
}

static void add_guest(struct guests *g, uint64_t inode)
{
	struct guest *made = calloc(1, sizeof(*made));

	if (!made)
		return;
	*made = (struct guest){
		.g = g, .inode = inode, .due = true, .here = true, .gap_usec = GAP_USEC, .next = g->list
	};
	if (sd_event_add_time(g->loop, &made->timer, CLOCK_MONOTONIC, 0, 100000, on_time, made) < 0 ||
	    sd_event_source_set_enabled(made->timer, SD_EVENT_OFF) < 0)
		guest_free(made);
	else
		g->list = made;
}

static void drop_the_gone(struct guests *g)
{
	for (struct guest **at = &g->list; *at;) {
		struct guest *guest = *at;

		if (guest->here) {
			at = &guest->next;
			continue;
		}
		*at = guest->next;
		guest_free(guest);
	}
}

static bool runs_systemd(const struct sources *s, size_t i)
{
	const struct registration *m = &s->machines.v[i];
	const struct unit_seen *unit = m->unit ? sources_unit(s, m->unit) : NULL;

	return s->units_known && s->net[i].services && !s->net[i].leader_dead &&
	       (!unit || unit->state == MACHINE_RUNNING);
}

void guests_update(struct guests *g)
{
	if (geteuid() != 0)
		return;
	for (struct guest *guest = g->list; guest; guest = guest->next)
		guest->here = false;
	for (size_t i = 0; i < g->seen->machines.n; i++) {
		struct guest *guest;

		if (!runs_systemd(g->seen, i))
			continue;
		guest = find_guest(g, g->seen->machines.v[i].inode);
		if (guest)
			guest->here = true;
		else
			add_guest(g, g->seen->machines.v[i].inode);
	}
	drop_the_gone(g);
	pump(g);
}

bool guests_are_settled(const struct guests *g)
{
	for (const struct guest *guest = g->list; guest; guest = guest->next)
		if (guest->due || guest->ask)
			return false;
	return true;
}

void guests_start(struct guests *g, sd_event *loop, struct sources *seen, guests_changed_fn *changed,
                  void *arg)
{
	*g = (struct guests){ .loop = loop, .seen = seen, .changed = changed, .arg = arg };
}

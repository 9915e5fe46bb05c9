#include "engine/checkups.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define PERIOD_USEC 500000 /* between two readings */

struct checkups {
	sd_event *loop; /* borrowed */
	struct observer *observer;
	checkups_changed_fn *changed;
	void *arg;

	char *name;              /* whose; "": all machines'; NULL: nobody's */
	struct checkup_job *job; /* is reading */
	bool stale;              /* something changed since that began */
	sd_event_source *later;
	struct checkup found;
	struct reach reach;
	bool known, has_reach;
	char *problem;
};

int checkups_new(sd_event *loop, struct observer *o, checkups_changed_fn *changed, void *arg,
                 struct checkups **ret, struct err *e)
{
	struct checkups *c = calloc(1, sizeof(*c));

	if (!c)
		return err_no_memory(e);
	*c = (struct checkups){ .loop = loop, .observer = o, .changed = changed, .arg = arg };
	*ret = c;
	return 0;
}

static void stop_reading(struct checkups *c)
{
	checkup_cancel(c->job);
	c->job = NULL;
	sd_event_source_disable_unref(c->later);
	c->later = NULL;
	c->stale = false;
}

static void forget(struct checkups *c)
{
	checkup_done(&c->found);
	c->known = c->has_reach = false;
	free(c->problem);
	c->problem = NULL;
}

void checkups_free(struct checkups *c)
{
	if (!c)
		return;
	stop_reading(c);
	forget(c);
	free(c->name);
	free(c);
}

static void begin(struct checkups *c);

static int on_later(sd_event_source *s, uint64_t usec, void *arg)
{
	struct checkups *c = arg;

	(void)s, (void)usec;
	sd_event_source_disable_unref(c->later);
	c->later = NULL;
	if (c->stale)
		begin(c);
	return 0;
}

static void on_done(int r, struct checkup *found, const struct err *e, void *arg)
{
	struct checkups *c = arg;

	c->job = NULL;
	forget(c);
	if (r < 0) {
		c->problem = strdup(e->text);
	} else {
		c->found = *found;
		c->known = true;
		c->has_reach = *c->name && reach_read(observer_snapshot(c->observer), c->name, false,
		                                      &c->reach, NULL) == 0;
	}
	if (sd_event_add_time_relative(c->loop, &c->later, CLOCK_MONOTONIC, PERIOD_USEC, 0, on_later, c) < 0)
		c->later = NULL;
	c->changed(c->arg);
}

static void begin(struct checkups *c)
{
	struct err e;

	c->stale = false;
	if (checkup_start(c->loop, observer_snapshot(c->observer), *c->name ? c->name : NULL, on_done, c,
	                  &c->job, &e) < 0) {
		forget(c);
		c->problem = strdup(e.text);
	}
}

void checkups_stale(struct checkups *c)
{
	if (!c->name)
		return;
	c->stale = true;
	if (!c->job && !c->later)
		begin(c);
}

void checkups_want(struct checkups *c, const char *name)
{
	if (name == c->name || (name && c->name && strcmp(name, c->name) == 0))
		return;
	stop_reading(c);
	forget(c);
	free(c->name);
	c->name = name ? strdup(name) : NULL;
	checkups_stale(c);
}

const struct checkup *checkups_now(const struct checkups *c)
{
	return c->known ? &c->found : NULL;
}

const struct reach *checkups_reach(const struct checkups *c)
{
	return c->has_reach ? &c->reach : NULL;
}

const char *checkups_problem(const struct checkups *c)
{
	return c->problem;
}

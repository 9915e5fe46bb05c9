#include "engine/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/doctor_read.h"

void checkup_done(struct checkup *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].file);
		strs_done(&c->v[i].targets);
	}
	free(c->v);
	free(c->limits);
	*c = (struct checkup){ 0 };
}

bool checkup_is_broken(const struct checkup *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].found.state == DOCTOR_BROKEN)
			return true;
	return false;
}

static void reading_done(struct doctor_reading *r)
{
	doctor_host_done(&r->host);
	free(r->tries);
	checkup_done(&r->to);
}

static bool is_meant(const struct machine *m, const char *name)
{
	return !name || strcmp(m->name, name) == 0;
}

static int finish(struct doctor_reading *r, const char *name, struct checkup *ret, struct err *e)
{
	int status = name ? 0 : doctor_read_nobody(r, e);

	if (status == 0 && r->s->limits && !(r->to.limits = strdup(r->s->limits)))
		status = err_no_memory(e);
	if (status < 0)
		return status;
	*ret = r->to;
	r->to = (struct checkup){ 0 };
	return 0;
}

int checkup_read(const struct snapshot *s, const char *name, bool connect, struct checkup *ret, struct err *e)
{
	CLEANUP(reading_done) struct doctor_reading r = { .s = s, .host.nl.fd = -1 };
	int status = doctor_host_read(&r.host, e);

	if (status == 0 && connect)
		status = doctor_try_all(&r, e);
	for (size_t i = 0; status == 0 && i < s->n; i++)
		if (is_meant(&s->v[i], name))
			status = doctor_read_machine(&r, &s->v[i], e);
	return status < 0 ? status : finish(&r, name, ret, e);
}

/* ---- in a loop */

struct checkup_job {
	struct snapshot s;
	struct doctor_reading r;
	char *name; /* NULL: all */
	size_t next;
	bool opened;
	sd_event_source *turn;
	checkup_done_fn *done;
	void *arg;
};

void checkup_cancel(struct checkup_job *j)
{
	if (!j)
		return;
	sd_event_source_disable_unref(j->turn);
	reading_done(&j->r);
	snapshot_done(&j->s);
	free(j->name);
	free(j);
}

static int one_step(struct checkup_job *j, struct err *e)
{
	if (!j->opened) {
		j->opened = true;
		return doctor_host_read(&j->r.host, e);
	}
	while (j->next < j->s.n && !is_meant(&j->s.v[j->next], j->name))
		j->next++;
	if (j->next < j->s.n)
		return doctor_read_machine(&j->r, &j->s.v[j->next++], e);
	return 1;
}

static int on_turn(sd_event_source *source, void *arg)
{
	struct checkup_job *j = arg;
	struct checkup found = { 0 };
	struct err e = { 0 };
	int r = one_step(j, &e);
	checkup_done_fn *done = j->done;
	void *done_arg = j->arg;

	(void)source;
	if (r == 0)
		return 0;
	if (r > 0)
		r = finish(&j->r, j->name, &found, &e);
	checkup_cancel(j);
	done(r, &found, &e, done_arg);
	return 0;
}

int checkup_start(sd_event *loop, const struct snapshot *s, const char *name, checkup_done_fn *done,
                  void *arg, struct checkup_job **ret, struct err *e)
{
	struct checkup_job *j = calloc(1, sizeof(*j));
	int r = 0;

	if (!j)
		return err_no_memory(e);
	*j = (struct checkup_job){ .done = done, .arg = arg, .r.host.nl.fd = -1 };
	j->name = name ? strdup(name) : NULL;
	if (!snapshot_copy(s, &j->s) || (name && !j->name))
		r = err_no_memory(e);
	j->r.s = &j->s;
	if (r == 0 && (sd_event_add_defer(loop, &j->turn, on_turn, j) < 0 ||
	               sd_event_source_set_enabled(j->turn, SD_EVENT_ON) < 0))
		r = err_no_memory(e);
	if (r < 0) {
		checkup_cancel(j);
		return r;
	}
	*ret = j;
	return 0;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/shellwords.h"
#include "ui/app.h"

const struct app_job *app_job(const struct app *a, const char *name)
{
	for (size_t i = a->n_jobs; i > 0; i--)
		if (!strcmp(a->jobs[i - 1].name, name))
			return &a->jobs[i - 1];
	return NULL;
}

static struct app_job *find_job(struct app *a, const char *name, enum control_verb verb)
{
	for (size_t i = 0; i < a->n_jobs; i++)
		if (!strcmp(a->jobs[i].name, name) && a->jobs[i].errand == ERRAND_NONE &&
		    a->jobs[i].verb == verb)
			return &a->jobs[i];
	return NULL;
}

static void remove_job(struct app *a, struct app_job *job)
{
	size_t at = (size_t)(job - a->jobs);

	memmove(job, job + 1, (a->n_jobs - at - 1) * sizeof(*job));
	a->n_jobs--;
}

static struct app_job *add_job(struct app *a, const char *name, enum control_verb verb, uint64_t now_usec)
{
	struct app_job *grown = reallocarray(a->jobs, a->n_jobs + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	a->jobs = grown;
	grown[a->n_jobs] = (struct app_job){ .verb = verb, .since_usec = now_usec };
	(void)snprintf(grown[a->n_jobs].name, sizeof(grown->name), "%s", name);
	return &grown[a->n_jobs++];
}

/* The oldest gives way. */
static void make_room_in_log(struct app *a)
{
	if (a->n_log < APP_LOG_MAX)
		return;
	free(a->log[0].command);
	free(a->log[0].result);
	memmove(a->log, a->log + 1, --a->n_log * sizeof(*a->log));
	a->log_begins++;
}

size_t app_log(struct app *a, uint64_t now_usec, const char *command)
{
	struct app_logged *grown;

	make_room_in_log(a);
	grown = reallocarray(a->log, a->n_log + 1, sizeof(*grown));
	if (!grown)
		return SIZE_MAX;
	a->log = grown;
	grown[a->n_log] =
		(struct app_logged){ .at_usec = now_usec, .command = strdup(command), .style = STYLE_BUSY };
	return grown[a->n_log].command ? a->log_begins + a->n_log++ : SIZE_MAX;
}

void app_log_result(struct app *a, size_t entry, enum style style, const char *result)
{
	struct app_logged *l;

	if (entry < a->log_begins || entry >= a->log_begins + a->n_log)
		return;
	l = &a->log[entry - a->log_begins];
	free(l->result);
	l->result = strdup(result);
	l->style = style;
}

const char *app_refuses(const struct app *a, const struct machine *m, enum control_verb verb)
{
	const struct app_job *job = app_job(a, m->name);

	if (!job)
		return control_refuses(m, verb);
	if (job->errand != ERRAND_NONE)
		return "is being changed: wait for that, or cancel it";
	if (job->verb == verb)
		return "has been asked to already";
	if (verb == CONTROL_STOP || verb == CONTROL_RESTART || verb == CONTROL_TERMINATE ||
	    verb == CONTROL_KILL)
		return NULL; /* they replace what it waits for */
	return "has another job: wait for it, or cancel it";
}

static void begin_one(struct app *a, const struct machine *m, enum control_verb verb, uint64_t now_usec)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	struct app_job *job = add_job(a, m->name, verb, now_usec);

	a->ended.name[0] = '\0';
	if (!job) {
		app_say(a, STYLE_BAD, now_usec, "%s: cannot %s: out of memory", m->name, control_word(verb));
		return;
	}
	control_command(verb, m, &command);
	job->logged = app_log(a, now_usec, buf_text(&command));
	app_say(a, STYLE_BUSY, 0, "%s: %s…", m->name, control_doing(verb));
	app_todo(a, APP_CONTROL, verb, m->name, NULL, NULL);
}

void app_begin(struct app *a, const struct world *w, enum control_verb verb, const struct strs *names,
               uint64_t now_usec)
{
	size_t begun = 0;

	a->jobs_hidden = false;
	for (size_t i = 0; i < names->n; i++) {
		const struct machine *m = snapshot_find(w->s, names->v[i]);
		const char *why = m ? app_refuses(a, m, verb) : "is not there any more";

		if (why) {
			app_say(a, STYLE_TEXT, 0, "%s %s", names->v[i], why);
			continue;
		}
		begin_one(a, m, verb, now_usec);
		begun++;
	}
	if (begun > 1)
		app_say(a, STYLE_BUSY, 0, "%s: %zu machines…", control_doing(verb), begun);
}

void app_progress(struct app *a, const char *name, enum control_verb verb, const char *waits_for,
                  uint64_t limit_usec)
{
	struct app_job *job = find_job(a, name, verb);

	if (!job)
		return;
	(void)snprintf(job->waits_for, sizeof(job->waits_for), "%s", waits_for ? waits_for : "");
	job->limit_usec = limit_usec;
}

void app_result(struct app *a, const char *name, enum control_verb verb, int r, const struct err *e,
                uint64_t now_usec)
{
	struct app_job *job = find_job(a, name, verb);
	uint64_t tenths;

	if (!job)
		return;
	tenths = now_usec > job->since_usec ? (now_usec - job->since_usec) / 100000 : 0;
	if (r < 0)
		app_log_result(a, job->logged, STYLE_BAD, e->text);
	else
		app_log_result(a, job->logged, STYLE_GOOD, "done");
	if (app_job(a, name) == job) { /* else a later one replaced it, which ends without a word */
		a->ended = (struct app_job){ 0 };
		if (r < 0) {
			app_say(a, STYLE_BAD, now_usec, "%s", e->text);
		} else {
			app_say(a, e ? STYLE_BUSY : STYLE_GOOD, now_usec, "%s: %s in %llu.%llu s%s%s", name,
			        control_did(verb), (unsigned long long)tenths / 10,
			        (unsigned long long)tenths % 10, e ? "; " : "", e ? e->text : "");
			a->ended = *job;
		}
	}
	remove_job(a, job);
}

/* ---- errands */

static struct app_job *find_errand(struct app *a, const char *name)
{
	for (size_t i = 0; i < a->n_jobs; i++)
		if (a->jobs[i].errand != ERRAND_NONE && strcmp(a->jobs[i].name, name) == 0)
			return &a->jobs[i];
	return NULL;
}

void app_begin_errand(struct app *a, enum app_errand errand, const char *name, const char *to,
                      const struct strs *words, uint64_t now_usec)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	struct app_job *job = add_job(a, name, CONTROL_START, now_usec);

	a->jobs_hidden = false;
	a->ended.name[0] = '\0';
	if (!job) {
		app_say(a, STYLE_BAD, now_usec, "%s: cannot %s: out of memory", name,
		        app_errand_word(errand));
		return;
	}
	job->errand = errand;
	a->leaves = false;
	(void)snprintf(job->to, sizeof(job->to), "%s", to);
	job->edits = errand == ERRAND_CREATE && a->create.then == APP_THEN_EDIT;
	buf_puts(&command, "machdeck");
	for (size_t i = 0; i < words->n; i++) {
		buf_puts(&command, " ");
		shellwords_quote(words->v[i], &command);
	}
	job->logged = app_log(a, now_usec, buf_text(&command));
	app_say(a, STYLE_BUSY, 0, "%s: %s…", name, app_job_doing(job));
	app_todo(a, APP_ERRAND, CONTROL_START, name, NULL, words);
}

void app_errand_progress(struct app *a, const char *name, const char *line)
{
	struct app_job *job = find_errand(a, name);

	if (job)
		(void)snprintf(job->waits_for, sizeof(job->waits_for), "%s", line);
}

void app_errand_result(struct app *a, const char *name, int r, const char *result,
                       const struct strs *warnings, const struct err *e, uint64_t now_usec)
{
	struct app_job *job = find_errand(a, name);
	const char *warning = warnings && warnings->n > 0 ? warnings->v[0] : NULL;

	if (!job)
		return;
	app_log_result(a, job->logged, r < 0 ? STYLE_BAD : STYLE_GOOD, r < 0 ? e->text : "done");
	if (r < 0)
		app_say(a, STYLE_BAD, now_usec, "%s", e->text);
	else
		app_say(a, warning ? STYLE_BUSY : STYLE_GOOD, now_usec, "%s%s%s", result, warning ? "; " : "",
		        warning ? warning : "");
	if (r >= 0)
		memcpy(a->goal, job->to, sizeof(a->goal));
	if (r >= 0 && job->edits && app_screen(a) == SCREEN_LIST)
		app_todo(a, APP_FORM_OPEN, CONTROL_START, job->to, NULL, NULL);
	remove_job(a, job);
}

/* control_private - what control.c (steps, connection, face) and control_job.c (a job followed to its end)
 * share. */
#pragma once

#include "drivers/aside.h"
#include "drivers/folder.h"
#include "drivers/machined_ask.h"
#include "drivers/units.h"
#include "engine/control.h"
#include "engine/target.h"
#include "engine/why.h"
#include "words/name.h"

#define CONTROL_SECOND 1000000ULL

enum step {
	STEP_END,
	STEP_START,
	STEP_STOP,
	STEP_RELOAD,
	STEP_KILL,      /* a stop job, and SIGKILL to what runs */
	STEP_KILL_ALL,  /* ... and again whenever the unit comes to something else that it could wait for */
	STEP_FORGOTTEN, /* by systemd-machined */
	STEP_UNREGISTER,
	STEP_FORGIVE,
	STEP_FREEZE,
	STEP_THAW,
	STEP_CONF,  /* AUTO_START= */
	STEP_LINKS, /* systemd's own */
	STEP_MEND,
	STEP_REREAD,
	STEP_MACHINED, /* asked for what the verb means to it */
	STEP_VANISH,   /* from systemd-machined, or it failed */
};

struct control {
	struct control *next;
	enum control_verb verb;
	char name[NAME_MACHINE_MAX + 1];
	struct target target;
	const char *unit; /* the target's; "" for none */
	control_done_fn *done;
	void *arg;
	const enum step *step;
	bool begun;     /* its first step was taken */
	bool cancelled; /* it is to be taken back */
	bool warned;    /* e is what is to be said of a success */
	bool undone;    /* the start that was cancelled is being stopped */
	bool thawed;    /* for a stop */
	char *job;      /* whose end is waited for; NULL: none */
	char *result;   /* the ended job's, while the unit is asked why */
	char sub[32];
	uint64_t began_usec; /* CLOCK_REALTIME */
	uint64_t since_usec, start_limit_usec, stop_limit_usec;
	uint64_t own_limit_usec; /* of a step that is no job */
	sd_bus_slot *slot;       /* the one question that is open */
	sd_bus_slot *cancel_slot, *kill_slot;
	struct why *why;
	struct machined_ask *machined;
	struct aside *aside;
	struct loglines lines; /* of the run that failed; but for a start, only since it was asked for */
	struct folder_watch *watch;
	sd_event_source *timer, *end;
	int r;
	struct err e;
};

/* ---- control.c */

/* control_units - the connection that all share. */
struct units *control_units(void);
/* control_finish - the outcome is known; done is called in the loop's next turn. */
void control_finish(struct control *c, int r, const struct err *e);
void control_next_step(struct control *c);
void control_wait_at_most(struct control *c, uint64_t usec);
void control_forget_question(struct control *c);

/* ---- control_job.c */

/* control_free_export - start_free_export, once it was killed, for units that are not ours; those see to it themselves.
 * When it can not be done, the next start says so. */
void control_free_export(const struct control *c);
void control_learn(struct control *c, const struct unit *u);
/* control_on_job - the answer to what asked for a job. */
void control_on_job(int r, const char *job, const struct err *e, void *arg);
void control_job_ended(struct control *c, const char *result);
/* control_recheck - ask how it stands with a job whose end may have passed unheard. */
void control_recheck(struct control *c);
/* control_too_long - a second passed, or all the time there is. */
void control_too_long(struct control *c);

/* app - what the person at the screen has done so far, as a value. Pure: keys, snapshots and results go in,
 * the next state and at most one command come out. It keeps names, never pointers into a snapshot.
 *
 * Times are CLOCK_REALTIME in microseconds, and given by the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/control.h"
#include "engine/observe.h"
#include "ui/cells.h"
#include "ui/keys.h"
#include "words/name.h"

#define APP_CONFIRM_USEC 200000 /* a key pressed sooner was meant for what was on the screen before */

/* A job that was asked for and has not ended. */
struct app_job {
	char name[NAME_MACHINE_MAX + 1];
	enum control_verb verb;
	uint64_t since_usec;
};

enum app_text { APP_TEXT_NONE, APP_TEXT_HELP, APP_TEXT_DETAILS };

struct app {
	char host[NAME_MACHINE_MAX + 1]; /* whose machines these are */

	size_t *order; /* rows: indices into the snapshot, what needs a person first */
	size_t n_order;
	char selected[NAME_MACHINE_MAX + 1]; /* "": there is none */
	size_t row;                          /* where it is */
	size_t top, page; /* first row shown, what a page key moves by: as the last frame had it */

	struct app_job *jobs;
	size_t n_jobs;

	struct {
		char text[ERR_TEXT_MAX];
		enum style style;
		uint64_t at_usec; /* 0: a remark, no event */
	} message;
	struct app_job ended; /* the last one, when it went well; no name: none */

	enum app_text text; /* what is read over the list */
	int text_top;

	struct {
		bool open, yes; /* which answer is marked */
		enum control_verb verb;
		char name[NAME_MACHINE_MAX + 1];
		uint64_t shown_usec; /* when it came onto the screen; 0: not yet */
	} confirm;
};

enum app_effect {
	APP_NOTHING,
	APP_CONTROL,     /* begin verb on name, tell app_result() how it ended */
	APP_FLUSH_INPUT, /* forget keys that were typed but not yet read */
	APP_REPAINT,
	APP_QUIT,
};

struct app_command {
	enum app_effect what;
	enum control_verb verb;
	char name[NAME_MACHINE_MAX + 1];
};

void app_done(struct app *a);

enum screen app_screen(const struct app *a);

/* app_follow - the system is now s; call it before app_key() and before a frame is built. */
void app_follow(struct app *a, const struct snapshot *s);
/* app_key - a person pressed key (input.h); s is the one of the last app_follow(). */
struct app_command app_key(struct app *a, const struct snapshot *s, int key, uint64_t now_usec);
/* app_shown - a frame with all of this reached the terminal. */
void app_shown(struct app *a, uint64_t now_usec);
/* app_result - the job on name ended: r as in control.h, e says why when it failed. */
void app_result(struct app *a, const char *name, enum control_verb verb, int r, const struct err *e,
                uint64_t now_usec);
/* app_say - a sentence in the message line. */
void app_say(struct app *a, enum style style, uint64_t at_usec, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* app_job - the latest job on that machine, or NULL. */
const struct app_job *app_job(const struct app *a, const char *name);
/* app_refuses - why verb can not be done on m, as words that follow its name ("is not running"); NULL: it
 * can. */
const char *app_refuses(const struct app *a, const struct machine *m, enum control_verb verb);

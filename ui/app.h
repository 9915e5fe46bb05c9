/* app - what the person at the screen has done so far, as a value. Pure: keys, snapshots and results go in,
 * the next state and commands come out. It keeps names, never pointers into a snapshot.
 *
 *   app.c       rows, selection, marks, sorting         app_jobs.c  jobs and the log of commands
 *   app_keys.c  from a key to what it does              app_ask.c   questions, prompts, menus
 *   app_errand.c  what a process of its own does: create, clone, rename, destroy, reset; app_create.c asks what a new one is
 *
 * Times are CLOCK_REALTIME in microseconds, and given by the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strs.h"
#include "engine/control.h"
#include "ui/cells.h"
#include "ui/columns.h"
#include "ui/doc.h"
#include "ui/filter.h"
#include "ui/form.h"
#include "ui/keys.h"
#include "ui/line.h"
#include "ui/theme.h"
#include "ui/world.h"
#include "words/name.h"

#define APP_CONFIRM_USEC 200000  /* a key pressed sooner was meant for what was on the screen before */
#define APP_PERIOD_USEC  2000000 /* between two samples, unless told otherwise */
#define APP_EXTRAS       3
#define APP_LOG_MAX      500  /* commands that the log remembers */
#define APP_TARGETS_MAX  1000 /* machines that one action goes to */

enum tab {
	TAB_OVERVIEW,
	TAB_LOGS,
	TAB_NETWORK,
	TAB_PORTS,
	TAB_PROCESSES,
	TAB_CONFIG,
	TAB_PLAN,
	TAB_EVENTS,
	TAB_COUNT
};

/* What takes long and is done by a process of its own (engine/errand). */
enum app_errand {
	ERRAND_NONE,
	ERRAND_CLONE,
	ERRAND_RENAME,
	ERRAND_DESTROY,
	ERRAND_RESET,
	ERRAND_CREATE,
	ERRAND_SNAPSHOT,
	ERRAND_RESTORE
};

/* A job that was asked for and has not ended. */
struct app_job {
	char name[NAME_MACHINE_MAX + 1];
	enum app_errand errand; /* NONE: it is verb */
	enum control_verb verb;
	char to[NAME_MACHINE_MAX + 1]; /* of an errand: the name of what it makes; "": nothing */
	bool edits;                    /* and its form opens when that is made */
	uint64_t since_usec;
	char waits_for[64];  /* "its guest boots"; "": not known */
	uint64_t limit_usec; /* how long systemd allows it; 0: not known */
	size_t logged;       /* its entry in the log of commands */
};

/* One line of the log of commands. */
struct app_logged {
	uint64_t at_usec;
	char *command; /* the shell command that does the same */
	char *result;  /* NULL: it goes on */
	enum style style;
};

enum app_text {
	APP_TEXT_NONE,
	APP_TEXT_HELP,
	APP_TEXT_WHY,
	APP_TEXT_COMMANDS,
	APP_TEXT_RESULTS,
	APP_TEXT_SELF,
	APP_TEXT_DRIFT,
	APP_TEXT_SAVE, /* what would be saved of a form */
	APP_TEXT_FORM_PLAN,
	APP_TEXT_NETWORK,
	APP_TEXT_PORTS,
	APP_TEXT_DOCTOR,
	APP_TEXT_ERRAND, /* what the errand that is wished would do */
};

/* What the program itself has used since it began. */
struct app_self {
	uint64_t since_usec, cpu_usec, wakeups, frames, bytes, bus_calls, memory;
};

enum app_prompt {
	PROMPT_NONE,
	PROMPT_FILTER,  /* which machines are shown; takes effect as it is typed */
	PROMPT_SEARCH,  /* in the details, a text, the logs */
	PROMPT_LINES,   /* which lines of the logs are shown */
	PROMPT_RUN,     /* a command for the targets */
	PROMPT_SAVE,    /* a file for the logs, or for what is typed in a form */
	PROMPT_PALETTE, /* an action or a machine */
	PROMPT_FIELD,   /* a value of the form */
	PROMPT_NEW,     /* a name that is free, for an errand */
	PROMPT_ROOT,    /* what the tree of a new container is made of */
	PROMPT_EXTRA,   /* ... and from where, and with what */
	PROMPT_PORTS,   /* its forwarded ports */
	PROMPT_YOURS,   /* the word by which what is typed in a form counts over what others saved */
	PROMPT_NAME,    /* the name that confirms something severe */
};

enum app_menu {
	MENU_NONE,
	MENU_KILL,
	MENU_COPY,
	MENU_COLUMNS,
	MENU_FORM,
	MENU_CLASH,
	MENU_ROOT,
	MENU_NETWORK,
	MENU_USERS,
	MENU_START,
	MENU_STATES,
	MENU_CLONE
};

/* What a new container has for a network, and what follows when it is made. */
enum app_network { APP_NETWORK_OWN, APP_NETWORK_BRIDGE, APP_NETWORK_HOST };
/* How the root of a clone is made: ASK when it turns out that it would be a full copy. */
enum app_copies { APP_COPIES_ASK, APP_COPIES_FULLY, APP_COPIES_NOTHING };
enum app_then { APP_THEN_NOTHING, APP_THEN_START, APP_THEN_EDIT };

enum app_effect {
	APP_NOTHING,
	APP_CONTROL, /* begin verb on name, tell app_result() how it ended */
	APP_CANCEL,  /* cancel its job */
	APP_ERRAND,  /* names are the words of a verb: do it, name is whose job it is; app_errand_result() */
	APP_ERRAND_LOOK, /* names are the words of a verb that only looks; none: whether app.wish can be done: app_errand_looked() */
	APP_ERRAND_CANCEL, /* the one of name */
	APP_PREVIEW,       /* what verb would do to names: app_preview() takes it */
	APP_FORM_OPEN, /* the conf of name as a form; the one that is open, which another one edits: to edit it now */
	APP_FORM_JUDGE, /* beside all other containers */
	APP_FORM_TYPED, /* a value is being typed, or is no more: it is judged and kept when that rests */
	APP_FORM_PREVIEW,
	APP_FORM_PLAN,
	APP_FORM_WRITE,   /* what is typed to the file text, which is none yet */
	APP_FORM_SETTLED, /* it goes on from what others saved meanwhile */
	APP_FORM_SAVE,
	APP_FORM_PATHS, /* read the folder text, for what stands before it in the field too: app_form_paths() takes it */
	APP_FORM_CLOSE,  /* nobody edits it any more */
	APP_FLUSH_INPUT, /* forget keys that were typed but not yet read */
	APP_SESSION, /* lend the terminal to a shell (text "shell") or console in name, or an editor (text "edit") */
	APP_RUN,       /* run text in each of names; app_results() takes them */
	APP_COPY,      /* text to the clipboard */
	APP_SAVE_LOGS, /* to the file text */
	APP_PAGE_LOGS,
	APP_MOUSE, /* it was turned on or off */
	APP_THEME, /* it was changed */
	APP_LOCK,  /* locked or unlocked: close or open the gate */
	APP_REREAD,
	APP_REPAINT,
	APP_QUIT,
};

struct app_command {
	enum app_effect what;
	enum control_verb verb;
	char name[NAME_MACHINE_MAX + 1];
	char *text;        /* owned */
	struct strs names; /* owned */
};

/* Something that is going to be done to some machines. */
struct app_intent {
	enum control_verb verb;
	enum app_errand errand; /* NONE: it is verb */
	struct strs names;      /* in the order of the list */
};

struct app {
	uint64_t now_usec; /* of the last key or frame */
	struct columns columns;
	struct columns_sort sort;
	struct filter filter;
	char filter_text[LINE_SIZE];   /* as it was typed; "": all are shown */
	char filter_before[LINE_SIZE]; /* what Esc goes back to while one is typed */
	bool folds;                    /* healthy rows that have no room are only counted */

	size_t *order; /* rows: indices into the snapshot */
	size_t n_order;
	struct strs marks;                   /* names */
	char selected[NAME_MACHINE_MAX + 1]; /* "": there is none */
	size_t row;                          /* where it is */
	size_t top, page; /* first row shown, what a page key moves by: as the last frame had it */

	struct {
		bool open, focused, zoomed;
		bool alone; /* there was no room for the list beside it */
		enum tab tab;
		int top, page; /* first line that is shown; what a page key moves by */
	} pane;

	enum app_text text; /* what is read over the list */
	int text_top, text_page;
	struct doc results; /* of a command that was run in some machines */
	char results_title[160];
	char search[LINE_SIZE]; /* in what is read or in the details: a regular expression; "": none */
	int seek;               /* 1, -1: the frame goes to the next, the previous place where it is */

	struct app_job *jobs;
	size_t n_jobs;
	bool jobs_hidden;
	struct app_logged *log;
	size_t n_log, log_begins; /* the first one's number */

	struct {
		char text[ERR_TEXT_MAX];
		enum style style;
		uint64_t at_usec; /* 0: a remark, no event */
		bool brief;       /* gone with the next key */
	} message;
	bool lines;                      /* a talk by lines: no keys are named */
	bool leaves;                     /* it was said what leaving would give up */
	char goal[NAME_MACHINE_MAX + 1]; /* a new machine, selected when it is there; "": none */
	struct app_job ended;            /* the last one, when it went well; no name: none */

	uint64_t offered_usec; /* when what Enter would do or save came onto the screen; 0: not yet */

	struct {                /* a question: severe ones by PROMPT_NAME */
		bool open, yes; /* which answer is marked */
		int top;        /* first line of it that is shown */
		struct app_intent what;
		uint64_t shown_usec; /* when it came onto the screen; 0: not yet */
		char *preview;       /* lines: what it would do, as commands and comments; NULL: not known */
	} confirm;
	struct {
		enum app_errand errand;
		char name[NAME_MACHINE_MAX + 1];
		char to[NAME_MACHINE_MAX +
		        1]; /* the new name, of a clone or a rename; the snapshot to go back to */
		enum app_copies copies;
		bool live;  /* of a clone: the original runs, and stands still while it is copied */
		bool looks; /* what it would do is being found out, to be shown */
	} wish;             /* the errand that is asked about */
	struct strs states; /* its snapshots, a line each: a name, blanks, when it was made */
	struct {
		size_t source; /* a row of MENU_ROOT */
		size_t extra;  /* the one that is asked */
		char root[LINE_SIZE], extras[APP_EXTRAS][LINE_SIZE], ports[LINE_SIZE];
		enum app_network network;
		char bridge[NAME_LINK_SIZE]; /* of the host */
		bool roots_are_one;          /* its root is the host's: PRIVATE_USERS=no */
		enum app_then then;
	} create; /* of wish.name */
	enum app_prompt prompt;
	struct line line;                          /* what is typed into it */
	struct line_history history[PROMPT_FIELD]; /* what was typed before, by prompt */
	enum app_menu menu;
	struct form form;
	char typed[LINE_SIZE]; /* what the completion of a field began with */
	size_t menu_row;

	const char *read_only; /* why nothing may be changed; NULL: it may */
	bool locked;           /* it is read-only because it was locked, u unlocks */
	bool mouse;
	enum theme theme;
	bool cautious;      /* ask before every change, and for the name where a y would do */
	char lock_why[48];  /* what read_only says while it is locked */
	uint64_t lock_usec; /* without a key it locks after that; 0: never */
	uint64_t key_usec;  /* of the last key */
	struct app_self self;
	const struct strs *mistakes; /* in the settings; NULL: none. Of who made the app */
	struct strs failed;          /* names of those that were failed at the last look */
	bool looked;                 /* there was a first look */
	bool rings;                  /* one more is; the caller takes it back */
	uint64_t period_usec;        /* between two samples; 0: nothing is sampled */
	bool ascii;                  /* what the terminal can show */

	struct app_command *todo; /* what app_next() gives */
	size_t n_todo, next_todo;
};

/* app_init - columns and all as they are without settings. app_done() also takes a zeroed one. */
void app_init(struct app *a);
void app_done(struct app *a);

enum screen app_screen(const struct app *a);

/* app_follow - the world is now w; call it before app_key() and before a frame is built. */
void app_follow(struct app *a, const struct world *w);
/* app_key - a person pressed key (input.h); w is the one of the last app_follow(). What is to be done about
 * it is then given by app_next(). */
void app_key(struct app *a, const struct world *w, int key, uint64_t now_usec);
/* app_idle - lock it when no key was pressed for long enough; app_next() gives what is to be done then.
 * False: it is not time yet, or there is nothing to lock. */
bool app_idle(struct app *a, uint64_t now_usec);
/* app_act - the same, by the action: for the palette and the mouse. */
void app_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec);
/* app_next - the next thing to do; ret owned, app_command_done(). False: nothing more. */
bool app_next(struct app *a, struct app_command *ret);
void app_command_done(struct app_command *c);

/* app_shown - a frame with all of this reached the terminal. */
void app_shown(struct app *a, uint64_t now_usec);
/* app_result - the job on name ended: r as in control.h, e says why when it failed. */
void app_result(struct app *a, const char *name, enum control_verb verb, int r, const struct err *e,
                uint64_t now_usec);
/* app_preview - what the verb that is asked about would do: lines of commands, and comments with a #. */
void app_preview(struct app *a, enum control_verb verb, const char *text);
/* app_nothing_to_do - the same when that is nothing: the question goes, and that is said. */
void app_nothing_to_do(struct app *a, enum control_verb verb);
/* app_progress - what the job on name waits for now. */
void app_progress(struct app *a, const char *name, enum control_verb verb, const char *waits_for,
                  uint64_t limit_usec);
/* app_errand_looked - r 0: what it would do, as lines; negative: e says why it can not be done, and the question is
 * closed. app_errand_progress - what the errand of name does now.
 * app_errand_result - it ended: r, result, warnings and e as in engine/errand.h. */
void app_errand_looked(struct app *a, enum app_errand errand, const char *name, int r, const char *text,
                       const struct err *e);
void app_errand_progress(struct app *a, const char *name, const char *line);
void app_errand_result(struct app *a, const char *name, int r, const char *result,
                       const struct strs *warnings, const struct err *e, uint64_t now_usec);
/* app_say - a sentence in the message line. */
void app_say(struct app *a, enum style style, uint64_t at_usec, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* app_select - go to that machine, when it is shown. */
void app_select(struct app *a, const struct world *w, const char *name);
/* app_targets - who an action goes to: the marked machines in the order of the list, else the selected one.
 * ret owned. */
void app_targets(const struct app *a, const struct world *w, struct strs *ret);
/* app_job - the latest job on that machine, or NULL. */
const struct app_job *app_job(const struct app *a, const char *name);
/* app_refuses - why verb can not be done on m, as words that follow its name ("is not running"); NULL: it
 * can. */
const char *app_refuses(const struct app *a, const struct machine *m, enum control_verb verb);
/* app_can - whether the action would do something to the targets; for what is dimmed. */
bool app_can(const struct app *a, const struct world *w, enum action action);
/* app_errand_refuses - as app_refuses, of an errand. */
const char *app_errand_refuses(const struct app *a, const struct machine *m, enum app_errand errand);
/* app_errand_of - the errand of an action, or NONE. app_errand_word - "clone"; _does - what follows from it, or "".
 * app_job_word, app_job_doing - "clone", "cloning"; of verbs, too. */
enum app_errand app_errand_of(enum action action);
const char *app_errand_word(enum app_errand errand);
const char *app_errand_does(enum app_errand errand);
/* app_create_source - of that row of MENU_ROOT: its word, and what it is; false: there are no more. app_create_asks - what
 * PROMPT_ROOT or PROMPT_EXTRA asks. */
bool app_create_source(size_t row, const char **ret_word, const char **ret_help);
const char *app_create_asks(const struct app *a);
const char *app_job_word(const struct app_job *job);
const char *app_job_doing(const struct app_job *job);
/* app_wants_network - whether the host's network is on the screen, or will be in a question. */
bool app_wants_network(const struct app *a);
/* app_confirm_word - what must be typed to confirm something severe: the name, or of several the verb. */
const char *app_confirm_word(const struct app *a);
/* ---- between the files of the app */

/* app_todo - one more thing for app_next(); text and names are copied, and may be NULL. */
void app_todo(struct app *a, enum app_effect what, enum control_verb verb, const char *name, const char *text,
              const struct strs *names);
/* app_log - the command in the log; returns its place for app_log_result(). */
size_t app_log(struct app *a, uint64_t now_usec, const char *command);
void app_log_result(struct app *a, size_t entry, enum style style, const char *result);
/* app_begin - begin the verb on each of the names that still takes it. */
void app_begin(struct app *a, const struct world *w, enum control_verb verb, const struct strs *names,
               uint64_t now_usec);
/* app_begin_errand - words: the verb, its options, its names; name is whose job it is. */
void app_begin_errand(struct app *a, enum app_errand errand, const char *name, const char *to,
                      const struct strs *words, uint64_t now_usec);
/* app_want_errand - asks for what it needs. app_errand_named - what was typed for its new name. app_errand_look - all is
 * answered: what it would do is asked, and then shown. app_errand_commit - do what is shown. app_errand_confirmed - its name
 * was typed. */
void app_want_errand(struct app *a, const struct world *w, enum app_errand errand);
void app_errand_named(struct app *a, const struct world *w, const char *text);
void app_errand_look(struct app *a);
void app_errand_commit(struct app *a, const struct world *w, uint64_t now_usec);
void app_errand_confirmed(struct app *a, const struct world *w, uint64_t now_usec);
/* app_errand_state - that row of MENU_STATES was chosen; app_errand_copies - of MENU_CLONE. */
void app_errand_state(struct app *a, size_t row);
void app_errand_copies(struct app *a, size_t row);
/* app_errand_holds - whether one goes on that leaving would give up; said once, so that the second time it is false. */
bool app_errand_holds(struct app *a);
/* app_errands_left - those that go on now, as sentences of what becomes of them when the dashboard ends. */
void app_errands_left(const struct app *a, struct strs *ret);
void app_close_question(struct app *a);
/* app_create_named - its name is app.wish. app_create_chosen - a row of MENU_ROOT, _NETWORK (bridge: of that row; NULL),
 * _USERS or _START. app_create_typed - what was typed for PROMPT_ROOT, _EXTRA or _PORTS. app_create_words - the verb's options for that. app_create_again - it can not be
 * made like this: what was typed is asked again. */
void app_create_named(struct app *a);
void app_create_chosen(struct app *a, enum app_menu menu, size_t row, const char *bridge);
void app_create_typed(struct app *a, enum app_prompt prompt, const char *text);
void app_create_words(const struct app *a, struct strs *words);
void app_create_again(struct app *a);
/* app_want - the verb on the targets: mild ones at once, the others ask first. */
void app_want(struct app *a, const struct world *w, enum control_verb verb, uint64_t now_usec);
void app_answer(struct app *a, const struct world *w, bool yes, uint64_t now_usec);
void app_open_prompt(struct app *a, enum app_prompt prompt, const char *text);
void app_open_menu(struct app *a, enum app_menu menu);
void app_prompt_key(struct app *a, int key);
/* app_take_line - all of the text, and Enter, for what the prompt asks. */
void app_take_line(struct app *a, const struct world *w, const char *text, uint64_t now_usec);
void app_prompt_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec);
/* app_form_act - what the action does to the form; false: nothing. app_form_take - what was typed for a field.
 * app_form_typed - as it is typed; pasted: one of many characters, all are judged at the end. app_form_told - what speaks against what is typed so far. app_form_show -
 * the results, over the form. app_form_complete - the next choice of the field. */
bool app_form_act(struct app *a, enum action action);
/* app_form_clashed - others changed the same keys meanwhile: whose are to count? app_form_settle - the answer, a row of
 * MENU_CLASH. */
void app_form_clashed(struct app *a);
void app_form_settle(struct app *a, size_t row);
/* app_form_overwrite - what was typed at PROMPT_YOURS. */
void app_form_overwrite(struct app *a, const char *text);
void app_form_take(struct app *a, const char *text);
void app_form_typed(struct app *a, bool pasted);
void app_form_show(struct app *a, enum app_text text);
void app_form_told(struct app *a, enum style style, const char *why);
void app_form_complete(struct app *a);
/* app_form_paths - what was found in the folder that within ends with: choices begin with within, and are taken over. */
void app_form_paths(struct app *a, const char *within, struct strs *choices);
void app_menu_act(struct app *a, const struct world *w, enum action action, uint64_t now_usec);
/* app_logs_act - what the action does to logs; false: nothing. */
bool app_logs_act(struct app *a, struct logview *logs, enum action action);
/* app_logs_take - what was typed to search or filter them. */
void app_logs_take(struct app *a, struct logview *logs, enum app_prompt prompt, const char *text);
/* app_move - up or down by that many rows or lines, wherever one is. */
void app_move(struct app *a, const struct world *w, long by);

/* verbs - the command line: one file a command, one table of them all (main dispatches and helps from it). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

struct verb;

/* Runs a verb: argv[0] is the verb itself. Prints; returns the exit status (enum status). */
typedef int verb_fn(const struct verb *v, int argc, char **argv);
verb_fn verb_list, verb_status, verb_control, verb_run, verb_session, verb_show_ip, verb_plan, verb_check,
	verb_hosts, verb_unit, verb_links, verb_watch, verb_logs, verb_transfer, verb_images, verb_show,
	verb_ports, verb_doctor, verb_mend;
/* of confs */
verb_fn verb_import, verb_export, verb_limit, verb_diff, verb_get, verb_set, verb_edit, verb_undo,
	verb_history;
/* of containers as a whole */
verb_fn verb_create, verb_destroy, verb_clone, verb_rename, verb_snapshot, verb_snapshots, verb_restore,
	verb_reset, verb_update, verb_generations, verb_rollback;

struct verb {
	const char *name;
	verb_fn *run;
	const char *args; /* for usage: "[--json] NAME" */
	const char *help; /* one line */
	bool hidden;      /* not for people: what units call */
};

/* The table, in the order of --help; ends with a NULL name. */
extern const struct verb verbs[];

/* verb_fail - print "machdeck: SENTENCE" on stderr; returns the status. */
int verb_fail(const struct err *e);
/* verb_usage - "machdeck: WHY" and the verb's usage line on stderr; returns STATUS_USAGE. */
int verb_usage(const struct verb *v, const char *why);
/* verb_names - whether the arguments from argv[first] are at least one and all are names of machines; says what is
 * wrong and returns STATUS_USAGE otherwise, else STATUS_DONE. */
int verb_names(const struct verb *v, int argc, char **argv, int first);
/* verb_name, verb_first_name - the same of argv[optind], behind the options: it is all that is left, or others that are no
 * machines may follow. */
int verb_name(const struct verb *v, int argc, char **argv);
int verb_first_name(const struct verb *v, int argc, char **argv);
/* verb_json - the options of a verb that has --json alone; what is left begins at optind. Returns as verb_names.
 * verb_no_name - it takes nothing else; WHAT it does says why: "it lists all images". */
int verb_json(const struct verb *v, int argc, char **argv, bool *ret);
int verb_no_name(const struct verb *v, int argc, char **argv, bool *ret_json, const char *what);
/* verb_one_name - the arguments "[--json] NAME". Returns as verb_names. */
int verb_one_name(const struct verb *v, int argc, char **argv, bool *ret_json, const char **ret_name);
/* verb_is_up - whether it runs. errors: as observe_once() */
int verb_is_up(const char *name, bool *ret, struct err *e);
/* verb_warn - each sentence as a warning on stderr. */
void verb_warn(const struct strs *warnings);
/* verb_print - all of text on stdout; returns STATUS_DONE, or STATUS_IO with its sentence when it can not be written. */
int verb_print(const char *text);
/* verb_print_buf - the same; of a text that is not whole for want of memory nothing, and STATUS_SYSTEM. */
int verb_print_buf(const struct buf *text);

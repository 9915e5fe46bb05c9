#include "verbs/verbs.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "engine/observe.h"
#include "words/name.h"

const struct verb verbs[] = {
	{ "list", verb_list, "[--json]", "every configured and every running machine", false },
	{ "status", verb_status, "[--json] NAME | --line[=tmux] [--width N]",
	  "one machine: what is configured, what runs, why it is down", false },
	{ "watch", verb_watch, "[--json]", "a line for each change, until it is interrupted", false },
	{ "start", verb_control, "[--dry-run] NAME...", "start, and wait until they are ready", false },
	{ "stop", verb_control, "[--dry-run] NAME...", "stop cleanly, and wait", false },
	{ "restart", verb_control, "[--dry-run] NAME...", "stop and start", false },
	{ "reload", verb_control, "[--dry-run] NAME...", "apply what can change without a restart", false },
	{ "terminate", verb_control, "[--dry-run] NAME...", "kill at once, without a clean shutdown", false },
	{ "kill", verb_control, "[--dry-run] NAME...", "the last resort: kill what tidies up behind it, too",
	  false },
	{ "freeze", verb_control, "[--dry-run] NAME...", "make all processes stand still", false },
	{ "thaw", verb_control, "[--dry-run] NAME...", "let them run on", false },
	{ "enable", verb_control, "[--dry-run] NAME...", "start it at boot", false },
	{ "disable", verb_control, "[--dry-run] NAME...", "do not start it at boot", false },
	{ "forgive", verb_control, "[--dry-run] NAME...", "forget that it failed", false },
	{ "drop", verb_control, "[--dry-run] NAME...", "forget a machine whose processes are gone", false },
	{ "run", verb_run, "[--snapshot] NAME -- COMMAND...", "run a command in a running machine", false },
	{ "shell", verb_session, "NAME", "root's shell in a running machine", false },
	{ "login", verb_session, "NAME", "a login console of a running machine", false },
	{ "copy-to", verb_transfer, "[--force] [--snapshot] [--dry-run] NAME PATH [PATH]",
	  "copy a file or folder into a running machine", false },
	{ "copy-from", verb_transfer, "[--force] [--dry-run] NAME PATH [PATH]",
	  "copy a file or folder out of a running machine", false },
	{ "bind", verb_transfer, "[--read-only] [--idmap] [--dry-run] NAME PATH [PATH]",
	  "show a running machine a file or folder of the host", false },
	{ "logs", verb_logs, "[-f] [-n N] [-p PRIO] [--grep RE] [--json] NAME...",
	  "what they log, inside and on the host", false },
	{ "show", verb_show, "[--json] NAME", "its registration and unit, as KEY=VALUE lines", false },
	{ "images", verb_images, "[--json]", "trees and images that systemd-machined keeps", false },
	{ "links", verb_links, "[--json]", "the network: links at both ends, addresses, routes, forwards",
	  false },
	{ "ports", verb_ports, "[--json]", "the forwarded ports of all machines, and whether they work",
	  false },
	{ "doctor", verb_doctor, "[--probe] [--json] [NAME]", "why a forwarded port is dead, and what helps",
	  false },
	{ "mend", verb_mend, "[--dry-run] [--json] NAME | --orphans",
	  "what is missing of its network comes back, without a restart", false },
	{ "show-ip", verb_show_ip, "[--json] NAME", "its address", false },
	{ "plan", verb_plan, "[--root DIR] [--json] NAME", "what starting it takes, without doing it",
	  false },
	{ "check", verb_check, "[--root DIR] [--json] [--resolve] [NAME...]", "look for mistakes in confs",
	  false },
	{ "create", verb_create, "--SOURCE [--KEY=VALUE...] [--dry-run] NAME",
	  "make one; every key of a conf is an option", false },
	{ "clone", verb_clone, "[--live|--overlay] [--KEY=VALUE...] [--dry-run] NAME NEW",
	  "make a second one like it", false },
	{ "rename", verb_rename, "[--dry-run] NAME NEW", "give one that is down another name", false },
	{ "snapshot", verb_snapshot, "[--copy] [--dry-run] NAME [SNAPSHOT]", "keep its root as it is",
	  false },
	{ "snapshots", verb_snapshots, "[--json | --delete SNAPSHOT [--dry-run]] NAME",
	  "the kept states of its root", false },
	{ "restore", verb_restore, "[--yes] [--dry-run] NAME SNAPSHOT", "go back to a kept state", false },
	{ "reset", verb_reset, "[--yes] [--dry-run] NAME", "go back to where its root began", false },
	{ "update", verb_update,
	  "[--config TEXT | --config-file FILE | --flake FLAKE] [--nixos-path PATH] [--snapshot] [--dry-run] "
	  "NAME",
	  "have Nix build its system anew", false },
	{ "generations", verb_generations, "[--json] NAME", "the systems that Nix built for it", false },
	{ "rollback", verb_rollback, "[--dry-run] NAME [GENERATION]",
	  "go back to a system that Nix built before", false },
	{ "destroy", verb_destroy, "[--yes] [--detach] [--dry-run] ... NAME",
	  "remove it: root, conf, and what belongs to them", false },
	{ "import", verb_import,
	  "[--root DIR] [--release R] [--registries v1|v2] [--include FOLDER]... [--dry-run] [--yes] "
	  "FILE|-|--expr NIX",
	  "confs from the modules' options in JSON or Nix", false },
	{ "export", verb_export, "[--root DIR] [--virtualisation] [NAME...]",
	  "confs as the modules' options in JSON, for import", false },
	{ "diff", verb_diff, "[--json] NAME...", "what differs between conf, start and what is seen", false },
	{ "get", verb_get, "[--json] [--unit[=FILE]] NAME [KEY...]", "what its conf says", false },
	{ "set", verb_set, "[--dry-run] [--unit[=FILE]] NAME KEY=VALUE|KEY+=ITEM|KEY-=ITEM...",
	  "change its conf, judged as a start would judge it", false },
	{ "unset", verb_set, "[--dry-run] [--unit[=FILE]] NAME KEY...", "take keys out of its conf", false },
	{ "edit", verb_edit, "[--dry-run] [--unit[=FILE]] NAME",
	  "its conf in your editor, checked when you leave it", false },
	{ "undo", verb_undo, "[--dry-run] [--unit[=FILE]] NAME", "its conf as it was before the last change",
	  false },
	{ "history", verb_history, "[--json] [--unit[=FILE]] NAME",
	  "its conf before each of the last 20 changes", false },
	{ "limit", verb_limit, "[--runtime] [--dry-run] NAME LIMIT=VALUE...",
	  "MemoryMax, CPUQuota, TasksMax, IOWeight, at once", false },
	{ "hosts", verb_hosts, "[--root DIR] [--json | --write | --dry-run]", "the lines for /etc/hosts",
	  false },
	{ "unit", verb_unit, "PHASE [NAME]", "what the units call", true },
	{ 0 },
};

int verb_fail(const struct err *e)
{
	fprintf(stderr, "machdeck: %s\n", e->text);
	return (int)e->status;
}

int verb_usage(const struct verb *v, const char *why)
{
	char shown[ERR_TEXT_MAX];

	text_printable(shown, sizeof(shown), why, strlen(why));
	fprintf(stderr, "machdeck: %s\nusage: machdeck %s %s\n", shown, v->name, v->args);
	return STATUS_USAGE;
}

int verb_names(const struct verb *v, int argc, char **argv, int first)
{
	if (first >= argc)
		return verb_usage(v, "which machine? its name is missing");
	for (int i = first; i < argc; i++) {
		struct err e;

		if (name_is_machine(argv[i]))
			continue;
		(void)err_set(
			&e, STATUS_USAGE, EINVAL,
			"'%s' can not be a machine's name (letters, digits, inner '-' and '.', at most 64)",
			argv[i]);
		return verb_fail(&e);
	}
	return STATUS_DONE;
}

int verb_first_name(const struct verb *v, int argc, char **argv)
{
	return verb_names(v, optind < argc ? optind + 1 : argc, argv, optind);
}

int verb_name(const struct verb *v, int argc, char **argv)
{
	int r = verb_names(v, argc, argv, optind);
	char why[NAME_MACHINE_MAX + 80];

	if (r != STATUS_DONE || argc - optind <= 1)
		return r;
	(void)snprintf(why, sizeof(why),
	               "one name only, and '%s' is another (what says yes or no is --KEY or --KEY=0)",
	               argv[optind + 1]);
	return verb_usage(v, why);
}

int verb_json(const struct verb *v, int argc, char **argv, bool *ret)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	int option;

	*ret = false;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		*ret = true;
	}
	return STATUS_DONE;
}

int verb_no_name(const struct verb *v, int argc, char **argv, bool *ret_json, const char *what)
{
	char why[128];
	int r = verb_json(v, argc, argv, ret_json);

	if (r != STATUS_DONE || optind == argc)
		return r;
	(void)snprintf(why, sizeof(why), "%s, and takes no name", what);
	return verb_usage(v, why);
}

int verb_one_name(const struct verb *v, int argc, char **argv, bool *ret_json, const char **ret_name)
{
	int r = verb_json(v, argc, argv, ret_json);

	if (r == STATUS_DONE)
		r = verb_name(v, argc, argv);
	if (r == STATUS_DONE)
		*ret_name = argv[optind];
	return r;
}

void verb_warn(const struct strs *warnings)
{
	for (size_t i = 0; i < warnings->n; i++) {
		char shown[ERR_TEXT_MAX];

		text_printable(shown, sizeof(shown), warnings->v[i], strlen(warnings->v[i]));
		fprintf(stderr, "machdeck: warning: %s\n", shown);
	}
}

int verb_is_up(const char *name, bool *ret, struct err *e)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	const struct machine *m;
	int r = observe_once(&s, e);

	m = r < 0 ? NULL : snapshot_find(&s, name);
	*ret = m && m->state == MACHINE_RUNNING;
	return r;
}

int verb_print(const char *text)
{
	struct err e = { 0 };

	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return STATUS_DONE;
	(void)err_set(&e, STATUS_IO, errno, "cannot write the output: %s", strerror(errno));
	return verb_fail(&e);
}

int verb_print_buf(const struct buf *text)
{
	struct err e = { 0 };

	if (!text->bad)
		return verb_print(buf_text(text));
	(void)err_no_memory(&e);
	return verb_fail(&e);
}

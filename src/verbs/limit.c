/* machdeck limit: what a machine may take of its host, at once. In the conf of one of ours, for good in systemd's own
 * files for others, or until it stops. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/limitvalue.h"
#include "engine/edit.h"
#include "engine/settle.h"
#include "engine/target.h"
#include "verbs/editing.h"
#include "verbs/verbs.h"

#define WAIT_MS 10000

struct limiting {
	struct conf_change changes[LIMITS];
	struct limit_value values[LIMITS];
	size_t n;
	bool runtime, dry;
};

/* "MemoryMax=1G", or as a conf has it, "MEMORY_MAX=1G"; nothing after the sign: as if it were not set. */
static int take_limit(const struct verb *v, char *argument, struct limiting *x)
{
	char *sign = strchr(argument, '=');
	struct why why;
	enum limit which;

	if (sign)
		*sign = '\0';
	which = sign ? limit_named(argument) : LIMITS;
	if (which == LIMITS)
		return verb_usage(v,
		                  "a limit is MemoryMax=, CPUQuota=, TasksMax= or IOWeight= and its value");
	if (x->n == LIMITS)
		return verb_usage(v, "a limit twice");
	if (sign[1] && limit_parse(which, sign + 1, &x->values[x->n], &why) < 0) {
		struct err e;

		(void)err_set(&e, STATUS_USAGE, EINVAL, "%s: %s", limit_names[which].directive, why.text);
		return verb_fail(&e);
	}
	if (!sign[1] && x->runtime)
		return verb_usage(v, "until it stops, a limit has a value (infinity is one)");
	x->changes[x->n++] = (struct conf_change){ limit_names[which].key, sign[1] ? sign + 1 : NULL };
	return STATUS_DONE;
}

static int in_conf(const char *name, const struct limiting *x)
{
	CLEANUP(edit_done) struct edit edit = { .hold.fd = -1, .dir = -1 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err e;

	if (edit_begin(name, WAIT_MS, &edit, &e) < 0 ||
	    conf_edit(edit.path, buf_text(&edit.old), edit.old.len, x->changes, x->n, &text, &e) < 0)
		return verb_fail(&e);
	return editing_save(&edit, &text, x->dry);
}

/* What machdeck runs is reverted when it stops, and one that has a scope of its own ends with it. */
static const char *how_long(const struct target *t, const struct limiting *x)
{
	size_t len = strlen(t->unit), end = strlen(".scope");

	if (!x->runtime)
		return "for good";
	if (t->kind == MACHINE_CONTAINER || (len > end && strcmp(t->unit + len - end, ".scope") == 0))
		return "until it stops";
	return "until the next boot";
}

static int in_unit(const char *name, const struct target *t, const struct limiting *x)
{
	struct err e;

	for (size_t i = 0; i < x->n; i++)
		if (!x->changes[i].value) {
			(void)err_set(
				&e, STATUS_USAGE, EINVAL,
				"%s has no conf: what systemd keeps for it goes with `systemctl revert %s`",
				name, t->unit ? t->unit : name);
			return verb_fail(&e);
		}
	if (!t->unit)
		(void)err_set(&e, STATUS_NO_CONTAINER, ENOENT,
		              "%s has no unit that is its alone, so no limits", name);
	else if (x->runtime && !t->registered)
		(void)err_set(&e, STATUS_NO_CONTAINER, ENOENT, "%s is not running", name);
	else if (x->dry || settle_limits(t->unit, x->values, x->n, x->runtime, &e) == 0) {
		printf("%s: %s %s\n", name, x->dry ? "would be limited" : "limited", how_long(t, x));
		return STATUS_DONE;
	}
	return verb_fail(&e);
}

int verb_limit(const struct verb *v, int argc, char **argv)
{
	static const struct option options[] = {
		{ "runtime", no_argument, NULL, 'r' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ 0 },
	};
	CLEANUP(target_done) struct target t = { 0 };
	struct limiting x = { 0 };
	struct err e;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == '?')
			return verb_usage(v, "an option it does not have");
		x.runtime |= option == 'r';
		x.dry |= option == 'n';
	}
	r = verb_first_name(v, argc, argv);
	for (int i = optind + 1; i < argc && r == STATUS_DONE; i++)
		r = take_limit(v, argv[i], &x);
	if (r == STATUS_DONE && x.n == 0)
		r = verb_usage(v, "which limit?");
	if (r != STATUS_DONE)
		return r;
	if (target_find(argv[optind], false, &t, &e) < 0)
		return verb_fail(&e);
	return t.kind == MACHINE_CONTAINER && !x.runtime ? in_conf(argv[optind], &x)
	                                                 : in_unit(argv[optind], &t, &x);
}

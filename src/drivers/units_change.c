/* What changes something: each function asks the gate before a message is made. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/num.h"
#include "drivers/units_ask.h"

#define ASK_LIMIT    (10 * BUS_SECOND)
#define LOGIN_LIMIT  (120 * BUS_SECOND)
#define RELOAD_LIMIT (90 * BUS_SECOND) /* it runs the generators of all packages */

#define MANAGE_UNITS SYSTEMD ".manage-units"
#define MANAGE_FILES SYSTEMD ".manage-unit-files"
#define RELOAD       SYSTEMD ".reload-daemon"

static int on_done(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	const sd_bus_error *answer = sd_bus_message_get_error(m);
	const struct ask *ask = arg;
	const char *job = NULL;
	struct err e = { 0 };
	int r = 0;

	(void)unused;
	if (answer && ask->absent_is_well &&
	    (sd_bus_error_has_name(answer, SYSTEMD ".NoSuchUnit") ||
	     sd_bus_error_has_name(answer, SYSTEMD ".NoSuchProcess") ||
	     sd_bus_error_has_name(answer, SYSTEMD ".NoSuchJob")))
		answer = NULL;
	else if (answer)
		r = bus_refused(answer, &e, "%s", ask->what);
	else if (sd_bus_message_has_signature(m, "o"))
		r = units_refused_or_bad(m, sd_bus_message_read(m, "o", &job), ask->what, &e);
	if (e.status == STATUS_NOT_PERMITTED)
		(void)err_set(&e, STATUS_NOT_PERMITTED, EACCES,
		              "%s: not authorised (%s); be root, or be allowed to by polkit", ask->what,
		              ask->action);
	ask->done(r, job, &e, ask->arg);
	return 0;
}

static int send_change(struct units *u, sd_bus_message *m, int r, uint64_t limit, struct ask *ask,
                       sd_bus_slot **ret_slot, struct err *e)
{
	bool person = geteuid() != 0 && isatty(STDIN_FILENO);

	if (r >= 0 && person)
		r = sd_bus_message_set_allow_interactive_authorization(m, true);
	if (!ask->action)
		ask->action = MANAGE_UNITS;
	return units_send_ask(u, m, r, person && limit < LOGIN_LIMIT ? LOGIN_LIMIT : limit, on_done, ask,
	                      ret_slot, e);
}

/* A call of the manager's that takes a unit's name alone. */
static int change_unit(struct units *u, const char *member, const char *unit, struct ask *ask,
                       sd_bus_slot **ret_slot, struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r = gate_ask(e, "%s", ask->what);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, member, &m, e);
	if (r < 0)
		return r;
	return send_change(u, m, sd_bus_message_append(m, "s", unit), ASK_LIMIT, ask, ret_slot, e);
}

int units_job(struct units *u, enum units_verb verb, const char *unit, units_done_fn *done, void *arg,
              sd_bus_slot **ret_slot, struct err *e)
{
	static const struct {
		const char *member, *word;
	} verbs[] = {
		[UNITS_START] = { "StartUnit", "start" },
		[UNITS_STOP] = { "StopUnit", "stop" },
		[UNITS_RELOAD] = { "ReloadUnit", "reload" },
	};
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct ask ask = { .arg = arg, .done = done };
	int r = gate_ask(e, "cannot %s %s", verbs[verb].word, unit);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, verbs[verb].member, &m, e);
	if (r < 0)
		return r;
	(void)snprintf(ask.what, sizeof(ask.what), "cannot %s %s", verbs[verb].word, unit);
	r = sd_bus_message_append(m, "ss", unit, "replace");
	return send_change(u, m, r, ASK_LIMIT, &ask, ret_slot, e);
}

int units_kill(struct units *u, const char *unit, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
               struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct ask ask = { .arg = arg, .done = done, .absent_is_well = true };
	int r = gate_ask(e, "cannot kill %s", unit);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, "KillUnit", &m, e);
	if (r < 0)
		return r;
	(void)snprintf(ask.what, sizeof(ask.what), "cannot kill %s", unit);
	r = sd_bus_message_append(m, "ssi", unit, "all", SIGKILL);
	return send_change(u, m, r, ASK_LIMIT, &ask, ret_slot, e);
}

int units_forgive(struct units *u, const char *unit, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                  struct err *e)
{
	struct ask ask = { .arg = arg, .done = done, .absent_is_well = true };

	(void)snprintf(ask.what, sizeof(ask.what), "cannot forget that %s failed", unit);
	return change_unit(u, "ResetFailedUnit", unit, &ask, ret_slot, e);
}

int units_freeze(struct units *u, const char *unit, bool freeze, units_done_fn *done, void *arg,
                 sd_bus_slot **ret_slot, struct err *e)
{
	struct ask ask = { .arg = arg, .done = done };

	(void)snprintf(ask.what, sizeof(ask.what), "cannot %s %s", freeze ? "freeze" : "thaw", unit);
	return change_unit(u, freeze ? "FreezeUnit" : "ThawUnit", unit, &ask, ret_slot, e);
}

int units_cancel_job(struct units *u, const char *job, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                     struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct ask ask = {
		.arg = arg, .done = done, .absent_is_well = true, .what = "cannot cancel the job"
	};
	const char *number = strrchr(job, '/');
	uint64_t id;
	int r = gate_ask(e, "cannot cancel the job");

	if (r < 0)
		return r;
	if (!number || num_parse(number + 1, 1, UINT32_MAX, &id) < 0)
		return err_set(e, STATUS_UNAVAILABLE, EBADMSG, "systemd calls a job '%s'", job);
	r = units_new_call(u, ROOT_PATH, MANAGER, "CancelJob", &m, e);
	if (r < 0)
		return r;
	return send_change(u, m, sd_bus_message_append(m, "u", (uint32_t)id), ASK_LIMIT, &ask, ret_slot, e);
}

int units_enable(struct units *u, const char *unit, bool enable, units_done_fn *done, void *arg,
                 sd_bus_slot **ret_slot, struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	const char *word = enable ? "enable" : "disable";
	struct ask ask = { .arg = arg, .done = done, .action = MANAGE_FILES };
	int r = gate_ask(e, "cannot %s %s", word, unit);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, enable ? "EnableUnitFiles" : "DisableUnitFiles", &m,
		                   e);
	if (r < 0)
		return r;
	(void)snprintf(ask.what, sizeof(ask.what), "cannot %s %s", word, unit);
	r = sd_bus_message_append(m, "asb", 1, unit, false); /* for good, not for this boot alone */
	if (r >= 0 && enable)
		r = sd_bus_message_append(m, "b", false); /* a link of somebody else's stays */
	return send_change(u, m, r, ASK_LIMIT, &ask, ret_slot, e);
}

int units_reload_manager(struct units *u, units_done_fn *done, void *arg, sd_bus_slot **ret_slot,
                         struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct ask ask = {
		.arg = arg, .done = done, .action = RELOAD, .what = "cannot make systemd read its units anew"
	};
	int r = gate_ask(e, "%s", ask.what);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, "Reload", &m, e);
	return r < 0 ? r : send_change(u, m, 0, RELOAD_LIMIT, &ask, ret_slot, e);
}

static int put_limit(sd_bus_message *m, const struct limit_value *v)
{
	if (v->type == 'u')
		return sd_bus_message_append(m, "(sv)", v->property, "u", (uint32_t)v->number);
	return sd_bus_message_append(m, "(sv)", v->property, "t", v->number);
}

int units_limit(struct units *u, const char *unit, const struct limit_value *v, size_t n, bool runtime,
                units_done_fn *done, void *arg, sd_bus_slot **ret_slot, struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct ask ask = { .arg = arg, .done = done };
	int r = gate_ask(e, "cannot limit %s", unit);

	if (r >= 0)
		r = units_new_call(u, ROOT_PATH, MANAGER, "SetUnitProperties", &m, e);
	if (r < 0)
		return r;
	(void)snprintf(ask.what, sizeof(ask.what), "cannot limit %s", unit);
	r = sd_bus_message_append(m, "sb", unit, runtime);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = put_limit(m, &v[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return send_change(u, m, r, ASK_LIMIT, &ask, ret_slot, e);
}

#include "drivers/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/bus.h"
#include "drivers/units_ask.h"

#define UNITS_MAX  10000
#define LIST_LIMIT BUS_SECOND
#define GET_LIMIT  (3 * BUS_SECOND)

/* ---- what a message says of a unit */

static int read_invocation(sd_bus_message *m, struct unit *u)
{
	const uint8_t *id;
	size_t n;
	int r = sd_bus_message_read_array(m, 'y', (const void **)&id, &n);

	for (size_t i = 0; r >= 0 && n == 16 && i < n; i++)
		(void)snprintf(u->invocation + 2 * i, 3, "%02x", id[i]);
	return r;
}

static int read_job(sd_bus_message *m, struct unit *u)
{
	const char *path;
	uint32_t id;
	int r = sd_bus_message_read(m, "(uo)", &id, &path);

	if (r >= 0)
		u->job = id ? path : NULL;
	return r;
}

static int read_requires(sd_bus_message *m, struct unit *u)
{
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
		if (u->n_requires < UNIT_REQUIRES_MAX)
	u->requires[u->n_requires++] = name;
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_devices(sd_bus_message *m, struct unit *u)
{
	const char *node, *modifier;
	int r = sd_bus_message_enter_container(m, 'a', "(ss)");

	while (r >= 0 && (r = sd_bus_message_read(m, "(ss)", &node, &modifier)) > 0) {
		if (u->n_devices == UNIT_DEVICES_MAX)
			continue;
		u->devices[u->n_devices].node = node;
		u->devices[u->n_devices++].modifier = modifier;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ".../50-MemoryMax.conf", ".../50-MemoryMaxScale.conf": so systemd calls them. */
static unsigned limit_of_file(const char *path)
{
	const char *leaf = strrchr(path, '/');

	for (unsigned l = 0; leaf && l < LIMITS; l++) {
		const char *directive = limit_names[l].directive;

		if (strncmp(leaf, "/50-", 4) == 0 && strncmp(leaf + 4, directive, strlen(directive)) == 0)
			return 1U << l;
	}
	return 0;
}

/* SetUnitProperties() keeps what it sets in files of its own. */
static int read_dropins(sd_bus_message *m, struct unit *u)
{
	const char *path;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	while (r >= 0 && (r = sd_bus_message_read(m, "s", &path)) > 0) {
		if (strncmp(path, "/run/systemd/system.control/", 28) == 0)
			u->live_limits |= limit_of_file(path);
		if (strncmp(path, "/etc/systemd/system.control/", 28) == 0)
			u->kept_limits |= limit_of_file(path);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

struct phase { /* the failed command that ended last, while a message is read */
	uint64_t ended;
	const char *name;
	int32_t code, status;
};

/* Exec*= as a list of commands, each with how its last run went. */
static int read_commands(sd_bus_message *m, const char *property, struct phase *last)
{
	int r = sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sasbttttuii")) > 0) {
		uint64_t start, start_mono, end, end_mono;
		int32_t code, status;
		uint32_t pid;
		int ignore;

		r = sd_bus_message_skip(m, "sas");
		if (r >= 0)
			r = sd_bus_message_read(m, "bttttuii", &ignore, &start, &start_mono, &end, &end_mono,
			                        &pid, &code, &status);
		if (r >= 0 && !ignore && status != 0 && end_mono > last->ended)
			*last = (struct phase){ end_mono, property, code, status };
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

enum { IS_STATE = 1, IS_SERVICE };

/* clang-format off */
static const struct property {
	const char *name;
	char type;      /* of D-Bus; capital letters have a reader of their own */
	char group;
	size_t offset;
} properties[] = {
#define P(name, type, group, field) { name, type, group, offsetof(struct unit, field) }
	P("LoadState",              's', IS_STATE,   load),
	P("ActiveState",            's', IS_STATE,   active),
	P("SubState",               's', IS_STATE,   sub),
	P("StateChangeTimestamp",   't', IS_STATE,   state_usec),
	P("ActiveEnterTimestamp",   't', IS_STATE,   active_usec),
	P("InvocationID",           'I', IS_STATE,   invocation),
	P("Job",                    'J', IS_STATE,   job),
	P("Requires",               'A', IS_STATE,   requires),
	P("Requisite",              'A', IS_STATE,   requires),
	P("BindsTo",                'A', IS_STATE,   requires),
	P("NeedDaemonReload",       'b', IS_STATE,   needs_reload),
	P("DropInPaths",            'L', IS_STATE,   live_limits),
	P("Result",                 's', IS_SERVICE, result),
	P("StatusText",             's', IS_SERVICE, status_text),
	P("NRestarts",              'u', IS_SERVICE, n_restarts),
	P("MainPID",                'u', IS_SERVICE, main_pid),
	P("ExecMainCode",           'i', IS_SERVICE, main_code),
	P("ExecMainStatus",         'i', IS_SERVICE, main_status),
	P("KillSignal",             'i', IS_SERVICE, kill_signal),
	P("TimeoutStartUSec",       't', IS_SERVICE, start_timeout_usec),
	P("TimeoutStopUSec",        't', IS_SERVICE, stop_timeout_usec),
	P("MemoryMax",              't', IS_SERVICE, memory_max),
	P("CPUQuotaPerSecUSec",     't', IS_SERVICE, cpu_quota_usec),
	P("TasksMax",               't', IS_SERVICE, tasks_max),
	P("IOWeight",               't', IS_SERVICE, io_weight),
	P("DeviceAllow",            'D', IS_SERVICE, devices),
	P("ControlGroup",           's', IS_SERVICE, cgroup),
	P("ExecStartPre",           'X', IS_SERVICE, failed_phase),
	P("ExecStartPost",          'X', IS_SERVICE, failed_phase),
	P("ExecReload",             'X', IS_SERVICE, failed_phase),
	P("ExecStopPost",           'X', IS_SERVICE, failed_phase),
#undef P
};
/* clang-format on */

static const struct property *property_find(const char *name)
{
	for (size_t i = 0; i < COUNT(properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

static int read_value(sd_bus_message *m, const struct property *p, struct unit *u, struct phase *failed)
{
	char basic[] = { p->type, '\0' };

	if (p->type == 'I')
		return read_invocation(m, u);
	if (p->type == 'J')
		return read_job(m, u);
	if (p->type == 'A')
		return read_requires(m, u);
	if (p->type == 'D')
		return read_devices(m, u);
	if (p->type == 'L')
		return read_dropins(m, u);
	if (p->type == 'X')
		return read_commands(m, p->name, failed);
	return sd_bus_message_read(m, basic, (char *)u + p->offset);
}

/* a{sv} into u; what is not in the table, or is not of the type it should be, is skipped. */
static int read_properties(sd_bus_message *m, struct unit *u)
{
	static const char *const types[] = { ['A'] = "as",   ['D'] = "a(ss)", ['I'] = "ay",
		                             ['J'] = "(uo)", ['L'] = "as",    ['X'] = "a(sasbttttuii)",
		                             ['b'] = "b",    ['s'] = "s",     ['t'] = "t",
		                             ['u'] = "u",    ['i'] = "i" };
	struct phase failed = { 0 };
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const struct property *p;
		const char *name, *contents = NULL;

		r = sd_bus_message_read(m, "s", &name);
		if (r < 0)
			return r;
		p = property_find(name);
		r = sd_bus_message_peek_type(m, NULL, &contents);
		if (r < 0)
			return r;
		if (p && contents && strcmp(contents, types[(unsigned char)p->type]) == 0) {
			r = sd_bus_message_enter_container(m, 'v', contents);
			if (r >= 0)
				r = read_value(m, p, u, &failed);
			if (r >= 0)
				r = sd_bus_message_exit_container(m);
			u->has_state |= p->group == IS_STATE;
			u->has_service |= p->group == IS_SERVICE;
		} else {
			r = sd_bus_message_skip(m, "v");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	if (r < 0)
		return r;
	u->failed_phase = failed.name;
	u->failed_code = failed.code;
	u->failed_status = failed.status;
	return sd_bus_message_exit_container(m);
}

static bool is_ours(const char *unit)
{
	return strncmp(unit, "container@", 10) == 0 || strncmp(unit, "systemd-nspawn@", 15) == 0 ||
	       strncmp(unit, "machine-", 8) == 0;
}

/* ---- signals */

static void tell(struct units *u, const struct units_event *event)
{
	u->on_event(event, u->arg);
}

static int on_job(struct units *u, sd_bus_message *m, enum units_change change)
{
	struct unit unit = { 0 };
	const char *result = NULL;
	uint32_t id;
	int r = sd_bus_message_read(m, "uos", &id, &unit.job, &unit.name);

	if (r >= 0 && change == UNITS_JOB_REMOVED)
		r = sd_bus_message_read(m, "s", &result);
	if (r >= 0)
		tell(u, &(struct units_event){ .change = change, .unit = &unit, .result = result });
	return 0;
}

static int on_job_new(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	(void)unused;
	return on_job(arg, m, UNITS_JOB_NEW);
}

static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	(void)unused;
	return on_job(arg, m, UNITS_JOB_REMOVED);
}

static int on_unit_removed(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	struct unit unit = { 0 };

	(void)unused;
	if (sd_bus_message_read(m, "s", &unit.name) >= 0 && is_ours(unit.name))
		tell(arg, &(struct units_event){ .change = UNITS_GONE, .unit = &unit });
	return 0;
}

static int on_reloading(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	int begins;

	(void)unused;
	if (sd_bus_message_read(m, "b", &begins) >= 0 && !begins)
		tell(arg, &(struct units_event){ .change = UNITS_RELOADED });
	return 0;
}

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	CLEANUP(free_p) char *name = NULL;
	struct unit unit = { 0 };
	const char *interface;

	(void)unused;
	if (sd_bus_path_decode(sd_bus_message_get_path(m), UNIT_PATH, &name) <= 0 || !is_ours(name))
		return 0;
	unit.name = name;
	if (sd_bus_message_read(m, "s", &interface) < 0 || read_properties(m, &unit) < 0)
		return 0;
	if (unit.has_state || unit.has_service)
		tell(arg, &(struct units_event){ .change = UNITS_STATE, .unit = &unit });
	return 0;
}

static int listen(struct units *u)
{
	/* Who is at the other end of a private socket has no name that could be matched. */
	const char *sender = sd_bus_is_bus_client(u->now) > 0 ? SYSTEMD : NULL;
	const struct {
		const char *member;
		sd_bus_message_handler_t handler;
	} signals[] = {
		{ "JobNew", on_job_new },
		{ "JobRemoved", on_job_removed },
		{ "UnitRemoved", on_unit_removed },
		{ "Reloading", on_reloading },
	};
	char match[256];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < COUNT(signals); i++)
		r = sd_bus_match_signal_async(u->now, NULL, sender, ROOT_PATH, MANAGER, signals[i].member,
		                              signals[i].handler, NULL, u);
	(void)snprintf(
		match, sizeof(match),
		"type='signal',%s interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
		"path_namespace='" UNIT_PATH "'",
		sender ? "sender='" SYSTEMD "'," : "");
	if (r >= 0)
		r = sd_bus_add_match_async(u->now, NULL, match, on_properties, NULL, u);
	if (r >= 0)
		r = sd_bus_call_method_async(u->now, NULL, SYSTEMD, ROOT_PATH, MANAGER, "Subscribe", NULL,
		                             NULL, NULL);
	return r;
}

static void on_bus(sd_bus *bus, const struct err *e, void *arg)
{
	struct units *u = arg;
	struct err own;
	int r;

	u->now = bus;
	if (bus && (r = listen(u)) < 0) {
		(void)err_sys(&own, -r, "cannot listen to systemd");
		u->now = NULL;
		e = &own;
	}
	tell(u, &(struct units_event){ .change = u->now ? UNITS_UP : UNITS_DOWN, .e = e });
}

int units_new(sd_event *loop, units_event_fn *on_event, void *arg, struct units **ret, struct err *e)
{
	struct units *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_no_memory(e);
	*u = (struct units){ .on_event = on_event, .arg = arg };
	r = bus_new(loop, BUS_SYSTEMD, on_bus, u, &u->bus, e);
	if (r < 0) {
		free(u);
		return r;
	}
	*ret = u;
	return 0;
}

void units_free(struct units *u)
{
	if (!u)
		return;
	bus_free(u->bus);
	free(u);
}

/* ---- asking */

int units_new_call(struct units *u, const char *path, const char *interface, const char *member,
                   sd_bus_message **ret, struct err *e)
{
	int r;

	if (!u->now)
		return err_set(e, STATUS_UNAVAILABLE, ENOTCONN, "systemd is out of reach");
	r = sd_bus_message_new_method_call(u->now, ret, SYSTEMD, path, interface, member);
	return r < 0 ? err_sys(e, -r, "cannot ask systemd") : 0;
}

int units_send_ask(struct units *u, sd_bus_message *m, int r, uint64_t limit,
                   sd_bus_message_handler_t handler, const struct ask *ask, sd_bus_slot **ret_slot,
                   struct err *e)
{
	CLEANUP(free_p) struct ask *kept = malloc(sizeof(*kept));
	sd_bus_slot *slot = NULL;

	if (r < 0)
		return err_sys(e, -r, "cannot ask systemd");
	if (!kept)
		return err_no_memory(e);
	*kept = *ask;
	r = bus_call(u->now, m, limit, handler, kept, &slot, e);
	if (r < 0)
		return r;
	(void)sd_bus_slot_set_destroy_callback(slot, free);
	kept = NULL;
	if (ret_slot) {
		*ret_slot = slot;
	} else {
		(void)sd_bus_slot_set_floating(slot, true);
		sd_bus_slot_unref(slot);
	}
	return 0;
}

int units_refused_or_bad(sd_bus_message *m, int r, const char *what, struct err *e)
{
	const sd_bus_error *answer = sd_bus_message_get_error(m);

	if (answer)
		return bus_refused(answer, e, "%s", what);
	return r < 0 ? err_set(e, STATUS_UNAVAILABLE, EBADMSG, "%s: its answer can not be read", what) : 0;
}

static int read_list(sd_bus_message *m, struct unit **ret, size_t *ret_n)
{
	CLEANUP(free_p) struct unit *v = NULL;
	size_t n = 0, room = 0;
	int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

	while (r >= 0 && n < UNITS_MAX) {
		const char *title, *following, *path, *job_type, *job;
		struct unit u = { .has_state = true };
		uint32_t job_id;

		r = sd_bus_message_read(m, "(ssssssouso)", &u.name, &title, &u.load, &u.active, &u.sub,
		                        &following, &path, &job_id, &job_type, &job);
		if (r <= 0)
			break;
		u.job = job_id ? job : NULL;
		if (n == room) {
			struct unit *grown = reallocarray(v, room = room ? 2 * room : 64, sizeof(*v));

			if (!grown)
				return -ENOMEM;
			v = grown;
		}
		v[n++] = u;
	}
	if (r < 0)
		return r;
	*ret = take_p(&v);
	*ret_n = n;
	return 0;
}

static int on_list(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	CLEANUP(free_p) struct unit *v = NULL;
	const struct ask *ask = arg;
	struct err e = { 0 };
	size_t n = 0;
	int r = sd_bus_message_is_method_error(m, NULL) ? 0 : read_list(m, &v, &n);

	(void)unused;
	r = r == -ENOMEM ? err_no_memory(&e) : units_refused_or_bad(m, r, ask->what, &e);
	ask->list(r, v, n, &e, ask->arg);
	return 0;
}

int units_list(struct units *u, units_list_fn *done, void *arg, sd_bus_slot **ret_slot, struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	const struct ask ask = { .arg = arg, .list = done, .what = "systemd: cannot list the units" };
	int r = units_new_call(u, ROOT_PATH, MANAGER, "ListUnitsByPatterns", &m, e);

	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "asas", 0, 3, "container@*.service", "systemd-nspawn@*.service",
	                          "machine-*.scope");
	return units_send_ask(u, m, r, LIST_LIMIT, on_list, &ask, ret_slot, e);
}

int units_named(struct units *u, char *const *names, size_t n, units_list_fn *done, void *arg,
                sd_bus_slot **ret_slot, struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	const struct ask ask = { .arg = arg, .list = done, .what = "systemd: cannot ask for units" };
	int r = units_new_call(u, ROOT_PATH, MANAGER, "ListUnitsByNames", &m, e);

	if (r < 0)
		return r;
	r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && i < n && i < UNIT_REQUIRES_MAX; i++)
		r = sd_bus_message_append(m, "s", names[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return units_send_ask(u, m, r, LIST_LIMIT, on_list, &ask, ret_slot, e);
}

static int on_get(sd_bus_message *m, void *arg, sd_bus_error *unused)
{
	const struct ask *ask = arg;
	struct unit unit = { .name = ask->unit };
	struct err e = { 0 };
	int r = sd_bus_message_is_method_error(m, NULL) ? 0 : read_properties(m, &unit);

	(void)unused;
	r = units_refused_or_bad(m, r, ask->what, &e);
	ask->get(r, &unit, &e, ask->arg);
	return 0;
}

int units_get(struct units *u, const char *unit, units_get_fn *done, void *arg, sd_bus_slot **ret_slot,
              struct err *e)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	CLEANUP(free_p) char *path = NULL;
	struct ask ask = { .arg = arg, .get = done };
	int r = sd_bus_path_encode(UNIT_PATH, unit, &path);

	if (r < 0)
		return err_sys(e, -r, "cannot ask systemd for '%s'", unit);
	(void)snprintf(ask.unit, sizeof(ask.unit), "%s", unit);
	(void)snprintf(ask.what, sizeof(ask.what), "systemd: cannot ask for %s", unit);
	r = units_new_call(u, path, "org.freedesktop.DBus.Properties", "GetAll", &m, e);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "s", ""); /* of all interfaces in one answer */
	return units_send_ask(u, m, r, GET_LIMIT, on_get, &ask, ret_slot, e);
}

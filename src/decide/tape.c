#include "decide/tape.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/jsonplace.h"
#include "decide/tapefield.h"

#define VERSION_KEY "machdeck-tape"
#define FIRST_USEC  0
#define LAST_USEC   4102444800000000 /* 2100 */

/* clang-format off */
static const struct tapefield machine_fields[] = {
#define FIELD(key, type, member) { key, type, offsetof(struct machine, member) }
	FIELD("name", FIELD_OWNED, name),
	FIELD("kind", FIELD_KIND, kind),
	FIELD("state", FIELD_STATE, state),
	FIELD("since", FIELD_COUNT, since_usec),
	FIELD("reason", FIELD_TEXT, reason),
	FIELD("cause", FIELD_CAUSE, cause),
	FIELD("class", FIELD_TEXT, class),
	FIELD("unit", FIELD_TEXT, unit),
	FIELD("configured", FIELD_FLAG, configured),
	FIELD("registered", FIELD_FLAG, registered),
	FIELD("autoStart", FIELD_FLAG, auto_start),
	FIELD("rootIsHosts", FIELD_FLAG, root_is_hosts),
	FIELD("overlayOver", FIELD_TEXT, overlay_over),
	FIELD("overlays", FIELD_TEXTS, overlays),
	FIELD("declared", FIELD_TEXT, declared),
	FIELD("badConf", FIELD_FLAG, bad_conf),
	FIELD("confUnread", FIELD_FLAG, conf_unread),
	FIELD("confHash", FIELD_HASH, conf_hash),
	FIELD("leader", FIELD_ID, leader),
	FIELD("addresses", FIELD_TEXTS, addresses),
	FIELD("addressesSeen", FIELD_FLAG, addresses_seen),
	FIELD("ports", FIELD_TEXTS, ports),
	FIELD("os", FIELD_TEXT, os),
	FIELD("cgroup", FIELD_TEXT, cgroup),
	FIELD("netnsid", FIELD_NSID, netnsid),
	FIELD("drift", FIELD_CAUSE, drift),
	FIELD("linted", FIELD_FLAG, linted),
	FIELD("lintFatal", FIELD_FLAG, lint_fatal),
	FIELD("lints", FIELD_TEXTS, lints),
	FIELD("guestFailed", FIELD_TEXTS, guest_failed),
#undef FIELD
	{ 0 },
};

static const struct tapefield stats_fields[] = {
#define FIELD(key, type, member) { key, type, offsetof(struct stats, member) }
	FIELD("name", FIELD_NAME, name),
	FIELD("sampled", FIELD_COUNT, at_usec),
	FIELD("cpu", FIELD_NUMBER, cpu),
	FIELD("throttled", FIELD_NUMBER, throttled),
	FIELD("cpuLimit", FIELD_NUMBER, cpu_limit),
	FIELD("memory", FIELD_AMOUNT, memory),
	FIELD("memoryLimit", FIELD_AMOUNT, memory_limit),
	FIELD("swap", FIELD_AMOUNT, swap),
	FIELD("memoryEstimated", FIELD_FLAG, memory_is_estimate),
	FIELD("tasks", FIELD_AMOUNT, tasks),
	FIELD("tasksLimit", FIELD_AMOUNT, tasks_limit),
	FIELD("tasksEstimated", FIELD_FLAG, tasks_is_estimate),
	FIELD("ioRead", FIELD_AMOUNT, io_read),
	FIELD("ioWrite", FIELD_AMOUNT, io_write),
	FIELD("oomKills", FIELD_AMOUNT, oom_kills),
	FIELD("frozen", FIELD_FLAG, frozen),
	FIELD("cpuSome", FIELD_NUMBER, cpu_pressure.some),
	FIELD("cpuFull", FIELD_NUMBER, cpu_pressure.full),
	FIELD("memorySome", FIELD_NUMBER, memory_pressure.some),
	FIELD("memoryFull", FIELD_NUMBER, memory_pressure.full),
	FIELD("ioSome", FIELD_NUMBER, io_pressure.some),
	FIELD("ioFull", FIELD_NUMBER, io_pressure.full),
	FIELD("rx", FIELD_AMOUNT, rx),
	FIELD("tx", FIELD_AMOUNT, tx),
	FIELD("cpuHistory", FIELD_HISTORY, cpu_history),
	FIELD("memoryHistory", FIELD_HISTORY, memory_history),
#undef FIELD
	{ 0 },
};

static const struct tapefield link_fields[] = {
#define FIELD(key, type, member) { key, type, offsetof(struct stats_link, member) }
	FIELD("name", FIELD_LINK, name),
	FIELD("rx", FIELD_AMOUNT, rx),
	FIELD("tx", FIELD_AMOUNT, tx),
	FIELD("drops", FIELD_AMOUNT, drops),
	FIELD("errors", FIELD_AMOUNT, errors),
#undef FIELD
	{ 0 },
};

static const struct tapefield event_fields[] = {
#define FIELD(key, type, member) { key, type, offsetof(struct event, member) }
	FIELD("time", FIELD_COUNT, usec),
	FIELD("kind", FIELD_EVENT, kind),
	FIELD("bad", FIELD_FLAG, bad),
	FIELD("text", FIELD_TEXT, text),
#undef FIELD
	{ 0 },
};
/* clang-format on */

static const char *const keys[] = {
	[TAPE_HEAD] = "host",      [TAPE_MACHINE] = "machine", [TAPE_GONE] = "gone",
	[TAPE_STALE] = "stale",    [TAPE_STATS] = "stats",     [TAPE_UNMEASURED] = "unmeasured",
	[TAPE_HAPPENED] = "event",
};

void tape_record_done(struct tape_record *r)
{
	free(r->text);
	machine_done(&r->machine);
	free(r->event.text);
	*r = (struct tape_record){ 0 };
}

void tape_reader_done(struct tape_reader *t)
{
	strs_done(&t->causes);
}

/* ---- writing */

static json_t *stats_object(const struct tape_record *r)
{
	json_t *object = tapefield_object(stats_fields, &r->stats);
	json_t *links = object && r->stats.n_links > 0 ? json_array() : NULL;

	for (size_t i = 0; links && i < r->stats.n_links && i < STATS_LINKS; i++)
		(void)json_array_append_new(links, tapefield_object(link_fields, &r->stats.links[i]));
	if (links)
		(void)json_object_set_new(object, "links", links);
	if (object && !r->has_history) {
		(void)json_object_del(object, "cpuHistory");
		(void)json_object_del(object, "memoryHistory");
	}
	return object;
}

/* The host's have no name. */
static json_t *event_object(const struct tape_record *r)
{
	json_t *object = tapefield_object(event_fields, &r->event);

	if (object && r->event.usec == r->at_usec)
		(void)json_object_del(object, "time");
	if (object && r->event.name[0])
		(void)json_object_set_new(object, "name", tapefield_text(r->event.name));
	return object;
}

static json_t *record_value(const struct tape_record *r)
{
	switch (r->kind) {
	case TAPE_HEAD:
	case TAPE_GONE:
	case TAPE_STALE:
	case TAPE_UNMEASURED:
		return tapefield_text(r->text);
	case TAPE_MACHINE:
		return tapefield_object(machine_fields, &r->machine);
	case TAPE_STATS:
		return stats_object(r);
	case TAPE_HAPPENED:
		return event_object(r);
	}
	return NULL;
}

void tape_line(struct buf *to, const struct tape_record *r)
{
	CLEANUP(free_p) char *text = NULL;
	json_t *value = record_value(r), *object = NULL;
	json_int_t at = (json_int_t)r->at_usec;

	if (value && r->kind == TAPE_HEAD)
		object = json_pack("{s:i, s:o, s:I}", VERSION_KEY, 1, keys[r->kind], value, "began", at);
	else if (value)
		object = json_pack("{s:I, s:o}", "at", at, keys[r->kind], value);
	text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(object);
	if (!text) {
		to->bad = true;
		return;
	}
	buf_puts(to, text);
	buf_puts(to, "\n");
}

/* ---- reading */

static int take_time(struct jsonplace *at, const char *key, json_t *object, uint64_t *ret)
{
	json_t *v = json_object_get(object, key);

	if (!json_is_integer(v) || json_integer_value(v) < FIRST_USEC || json_integer_value(v) > LAST_USEC)
		return place_refuse(at, "'%s' must be microseconds since 1970", key);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int take_head(struct jsonplace *at, json_t *object, struct tape_record *to)
{
	json_t *host = json_object_get(object, "host");
	int r;

	if (json_integer_value(json_object_get(object, VERSION_KEY)) != 1)
		return place_refuse(at, "this is no tape of version 1, which begins with {\"" VERSION_KEY
		                        "\":1,");
	r = take_time(at, "began", object, &to->at_usec);
	if (r < 0)
		return r;
	if (!host || json_object_size(object) != 3)
		return place_refuse(at, "the head has \"host\" and \"began\", and nothing else");
	(void)place_enter(at, "host");
	return tapefield_take_text(at, host, &to->text);
}

static int take_link(struct jsonplace *at, json_t *v, void *arg)
{
	struct tape_record *to = arg;

	if (to->stats.n_links == STATS_LINKS)
		return place_refuse(at, "more than %d links", STATS_LINKS);
	return tapefield_take(at, link_fields, v, NULL, &to->stats.links[to->stats.n_links++]);
}

static int take_stats(struct jsonplace *at, json_t *v, struct tape_record *to)
{
	json_t *links = json_object_get(v, "links");
	size_t back;
	int r = 0;

	to->has_history = json_object_get(v, "cpuHistory") || json_object_get(v, "memoryHistory");
	if (links) {
		back = place_enter(at, "links");
		r = place_each_item(at, links, to, take_link);
		if (r < 0)
			return r;
		place_leave(at, back);
		(void)json_object_del(v, "links");
	}
	return tapefield_take(at, stats_fields, v, NULL, &to->stats);
}

static int take_name(struct jsonplace *at, json_t *v)
{
	const char *name;
	int r = place_string(at, v, &name);

	if (r < 0)
		return r;
	return name_is_machine(name) ? 0 : place_refuse(at, "'%.80s' can not be a machine's name", name);
}

static int take_event(struct jsonplace *at, json_t *v, struct tape_record *to)
{
	json_t *name = json_object_get(v, "name");
	int r = name ? take_name(at, name) : 0;

	if (r < 0)
		return r;
	if (name)
		(void)snprintf(to->event.name, sizeof(to->event.name), "%s", json_string_value(name));
	(void)json_object_del(v, "name");
	r = tapefield_take(at, event_fields, v, NULL, &to->event);
	if (r < 0)
		return r;
	if (!to->event.text)
		return place_refuse(at, "'text' is missing");
	if (!to->event.usec)
		to->event.usec = to->at_usec;
	return to->event.usec <= to->at_usec ? 0 : place_refuse(at, "'time' is after the record's");
}

static int take_value(struct tape_reader *t, struct jsonplace *at, json_t *v, struct tape_record *to)
{
	int r;

	switch (to->kind) {
	case TAPE_HEAD:
		return place_refuse(at, "a second head");
	case TAPE_MACHINE:
		return tapefield_take(at, machine_fields, v, &t->causes, &to->machine);
	case TAPE_STATS:
		return take_stats(at, v, to);
	case TAPE_HAPPENED:
		return take_event(at, v, to);
	case TAPE_GONE:
	case TAPE_UNMEASURED:
		r = take_name(at, v);
		return r < 0 ? r : tapefield_take_text(at, v, &to->text);
	case TAPE_STALE:
		return tapefield_take_text(at, v, &to->text);
	}
	return -EINVAL;
}

static int take_record(struct tape_reader *t, struct jsonplace *at, json_t *object, struct tape_record *to)
{
	json_t *v = NULL;
	int r = take_time(at, "at", object, &to->at_usec);

	if (r < 0)
		return r;
	if (to->at_usec < t->at_usec)
		return place_refuse(at, "its time is before that of the line before");
	for (size_t i = 0; !v && i < COUNT(keys); i++) {
		v = json_object_get(object, keys[i]);
		to->kind = (enum tape_kind)i;
	}
	if (!v || json_object_size(object) != 2)
		return place_refuse(
			at, "a line has \"at\" and one of machine, gone, stale, stats, unmeasured, event");
	(void)place_enter(at, keys[to->kind]);
	return take_value(t, at, v, to);
}

int tape_parse(struct tape_reader *t, const char *line, size_t len, struct tape_record *ret, struct err *e)
{
	CLEANUP(tape_record_done) struct tape_record made = { 0 };
	char file[256];
	struct jsonplace at = { .file = file, .e = e };
	json_error_t why;
	json_t *object;
	int r;

	(void)snprintf(file, sizeof(file), "%s:%zu", t->file, t->line + 1);
	if (len > TAPE_LINE_MAX)
		return place_refuse(&at, "the line is longer than %d bytes", TAPE_LINE_MAX);
	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!object)
		return place_refuse(&at, "not JSON: %.200s", why.text);
	r = t->line == 0 ? take_head(&at, object, &made) : take_record(t, &at, object, &made);
	json_decref(object);
	if (r < 0)
		return r;
	t->line++;
	t->at_usec = made.at_usec;
	*ret = made;
	made = (struct tape_record){ 0 };
	return 0;
}

#include "verbs/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "verbs/verbs.h"

#define SECOND 1000000ULL

void show_text(struct buf *to, const char *text)
{
	char shown[2048];

	if (!text || !*text) {
		buf_puts(to, "-");
		return;
	}
	buf_add(to, shown, text_printable(shown, sizeof(shown), text, strlen(text)));
}

void show_age(uint64_t since_usec, uint64_t now_usec, char ret[static 24])
{
	uint64_t seconds = now_usec > since_usec ? (now_usec - since_usec) / SECOND : 0;

	if (since_usec == 0)
		(void)snprintf(ret, 24, "-");
	else if (seconds < 60)
		(void)snprintf(ret, 24, "%jus", (uintmax_t)seconds);
	else if (seconds < 3600)
		(void)snprintf(ret, 24, "%jum", (uintmax_t)seconds / 60);
	else if (seconds < 48 * 3600)
		(void)snprintf(ret, 24, "%juh", (uintmax_t)seconds / 3600);
	else
		(void)snprintf(ret, 24, "%jud", (uintmax_t)seconds / (24 * 3600));
}

void show_time(uint64_t usec, char ret[static 32])
{
	time_t seconds = (time_t)(usec / SECOND);
	struct tm parts;

	*ret = '\0';
	if (gmtime_r(&seconds, &parts))
		(void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void show_local_time(uint64_t usec, char ret[static 32])
{
	time_t seconds = (time_t)(usec / SECOND);
	struct tm parts;

	*ret = '\0';
	if (localtime_r(&seconds, &parts))
		(void)strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &parts);
}

void show_state(struct buf *to, const struct machine *m, bool on_terminal)
{
	static const char *const colours[] = {
		[MACHINE_UNKNOWN] = "33",    [MACHINE_STOPPED] = "2",    [MACHINE_STARTING] = "33",
		[MACHINE_RUNNING] = "32",    [MACHINE_RELOADING] = "33", [MACHINE_STOPPING] = "33",
		[MACHINE_RESTARTING] = "33", [MACHINE_FAILED] = "1;31",  [MACHINE_GHOST] = "1;31",
	};

	const char *word = m->frozen ? "frozen" : machine_state_word(m->state);

	if (on_terminal)
		buf_addf(to, "\x1b[%sm%s\x1b[0m", colours[m->frozen ? MACHINE_UNKNOWN : m->state], word);
	else
		buf_puts(to, word);
}

bool show_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no || !*no) && term && strcmp(term, "dumb") != 0;
}

/* What is shown of len bytes takes four times as many at most. */
static void add_printable(struct buf *to, const char *text, size_t len)
{
	CLEANUP(free_p) char *shown = malloc(4 * len + 1);

	if (shown)
		buf_add(to, shown, text_printable(shown, 4 * len + 1, text, len));
	else
		to->bad = true;
}

json_t *show_json_text(const char *text)
{
	CLEANUP(buf_done) struct buf shown = { 0 };

	if (!text)
		return json_null();
	add_printable(&shown, text, strlen(text));
	return shown.bad ? NULL : json_string(buf_text(&shown));
}

json_t *show_json_lines(const struct buf *text)
{
	CLEANUP(buf_done) struct buf shown = { 0 };
	const char *at = buf_text(text), *end = at + text->len;

	while (at < end) {
		const char *from = at;

		while (at < end && *at != '\n' && *at != '\t')
			at++;
		add_printable(&shown, from, (size_t)(at - from));
		if (at < end)
			buf_add(&shown, at++, 1);
	}
	return shown.bad ? NULL : json_string(buf_text(&shown));
}

json_t *show_json_texts(const struct strs *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < texts->n; i++)
		(void)json_array_append_new(array, show_json_text(texts->v[i]));
	return array;
}

void show_reason(struct buf *to, const struct machine *m)
{
	show_text(to, m->reason);
	if (m->cause)
		buf_addf(to, " [%s]", m->cause);
}

json_t *show_machine(const struct machine *m)
{
	char since[32];

	show_time(m->since_usec, since);
	return json_pack("{s:o, s:s, s:s, s:b, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:b, s:b, s:o, "
	                 "s:o, s:o, s:b, s:o, s:o, s:o, "
	                 "s:o, s:o, s:o}",
	                 "name", show_json_text(m->name), "kind", machine_kind_word(m->kind), "state",
	                 machine_state_word(m->state), "frozen", m->frozen, "class", show_json_text(m->class),
	                 "unit", show_json_text(m->unit), "configured", m->configured, "registered",
	                 m->registered, "autoStart", m->auto_start, "rootIsHosts", m->root_is_hosts,
	                 "overlayOver", show_json_text(m->overlay_over), "overlays",
	                 show_json_texts(&m->overlays), "declared", show_json_text(m->declared), "badConf",
	                 m->bad_conf, "confUnread", m->conf_unread, "leader",
	                 m->leader ? json_integer(m->leader) : json_null(), "since",
	                 m->since_usec ? json_string(since) : json_null(), "addresses",
	                 show_json_texts(&m->addresses), "addressesSeen", m->addresses_seen, "ports",
	                 show_json_texts(&m->ports), "reason", show_json_text(m->reason), "cause",
	                 show_json_text(m->cause), "failedInside", show_json_texts(&m->guest_failed), "os",
	                 show_json_text(m->os), "cgroup", show_json_text(m->cgroup));
}

int show_json(json_t *document)
{
	CLEANUP(free_p) char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
	struct err e = { 0 };
	int status;

	json_decref(document);
	if (!text) {
		(void)err_no_memory(&e);
		return verb_fail(&e);
	}
	status = verb_print(text);
	return status == STATUS_DONE ? verb_print("\n") : status;
}

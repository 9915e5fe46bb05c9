/* machdeck list: every configured and every running machine, by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/destroy.h"
#include "engine/observe.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

enum column { NAME, STATE, ADDRESS, PORTS, UP, ROOT, CONF, COLUMNS };

/* A row's cell as text; widths are counted in bytes, which all of them are (addresses, names, words). */
static void cell(const struct snapshot *s, const struct machine *m, enum column c, struct buf *ret)
{
	CLEANUP(free_p) char *joined = NULL;
	char age[24];

	switch (c) {
	case NAME:
		show_text(ret, m->name);
		break;
	case STATE:
		show_state(ret, m, false);
		break;
	case ADDRESS:
	case PORTS:
		joined = strs_join(c == ADDRESS ? &m->addresses : &m->ports, ",");
		show_text(ret, joined);
		break;
	case ROOT: /* whose root is its root? */
		buf_puts(ret, !m->configured || m->bad_conf || m->conf_unread ? "-"
		              : m->root_is_hosts                              ? "host's"
		                                                              : "own");
		break;
	case CONF:
		buf_puts(ret, m->declared ? "declared" : m->configured ? "own" : "-");
		break;
	default:
		show_age(m->state == MACHINE_RUNNING ? m->since_usec : 0, s->taken_usec, age);
		buf_puts(ret, age);
		break;
	}
}

static void pad(struct buf *to, size_t written, size_t width)
{
	for (; written < width; written++)
		buf_puts(to, " ");
}

static void add_row(struct buf *to, const struct snapshot *s, const struct machine *m,
                    const size_t width[COLUMNS], bool colours)
{
	for (enum column c = 0; c < COLUMNS; c++) {
		CLEANUP(buf_done) struct buf text = { 0 };

		cell(s, m, c, &text);
		if (c == STATE)
			show_state(to, m, colours);
		else
			buf_puts(to, buf_text(&text));
		if (c + 1 < COLUMNS)
			pad(to, text.len, width[c] + 2);
	}
	buf_puts(to, "\n");
	if (m->reason) {
		buf_puts(to, "    ");
		show_reason(to, m);
		buf_puts(to, "\n");
	}
}

static void table(struct buf *to, const struct snapshot *s, bool colours)
{
	static const char *const titles[COLUMNS] = {
		"NAME", "STATE", "ADDRESS", "PORTS", "UP", "ROOT", "CONF"
	};
	size_t width[COLUMNS];

	for (enum column c = 0; c < COLUMNS; c++) {
		width[c] = strlen(titles[c]);
		for (size_t i = 0; i < s->n; i++) {
			CLEANUP(buf_done) struct buf text = { 0 };

			cell(s, &s->v[i], c, &text);
			width[c] = text.len > width[c] ? text.len : width[c];
		}
		buf_puts(to, titles[c]);
		if (c + 1 < COLUMNS)
			pad(to, strlen(titles[c]), width[c] + 2);
	}
	buf_puts(to, "\n");
	for (size_t i = 0; i < s->n; i++)
		add_row(to, s, &s->v[i], width, colours);
}

static json_t *document(const struct snapshot *s)
{
	json_t *machines = json_array();

	for (size_t i = 0; i < s->n; i++)
		(void)json_array_append_new(machines, show_machine(&s->v[i]));
	return json_pack("{s:i, s:o, s:o, s:o}", "schema", 1, "machines", machines, "stale",
	                 show_json_text(s->stale), "limits", show_json_text(s->limits));
}

static void tell_leftovers(void)
{
	CLEANUP(strs_done) struct strs names = { 0 };

	if (destroy_leftovers(&names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		fprintf(stderr, "machdeck: %s was not destroyed to the end (machdeck destroy %s)\n",
		        names.v[i], names.v[i]);
}

int verb_list(const struct verb *v, int argc, char **argv)
{
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	bool json;
	struct err e = { 0 };
	int r = verb_no_name(v, argc, argv, &json, "it lists all machines");

	if (r != STATUS_DONE)
		return r;
	if (observe_once(&s, &e) < 0)
		return verb_fail(&e);
	if (json)
		return show_json(document(&s));
	if (s.stale)
		fprintf(stderr, "machdeck: %s\n", s.stale);
	if (s.limits)
		fprintf(stderr, "machdeck: not seen: %s\n", s.limits);
	tell_leftovers();
	table(&text, &s, show_colours());
	return verb_print_buf(&text);
}

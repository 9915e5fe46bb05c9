/* machdeck show: a machine of any origin as KEY=VALUE lines, with the keys of `machinectl show` and `list --json`. */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "drivers/machined.h"
#include "engine/observe.h"
#include "verbs/show.h"
#include "verbs/verbs.h"

static void line(struct buf *to, const char *key, const char *value)
{
	buf_addf(to, "%s=", key);
	if (value && *value)
		show_text(to, value);
	buf_puts(to, "\n");
}

static void list(struct buf *to, const char *key, const struct strs *texts)
{
	CLEANUP(free_p) char *joined = strs_join(texts, " ");

	line(to, key, joined);
}

static void lines(struct buf *to, const struct machine *m, const struct registration *g)
{
	char since[32] = "", leader[16] = "";

	if (m->leader > 0)
		(void)snprintf(leader, sizeof(leader), "%d", (int)m->leader);
	if (m->since_usec)
		show_local_time(m->since_usec, since);
	line(to, "Name", m->name);
	line(to, "Kind", machine_kind_word(m->kind));
	line(to, "State", machine_state_word(m->state));
	line(to, "Since", since);
	line(to, "Class", m->class);
	line(to, "Service", g->service);
	line(to, "Unit", m->unit);
	line(to, "Leader", leader);
	line(to, "Id", g->id);
	line(to, "RootDirectory", g->root);
	line(to, "OS", m->os);
	list(to, "Addresses", &m->addresses);
	list(to, "Ports", &m->ports);
	line(to, "OverlayOver", m->overlay_over);
	list(to, "Overlays", &m->overlays);
	line(to, "AutoStart", m->auto_start ? "yes" : "no");
	line(to, "Reason", m->reason);
}

static json_t *document(const struct machine *m, const struct registration *g)
{
	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "schema", 1, "machine", show_machine(m), "service",
	                 show_json_text(g->service), "id", show_json_text(g->id), "root",
	                 show_json_text(g->root));
}

int verb_show(const struct verb *v, int argc, char **argv)
{
	CLEANUP(registration_done) struct registration g = { 0 };
	CLEANUP(snapshot_done) struct snapshot s = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct machine *m;
	struct err e = { 0 };
	const char *name;
	bool json;
	int r = verb_one_name(v, argc, argv, &json, &name);

	if (r != STATUS_DONE)
		return r;
	r = observe_once(&s, &e);
	m = r < 0 ? NULL : snapshot_find(&s, name);
	if (r == 0 && !m)
		r = err_set(&e, STATUS_NO_CONTAINER, ENOENT, "%s: neither configured nor running", name);
	if (r == 0 && m->registered)
		r = machined_find("", name, &g, &e);
	if (r < 0 && r != -ENOENT)
		return verb_fail(&e);
	if (!m)
		return verb_fail(&e);
	if (json)
		return show_json(document(m, &g));
	lines(&text, m, &g);
	return verb_print_buf(&text);
}

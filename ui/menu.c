#include "ui/menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ui/fuzzy.h"
#include "ui/logview.h"

void menu_done(struct menu *m)
{
	free(m->v);
	strs_done(&m->pool);
	*m = (struct menu){ 0 };
}

static struct menu_item *add(struct menu *m, const char *label, const char *hint)
{
	struct menu_item *grown = reallocarray(m->v, m->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	m->v = grown;
	grown[m->n] = (struct menu_item){ .label = label, .hint = hint, .possible = true };
	return &grown[m->n++];
}

/* ---- the palette: the best match first, actions before machines */

struct found {
	int score;
	struct menu_item item;
};

static int by_score(const void *a, const void *b)
{
	const struct found *f = a, *g = b;

	return f->score != g->score ? (f->score < g->score) - (f->score > g->score)
	       : f->item.action != g->item.action
	               ? (f->item.action > g->item.action) - (f->item.action < g->item.action)
	               : strcmp(f->item.label, g->item.label);
}

static void palette_actions(const struct app *a, const struct world *w, const char *text, struct found *v,
                            size_t *n)
{
	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++) {
		const struct binding *b = keys_binding(action);
		int score = fuzzy_score(text, b->bar, NULL, NULL),
		    help = fuzzy_score(text, b->help, NULL, NULL) / 2;

		if (!(b->screens & AT_WORK) || (score < 0 && help <= 0))
			continue;
		v[(*n)++] = (struct found){ score > help ? score : help,
			                    { .label = b->bar,
			                      .hint = b->help,
			                      .possible = app_can(a, w, action),
			                      .action = action } };
	}
}

static void palette_machines(const struct world *w, const char *text, struct found *v, size_t *n)
{
	for (size_t i = 0; i < w->s->n; i++) {
		int score = fuzzy_score(text, w->s->v[i].name, NULL, NULL);

		if (score >= 0)
			v[(*n)++] = (struct found){ score,
				                    { .label = w->s->v[i].name,
				                      .hint = machine_state_word(w->s->v[i].state),
				                      .possible = true,
				                      .action = ACTION_NONE,
				                      .name = w->s->v[i].name } };
	}
}

static void build_palette(const struct app *a, const struct world *w, struct menu *m)
{
	CLEANUP(free_p) struct found *v = calloc(ACTION_COUNT + w->s->n + 1, sizeof(*v));
	size_t n = 0;

	m->title = "actions and machines; run COMMAND runs it in the marked ones";
	m->v = v ? calloc(ACTION_COUNT + w->s->n + 1, sizeof(*m->v)) : NULL;
	if (!m->v)
		return;
	palette_actions(a, w, a->line.text, v, &n);
	palette_machines(w, a->line.text, v, &n);
	qsort(v, n, sizeof(*v), by_score);
	for (; m->n < n; m->n++)
		m->v[m->n] = v[m->n].item;
}

/* ---- the others */

static void build_kill(const struct app *a, const struct world *w, struct menu *m)
{
	static const struct {
		enum control_verb verb;
		const char *label, *hint;
	} steps[] = {
		{ CONTROL_STOP, "stop", "ask its init to shut down, and wait for it" },
		{ CONTROL_TERMINATE, "terminate", "end it now: its init gets no time to shut down" },
		{ CONTROL_KILL, "kill", "SIGKILL to every process of it; the unit may restart it" },
	};
	const struct machine *machine = snapshot_find(w->s, a->selected);

	m->title = "from the mildest to the hardest";
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct menu_item *item = add(m, steps[i].label, steps[i].hint);

		if (!item)
			return;
		item->verb = steps[i].verb;
		item->possible = a->marks.n > 0 || (machine && !app_refuses(a, machine, steps[i].verb));
	}
}

static void add_copied(struct menu *m, const char *label, const char *copied)
{
	struct menu_item *item = copied && *copied ? add(m, label, copied) : NULL;

	if (item)
		item->copied = copied;
}

static void add_list(struct menu *m, const char *label, const struct strs *list)
{
	char *joined = strs_join(list, " ");

	if (joined && list->n > 0) {
		strs_add(&m->pool, joined);
		add_copied(m, label, m->pool.bad ? NULL : m->pool.v[m->pool.n - 1]);
	}
	free(joined);
}

static void add_log_line(const struct logview *logs, struct menu *m)
{
	CLEANUP(buf_done) struct buf line = { 0 };

	logview_line(logs, &line);
	while (line.len > 0 && line.p[line.len - 1] == '\n')
		line.p[--line.len] = '\0';
	if (line.len == 0)
		return;
	strs_add(&m->pool, line.p);
	add_copied(m, "line", m->pool.bad ? NULL : m->pool.v[m->pool.n - 1]);
}

static void build_copy(const struct app *a, const struct world *w, struct menu *m)
{
	const struct machine *machine = snapshot_find(w->s, a->selected);

	m->title = "to the clipboard";
	if (w->logs && a->pane.open && a->pane.tab == TAB_LOGS)
		add_log_line(w->logs, m);
	if (!machine)
		return;
	add_copied(m, "name", machine->name);
	add_copied(m, "address", machine->addresses.n > 0 ? machine->addresses.v[0] : NULL);
	if (machine->addresses.n > 1)
		add_list(m, "addresses", &machine->addresses);
	add_list(m, "ports", &machine->ports);
	add_copied(m, "unit", machine->unit);
	add_copied(m, "reason", machine->reason);
}

static void build_columns(const struct app *a, struct menu *m)
{
	m->title = "Space shows or hides, K and J move";
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		const struct column_info *info = columns_info(a->columns.order[i]);
		struct menu_item *item = add(m, info->title, info->help);

		if (!item)
			return;
		item->column = a->columns.order[i];
		item->possible = a->columns.shown[item->column];
	}
}

static const char *in_pool(struct menu *m, const char *text)
{
	strs_add(&m->pool, text);
	return m->pool.bad ? "" : m->pool.v[m->pool.n - 1];
}

/* A field with its value; not set: dim, with what it is for. */
static void form_item(struct menu *m, const struct form_row *row, bool is_problem)
{
	char label[64];
	struct menu_item *item;

	(void)snprintf(label, sizeof(label), "%s%s", is_problem ? "! " : "  ", form_key(row->field));
	item = add(m, in_pool(m, label), "");
	if (!item)
		return;
	item->possible = item->is_value = row->value;
	if (row->value)
		item->hint = in_pool(m, row->value);
	else
		item->hint = row->kind == FORM_ADD ? "+" : "-";
}

/* Not LOCAL_ADDRESS where it says LOCAL_ADDRESS6. */
static bool names_key(const char *why, const char *key)
{
	static const char in_keys[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t len = strlen(key);

	for (const char *at = why; (at = strstr(at, key)); at += len)
		if ((at == why || !strchr(in_keys, at[-1])) && (!at[len] || !strchr(in_keys, at[len])))
			return true;
	return false;
}

static void build_form(const struct app *a, struct menu *m)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	char title[NAME_MACHINE_MAX + sizeof(a->form.held) + 32];

	if (a->form.held[0])
		(void)snprintf(title, sizeof(title), "%s: read-only, %s", a->form.name,
		               a->form.freed ? "e edits it" : a->form.held);
	else
		(void)snprintf(title, sizeof(title), "%s: conf%s", a->form.name,
		               form_is_dirty(&a->form) ? ", changed" : "");
	m->title = in_pool(m, title);
	form_rows(&a->form, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct form_row *row = &rows.v[i];
		struct menu_item *item;

		if (row->kind != FORM_GROUP) {
			form_item(m, row,
			          names_key(a->form.problem, form_key(row->field)) ||
			                  names_key(a->form.odd, form_key(row->field)));
			continue;
		}
		item = add(m, form_group(row->field), "");
		if (item)
			item->is_head = true;
	}
}

/* Of each key that clashes four lines; then whose are to count. */
static void build_clash(const struct app *a, struct menu *m)
{
	static const char *const words[] = { "", "  was    ", "  is now ", "  yours  " };
	const struct strs *clashes = &a->form.clashes;

	m->title = "others changed the same meanwhile";
	for (size_t i = 0; i < clashes->n; i++) {
		CLEANUP(buf_done) struct buf line = { 0 };
		struct menu_item *item;

		buf_addf(&line, "%s%s", words[i % 4], *clashes->v[i] ? clashes->v[i] : "not set");
		item = add(m, in_pool(m, buf_text(&line)), "");
		if (item)
			item->is_head = true;
	}
	(void)add(m, "back", "to the form; nothing is saved");
	(void)add(m, "theirs", "take these over; the rest of what you typed stays");
	(void)add(m, "yours", "over theirs, when it is saved again");
}

static void build_root(struct menu *m)
{
	const char *word, *help;

	m->title = "its tree is made of";
	for (size_t i = 0; app_create_source(i, &word, &help); i++)
		(void)add(m, word, help);
}

/* What is only a name of a foreign link is shown printable, and offered only when it can be written in a conf. */
static void add_bridges(const struct netmap *net, struct menu *m)
{
	const struct netmap_space *host = net ? netmap_host(net) : NULL;

	for (size_t i = 0; host && i < host->n_links; i++) {
		const struct netmap_link *l = &host->links[i];
		struct menu_item *item;

		if (strcmp(l->kind, "bridge") != 0 || !name_is_link(l->name))
			continue;
		item = add(m, l->name, "a link to this bridge of the host");
		if (item)
			item->name = l->name;
	}
}

static void build_network(const struct world *w, struct menu *m)
{
	m->title = "its network";
	(void)add(m, "private", "of its own; free addresses are chosen and shown");
	add_bridges(w->net, m);
	(void)add(m, "host", "none of its own: all of the host's");
}

static void build_users(struct menu *m)
{
	m->title = "its users";
	(void)add(m, "pick", "numbers of its own: its root is nobody here");
	(void)add(m, "no", "its root is root of the host");
}

static void build_start(struct menu *m)
{
	m->title = "when it is made";
	(void)add(m, "start", "start it");
	(void)add(m, "leave", "leave it stopped");
	(void)add(m, "edit", "open its conf, for all the rest");
}

/* The newest first. */
static void build_states(const struct app *a, struct menu *m)
{
	m->title = "back to what it was";
	for (size_t i = a->states.n; i-- > 0;) {
		const char *line = a->states.v[i], *end = line + strcspn(line, " ");
		char name[NAME_MACHINE_MAX + 1];

		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - line), line);
		(void)add(m, in_pool(m, name), end + strspn(end, " "));
	}
}

static void build_clone(const struct app *a, struct menu *m)
{
	char hint[NAME_MACHINE_MAX + 64];

	m->title = "its root";
	(void)snprintf(hint, sizeof(hint), "nothing is copied, but %s must stay as it is, and down",
	               a->wish.name);
	(void)add(m, "copy", "a full one: this file system shares no blocks");
	(void)add(m, "overlay", in_pool(m, hint));
}

void menu_build(const struct app *a, const struct world *w, struct menu *ret)
{
	*ret = (struct menu){ 0 };
	if (a->prompt == PROMPT_PALETTE) {
		build_palette(a, w, ret);
		return;
	}
	switch (a->menu) {
	case MENU_KILL:
		build_kill(a, w, ret);
		break;
	case MENU_COPY:
		build_copy(a, w, ret);
		break;
	case MENU_COLUMNS:
		build_columns(a, ret);
		break;
	case MENU_FORM:
		build_form(a, ret);
		break;
	case MENU_CLASH:
		build_clash(a, ret);
		break;
	case MENU_ROOT:
		build_root(ret);
		break;
	case MENU_NETWORK:
		build_network(w, ret);
		break;
	case MENU_USERS:
		build_users(ret);
		break;
	case MENU_START:
		build_start(ret);
		break;
	case MENU_STATES:
		build_states(a, ret);
		break;
	case MENU_CLONE:
		build_clone(a, ret);
		break;
	case MENU_NONE:
		break;
	}
}

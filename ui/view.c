#include "ui/view.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "ui/units.h"
#include "ui/view_tab.h"

#define SEC           1000000ull
#define PREVIEW_LINES 8
#define HOUR          (3600 * SEC)

void view_done(struct view *v)
{
	free(v->table.rows);
	doc_done(&v->pane.doc);
	doc_done(&v->text.doc);
	menu_done(&v->menu);
	strs_done(&v->pool);
	*v = (struct view){ 0 };
}

const char *view_keep(struct view *v, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len >= 0) {
		strs_add(&v->pool, text);
		free(text);
	}
	if (len < 0 || v->pool.bad) {
		v->bad = true;
		return "";
	}
	return v->pool.v[v->pool.n - 1];
}

void view_add(struct view_line *l, enum style style, const char *text)
{
	if (l->n < VIEW_SPANS)
		l->v[l->n++] = (struct span){ text, style };
}

static void often(uint64_t *every, uint64_t usec)
{
	if (*every == 0 || usec < *every)
		*every = usec < HOUR ? usec : HOUR;
}

const char *view_age(struct view *v, uint64_t since_usec, uint64_t now_usec)
{
	char text[UNITS_SIZE];

	if (since_usec == 0)
		return NULL;
	often(&v->age_usec, units_span(now_usec > since_usec ? now_usec - since_usec : 0, text));
	return view_keep(v, "%s", text);
}

const char *view_clock(struct view *v, uint64_t at_usec)
{
	time_t seconds = (time_t)(at_usec / SEC);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return "";
	return view_keep(v, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct look_words view_look(const struct app *a, const struct world *w, struct view *v,
                            const struct machine *m)
{
	const struct app_job *job = app_job(a, m->name);
	const struct stats *s = stats_find(w->stats, m->name);

	if (job)
		return (struct look_words){ view_keep(v, "%s…", app_job_doing(job)), '~', STYLE_BUSY };
	if (m->bad_conf && m->state == MACHINE_STOPPED)
		return (struct look_words){ "bad conf", '!', STYLE_BAD };
	switch (m->state) {
	case MACHINE_RUNNING:
		if (s && s->frozen)
			return (struct look_words){ "frozen", '=', STYLE_BUSY };
		if (m->guest_failed.n > 0)
			return (struct look_words){ "degraded", '*', STYLE_BUSY };
		return (struct look_words){ machine_state_word(m->state), '+', STYLE_GOOD };
	case MACHINE_STOPPED:
		return (struct look_words){ m->kind == MACHINE_IMAGE ? "image" : machine_state_word(m->state),
			                    '-', STYLE_DIM };
	case MACHINE_STARTING:
	case MACHINE_RELOADING:
	case MACHINE_STOPPING:
	case MACHINE_RESTARTING:
		return (struct look_words){ machine_state_word(m->state), '~', STYLE_BUSY };
	case MACHINE_FAILED:
		return (struct look_words){ machine_state_word(m->state), '!', STYLE_BAD };
	case MACHINE_GHOST:
		return (struct look_words){ machine_state_word(m->state), '?', STYLE_BAD };
	case MACHINE_UNKNOWN:
		break;
	}
	return (struct look_words){ machine_state_word(m->state), '?', STYLE_DIM };
}

/* ---- title, status, jobs */

/* What the title counts, in its order. */
struct count {
	const char *word;
	const char *glyph;
	enum style style;
	size_t n;
};

static void count_states(const struct app *a, const struct world *w, struct view *v, struct count *counts,
                         size_t n)
{
	for (size_t i = 0; i < w->s->n; i++) {
		struct look_words l = view_look(a, w, v, &w->s->v[i]);

		for (size_t c = 0; c < n; c++)
			if (counts[c].glyph[0] == (l.style == STYLE_BAD ? '!' : l.mark))
				counts[c].n++;
	}
}

static void build_titles(const struct app *a, const struct world *w, struct view *v)
{
	struct count counts[] = {
		{ "failed", "!", STYLE_BAD, 0 },    { "changing", "~", STYLE_BUSY, 0 },
		{ "degraded", "*", STYLE_BUSY, 0 }, { "frozen", "=", STYLE_BUSY, 0 },
		{ "running", "+", STYLE_GOOD, 0 },  { "stopped", "-", STYLE_DIM, 0 },
		{ "unknown", "?", STYLE_DIM, 0 },
	};
	const char *host = w->s->host ? w->s->host : "";

	count_states(a, w, v, counts, COUNT(counts));
	view_add(&v->titles[0], STYLE_STRONG, view_keep(v, " %s", host));
	view_add(&v->titles[0], STYLE_TEXT,
	         view_keep(v, "  %zu machine%s%s", w->s->n, w->s->n == 1 ? "" : "s", w->s->n > 0 ? ":" : ""));
	for (size_t form = 1; form <= 2; form++) {
		view_add(&v->titles[form], STYLE_STRONG, host);
		view_add(&v->titles[form], STYLE_TEXT, view_keep(v, " %zu:", w->s->n));
	}
	view_add(&v->titles[3], STYLE_TEXT, view_keep(v, "%zu:", w->s->n));
	for (size_t c = 0; c < COUNT(counts); c++) {
		const char *glyph = view_keep(v, " %zu%s", counts[c].n, counts[c].glyph);
		const char *word = view_keep(v, " %zu %s", counts[c].n, counts[c].word);

		if (counts[c].n == 0)
			continue;
		view_add(&v->titles[0], STYLE_TEXT, " ");
		view_add(&v->titles[0], counts[c].style, word);
		view_add(&v->titles[1], counts[c].style, word);
		view_add(&v->titles[2], counts[c].style, counts[c].style == STYLE_BAD ? word : glyph);
		view_add(&v->titles[3], counts[c].style, glyph);
	}
	for (size_t form = 0; a->read_only && form < COUNT(v->titles); form++) {
		view_add(&v->titles[form], STYLE_TEXT, form == 0 ? "  " : " ");
		view_add(&v->titles[form], STYLE_BANNER, form == 0 ? " read-only " : "RO");
	}
}

static void build_host(const struct world *w, struct view *v)
{
	char used[UNITS_SIZE], total[UNITS_SIZE], cpu[UNITS_SIZE];

	if (w->host->at_usec == 0 || w->host->cores == 0 || isnan(w->host->cpu))
		return;
	units_percent((double)w->host->cpu / w->host->cores, cpu);
	units_bytes(w->host->memory, used);
	units_bytes(w->host->memory_total, total);
	v->host = view_keep(v, "cpu %s%%  mem %s/%s", cpu, used, total);
}

static void build_status(const struct app *a, const struct world *w, struct view *v)
{
	for (size_t form = 0; form < COUNT(v->status); form++) {
		struct view_line *l = &v->status[form];
		char key[KEY_TEXT_MAX];

		if (a->filter_text[0]) {
			view_add(l, STYLE_STRONG, view_keep(v, "filter %s", a->filter_text));
			view_add(l, STYLE_TEXT, view_keep(v, "  %zu of %zu  ", a->n_order, w->s->n));
		}
		if (a->marks.n > 0)
			view_add(l, STYLE_KEY, view_keep(v, "%zu marked  ", a->marks.n));
		keys_first(ACTION_HELP, key);
		if (w->s->limits)
			view_add(l, STYLE_DIM,
			         form == 0 ? view_keep(v, "not seen: %s", w->s->limits)
			                   : view_keep(v, "not all is seen: %s says why", key));
	}
}

static const char *seconds(struct view *v, uint64_t from, uint64_t to)
{
	return view_keep(v, "%llus", (unsigned long long)(to > from ? (to - from) / SEC : 0));
}

static void build_job(const struct app_job *job, uint64_t now, struct view *v)
{
	struct view_line *l = &v->jobs[v->n_jobs++];

	view_add(l, STYLE_BUSY, view_keep(v, "%s %s", app_job_word(job), job->name));
	view_add(l, STYLE_TEXT, view_keep(v, "  %s", seconds(v, job->since_usec, now)));
	if (job->limit_usec > 0 && job->limit_usec != UINT64_MAX)
		view_add(l, STYLE_TEXT, view_keep(v, "/%llus", (unsigned long long)(job->limit_usec / SEC)));
	if (job->waits_for[0])
		view_add(l, STYLE_TEXT, view_keep(v, job->errand ? "  %s" : "  waits: %s", job->waits_for));
	view_add(l, STYLE_KEY, "  X");
	view_add(l, STYLE_TEXT, " cancel");
	often(&v->tick_usec, SEC);
}

/* The ones that were asked for last; what there is no line for is counted. */
static void build_jobs(const struct app *a, uint64_t now, struct view *v)
{
	size_t hidden = a->n_jobs > VIEW_JOBS ? a->n_jobs - VIEW_JOBS : 0;

	if (a->jobs_hidden)
		return;
	for (size_t i = hidden; i < a->n_jobs; i++)
		build_job(&a->jobs[i], now, v);
	if (hidden > 0)
		view_add(&v->jobs[0], STYLE_DIM, view_keep(v, "  and %zu more", hidden));
}

static void build_message(const struct app *a, struct view *v)
{
	if (!a->message.text[0])
		return;
	v->message_style = a->message.style;
	v->message = a->message.at_usec
	                     ? view_keep(v, "%s  %s", view_clock(v, a->message.at_usec), a->message.text)
	                     : a->message.text;
}

/* ---- keys */

static void add_key(const struct app *a, const struct world *w, struct view *v, enum action action)
{
	const struct binding *b = keys_binding(action);
	struct view_line *l = &v->keys[v->n_keys];
	bool possible = app_can(a, w, action);
	char key[KEY_TEXT_MAX];

	if (!(b->screens & app_screen(a)) || (b->effect == ACTS && a->read_only) ||
	    (!possible && !(app_screen(a) & AT_WORK)))
		return;
	keys_first(action, key);
	view_add(l, possible ? STYLE_KEY : STYLE_DIM, view_keep(v, "%s", key));
	view_add(l, possible ? STYLE_TEXT : STYLE_DIM, view_keep(v, " %s", b->bar));
	v->key_actions[v->n_keys++] = action;
}

static void build_keys(const struct app *a, const struct world *w, struct view *v)
{
	v->keys_kept = app_screen(a) & AT_WORK ? 2 : 1;
	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		add_key(a, w, v, action);
}

/* ---- what lies over the list */

static const char *const short_tab_words[TAB_COUNT] = {
	[TAB_OVERVIEW] = "Overview", [TAB_LOGS] = "Logs",   [TAB_NETWORK] = "Net", [TAB_PORTS] = "Ports",
	[TAB_PROCESSES] = "Procs",   [TAB_CONFIG] = "Conf", [TAB_PLAN] = "Plan",   [TAB_EVENTS] = "Events",
};
static const char *const tab_words[TAB_COUNT] = {
	[TAB_OVERVIEW] = "Overview", [TAB_LOGS] = "Logs",           [TAB_NETWORK] = "Network",
	[TAB_PORTS] = "Ports",       [TAB_PROCESSES] = "Processes", [TAB_CONFIG] = "Config",
	[TAB_PLAN] = "Plan",         [TAB_EVENTS] = "Events",
};

enum tabs_form { TABS_FULL, TABS_SHORT, TABS_DIGITS, TABS_ALONE };

static const char *closed_tab(struct view *v, size_t tab, enum tabs_form form)
{
	switch (form) {
	case TABS_FULL:
		return view_keep(v, " %zu %s ", tab + 1, tab_words[tab]);
	case TABS_SHORT:
		return view_keep(v, " %zu %s", tab + 1, short_tab_words[tab]);
	case TABS_DIGITS:
		return view_keep(v, " %zu", tab + 1);
	case TABS_ALONE:
		break;
	}
	return "";
}

static void build_tabs(const struct app *a, struct view *v, enum tabs_form form)
{
	const char *const *words = form == TABS_SHORT ? short_tab_words : tab_words;
	struct view_line *l = &v->pane.tabs[form];

	view_add(l, STYLE_STRONG, view_keep(v, " %s ", a->selected[0] ? a->selected : "-"));
	for (size_t i = 0; i < TAB_COUNT; i++)
		if (i == a->pane.tab)
			view_add(l, STYLE_STRONG, view_keep(v, "[%zu %s]", i + 1, words[i]));
		else
			view_add(l, STYLE_DIM, closed_tab(v, i, form));
}

static void build_pane(const struct app *a, const struct world *w, uint64_t now, struct view *v)
{
	if (!a->pane.open)
		return;
	v->has_pane = true;
	v->pane.top = a->pane.top;
	v->pane.focused = a->pane.focused;
	v->pane.zoomed = a->pane.zoomed;
	for (enum tabs_form form = TABS_FULL; form <= TABS_ALONE; form++)
		build_tabs(a, v, form);
	v->pane.logs = a->pane.tab == TAB_LOGS ? w->logs : NULL;
	if (!v->pane.logs)
		view_tab(a, w, now, v, &v->pane.doc);
}

static void build_text(const struct app *a, const struct world *w, uint64_t now, struct view *v)
{
	v->text.top = a->text_top;
	v->text.shown = &v->text.doc;
	v->has_text = a->text != APP_TEXT_NONE;
	switch (a->text) {
	case APP_TEXT_HELP:
		v->text.title = "machdeck " VERSION ": keys";
		view_help(w->s->limits, &v->text.doc);
		break;
	case APP_TEXT_COMMANDS:
		v->text.title = "what was done here, as shell commands";
		view_commands(a, v, &v->text.doc);
		break;
	case APP_TEXT_SELF:
		v->text.title = "what this program itself uses";
		view_self(a, now, &v->text.doc);
		break;
	case APP_TEXT_RESULTS:
		v->text.title = a->results_title;
		v->text.shown = &a->results;
		break;
	case APP_TEXT_WHY:
		v->text.title = view_keep(v, "%s: why", a->selected);
		view_why(a, w, now, v, &v->text.doc);
		break;
	case APP_TEXT_SAVE:
		v->text.title = view_keep(v, "%s: what would be saved; Enter saves it", a->form.name);
		v->text.shown = &a->results;
		break;
	case APP_TEXT_FORM_PLAN:
		v->text.title = view_keep(v, "%s: its plan", a->form.name);
		v->text.shown = &a->results;
		break;
	case APP_TEXT_ERRAND:
		v->text.title = a->wish.errand == ERRAND_CREATE
		                        ? view_keep(v, "Enter creates %s", a->wish.name)
		                : a->wish.errand == ERRAND_SNAPSHOT
		                        ? view_keep(v, "Enter makes a snapshot of %s", a->wish.name)
		                        : view_keep(v, "Enter %ss %s to %s", app_errand_word(a->wish.errand),
		                                    a->wish.name, a->wish.to);
		v->text.shown = &a->results;
		break;
	case APP_TEXT_DRIFT:
		v->text.title = view_keep(v, "%s: what differs", a->selected);
		view_drift(a, w, &v->text.doc);
		break;
	case APP_TEXT_NETWORK:
		v->text.title = "network of this host";
		view_network(a, w, v, &v->text.doc);
		break;
	case APP_TEXT_PORTS:
		v->text.title = "all forwarded ports";
		view_ports(w, v, &v->text.doc);
		break;
	case APP_TEXT_DOCTOR:
		v->text.title = view_keep(v, "%s: its ports, from the conf to who listens", a->selected);
		view_doctor(a, w, v, &v->text.doc);
		break;
	case APP_TEXT_NONE:
		break;
	}
}

static const char *consequence(enum control_verb verb)
{
	switch (verb) {
	case CONTROL_STOP:
		return "It shuts down; s starts it again.";
	case CONTROL_RESTART:
		return "It goes down and comes up again.";
	case CONTROL_FREEZE:
		return "All its processes stop where they are; P lets them go on.";
	case CONTROL_RELOAD:
		return "What can change without a restart is applied.";
	case CONTROL_MEND:
		return "What is missing of its network comes back; what is as it should be stays.";
	case CONTROL_TERMINATE:
		return "It ends now; its init gets no time to shut down.";
	case CONTROL_KILL:
		return "Every process of it is killed.";
	case CONTROL_START:
	case CONTROL_THAW:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_FORGIVE:
	case CONTROL_DROP:
		break;
	}
	return "";
}

static const char *capital(struct view *v, const char *word)
{
	return view_keep(v, "%c%s", *word - 'a' + 'A', word + 1);
}

/* Who it goes to, each with its state. */
static const char *names_with_states(const struct world *w, struct view *v, const struct strs *names)
{
	CLEANUP(buf_done) struct buf b = { 0 };

	for (size_t i = 0; i < names->n; i++) {
		const struct machine *m = snapshot_find(w->s, names->v[i]);

		buf_addf(&b, "\n  %-16s %s", names->v[i], m ? machine_state_word(m->state) : "gone");
	}
	return view_keep(v, "%s", buf_text(&b));
}

/* The names of several take as many lines, so what is to be typed stands above them. */
static void build_severe(const struct app *a, const struct world *w, struct view *v)
{
	const struct app_intent *what = &a->confirm.what;
	const char *does = what->errand ? app_errand_does(what->errand) : consequence(what->verb);

	if (what->names.n == 1)
		v->dialog.text = view_keep(v, "Type its name: %s\n%s%s%s", app_confirm_word(a), does,
		                           a->confirm.preview ? "\n" : "",
		                           a->confirm.preview ? a->confirm.preview : "");
	else
		v->dialog.text = view_keep(v, "To confirm, type: %s\n%s%s", app_confirm_word(a), does,
		                           names_with_states(w, v, &what->names));
}

/* What it would do, as far as it fits into a question. */
static const char *preview(const struct app *a, struct view *v)
{
	const char *text = a->confirm.preview, *end = text;
	int left = PREVIEW_LINES;

	if (!text)
		return "looking what is missing…";
	while (left > 0 && (end = strchr(end, '\n')))
		end += 1, left--;
	return end && *end
	               ? view_keep(v, "%.*s… and more: machdeck mend --dry-run NAME", (int)(end - text), text)
	               : text;
}

static const char *with_preview(const struct app *a, struct view *v, const char *then)
{
	const char *steps = preview(a, v);
	size_t len = strlen(steps);

	return view_keep(v, "%s%s%s", steps, len > 0 && steps[len - 1] == '\n' ? "" : "\n", then);
}

static void build_confirm(const struct app *a, const struct world *w, struct view *v)
{
	static const char *const one[] = { "No", "Yes" };
	const struct app_intent *what = &a->confirm.what;
	const char *verb = capital(v,
	                           what->errand ? app_errand_word(what->errand) : control_word(what->verb)),
		   *host = w->s->host ? w->s->host : "this host";

	v->has_dialog = true;
	v->dialog = (struct dialog){
		.buttons = one, .n_buttons = 2, .chosen = a->confirm.yes, .top = a->confirm.top
	};
	v->dialog.text = consequence(what->verb);
	if (what->names.n == 1) {
		v->dialog.title = view_keep(v, "%s %s on %s?", verb, what->names.v[0], host);
	} else {
		v->buttons[0] = one[0];
		v->buttons[1] = view_keep(v, "%s all %zu", verb, what->names.n);
		v->dialog.buttons = v->buttons;
		v->dialog.title = view_keep(v, "%s %zu machines on %s?", verb, what->names.n, host);
		v->dialog.text = view_keep(v, "%s%s", v->dialog.text, names_with_states(w, v, &what->names));
	}
	if (what->verb ==
	    CONTROL_MEND) /* the steps first: where there is little room they are what matters */
		v->dialog.text = with_preview(a, v, v->dialog.text);
	if (a->prompt == PROMPT_NAME) {
		v->dialog.n_buttons = 0;
		build_severe(a, w, v);
	}
}

static void build_prompt(const struct app *a, struct view *v)
{
	static const char *const labels[] = {
		[PROMPT_NONE] = NULL,         [PROMPT_FILTER] = "filter: ",
		[PROMPT_SEARCH] = "search: ", [PROMPT_LINES] = "lines: ",
		[PROMPT_RUN] = "command: ",   [PROMPT_SAVE] = "save to file: ",
		[PROMPT_PALETTE] = ": ",      [PROMPT_FIELD] = "",
		[PROMPT_NAME] = "its name: ", [PROMPT_NEW] = "",
		[PROMPT_ROOT] = "",           [PROMPT_EXTRA] = "",
		[PROMPT_PORTS] = "ports: ",   [PROMPT_YOURS] = "over theirs, type yours: ",
	};

	v->prompt = labels[a->prompt];
	v->line = &a->line;
	if (a->prompt == PROMPT_FIELD)
		v->prompt = view_keep(v, "%s: ", form_key(a->form.field));
	if (a->prompt == PROMPT_NEW)
		v->prompt =
			a->wish.errand == ERRAND_CREATE
				? "name of the new container: "
				: view_keep(v, "%s %s as: ", app_errand_word(a->wish.errand), a->wish.name);
	if (a->prompt == PROMPT_ROOT || a->prompt == PROMPT_EXTRA)
		v->prompt = app_create_asks(a);
	if (a->prompt == PROMPT_NAME && a->confirm.what.names.n > 1)
		v->prompt = view_keep(v, "type %s: ", app_confirm_word(a));
	else if (a->prompt == PROMPT_RUN)
		v->prompt = view_keep(v, "command for %s: ",
		                      a->marks.n > 0 ? view_keep(v, "%zu marked", a->marks.n) : a->selected);
}

static void build_menu(const struct app *a, const struct world *w, struct view *v)
{
	v->has_menu = a->menu != MENU_NONE || a->prompt == PROMPT_PALETTE;
	v->menu_row = a->menu_row;
	if (v->has_menu)
		menu_build(a, w, &v->menu);
}

/* "web:6:11: HOST_PORT: ..." without the line and column of a text that is not seen. */
static const char *without_place(const char *problem, const char *name)
{
	size_t len = strlen(name), place;

	if (strncmp(problem, name, len) != 0)
		return problem;
	place = strspn(problem + len, ":0123456789");
	return place > 1 && problem[len + place] == ' ' ? problem + len + place + 1 : problem;
}

/* Under a form: what speaks against it, or what the marked field does. */
static void build_form_help(const struct app *a, struct view *v)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };

	if (a->menu != MENU_FORM || a->prompt != PROMPT_NONE ||
	    (v->message && v->message[0] && v->message_style != STYLE_TEXT))
		return;
	form_rows(&a->form, &rows);
	v->message_style = a->form.problem[0] ? STYLE_BAD : a->form.odd[0] ? STYLE_BUSY : STYLE_TEXT;
	if (a->form.problem[0] || a->form.odd[0])
		v->message = without_place(a->form.problem[0] ? a->form.problem : a->form.odd, a->form.name);
	else if (a->menu_row < rows.n && rows.v[a->menu_row].kind != FORM_GROUP)
		v->message = form_help(rows.v[a->menu_row].field);
}

void view_build(const struct app *a, const struct world *w, uint64_t now_usec, struct view *ret)
{
	*ret = (struct view){ .search = a->search, .now_usec = now_usec };
	build_titles(a, w, ret);
	build_host(w, ret);
	if (w->s->stale)
		ret->banner =
			view_keep(ret, "%s; shown as of %s", w->s->stale, view_clock(ret, w->s->taken_usec));
	else
		ret->banner = w->trouble;
	view_table(a, w, now_usec, ret);
	build_jobs(a, now_usec, ret);
	build_status(a, w, ret);
	build_message(a, ret);
	build_keys(a, w, ret);
	build_pane(a, w, now_usec, ret);
	build_text(a, w, now_usec, ret);
	if (a->confirm.open || a->prompt == PROMPT_NAME)
		build_confirm(a, w, ret);
	build_menu(a, w, ret);
	build_prompt(a, ret);
	build_form_help(a, ret);
	ret->bad |= ret->pane.doc.bad || ret->text.doc.bad;
}

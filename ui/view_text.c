#include "base/cleanup.h"
#include "ui/units.h"
#include "ui/view.h"

/* What one of these screens has and none of the ones before. Fields are parted by two blanks at least, for
 * who reads `machdeck help keys`. */
static void help_of(struct doc *d, const char *title, unsigned here, unsigned before)
{
	doc_head(d, "%s", title);
	for (enum action a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
		const struct binding *b = keys_binding(a);

		if (!(b->screens & here) || (b->screens & before))
			continue;
		doc_line(d, STYLE_KEY, "  %-13s  ", b->keys);
		doc_add(d, STYLE_STRONG, "%-11s  ", b->bar);
		doc_add(d, STYLE_TEXT, "%s", b->help);
		doc_indent(d, 30);
		doc_aligned(d);
	}
}

static void help_filter(struct doc *d)
{
	doc_head(d, "In a filter: WORD:TEXT, WORD>NUMBER, !WORD:TEXT; a text alone is looked for in names");
	for (enum filter_key k = 0; k < FILTER_KEY_COUNT; k++) {
		doc_line(d, STYLE_KEY, "  %-13s  ", filter_key_word(k));
		doc_add(d, STYLE_TEXT, "%s", filter_key_help(k));
		doc_indent(d, 17);
		doc_aligned(d);
	}
}

/* "what: right; what: right", a line each. */
static void help_limits(const char *limits, struct doc *d)
{
	CLEANUP(strs_done) struct strs all = { 0 };

	strs_split(&all, limits, ";");
	doc_head(d, "What you can not see here: the right it takes");
	for (size_t i = 0; i < all.n; i++)
		doc_line(d, STYLE_TEXT, "  %s", all.v[i] + strspn(all.v[i], " "));
}

void view_help(const char *limits, struct doc *d)
{
	if (limits)
		help_limits(limits, d);
	help_of(d, "In the list", SCREEN_LIST, 0);
	help_of(d, "In the details, also", SCREEN_PANE, SCREEN_LIST);
	help_of(d, "In the logs, also", SCREEN_LOGS, SCREEN_LIST | SCREEN_PANE);
	help_of(d, "While reading a text, also", SCREEN_TEXT, SCREEN_LIST | SCREEN_PANE | SCREEN_LOGS);
	help_of(d, "In a question", SCREEN_CONFIRM, AT_WORK | SCREEN_TEXT);
	help_of(d, "In a menu, also", SCREEN_MENU, AT_WORK | SCREEN_TEXT | SCREEN_CONFIRM);
	help_of(d, "While typing", SCREEN_PROMPT, AT_WORK | SCREEN_TEXT | SCREEN_CONFIRM | SCREEN_MENU);
	doc_head(d, "Marks");
	doc_line(d, STYLE_TEXT,
	         "  + running   ~ changing   * degraded: runs, but not all is well   ! failed");
	doc_line(d, STYLE_TEXT, "  - stopped   = frozen     ? not known; or a ghost, registered but gone");
	doc_head(d, "Words");
	doc_line(d, STYLE_TEXT,
	         "  CPU%% 100 is one core. ~ before a number: estimated. An address or port in dim type is");
	doc_line(d, STYLE_TEXT, "  configured, but not seen. C- is the Ctrl key.");
	help_filter(d);
}

static void rate(struct doc *d, const char *label, double n, const char *unit, double seconds)
{
	doc_fact(d, label, STYLE_TEXT, "%.0f%s", n, unit);
	if (seconds >= 1)
		doc_add(d, STYLE_DIM, "  %.2f a second", n / seconds);
}

static void self_costs(const struct app_self *s, uint64_t now_usec, struct doc *d)
{
	double seconds = now_usec > s->since_usec ? (double)(now_usec - s->since_usec) / 1e6 : 0;
	char memory[UNITS_SIZE];

	units_bytes(s->memory, memory);
	doc_fact(d, "for", STYLE_TEXT, "%.0f s", seconds);
	doc_fact(d, "processor", STYLE_TEXT, "%.3f s", (double)s->cpu_usec / 1e6);
	if (seconds >= 1)
		doc_add(d, STYLE_DIM, "  %.2f %% of a core", (double)s->cpu_usec / 1e4 / seconds);
	doc_fact(d, "memory", STYLE_TEXT, "%s", memory);
	rate(d, "wake-ups", (double)s->wakeups, "", seconds);
	rate(d, "frames", (double)s->frames, "", seconds);
	rate(d, "terminal", (double)s->bytes, " bytes", seconds);
	rate(d, "bus", (double)s->bus_calls, " calls", seconds);
}

void view_self(const struct app *a, uint64_t now_usec, struct doc *d)
{
	if (a->self.since_usec > 0)
		self_costs(&a->self, now_usec, d);
	else
		doc_line(d, STYLE_DIM, "it is not measured without a terminal");
	for (size_t i = 0; a->mistakes && i < a->mistakes->n; i++)
		doc_fact(d, i == 0 ? "settings" : "", STYLE_BUSY, "%s", a->mistakes->v[i]);
}

void view_commands(const struct app *a, struct view *v, struct doc *d)
{
	if (a->n_log == 0)
		doc_line(d, STYLE_DIM, "nothing yet");
	for (size_t i = a->n_log; i > 0; i--) {
		const struct app_logged *l = &a->log[i - 1];

		doc_line(d, STYLE_DIM, "%s  ", view_clock(v, l->at_usec));
		doc_add(d, STYLE_STRONG, "%s", l->command);
		if (l->result)
			doc_add(d, l->style, "  %s", l->result);
		else
			doc_add(d, STYLE_DIM, "  …");
	}
}

/* The files that configure a machine, line by line, and what each line turns into. */
#include <string.h>

#include "ui/view_tab.h"

static const struct origin *origin_at(const struct look_file *f, size_t line)
{
	for (size_t i = 0; i < f->origins.n; i++)
		if (f->origins.v[i].line == line)
			return &f->origins.v[i];
	return NULL;
}

static enum style style_of(const struct look_file *f, size_t line, const struct origin *o)
{
	const char *text = f->lines.v[line - 1];

	if (line == f->bad_line || (o && o->kind == ORIGIN_UNKNOWN))
		return STYLE_BAD;
	text += strspn(text, " \t");
	if (*text == '#' || *text == ';' || (o && o->kind == ORIGIN_AGAIN))
		return STYLE_DIM;
	return *text == '[' ? STYLE_HEAD : STYLE_STRONG;
}

static void one_line(const struct tab_source *t, const struct look_file *f, size_t line)
{
	const struct origin *o = origin_at(f, line);

	doc_line(t->d, STYLE_DIM, "%4zu  ", line);
	doc_add(t->d, style_of(f, line, o), "%s", f->lines.v[line - 1]);
	if (o && o->kind == ORIGIN_UNKNOWN)
		doc_add(t->d, STYLE_BAD, "   not a key we know: it does nothing");
	if (o && o->kind == ORIGIN_AGAIN)
		doc_add(t->d, STYLE_DIM, "   is set again below; that one counts");
	doc_indent(t->d, 8);
	for (size_t i = 0; o && i < o->becomes.n; i++) {
		doc_line(t->d, STYLE_DIM, "        > ");
		doc_add(t->d, STYLE_TEXT, "%s", o->becomes.v[i]);
		doc_indent(t->d, 12);
	}
}

static void one_file(const struct tab_source *t, const struct look_file *f)
{
	doc_head(t->d, "%s", f->path);
	if (f->note)
		doc_add(t->d, STYLE_BUSY, "  %s", f->note);
	if (f->problem)
		doc_line(t->d, STYLE_BAD, "%s", f->problem);
	for (size_t i = 1; i <= f->lines.n; i++)
		one_line(t, f, i);
}

/* What was looked at for this tab, and what is known of all: names that lead elsewhere. */
static void mistakes(const struct tab_source *t, const struct look_config *c)
{
	const struct linted *known = lint_list_find(t->w->lints, t->m->name);
	bool begun = c->warnings.n > 0;

	if (begun)
		doc_head(t->d, "likely mistakes");
	for (size_t i = 0; i < c->warnings.n; i++)
		doc_line(t->d, STYLE_BUSY, "%s", c->warnings.v[i]);
	for (size_t i = 0; known && c->n > 0 && !c->v[0].problem && i < known->texts.n; i++) {
		if (strs_has(&c->warnings, known->texts.v[i]))
			continue;
		if (!begun)
			doc_head(t->d, "likely mistakes");
		begun = true;
		doc_line(t->d, STYLE_BUSY, "%s", known->texts.v[i]);
	}
}

void tab_config(const struct tab_source *t)
{
	const struct look_config *c = t->look ? &t->look->config : NULL;

	if (tab_waits(t, LOOK_CONFIG) || !c)
		return;
	if (!view_drift_fact(t->w, t->m, t->d) && c->changed)
		doc_line(t->d, STYLE_BUSY,
		         "changed since it was started: a reload (r) applies what can, a restart (R) all");
	if (c->note)
		doc_line(t->d, STYLE_DIM, "%s", c->note);
	for (size_t i = 0; i < c->n; i++)
		one_file(t, &c->v[i]);
	mistakes(t, c);
	if (c->was_started && !c->changed)
		doc_line(t->d, STYLE_DIM, "as it was when it was started");
}

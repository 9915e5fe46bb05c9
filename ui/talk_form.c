#include "ui/talk_form.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "ui/talk_text.h"

#define CHOICES_TOLD 8

void talk_form_prompt(const struct talk_form *t, const struct form *f, struct buf *out)
{
	switch (t->asks) {
	case TALK_FORM_ROW:
	case TALK_FORM_WAIT:
		buf_addf(out, "conf of %s%s> ", f->name, f->held[0] ? ", read-only" : "");
		return;
	case TALK_FORM_VALUE:
		buf_addf(out, "%s> ", form_key(f->field));
		return;
	case TALK_FORM_SAVE:
	case TALK_FORM_LEAVE:
	case TALK_FORM_CLASH:
		buf_puts(out, "answer> ");
		return;
	}
}

/* ---- rows: headings have no number */

static void tell_row(const struct form_row *row, size_t number, struct buf *out)
{
	buf_addf(out, "%zu. %s: ", number, form_key(row->field));
	talk_add_shown(out, row->value ? row->value : row->kind == FORM_ADD ? "one more" : "not set");
	buf_puts(out, "\n");
}

static void tell_rows(const struct form *f, bool all, struct buf *out)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	size_t number = 0, untold = 0;

	form_rows(f, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct form_row *row = &rows.v[i];

		if (row->kind == FORM_GROUP && all)
			buf_addf(out, "%s:\n", form_group(row->field));
		if (row->kind == FORM_GROUP)
			continue;
		number++;
		if (all || row->value)
			tell_row(row, number, out);
		else
			untold++;
	}
	if (untold > 0)
		buf_addf(out, "%zu more can be set: l tells all.\n", untold);
}

static void help(const struct form *f, struct buf *out)
{
	if (f->held[0])
		buf_puts(out, "A setting's number or name: what it is. l: all settings.\n"
		              "p: what a start would do. e: edit it, when nobody else does. b: back.\n");
	else
		buf_puts(out,
		         "A setting's number or name: change it. x and a number: take it out.\n"
		         "l: all settings. p: what a start would do. s: what would be saved, then save it.\n"
		         "w and a file: write it there. b: back, without saving.\n");
}

void talk_form_begin(struct talk_form *t, const struct form *f, struct buf *out)
{
	t->asks = TALK_FORM_ROW;
	buf_addf(out, "The conf of %s.\n", f->name);
	tell_rows(f, false, out);
	help(f, out);
}

/* That number, or of that name the last: of a list that is one more. */
static bool find_row(const struct form *f, const char *text, struct form_row *ret)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	uint64_t wanted = 0, number = 0;
	bool found = false;

	form_rows(f, &rows);
	(void)num_parse(text, 1, rows.n, &wanted);
	for (size_t i = 0; i < rows.n; i++) {
		if (rows.v[i].kind == FORM_GROUP)
			continue;
		number++;
		if (number != wanted && strcmp(form_key(rows.v[i].field), text) != 0)
			continue;
		*ret = rows.v[i];
		ret->value = NULL; /* goes with the rows */
		found = true;
	}
	return found;
}

/* ---- a value */

static void tell_choices(const struct form *f, size_t most, struct buf *out)
{
	const char *first = form_complete(f, f->field, "", ""), *choice = first;

	for (size_t i = 0; choice && i < most; i++) {
		buf_puts(out, i == 0 ? "It can be " : ", ");
		talk_add_shown(out, choice);
		choice = form_complete(f, f->field, "", choice);
		if (choice == first)
			break;
	}
	if (first)
		buf_puts(out, choice != first ? ", and others: ? tells them all.\n" : ".\n");
}

static void ask_value(struct talk_form *t, struct form *f, const struct form_row *row, struct buf *out)
{
	f->field = row->field;
	f->item = row->item;
	t->asks = TALK_FORM_VALUE;
	buf_addf(out, "%s: %s\n", form_key(row->field), form_help(row->field));
	tell_choices(f, CHOICES_TOLD, out);
	buf_puts(out, "Type its value; an empty line leaves it as it is.\n");
}

static enum app_effect set(struct form *f, const struct form_row *row, const char *value, struct buf *out)
{
	struct err e;

	if (form_set(f, row->field, row->item, value, &e) < 0) {
		buf_addf(out, "Attention. %s\n", e.text);
		return APP_NOTHING;
	}
	buf_addf(out, "%s: ", form_key(row->field));
	talk_add_shown(out, value ? value : "taken out");
	buf_puts(out, "\n");
	return APP_FORM_JUDGE;
}

static enum app_effect take_value(struct talk_form *t, struct form *f, const char *line, struct buf *out)
{
	const struct form_row row = { .field = f->field, .item = f->item };

	if (strcmp(line, "?") == 0) {
		tell_choices(f, SIZE_MAX, out);
		return APP_NOTHING;
	}
	t->asks = TALK_FORM_ROW;
	if (!*line) {
		buf_puts(out, "It stays as it is.\n");
		return APP_NOTHING;
	}
	return set(f, &row, line, out);
}

/* ---- lines */

static enum app_effect leave(struct talk_form *t, const struct form *f, struct buf *out)
{
	if (!form_is_dirty(f))
		return APP_FORM_CLOSE;
	t->asks = TALK_FORM_LEAVE;
	buf_puts(out, "It is changed and not saved. To forget what was changed, type yes.\n");
	return APP_NOTHING;
}

static enum app_effect take_out(struct form *f, const char *which, struct buf *out)
{
	struct form_row row;

	if (find_row(f, which, &row) && row.kind != FORM_ADD)
		return set(f, &row, NULL, out);
	buf_puts(out, "There is nothing of that number to take out.\n");
	return APP_NOTHING;
}

/* What another one edits: its value, and why it can not be changed. */
static void tell_value(const struct form *f, const struct form_row *wanted, struct buf *out)
{
	CLEANUP(form_rows_done) struct form_rows rows = { 0 };
	size_t number = 0;

	form_rows(f, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		number += rows.v[i].kind != FORM_GROUP;
		if (rows.v[i].kind == wanted->kind && rows.v[i].field == wanted->field &&
		    rows.v[i].item == wanted->item)
			tell_row(&rows.v[i], number, out);
	}
	buf_addf(out, "%s\n", form_help(wanted->field));
}

static enum app_effect refuse(const struct form *f, struct buf *out)
{
	char why[ERR_TEXT_MAX];

	(void)form_why_not(f, why);
	buf_addf(out, "Nothing is changed: %s.\n", why);
	return APP_NOTHING;
}

static enum app_effect write_to(struct talk_form *t, const char *file)
{
	(void)snprintf(t->file, sizeof(t->file), "%s", file);
	return APP_FORM_WRITE;
}

static enum app_effect choose(struct talk_form *t, struct form *f, const char *line, struct buf *out)
{
	bool takes_out = strncmp(line, "x ", 2) == 0;
	struct form_row row;

	if (f->held[0] && (takes_out || strcmp(line, "s") == 0))
		return refuse(f, out);
	if (f->held[0] && strcmp(line, "e") == 0)
		return APP_FORM_OPEN;
	if (strcmp(line, "?") == 0)
		help(f, out);
	else if (strcmp(line, "l") == 0)
		tell_rows(f, true, out);
	else if (strcmp(line, "s") == 0)
		return APP_FORM_PREVIEW;
	else if (strcmp(line, "p") == 0)
		return APP_FORM_PLAN;
	else if (strcmp(line, "b") == 0)
		return leave(t, f, out);
	else if (strncmp(line, "w ", 2) == 0)
		return write_to(t, line + 2 + strspn(line + 2, " "));
	else if (takes_out)
		return take_out(f, line + 2 + strspn(line + 2, " "), out);
	else if (find_row(f, line, &row) && f->held[0])
		tell_value(f, &row, out);
	else if (find_row(f, line, &row))
		ask_value(t, f, &row, out);
	else if (*line)
		buf_puts(out, "There is no such setting. Type l for all of them, or ? for help.\n");
	return APP_NOTHING;
}

static enum app_effect answer(struct talk_form *t, struct form *f, const char *line, struct buf *out)
{
	bool saves = t->asks == TALK_FORM_SAVE, yes = strcmp(line, "yes") == 0;

	t->asks = TALK_FORM_ROW;
	f->previews = false;
	if (!yes) {
		buf_puts(out, saves ? "It is not saved.\n" : "Nothing is forgotten.\n");
		return APP_NOTHING;
	}
	if (saves)
		t->asks = TALK_FORM_WAIT;
	return saves ? APP_FORM_SAVE : APP_FORM_CLOSE;
}

static enum app_effect settle(struct talk_form *t, struct form *f, const char *line, struct buf *out)
{
	bool ours = strcmp(line, "yours") == 0;
	struct err e;

	t->asks = TALK_FORM_ROW;
	if (!ours && strcmp(line, "theirs") != 0) {
		buf_puts(out, "It stays as you typed it, and is not saved.\n");
		return APP_NOTHING;
	}
	if (form_settle(f, ours, &e) < 0) {
		buf_addf(out, "Attention. %s\n", e.text);
		return APP_NOTHING;
	}
	return APP_FORM_SETTLED;
}

enum app_effect talk_form_line(struct talk_form *t, struct form *f, const char *line, struct buf *out)
{
	switch (t->asks) {
	case TALK_FORM_ROW:
		return choose(t, f, line, out);
	case TALK_FORM_VALUE:
		return take_value(t, f, line, out);
	case TALK_FORM_SAVE:
	case TALK_FORM_LEAVE:
		return answer(t, f, line, out);
	case TALK_FORM_CLASH:
		return settle(t, f, line, out);
	case TALK_FORM_WAIT:
		buf_puts(out, "It is being saved.\n");
		break;
	}
	return APP_NOTHING;
}

/* ---- what came of it */

static const char *or_not_set(const char *value)
{
	return *value ? value : "not set";
}

void talk_form_clashed(struct talk_form *t, const struct form *f, struct buf *out)
{
	const struct strs *c = &f->clashes;

	for (size_t i = 0; i + 3 < c->n; i += 4) {
		static const char *const words[] = { ": it was ", ", it is now ", ", you typed " };

		buf_puts(out, c->v[i]);
		for (size_t k = 0; k < COUNT(words); k++) {
			buf_puts(out, words[k]);
			talk_add_shown(out, or_not_set(c->v[i + 1 + k]));
		}
		buf_puts(out, "\n");
	}
	buf_puts(out, "Type theirs or yours for what is to count; anything else goes back to the form.\n");
	t->asks = TALK_FORM_CLASH;
}

static void tell_preview(struct talk_form *t, const struct doc *preview, struct buf *out)
{
	buf_puts(out, "This would be saved:\n");
	talk_add_doc(out, preview);
	buf_puts(out, "To save it, type yes. Anything else goes back to the form.\n");
	t->asks = TALK_FORM_SAVE;
}

static void tell_plan(struct form *f, const struct doc *plan, struct buf *out)
{
	buf_puts(out, "A start would do this:\n");
	talk_add_doc(out, plan);
	f->previews = false;
}

void talk_form_did(struct talk_form *t, struct form *f, enum app_effect what, const char *said,
                   const struct doc *preview, struct buf *out)
{
	if (*said)
		buf_addf(out, "%s\n", said);
	if (what == APP_FORM_OPEN && f->open && !(f->held[0] && t->looks))
		talk_form_begin(t, f, out);
	else if (what == APP_FORM_JUDGE && f->problem[0])
		buf_addf(out, "Attention. It can not be saved like this: %s\n", f->problem);
	else if (what == APP_FORM_JUDGE && f->odd[0])
		buf_addf(out, "Attention. %s\n", f->odd);
	else if (what == APP_FORM_PREVIEW && f->previews)
		tell_preview(t, preview, out);
	else if (what == APP_FORM_PLAN && f->previews)
		tell_plan(f, preview, out);
	else if (what == APP_FORM_CLOSE && !t->looks)
		buf_puts(out, "The conf is as it was.\n");
	t->looks = f->open && f->held[0];
}

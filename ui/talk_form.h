/* talk_form - the form of a conf (ui/form) told as sentences and filled in by lines. Pure: what is to be done of the system
 * comes out as the effects that the form on a screen has, too. */
#pragma once

#include "base/buf.h"
#include "ui/app.h"

enum talk_form_asks {
	TALK_FORM_ROW,   /* which setting */
	TALK_FORM_VALUE, /* its value */
	TALK_FORM_SAVE,  /* a yes, before it is saved */
	TALK_FORM_LEAVE, /* a yes, before what was typed is forgotten */
	TALK_FORM_CLASH, /* whose values count, where others changed the same keys */
	TALK_FORM_WAIT,  /* for nothing: it is being saved */
};

struct talk_form {
	enum talk_form_asks asks;
	bool looks;           /* it was told that another one edits it */
	char file[LINE_SIZE]; /* of APP_FORM_WRITE */
};

/* talk_form_begin - what is set, and what can be typed. */
void talk_form_begin(struct talk_form *t, const struct form *f, struct buf *out);
/* talk_form_line - what a person typed; returns what is to be done: APP_NOTHING, or one of APP_FORM_, whose result
 * talk_form_did() tells. */
enum app_effect talk_form_line(struct talk_form *t, struct form *f, const char *line, struct buf *out);
/* talk_form_did - said: what there is to say of it, or ""; preview: what would be saved. */
void talk_form_did(struct talk_form *t, struct form *f, enum app_effect what, const char *said,
                   const struct doc *preview, struct buf *out);
/* talk_form_clashed - others changed the same meanwhile, it was not saved: f->clashes. */
void talk_form_clashed(struct talk_form *t, const struct form *f, struct buf *out);
void talk_form_prompt(const struct talk_form *t, const struct form *f, struct buf *out);

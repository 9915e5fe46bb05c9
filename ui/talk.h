/* talk - the machines told as sentences, and asked for by lines: for screen readers, dumb terminals and
 * serial consoles. Nothing is drawn and nothing is taken back: text only grows. Pure; ui/linear is its
 * terminal. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "engine/control.h"
#include "ui/talk_errand.h"
#include "ui/talk_form.h"
#include "ui/world.h"

struct talk {
	struct strs listed;                /* names by their numbers, as they were last told */
	char chosen[NAME_MACHINE_MAX + 1]; /* whose actions are on offer; "": none */
	bool asks;                         /* for a yes, or the name, to verb */
	enum control_verb verb;
	const char *locked; /* why nothing can be changed, borrowed; NULL: it can */
	struct app *app;    /* of it the form and what errands ask; borrowed; NULL: there is never one */
	struct talk_form edits;
	struct talk_errand errands;
};

/* What a line asked for. */
struct talk_command {
	bool quit, act;
	enum app_effect form; /* APP_NOTHING, or one of APP_FORM_ for name */
	enum control_verb verb;
	char name[NAME_MACHINE_MAX + 1];
};

void talk_done(struct talk *t);

/* talk_begin - the list, and the prompt. */
void talk_begin(struct talk *t, const struct world *w, uint64_t now_usec, struct buf *out);
/* talk_line - what a person typed, without its newline; answered in out, with the next prompt, but for a form's
 * effect: talk_formed() goes on. */
struct talk_command talk_line(struct talk *t, const struct world *w, uint64_t now_usec, const char *line,
                              struct buf *out);
/* talk_events - what happened, a line each; talk_say - another sentence. Then the prompt again.
 * talk_formed - what came of a form's effect, as talk_form_did() tells it. Then the prompt.
 * talk_clashed - it was not saved, as talk_form_clashed() tells it. Then the prompt.
 * talk_errands - what has come of the errands; out stays empty when there is nothing to tell. */
void talk_events(const struct talk *t, const struct world *w, const struct events *fresh, struct buf *out);
void talk_say(const struct talk *t, const char *sentence, struct buf *out);
void talk_formed(struct talk *t, enum app_effect what, const char *said, const struct doc *preview,
                 struct buf *out);
void talk_clashed(struct talk *t, const char *said, struct buf *out);
void talk_errands(struct talk *t, const struct world *w, uint64_t now_usec, struct buf *out);

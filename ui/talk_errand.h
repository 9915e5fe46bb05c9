/* talk_errand - create, clone, rename, reset and destroy by lines: what ui/app asks on a screen is asked in sentences, and what
 * is typed goes to it. Pure: what is to be done of the system comes out of app_next(), as on a screen. */
#pragma once

#include "base/buf.h"
#include "ui/app.h"

enum talk_errand_asks {
	TALK_ERRAND_NOTHING,
	TALK_ERRAND_WAIT,   /* for nothing: it looks what would be done */
	TALK_ERRAND_NAME,   /* a new one */
	TALK_ERRAND_CHOICE, /* a row of a menu */
	TALK_ERRAND_TEXT,   /* what a tree is made of, ports */
	TALK_ERRAND_YES,    /* before it is done */
	TALK_ERRAND_SURE,   /* the machine's name, before it is done */
};

struct talk_errand {
	enum talk_errand_asks told; /* the question that was told last */
	enum app_menu menu;         /* ... and of which menu a row was to be chosen */
	char step[64];              /* of what is being done, as it was told last */
	uint64_t step_usec;         /* ... and when */
};

/* talk_errand_asks - whether one asks something, or looks what it would do: lines go to talk_errand_line(). */
bool talk_errand_asks(const struct app *a);
/* talk_errand_offers - those that can be done with the machine, as words to type. */
void talk_errand_offers(const struct app *a, const struct machine *m, struct buf *out);
/* talk_errand_begin - word is the errand's of a machine, or "create" of none (m NULL); false: it is no such word. */
bool talk_errand_begin(struct talk_errand *t, struct app *a, const struct world *w, const struct machine *m,
                       const char *word, struct buf *out);
/* talk_errand_line - what a person typed. */
void talk_errand_line(struct talk_errand *t, struct app *a, const struct world *w, const char *line,
                      uint64_t now_usec, struct buf *out);
/* talk_errand_tell - what has come of them since, and what is asked now. */
void talk_errand_tell(struct talk_errand *t, struct app *a, const struct world *w, uint64_t now_usec,
                      struct buf *out);
/* talk_errand_prompt - what the line that is typed next is for. */
void talk_errand_prompt(const struct app *a, struct buf *out);

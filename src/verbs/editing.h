/* editing - what set, unset, edit and undo have in common: show or save, and say what is to be done then. */
#pragma once

#include "engine/edit.h"
#include "verbs/verbs.h"

struct edit_options {
	bool dry, json;
	const char *unit; /* NULL: not given; "": without the name of a drop-in */
};
/* editing_options - those of --dry-run (n), --unit (u), --json (j) that the verb has, by their letters, and one name at least:
 * argv[optind]. Returns as verb_names(). */
int editing_options(const struct verb *v, int argc, char **argv, const char *has, struct edit_options *ret);

/* editing_save - save text as x's conf, or with dry only print what would change. Prints the differences, warnings, and
 * what is to be done so that it takes effect. Returns the exit status. */
int editing_save(struct edit *x, struct buf *text, bool dry);
/* editing_undo - the same, of a text from the history, which is none any more then. */
int editing_undo(struct edit *x, struct buf *text, uint64_t usec, bool dry);
/* editing_verdict - print what is to be done so that the conf of that container, as it is now, takes effect. */
void editing_verdict(const char *name);

/* doc - lines of text with meanings: what a tab, the help, a table of results says. Pure: no width, no
 * colour.
 *
 *   doc_fact(d, "state", STYLE_GOOD, "running for %s", age);      "state      running for 12d"
 *   doc_line(d, STYLE_TEXT, "tcp 8080 > 80  ");                   a new line ...
 *   doc_add(d, STYLE_BAD, "nobody listens");                      ... that goes on
 *
 * Sticky like strs. Text is what grid_text() will filter, so foreign text may be given as it is; a new line
 * in it does not break the line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ui/cells.h"

#define DOC_LABEL 11 /* columns of the label of doc_fact() */

struct doc_span {
	size_t at, len; /* bytes of the text */
	enum style style;
};

struct doc_line {
	size_t span, n; /* its spans */
	int indent;     /* columns that lines it is wrapped to are moved in */
	bool aligned;   /* doc_squeeze() may change it */
};

struct doc {
	struct buf text;
	struct doc_span *spans;
	size_t n_spans;
	struct doc_line *lines;
	size_t n_lines;
	bool bad;
};

void doc_done(struct doc *d);
void doc_line(struct doc *d, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void doc_add(struct doc *d, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void doc_fact(struct doc *d, const char *label, enum style style, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* doc_indent - lines that the last one is wrapped to begin at that column. */
void doc_indent(struct doc *d, int columns);
/* doc_aligned - blanks of the last line only align it with others, as those of a fact do.
 * doc_squeeze - for a narrow screen: of such lines each run of blanks becomes one, and dim parts beyond the value
 *               are left out; no line is moved in by more than 2. */
void doc_aligned(struct doc *d);
void doc_squeeze(struct doc *d);
/* doc_head - a heading, after an empty line unless it is the first. */
void doc_head(struct doc *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* doc_text - foreign text of several lines, each a line of its own. */
void doc_text(struct doc *d, enum style style, const char *text);
/* doc_plain - a line without its meanings, for searching, copying and saving; ret is emptied first. */
void doc_plain(const struct doc *d, size_t line, struct buf *ret);

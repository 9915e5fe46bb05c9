/* docview - a widget: a document, wrapped to the width there is. Lines count from 0, as wrapped. */
#pragma once

#include "ui/doc.h"

/* docview_lines - lines it takes at that width. */
int docview_lines(const struct grid *g, int w, const struct doc *d);
/* docview_scroll - the top in [0, last page] nearest to top. */
int docview_scroll(const struct grid *g, struct rect r, const struct doc *d, int top);
/* docview_seek - the line of the next (by 1) or previous (by -1) match of the regular expression, from the
 * one at `from` on, which counts itself only when it is -1; around the ends. -1: there is none, or it is
 * none. */
int docview_seek(const struct grid *g, int w, const struct doc *d, const char *pattern, int from, int by);
/* docview_draw - from line top on; what matches pattern ("": nothing) stands out. */
void docview_draw(struct grid *g, struct rect r, const struct doc *d, int top, const char *pattern);

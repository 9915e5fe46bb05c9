/* statusline - all machines in one line, for a terminal multiplexer's status: how many, and which are not
 * well.
 *
 *	12m 9+ 1~ 1! 1-  cache:oom-kill  build 4s
 *
 * + runs, * runs but is not well inside, ~ changes, ! failed or is tried again after that, - off, ? not known;
 * ASCII alone. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "words/snapshot.h"

#define STATUSLINE_MAX 4096 /* the widest */

/* statusline - at most `width` cells, without a newline. The narrower, the less is said; what failed is said
 * last of all to go. tmux: what failed is red, in the words of tmux's styles, which take no width. */
void statusline(const struct snapshot *s, size_t width, bool tmux, struct buf *ret);

/* statusline_is_well - whether nothing failed, nothing that runs is unwell, and all could be asked. */
bool statusline_is_well(const struct snapshot *s);

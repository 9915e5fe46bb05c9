/* beginning - what a container's root was made of, for a reset where no snapshot "base" of it could be kept without its room.
 * For processes that may wait. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/build.h"
#include "engine/places.h"

/* beginning_note - keep it; of a source that does not make the same again nothing. For who has the name (drivers/hold). */
int beginning_note(const struct places *p, const struct build *b, struct err *e);
/* beginning_read - what makes it again; ret points into text. false: it is not known. */
bool beginning_read(const struct places *p, char text[static PATH_MAX], struct build *ret);
/* beginning_shown - its path, foreign bytes; false: it is not known, or there is a "base", which counts more. */
bool beginning_shown(const struct places *p, char ret[static PATH_MAX]);

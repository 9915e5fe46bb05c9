/* beginning - what a container's root was made of, for a reset where no snapshot "base" of it could be kept without its room.
 * For processes that may wait. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "engine/build.h"
#include "engine/places.h"

/* What makes it again. */
struct beginning {
	struct build build; /* points into text */
	char text[PATH_MAX];
};
void beginning_done(struct beginning *b);

/* beginning_note - keep it; of a source that does not make the same again nothing. For who has the name (drivers/hold). */
int beginning_note(const struct places *p, const struct build *b, struct err *e);
/* beginning_read - ret: beginning_done(). false: it is not known. */
bool beginning_read(const struct places *p, struct beginning *ret);
/* beginning_told - "what /srv/debian is now", foreign bytes; false: it is not known, or there is a "base", which counts more. */
bool beginning_told(const struct places *p, struct buf *ret);

/* beginning_note_configuration - keep the configuration that was given for Nix to build: that in the root is the guest's to write.
 * beginning_configuration - append it to ret; false: none is known, or it can not be read. */
int beginning_note_configuration(const struct places *p, const struct buf *text, struct err *e);
bool beginning_configuration(const struct places *p, struct buf *ret);

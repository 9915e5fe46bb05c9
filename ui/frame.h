/* frame - one picture of the dashboard: app and world in, cells out. What the app must know of the screen's
 * size comes back into it. */
#pragma once

#include "ui/app.h"
#include "ui/screen.h"

/* frame_draw - g has its size; v is what was drawn, owned by the caller, view_done(), and borrows from a and
 * w. */
void frame_draw(struct app *a, const struct world *w, uint64_t now_usec, struct grid *g, struct view *v);

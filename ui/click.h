/* click - what a press of the mouse does, by what was drawn there. Pure. */
#pragma once

#include "ui/app.h"
#include "ui/input.h"
#include "ui/screen.h"

/* click - g and v as frame_draw() left them; twice: it was the second press on that row. */
void click(struct app *a, const struct world *w, const struct grid *g, const struct view *v,
           const struct input_mouse *m, bool twice, uint64_t now_usec);

/* frame - one picture of the dashboard: app and world in, cells out. What the app must know of the screen's
 * size comes back into it. */
#pragma once

#include "ui/app.h"
#include "ui/screen.h"
#include "ui/source.h"

/* frame_draw - g has its size; v is what was drawn, owned by the caller, view_done(), and borrows from a and
 * w. */
void frame_draw(struct app *a, const struct world *w, uint64_t now_usec, struct grid *g, struct view *v);
/* frame_tick - how often what is shown changes by itself, 0: never. Seconds of an age wait for the next
 * sample where samples come: those wake us anyway. */
uint64_t frame_tick(const struct app *a, const struct grid *g, const struct view *v);
/* frame_want - tell the source what can be seen of it. */
void frame_want(const struct app *a, struct source *s, const struct grid *g, const struct view *v);
/* frame_monotonic - CLOCK_MONOTONIC in microseconds. */
uint64_t frame_monotonic(void);

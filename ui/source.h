/* source - where the world on the screen comes from: this host, by events. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "ui/world.h"

/* source_new - changed is called from the loop, at most once a turn, after the world changed. */
struct source;
typedef void source_changed_fn(void *arg);
int source_new(sd_event *loop, source_changed_fn *changed, void *arg, struct source **ret, struct err *e);
void source_free(struct source *s); /* NULL is fine */

/* source_world - borrowed until the loop runs again. NULL is fine: the world is empty then. */
const struct world *source_world(struct source *s);

/* source_want - after a frame: these machines are on the screen, and what they use is shown, sampled every
 * period_usec (0: it is not). Costs nothing when it is the same as before. */
void source_want(struct source *s, const struct machine *const *v, size_t n, uint64_t period_usec);

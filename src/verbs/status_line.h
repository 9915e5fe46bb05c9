/* status_line - `machdeck status --line`. */
#pragma once

#include <stdbool.h>

#include "verbs/verbs.h"

/* status_line_is_meant - whether the arguments of `status` ask for it. status_line - runs it. */
bool status_line_is_meant(int argc, char **argv);
verb_fn status_line;

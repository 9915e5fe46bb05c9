/* confoptions - every key of a conf as an option of a verb: --host-address is HOST_ADDRESS=; a list's may be repeated,
 * a switch's value may be left out. */
#pragma once

#include <getopt.h>

#include "decide/draft.h"

#define CONFOPTIONS_FIRST 1000 /* values from here on are ours */

/* confoptions_make - the verb's own options (ended by zeros) and those; the caller frees it. NULL: out of memory. */
struct option *confoptions_make(const struct option *own);
/* confoptions_take - what getopt_long() returned, when it is one of ours. */
void confoptions_take(int option, const char *value, struct draft *d);

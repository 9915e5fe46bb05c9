/* num - numbers from text, strictly: decimal digits only, no sign, no blanks, no leading zero. */
#pragma once

#include <stdint.h>

/* num_parse - text as a whole is a number in [low, high]. Returns 0, -EINVAL (not a number) or -ERANGE. */
int num_parse(const char *text, uint64_t low, uint64_t high, uint64_t *ret);

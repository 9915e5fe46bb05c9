/* spark - a history as a line of small bars. Pure.
 *
 *   ▁▂▃▄▅▆▇█   in UTF-8;   .:=#@   in ASCII;   a blank where there was no sample (NAN) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SPARK_MAX  256                 /* cells */
#define SPARK_SIZE (3 * SPARK_MAX + 1) /* bytes that always suffice */

/* spark_text - n samples, the newest last, as w cells (at most SPARK_MAX) into ret; the newest is at the
 * right end. More samples than cells: several make one, which shows the highest of them.
 *
 * taken   samples ever taken: by it the groups stay together while they move; 0 where that does not matter
 * top     the value of a full bar; 0 or NAN: the highest sample
 * returns the value of a full bar; NAN when there is no sample */
float spark_text(const float *v, size_t n, size_t taken, int w, float top, bool ascii,
                 char ret[static SPARK_SIZE]);

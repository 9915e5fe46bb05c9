#include "ui/spark.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"

/* The highest of v[from] up to v[to - 1]; NAN: none of them is known. */
static float highest(const float *v, size_t from, size_t to)
{
	float top = NAN;

	for (size_t i = from; i < to; i++)
		if (!isnan(v[i]) && !(v[i] <= top))
			top = v[i];
	return top;
}

static const char *bar(float value, float top, bool ascii)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const letters[] = { ".", ":", "=", "#", "@" };
	size_t levels = ascii ? COUNT(letters) : COUNT(blocks), level = 0;

	if (isnan(value))
		return " ";
	if (top > 0 && value > 0)
		level = value >= top ? levels - 1 : (size_t)(value / top * (float)levels);
	return ascii ? letters[level] : blocks[level];
}

float spark_text(const float *v, size_t n, size_t taken, int w, float top, bool ascii,
                 char ret[static SPARK_SIZE])
{
	size_t cells = w < 0 ? 0 : w < SPARK_MAX ? (size_t)w : SPARK_MAX;
	size_t per = cells > 0 ? (n + cells - 1) / cells : 1, newest, at = 0;

	if (per == 0)
		per = 1;
	newest = taken > 0 ? (taken - 1) % per + 1 : per; /* samples in the last cell */
	if (!(top > 0))
		top = highest(v, 0, n);
	for (size_t i = 0; i < cells; i++) {
		size_t after =
			(cells - 1 - i) * per; /* samples to the right, as if the last cell were full */
		size_t to = after > 0 ? after - per + newest : 0, from = after + newest;
		const char *b;

		b = bar(to < n ? highest(v, from < n ? n - from : 0, n - to) : NAN, top, ascii);
		memcpy(ret + at, b, strlen(b));
		at += strlen(b);
	}
	ret[at] = '\0';
	return top;
}

#include "words/stats.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct stats *)item)->name);
}

const struct stats *stats_find(const struct stats_table *t, const char *name)
{
	return t->n > 0 ? bsearch(name, t->v, t->n, sizeof(*t->v), by_name) : NULL;
}

void stats_table_done(struct stats_table *t)
{
	free(t->v);
	*t = (struct stats_table){ 0 };
}

#include "words/snapshot.h"

#include <stdlib.h>
#include <string.h>

void snapshot_done(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		machine_done(&s->v[i]);
	free(s->v);
	free(s->host);
	free(s->stale);
	*s = (struct snapshot){ 0 };
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct machine *)item)->name);
}

const struct machine *snapshot_find(const struct snapshot *s, const char *name)
{
	return s->n > 0 ? bsearch(name, s->v, s->n, sizeof(*s->v), by_name) : NULL;
}

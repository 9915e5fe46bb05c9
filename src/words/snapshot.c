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
	free(s->limits);
	*s = (struct snapshot){ 0 };
}

bool snapshot_copy(const struct snapshot *s, struct snapshot *ret)
{
	*ret = (struct snapshot){ .taken_usec = s->taken_usec,
		                  .host = s->host ? strdup(s->host) : NULL,
		                  .stale = s->stale ? strdup(s->stale) : NULL,
		                  .v = calloc(s->n + 1, sizeof(*ret->v)) };
	while (ret->v && ret->n < s->n && machine_copy(&s->v[ret->n], &ret->v[ret->n]))
		ret->n++;
	if (ret->v && ret->n == s->n && !ret->host == !s->host && !ret->stale == !s->stale)
		return true;
	snapshot_done(ret);
	return false;
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct machine *)item)->name);
}

const struct machine *snapshot_find(const struct snapshot *s, const char *name)
{
	return s->n > 0 ? bsearch(name, s->v, s->n, sizeof(*s->v), by_name) : NULL;
}

#include "words/firewall.h"

#include <stdlib.h>

void firewall_done(struct firewall *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].rules);
	free(f->v);
	for (size_t i = 0; i < f->n_sets; i++)
		free(f->sets[i].v);
	free(f->sets);
	*f = (struct firewall){ 0 };
}

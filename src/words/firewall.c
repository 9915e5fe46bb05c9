#include "words/firewall.h"

#include <stdlib.h>

void firewall_done(struct firewall *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].rules);
	free(f->v);
	*f = (struct firewall){ 0 };
}

#include "words/proctree.h"

#include <stdlib.h>

void proctree_done(struct proctree *t)
{
	for (size_t i = 0; i < t->n_groups; i++)
		free(t->groups[i].name);
	for (size_t i = 0; i < t->n_processes; i++)
		free(t->processes[i].command);
	free(t->groups);
	free(t->processes);
	*t = (struct proctree){ 0 };
}

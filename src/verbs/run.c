#include <string.h>

#include "drivers/enter.h"
#include "verbs/verbs.h"

int verb_run(const struct verb *v, int argc, char **argv)
{
	struct err e;
	int r;

	if (argc < 2)
		return verb_names(v, argc, argv, 1);
	if (argc < 4 || strcmp(argv[2], "--") != 0)
		return verb_usage(v, "the command is missing: it comes after --");
	r = verb_names(v, 2, argv, 1);
	if (r != STATUS_DONE)
		return r;
	r = enter_run(argv[1], argv + 3, -1, &e);
	return r < 0 ? verb_fail(&e) : r;
}

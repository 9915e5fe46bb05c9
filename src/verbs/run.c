#include <stdbool.h>
#include <string.h>

#include "drivers/enter.h"
#include "verbs/verbs.h"
#include "verbs/working.h"

/* With --snapshot its root is kept first. */
static int run(const struct verb *v, int argc, char **argv, bool keeps)
{
	struct err e;
	int r;

	if (argc < 4 || strcmp(argv[2], "--") != 0)
		return verb_usage(v, "the command is missing: it comes after --");
	r = verb_names(v, 2, argv, 1);
	if (r == STATUS_DONE && keeps)
		r = working_keep(argv[1], "run");
	if (r != STATUS_DONE)
		return r;
	r = enter_run(argv[1], argv + 3, -1, &e);
	return r < 0 ? verb_fail(&e) : r;
}

int verb_run(const struct verb *v, int argc, char **argv)
{
	bool keeps = argc > 1 && strcmp(argv[1], "--snapshot") == 0;

	argc -= keeps;
	argv += keeps;
	return argc < 2 ? verb_names(v, argc, argv, 1) : run(v, argc, argv, keeps);
}

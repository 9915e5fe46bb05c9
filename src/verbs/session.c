/* shell, login: a terminal in a machine. */
#include <stdio.h>
#include <string.h>

#include "engine/session.h"
#include "verbs/verbs.h"

static void say(const char *sentence)
{
	fprintf(stderr, "machdeck: %s\n", sentence);
}

int verb_session(const struct verb *v, int argc, char **argv)
{
	int r = verb_names(v, argc, argv, 1);
	struct err e;

	if (r != STATUS_DONE)
		return r;
	if (argc > 2)
		return verb_usage(v, "one machine at a time");
	r = strcmp(v->name, "login") == 0 ? session_login(argv[1], say, &e) : session_shell(argv[1], say, &e);
	return r < 0 ? verb_fail(&e) : r;
}

#include "engine/session.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "drivers/enter.h"
#include "drivers/machined.h"
#include "drivers/machined_ask.h"
#include "drivers/relay.h"

static int need_terminal(const char *name, struct err *e)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	return err_set(e, STATUS_USAGE, ENOTTY,
	               "%s: that needs a terminal; `machdeck run %s -- COMMAND` does not", name, name);
}

/* Joins our terminal to what systemd-machined opened, for as long as the machine runs. */
static int join(const char *name, enum machined_verb verb, int pty, struct err *e)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	CLEANUP(close_p) int leader = -1;
	int r;

	if (machined_find("", name, &m, NULL) >= 0 && m.leader > 0)
		leader = process_open(m.leader);
	r = relay_attach(pty, verb == MACHINED_LOGIN, leader, e);
	return r < 0 ? err_wrap(e, r, "%s", name) : 0;
}

static int by_machined(const char *name, enum machined_verb verb, session_say_fn *say, struct err *e)
{
	char sentence[160];
	int pty, r = machined_await(verb, name, NULL, &pty, e);

	if (r < 0)
		return r;
	(void)snprintf(sentence, sizeof(sentence), "%s: %s by systemd-machined; ^] three times leaves it",
	               name, verb == MACHINED_LOGIN ? "a login console" : "root's shell");
	say(sentence);
	return join(name, verb, pty, e);
}

static int by_entering(const char *name, char *const argv[], const char *what, session_say_fn *say,
                       struct err *e)
{
	char sentence[160];

	(void)snprintf(sentence, sizeof(sentence), "%s: %s; ^] three times leaves it", name, what);
	say(sentence);
	return enter_run(name, argv, -1, e);
}

int session_shell(const char *name, session_say_fn *say, struct err *e)
{
	char *const none[] = { NULL };
	int r = need_terminal(name, e);

	if (r < 0)
		return r;
	return geteuid() == 0 ? by_entering(name, none, "root's shell, entered as root", say, e)
	                      : by_machined(name, MACHINED_SHELL, say, e);
}

int session_login(const char *name, session_say_fn *say, struct err *e)
{
	char login[] = "login", *const argv[] = { login, NULL };
	int r = need_terminal(name, e);

	if (r < 0)
		return r;
	r = by_machined(name, MACHINED_LOGIN, say, e);
	if (r >= 0 || geteuid() != 0 || r == -ENOENT || r == -EPERM)
		return r;
	return by_entering(name, argv, "its login program, since systemd-machined could open no console", say,
	                   e);
}

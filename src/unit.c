/* machdeck-unit - the phases that are a part of each start and stop, as `machdeck unit` has them, without the
 * libraries for the bus and the screen: loading those takes longer than the work. For what needs them it
 * becomes machdeck. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/limitfile.h"
#include "engine/start.h"
#include "verbs/phases.h"
#include "words/name.h"

#define MACHDECK BINDIR "/machdeck"

static int become_machdeck(const char *phase, const char *name, struct err *e)
{
	(void)execl(MACHDECK, "machdeck", "unit", phase, name, (char *)NULL);
	return err_sys(e, errno, "cannot execute " MACHDECK);
}

/* Dropping a registration takes the bus, and so do limits that held until now. Nothing was changed yet that machdeck would not find done. */
static int clear(const struct phase_call *c, struct strs *warnings, struct err *e)
{
	bool stale;
	int r = start_look(c->name, &stale, e);

	(void)warnings;
	return r < 0 || !(stale || limitfile_left(c->name)) ? r : become_machdeck(c->phase, c->name, e);
}

static bool forgive(const char *name)
{
	(void)become_machdeck("start", name, NULL);
	return false;
}

int main(int argc, char **argv)
{
	const struct phase *p = argc == 3 && name_is_machine(argv[2]) ? phase_find(phases, argv[1]) : NULL;
	struct phase_call c = { .name = argv[argc - 1], .step = "unit", .clear = clear, .forgive = forgive };
	struct err e;

	(void)umask(022);
	if (p)
		return phase_run(p, &c);
	(void)become_machdeck(argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL, &e);
	phase_say(&c, 3, e.text);
	return (int)e.status;
}

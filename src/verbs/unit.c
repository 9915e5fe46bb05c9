/* unit - the phases that container@NAME.service and machdeck-net.service call.
 */
#include "base/cleanup.h"
#include "engine/limitfile.h"
#include "engine/reload.h"
#include "engine/settle.h"
#include "engine/start.h"
#include "engine/startlimit.h"
#include "engine/watch.h"
#include "verbs/phases.h"
#include "verbs/verbs.h"

static int clear(const struct phase_call *c, struct strs *warnings, struct err *e)
{
	struct err why;

	if (limitfile_drop(c->name) && settle_reread(NULL, &why) < 0)
		strs_addf(warnings, "limits that were to end with it are still there: %s", why.text);
	return start_clear(c->name, warnings, e);
}

static int phase_reload(struct phase_call *c, struct err *e)
{
	CLEANUP(strs_done) struct strs says = { 0 };
	int r = reload_run(c->name, &says, e);

	for (size_t i = 0; i < says.n; i++)
		phase_say(c, 5, says.v[i]);
	return r;
}

static int phase_watch(struct phase_call *c, struct err *e)
{
	(void)c;
	return watch_run(e);
}

/* Those that machdeck-unit has not. */
static const struct phase others[] = {
	{ "reload", phase_reload, false },
	{ "watch", phase_watch, true },
	{ 0 },
};

int verb_unit(const struct verb *v, int argc, char **argv)
{
	struct phase_call c = { .name = "all", .clear = clear, .forgive = startlimit_forgive };
	const struct phase *p = argc < 2 ? NULL : phase_find(phases, argv[1]);

	if (argc >= 2 && !p)
		p = phase_find(others, argv[1]);
	if (!p)
		return verb_usage(v, "no such phase");
	if (argc != (p->for_all ? 2 : 3))
		return verb_usage(v, p->for_all ? "it is for all machines" : "one machine's name, please");
	if (!p->for_all && verb_names(v, argc, argv, 2) != STATUS_DONE)
		return STATUS_USAGE;
	if (!p->for_all)
		c.name = argv[2];
	return phase_run(p, &c);
}

#include "engine/drift.h"

#include <errno.h>

#include "base/cleanup.h"
#include "engine/compared.h"

int drift_read(const struct snapshot *s, const char *name, const struct netmap *m,
               const struct unit_live *live, struct drift *ret, struct err *e)
{
	CLEANUP(compared_done) struct compared c = { 0 };
	const struct machine *machine = snapshot_find(s, name);
	int r;

	if (!machine)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s: neither configured nor running", name);
	if (!machine->registered)
		return err_set(e, STATUS_DOWN, ESRCH, "%s: does not run, so it starts as it is configured",
		               name);
	r = compared_read(name, &c, e);
	if (r == -ENOENT) {
		drift_decide(name, NULL, NULL, m, ret);
		return 0;
	}
	if (r < 0)
		return r;
	drift_decide(name, &c.was, &c.change, m, ret);
	if (live)
		drift_unit(&c.now.plan, live, ret);
	if (!ret->bad)
		return 0;
	drift_done(ret);
	return err_no_memory(e);
}

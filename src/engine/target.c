#include "engine/target.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/machined.h"
#include "engine/load.h"
#include "words/name.h"

static bool is_own_unit(const char *unit)
{
	const char *end = strrchr(unit, '.');

	if (!end || strncmp(unit, "user@", 5) == 0)
		return false;
	return strcmp(end, ".service") == 0 || strncmp(unit, "machine-", 8) == 0;
}

/* The unit of a machine that no conf describes, but which runs. */
static int find_foreign(const char *name, bool to_start, char **ret, struct err *e)
{
	struct registration m = { 0 };
	int r = machined_find("", name, &m, e);

	if (r < 0 || to_start)
		r = err_set(e, STATUS_NO_CONTAINER, ENOENT,
		            "%s: there is no container of that name (`machdeck list` shows all)", name);
	else if (!m.unit || !is_own_unit(m.unit))
		r = err_set(e, STATUS_BUSY, EBUSY,
		            "%s runs in %s, which is not its alone: end it where it was started", name,
		            m.unit ? m.unit : "no unit");
	else
		*ret = take_p(&m.unit);
	registration_done(&m);
	return r;
}

int target_find(const char *name, bool to_start, char **ret, struct err *e)
{
	struct loaded l = { 0 };
	char unit[NAME_UNIT_SIZE];
	int r;

	if (!name_is_machine(name))
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be a machine's name", name);
	r = load_container("", name, &l, e);
	loaded_done(&l);
	if (r == -ENOENT)
		return find_foreign(name, to_start, ret, e);
	/* A conf that we, not being root, may not read is the unit's business; a bad one does not hinder
	 * stopping. */
	if (r < 0 && r != -EACCES && to_start)
		return r;
	name_unit(name, unit);
	*ret = strdup(unit);
	return *ret ? 0 : err_no_memory(e);
}

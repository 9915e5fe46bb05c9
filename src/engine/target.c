#include "engine/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/machined.h"
#include "engine/load.h"
#include "words/name.h"

#define NSPAWN "systemd-nspawn@"

void target_done(struct target *t)
{
	free(t->unit);
	*t = (struct target){ 0 };
}

static int absent(const char *name, struct err *e)
{
	return err_set(e, STATUS_NO_CONTAINER, ENOENT,
	               "%s: there is no container of that name (`machdeck list` shows all)", name);
}

static void find_registered(struct registration *m, struct target *ret)
{
	ret->registered = true;
	ret->ghost = !machined_leader_lives(m);
	if (m->class && strcmp(m->class, "vm") == 0)
		ret->kind = MACHINE_VM;
	else if (m->unit && strncmp(m->unit, NSPAWN, strlen(NSPAWN)) == 0)
		ret->kind = MACHINE_NSPAWN;
	else
		ret->kind = MACHINE_OTHER;
	if (m->unit && name_unit_is_alone(m->unit))
		ret->unit = take_p(&m->unit);
}

static int find_image(const char *name, struct target *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs images = { 0 };
	char unit[NAME_UNIT_SIZE];
	int r = machined_images("", &images, e);

	if (r < 0)
		return r;
	if (!strs_has(&images, name))
		return absent(name, e);
	(void)snprintf(unit, sizeof(unit), NSPAWN "%s.service", name);
	ret->kind = MACHINE_NSPAWN;
	ret->unit = strdup(unit);
	return ret->unit ? 0 : err_no_memory(e);
}

static int find_foreign(const char *name, bool to_start, struct target *ret, struct err *e)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	int r = machined_find("", name, &m, e);

	if (r == -ENOENT)
		return find_image(name, ret, e);
	if (r < 0)
		return r;
	find_registered(&m, ret);
	if (!to_start || ret->kind == MACHINE_NSPAWN)
		return 0;
	target_done(ret);
	return absent(name, e);
}

/* A tree without a conf is a container, too, but not while its name is that of a machine or an image of somebody else. */
static int find_tree(const char *name, bool to_start, struct target *ret)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	char unit[NAME_UNIT_SIZE];

	name_unit(name, unit);
	if (machined_find("", name, &m, NULL) >= 0 && m.unit && strcmp(m.unit, unit) == 0)
		return -ENOENT;
	return find_foreign(name, to_start, ret, NULL);
}

int target_find(const char *name, bool to_start, struct target *ret, struct err *e)
{
	CLEANUP(registration_done) struct registration m = { 0 };
	struct target t = { .kind = MACHINE_CONTAINER };
	struct loaded l = { 0 };
	char unit[NAME_UNIT_SIZE];
	bool bare;
	int r;

	if (!name_is_machine(name))
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be a machine's name", name);
	r = load_container("", name, &l, e);
	bare = r == 0 && !l.conf_path;
	loaded_done(&l);
	/* A conf that we, not being root, may not read is the unit's business; a bad one does not hinder
	 * stopping. */
	if (r < 0 && r != -EACCES && r != -ENOENT && to_start)
		return r;
	if (r == -ENOENT) {
		r = find_foreign(name, to_start, &t, e);
		if (r < 0)
			return r;
	} else if (!bare || find_tree(name, to_start, &t) < 0) {
		name_unit(name, unit);
		t.unit = strdup(unit);
		t.registered = machined_find("", name, &m, NULL) >= 0;
		t.ghost = t.registered && !machined_leader_lives(&m);
		if (!t.unit)
			return err_no_memory(e);
	}
	*ret = t;
	return 0;
}

int target_look_at_conf(const char *name, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load_container("", name, &l, e);

	return r == -EACCES || r == -ENOENT ? 0 : r;
}

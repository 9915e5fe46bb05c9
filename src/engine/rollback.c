#include "engine/rollback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/hold.h"
#include "drivers/program.h"
#include "engine/load.h"
#include "engine/places.h"

#define SILENT_LIMIT_S 120
#define FOLDER_SIZE    (sizeof(PLACES_PROFILES) + NAME_MACHINE_MAX + 1)

static void folder_of(const char *name, char ret[static FOLDER_SIZE])
{
	(void)snprintf(ret, FOLDER_SIZE, PLACES_PROFILES "/%s", name);
}

static int read_profile(const char *name, struct profile *ret, struct err *e)
{
	char folder[FOLDER_SIZE];
	int r;

	folder_of(name, folder);
	r = profile_read("", folder, ret, e);
	return r == -ENOENT ? 0 : r;
}

int rollback_list(const char *name, struct profile *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load_container("", name, &l, e);

	return r < 0 ? r : read_profile(name, ret, e);
}

static int choose(const char *name, const struct profile *p, unsigned number, unsigned *ret, struct err *e)
{
	const struct generation *g = number ? profile_find(p, number) : profile_before(p);
	struct stat st;

	if (!g && number)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s has no generation %u (machdeck generations %s)", name, number, name);
	if (!g)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s has no generation before the current one",
		               name);
	if (stat(g->system, &st) < 0)
		return err_set(e, STATUS_NO_CONTAINER, errno,
		               "generation %u of %s leads to %s, which is not there any more", g->number,
		               name, g->system);
	*ret = g->number;
	return 0;
}

int rollback_choose(const char *name, unsigned number, unsigned *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	CLEANUP(profile_done) struct profile p = { 0 };
	int r = load_container("", name, &l, e);

	if (r < 0)
		return r;
	if (l.container.system_path)
		return err_set(
			e, STATUS_USAGE, EINVAL,
			"%s: SYSTEM_PATH= in its conf says what runs, not a generation (machdeck set %s "
			"SYSTEM_PATH=...)",
			name, name);
	r = read_profile(name, &p, e);
	return r < 0 ? r : choose(name, &p, number, ret, e);
}

static int switch_to(const char *name, unsigned number, const struct progress *progress, struct err *e)
{
	CLEANUP(strs_done) struct strs words = { 0 };
	const struct program program = { .argv = &words, .limit_s = SILENT_LIMIT_S };
	CLEANUP(free_p) char *nix_env = NULL;
	char folder[FOLDER_SIZE];
	int r = program_find("nix-env", &nix_env, e);

	folder_of(name, folder);
	if (r == -ENOENT)
		return profile_switch("", folder, number, e);
	strs_add(&words, "nix-env");
	strs_add(&words, "-p");
	strs_addf(&words, "%s/system", folder);
	strs_add(&words, "--switch-generation");
	strs_addf(&words, "%u", number);
	if (words.bad)
		return err_no_memory(e);
	return r < 0 ? r : program_run(&program, progress, e);
}

int rollback_container(const char *name, unsigned number, const struct progress *progress, unsigned *ret,
                       struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	struct places p;
	int r = gate_ask(e, "cannot roll %s back", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0)
		r = rollback_choose(name, number, ret, e);
	if (r == 0)
		r = switch_to(name, *ret, progress, e);
	return r < 0 ? err_wrap(e, r, "cannot roll %s back", name) : 0;
}

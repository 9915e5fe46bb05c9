#include "engine/limitfile.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "words/limits.h"
#include "words/name.h"

#define CONTROL "/run/systemd/system.control/"

/* "50-MemoryMax.conf", "50-MemoryMaxScale.conf": so systemd calls them. */
static bool is_limit(const char *leaf)
{
	for (int i = 0; i < LIMITS; i++) {
		const char *directive = limit_names[i].directive;

		if (strncmp(leaf, "50-", 3) == 0 && strncmp(leaf + 3, directive, strlen(directive)) == 0)
			return true;
	}
	return false;
}

static bool walk(const char *name, bool drop)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	char unit[NAME_UNIT_SIZE], path[sizeof(CONTROL) + NAME_UNIT_SIZE + 2];
	struct dirent *entry;
	bool found = false;

	name_unit(name, unit);
	(void)snprintf(path, sizeof(path), CONTROL "%s.d", unit);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (!is_limit(entry->d_name))
			continue;
		found = true;
		if (drop)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	}
	if (found && drop)
		(void)rmdir(path); /* holds what others set */
	return found;
}

bool limitfile_left(const char *name)
{
	return walk(name, false);
}

bool limitfile_drop(const char *name)
{
	return gate_ask(NULL, "%s: cannot drop its limits", name) == 0 && walk(name, true);
}

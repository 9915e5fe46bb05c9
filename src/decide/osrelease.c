#include "decide/osrelease.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "decide/envfile.h"

bool osrelease_name(const char *text, size_t len, char ret[static OSRELEASE_NAME])
{
	CLEANUP(envfile_done) struct envfile f = { 0 };
	const struct env_entry *name;

	if (envfile_parse("os-release", text, len, &f, NULL) < 0)
		return false;
	name = envfile_find(&f, "PRETTY_NAME");
	if (!name || !*name->value)
		name = envfile_find(&f, "NAME");
	return name && text_printable(ret, OSRELEASE_NAME, name->value, strlen(name->value)) > 0;
}

#include <string.h>

#include "decide/why.h"

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

const char *why_guest_says(const char *status_text)
{
	static const char start[] = "Container running: ";

	return status_text && starts(status_text, start) ? status_text + strlen(start) : NULL;
}

bool why_guest_ended(const struct why_facts *f)
{
	for (size_t i = 0; f->lines && i < f->lines->n; i++) {
		const struct logline *l = &f->lines->v[i];

		if (!l->from_systemd && starts(l->text, "Container ") &&
		    strstr(l->text, " failed with error code "))
			return true;
	}
	return false;
}

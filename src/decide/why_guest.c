#include "decide/why_guest.h"

#include <stdio.h>
#include <string.h>

#define UNDONE "machdeck: "

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

bool why_guest_waits(const struct why_facts *f)
{
	return f->state == MACHINE_STARTING && why_guest_says(f->status_text);
}

void why_say_guest_waits(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	(void)snprintf(ret, WHY_SIZE, "guest says: %s", why_guest_says(f->status_text));
}

bool why_is_undone(const struct why_facts *f)
{
	return f->state == MACHINE_STARTING && f->status_text && starts(f->status_text, UNDONE);
}

void why_say_undone(const struct why_facts *f, const char *line, char *ret)
{
	(void)line;
	(void)snprintf(ret, WHY_SIZE, "%s; it is being stopped", f->status_text + strlen(UNDONE));
}

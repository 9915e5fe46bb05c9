#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void progress_say(const struct progress *p, const char *format, ...)
{
	char text[PROGRESS_TEXT_MAX], shown[PROGRESS_TEXT_MAX];
	va_list ap;

	if (!p || !p->say)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_printable(shown, sizeof(shown), text, strlen(text));
	p->say(shown, p->arg);
}

bool progress_stopped(const struct progress *p)
{
	return p && p->stopped && p->stopped(p->arg);
}

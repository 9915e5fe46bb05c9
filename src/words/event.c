#include "words/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

void events_done(struct events *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].text);
	free(e->v);
	*e = (struct events){ 0 };
}

__attribute__((format(printf, 1, 0))) static char *printable(const char *format, va_list ap)
{
	char raw[ERR_TEXT_MAX], shown[ERR_TEXT_MAX];

	(void)vsnprintf(raw, sizeof(raw), format, ap);
	text_printable(shown, sizeof(shown), raw, strlen(raw));
	return strdup(shown);
}

void events_add(struct events *e, uint64_t usec, const char *name, enum event_kind kind, bool bad,
                const char *format, ...)
{
	struct event *grown = e->bad ? NULL : reallocarray(e->v, e->n + 1, sizeof(*grown));
	struct event made = { .usec = usec, .kind = kind, .bad = bad };
	va_list ap;

	if (!grown) {
		e->bad = true;
		return;
	}
	e->v = grown;
	(void)snprintf(made.name, sizeof(made.name), "%s", name);
	va_start(ap, format);
	made.text = printable(format, ap);
	va_end(ap);
	if (made.text)
		e->v[e->n++] = made;
	else
		e->bad = true;
}

const char *event_kind_word(enum event_kind k)
{
	switch (k) {
	case EVENT_STATE:
		return "state";
	case EVENT_UNIT:
		return "unit";
	case EVENT_ADDRESS:
		return "address";
	case EVENT_PORT:
		return "port";
	case EVENT_LINK:
		return "link";
	case EVENT_OOM:
		return "oom";
	case EVENT_CONF:
		return "conf";
	}
	return "unit";
}

#include "base/gate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static struct {
	bool closed, sealed;
	char reason[GATE_REASON_MAX];
} gate;

static void shut(const char *reason)
{
	gate.closed = true;
	(void)snprintf(gate.reason, sizeof(gate.reason), "%s", reason);
}

void gate_close(const char *reason)
{
	if (!gate.sealed)
		shut(reason);
}

void gate_open(void)
{
	if (gate.sealed)
		return;
	gate.closed = false;
	gate.reason[0] = '\0';
}

void gate_seal(const char *reason)
{
	if (!gate.sealed)
		shut(reason);
	gate.sealed = true;
}

bool gate_is_open(void)
{
	return !gate.closed;
}

bool gate_is_sealed(void)
{
	return gate.sealed;
}

const char *gate_reason(void)
{
	return gate.reason;
}

int gate_ask(struct err *e, const char *format, ...)
{
	char what[ERR_TEXT_MAX];
	va_list args;

	if (!gate.closed)
		return 0;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(e, STATUS_NOT_PERMITTED, EPERM, "%s: read-only: %s", what, gate.reason);
}

/* gate - the one gate before all that changes something on the system. Every function that changes asks it
 * first; a closed one makes it fail before anything was touched, whatever a screen or a script wanted.
 *
 * It is open when a process starts. One a process; not for several threads. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define GATE_REASON_MAX 160

/* gate_close - from now on nothing changes; reason is a printable half sentence: "you started it with
 * --read-only". gate_open - undoes that; does nothing once it is sealed. gate_seal - closes it for good:
 * nothing in this process opens it again. */
void gate_close(const char *reason);
void gate_open(void);
void gate_seal(const char *reason);

bool gate_is_open(void);
bool gate_is_sealed(void);
/* gate_reason - why it is closed; "" while it is open. */
const char *gate_reason(void);

/* gate_ask - whether what FORMAT names ("cannot start container@web.service") may be done.
 * returns 0, or -EPERM STATUS_NOT_PERMITTED "FORMAT: read-only: REASON" */
int gate_ask(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* osrelease - how a system calls itself (os-release(5)). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OSRELEASE_FILE_MAX 65536 /* bytes that are looked at */
#define OSRELEASE_NAME     100   /* bytes of a name as it is shown, NUL included */

/* osrelease_name - PRETTY_NAME, else NAME, printable. False: neither is there, or the text is none that can
 * be read. */
bool osrelease_name(const char *text, size_t len, char ret[static OSRELEASE_NAME]);

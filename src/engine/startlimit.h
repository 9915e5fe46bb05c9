/* startlimit - systemd refuses a unit's sixth start within 10 s, whatever ended the earlier ones. Here only ends of
 * the container's own making count: one that was killed from outside, stopped or rebooted may start again at once. */
#pragma once

#include <stdbool.h>

/* startlimit_begin - a start begins, startlimit_end - NAME's unit has ended, of which systemd.exec(5) tells in
 * SERVICE_RESULT: where it is time, systemd is told to forget the starts so far (a question of at most 1 s). Both do
 * nothing when it was not systemd that started us, and do not fail: then it is systemd's own limit that holds. */
void startlimit_begin(const char *name, bool (*forgive)(const char *name));
void startlimit_end(const char *name);

/* startlimit_forget - remove what is known of a name that no container has any more. */
void startlimit_forget(const char *name);

/* startlimit_forgive - tell systemd (forgive.c); whether it took it. What startlimit_begin is to call. */
bool startlimit_forgive(const char *name);

/* loginshell - become a command as root's login shell would start it. Runs inside of a machine, whose files
 * are foreign: nothing is done with them that its own root could not do. */
#pragma once

#include <stdbool.h>

/* loginshell_exec - with root's home, shell and profile, and an environment from nothing (TERM with a
 * terminal). Without a usable shell the command is executed itself. Comes back only with the negative errno
 * of a failure. */
int loginshell_exec(char *const argv[], bool terminal);

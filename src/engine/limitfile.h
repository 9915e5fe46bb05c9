/* limitfile - limits that hold until a container stops: systemd keeps them in /run, and forgets them at the next boot
 * only. Here is what takes no bus. */
#pragma once

#include <stdbool.h>

/* limitfile_left - whether container@NAME.service has such limits. limitfile_drop - takes their files away; systemd
 * notices when it reads its units anew. True: there were some. */
bool limitfile_left(const char *name);
bool limitfile_drop(const char *name);

/* restore - gives the terminal back however the program ends: at a signal, in a crash, when nothing moves any
 * more.
 *
 * What runs in handlers only writes bytes that were prepared before; it never waits, so that a terminal that
 * stopped reading can not hold it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#define RESTORE_BYTES_MAX     512 /* enough for all modes; term_open() refuses more */
#define RESTORE_WATCHDOG_MSEC 1500

/* restore_arm - from now on: bytes and settings bring fd back to what it was. Signals that end the program
 * (TERM, HUP, INT, QUIT) are only noted, and make wake_fd (an eventfd) readable; if the program has not ended
 * RESTORE_WATCHDOG_MSEC later it is ended. Signals of a crash restore, say one line, and take their course.
 */
void restore_arm(int fd, const struct termios *before, const char *bytes, size_t len, int wake_fd);
/* restore_disarm - nothing is to be given back any more; the watchdog goes on, if it runs. */
void restore_disarm(void);
/* restore_is_background - whether another job of this terminal's session has it now: then it is not ours to
 * set, and trying would stop us (SIGTTOU). */
bool restore_is_background(int fd);
/* restore_signal - the signal that asks the program to end, 0: none. */
int restore_signal(void);

/* session - a person's terminal in a machine. These wait, and take the terminal of the process that calls:
 * they are for a verb, or for a child that the dashboard lends the terminal. */
#pragma once

#include "base/err.h"

/* Told once before the terminal is taken: which way was found, and how it is left. */
typedef void session_say_fn(const char *sentence);

/* session_shell - root's login shell in it: as root by entering it, else by systemd-machined, where polkit
 * may ask a person to authenticate (org.freedesktop.machine1.shell). ^] three times within a second leaves.
 *
 * returns  its exit status (0 where that is not told), or negative errno
 * errors   -ENOTTY STATUS_USAGE stdin and stdout are no terminal; -ENOENT STATUS_NO_CONTAINER not running;
 *          -EPERM, -EACCES STATUS_NOT_PERMITTED the gate is closed; polkit says no; ... */
int session_shell(const char *name, session_say_fn *say, struct err *e);

/* session_login - a login console: a getty of the guest's own systemd, opened by systemd-machined
 * (org.freedesktop.machine1.login); as root, where that can not be, login(1) of the guest by entering it.
 * errors  as session_shell() */
int session_login(const char *name, session_say_fn *say, struct err *e);

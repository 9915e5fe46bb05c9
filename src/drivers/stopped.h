/* stopped - which of the daemons that tell us things stands still: systemd, systemd-machined, the bus, the journal. One
 * that is stopped (SIGSTOP, a debugger) says nothing, no connection to it breaks, and there is no event for it, so
 * it has to be looked for; and so has the bus that is gone, since root asks systemd without it. */
#pragma once

/* stopped_daemon - a sentence about the first that is; NULL: none, or /proc hides it. The caller frees.
 *
 * host_root  "" but in tests
 * cost       some 15 files of a line, opened and closed: 0.1 ms
 * source     proc(5), /proc/PID/stat: T and t; a service is found by its cgroup in system.slice */
char *stopped_daemon(const char *host_root);

/* readiness - systemd-nspawn's word that its container is up (READY=1, sd_notify(3)), held back until the host has
 * done its part.
 *
 * An ExecStartPost= would do the same, but systemd moves each process that it starts into a cgroup, which up to
 * systemd 254 waits for a grace period of the kernel's RCU: 6 to 14 ms more until the container counts as started. A fork of
 * the process that becomes systemd-nspawn is born where it belongs (cgroup_fork_beside()). It takes the place of the manager's
 * socket, and passes on what systemd-nspawn says, as systemd-nspawn, which NotifyAccess=main asks for; that takes root.
 *
 * Until readiness_pass() the container depends on the fork: when that ends, however it comes to that, the kernel kills
 * systemd-nspawn (F_SETSIG of fcntl(2)), and with it the container. A SIGTERM would not do: systemd-nspawn passes it on once,
 * and a guest that hears nothing yet would go on, ready for nobody to know. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define READINESS_MESSAGE 4096 /* systemd reads no more */

struct readiness {
	int dir; /* where our socket is, and the link that takes its place */
	int socket;
	int alarm[2];                        /* a pair: the end of one is a signal from the other */
	pid_t main;                          /* what becomes systemd-nspawn */
	int main_fd;                         /* a pidfd of it */
	bool stopping;                       /* what is said is no longer passed on */
	char message[READINESS_MESSAGE + 1]; /* the one that is kept */
};

/* readiness_fork - fork, with our socket `notify` in the folder of that path and NOTIFY_SOCKET naming it.
 *
 * returns 0 in what goes on to become systemd-nspawn, 1 in the fork. When NOTIFY_SOCKET names no socket in the file system
 *         nobody waits to be told: 0 without a fork.
 *         *ret belongs to the fork; its descriptors are CLOEXEC and go with the process
 * errors  the system's */
int readiness_fork(const char *path, struct readiness *ret, struct err *e);

/* readiness_wait - in the fork: pass on what is said until it is READY=1, which is kept.
 *
 * errors  -ESRCH: systemd-nspawn has ended;  the system's */
int readiness_wait(struct readiness *r, struct err *e);

/* readiness_wait_for - in the fork, after that: pass on what is said until fd is readable. Who would not read would have
 * systemd-nspawn wait, deaf to signals, as soon as the socket is full. errors as readiness_wait() */
int readiness_wait_for(struct readiness *r, int fd, struct err *e);

/* readiness_stop - in the fork, instead: have the container stopped, and wait until it is. Its status text says why
 * meanwhile, in place of what the guest says. */
void readiness_stop(struct readiness *r, const char *why);

/* readiness_pass - in the fork: pass READY=1 on, and have systemd-nspawn talk to the manager itself from now on. */
int readiness_pass(struct readiness *r, struct err *e);

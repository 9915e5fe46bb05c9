/* prepare - all that must be on the disk before systemd-nspawn is executed: the container's tree, checked and
 * furnished, and what is bound into it. */
#pragma once

#include "base/err.h"
#include "base/strs.h"
#include "decide/plan.h"
#include "words/container.h"

/* prepare_root - look whether the tree and the bind sources are fit for a start, then carry out p->prepare
 * (ST-1 to ST-6). Nothing is made before everything was looked at; nothing outside the tree is ever changed
 * but the folders that the plan names.
 *
 * warnings  one sentence each for what is left out or likely a surprise
 * errors    STATUS_NO_CONTAINER  a tree or a bind source is missing
 *           STATUS_UNSAFE_TREE, STATUS_CANNOT_CREATE, STATUS_BUSY, STATUS_UNSAFE_HOST: drivers/rootfs.h
 *           STATUS_DATA, STATUS_CANNOT_CREATE: the host's resolv.conf is larger than 64 KiB, missing */
int prepare_root(const struct container *c, const struct plan *p, struct strs *warnings, struct err *e);

/* prepare_wait_ready - 2014 only: wait until the guest has written to its FIFO, or the process of pidfd (-1: none)
 * has ended (-ECANCELED). The unit's TimeoutStartSec= ends it before this does, with -ETIMEDOUT after ten minutes. */
int prepare_wait_ready(const struct container *c, const struct plan *p, int pidfd, struct err *e);

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

/* prepare_open_ready - 2014 only: the FIFO that the guest writes to when it is ready; *ret_fd becomes readable then.
 * prepare_was_ready - and so it goes. */
int prepare_open_ready(const struct container *c, const struct plan *p, int *ret_fd, struct err *e);
int prepare_was_ready(const struct container *c, const struct plan *p, struct err *e);

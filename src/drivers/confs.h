/* confs - the conf files on the host: which there are, and reading one safely. The only door to them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

/* confs_list - the names of all containers with a conf below host_root ("" for the host itself) in
 * /etc/nixos-containers and /etc/containers, sorted, each once. Podman's files and those that hold no key of
 * ours are left out, as are names that no machine can have. A missing folder is an empty one. */
int confs_list(const char *host_root, struct strs *ret, struct err *e);

struct conf_file {
	char *path;      /* as opened, for messages; owned */
	char *leads_to;  /* it is a link, so declared elsewhere: where that leads; owned, foreign; NULL */
	bool nixos_dirs; /* from /etc/nixos-containers */
	struct buf text;
	uint64_t mtime_usec; /* CLOCK_REALTIME */
};

/* confs_load - read NAME's conf whole, once, after looking whether it is safe to use.
 *
 * Every folder above it and the file (or what it links to) must be root's and nobody else's to write (unless
 * host_root is not ""); a regular file of at most CONF_SIZE_MAX bytes.
 * errors  -ENOENT  STATUS_NO_CONTAINER: there is none;  -ELOOP the same status: a link that leads nowhere
 *         -EPERM   STATUS_UNSAFE_HOST: owner or mode, says which
 *         -EINVAL, -EFBIG STATUS_DATA: not a regular file, too large;  -EACCES STATUS_NOT_PERMITTED */
int confs_load(const char *host_root, const char *name, struct conf_file *ret, struct err *e);
void conf_file_done(struct conf_file *f);

/* machined - the machines that systemd-machined registered, read from its state files: no bus, no call a
 * machine, so it works where the bus is exhausted or dead and systemd-machined hangs (M6, M16, M23). What
 * asks it for something is in machined_ask. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strs.h"
#include "words/name.h"

/* Where its state files are: what changes there is told by drivers/folder. */
#define MACHINED_FOLDER "/run/systemd/machines"

#define MACHINED_MAX 10000 /* machines we are willing to hold; the rest is not looked at */

struct registration {
	char name[NAME_MACHINE_MAX + 1]; /* obeys name_is_machine() */
	char *class;   /* "container" or "vm"; all texts here are foreign text, NULL when not told */
	char *service; /* who registered it: "systemd-nspawn", "libvirt-qemu" */
	char *unit;    /* "container@web.service", "machine-web.scope" */
	char *root;
	char *id;            /* its machine-id(5), 32 hex digits */
	pid_t leader;        /* host's pid of the guest's PID 1; 0: not told */
	uint64_t since_usec; /* CLOCK_REALTIME of the registration; 0: not told */
	int *links; /* ifindexes on the host: ve-NAME, but the bridge where there is one (facts 1.3) */
	size_t n_links;
	uint64_t inode; /* of its file, a new one at each change (/run is a tmpfs, which reuses none) */
};

struct registrations {
	struct registration *v; /* sorted by name */
	size_t n;
	bool cut; /* there were more than MACHINED_MAX */
};

void registration_done(struct registration *m);
void registrations_done(struct registrations *l);

/* machined_list - all registered machines, without the host itself. host_root "" is the running system. A
 * file that vanishes meanwhile, or is not one of systemd-machined's, is left out. No folder: no machines.
 * errors  -EACCES..., -ENOMEM; ret is untouched then. */
int machined_list(const char *host_root, struct registrations *ret, struct err *e);

/* machined_refresh - bring a list up to date, reading only the files that changed. After a failure it is
 * as it was. */
int machined_refresh(const char *host_root, struct registrations *l, struct err *e);

/* machined_find - one of them; -ENOENT (STATUS_NO_CONTAINER, "NAME is not running") when it is not
 * registered. */
int machined_find(const char *host_root, const char *name, struct registration *ret, struct err *e);

/* machined_leader_lives - whether its leader is a process of its unit: a recycled pid is not. A registration
 * whose leader is dead is a ghost: its name stays taken (facts 1.6). True when the leader is not known. */
bool machined_leader_lives(const struct registration *m);

/* machined_is_in - whether we are a process of that unit. */
bool machined_is_in(const char *unit);

/* machined_cgroups - where its unit lives, "/machine.slice/container@web.service", and, when its first
 * process is a systemd, the folder in which that one's services come and go. The caller frees both; NULL: not
 * known, or none. */
void machined_cgroups(const struct registration *m, char **ret_unit, char **ret_services);

/* machined_images - the names of the trees and images in /var/lib/machines, which systemd-nspawn@NAME.service
 * would start, sorted. No folder, or one that may not be read: none. */
int machined_images(const char *host_root, struct strs *ret, struct err *e);

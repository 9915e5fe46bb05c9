/* merge - what the sources said, made one snapshot of: the rules of which word stands for a machine. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strs.h"
#include "drivers/machined.h"
#include "engine/observe.h"
#include "words/machine.h"

struct conf_seen { /* one NAME.conf */
	char *name;
	bool nixos_dirs;    /* from /etc/nixos-containers, so its root is in /var/lib/nixos-containers */
	struct buf text;    /* as it was read; empty when it could not be */
	char *overlay_over; /* over whose root its own is an overlay; NULL: it is none, or that is not known */
	char *leads_to;     /* it is a link, so declared elsewhere: foreign; NULL */
	char *problem;      /* why it can not be used; NULL: it can */
	bool unread;        /* because this user may not read it: it may be a good one */
	struct strs addresses, ports;
	bool auto_start;
	bool root_is_hosts;
};

struct unit_seen { /* one loaded unit */
	char *name;
	enum machine_state state;
	uint64_t since_usec; /* 0: not known */
	uint32_t n_restarts; /* by systemd itself; as is failed, as far as was asked */
	bool failed;         /* its result is not success */
	char *reason;        /* NULL: none, or not known yet */
	const char *cause;   /* the reason's; static */
	uint64_t told;       /* how often systemd said anything of it */
	uint64_t words;      /* tells one status text from another; 0: none was heard */
};

struct net_seen {       /* what a registered machine has inside; [i] belongs to the i-th registration */
	uint64_t inode; /* of that registration */
	bool stale;
	struct strs addresses;
	bool seen;   /* else the system would not tell */
	bool denied; /* for want of a right */
	int netnsid; /* by which its events come; -1: none */
	bool leader_dead;
	char *cgroup;       /* of its unit; NULL: not known */
	char *services;     /* the folder of the guest's services (machined_cgroups); NULL: its payload is no
	                       systemd */
	struct strs failed; /* units that failed in it */
};

struct tree_seen { /* what can be read in a tree without starting it */
	char *name;
	char *root;
	uint64_t inode; /* of the registration that it was read at; 0: it did not run */
	bool stale;
	char *os; /* PRETTY_NAME of its os-release, printable; NULL: not known */
};

struct sources {
	struct conf_seen *confs; /* sorted by name, each once */
	size_t n_confs;
	struct registrations machines;
	struct net_seen *net;    /* machines.n of them */
	struct unit_seen *units; /* sorted by name */
	size_t n_units;
	bool units_known; /* else systemd can not be asked now, and units is empty or old */
	bool units_were_known;
	struct strs images;      /* sorted: trees and images in /var/lib/machines */
	struct strs masked;      /* units of ours that somebody masked */
	struct tree_seen *trees; /* sorted by name: of confs, images and registered machines */
	size_t n_trees;
	bool net_denied; /* the kernel does not let us look into the network of one of them */
};

struct conf_seen *sources_conf(const struct sources *s, const char *name);
struct unit_seen *sources_unit(const struct sources *s, const char *unit);
struct tree_seen *sources_tree(const struct sources *s, const char *name);

/* merge - ret->v sorted by name: every conf, every registered machine, every unit that is not merely stopped,
 * every image. Fills v, n only. -ENOMEM */
int merge(const struct sources *s, struct snapshot *ret, struct err *e);

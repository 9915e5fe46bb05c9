/* form - a conf as rows to edit: groups, fields, and the items of lists, each with its help. Pure: what is typed goes in,
 * the next text of the conf comes out; nothing is written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "words/name.h"

/* What a field's value can be completed with, from the live host. */
enum form_choice {
	CHOICE_NONE,
	CHOICE_BOOL,
	CHOICE_BRIDGE,
	CHOICE_LINK,
	CHOICE_HOST_ADDRESS,
	CHOICE_LOCAL_ADDRESS,
	CHOICE_HOST_ADDRESS6,
	CHOICE_LOCAL_ADDRESS6,
	CHOICE_PORT,
	CHOICE_VETH,
	CHOICE_CAPABILITY,
	CHOICE_DEVICE,
	CHOICE_USERS,
	CHOICE_RELEASE,
	CHOICE_TMPFS,
	CHOICE_STORE, /* these three become paths of the host, when one is typed */
	CHOICE_NETNS,
	CHOICE_FLAG,
	CHOICE_PATH, /* of no field: what is in the folder that is typed */
	CHOICE_COUNT
};

/* Key, group, choices, what it does. */
#define FORM_FIELDS(X)                                                                                       \
	X("AUTO_START", "system", CHOICE_BOOL, "1: start it at boot (machines.target wants its unit)")       \
	X("EPHEMERAL", "system", CHOICE_BOOL,                                                                \
	  "1: nothing it writes outlasts it (nspawn: an overlay on its root)")                               \
	X("TIMEOUT_START_SEC", "system", CHOICE_NONE,                                                        \
	  "how long a start may take: 90, 5min (the unit's TimeoutStartSec)")                                \
	X("INIT", "system", CHOICE_NONE, "what nspawn starts in its tree, a path there; else /sbin/init")    \
	X("SYSTEM_PATH", "system", CHOICE_STORE,                                                             \
	  "the NixOS system to run, a path in the store: nspawn starts its init")                            \
	X("FLAKE", "system", CHOICE_NONE, "what update builds that system of; nothing for nspawn")           \
	X("RELEASE", "system", CHOICE_RELEASE,                                                               \
	  "which year's module its nspawn arguments and its unit are like")                                  \
	X("PRIVATE_NETWORK", "network", CHOICE_BOOL, "1: links of its own (nspawn --private-network)")       \
	X("HOST_ADDRESS", "network", CHOICE_HOST_ADDRESS,                                                    \
	  "the host's end of ve-NAME (ip addr add); its gateway")                                            \
	X("LOCAL_ADDRESS", "network", CHOICE_LOCAL_ADDRESS,                                                  \
	  "its address on eth0 (ip addr add); with a prefix only on a bridge")                               \
	X("HOST_ADDRESS6", "network", CHOICE_HOST_ADDRESS6,                                                  \
	  "the host's end again, of IPv6 (ip -6 addr add); its gateway")                                     \
	X("LOCAL_ADDRESS6", "network", CHOICE_LOCAL_ADDRESS6,                                                \
	  "its IPv6 address on eth0 (ip -6 addr add); with a prefix on a bridge")                            \
	X("HOST_BRIDGE", "network", CHOICE_BRIDGE,                                                           \
	  "vb-NAME becomes a port of this bridge (nspawn --network-bridge)")                                 \
	X("LOCAL_MAC_ADDRESS", "network", CHOICE_NONE,                                                       \
	  "hardware address of eth0 (ip link set eth0 address)")                                             \
	X("MASQUERADE", "network", CHOICE_BOOL,                                                              \
	  "1: a way out behind the host's address (nftables), and ip_forward")                               \
	X("COPY_RESOLV_CONF", "network", CHOICE_BOOL,                                                        \
	  "0: its resolv.conf stays; else nspawn starts with a copy of the host's")                          \
	X("NETWORK_NAMESPACE_PATH", "network", CHOICE_NETNS,                                                 \
	  "join this network namespace (nspawn --network-namespace-path)")                                   \
	X("HOST_PORT", "forwarded ports", CHOICE_PORT,                                                       \
	  "tcp:8080:80: the host's port, the one inside (nspawn --port)")                                    \
	X("EXTRA_VETHS", "more links", CHOICE_VETH,                                                          \
	  "vx1,hostBridge=br0 or with addresses (nspawn --network-veth-extra)")                              \
	X("INTERFACES", "more links", CHOICE_LINK,                                                           \
	  "a link of the host, moved into it (nspawn --network-interface)")                                  \
	X("MACVLANS", "more links", CHOICE_LINK,                                                             \
	  "a link of the host; it gets mv-LINK on it (nspawn --network-macvlan)")                            \
	X("PRIVATE_USERS", "rights", CHOICE_USERS,                                                           \
	  "pick: its root is nobody on the host (nspawn --private-users)")                                   \
	X("ADDITIONAL_CAPABILITIES", "rights", CHOICE_CAPABILITY, "a capability more (nspawn --capability)") \
	X("ALLOWED_DEVICES", "rights", CHOICE_DEVICE, "/dev/fuse:rwm (the unit's DeviceAllow)")              \
	X("ENABLE_TUN", "rights", CHOICE_BOOL,                                                               \
	  "1: it can make tunnels: /dev/net/tun (the unit's DeviceAllow, nspawn --capability)")              \
	X("MEMORY_MAX", "limits", CHOICE_NONE, "the most memory: 512M, 2G (the unit's MemoryMax)")           \
	X("CPU_QUOTA", "limits", CHOICE_NONE,                                                                \
	  "processor: 150% is one and a half cores (the unit's CPUQuota)")                                   \
	X("TASKS_MAX", "limits", CHOICE_NONE, "processes and threads: 500 (the unit's TasksMax)")            \
	X("IO_WEIGHT", "limits", CHOICE_NONE,                                                                \
	  "its share of the disks, 1 to 10000, usual is 100 (the unit's IOWeight)")                          \
	X("EXTRA_NSPAWN_FLAGS", "binds and flags", CHOICE_FLAG,                                              \
	  "--bind=/host/path:/inside, --bind-ro=...; any flag of nspawn")                                    \
	X("TMPFS", "binds and flags", CHOICE_TMPFS, "/tmp:size=64m: a folder in memory (nspawn --tmpfs)")

enum form_row_kind { FORM_GROUP, FORM_FIELD, FORM_ITEM, FORM_ADD };

struct form_row {
	enum form_row_kind kind;
	size_t field;      /* of the table; of a GROUP that of its first field */
	size_t item;       /* ITEM: which */
	const char *value; /* FIELD, ITEM: borrowed from the form's text of this moment; NULL: not set */
};

struct form {
	bool open;
	char name[NAME_MACHINE_MAX + 1];
	struct buf base, text; /* the conf as it was read; as it is typed */
	struct strs choices[CHOICE_COUNT];
	char *within; /* what all of CHOICE_PATH begin with, up to a '/'; NULL: none were read */
	char problem[ERR_TEXT_MAX]; /* what speaks against the text as it is; "": nothing */
	char odd[ERR_TEXT_MAX]; /* what it can be saved with, but hardly meant with (edit_fit); "": nothing */
	size_t field, item; /* what is being typed; item: which of a list, or how many there are: a new one */
	bool previews;      /* what would be saved, or its plan, is shown */
	size_t row;         /* which was marked before that */
	char held
		[80]; /* who edits it, "PID 12 (root, since 10:03)", so that it is only looked at; "": it is ours */
	bool freed;          /* nobody does any more: it can be had */
	bool saving;         /* and nothing is typed meanwhile */
	struct buf theirs;   /* the conf as others made it meanwhile */
	struct strs clashes; /* keys that both changed: key, what it was, theirs, ours, and so on */
};

/* form_open - takes the text; form_close - also takes a zeroed one. */
void form_open(struct form *f, const char *name, const struct buf *text);
void form_close(struct form *f);
bool form_is_dirty(const struct form *f);
/* form_hold - another process edits it: it is only looked at. form_reread - what there is to look at is text. */
void form_hold(struct form *f, int pid, const char *login, const char *since);
void form_reread(struct form *f, const struct buf *text);
/* form_why_not - why nothing can be changed in it: ret, and true. */
bool form_why_not(const struct form *f, char ret[static ERR_TEXT_MAX]);

/* form_clash - others saved theirs meanwhile; f->clashes is empty when all of it goes together. form_settle - the form goes on
 * from theirs, with what is typed, or but for the clashes. errors  as conf_merge() */
int form_clash(struct form *f, const struct buf *theirs, struct err *e);
int form_settle(struct form *f, bool ours, struct err *e);

struct form_rows {
	struct form_row *v;
	size_t n;
	struct strs pool;
};
/* form_rows - what is to be shown now; ret owned, form_rows_done(). */
void form_rows(const struct form *f, struct form_rows *ret);
void form_rows_done(struct form_rows *r);

const char *form_key(size_t field);
const char *form_help(size_t field);
const char *form_group(size_t field);

/* form_with - append the text of the conf with value in that place; "" or NULL takes it out. errors: -EINVAL and as conf_edit() */
int form_with(const struct form *f, size_t field, size_t item, const char *value, struct buf *ret,
              struct err *e);

/* form_try - whether value would be taken there, by the grammar of a conf and as it fits the rest of it: 0, or
 * -EINVAL and e says why. form_set - take it; "" or NULL takes it out. */
int form_try(const struct form *f, size_t field, size_t item, const char *value, struct err *e);
int form_set(struct form *f, size_t field, size_t item, const char *value, struct err *e);

/* form_folder - how much of what is typed is the way to a folder of the host, with its '/'; ret_begin is where the path
 * begins ("--bind=/srv/a": 7 and 12). 0: there is none to be completed. */
size_t form_folder(size_t field, const char *typed, size_t *ret_begin);

/* form_complete - the choice after value among those that begin with prefix; NULL: there is none. */
const char *form_complete(const struct form *f, size_t field, const char *prefix, const char *value);

/* netmap - the network of the whole host at one moment, as a value: the host's network namespace and that of each
 * running machine, each with its links, addresses, routes and listeners, and the port forwards in the kernel. Plain
 * data and pure questions about it.
 *
 * What it is filled by: engine/netwatch (kept fresh by events, or read once). Whoever judges (doctor, drift, mending,
 * screens) reads it here and asks the kernel nothing that is here already.
 *
 * Owned: a netmap owns all below it, netmap_done(). All that points into it is borrowed until it changes, which is when
 * the loop runs again: keep a machine's name, a link's index, never a pointer.
 *
 * Names of links, alternative names, processes, guests' units and name servers are foreign bytes: shown by way of
 * text_printable() only. A link is acted on by its index, never by its name: a name may hold "%d" or escapes, and be
 * somebody else's by the time that it is used.
 *
 * Unknown is not zero: where something could not be asked, its `no_...` says why, and its array is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strs.h"
#include "words/addr.h"
#include "words/name.h"
#include "words/port.h"
#include "words/stats.h"

#define NETMAP_HOST       (-1) /* netnsid of the host's own namespace, and of what has none */
#define NETMAP_NSID_OTHER (-2) /* of a peer that is in a namespace without an id here */
#define NETMAP_KIND       16
#define NETMAP_PROCESS    100

/* Who configures a link of the host, as far as that leaves a trace in /run or in its routes. */
enum netmap_manager {
	NETMAP_MANAGER_UNKNOWN, /* nobody who leaves one */
	NETMAP_NETWORKD,
	NETMAP_NETWORK_MANAGER,
	NETMAP_DHCPCD,
};

struct netmap_link {
	int index;
	char name[NAME_LINK_SIZE]; /* foreign bytes */
	struct strs altnames;      /* foreign bytes, up to 127 each */
	char kind[NETMAP_KIND];    /* "veth", "bridge", "macvlan", ...; "" for hardware */
	bool up, carrier, loopback;
	int master;        /* index of its bridge or the like, of the same space; 0: none */
	int peer;          /* index of its other end (veth) or parent (macvlan, vlan); 0: none */
	bool peer_is_here; /* in this space's own namespace */
	int netnsid; /* else of the namespace where peer is, as the host counts; NETMAP_HOST; NETMAP_NSID_OTHER */
	unsigned mtu;
	unsigned speed; /* Mbit/s; 0: not known (a virtual one) */
	uint8_t mac[6];
	unsigned flaps; /* how often it lost its carrier since it was made */
	enum netmap_manager manager;

	/* As this end counts, since it was made; STATS_UNKNOWN until traffic was wanted and read. Rates are bytes a
	 * second since the reading before; STATS_UNKNOWN until there were two. */
	uint64_t rx, tx, drops, errors, rx_rate, tx_rate;
};

struct netmap_address {
	int link;
	struct addr addr; /* with the prefix */
	struct addr peer; /* of the other end, on a point-to-point link; not set */
	uint8_t scope;    /* RT_SCOPE_UNIVERSE, _LINK, ... */
	bool tentative;   /* duplicate address detection is not over: it can not be used yet */
	bool dadfailed;   /* somebody else on its link has it */
	bool deprecated;
	bool permanent; /* else it was given for a time: by DHCP or a router */
};

/* One of the main table. One with several next hops is there once for each. */
struct netmap_route {
	struct addr to; /* with its prefix; 0: the default route */
	uint32_t metric;
	int link;            /* 0: none: it refuses (unreachable, blackhole) */
	struct addr gateway; /* not set: on the link */
	struct addr source;  /* the address that it prefers; not set */
	uint8_t protocol;    /* RTPROT_KERNEL, _BOOT, _STATIC, _DHCP, _RA, ... */
	uint8_t type;        /* RTN_UNICAST, RTN_UNREACHABLE, ... */
	uint8_t tos;         /* it is for packets of that type of service alone; 0: for all */
};

struct netmap_listener {
	bool udp, v6_only;
	struct addr at; /* zero bytes: all addresses; of IPv6 without v6_only, of both families */
	uint16_t port;
	int link;                     /* it is bound to that one alone; 0: to none */
	uint64_t inode;               /* of its socket */
	pid_t pid;                    /* as the host counts; 0: not known */
	char process[NETMAP_PROCESS]; /* foreign bytes; "": not known */
	char unit
		[NETMAP_PROCESS]; /* the innermost of its cgroup, in a guest the guest's; foreign bytes; "" */
};

enum netmap_switch { NETMAP_UNTOLD, NETMAP_OFF, NETMAP_ON };

struct netmap_sysctls {              /* of one namespace */
	enum netmap_switch forward4; /* net.ipv4.ip_forward */
	enum netmap_switch forward6; /* net.ipv6.conf.all.forwarding */
	enum netmap_switch disable6; /* net.ipv6.conf.all.disable_ipv6 */
	int rp_filter;               /* net.ipv4.conf.all.rp_filter; -1: not known */
};

struct netmap_space {                       /* one network namespace, as one machine has it */
	char machine[NAME_MACHINE_MAX + 1]; /* "": the host's own */
	int netnsid;                        /* as the host counts; NETMAP_HOST */
	bool shares_host; /* the machine has no network of its own: look at the host's; its arrays are empty */

	struct netmap_link *links; /* sorted by index */
	size_t n_links;
	struct netmap_address *addresses; /* sorted by link, then IPv4 first */
	size_t n_addresses;
	char *no_links; /* why links and addresses are not known; NULL: they are */

	struct netmap_route
		*routes; /* sorted: IPv4 first, then by destination, the longest prefix first, and metric */
	size_t n_routes;
	char *no_routes;

	struct netmap_listener *listeners; /* sorted: TCP first, then by port */
	size_t n_listeners;
	char *no_listeners; /* also "not asked": there is no event for them, they are read when wanted */

	struct strs name_servers; /* of its resolv.conf: "192.168.1.1" */
	bool no_names_file;       /* there is no resolv.conf */
	char *no_name_servers;

	struct netmap_sysctls sysctls;
};

struct netmap_forward { /* one rule of systemd-nspawn --port= in the kernel */
	struct port port;
	struct addr to; /* where it sends to, at port.guest */
};

struct netmap {
	struct netmap_space *v; /* v[0] is the host's; then running machines, sorted by name */
	size_t n;

	struct netmap_forward *forwards; /* sorted by protocol, host port, family */
	size_t n_forwards;
	char *no_forwards;  /* why they are not known */
	bool legacy_tables; /* iptables-legacy has a table "nat": an older systemd may keep its forwards there,
	                       which are not among these */

	unsigned resyncs; /* how often events were lost, so that all was read anew */
	bool approximate; /* it kept changing while it was read: something may be missing, until the next event */
	uint64_t at_usec; /* CLOCK_MONOTONIC of the last change; 0: nothing was read yet */
};

void netmap_link_done(struct netmap_link *l);
void netmap_space_done(struct netmap_space *s);
void netmap_done(struct netmap *m);

/* ---- questions; what is returned is borrowed, NULL: there is none */

/* netmap_host - the host's space; NULL: nothing was read yet. netmap_space - that machine's; NULL: it does not run. */
const struct netmap_space *netmap_host(const struct netmap *m);
const struct netmap_space *netmap_space(const struct netmap *m, const char *machine);

/* netmap_link - by its index. netmap_link_called - by name or alternative name, also the hashed form of a long one
 * ("ve-" and a machine's name). netmap_link_title - the name to show: the alternative name that was cut to make its
 * name, or that. */
const struct netmap_link *netmap_link(const struct netmap_space *s, int index);
const struct netmap_link *netmap_link_called(const struct netmap_space *s, const char *name);
const char *netmap_link_title(const struct netmap_link *l);

/* A link and where it is. link NULL: none. */
struct netmap_place {
	const struct netmap_space *space;
	const struct netmap_link *link;
};

/* netmap_pair - the other end of a veth; by peer's index and namespace, never by name. link NULL: it has none, or that is
 * in a namespace that is not seen. netmap_parent - of a macvlan, ipvlan, vlan: the link it rests on. */
struct netmap_place netmap_pair(const struct netmap *m, const struct netmap_space *s,
                                const struct netmap_link *l);
struct netmap_place netmap_parent(const struct netmap *m, const struct netmap_space *s,
                                  const struct netmap_link *l);

/* netmap_machine_of - the machine that has the other end of a link of the host; NULL: nobody's, or not to be told. */
const char *netmap_machine_of(const struct netmap *m, const struct netmap_link *l);

/* netmap_next_port - the next link of s whose master is that one, after `before` (NULL: the first). Ours are those of
 * which netmap_machine_of() tells a machine, all others are foreign. */
const struct netmap_link *netmap_next_port(const struct netmap_space *s, int bridge,
                                           const struct netmap_link *before);

/* netmap_next_address - the next address of that link, after `before` (NULL: the first). netmap_has_address - whether
 * the space has it, on whatever link. netmap_owner - the space that has it: machines' before the host's; NULL: nobody
 * who is seen. */
const struct netmap_address *netmap_next_address(const struct netmap_space *s, int link,
                                                 const struct netmap_address *before);
bool netmap_has_address(const struct netmap_space *s, const struct addr *a);
const struct netmap_space *netmap_owner(const struct netmap *m, const struct addr *a);

/* netmap_default_route - of that family, the one with the smallest metric. netmap_route_to - the one that the main table
 * has for that address. */
const struct netmap_route *netmap_default_route(const struct netmap_space *s, uint8_t family);
const struct netmap_route *netmap_route_to(const struct netmap_space *s, const struct addr *to);

/* netmap_next_listener - the next that would take what is sent to that address and port, after `before`. at not set: to
 * whatever address. */
const struct netmap_listener *netmap_next_listener(const struct netmap_space *s, bool udp,
                                                   const struct addr *at, uint16_t port,
                                                   const struct netmap_listener *before);

/* netmap_next_forward - the next rule for that port of the host, after `before`: one a family. */
const struct netmap_forward *netmap_next_forward(const struct netmap *m, bool udp, uint16_t port,
                                                 const struct netmap_forward *before);

/* ---- what is not as it should be, of the links of the host */

enum netmap_flaw {
	NETMAP_WELL,
	NETMAP_ORPHAN, /* ve-NAME or vb-NAME whose other end is in no running machine's namespace: what a start left */
	NETMAP_SQUATTER,    /* ve-NAME or vb-NAME that is no veth, or another machine's: NAME can not start */
	NETMAP_LOST_BRIDGE, /* of a running machine with HOST_BRIDGE=, and it is no port of that bridge */
	NETMAP_FLAW_UNKNOWN, /* whose it is can not be seen: the namespaces of machines are not known */
};

/* netmap_flaw_word - "orphan", "squatter", "lost-bridge", "unknown"; "" when well. */
const char *netmap_flaw_word(enum netmap_flaw f);

/* What is to be known of a machine for that: as it was started, or (where that is not known) as its conf says. */
struct netmap_wanted {
	const char *machine;
	const char *link;   /* the host's end of its main link, in full: "vb-web"; NULL: it has none */
	const char *bridge; /* HOST_BRIDGE; NULL: none */
	bool way_out;       /* MASQUERADE: what leaves the host from it bears the host's address */
};

/* netmap_wanted_of - that machine's among n; NULL: nothing is known. */
const struct netmap_wanted *netmap_wanted_of(const char *machine, const struct netmap_wanted *v, size_t n);

/* netmap_judge - one link of the host; wanted: all machines that are configured or run. ret_wanted (may be NULL): whose
 * name it bears, or NULL. */
enum netmap_flaw netmap_judge(const struct netmap *m, const struct netmap_link *l,
                              const struct netmap_wanted *wanted, size_t n_wanted,
                              const struct netmap_wanted **ret_wanted);

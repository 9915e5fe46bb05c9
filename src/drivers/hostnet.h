/* hostnet - what the host tells of its network by files: who manages a link, its speed, name servers, switches. */
#pragma once

#include "words/netmap.h"

/* Folders where managers leave a trace of each link; what changes there is told by drivers/folder. */
#define HOSTNET_NETWORKD "/run/systemd/netif/links"
#define HOSTNET_MANAGER  "/run/NetworkManager/devices"
#define HOSTNET_DHCPCD   "/run/dhcpcd"

/* hostnet_managers - fill in the manager and speed of all links of the host's space; a link without a trace costs nothing
 * where none of the three runs. host_root is "" but in tests. */
void hostnet_managers(const char *host_root, struct netmap_space *host);
/* hostnet_manager - of one link that changed; a manager that it has keeps it until the next look at all. */
void hostnet_manager(const char *host_root, struct netmap_link *l);

/* hostnet_names - the name servers of a resolv.conf that was read. hostnet_own_names - of the host's. */
#define HOSTNET_RESOLV_MAX 16384
void hostnet_names(const char *text, struct strs *ret);
void hostnet_own_names(const char *host_root, struct netmap_space *host);

/* hostnet_disable6 - net.ipv6.conf.all.disable_ipv6 of our own namespace. */
enum netmap_switch hostnet_disable6(const char *host_root);

/* hostnet_legacy_nat - whether iptables-legacy has a table "nat" (IPv4); only root can tell. */
bool hostnet_legacy_nat(const char *host_root);

/* hostnet_shares - whether that process is in our own network namespace; false when it can not be told. */
bool hostnet_shares(pid_t pid);

/* container - what one container is configured to be: the values of its conf, parsed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strs.h"
#include "words/addr.h"
#include "words/limits.h"
#include "words/port.h"

/* The reference module whose behaviour a container follows, oldest first (behaviours A.0). */
enum release {
	RELEASE_2014,
	RELEASE_2020,
	RELEASE_2021_04,
	RELEASE_2021_05,
	RELEASE_2021_11,
	RELEASE_DEFAULT = RELEASE_2021_11,
};

/* The addresses of a link's two ends, by the key they came from; each may be of either family (CI-12). */
enum link_key { HOST4, HOST6, LOCAL4, LOCAL6, LINK_KEYS };

struct veth { /* an extra one, the same name at both ends */
	char *name;
	char *bridge; /* NULL: not attached to one */
	struct addr addr[LINK_KEYS];
};

struct device { /* what DeviceAllow= takes */
	char *node;
	char *modifier;
};

struct container {
	char *name;
	enum release release;
	char *system_path; /* NULL: the per-container profile, or a tree */
	char *flake;       /* NULL */
	char *init;        /* the payload of a tree; NULL: its /sbin/init */

	bool private_network;
	char *host_bridge; /* NULL */
	struct addr addr[LINK_KEYS];
	bool has_mac;
	uint8_t mac[6]; /* of eth0 in the container */
	struct port *ports;
	size_t n_ports;
	bool masquerade;        /* its addresses have a way out (decide/gateway) */
	struct strs interfaces; /* moved into the container */
	struct strs macvlans;
	struct veth *veths; /* sorted by name */
	size_t n_veths;
	char *netns_path; /* NULL */

	struct strs flags; /* words of EXTRA_NSPAWN_FLAGS, the bind mounts among them */
	struct strs tmpfs;
	struct strs capabilities;
	struct device *devices;
	size_t n_devices;
	char *private_users; /* NULL: "no" */

	bool auto_start;
	bool ephemeral;
	bool enable_tun;
	bool no_resolv_conf;  /* COPY_RESOLV_CONF=0 */
	char *timeout_start;  /* systemd.time(7) text; NULL: the release's default */
	char *limits[LIMITS]; /* as systemd.resource-control(5) has them; NULL: none of ours */
};

/* container_done - free what c owns and zero it; takes a zeroed or half-built one. */
void container_done(struct container *c);

/* container_has_address - any of the four (what starts --network-veth, A.5 7). */
bool container_has_address(const struct container *c);

/* container_main_link - the prefix of the host's end of the main link, "ve-" or "vb-"; NULL when it has none. */
const char *container_main_link(const struct container *c);

/* container_has_private_net - whether its processes see other links than the host's: private_network, or anything
 * that implies it for systemd-nspawn (extra veths, interfaces, macvlans, a bridge, a namespace). */
bool container_has_private_net(const struct container *c);

/* container_root_is_hosts - whether root in it is root of the host: it has no user namespace of its own (threat model
 * A.3). "identity" is one, though of the same numbers. */
bool container_root_is_hosts(const struct container *c);

/* release_name, release_parse - "2021-11" and back; -EINVAL for an unknown one. */
const char *release_name(enum release r);
int release_parse(const char *text, enum release *ret);

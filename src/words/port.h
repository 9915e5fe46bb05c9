/* port - a forwarded port, and the grammar of HOST_PORT (CF-5, systemd-nspawn(1) --port=). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_TEXT_SIZE 24

struct port {
	bool udp;
	uint16_t host, guest; /* 1 to 65535 */
};

/* port_parse - "[tcp:|udp:]HOST[:GUEST]", guest = host when left out. Returns 0 or -EINVAL, then ret_why (may be
 * NULL) is a constant phrase. port_print - always three fields, "tcp:8080:80". */
int port_parse(const char *text, struct port *ret, const char **ret_why);
void port_print(const struct port *p, char ret[static PORT_TEXT_SIZE]);

/* allocate - addresses and ports that nobody has, for new containers. Pure: the caller says what is taken, by confs,
 * by machines that are being made, and on the live host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "words/addr.h"
#include "words/container.h"
#include "words/port.h"

struct taken {
	struct addr *v; /* addresses, and networks that have a route: with their prefix */
	size_t n;
	struct port *ports; /* only udp and host count */
	size_t n_ports;
	bool bad; /* out of memory; asked once, at the end */
};

void taken_done(struct taken *t);
void taken_add(struct taken *t, const struct addr *a);
void taken_add_port(struct taken *t, bool udp, uint16_t port);
/* taken_add_container - all addresses and host ports that it is configured to have. */
void taken_add_container(struct taken *t, const struct container *c);

/* allocate_pair - the two ends of a link: 10.233.N.1 and .2, N the smallest from 1 of which nothing is taken and that no
 * taken network overlaps, as the reference's tool chooses; then the same of 172.29, of 192.168; then, where networks are
 * that large, without regard to those of 16 bits and less. errors: -ENOSPC STATUS_CANNOT_CREATE */
int allocate_pair(const struct taken *t, struct addr *ret_host, struct addr *ret_local, struct err *e);
/* allocate_pair6 - the same of IPv6: fd00:10:233:N::1 and ::2. */
int allocate_pair6(const struct taken *t, struct addr *ret_host, struct addr *ret_local, struct err *e);

/* allocate_near - the lowest address above near's that is free in near's network (near has a prefix; IPv4, or IPv6 of
 * which the last 16 bits are tried); then from its start. errors: -ENOSPC STATUS_CANNOT_CREATE */
int allocate_near(const struct taken *t, const struct addr *near, struct addr *ret, struct err *e);

/* allocate_port - for the guest's port: itself when it is above 1023, else 8000 more; or the next that is free.
 * errors: -ENOSPC STATUS_CANNOT_CREATE */
int allocate_port(const struct taken *t, bool udp, uint16_t guest, uint16_t *ret, struct err *e);

/* allocate_ports - the text of a HOST_PORT= with the word "auto" where a host port is to be chosen ("tcp:auto:80"), with
 * numbers instead; those chosen are taken from then on. What is no "auto" is passed on as it is. */
int allocate_ports(struct taken *t, const char *text, struct buf *ret, struct err *e);

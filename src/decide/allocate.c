#include "decide/allocate.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"

#define LARGE_BITS 16 /* a network of that prefix and shorter is somebody's whole site */
#define PRIVILEGED 1024

void taken_done(struct taken *t)
{
	free(t->v);
	free(t->ports);
	*t = (struct taken){ 0 };
}

void taken_add(struct taken *t, const struct addr *a)
{
	struct addr *grown = addr_is_set(a) ? reallocarray(t->v, t->n + 1, sizeof(*grown)) : NULL;

	if (!addr_is_set(a))
		return;
	t->bad |= !grown;
	if (!grown)
		return;
	t->v = grown;
	grown[t->n++] = *a;
}

void taken_add_port(struct taken *t, bool udp, uint16_t port)
{
	struct port *grown = reallocarray(t->ports, t->n_ports + 1, sizeof(*grown));

	t->bad |= !grown;
	if (!grown)
		return;
	t->ports = grown;
	grown[t->n_ports++] = (struct port){ .udp = udp, .host = port };
}

/* An address that is written with a prefix is one of a network, and the network is no more than it. */
static void add_alone(struct taken *t, const struct addr *a)
{
	struct addr alone = *a;

	alone.prefix = addr_bits(a);
	taken_add(t, &alone);
}

void taken_add_container(struct taken *t, const struct container *c)
{
	for (int k = 0; k < LINK_KEYS; k++)
		add_alone(t, &c->addr[k]);
	for (size_t i = 0; i < c->n_veths; i++)
		for (int k = 0; k < LINK_KEYS; k++)
			add_alone(t, &c->veths[i].addr[k]);
	for (size_t i = 0; i < c->n_ports; i++)
		taken_add_port(t, c->ports[i].udp, c->ports[i].host);
}

static bool overlaps(const struct taken *t, const struct addr *net, bool ignore_large)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct addr *a = &t->v[i];

		if (a->family != net->family || (ignore_large && a->prefix <= LARGE_BITS) || a->prefix == 0)
			continue;
		if (a->prefix < net->prefix ? addr_covers(a, net) : addr_covers(net, a))
			return true;
	}
	return false;
}

static struct addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t prefix)
{
	return (struct addr){ .family = AF_INET, .prefix = prefix, .bytes = { a, b, c, d } };
}

int allocate_pair(const struct taken *t, struct addr *ret_host, struct addr *ret_local, struct err *e)
{
	static const uint8_t pools[][2] = { { 10, 233 }, { 172, 29 }, { 192, 168 } };

	for (int ignore = 0; ignore < 2; ignore++)
		for (size_t p = 0; p < COUNT(pools); p++)
			for (unsigned n = 1; n < 255; n++) {
				struct addr net = v4(pools[p][0], pools[p][1], (uint8_t)n, 0, 24);

				if (overlaps(t, &net, ignore))
					continue;
				*ret_host = v4(pools[p][0], pools[p][1], (uint8_t)n, 1, 32);
				*ret_local = v4(pools[p][0], pools[p][1], (uint8_t)n, 2, 32);
				return 0;
			}
	return err_set(
		e, STATUS_CANNOT_CREATE, ENOSPC,
		"out of addresses: all of 10.233.1 to 254, 172.29 and 192.168 are taken (name a pair with "
		"--host-address and --local-address)");
}

static struct addr v6(uint16_t n, uint8_t last, uint8_t prefix)
{
	return (struct addr){ .family = AF_INET6,
		              .prefix = prefix,
		              .bytes = { 0xfd, 0, 0, 0x10, 2, 0x33, (uint8_t)(n >> 8),
		                         (uint8_t)n, [15] = last } };
}

int allocate_pair6(const struct taken *t, struct addr *ret_host, struct addr *ret_local, struct err *e)
{
	for (uint16_t n = 1; n < UINT16_MAX; n++) {
		struct addr net = v6(n, 0, 64);

		if (overlaps(t, &net, false))
			continue;
		*ret_host = v6(n, 1, 128);
		*ret_local = v6(n, 2, 128);
		return 0;
	}
	return err_set(e, STATUS_CANNOT_CREATE, ENOSPC, "out of addresses: all of fd00:10:233::/48 is taken");
}

static bool is_taken(const struct taken *t, const struct addr *a)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].prefix == addr_bits(&t->v[i]) && addr_same(&t->v[i], a))
			return true;
	return false;
}

/* The last 16 bits, of which only those below the prefix may change. */
static struct addr with_low(const struct addr *near, unsigned low)
{
	size_t size = addr_size(near);
	struct addr a = *near;

	a.bytes[size - 2] = (uint8_t)(low >> 8);
	a.bytes[size - 1] = (uint8_t)low;
	return a;
}

int allocate_near(const struct taken *t, const struct addr *near, struct addr *ret, struct err *e)
{
	size_t size = addr_size(near);
	unsigned low = (unsigned)near->bytes[size - 2] << 8 | near->bytes[size - 1];
	unsigned bits = addr_bits(near) - near->prefix, host = bits >= 16 ? 0xffff : (1U << bits) - 1;
	char text[ADDR_TEXT_SIZE];

	for (unsigned step = 1; step < host; step++) {
		unsigned part = ((low & host) + step) & host;
		struct addr a = with_low(near, (low & ~host) | part);

		/* The network's own address, and what is sent to all of it. */
		if (part == 0 || part == host || is_taken(t, &a))
			continue;
		*ret = a;
		return 0;
	}
	addr_print(near, true, text);
	return err_set(e, STATUS_CANNOT_CREATE, ENOSPC, "out of addresses in the network of %s", text);
}

static bool port_is_taken(const struct taken *t, bool udp, unsigned port)
{
	for (size_t i = 0; i < t->n_ports; i++)
		if (t->ports[i].udp == udp && t->ports[i].host == port)
			return true;
	return false;
}

int allocate_port(const struct taken *t, bool udp, uint16_t guest, uint16_t *ret, struct err *e)
{
	unsigned first = guest < PRIVILEGED ? guest + 8000U : guest;

	for (unsigned port = first; port <= UINT16_MAX; port++)
		if (!port_is_taken(t, udp, port)) {
			*ret = (uint16_t)port;
			return 0;
		}
	return err_set(e, STATUS_CANNOT_CREATE, ENOSPC, "no %s port from %u on is free on the host",
	               udp ? "udp" : "tcp", first);
}

/* The guest's port behind "auto", or 0 when it is none. */
static uint16_t auto_guest(const char *text, bool *ret_udp)
{
	uint64_t guest;

	*ret_udp = strncmp(text, "udp:", 4) == 0;
	if (*ret_udp || strncmp(text, "tcp:", 4) == 0)
		text += 4;
	if (strncmp(text, "auto:", 5) != 0 || num_parse(text + 5, 1, UINT16_MAX, &guest) < 0)
		return 0;
	return (uint16_t)guest;
}

int allocate_ports(struct taken *t, const char *text, struct buf *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs parts = { 0 };

	strs_split(&parts, text, ",");
	for (size_t i = 0; i < parts.n; i++) {
		uint16_t guest, port = 0;
		bool udp;
		int r;

		buf_puts(ret, i ? "," : "");
		guest = auto_guest(parts.v[i], &udp);
		if (guest == 0) {
			buf_puts(ret, parts.v[i]);
			continue;
		}
		r = allocate_port(t, udp, guest, &port, e);
		if (r < 0)
			return r;
		taken_add_port(t, udp, port);
		buf_addf(ret, "%s:%u:%u", udp ? "udp" : "tcp", port, guest);
	}
	return parts.bad || ret->bad || t->bad ? err_no_memory(e) : 0;
}

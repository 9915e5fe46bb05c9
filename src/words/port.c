#include "words/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

static int refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return -EINVAL;
}

int port_parse(const char *text, struct port *ret, const char **ret_why)
{
	struct port p = { 0 };
	char host[8] = "", guest[8] = "";
	const char *colon;
	uint64_t number;
	size_t len;

	if (strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0) {
		p.udp = text[0] == 'u';
		text += 4;
	}
	colon = strchr(text, ':');
	len = colon ? (size_t)(colon - text) : strlen(text);
	if (len >= sizeof(host) || (colon && strlen(colon + 1) >= sizeof(guest)))
		return refuse(ret_why, "not of the form tcp:HOST:CONTAINER or udp:HOST:CONTAINER");
	memcpy(host, text, len);
	if (colon)
		(void)snprintf(guest, sizeof(guest), "%s", colon + 1);
	if (strspn(host, "0123456789") != len || len == 0 ||
	    (colon && (!guest[0] || strspn(guest, "0123456789") != strlen(guest))))
		return refuse(ret_why, "not of the form tcp:HOST:CONTAINER or udp:HOST:CONTAINER");
	if (num_parse(host, 1, UINT16_MAX, &number) < 0)
		return refuse(ret_why, "the host port is not 1 to 65535");
	p.host = p.guest = (uint16_t)number;
	if (colon && num_parse(guest, 1, UINT16_MAX, &number) < 0)
		return refuse(ret_why, "the container port is not 1 to 65535");
	if (colon)
		p.guest = (uint16_t)number;
	*ret = p;
	return 0;
}

void port_print(const struct port *p, char ret[static PORT_TEXT_SIZE])
{
	(void)snprintf(ret, PORT_TEXT_SIZE, "%s:%u:%u", p->udp ? "udp" : "tcp", p->host, p->guest);
}

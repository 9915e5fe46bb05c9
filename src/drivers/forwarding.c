#include "drivers/forwarding.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"

static const char *path_of(uint8_t family)
{
	return family == AF_INET ? "/proc/sys/net/ipv4/ip_forward" : "/proc/sys/net/ipv6/conf/all/forwarding";
}

const char *forwarding_key(uint8_t family)
{
	return family == AF_INET ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
}

bool forwarding_is_on(uint8_t family)
{
	CLEANUP(close_p) int fd = open(path_of(family), O_RDONLY | O_CLOEXEC);
	char c;

	return fd < 0 || read(fd, &c, 1) != 1 || c != '0';
}

int forwarding_switch_on(uint8_t family, bool *ret_was_off, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	int r;

	*ret_was_off = !forwarding_is_on(family);
	if (!*ret_was_off)
		return 0;
	r = gate_ask(e, "cannot switch %s on", forwarding_key(family));
	if (r < 0)
		return r;
	fd = open(path_of(family), O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return err_sys(e, errno, "cannot switch %s on", forwarding_key(family));
	return 0;
}

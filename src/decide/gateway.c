#include "decide/gateway.h"

#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static void add_addresses(const struct addr *addr, struct strs *ret)
{
	static const enum link_key locals[] = { LOCAL4, LOCAL6 };

	for (size_t i = 0; i < COUNT(locals); i++) {
		char text[ADDR_TEXT_SIZE];

		addr_print(&addr[locals[i]], false, text);
		if (text[0] && !strs_has(ret, text))
			strs_add(ret, text);
	}
}

void gateway_addresses(const struct container *c, struct strs *ret)
{
	if (!c->masquerade)
		return;
	add_addresses(c->addr, ret);
	for (size_t i = 0; i < c->n_veths; i++)
		add_addresses(c->veths[i].addr, ret);
}

static void family_commands(const char *name, const struct strs *addresses, uint8_t family, struct strs *ret)
{
	const char *ip = family == AF_INET ? "ip" : "ip6";
	bool any = false;

	for (size_t i = 0; i < addresses->n; i++) {
		struct addr a;

		if (addr_parse(addresses->v[i], &a, NULL) < 0 || a.family != family)
			continue;
		if (!any) {
			strs_add(ret, family == AF_INET ? "sysctl -w net.ipv4.ip_forward=1"
			                                : "sysctl -w net.ipv6.conf.all.forwarding=1");
			strs_addf(ret, "nft add table %s " GATEWAY_TABLE, ip);
			strs_addf(ret, "nft 'add set %s " GATEWAY_TABLE " " GATEWAY_SET " { type %s; }'", ip,
			          family == AF_INET ? "ipv4_addr" : "ipv6_addr");
			strs_addf(ret,
			          "nft 'add chain %s " GATEWAY_TABLE " " GATEWAY_CHAIN
			          " { type nat hook postrouting priority srcnat; }'",
			          ip);
			strs_addf(ret, "nft flush chain %s " GATEWAY_TABLE " " GATEWAY_CHAIN, ip);
			strs_addf(ret,
			          "nft add rule %s " GATEWAY_TABLE " " GATEWAY_CHAIN " %s saddr @" GATEWAY_SET
			          " %s daddr != @" GATEWAY_SET " masquerade",
			          ip, ip, ip);
		}
		any = true;
		strs_addf(ret, "nft 'add element %s " GATEWAY_TABLE " " GATEWAY_SET " { %s comment \"%s\" }'",
		          ip, addresses->v[i], name);
	}
}

void gateway_commands(const char *name, const struct strs *addresses, struct strs *ret)
{
	family_commands(name, addresses, AF_INET, ret);
	family_commands(name, addresses, AF_INET6, ret);
}

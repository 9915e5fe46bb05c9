#include "engine/gateway.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "drivers/forwarding.h"
#include "drivers/nft_gateway.h"
#include "words/addr.h"

static const uint8_t families[] = { AF_INET, AF_INET6 };

static int parse(const struct strs *addresses, struct addr **ret, size_t *ret_n, struct err *e)
{
	struct addr *v = calloc(addresses->n + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return err_no_memory(e);
	for (size_t i = 0; i < addresses->n; i++)
		if (addr_parse(addresses->v[i], &v[n], NULL) == 0)
			n++;
	*ret = v;
	*ret_n = n;
	return 0;
}

static bool has_family(const struct addr *v, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].family == family)
			return true;
	return false;
}

/* A router does not listen to others by itself: linux ip-sysctl, accept_ra. */
static void say(uint8_t family, struct strs *says)
{
	strs_addf(says, "%s was 0 and is 1 now, for its way out; it stays so%s", forwarding_key(family),
	          family == AF_INET
	                  ? ""
	                  : " (a link with accept_ra=1 takes no routes from router advertisements any more: "
	                    "accept_ra=2 does)");
}

int gateway_set(const char *name, const struct strs *addresses, struct strs *ret_says, struct err *e)
{
	CLEANUP(free_p) struct addr *v = NULL;
	size_t n = 0;
	int r = parse(addresses, &v, &n, e);

	for (size_t i = 0; r == 0 && i < COUNT(families); i++) {
		bool was_off = false;

		if (has_family(v, n, families[i]))
			r = forwarding_switch_on(families[i], &was_off, e);
		if (r < 0)
			return err_wrap(e, r, "%s", name);
		if (was_off)
			say(families[i], ret_says);
	}
	return r < 0 ? r : nft_gateway_set(name, v, n, NULL, e);
}

int gateway_holds(const char *name, const struct strs *addresses, bool *ret, struct err *e)
{
	CLEANUP(free_p) struct addr *v = NULL;
	bool forwards = true;
	size_t n = 0;
	int r = parse(addresses, &v, &n, e);

	for (size_t i = 0; r == 0 && i < COUNT(families); i++)
		forwards = forwards && (!has_family(v, n, families[i]) || forwarding_is_on(families[i]));
	if (r == 0)
		r = nft_gateway_holds(name, v, n, ret, e);
	if (r == 0)
		*ret = *ret && forwards;
	return r;
}

#include "decide/lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "decide/gateway.h"
#include "words/name.h"

static const char *const key_names[LINK_KEYS] = {
	[HOST4] = "HOST_ADDRESS",
	[HOST6] = "HOST_ADDRESS6",
	[LOCAL4] = "LOCAL_ADDRESS",
	[LOCAL6] = "LOCAL_ADDRESS6",
};
static const char *const option_names[LINK_KEYS] = {
	[HOST4] = "hostAddress",
	[HOST6] = "hostAddress6",
	[LOCAL4] = "localAddress",
	[LOCAL6] = "localAddress6",
};

/* Counts findings down to the one that was asked for. */
struct search {
	size_t skip;
	bool found;
	struct finding *ret;
};

static void find(struct search *s, bool fatal, const char *key, const char *option, const char *veth,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));

static void find(struct search *s, bool fatal, const char *key, const char *option, const char *veth,
                 const char *format, ...)
{
	va_list ap;

	if (s->found || s->skip-- > 0)
		return;
	s->found = true;
	*s->ret = (struct finding){ .key = key, .option = option, .veth = veth, .fatal = fatal };
	va_start(ap, format);
	(void)vsnprintf(s->ret->text, sizeof(s->ret->text), format, ap);
	va_end(ap);
}

static bool is_point_to_point(const struct addr *a)
{
	return a->prefix == addr_bits(a);
}

/* A link's four addresses: prefixes only for the container's end, and only on a bridge (BUG-18). */
static void look_at_link(struct search *s, const struct addr addr[LINK_KEYS], bool bridged, const char *veth)
{
	for (int k = 0; k < LINK_KEYS; k++) {
		bool local = k == LOCAL4 || k == LOCAL6;
		char text[ADDR_TEXT_SIZE];

		if (!addr_is_set(&addr[k]) || is_point_to_point(&addr[k]) || (local && bridged))
			continue;
		addr_print(&addr[k], true, text);
		find(s, true, veth ? "EXTRA_VETHS" : key_names[k], option_names[k], veth,
		     "'%s' has a prefix, but the two ends of a veth route to each other's address alone: "
		     "leave the "
		     "prefix out%s",
		     text, local ? ", or name a bridge" : "");
	}
	for (int k = 0; k < LINK_KEYS; k++)
		for (int j = k + 1; j < LINK_KEYS; j++) {
			char text[ADDR_TEXT_SIZE];

			if (!addr_is_set(&addr[k]) || !addr_same(&addr[k], &addr[j]))
				continue;
			addr_print(&addr[k], false, text);
			find(s, true, veth ? "EXTRA_VETHS" : key_names[j], option_names[j], veth,
			     "'%s' is given twice on one link", text);
		}
}

/* What has no address leaves as nobody, what has no gateway does not leave. */
static void look_at_way_out(struct search *s, const struct container *c)
{
	CLEANUP(strs_done) struct strs addresses = { 0 };

	gateway_addresses(c, &addresses);
	if (!container_has_private_net(c) || c->netns_path)
		find(s, true, "MASQUERADE", "masquerade", NULL,
		     "only a private network made for it needs a way out: switch that on, and give it an "
		     "address");
	else if (addresses.n == 0)
		find(s, true, "MASQUERADE", "masquerade", NULL,
		     "there is no address to go out from: set LOCAL_ADDRESS");
	else if (!addr_is_set(&c->addr[HOST4]) && !addr_is_set(&c->addr[HOST6]))
		find(s, false, "MASQUERADE", "masquerade", NULL,
		     "without HOST_ADDRESS it gets no default route: set that, or the route inside");
}

bool lint_container(const struct container *c, size_t index, struct finding *ret)
{
	struct search s = { .skip = index, .ret = ret };
	bool has_host = addr_is_set(&c->addr[HOST4]) || addr_is_set(&c->addr[HOST6]);

	look_at_link(&s, c->addr, c->host_bridge, NULL);
	if (c->host_bridge && has_host)
		find(&s, false, "HOST_ADDRESS", "hostAddress", NULL,
		     "beside a bridge the host's address is not given to the host: the container takes it "
		     "for its gateway");
	if (c->n_ports > 0 && !container_has_private_net(c))
		find(&s, true, "HOST_PORT", "forwardPorts", NULL,
		     "ports can only be forwarded to a private network: switch that on, and give it an "
		     "address");
	if (c->masquerade)
		look_at_way_out(&s, c);
	if (!c->private_network && container_main_link(c))
		find(&s, false, "PRIVATE_NETWORK", "privateNetwork", NULL,
		     "it is off, but addresses or a bridge make the network private all the same: switch it "
		     "on, or "
		     "leave them out");
	if (c->netns_path &&
	    (c->private_network || container_main_link(c) || c->n_veths || c->interfaces.n || c->macvlans.n))
		find(&s, true, "NETWORK_NAMESPACE_PATH", "networkNamespace", NULL,
		     "a namespace of its own can not be combined with other network settings");
	if (c->system_path && c->init)
		find(&s, true, "INIT", "init", NULL,
		     "the system path names the payload already: leave one of them out");
	for (size_t i = 0; i < c->n_veths; i++) {
		const struct veth *v = &c->veths[i];

		look_at_link(&s, v->addr, v->bridge, v->name);
		if (v->bridge && (addr_is_set(&v->addr[HOST4]) || addr_is_set(&v->addr[HOST6])))
			find(&s, false, "EXTRA_VETHS", "hostAddress", v->name,
			     "beside a bridge the host's address is not given to the host");
		for (size_t j = 0; j < c->interfaces.n; j++)
			if (strcmp(v->name, c->interfaces.v[j]) == 0)
				find(&s, true, "EXTRA_VETHS", "interfaces", v->name,
				     "'%s' is an interface to move and an extra veth at once", v->name);
	}
	return s.found;
}

/* Every address that c puts somewhere, one by one: the main link's, then the veths'. */
static const struct addr *address_at(const struct container *c, size_t i, int *ret_key, const char **ret_veth)
{
	const struct veth *v = i < LINK_KEYS ? NULL : &c->veths[i / LINK_KEYS - 1];

	*ret_key = (int)(i % LINK_KEYS);
	*ret_veth = v ? v->name : NULL;
	return v ? &v->addr[i % LINK_KEYS] : &c->addr[i];
}

static bool is_host_key(int key)
{
	return key == HOST4 || key == HOST6;
}

static bool is_gateway_only(const struct container *c, int key, const char *veth)
{
	bool host = is_host_key(key);

	if (!veth)
		return host && c->host_bridge;
	for (size_t i = 0; i < c->n_veths; i++)
		if (strcmp(c->veths[i].name, veth) == 0)
			return host && c->veths[i].bridge;
	return false;
}

/* The host may have one address on the links of many; what is a container's is nobody else's. */
static void look_at_addresses(struct search *s, const struct container *a, const struct container *b)
{
	for (size_t i = 0; i < LINK_KEYS * (1 + a->n_veths); i++)
		for (size_t j = 0; j < LINK_KEYS * (1 + b->n_veths); j++) {
			const char *veth_a, *veth_b;
			int key_a, key_b;
			const struct addr *x = address_at(a, i, &key_a, &veth_a);
			const struct addr *y = address_at(b, j, &key_b, &veth_b);
			char text[ADDR_TEXT_SIZE];

			if (!addr_is_set(x) || !addr_same(x, y) ||
			    (is_host_key(key_a) && is_host_key(key_b)) || is_gateway_only(a, key_a, veth_a) ||
			    is_gateway_only(b, key_b, veth_b))
				continue;
			addr_print(x, false, text);
			find(s, true, veth_a ? "EXTRA_VETHS" : key_names[key_a], option_names[key_a], veth_a,
			     "address %s is container %s's too", text, b->name);
		}
}

/* What the host's ends are called: the main one, then the extra ones. False: there are no more. */
static bool link_at(const struct container *c, size_t i, char ret[static NAME_LINK_SIZE])
{
	const char *prefix = container_main_link(c);

	if (i == 0 && prefix)
		name_host_link(prefix, c->name, ret);
	else if (i == 0)
		ret[0] = '\0';
	else if (i <= c->n_veths)
		(void)snprintf(ret, NAME_LINK_SIZE, "%s", c->veths[i - 1].name);
	else
		return false;
	return true;
}

static void look_at_links(struct search *s, const struct container *a, const struct container *b)
{
	char mine[NAME_LINK_SIZE], theirs[NAME_LINK_SIZE];

	for (size_t i = 0; link_at(a, i, mine); i++)
		for (size_t j = 0; link_at(b, j, theirs); j++) {
			if (!mine[0] || strcmp(mine, theirs) != 0)
				continue;
			if (i > 0 && j > 0)
				find(s, true, "EXTRA_VETHS", "extraVeths", a->veths[i - 1].name,
				     "container %s has an extra veth of that name too", b->name);
			else
				find(s, true, i > 0 ? "EXTRA_VETHS" : "its name",
				     i > 0 ? "extraVeths" : "name", i > 0 ? a->veths[i - 1].name : NULL,
				     "a link of container %s is called %s, too", b->name, mine);
		}
}

bool lint_pair(const struct container *a, const struct container *b, size_t index, struct finding *ret)
{
	struct search s = { .skip = index, .ret = ret };

	look_at_addresses(&s, a, b);
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t j = 0; j < b->n_ports; j++)
			if (a->ports[i].udp == b->ports[j].udp && a->ports[i].host == b->ports[j].host)
				find(&s, true, "HOST_PORT", "forwardPorts", NULL,
				     "host port %s/%u is forwarded to container %s too",
				     a->ports[i].udp ? "udp" : "tcp", a->ports[i].host, b->name);
	look_at_links(&s, a, b);
	for (size_t i = 0; i < a->interfaces.n; i++)
		if (strs_has(&b->interfaces, a->interfaces.v[i]))
			find(&s, true, "INTERFACES", "interfaces", NULL,
			     "'%s' is moved into container %s too", a->interfaces.v[i], b->name);
	return s.found;
}

/* What a container wants for itself alone, as a text: "a10.0.0.2", "ptcp/80", "vvx1", "ieth1". */
struct want {
	char text[ADDR_TEXT_SIZE + 16];
	size_t owner;
};

struct wants {
	struct want *v;
	size_t n;
};

static void want(struct wants *all, size_t owner, char kind, const char *text)
{
	struct want *w = &all->v[all->n++];

	w->owner = owner;
	(void)snprintf(w->text, sizeof(w->text), "%c%.*s", kind, (int)sizeof(w->text) - 2, text);
}

static size_t wants_at_most(const struct container *c)
{
	return LINK_KEYS * (1 + c->n_veths) + c->n_ports + 1 + c->n_veths + c->interfaces.n;
}

static void add_wants(struct wants *all, size_t owner, const struct container *c)
{
	char link[NAME_LINK_SIZE];

	for (size_t i = 0; i < LINK_KEYS * (1 + c->n_veths); i++) {
		char text[ADDR_TEXT_SIZE];
		const char *veth;
		int key;

		addr_print(address_at(c, i, &key, &veth), false, text);
		if (text[0])
			want(all, owner, 'a', text);
	}
	for (size_t i = 0; i < c->n_ports; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%s/%u", c->ports[i].udp ? "udp" : "tcp",
		               c->ports[i].host);
		want(all, owner, 'p', text);
	}
	for (size_t i = 0; link_at(c, i, link); i++)
		if (link[0])
			want(all, owner, 'v', link);
	for (size_t i = 0; i < c->interfaces.n; i++)
		want(all, owner, 'i', c->interfaces.v[i]);
}

static int compare_wants(const void *a, const void *b)
{
	return strcmp(((const struct want *)a)->text, ((const struct want *)b)->text);
}

int lint_rivals(const struct container *const *v, size_t n, bool *ret)
{
	CLEANUP(free_p) struct want *sorted = NULL;
	struct wants all = { 0 };
	size_t most = 1;

	for (size_t i = 0; i < n; i++)
		most += wants_at_most(v[i]);
	all.v = sorted = calloc(most, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		add_wants(&all, i, v[i]);
	qsort(sorted, all.n, sizeof(*sorted), compare_wants);
	memset(ret, 0, n * sizeof(*ret));
	for (size_t i = 1; i < all.n; i++)
		if (sorted[i].owner != sorted[i - 1].owner && compare_wants(&sorted[i], &sorted[i - 1]) == 0)
			ret[sorted[i].owner] = ret[sorted[i - 1].owner] = true;
	return 0;
}

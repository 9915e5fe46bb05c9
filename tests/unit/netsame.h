/* netsame - whether two maps of the network say the same. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "words/netmap.h"

static inline void netsame_addr(struct buf *to, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE];

	addr_print(a, true, text);
	buf_addf(to, " %s", *text ? text : "-");
}

/* netsame_text - a space as lines, without what counts by itself. */
static inline void netsame_text(const struct netmap_space *s, struct buf *to)
{
	buf_addf(to, "space '%s' %d shares %d\n", s->machine, s->netnsid, s->shares_host);
	for (size_t i = 0; i < s->n_links; i++) {
		const struct netmap_link *l = &s->links[i];

		buf_addf(to,
		         "link %d %s %s up %d carrier %d master %d peer %d %d %d mtu %u flaps %u mac "
		         "%02x%02x%02x",
		         l->index, l->name, l->kind, l->up, l->carrier, l->master, l->peer, l->peer_is_here,
		         l->netnsid, l->mtu, l->flaps, l->mac[3], l->mac[4], l->mac[5]);
		for (size_t k = 0; k < l->altnames.n; k++)
			buf_addf(to, " %s", l->altnames.v[k]);
		buf_puts(to, "\n");
	}
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct netmap_address *a = &s->addresses[i];

		buf_addf(to, "address %d", a->link);
		netsame_addr(to, &a->addr);
		netsame_addr(to, &a->peer);
		buf_addf(to, " scope %u tentative %d dadfailed %d permanent %d\n", a->scope, a->tentative,
		         a->dadfailed, a->permanent);
	}
	for (size_t i = 0; i < s->n_routes; i++) {
		const struct netmap_route *r = &s->routes[i];

		buf_puts(to, "route");
		netsame_addr(to, &r->to);
		netsame_addr(to, &r->gateway);
		netsame_addr(to, &r->source);
		buf_addf(to, " link %d metric %u protocol %u type %u tos %u\n", r->link, r->metric,
		         r->protocol, r->type, r->tos);
	}
	buf_addf(to, "forward %d %d rp_filter %d\n", s->sysctls.forward4, s->sysctls.forward6,
	         s->sysctls.rp_filter);
}

/* netsame - "" when they say the same, else the first line that differs in both. */
static inline void netsame(const struct netmap *a, const struct netmap *b, char *ret, size_t size)
{
	struct buf one = { 0 }, other = { 0 };
	const char *x, *y;

	for (size_t i = 0; i < a->n; i++)
		netsame_text(&a->v[i], &one);
	for (size_t i = 0; i < b->n; i++)
		netsame_text(&b->v[i], &other);
	x = buf_text(&one), y = buf_text(&other);
	while (*x && strcspn(x, "\n") == strcspn(y, "\n") && strncmp(x, y, strcspn(x, "\n")) == 0)
		x += strcspn(x, "\n") + 1, y += strcspn(y, "\n") + 1;
	ret[0] = '\0';
	if (*x || *y)
		(void)snprintf(ret, size, "'%.*s' and '%.*s'", (int)strcspn(x, "\n"), x,
		               (int)strcspn(y, "\n"), y);
	buf_done(&one);
	buf_done(&other);
}

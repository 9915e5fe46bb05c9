/* netmap_change - one namespace of a netmap changed piece by piece, as events tell; its arrays stay sorted. Pure.
 *
 * netmap_add_ appends without order, for a dump: netmap_sort() ends it. False: out of memory; what was there stays. */
#pragma once

#include "words/netmap.h"

bool netmap_add_link(struct netmap_space *s,
                     struct netmap_link *l); /* takes what l owns, which is zeroed then */
bool netmap_add_address(struct netmap_space *s, const struct netmap_address *a);
bool netmap_add_route(struct netmap_space *s, const struct netmap_route *r);
void netmap_sort(struct netmap_space *s);

/* netmap_put_link - it is new, or takes the place of the one with its index, of which it keeps what the kernel
 * does not tell with it: traffic, manager, speed.
 * netmap_drop_link - with its addresses and routes. */
bool netmap_put_link(struct netmap_space *s, struct netmap_link *l);
void netmap_drop_link(struct netmap_space *s, int index);

bool netmap_put_address(struct netmap_space *s, const struct netmap_address *a);
/* netmap_drop_address - and what the kernel takes away with it without a word (linux net/ipv4/fib_frontend.c,
 * fib_sync_down_addr, fib_disable_ip): when the space has it on no other link, the IPv4 routes that preferred it; when it
 * was the link's last IPv4 address, the IPv4 routes over that link. */
void netmap_drop_address(struct netmap_space *s, const struct netmap_address *a);

bool netmap_put_route(struct netmap_space *s, const struct netmap_route *r);
void netmap_drop_route(struct netmap_space *s, const struct netmap_route *r);
/* netmap_drop_rivals - routes to the same destination with the same metric: what a replacing route replaces. Returns
 * how many. */
size_t netmap_drop_rivals(struct netmap_space *s, const struct netmap_route *r);
/* netmap_drop_routes_of - the IPv4 routes over a link that went down: the kernel says nothing of them either. */
void netmap_drop_routes_of(struct netmap_space *s, int link);

/* netmap_forget_links, netmap_forget_routes, netmap_forget_listeners - before they are read anew. */
void netmap_forget_links(struct netmap_space *s);
void netmap_forget_routes(struct netmap_space *s);
void netmap_forget_listeners(struct netmap_space *s);

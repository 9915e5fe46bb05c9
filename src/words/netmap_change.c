#include "words/netmap_change.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int compare_fn(const void *a, const void *b);

static int compare(long a, long b)
{
	return (a > b) - (a < b);
}

static int by_index(const void *a, const void *b)
{
	return compare(((const struct netmap_link *)a)->index, ((const struct netmap_link *)b)->index);
}

static int by_addr(const struct addr *a, const struct addr *b)
{
	int r = compare(a->family, b->family); /* AF_INET is the smaller one */

	if (r == 0)
		r = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return r;
}

static int by_link_and_address(const void *x, const void *y)
{
	const struct netmap_address *a = x, *b = y;
	int r = compare(a->link, b->link);

	if (r == 0)
		r = by_addr(&a->addr, &b->addr);
	if (r == 0)
		r = compare(a->addr.prefix, b->addr.prefix);
	return r != 0 ? r : by_addr(&a->peer, &b->peer);
}

/* What a replacing route is compared by. */
static int by_destination(const struct netmap_route *a, const struct netmap_route *b)
{
	int r = by_addr(&a->to, &b->to);

	if (r == 0)
		r = compare(b->to.prefix, a->to.prefix);
	if (r == 0)
		r = compare(a->metric, b->metric);
	return r != 0 ? r : compare(a->tos, b->tos);
}

static int by_route(const void *x, const void *y)
{
	const struct netmap_route *a = x, *b = y;
	int r = by_destination(a, b);

	if (r == 0)
		r = compare(a->link, b->link);
	if (r == 0)
		r = by_addr(&a->gateway, &b->gateway);
	return r != 0 ? r : compare(a->type, b->type);
}

/* ---- sorted arrays */

/* Room for one more of n items: an array is full at every power of two. */
static void *room(void *v, size_t n, size_t item)
{
	return n & (n - 1) ? v : reallocarray(v, n ? 2 * n : 1, item);
}

static bool append(void *array, size_t *n, const void *item, size_t size)
{
	void **v = array;
	char *grown = room(*v, *n, size);

	if (!grown)
		return false;
	*v = grown;
	memcpy(grown + *n * size, item, size);
	++*n;
	return true;
}

/* Where it is, or belongs. */
static size_t place(const void *v, size_t n, const void *item, size_t size, compare_fn *by)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by((const char *)v + middle * size, item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const void *v, size_t n, size_t i, const void *item, size_t size, compare_fn *by)
{
	return i < n && by((const char *)v + i * size, item) == 0;
}

/* In the place of its equal, or between others. */
static bool put(void *array, size_t *n, const void *item, size_t size, compare_fn *by)
{
	void **v = array;
	size_t i = place(*v, *n, item, size, by);

	if (!is_at(*v, *n, i, item, size, by)) {
		if (!append(array, n, item, size))
			return false;
		memmove((char *)*v + (i + 1) * size, (char *)*v + i * size, (*n - 1 - i) * size);
	}
	memcpy((char *)*v + i * size, item, size);
	return true;
}

static void take_out(void *v, size_t *n, size_t i, size_t count, size_t size)
{
	memmove((char *)v + i * size, (char *)v + (i + count) * size, (*n - i - count) * size);
	*n -= count;
}

/* What came twice, since it changed while it was read, is there once. */
static void unite_links(struct netmap_space *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_links; i++) {
		if (kept > 0 && s->links[kept - 1].index == s->links[i].index)
			netmap_link_done(&s->links[--kept]);
		if (kept != i)
			s->links[kept] = s->links[i];
		kept++;
	}
	s->n_links = kept;
}

static void unite(void *v, size_t *n, size_t size, compare_fn *by)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (kept > 0 && by((char *)v + (kept - 1) * size, (char *)v + i * size) == 0)
			kept--;
		if (kept != i)
			memcpy((char *)v + kept * size, (char *)v + i * size, size);
		kept++;
	}
	*n = kept;
}

static void sort(void *v, size_t n, size_t size, compare_fn *by)
{
	for (size_t i = 1; i < n; i++)
		if (by((const char *)v + (i - 1) * size, (const char *)v + i * size) > 0) {
			qsort(v, n, size, by);
			return;
		}
}

void netmap_sort(struct netmap_space *s)
{
	sort(s->links, s->n_links, sizeof(*s->links), by_index);
	sort(s->addresses, s->n_addresses, sizeof(*s->addresses), by_link_and_address);
	sort(s->routes, s->n_routes, sizeof(*s->routes), by_route);
	unite_links(s);
	unite(s->addresses, &s->n_addresses, sizeof(*s->addresses), by_link_and_address);
	unite(s->routes, &s->n_routes, sizeof(*s->routes), by_route);
}

/* ---- links */

bool netmap_add_link(struct netmap_space *s, struct netmap_link *l)
{
	if (!append(&s->links, &s->n_links, l, sizeof(*l)))
		return false;
	*l = (struct netmap_link){ 0 };
	return true;
}

bool netmap_put_link(struct netmap_space *s, struct netmap_link *l)
{
	size_t i = place(s->links, s->n_links, l, sizeof(*l), by_index);

	if (is_at(s->links, s->n_links, i, l, sizeof(*l), by_index)) {
		struct netmap_link *old = &s->links[i];

		l->rx = old->rx, l->tx = old->tx, l->drops = old->drops, l->errors = old->errors;
		l->rx_rate = old->rx_rate, l->tx_rate = old->tx_rate;
		l->manager = old->manager, l->speed = old->speed;
		netmap_link_done(old);
		*old = *l;
	} else if (!put(&s->links, &s->n_links, l, sizeof(*l), by_index)) {
		return false;
	}
	*l = (struct netmap_link){ 0 };
	return true;
}

/* The first address of a link, as a key: nothing is smaller. */
static size_t first_address(const struct netmap_space *s, int link)
{
	const struct netmap_address key = { .link = link };

	return place(s->addresses, s->n_addresses, &key, sizeof(key), by_link_and_address);
}

static void drop_routes(struct netmap_space *s, bool (*goes)(const struct netmap_route *r, const void *arg),
                        const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_routes; i++)
		if (!goes(&s->routes[i], arg)) {
			if (kept != i)
				s->routes[kept] = s->routes[i];
			kept++;
		}
	s->n_routes = kept;
}

static bool is_over(const struct netmap_route *r, const void *link)
{
	return r->link == *(const int *)link;
}

static bool is_over_in_v4(const struct netmap_route *r, const void *link)
{
	return r->to.family == AF_INET && is_over(r, link);
}

void netmap_drop_link(struct netmap_space *s, int index)
{
	const struct netmap_link key = { .index = index };
	size_t i = place(s->links, s->n_links, &key, sizeof(key), by_index), first, end;

	if (!is_at(s->links, s->n_links, i, &key, sizeof(key), by_index))
		return;
	netmap_link_done(&s->links[i]);
	take_out(s->links, &s->n_links, i, 1, sizeof(*s->links));
	first = end = first_address(s, index);
	while (end < s->n_addresses && s->addresses[end].link == index)
		end++;
	if (end > first)
		take_out(s->addresses, &s->n_addresses, first, end - first, sizeof(*s->addresses));
	drop_routes(s, is_over, &index);
}

void netmap_drop_routes_of(struct netmap_space *s, int link)
{
	drop_routes(s, is_over_in_v4, &link);
}

/* ---- addresses */

bool netmap_add_address(struct netmap_space *s, const struct netmap_address *a)
{
	return append(&s->addresses, &s->n_addresses, a, sizeof(*a));
}

bool netmap_put_address(struct netmap_space *s, const struct netmap_address *a)
{
	return put(&s->addresses, &s->n_addresses, a, sizeof(*a), by_link_and_address);
}

static bool prefers(const struct netmap_route *r, const void *arg)
{
	const struct addr *source = arg;

	return r->source.family == source->family && addr_same(&r->source, source);
}

static bool has_ipv4(const struct netmap_space *s, int link)
{
	const struct netmap_address *first = netmap_next_address(s, link, NULL);

	return first && first->addr.family == AF_INET; /* those go first */
}

void netmap_drop_address(struct netmap_space *s, const struct netmap_address *a)
{
	size_t i = place(s->addresses, s->n_addresses, a, sizeof(*a), by_link_and_address);

	if (!is_at(s->addresses, s->n_addresses, i, a, sizeof(*a), by_link_and_address))
		return;
	take_out(s->addresses, &s->n_addresses, i, 1, sizeof(*s->addresses));
	if (a->addr.family != AF_INET)
		return;
	if (!netmap_has_address(s, &a->addr))
		drop_routes(s, prefers, &a->addr);
	if (!has_ipv4(s, a->link))
		drop_routes(s, is_over_in_v4, &a->link);
}

/* ---- routes */

bool netmap_add_route(struct netmap_space *s, const struct netmap_route *r)
{
	return append(&s->routes, &s->n_routes, r, sizeof(*r));
}

bool netmap_put_route(struct netmap_space *s, const struct netmap_route *r)
{
	return put(&s->routes, &s->n_routes, r, sizeof(*r), by_route);
}

void netmap_drop_route(struct netmap_space *s, const struct netmap_route *r)
{
	size_t i = place(s->routes, s->n_routes, r, sizeof(*r), by_route);

	if (is_at(s->routes, s->n_routes, i, r, sizeof(*r), by_route))
		take_out(s->routes, &s->n_routes, i, 1, sizeof(*s->routes));
}

size_t netmap_drop_rivals(struct netmap_space *s, const struct netmap_route *r)
{
	struct netmap_route key = { .to = r->to, .metric = r->metric, .tos = r->tos };
	size_t first = place(s->routes, s->n_routes, &key, sizeof(key), by_route), end = first;

	while (end < s->n_routes && by_destination(&s->routes[end], r) == 0)
		end++;
	if (end > first)
		take_out(s->routes, &s->n_routes, first, end - first, sizeof(*s->routes));
	return end - first;
}

/* ---- before they are read anew */

void netmap_forget_links(struct netmap_space *s)
{
	for (size_t i = 0; i < s->n_links; i++)
		netmap_link_done(&s->links[i]);
	free(s->links);
	free(s->addresses);
	free(s->no_links);
	s->links = NULL, s->addresses = NULL, s->no_links = NULL;
	s->n_links = s->n_addresses = 0;
}

void netmap_forget_routes(struct netmap_space *s)
{
	free(s->routes);
	free(s->no_routes);
	s->routes = NULL, s->no_routes = NULL;
	s->n_routes = 0;
}

void netmap_forget_listeners(struct netmap_space *s)
{
	free(s->listeners);
	free(s->no_listeners);
	s->listeners = NULL, s->no_listeners = NULL;
	s->n_listeners = 0;
}

/* nl - netlink: requests written into a batch and sent at once, answers matched by number, dumps that do not
 * lie. The only door to libmnl; the kernel's own words (NETLINK_EXT_ACK) come with every refusal. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* ---- writing requests: needs no socket */

struct nl_batch {
	char *data; /* lent by the caller, aligned to 4 bytes */
	size_t size, used;
	uint32_t n;            /* complete requests */
	struct nlmsghdr *open; /* the one being written */
	bool bad;              /* sticky: something did not fit, so the batch can not be sent */
};

#define NL_ONCE_(name, line) name##line
#define NL_ONCE(name, line)  NL_ONCE_(name, line)

/* NL_MSG - open a request and close it after the block; head is the family's fixed header (a variable).
 * NL_NEST - open an attribute that holds the block's attributes. */
#define NL_MSG(b, type, flags, head)                                                                         \
	for (bool NL_ONCE(msg_, __LINE__) = nl_begin(b, type, flags, &(head), sizeof(head));                 \
	     NL_ONCE(msg_, __LINE__); NL_ONCE(msg_, __LINE__) = nl_end(b))
#define NL_NEST(b, type)                                                                                     \
	for (void *NL_ONCE(nest_, __LINE__) = nl_nest(b, type); NL_ONCE(nest_, __LINE__);                    \
	     NL_ONCE(nest_, __LINE__) = nl_nest_end(b, NL_ONCE(nest_, __LINE__)))

bool nl_begin(struct nl_batch *b, uint16_t type, uint16_t flags, const void *head, size_t len);
bool nl_end(struct nl_batch *b);
void *nl_nest(struct nl_batch *b, uint16_t type);
void *nl_nest_end(struct nl_batch *b, void *nest);
void nl_raw(struct nl_batch *b, uint16_t type, const void *bytes, size_t len);
void nl_u32(struct nl_batch *b, uint16_t type, uint32_t value);
void nl_str(struct nl_batch *b, uint16_t type, const char *text);

/* ---- asking the kernel */

struct nl {
	int fd;
	uint32_t seq; /* of the request sent last */
};

/* nl_open - a socket for requests on NETLINK_ROUTE, NETLINK_NETFILTER... Waits at most 2 s for an answer. */
int nl_open(int bus, struct nl *ret, struct err *e);
/* nl_open_in - the same in the network namespace that netns (a descriptor) is, where the socket stays. Needs
 * CAP_SYS_ADMIN. A thread of its own steps over there, so that the caller's can not be left behind. */
int nl_open_in(int netns, int bus, struct nl *ret, struct err *e);
void nl_close(struct nl *nl);

struct nl_answer {
	bool here;      /* an acknowledgement came (requests without NLM_F_ACK get none) */
	int error;      /* 0, or a positive errno */
	char text[128]; /* the kernel's words, or strerror(error); "" when there is no error */
};

/* Called for each message that answers request i (from 0) and is no acknowledgement; a negative return makes
 * the whole call fail with that, after all was received. */
typedef int nl_data_fn(const struct nlmsghdr *m, uint32_t i, void *arg);

/* nl_commit - send the batch with one sendmsg and receive until its last request with NLM_F_ACK is
 * acknowledged.
 *
 * answers  b->n of them, by request; data may be NULL
 * returns  0 when the kernel answered, whatever it answered. Requests are executed in order; a refused one
 *          does not stop those after it.
 * errors   -ENOBUFS (the batch overflowed, or answers were lost), -ETIMEDOUT, socket errors */
int nl_commit(struct nl *nl, struct nl_batch *b, struct nl_answer *answers, nl_data_fn *data, void *arg,
              struct err *e);

/* Called for each message of a dump; with NULL when the dump starts again and what was collected is void. */
typedef int nl_dump_fn(const struct nlmsghdr *m, void *arg);

/* nl_dump - send the batch's only request (with NLM_F_DUMP) and receive until NLMSG_DONE, whose error counts
 * too. A dump that was interrupted by a change is asked again, 5 times at most, then -EAGAIN
 * (STATUS_BUSY); each has seen all of the last try then, in which something may be missing or twice. */
int nl_dump(struct nl *nl, struct nl_batch *b, nl_dump_fn *each, void *arg, struct err *e);

/* nl_monitor - a non-blocking socket that hears these groups (RTNLGRP_...), for a loop.
 * everywhere  also those of namespaces that have an id here, where privileges suffice
 *
 * nl_events - read what is there, but 10,000 at most; each gets the namespace's id, -1 for our own. -ENOBUFS: events were lost,
 * so all must be asked anew; the socket goes on. */
typedef void nl_event_fn(const struct nlmsghdr *m, int netnsid, void *arg);
int nl_monitor(int bus, const unsigned *groups, size_t n, bool everywhere, struct nl *ret, struct err *e);
int nl_events(struct nl *nl, nl_event_fn *each, void *arg, struct err *e);

/* ---- reading attributes: never past the message, whatever it says */

/* nl_attrs - sort a message's attributes behind its head bytes by type into ret[0..max]; unknown ones are
 * skipped.
 * nl_nested - the same for an attribute's own; a NULL one has none. */
void nl_attrs(const struct nlmsghdr *m, size_t head, const struct nlattr **ret, uint16_t max);
void nl_nested(const struct nlattr *a, const struct nlattr **ret, uint16_t max);
/* nl_attrs_of - the same for attributes that stand in other bytes. */
void nl_attrs_of(const void *bytes, size_t len, const struct nlattr **ret, uint16_t max);
/* nl_each - call each for the attribute's own, in order, repeated types too, until one returns not 0. */
typedef int nl_attr_fn(const struct nlattr *a, uint16_t type, void *arg);
int nl_each(const struct nlattr *a, nl_attr_fn *each, void *arg);
/* nl_head - the message's fixed header; NULL when it is shorter than len. */
const void *nl_head(const struct nlmsghdr *m, size_t len);
/* nl_bytes - the attribute's payload if it is there and holds at least len bytes, else NULL. */
const void *nl_bytes(const struct nlattr *a, size_t len);
size_t nl_len(const struct nlattr *a);
uint32_t nl_get_u32(const struct nlattr *a, uint32_t otherwise);
/* nl_text - copy an attribute's text, which may lack its NUL, cut to size; "" when it is not there. */
void nl_text(const struct nlattr *a, char *ret, size_t size);

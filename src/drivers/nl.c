#include "drivers/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define RECEIVE_SIZE 32768 /* the kernel's largest part of a dump */
#define DUMP_TRIES   5
#define EVENTS_MAX   10000 /* in one call: some guest may make them faster than they are read */

/* Everything in netlink starts at a multiple of 4. */
static size_t aligned(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

bool nl_begin(struct nl_batch *b, uint16_t type, uint16_t flags, const void *head, size_t len)
{
	if (b->bad || b->size - b->used < NLMSG_HDRLEN + aligned(len)) {
		b->bad = true;
		return false;
	}
	b->open = mnl_nlmsg_put_header(b->data + b->used);
	b->open->nlmsg_type = type;
	b->open->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	memcpy(mnl_nlmsg_put_extra_header(b->open, len), head, len);
	return true;
}

bool nl_end(struct nl_batch *b)
{
	if (!b->bad) {
		b->used += aligned(b->open->nlmsg_len);
		b->n++;
	}
	b->open = NULL;
	return false;
}

void *nl_nest(struct nl_batch *b, uint16_t type)
{
	void *nest = b->bad ? NULL : mnl_attr_nest_start_check(b->open, b->size - b->used, type);

	b->bad = b->bad || !nest;
	return nest;
}

void *nl_nest_end(struct nl_batch *b, void *nest)
{
	mnl_attr_nest_end(b->open, nest);
	return NULL;
}

void nl_raw(struct nl_batch *b, uint16_t type, const void *bytes, size_t len)
{
	size_t padding = aligned(len) - len;

	b->bad = b->bad || !mnl_attr_put_check(b->open, b->size - b->used, type, len, bytes);
	if (!b->bad) /* libmnl before 1.0.5 leaves there what was in memory */
		memset((char *)b->open + b->open->nlmsg_len - padding, 0, padding);
}

void nl_u32(struct nl_batch *b, uint16_t type, uint32_t value)
{
	nl_raw(b, type, &value, sizeof(value));
}

void nl_str(struct nl_batch *b, uint16_t type, const char *text)
{
	nl_raw(b, type, text, strlen(text) + 1);
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int nl_open(int bus, struct nl *ret, struct err *e)
{
	const struct timeval wait = { .tv_sec = 2 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, bus);

	if (fd < 0)
		return err_sys(e, errno, "cannot open a netlink socket");
	(void)set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	(void)set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	(void)set_option(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20); /* for the answers to a large batch */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	*ret = (struct nl){ .fd = fd };
	return 0;
}

struct opening {
	int netns, bus, r;
	struct nl nl;
	struct err e;
};

static void *open_there(void *arg)
{
	struct opening *o = arg;

	if (setns(o->netns, CLONE_NEWNET) < 0)
		o->r = err_sys(&o->e, errno, "cannot enter a network namespace");
	else
		o->r = nl_open(o->bus, &o->nl, &o->e);
	return NULL;
}

int nl_open_in(int netns, int bus, struct nl *ret, struct err *e)
{
	struct opening o = { .netns = netns, .bus = bus };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, open_there, &o);

	if (r > 0)
		return err_sys(e, r, "cannot start a thread");
	(void)pthread_join(thread, NULL);
	if (o.r < 0 && e)
		*e = o.e;
	if (o.r == 0)
		*ret = o.nl;
	return o.r;
}

void nl_close(struct nl *nl)
{
	if (nl->fd > 0)
		close(nl->fd);
	*nl = (struct nl){ .fd = -1 };
}

static int send_batch(const struct nl *nl, const struct nl_batch *b, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do
		n = sendto(nl->fd, b->data, b->used, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(e, errno, "cannot send a netlink request") : 0;
}

/* One datagram of the kernel's; those of other senders are dropped. -EAGAIN: there is none. */
static int receive(const struct nl *nl, char *buf, size_t size, size_t *ret_len, int *ret_netnsid)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = buf, .iov_len = size };
	struct sockaddr_nl from;
	struct msghdr h;
	ssize_t n;

	do {
		from = (struct sockaddr_nl){ 0 };
		h = (struct msghdr){ .msg_name = &from,
			             .msg_namelen = sizeof(from),
			             .msg_iov = &part,
			             .msg_iovlen = 1,
			             .msg_control = control,
			             .msg_controllen = sizeof(control) };
		n = recvmsg(nl->fd, &h, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return -errno;
	if (h.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	*ret_len = (size_t)n;
	*ret_netnsid = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(ret_netnsid, CMSG_DATA(c), sizeof(*ret_netnsid));
	return 0;
}

static int receive_answer(const struct nl *nl, char *buf, size_t size, size_t *ret_len, struct err *e)
{
	int netnsid, r = receive(nl, buf, size, ret_len, &netnsid);

	if (r == -EAGAIN)
		return err_set(e, STATUS_DEADLINE, ETIMEDOUT,
		               "the kernel did not answer a netlink request within 2 s");
	return r < 0 ? err_sys(e, -r, "cannot receive the kernel's answer by netlink") : 0;
}

/* An acknowledgement: error, the request's header, the request's rest unless capped, then texts (facts
 * 6.5). */
static void read_ack(const struct nlmsghdr *m, struct nl_answer *a)
{
	const struct nlmsgerr *head = nl_head(m, sizeof(*head));
	const struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1] = { 0 };
	size_t skip = sizeof(*head);

	*a = (struct nl_answer){ .here = true, .error = head ? -head->error : EBADMSG };
	if (a->error == 0)
		return;
	if (head && !(m->nlmsg_flags & NLM_F_CAPPED) && head->msg.nlmsg_len >= sizeof(head->msg))
		skip += aligned(head->msg.nlmsg_len - sizeof(head->msg));
	if (head && (m->nlmsg_flags & NLM_F_ACK_TLVS) && skip <= m->nlmsg_len)
		nl_attrs(m, skip, attrs, NLMSGERR_ATTR_MAX);
	nl_text(attrs[NLMSGERR_ATTR_MSG], a->text, sizeof(a->text));
	if (!a->text[0])
		(void)snprintf(a->text, sizeof(a->text), "%s", strerror(a->error));
}

/* The kernel's numbers start after those of former requests, so that late answers to them are known as
 * such. */
static void number(struct nl *nl, const struct nl_batch *b)
{
	for (size_t at = 0; at < b->used;) {
		struct nlmsghdr *m = (struct nlmsghdr *)(void *)(b->data + at);

		m->nlmsg_seq = ++nl->seq;
		at += aligned(m->nlmsg_len);
	}
}

/* Whether all answers came that will: acknowledgements come in order, so the last one asked for. A request
 * that asked for none has one only when the whole batch was refused by its first (nfnetlink). */
static bool answered(const struct nl_batch *b, const struct nl_answer *answers)
{
	bool all = true;
	uint32_t i = 0;

	for (size_t at = 0; at < b->used; i++) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)(b->data + at);

		if (m->nlmsg_flags & NLM_F_ACK)
			all = answers[i].here;
		else if (answers[i].here)
			return true;
		at += aligned(m->nlmsg_len);
	}
	return all;
}

/* What is done with one message of an answer: 0 to go on, 1 when it was the last, or negative errno. */
typedef int message_fn(const struct nlmsghdr *m, void *arg, struct err *e);

/* The messages of the next datagram, until one ends it; returns what `each` returned last. */
static int receive_messages(const struct nl *nl, message_fn *each, void *arg, struct err *e)
{
	_Alignas(struct nlmsghdr) char buf[RECEIVE_SIZE];
	const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)buf;
	size_t len = 0;
	int r = receive_answer(nl, buf, sizeof(buf), &len, e);

	for (int left = (int)len; r == 0 && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		r = each(m, arg, e);
	return r;
}

struct commit {
	const struct nl_batch *batch;
	uint32_t first;
	struct nl_answer *answers;
	nl_data_fn *data;
	void *arg;
	int failed; /* what data returned */
};

static int on_answer(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct commit *c = arg;
	uint32_t i = m->nlmsg_seq - c->first;

	(void)e;
	if (i >= c->batch->n)
		return 0;
	if (m->nlmsg_type == NLMSG_ERROR)
		read_ack(m, &c->answers[i]);
	else if (c->data && c->failed == 0)
		c->failed = c->data(m, i, c->arg);
	return 0;
}

int nl_commit(struct nl *nl, struct nl_batch *b, struct nl_answer *answers, nl_data_fn *data, void *arg,
              struct err *e)
{
	struct commit c = { b, nl->seq + 1, answers, data, arg, 0 };
	int r;

	if (b->bad)
		return err_set(e, STATUS_BUG, ENOBUFS, "a netlink batch of %zu bytes is too small", b->size);
	if (b->n == 0)
		return 0;
	memset(answers, 0, b->n * sizeof(*answers));
	number(nl, b);
	r = send_batch(nl, b, e);
	while (r == 0 && !answered(b, answers))
		r = receive_messages(nl, on_answer, &c, e);
	if (r == 0 && c.failed < 0)
		r = err_sys(e, -c.failed, "cannot read the kernel's answer by netlink");
	return r;
}

/* The error at the end of a dump; libmnl does not look at it (facts 6.5). */
static int done_error(const struct nlmsghdr *m)
{
	const int32_t *error = nl_head(m, sizeof(*error));

	return error && *error < 0 ? *error : 0;
}

struct dump {
	uint32_t seq;
	nl_dump_fn *each;
	void *arg;
	int failed;       /* what each returned */
	bool interrupted; /* the tables changed while they were read */
};

static int on_dumped(const struct nlmsghdr *m, void *arg, struct err *e)
{
	struct dump *d = arg;
	struct nl_answer refusal;
	int r;

	if (m->nlmsg_seq != d->seq)
		return 0;
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		d->interrupted = true;
	if (m->nlmsg_type == NLMSG_ERROR) {
		read_ack(m, &refusal);
		return err_set(e, err_status_of(refusal.error), refusal.error,
		               "the kernel refused a netlink dump: %s", refusal.text);
	}
	if (m->nlmsg_type == NLMSG_DONE) {
		r = d->failed < 0 ? d->failed : done_error(m);
		return r < 0 ? err_sys(e, -r, "cannot read a netlink dump") : 1;
	}
	if (d->failed == 0)
		d->failed = d->each(m, d->arg);
	return 0;
}

/* One try. */
static int dump_once(struct nl *nl, struct nl_batch *b, nl_dump_fn *each, void *arg, bool *ret_interrupted,
                     struct err *e)
{
	struct dump d = { .each = each, .arg = arg };
	int r;

	number(nl, b);
	d.seq = nl->seq;
	r = send_batch(nl, b, e);
	while (r == 0)
		r = receive_messages(nl, on_dumped, &d, e);
	*ret_interrupted = d.interrupted;
	return r < 0 ? r : 0;
}

int nl_dump(struct nl *nl, struct nl_batch *b, nl_dump_fn *each, void *arg, struct err *e)
{
	if (b->bad || b->n != 1)
		return err_set(e, STATUS_BUG, ENOBUFS, "a netlink dump's request does not fit");
	for (int i = 0; i < DUMP_TRIES; i++) {
		bool interrupted;
		int r = dump_once(nl, b, each, arg, &interrupted, e);

		if (r < 0 || !interrupted)
			return r;
		if (i + 1 < DUMP_TRIES)
			(void)each(NULL, arg);
	}
	return err_set(e, STATUS_BUSY, EAGAIN, "the network kept changing while it was read");
}

int nl_monitor(int bus, const unsigned *groups, size_t n, bool everywhere, struct nl *ret, struct err *e)
{
	struct sockaddr_nl us = { .nl_family = AF_NETLINK };
	struct nl nl = { .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus) };
	int r;

	if (nl.fd < 0)
		return err_sys(e, errno, "cannot open a netlink socket");
	/* A burst of 300 containers is 8600 messages (facts 6.3); without privileges rmem_max is the
	 * limit. */
	if (set_option(nl.fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20) < 0)
		(void)set_option(nl.fd, SOL_SOCKET, SO_RCVBUF, 8 << 20);
	if (everywhere)
		(void)set_option(nl.fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1);
	r = bind(nl.fd, (struct sockaddr *)&us, sizeof(us)) < 0 ? -errno : 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = set_option(nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, (int)groups[i]);
	if (r < 0) {
		nl_close(&nl);
		return err_sys(e, -r, "cannot listen to the kernel's network events");
	}
	*ret = nl;
	return 0;
}

int nl_events(struct nl *nl, nl_event_fn *each, void *arg, struct err *e)
{
	_Alignas(struct nlmsghdr) char buf[RECEIVE_SIZE];

	for (int i = 0; i < EVENTS_MAX; i++) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)buf;
		int netnsid = -1, left, r;
		size_t len = 0;

		r = receive(nl, buf, sizeof(buf), &len, &netnsid);
		if (r == -EAGAIN)
			return 0;
		if (r < 0)
			return err_sys(e, -r, "cannot receive the kernel's network events");
		for (left = (int)len; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			each(m, netnsid, arg);
	}
	return 0;
}

static int each_of(const char *bytes, size_t len, nl_attr_fn *each, void *arg)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < len;) {
		const struct nlattr *a = (const struct nlattr *)(const void *)(bytes + at);

		if (!mnl_attr_ok(a, (int)(len - at)))
			return 0;
		r = each(a, mnl_attr_get_type(a), arg);
		at += aligned(a->nla_len);
	}
	return r;
}

int nl_each(const struct nlattr *a, nl_attr_fn *each, void *arg)
{
	return a ? each_of(mnl_attr_get_payload(a), nl_len(a), each, arg) : 0;
}

static void clear(const struct nlattr **v, uint16_t max)
{
	for (size_t i = 0; i <= max; i++)
		v[i] = NULL;
}

struct sorted {
	const struct nlattr **v;
	uint16_t max;
};

static int sort_in(const struct nlattr *a, uint16_t type, void *arg)
{
	const struct sorted *to = arg;

	if (type <= to->max)
		to->v[type] = a;
	return 0;
}

void nl_attrs(const struct nlmsghdr *m, size_t head, const struct nlattr **ret, uint16_t max)
{
	size_t len = mnl_nlmsg_get_payload_len(m), start = aligned(head);
	struct sorted to = { ret, max };

	clear(ret, max);
	if (start < len)
		each_of((const char *)mnl_nlmsg_get_payload(m) + start, len - start, sort_in, &to);
}

void nl_nested(const struct nlattr *a, const struct nlattr **ret, uint16_t max)
{
	struct sorted to = { ret, max };

	clear(ret, max);
	(void)nl_each(a, sort_in, &to);
}

void nl_attrs_of(const void *bytes, size_t len, const struct nlattr **ret, uint16_t max)
{
	struct sorted to = { ret, max };

	clear(ret, max);
	(void)each_of(bytes, len, sort_in, &to);
}

const void *nl_head(const struct nlmsghdr *m, size_t len)
{
	return mnl_nlmsg_get_payload_len(m) >= len ? mnl_nlmsg_get_payload(m) : NULL;
}

const void *nl_bytes(const struct nlattr *a, size_t len)
{
	return nl_len(a) >= len ? mnl_attr_get_payload(a) : NULL;
}

size_t nl_len(const struct nlattr *a)
{
	return a ? mnl_attr_get_payload_len(a) : 0;
}

uint32_t nl_get_u32(const struct nlattr *a, uint32_t otherwise)
{
	uint32_t value;

	if (nl_len(a) < sizeof(value))
		return otherwise;
	memcpy(&value, mnl_attr_get_payload(a), sizeof(value));
	return value;
}

void nl_text(const struct nlattr *a, char *ret, size_t size)
{
	size_t len = nl_len(a) < size ? nl_len(a) : size - 1;

	len = len > 0 ? strnlen(mnl_attr_get_payload(a), len) : 0;
	if (len > 0)
		memcpy(ret, mnl_attr_get_payload(a), len);
	ret[len] = '\0';
}

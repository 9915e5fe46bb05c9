/* Trying: from the host, to an address of its own, as a client of the host would. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/doctor_read.h"

#define DEADLINE_MS 1000
#define AT_ONCE     64

static enum doctor_connect outcome(int errnum)
{
	if (errnum == 0)
		return DOCTOR_CONNECTED;
	if (errnum == ECONNREFUSED || errnum == ECONNRESET)
		return DOCTOR_REFUSED;
	return errnum == ETIMEDOUT ? DOCTOR_TIMED_OUT : DOCTOR_UNREACHABLE;
}

static int begin(const struct doctor_try *t)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(t->port) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(t->port) };
	int fd = socket(t->to.family, (t->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(&to4.sin_addr, t->to.bytes, sizeof(to4.sin_addr));
	memcpy(&to6.sin6_addr, t->to.bytes, sizeof(to6.sin6_addr));
	if (t->to.family == AF_INET6)
		(void)connect(fd, (const struct sockaddr *)&to6, sizeof(to6));
	else
		(void)connect(fd, (const struct sockaddr *)&to4, sizeof(to4));
	if (t->udp)
		(void)send(fd, "", 0, 0);
	return fd; /* whatever came of it, the socket tells */
}

static void end(struct doctor_try *t, struct pollfd *p, uint64_t since)
{
	socklen_t len = sizeof(int);
	int errnum = 0;

	(void)getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
	t->came = outcome(errnum); /* of UDP: an answer, or a refusal */
	t->ms = (unsigned)((clock_usec(CLOCK_MONOTONIC) - since) / 1000);
	close(p->fd);
	p->fd = -1;
}

static void connect_some(struct doctor_try *v, size_t n)
{
	struct pollfd polled[AT_ONCE];
	const uint64_t since = clock_usec(CLOCK_MONOTONIC);
	unsigned spent = 0;
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		polled[i] = (struct pollfd){ .fd = begin(&v[i]), .events = v[i].udp ? POLLIN : POLLOUT };
		left += polled[i].fd >= 0;
	}
	while (left > 0 && spent < DEADLINE_MS) {
		if (poll(polled, n, (int)(DEADLINE_MS - spent)) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < n; i++) {
			if (polled[i].fd < 0 || polled[i].revents == 0)
				continue;
			end(&v[i], &polled[i], since);
			left--;
		}
		spent = (unsigned)((clock_usec(CLOCK_MONOTONIC) - since) / 1000);
	}
	for (size_t i = 0; i < n; i++) {
		if (polled[i].fd < 0)
			continue;
		close(polled[i].fd);
		v[i].came = v[i].udp ? DOCTOR_SILENT : DOCTOR_TIMED_OUT;
		v[i].ms = spent;
	}
}

/* At once, for at most a second. */
static void connect_all(struct doctor_try *v, size_t n)
{
	for (size_t i = 0; i < n; i += AT_ONCE)
		connect_some(v + i, n - i < AT_ONCE ? n - i : AT_ONCE);
}

static bool is_listed(const struct doctor_reading *r, const struct doctor_try *t)
{
	for (size_t i = 0; i < r->n_tries; i++)
		if (r->tries[i].forward == t->forward && r->tries[i].udp == t->udp)
			return true;
	return false;
}

int doctor_try_all(struct doctor_reading *r, struct err *e)
{
	const struct forwards *rules = &r->host.rules;

	r->tries = calloc(2 * rules->n + 1, sizeof(*r->tries));
	if (!r->tries)
		return err_no_memory(e);
	for (size_t i = 0; i < rules->n; i++) {
		const struct forward *rule = &rules->v[i];
		const char *text = r->host.address[rule->to.family == AF_INET6 ? DOCTOR_V6 : DOCTOR_V4];
		struct doctor_try t = { .udp = rule->port.udp,
			                .port = rule->port.host,
			                .forward = rule->port.host };

		if (is_listed(r, &t) || addr_parse(text, &t.to, NULL) < 0)
			continue;
		r->tries[r->n_tries++] = t;
		r->tries[r->n_tries++] = (struct doctor_try){ .to = rule->to,
			                                      .udp = t.udp,
			                                      .port = rule->port.guest,
			                                      .forward = t.forward,
			                                      .direct = true };
	}
	connect_all(r->tries, r->n_tries);
	return 0;
}

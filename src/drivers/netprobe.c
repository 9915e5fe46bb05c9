#include "drivers/netprobe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define AT_ONCE 16
#define DNS     53

/* "What are the name servers of the root?" (RFC 1035 4.1) */
static const uint8_t question[] = { 0x6d, 0x64, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };

struct asking {
	int netns, r;
	struct netprobe *v;
	size_t n;
	struct pollfd polled[AT_ONCE];
};

static int socket_for(const struct netprobe *p)
{
	bool v6 = p->to.family == AF_INET6;
	int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

	if (p->is_name_server)
		return socket(p->to.family, SOCK_DGRAM | flags, 0);
	return socket(p->to.family, SOCK_RAW | flags, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* In a thread of its own, so that the caller's can not be left behind. */
static void *open_there(void *arg)
{
	struct asking *a = arg;

	if (setns(a->netns, CLONE_NEWNET) < 0) {
		a->r = -errno;
		return NULL;
	}
	for (size_t i = 0; i < a->n; i++)
		a->polled[i] = (struct pollfd){ .fd = socket_for(&a->v[i]), .events = POLLIN };
	return NULL;
}

static int open_all(struct asking *a, struct err *e)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, open_there, a);

	if (r > 0)
		return err_sys(e, r, "cannot start a thread");
	(void)pthread_join(thread, NULL);
	return a->r < 0 ? err_sys(e, -a->r, "cannot enter a network namespace") : 0;
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool send_to(int fd, const struct netprobe *p, const void *bytes, size_t len)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(p->is_name_server ? DNS : 0) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
		                    .sin6_port = htons(p->is_name_server ? DNS : 0) };
	bool v6 = p->to.family == AF_INET6;

	memcpy(&to4.sin_addr, p->to.bytes, sizeof(to4.sin_addr));
	memcpy(&to6.sin6_addr, p->to.bytes, sizeof(to6.sin6_addr));
	if (connect(fd, v6 ? (const struct sockaddr *)&to6 : (const struct sockaddr *)&to4,
	            v6 ? sizeof(to6) : sizeof(to4)) < 0)
		return false;
	return send(fd, bytes, len, 0) == (ssize_t)len;
}

/* An echo request of type, code, checksum, a name of ours and a number. */
static bool ask_one(int fd, const struct netprobe *p, size_t i)
{
	uint8_t echo[16] = {
		p->to.family == AF_INET6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO, 0, 0, 0, 0x6d, 0x64, 0, (uint8_t)i
	};
	uint16_t sum = checksum(echo, sizeof(echo));

	if (p->is_name_server)
		return send_to(fd, p, question, sizeof(question));
	if (p->to.family == AF_INET) { /* that of IPv6 is the kernel's work */
		echo[2] = (uint8_t)(sum >> 8);
		echo[3] = (uint8_t)sum;
	}
	return send_to(fd, p, echo, sizeof(echo));
}

/* The socket is connected, so all of it is of whom was asked. */
static bool is_answer(const struct netprobe *p, size_t i, const uint8_t *bytes, size_t len)
{
	size_t at = p->to.family == AF_INET && len > 0 ? (size_t)(bytes[0] & 15) * 4 : 0;
	uint8_t type = p->to.family == AF_INET6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;

	if (p->is_name_server)
		return len >= 12 && memcmp(bytes, question, 2) == 0;
	return len >= at + 8 && bytes[at] == type && bytes[at + 4] == 0x6d && bytes[at + 5] == 0x64 &&
	       bytes[at + 7] == i;
}

static bool read_answer(struct asking *a, size_t i, uint64_t since)
{
	uint8_t bytes[2048];
	ssize_t n = recv(a->polled[i].fd, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n >= 0 && !is_answer(&a->v[i], i, bytes, (size_t)n))
		return false;
	a->v[i].answered = n >= 0;
	a->v[i].ms = (unsigned)((clock_usec(CLOCK_MONOTONIC) - since) / 1000);
	return true;
}

static void end(struct pollfd *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void wait_for_answers(struct asking *a)
{
	const uint64_t since = clock_usec(CLOCK_MONOTONIC);
	unsigned spent = 0;
	size_t left = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (a->polled[i].fd >= 0 && ask_one(a->polled[i].fd, &a->v[i], i))
			left++;
		else
			end(&a->polled[i]);
	}
	while (left > 0 && spent < NETPROBE_MS) {
		if (poll(a->polled, a->n, (int)(NETPROBE_MS - spent)) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < a->n; i++)
			if (a->polled[i].fd >= 0 && a->polled[i].revents && read_answer(a, i, since)) {
				end(&a->polled[i]);
				left--;
			}
		spent = (unsigned)((clock_usec(CLOCK_MONOTONIC) - since) / 1000);
	}
	for (size_t i = 0; i < a->n; i++)
		end(&a->polled[i]);
}

int netprobe(int netns, struct netprobe *v, size_t n, struct err *e)
{
	struct asking a = { .netns = netns, .v = v, .n = n < AT_ONCE ? n : AT_ONCE };
	int r = open_all(&a, e);

	if (r == 0)
		wait_for_answers(&a);
	return r;
}

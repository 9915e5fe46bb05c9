#include "drivers/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define LISTENING_MAX 20000 /* of one namespace; the rest is not looked at */

struct reading {
	struct listenings *to;
	size_t before; /* of the dumps before this one */
	bool udp;
};

static int on_socket(const struct nlmsghdr *m, void *arg)
{
	const struct inet_diag_msg *head = m ? nl_head(m, sizeof(*head)) : NULL;
	const struct nlattr *a[INET_DIAG_SKV6ONLY + 1];
	struct reading *reading = arg;
	struct listenings *l = reading->to;
	struct listening s = { .udp = reading->udp }, *grown;
	const uint8_t *only;

	if (!m) {
		l->n = reading->before;
		return 0;
	}
	if (!head || (head->idiag_family != AF_INET && head->idiag_family != AF_INET6) ||
	    head->id.idiag_dport != 0 || l->n == LISTENING_MAX)
		return 0;
	nl_attrs(m, sizeof(*head), a, INET_DIAG_SKV6ONLY);
	only = nl_bytes(a[INET_DIAG_SKV6ONLY], sizeof(*only));
	s.v6_only = only && *only;
	s.at.family = head->idiag_family;
	s.at.prefix = addr_bits(&s.at);
	memcpy(s.at.bytes, head->id.idiag_src, addr_size(&s.at));
	s.port = ntohs(head->id.idiag_sport);
	s.link = (int)head->id.idiag_if;
	s.inode = head->idiag_inode;
	grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	l->v[l->n++] = s;
	return 0;
}

static int dump(struct nl *nl, uint8_t family, bool udp, struct listenings *to, struct err *e)
{
	_Alignas(struct nlmsghdr) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct inet_diag_req_v2 head = { .sdiag_family = family,
		                         .sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP,
		                         .idiag_states = 1u << (udp ? TCP_CLOSE : TCP_LISTEN) };
	struct reading reading = { .to = to, .before = to->n, .udp = udp };

	NL_MSG(&b, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, head) {
	}
	return nl_dump(nl, &b, on_socket, &reading, e);
}

int diag_listening(struct nl *nl, struct listenings *ret, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct listenings l = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < 2 * COUNT(families); i++)
		r = dump(nl, families[i / 2], i % 2, &l, e);
	if (r < 0) {
		free(l.v);
		return err_wrap(e, r, "cannot list who listens");
	}
	*ret = l;
	return 0;
}

#include "tests/unit/netns.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static void put_veth(struct nl_batch *b)
{
	struct ifinfomsg head = { 0 };

	NL_MSG(b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head) {
		nl_str(b, IFLA_IFNAME, "ve-web");
		NL_NEST(b, IFLA_LINKINFO) {
			nl_str(b, IFLA_INFO_KIND, "veth");
			NL_NEST(b, IFLA_INFO_DATA)
				nl_u32(b, 7, 4711);
		}
	}
}

static void a_batch_is_what_it_looks_like(void **state)
{
	_Alignas(4) char data[256];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	const struct nlmsghdr *m = (const void *)data;
	const struct nlattr *a[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *inner[8];
	char text[16];

	(void)state;
	put_veth(&b);
	put_veth(&b);
	assert_false(b.bad);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.used, 2 * m->nlmsg_len);
	assert_int_equal(m->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	nl_attrs(m, sizeof(struct ifinfomsg), a, IFLA_MAX);
	nl_text(a[IFLA_IFNAME], text, sizeof(text));
	assert_string_equal(text, "ve-web");
	nl_nested(a[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	nl_text(info[IFLA_INFO_KIND], text, sizeof(text));
	assert_string_equal(text, "veth");
	nl_nested(info[IFLA_INFO_DATA], inner, 7);
	assert_int_equal(nl_get_u32(inner[7], 0), 4711);
	assert_null(a[IFLA_MASTER]);
	assert_int_equal(nl_get_u32(a[IFLA_MASTER], 3), 3);
}

static void what_does_not_fit_spoils_the_batch_and_nothing_else(void **state)
{
	_Alignas(4) char whole[256];
	struct nl_batch full = { .data = whole, .size = sizeof(whole) };
	struct nl_answer answers[2];
	struct nl nl = { .fd = -1 };
	struct err e;

	(void)state;
	put_veth(&full);
	for (size_t size = 0; size <= full.used; size++) {
		char *data = malloc(size ? size : 1); /* exact: a sanitizer sees each byte too far */
		struct nl_batch b = { .data = data, .size = size };

		assert_non_null(data);
		put_veth(&b);
		assert_int_equal(b.bad, size < full.used);
		if (b.bad)
			assert_int_equal(nl_commit(&nl, &b, answers, NULL, NULL, &e), -ENOBUFS);
		free(data);
	}
}

static int nothing(const struct nlmsghdr *m, void *arg)
{
	(void)m;
	(void)arg;
	return 0;
}

static void a_dump_takes_one_request(void **state)
{
	struct nl_batch b = { 0 };
	struct nl nl = { .fd = -1 };
	struct err e;

	(void)state;
	assert_int_equal(nl_dump(&nl, &b, nothing, NULL, &e), -ENOBUFS);
}

/* Case 65: what a dump answers whose tables change all the time. The kernel is the other end of a pair. */
static int count_beginnings(const struct nlmsghdr *m, void *arg)
{
	*(int *)arg += m ? 0 : 1;
	return 0;
}

static int dump_from(const bool *interrupted, size_t n, int *ret_beginnings, struct err *e)
{
	_Alignas(4) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct rtgenmsg head = { 0 };
	struct nl nl;
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	nl = (struct nl){ .fd = pair[0] };
	NL_MSG(&b, RTM_GETLINK, NLM_F_DUMP, head)
		;
	for (size_t i = 0; i < n; i++) {
		struct {
			struct nlmsghdr head;
			int32_t error;
		} done = { .head = { .nlmsg_len = sizeof(done),
			             .nlmsg_type = NLMSG_DONE,
			             .nlmsg_flags = NLM_F_MULTI | (interrupted[i] ? NLM_F_DUMP_INTR : 0),
			             .nlmsg_seq = (uint32_t)i + 1 } };

		assert_int_equal(send(pair[1], &done, sizeof(done), 0), sizeof(done));
	}
	r = nl_dump(&nl, &b, count_beginnings, ret_beginnings, e);
	close(pair[0]);
	close(pair[1]);
	return r;
}

static void a_dump_that_was_interrupted_begins_again_and_in_the_end_is_told(void **state)
{
	static const bool once[] = { true, false }, always[] = { true, true, true, true, true };
	struct err e = { 0 };
	int beginnings = 0;

	(void)state;
	assert_int_equal(dump_from(once, 2, &beginnings, &e), 0);
	assert_int_equal(beginnings, 1);
	beginnings = 0;
	assert_int_equal(dump_from(always, 5, &beginnings, &e), -EAGAIN);
	assert_int_equal(beginnings, 4); /* what the last try gave is kept */
	assert_string_equal(e.text, "the network kept changing while it was read");
}

/* ---- the parsers against messages cut and bent, each in a heap block of its exact size */

struct kept {
	char *bytes;
	size_t len;
};

struct collection {
	struct kept v[256];
	size_t n;
};

static int keep(const struct nlmsghdr *m, void *arg)
{
	struct collection *c = arg;

	if (!m || c->n == 256)
		return 0;
	c->v[c->n].bytes = malloc(m->nlmsg_len);
	assert_non_null(c->v[c->n].bytes);
	memcpy(c->v[c->n].bytes, m, m->nlmsg_len);
	c->v[c->n++].len = m->nlmsg_len;
	return 0;
}

static void collect(struct collection *c, uint16_t type, const void *head, size_t len)
{
	_Alignas(4) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct nl nl;
	struct err e;

	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	if (nl_begin(&b, type, NLM_F_DUMP, head, len))
		(void)nl_end(&b);
	assert_int_equal(nl_dump(&nl, &b, keep, c, &e), 0);
	nl_close(&nl);
}

static void parse(const struct kept *k)
{
	const struct nlmsghdr *m = (const void *)k->bytes;
	struct link link;
	struct netaddr address;

	if (link_parse(m, &link) == 0)
		link_done(&link);
	(void)netaddr_parse(m, &address);
}

static void parse_cut_and_bent(const struct kept *k)
{
	for (size_t len = sizeof(struct nlmsghdr); len < k->len; len++) {
		struct kept cut = { malloc(len), len };
		struct nlmsghdr *m = (void *)cut.bytes;

		assert_non_null(cut.bytes);
		memcpy(cut.bytes, k->bytes, len);
		m->nlmsg_len = (uint32_t)len;
		parse(&cut);
		free(cut.bytes);
	}
	for (size_t at = sizeof(struct nlmsghdr); at < k->len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			k->bytes[at] = (char)(k->bytes[at] ^ (1 << bit));
			parse(k);
			k->bytes[at] = (char)(k->bytes[at] ^ (1 << bit));
		}
}

static void parsers_stay_inside_the_message_whatever_it_says(void **state)
{
	static struct collection c;
	const struct ifinfomsg links = { 0 };
	const struct ifaddrmsg addresses = { 0 };

	(void)state;
	netns_new();
	run("ip link add br0 type bridge; ip link add vb-web type veth peer name host0; ip link set vb-web "
	    "master br0 up");
	run("ip link property add dev vb-web altname vb-web-with-a-very-long-name; ip addr add fc00::1/64 "
	    "dev vb-web");
	collect(&c, RTM_GETLINK, &links, sizeof(links));
	collect(&c, RTM_GETADDR, &addresses, sizeof(addresses));
	assert_true(c.n >= 5);
	for (size_t i = 0; i < c.n; i++) {
		parse_cut_and_bent(&c.v[i]);
		free(c.v[i].bytes);
	}
}

static void a_name_without_its_nul_ends_with_the_attribute(void **state)
{
	_Alignas(4) char data[64];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct ifinfomsg head = { .ifi_index = 7 };
	struct link l;

	(void)state;
	NL_MSG(&b, RTM_NEWLINK, 0, head)
		nl_raw(&b, IFLA_IFNAME, "ve-web-and-more", 6);
	assert_int_equal(link_parse((const void *)data, &l), 0);
	assert_string_equal(l.name, "ve-web");
	assert_int_equal(l.index, 7);
	link_done(&l);
}

/* ---- the kernel */

static void a_refused_request_does_not_stop_the_others_and_has_the_kernels_words(void **state)
{
	_Alignas(4) char data[512];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct ifinfomsg lo = { .ifi_index = 1 }, none = { .ifi_index = 4711 };
	struct nl_answer answers[3];
	struct nl nl;
	struct err e;

	(void)state;
	netns_new();
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	for (int i = 0; i < 2; i++) { /* the second time the numbers go on */
		b.used = b.n = 0;
		NL_MSG(&b, RTM_NEWLINK, NLM_F_ACK, lo)
			nl_u32(&b, IFLA_MTU, 0xffffffff);
		NL_MSG(&b, RTM_DELLINK, NLM_F_ACK, none) {
		}
		NL_MSG(&b, RTM_GETLINK, NLM_F_ACK, lo) {
		}
		assert_int_equal(nl_commit(&nl, &b, answers, NULL, NULL, &e), 0);
		assert_string_equal(answers[0].text, "mtu less than device minimum");
		assert_int_equal(answers[1].error, ENODEV);
		assert_string_equal(answers[1].text, "No such device");
		assert_true(answers[2].here);
		assert_int_equal(answers[2].error, 0);
	}
	nl_close(&nl);
}

static void a_refused_dump_is_an_error_and_not_an_empty_one(void **state)
{
	_Alignas(4) char data[128];
	struct nl_batch b = { .data = data, .size = sizeof(data) };
	struct ifaddrmsg head = { 0 };
	struct nl nl;
	struct err e;

	(void)state;
	netns_new();
	assert_int_equal(nl_open(NETLINK_ROUTE, &nl, &e), 0);
	NL_MSG(&b, RTM_GETADDR, NLM_F_DUMP, head)
		nl_u32(&b, IFA_TARGET_NETNSID, 4711);
	assert_true(nl_dump(&nl, &b, nothing, NULL, &e) < 0);
	assert_non_null(strstr(e.text, "netlink dump"));
	nl_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_what_it_looks_like),
		cmocka_unit_test(what_does_not_fit_spoils_the_batch_and_nothing_else),
		cmocka_unit_test(a_dump_takes_one_request),
		cmocka_unit_test(a_dump_that_was_interrupted_begins_again_and_in_the_end_is_told),
		cmocka_unit_test(parsers_stay_inside_the_message_whatever_it_says),
		cmocka_unit_test(a_name_without_its_nul_ends_with_the_attribute),
		cmocka_unit_test(a_refused_request_does_not_stop_the_others_and_has_the_kernels_words),
		cmocka_unit_test(a_refused_dump_is_an_error_and_not_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

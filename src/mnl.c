/* The functions of libmnl that drivers/nl calls, for machdeck-init only: it is static, and Debian has libmnl
 * only as a shared library. Contracts are libmnl's. */
#include <libmnl/libmnl.h>
#include <string.h>

static size_t aligned(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buf)
{
	struct nlmsghdr *m = buf;

	*m = (struct nlmsghdr){ .nlmsg_len = sizeof(*m) };
	return m;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *m, size_t size)
{
	char *at = (char *)m + m->nlmsg_len;

	memset(at, 0, aligned(size));
	m->nlmsg_len += (uint32_t)aligned(size);
	return at;
}

bool mnl_nlmsg_ok(const struct nlmsghdr *m, int len)
{
	return len >= (int)sizeof(*m) && m->nlmsg_len >= sizeof(*m) && (int)m->nlmsg_len <= len;
}

struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *m, int *len)
{
	*len -= (int)aligned(m->nlmsg_len);
	return (struct nlmsghdr *)((uintptr_t)m + aligned(m->nlmsg_len));
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *m)
{
	return m->nlmsg_len - sizeof(*m);
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *m)
{
	return (void *)((uintptr_t)m + sizeof(*m));
}

bool mnl_attr_put_check(struct nlmsghdr *m, size_t buflen, uint16_t type, size_t len, const void *data)
{
	struct nlattr *a = (struct nlattr *)((uintptr_t)m + aligned(m->nlmsg_len));
	size_t whole = sizeof(*a) + aligned(len);

	if (aligned(m->nlmsg_len) + whole > buflen)
		return false;
	memset(a, 0, whole);
	a->nla_type = type;
	a->nla_len = (uint16_t)(sizeof(*a) + len);
	memcpy(a + 1, data, len);
	m->nlmsg_len = (uint32_t)(aligned(m->nlmsg_len) + whole);
	return true;
}

struct nlattr *mnl_attr_nest_start_check(struct nlmsghdr *m, size_t buflen, uint16_t type)
{
	struct nlattr *nest = (struct nlattr *)((uintptr_t)m + aligned(m->nlmsg_len));

	return mnl_attr_put_check(m, buflen, NLA_F_NESTED | type, 0, "") ? nest : NULL;
}

void mnl_attr_nest_end(struct nlmsghdr *m, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((uintptr_t)m + m->nlmsg_len - (uintptr_t)nest);
}

bool mnl_attr_ok(const struct nlattr *a, int len)
{
	return len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && (int)a->nla_len <= len;
}

uint16_t mnl_attr_get_type(const struct nlattr *a)
{
	return a->nla_type & (uint16_t)NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *a)
{
	return (uint16_t)(a->nla_len - sizeof(*a));
}

void *mnl_attr_get_payload(const struct nlattr *a)
{
	return (void *)((uintptr_t)a + sizeof(*a));
}

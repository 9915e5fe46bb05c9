#include "words/netop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void netops_done(struct netops *ops)
{
	free(ops->v);
	*ops = (struct netops){ 0 };
}

struct netop *netops_add(struct netops *ops, enum netop_kind kind, const char *dev)
{
	struct netop *grown;

	if (ops->bad)
		return NULL;
	grown = reallocarray(ops->v, ops->n + 1, sizeof(*grown));
	if (!grown) {
		ops->bad = true;
		return NULL;
	}
	ops->v = grown;
	grown = &ops->v[ops->n++];
	*grown = (struct netop){ .kind = kind };
	(void)snprintf(grown->dev, sizeof(grown->dev), "%s", dev);
	return grown;
}

struct netop *netops_add_copy(struct netops *ops, const struct netop *op)
{
	struct netop *added = netops_add(ops, op->kind, op->dev);

	if (added)
		*added = *op;
	return added;
}

void netops_add_port(struct netops *ops, const char *dev, const char *bridge)
{
	struct netop *op = netops_add(ops, NETOP_MASTER, dev);

	if (op)
		(void)snprintf(op->to, sizeof(op->to), "%s", bridge);
}

void netop_words(const struct netop *op, struct strs *ret)
{
	char addr[ADDR_TEXT_SIZE];

	addr_print(&op->addr, op->kind != NETOP_DEFAULT, addr); /* a gateway with a prefix is none to ip */
	strs_add(ret, "ip");
	if (op->six)
		strs_add(ret, "-6");
	switch (op->kind) {
	case NETOP_RENAME:
		strs_split(ret, "link set", " ");
		strs_add(ret, op->dev);
		strs_add(ret, "name");
		strs_add(ret, op->to);
		break;
	case NETOP_MAC:
		strs_split(ret, "link set dev", " ");
		strs_add(ret, op->dev);
		strs_add(ret, "address");
		strs_addf(ret, "%02x:%02x:%02x:%02x:%02x:%02x", op->mac[0], op->mac[1], op->mac[2],
		          op->mac[3], op->mac[4], op->mac[5]);
		break;
	case NETOP_UP:
		strs_split(ret, "link set dev", " ");
		strs_add(ret, op->dev);
		strs_add(ret, "up");
		break;
	case NETOP_MASTER:
		strs_split(ret, "link set dev", " ");
		strs_add(ret, op->dev);
		strs_add(ret, op->gone ? "nomaster" : "master");
		if (op->gone)
			break;
		strs_add(ret, op->to);
		strs_add(ret, "up");
		break;
	case NETOP_DELETE:
		strs_split(ret, "link del dev", " ");
		strs_add(ret, op->dev);
		break;
	case NETOP_ADDRESS:
	case NETOP_ROUTE:
		strs_add(ret, op->kind == NETOP_ADDRESS ? "addr" : "route");
		strs_add(ret, op->gone ? "del" : "add");
		strs_add(ret, addr);
		strs_add(ret, "dev");
		strs_add(ret, op->dev);
		break;
	case NETOP_DEFAULT:
		strs_add(ret, "route");
		strs_add(ret, op->gone ? "del" : "add");
		strs_split(ret, "default via", " ");
		strs_add(ret, addr);
		break;
	}
}

/* One word of each kind, so that a line reads like the command: "address eth0 10.0.0.2/24". */
static const char *const kind_words[] = {
	[NETOP_RENAME] = "rename", [NETOP_MAC] = "mac",         [NETOP_UP] = "up",
	[NETOP_MASTER] = "master", [NETOP_DELETE] = "delete",   [NETOP_ADDRESS] = "address",
	[NETOP_ROUTE] = "route",   [NETOP_DEFAULT] = "default",
};

void netop_line(const struct netop *op, char *ret, size_t size)
{
	char value[NETOP_NAME_SIZE] = "";

	switch (op->kind) {
	case NETOP_RENAME:
	case NETOP_MASTER:
		memcpy(value, op->to, sizeof(value));
		break;
	case NETOP_MAC:
		(void)snprintf(value, sizeof(value), "%02x:%02x:%02x:%02x:%02x:%02x", op->mac[0], op->mac[1],
		               op->mac[2], op->mac[3], op->mac[4], op->mac[5]);
		break;
	case NETOP_ADDRESS:
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		addr_print(&op->addr, true, value);
		break;
	case NETOP_UP:
	case NETOP_DELETE:
		break;
	}
	(void)snprintf(ret, size, "%s %s%s%s", kind_words[op->kind], op->dev, value[0] ? " " : "", value);
}

static int parse_mac(const char *text, uint8_t ret[static 6])
{
	char *end;

	if (strlen(text) != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++, text += 3) {
		char byte[3] = { text[0], text[1], '\0' };
		unsigned long value = strtoul(byte, &end, 16);

		if (*end || (text[2] != (i < 5 ? ':' : '\0')))
			return -EINVAL;
		ret[i] = (uint8_t)value;
	}
	return 0;
}

/* Not sscanf: a tenth of machdeck-init would be what that needs. */
static bool take_word(const char **line, char *ret, size_t size)
{
	const char *word = *line + strspn(*line, " ");
	size_t len = strcspn(word, " ");

	*line = word + len;
	if (len == 0 || len >= size)
		return false;
	memcpy(ret, word, len);
	ret[len] = '\0';
	return true;
}

int netop_parse(const char *line, struct netop *ret)
{
	struct netop op = { 0 };
	char kind[16], value[NETOP_NAME_SIZE] = "";
	bool known = false, has_value;
	int r = -EINVAL;

	if (!take_word(&line, kind, sizeof(kind)) || !take_word(&line, op.dev, sizeof(op.dev)))
		return -EINVAL;
	has_value = take_word(&line, value, sizeof(value));
	if (*line)
		return -EINVAL;
	for (size_t i = 0; !known && i < sizeof(kind_words) / sizeof(kind_words[0]); i++) {
		known = strcmp(kind, kind_words[i]) == 0;
		op.kind = (enum netop_kind)i;
	}
	if (!known)
		return -EINVAL;
	switch (op.kind) {
	case NETOP_RENAME:
	case NETOP_MASTER:
		memcpy(op.to, value, sizeof(op.to));
		r = has_value ? 0 : -EINVAL;
		break;
	case NETOP_MAC:
		r = parse_mac(value, op.mac);
		break;
	case NETOP_UP:
	case NETOP_DELETE:
		r = has_value ? -EINVAL : 0;
		break;
	case NETOP_ADDRESS:
	case NETOP_ROUTE:
	case NETOP_DEFAULT:
		r = addr_parse(value, &op.addr, NULL);
		break;
	}
	if (r == 0)
		*ret = op;
	return r;
}

int netops_parse(const char *text, struct netops *ret)
{
	char line[2 * NETOP_NAME_SIZE + 64];

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		struct netop op = { 0 };

		len = strcspn(text, "\n");
		if (len >= sizeof(line))
			return -EINVAL;
		memcpy(line, text, len);
		line[len] = '\0';
		if (netop_parse(line, &op) < 0)
			return -EINVAL;
		if (!netops_add_copy(ret, &op))
			return -ENOMEM;
	}
	return 0;
}

bool netop_same(const struct netop *a, const struct netop *b)
{
	return a->kind == b->kind && strcmp(a->dev, b->dev) == 0 && strcmp(a->to, b->to) == 0 &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && addr_same(&a->addr, &b->addr) &&
	       a->addr.prefix == b->addr.prefix;
}

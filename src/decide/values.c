#include "decide/values.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "words/name.h"

int value_refuse(struct why *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(w->text, sizeof(w->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

static int copy(const char *text, char **ret)
{
	char *copied = strdup(text);

	if (!copied)
		return -ENOMEM;
	free(*ret);
	*ret = copied;
	return 0;
}

int value_bool(const char *text, bool *ret, struct why *w)
{
	bool yes = strcmp(text, "1") == 0;

	if (!yes && text[0] && strcmp(text, "0") != 0)
		return value_refuse(w, "'%.40s' is neither 1 nor 0", text);
	*ret = yes;
	return 0;
}

bool value_is_path(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len > 4000)
		return false;
	return !strstr(text, "/../") && (len < 3 || strcmp(text + len - 3, "/..") != 0);
}

int value_path(const char *text, char **ret, struct why *w)
{
	if (!value_is_path(text))
		return value_refuse(w, "'%.80s' is not an absolute path without '..'", text);
	return copy(text, ret);
}

int value_addr(const char *text, struct addr *ret, struct why *w)
{
	static const uint8_t zero[16] = { 0 };
	const char *why = "";
	struct addr a;

	if (addr_parse(text, &a, &why) < 0)
		return value_refuse(w, "'%.60s': %s", text, why);
	if (memcmp(a.bytes, zero, addr_size(&a)) == 0)
		return value_refuse(w, "'%.60s' is the unspecified address", text);
	if (a.family == AF_INET ? a.bytes[0] >= 224 : a.bytes[0] == 0xff)
		return value_refuse(w, "'%.60s' is a multicast or reserved address", text);
	if (a.family == AF_INET ? a.bytes[0] == 127 : memcmp(a.bytes, zero, 15) == 0 && a.bytes[15] == 1)
		return value_refuse(w, "'%.60s' is a loopback address", text);
	*ret = a;
	return 0;
}

int value_link(const char *text, char **ret, struct why *w)
{
	if (!name_is_link(text))
		return value_refuse(w,
		                    "'%.40s' can not be an interface's name (1 to 15 characters, no '/', "
		                    "':', '%%' or blank)",
		                    text);
	return copy(text, ret);
}

int value_veth_bridge(const char *text, char **ret, struct why *w)
{
	if (strchr(text, ','))
		return value_refuse(w, "'%.40s' has a comma in it, which parts options in a conf", text);
	return value_link(text, ret, w);
}

int value_port(struct container *c, const char *text, struct why *w)
{
	const char *why = "";
	struct port p, *grown;

	if (port_parse(text, &p, &why) < 0)
		return value_refuse(w, "'%.40s': %s", text, why);
	if (c->n_ports >= VALUE_PORTS_MAX)
		return value_refuse(w, "more than %d ports", VALUE_PORTS_MAX);
	for (size_t i = 0; i < c->n_ports; i++)
		if (c->ports[i].udp == p.udp && c->ports[i].host == p.host)
			return value_refuse(w, "host port %s/%u is forwarded twice", p.udp ? "udp" : "tcp",
			                    p.host);
	grown = reallocarray(c->ports, c->n_ports + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->ports = grown;
	c->ports[c->n_ports++] = p;
	return 0;
}

static int add_word(struct strs *list, const char *text, struct why *w)
{
	if (list->n >= VALUE_WORDS_MAX)
		return value_refuse(w, "more than %d items", VALUE_WORDS_MAX);
	strs_add(list, text);
	return list->bad ? -ENOMEM : 0;
}

static int add_link(struct strs *list, const char *text, struct why *w)
{
	if (!name_is_link(text))
		return value_refuse(w, "'%.40s' can not be an interface's name", text);
	if (strcmp(text, "lo") == 0)
		return value_refuse(w, "'lo' can not be given to a container");
	if (strs_has(list, text))
		return value_refuse(w, "'%s' is named twice", text);
	return add_word(list, text, w);
}

int value_interface(struct container *c, const char *text, struct why *w)
{
	return add_link(&c->interfaces, text, w);
}

int value_macvlan(struct container *c, const char *text, struct why *w)
{
	return add_link(&c->macvlans, text, w);
}

int value_flag(struct container *c, const char *text, struct why *w)
{
	if (!text[0])
		return value_refuse(w, "an empty word");
	return add_word(&c->flags, text, w);
}

int value_tmpfs(struct container *c, const char *text, struct why *w)
{
	if (!value_is_path(text))
		return value_refuse(w, "'%.80s' is not an absolute path, with mount options behind a ':'",
		                    text);
	if (strchr(text, ' '))
		return value_refuse(w, "'%.80s' has a blank in it, which parts paths in a conf", text);
	return add_word(&c->tmpfs, text, w);
}

/* capabilities(7) as of Linux 6.1. */
static const char *const capabilities[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

const char *value_capability_name(size_t number)
{
	return number < COUNT(capabilities) ? capabilities[number] : NULL;
}

int value_capability(struct container *c, const char *text, struct why *w)
{
	bool known = strcmp(text, "all") == 0;

	for (size_t i = 0; !known && i < COUNT(capabilities); i++)
		known = strncasecmp(text, "CAP_", 4) == 0 && strcasecmp(text + 4, capabilities[i]) == 0;
	if (!known)
		return value_refuse(w, "'%.40s' is no capability (as CAP_NET_ADMIN is, see capabilities(7))",
		                    text);
	return add_word(&c->capabilities, text, w);
}

int value_device(struct container *c, const char *node, const char *modifier, struct why *w)
{
	struct device *grown;
	bool class = strncmp(node, "char-", 5) == 0 || strncmp(node, "block-", 6) == 0;

	if (!class && (!value_is_path(node) || strncmp(node, "/dev/", 5) != 0))
		return value_refuse(w, "'%.60s' is not a device below /dev, nor char-NAME or block-NAME",
		                    node);
	if (strpbrk(node, " \t\"'\\"))
		return value_refuse(w, "'%.60s': a blank, quote or backslash in a device's name", node);
	if (!modifier[0] || strspn(modifier, "rwm") != strlen(modifier) || strlen(modifier) > 3)
		return value_refuse(w, "'%.20s' is not made of r, w and m", modifier);
	if (c->n_devices >= VALUE_WORDS_MAX)
		return value_refuse(w, "more than %d devices", VALUE_WORDS_MAX);
	grown = reallocarray(c->devices, c->n_devices + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->devices = grown;
	grown[c->n_devices] = (struct device){ .node = strdup(node), .modifier = strdup(modifier) };
	c->n_devices++;
	return grown[c->n_devices - 1].node && grown[c->n_devices - 1].modifier ? 0 : -ENOMEM;
}

int value_veth(struct container *c, const char *name, struct veth **ret, struct why *w)
{
	struct veth *grown;

	if (!name_is_link(name))
		return value_refuse(w, "'%.40s' can not be an interface's name (1 to 15 characters)", name);
	if (strchr(name, ','))
		return value_refuse(w, "'%s' has a comma in it, which parts options in a conf", name);
	if (strcmp(name, "lo") == 0 || strcmp(name, "host0") == 0 || strcmp(name, "eth0") == 0)
		return value_refuse(w, "'%s' is taken in the container", name);
	for (size_t i = 0; i < c->n_veths; i++)
		if (strcmp(c->veths[i].name, name) == 0)
			return value_refuse(w, "'%s' is named twice", name);
	if (c->n_veths >= VALUE_WORDS_MAX)
		return value_refuse(w, "more than %d extra veths", VALUE_WORDS_MAX);
	grown = reallocarray(c->veths, c->n_veths + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->veths = grown;
	grown[c->n_veths] = (struct veth){ .name = strdup(name) };
	*ret = &grown[c->n_veths++];
	return (*ret)->name ? 0 : -ENOMEM;
}

static int compare_veths(const void *a, const void *b)
{
	return strcmp(((const struct veth *)a)->name, ((const struct veth *)b)->name);
}

void value_veths_end(struct container *c)
{
	if (c->n_veths > 1)
		qsort(c->veths, c->n_veths, sizeof(*c->veths), compare_veths);
}

int value_mac(const char *text, uint8_t ret[static 6], struct why *w)
{
	uint8_t mac[6];
	bool good = strlen(text) == 17;

	for (size_t i = 0; good && i < 6; i++) {
		char byte[3] = { text[3 * i], text[3 * i + 1], '\0' };
		char *end;

		good = strspn(byte, "0123456789abcdefABCDEF") == 2 && text[3 * i + 2] == (i < 5 ? ':' : '\0');
		mac[i] = (uint8_t)strtoul(byte, &end, 16);
	}
	if (!good)
		return value_refuse(w, "'%.40s' is not six pairs of hexadecimal digits parted by ':'", text);
	if (mac[0] & 1)
		return value_refuse(w, "'%s' is a multicast address", text);
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

int value_private_users(const char *text, char **ret, struct why *w)
{
	static const char *const words[] = { "no", "identity", "pick" };
	char first[16];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t number;

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i]) == 0)
			return copy(text, ret);
	if (len >= sizeof(first))
		return value_refuse(w, "'%.40s' is not no, identity, pick or a user id", text);
	memcpy(first, text, len);
	first[len] = '\0';
	if (num_parse(first, 0, UINT32_MAX - 1, &number) < 0 ||
	    (colon && num_parse(colon + 1, 1, UINT32_MAX - 1 - number, &number) < 0))
		return value_refuse(w, "'%.40s' is not no, identity, pick or a user id", text);
	return copy(text, ret);
}

static const struct unit {
	const char *names; /* each between blanks, so two blanks are the empty one */
	uint64_t usec;
} units[] = {
	{ " us usec \u00b5s \u03bcs ", 1 },     { " ms msec ", 1000 },
	{ "  s sec second seconds ", 1000000 }, { " m min minute minutes ", 60000000 },
	{ " h hr hour hours ", 3600000000 },    { " d day days ", 86400000000 },
	{ " w week weeks ", 604800000000 },     { " M month months ", 2629800000000 },
	{ " y year years ", 31557600000000 },
};

/* The unit that p begins with; NULL when it is none. Its length to ret_len. */
static const struct unit *find_unit(const char *p, size_t *ret_len)
{
	char name[16];

	*ret_len = strcspn(p, " +-.0123456789");
	if (*ret_len > sizeof(name) - 3)
		return NULL;
	(void)snprintf(name, sizeof(name), " %.*s ", (int)*ret_len, p);
	for (size_t i = 0; i < COUNT(units); i++)
		if (strstr(units[i].names, name))
			return &units[i];
	return NULL;
}

/* One "NUMBER[.FRACTION] [UNIT]" from *p on is added to *usec; false when there is none, or it is too long a
 * time. */
static bool take_span(const char **p, uint64_t *usec)
{
	size_t digits = strspn(*p, "0123456789"), fraction = 0, len;
	char number[24];
	const struct unit *unit;
	uint64_t value = 0;

	if (digits >= sizeof(number))
		return false;
	memcpy(number, *p, digits);
	number[digits] = '\0';
	*p += digits;
	if (**p == '.') {
		fraction = strspn(*p + 1, "0123456789");
		if (fraction == 0)
			return false;
		*p += 1 + fraction;
	}
	len = strspn(number, "0");
	if (digits + fraction == 0 || (number[len] && num_parse(number + len, 1, UINT64_MAX, &value) < 0))
		return false;
	*p += strspn(*p, " ");
	unit = find_unit(*p, &len);
	*p += len;
	*p += strspn(*p, " ");
	return unit && !__builtin_mul_overflow(value, unit->usec, &value) &&
	       !__builtin_add_overflow(*usec, value, usec);
}

static bool read_timespan(const char *text, uint64_t *ret)
{
	const char *p = text + strspn(text, " ");
	bool good = *p != '\0';

	*ret = 0;
	while (good && *p)
		good = take_span(&p, ret);
	return good;
}

uint64_t value_timespan_usec(const char *text)
{
	uint64_t usec;

	return strcmp(text, "infinity") == 0 || !read_timespan(text, &usec) ? UINT64_MAX : usec;
}

int value_timespan(const char *text, char **ret, struct why *w)
{
	uint64_t usec;

	if (strcmp(text, "infinity") != 0 && !read_timespan(text, &usec))
		return value_refuse(
			w, "'%.40s' is not a time span as systemd.time(7) has it (such as 1min 30s)", text);
	return copy(text, ret);
}
